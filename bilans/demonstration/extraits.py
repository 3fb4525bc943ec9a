"""Extracts of the SNE and of SYPLO for the demonstration: what was attributed, told by other tools, with planted gaps.

Made from the attributions of the year, with the noise of real files (dates a few days apart, a dwelling without its
reference, an attribution told by two lines) and a known share of each gap; then reconciled, so that the accounts of
the demonstration open on a reconciliation to treat.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from flux.models import Depot, EcartRapprochement, EtatEcart, EvenementExterne, Rapprochement, SourceExterne
from flux.services import rapprochements
from flux.services.imputations import imputer
from publics.services.menages import empreinte_numero
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, Presence

from .scenario import AUJOURDHUI
from .tirage import Tirage

# The départements of the accounts, and of whom their DDETS hands in the extracts.
DEPARTEMENTS = ("06", "22")
DEBUT, FIN = date(AUJOURDHUI.year, 1, 1), date(AUJOURDHUI.year, 12, 31)
AUTRES_CATEGORIES = ("DALO", "HEBERGEMENT", "SANS_ABRI", "EXPULSION", "L441_1_C")
# One attribution in so many has the gap.
PARTS = {
    "absente": 50,
    "contingent": 45,
    "sans_bail": 35,
    "radiation": 90,
    "label_absent": 40,
    "label_echu": 60,
    "label_tardif": 60,
    "motif": 80,
    "label_retrouve": 12,
    "seule": 60,
}

ATTRIBUTIONS = """
SELECT a.id, a.bailleur_id, m.id, m.numero_hache, m.numero_fin, a.date_caleol, a.date_bail, a.agent, l.cle_logement,
       l.reference, l.commune_id, o.type, i.detail,
       (SELECT array_agg(b.categorie_id ORDER BY b.debut, b.id) FROM publics_labellisation b
        WHERE b.menage_id = m.id AND b.debut <= a.date_caleol AND (b.fin IS NULL OR b.fin >= a.date_caleol))
FROM flux_attribution a
JOIN flux_liberation l ON l.id = a.liberation_id
JOIN publics_menage m ON m.id = a.menage_id
JOIN reservation_organisation b ON b.id = a.bailleur_id AND b.fictive
LEFT JOIN flux_imputation i ON i.attribution_id = a.id AND i.annee = %s
LEFT JOIN reservation_organisation o ON o.id = i.reservataire_id
WHERE a.departement_id = %s AND a.refusee_le IS NULL AND a.date_caleol BETWEEN %s AND %s
ORDER BY a.id
"""
CONTINGENTS = {
    "ACTION_LOGEMENT": "ALS",
    "COLLECTIVITE": "COLLECTIVITE",
    "BAILLEUR": "BAILLEUR",
    "DDETS": "ETAT_PRIORITAIRE",
}


def deja_extraits() -> bool:
    return Depot.objects.filter(sujet=SourceExterne.SNE, organisation__fictive=True).exists()


def deposer_extraits(acteur: Acteur, organisations: Mapping[str, Organisation], tirage: Tirage) -> int:
    """Hand the extracts in, reconcile, and treat a few gaps; returns how many gaps were found."""
    if deja_extraits():
        return 0
    for departement in DEPARTEMENTS:
        ddets = organisations.get(f"ddets-{departement}")
        if ddets is None:
            continue
        # The contingent of each attribution is compared: it is known once it is imputed.
        imputer(
            paires=list(
                Presence.objects.filter(departement=departement, bailleur__fictive=True).values_list(
                    "bailleur_id", "departement_id"
                )
            ),
            annee=AUJOURDHUI.year,
        )
        with transaction.atomic():
            _deposer(ddets, departement, tirage.sous(departement))
            demandes = rapprochements.demander(
                acteur, Departement.objects.get(pk=departement), debut=DEBUT, fin=FIN, appeler=False
            )
        rapprochements.executer([demande.pk for demande in demandes])
    _traiter(acteur, tirage)
    return EcartRapprochement.objects.filter(disparu_le=None).count()


def _deposer(ddets: Organisation, departement: str, tirage: Tirage) -> None:
    with connection.cursor() as curseur:
        curseur.execute(ATTRIBUTIONS, [AUJOURDHUI.year, departement, DEBUT, FIN])
        attributions = curseur.fetchall()
    sne: list[dict[str, Any]] = []
    syplo: list[dict[str, Any]] = []
    for ligne in attributions:
        _dire(ligne, tirage, sne, syplo)
    for source, lignes in ((SourceExterne.SNE, sne), (SourceExterne.SYPLO, syplo)):
        depot = Depot.objects.create(
            organisation=ddets,
            departement_id=departement,
            periode_debut=DEBUT,
            periode_fin=AUJOURDHUI,
            sujet=source,
            source=source.label,
            nom_fichier=f"{source.label.lower()}_{departement}_{AUJOURDHUI:%Y-%m-%d}.csv",
            taille=len(lignes) * 120,
            sha256="0" * 64,
            etat=Depot.Etat.APPLIQUE,
            lignes_lues=len(lignes),
            applique_le=timezone.now(),
            fichier_efface_le=timezone.now(),
        )
        EvenementExterne.objects.bulk_create(
            (
                EvenementExterne(
                    depot=depot,
                    organisation=ddets,
                    source=source,
                    ligne=rang,
                    departement_id=departement,
                    **ligne,
                )
                for rang, ligne in enumerate(lignes, 2)
            ),
            batch_size=2_000,
        )


def _dire(attribution: tuple, tirage: Tirage, sne: list, syplo: list) -> None:
    """What the two tools tell of one attribution."""
    _, bailleur, _, hache, fin, caleol, bail, agent, logement, reference, commune, type_, _, categories = (
        attribution
    )

    def tombe(nom: str, sur: int) -> bool:
        return tirage.entier(f"{logement}/{caleol}/{nom}") % sur == 0

    def parmi(nom: str, choix):
        return choix[tirage.entier(f"{logement}/{caleol}/{nom}") % len(choix)]

    menage = {"numero_hache": hache, "numero_fin": fin}
    contingent = "ETAT_AGENT" if agent else CONTINGENTS.get(type_, "AUTRE") if type_ else ""
    if contingent and tombe("contingent", PARTS["contingent"]):
        contingent = parmi("autre", [c for c in ("ETAT_PRIORITAIRE", "ALS", "BAILLEUR") if c != contingent])
    if not tombe("absente", PARTS["absente"]):
        dite = caleol + timedelta(days=parmi("jours", (0, 0, 0, 0, 1, -1, 2, 5)))
        commun = menage | {
            "bailleur_id": bailleur,
            "commune_id": commune,
            "logement_brut": "" if tombe("sans_logement", 25) else reference,
            "cle_logement": "" if tombe("sans_logement", 25) else logement,
        }
        decision = {"date_caleol": dite, "contingent": contingent, "decision": "ATTR"}
        suite = _suite(bail, tombe, parmi)
        if suite and tombe("deux_lignes", 6):
            sne.append(commun | decision | {"nature": "ATTRIBUTION", "jour": dite})
            sne.append(
                commun | suite | {"nature": "RADIATION" if "radiation" in suite else "BAIL", "jour": bail}
            )
        else:
            nature = "RADIATION" if "radiation" in suite else "BAIL" if suite else "ATTRIBUTION"
            sne.append(commun | decision | suite | {"nature": nature, "jour": dite})
    if tombe("seule", PARTS["seule"]):
        inconnu = f"{logement}{caleol}"
        sne.append(
            {
                "numero_hache": empreinte_numero(inconnu),
                "numero_fin": f"{tirage.entier(inconnu) % 10_000:04d}",
                "bailleur_id": bailleur,
                "date_caleol": caleol,
                "contingent": contingent or "BAILLEUR",
                "nature": "ATTRIBUTION",
                "jour": caleol,
            }
        )
    _dire_label(menage, caleol, categories, bool(contingent), tombe, parmi, syplo)


def _suite(bail: date | None, tombe, parmi) -> dict[str, Any]:
    if bail is None or bail > AUJOURDHUI or tombe("sans_bail", PARTS["sans_bail"]):
        return {}
    if tombe("radiation", PARTS["radiation"]):
        return {"date_bail": bail, "date_radiation": bail, "radiation": parmi("code", ("RADABA", "RADREN"))}
    return {"date_bail": bail} | (
        {"date_radiation": bail, "radiation": "RADATT"} if tombe("radie", 2) else {}
    )


def _dire_label(menage, caleol: date, categories, compte: bool, tombe, parmi, syplo: list) -> None:
    debut, fin = caleol - timedelta(days=120), caleol + timedelta(days=245)
    if not categories:
        if not (compte and tombe("label_retrouve", PARTS["label_retrouve"])):
            return
        categorie = parmi("categorie", AUTRES_CATEGORIES)
    else:
        categorie = categories[0]
        if tombe("label_absent", PARTS["label_absent"]):
            return
        if tombe("label_echu", PARTS["label_echu"]):
            debut, fin = caleol - timedelta(days=400), caleol - timedelta(days=12)
        elif tombe("label_tardif", PARTS["label_tardif"]):
            debut = caleol + timedelta(days=6)
        elif tombe("motif", PARTS["motif"]):
            categorie = parmi("autre_motif", [c for c in AUTRES_CATEGORIES if c not in categories])
    syplo.append(
        menage
        | {
            "nature": "LABEL",
            "jour": debut,
            "label_categorie_id": categorie,
            "label_debut": debut,
            "label_fin": fin,
            "label_manuel": True,
        }
    )


def _traiter(acteur: Acteur, tirage: Tirage) -> None:
    """A few gaps are already in somebody's hands: a list where all is still to do tells nothing."""
    ecarts = EcartRapprochement.objects.filter(
        rapprochement__in=Rapprochement.objects.filter(bailleur__fictive=True), disparu_le=None
    )
    par_etat: dict[tuple[str, str], list[int]] = {}
    for pk in ecarts.order_by("pk").values_list("pk", flat=True):
        match tirage.entier(f"suivi/{pk}") % 12:
            case 0 | 1:
                par_etat.setdefault((EtatEcart.EN_COURS, ""), []).append(pk)
            case 2:
                par_etat.setdefault((EtatEcart.CORRIGE, ""), []).append(pk)
            case 3:
                par_etat.setdefault((EtatEcart.EXPLIQUE, "TRANSMISSION"), []).append(pk)
    for (etat, motif), cles in par_etat.items():
        rapprochements.changer_etat(acteur, ecarts.filter(pk__in=cles), etat, motif)
