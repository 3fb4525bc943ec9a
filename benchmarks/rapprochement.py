"""A reconciliation of 100 000 lines ÷ the bare SQL join of the same rows, in the same run.

Half of the lines are attributions recorded here, half are what the SNE and SYPLO say of them; one in six has a gap. The
reconciliation is the whole of it, as a worker does it: read, grouped, matched, judged, lines and gaps written with their
history; then made again, on what it wrote. The join only pairs the two tables on the hashed number and fetches them.
Everything is taken out afterwards.
"""

from datetime import date, timedelta

from .mesure import Contexte, Mesure, chrono, nombre_fr

BASES = ("vide",)
DEPARTEMENT, COMMUNE = "35", "35238"  # no organisation of the demonstration is there
LIGNES, LIGNES_RAPIDES = 100_000, 400
OBJECTIF_JOINTURE, OBJECTIF_SECONDES = 12.0, 30.0
JOINTURE = """
SELECT e.*, a.* FROM flux_evenementexterne e
FULL JOIN (SELECT m.numero_hache, a.*, l.cle_logement FROM flux_attribution a
           JOIN publics_menage m ON m.id = a.menage_id JOIN flux_liberation l ON l.id = a.liberation_id) a
     ON a.numero_hache = e.numero_hache
"""


def mesurer(contexte: Contexte) -> list[Mesure]:
    """First run ÷ bare join; seconds of the first run; run made again ÷ bare join."""
    from django.db import connection, transaction

    from flux.models import EcartRapprochement
    from flux.services import rapprochements
    from reservation.acteur import Acteur
    from reservation.models import Departement
    from reservation.perimetre import agir

    lignes = LIGNES_RAPIDES if contexte.rapide else LIGNES
    acteur = Acteur.du_systeme("mesure d’un rapprochement")
    with agir(acteur), transaction.atomic():
        _preparer(lignes)
        with connection.cursor() as curseur:
            curseur.execute(
                "ANALYZE flux_evenementexterne, flux_attribution, publics_menage, flux_liberation"
            )
            with chrono() as jointure:
                curseur.execute(JOINTURE)
                nombre = len(curseur.fetchall())
        demandes = rapprochements.demander(
            acteur,
            Departement.objects.get(pk=DEPARTEMENT),
            debut=date(2025, 1, 1),
            fin=date(2025, 12, 31),
            appeler=False,
        )
        cles = [demande.pk for demande in demandes]
        with chrono() as premiere:
            rapprochements.executer(cles)
        ecarts = EcartRapprochement.objects.count()
        if not ecarts or EcartRapprochement.objects.exclude(rapprochement__etat="TERMINE").exists():
            raise RuntimeError("le rapprochement n’a pas abouti")
        type(demandes[0]).objects.filter(pk__in=cles).update(etat="EN_ATTENTE")
        with chrono() as seconde:
            rapprochements.executer(cles)
        transaction.set_rollback(True)
    detail = f"{nombre_fr(lignes, 0)} lignes, {nombre_fr(nombre, 0)} jointes, {nombre_fr(ecarts, 0)} écarts"
    return [
        Mesure(
            "rapprochement_jointure",
            "Rapprochement ÷ jointure SQL nue des mêmes lignes",
            premiere.secondes / jointure.secondes,
            OBJECTIF_JOINTURE,
            f"{nombre_fr(premiere.secondes, 1)} s pour {nombre_fr(jointure.secondes, 2)} s ; {detail}",
        ),
        Mesure(
            "rapprochement_refait",
            "Rapprochement refait ÷ la même jointure",
            seconde.secondes / jointure.secondes,
            OBJECTIF_JOINTURE,
            f"{nombre_fr(seconde.secondes, 1)} s",
        ),
        Mesure("rapprochement_secondes", "Rapprochement", premiere.secondes, OBJECTIF_SECONDES, detail, " s"),
    ]


def _preparer(lignes: int) -> None:
    """One bailleur: each attribution and what the SNE says of it, and a label for one in ten."""
    from django.utils import timezone

    from flux.models import Attribution, Depot, EvenementExterne, Imputation, Liberation
    from publics.models import Menage
    from reservation.copie import copier_objets
    from reservation.models import Organisation, Presence

    ddets = Organisation.objects.create(
        type="DDETS", nom="DDETS de la mesure", departement_id=DEPARTEMENT, fictive=True
    )
    bailleur = Organisation.objects.create(
        type="BAILLEUR", nom="Bailleur de la mesure", siren="000000017", famille="OPH", fictive=True
    )
    Presence.objects.create(bailleur=bailleur, departement_id=DEPARTEMENT)
    lieu = {"bailleur_id": bailleur.pk, "departement_id": DEPARTEMENT}
    nombre = lignes * 10 // 21
    jours = [date(2025, 1, 1) + timedelta(days=rang % 330) for rang in range(nombre)]
    menages = [
        Menage(
            departement_id=DEPARTEMENT,
            numero_hache=f"{rang:064x}",
            numero_fin=f"{rang % 10_000:04d}",
            cle_numero="",
        )
        for rang in range(nombre)
    ]
    copier_objets(menages)
    liberations = [
        Liberation(
            **lieu,
            commune_id=COMMUNE,
            cle_logement=f"{DEPARTEMENT}{rang:08d}",
            reference=f"R-{rang}",
            date=jour,
            qpv=False,
            finan="13",
            conv="1",
            nbpiece=3,
            typologie="T3",
            financement="PLUS",
            periode="1971-90",
            statut_logement="CONVENTIONNE",
            dans_assiette=True,
            reservataire=bailleur,
            orientee_le=jour,
        )
        for rang, jour in enumerate(jours)
    ]
    copier_objets(liberations)
    attributions = [
        Attribution(
            **lieu,
            liberation=liberation,
            menage=menage,
            date_caleol=jour + timedelta(days=10),
            date_bail=jour + timedelta(days=30),
        )
        for jour, liberation, menage in zip(jours, liberations, menages, strict=True)
    ]
    copier_objets(attributions)
    copier_objets(
        [
            Imputation(
                **lieu,
                liberation=attribution.liberation,
                annee=2025,
                attribution=attribution,
                reservataire=bailleur,
                titre="BAILLEUR",
                detail="AUTRE",
                qpv=False,
                date_caleol=attribution.date_caleol,
                date_bail=attribution.date_bail,
            )
            for attribution in attributions
        ]
    )
    depots = {
        source: Depot.objects.create(
            organisation=ddets,
            departement_id=DEPARTEMENT,
            sujet=source,
            nom_fichier="mesure.csv",
            taille=1,
            sha256="0" * 64,
            etat="APPLIQUE",
            applique_le=timezone.now(),
            fichier_efface_le=timezone.now(),
        )
        for source in ("SNE", "SYPLO")
    }
    evenements = []
    for rang, attribution in enumerate(attributions):
        commun = {
            "organisation": ddets,
            "ligne": rang + 2,
            "departement_id": DEPARTEMENT,
            "numero_hache": attribution.menage.numero_hache,
            "numero_fin": attribution.menage.numero_fin,
            "cle_numero": "",
        }
        evenements.append(
            EvenementExterne(
                depot=depots["SNE"],
                source="SNE",
                nature="BAIL",
                bailleur=bailleur,
                jour=attribution.date_caleol,
                date_caleol=attribution.date_caleol + timedelta(days=rang % 4),
                date_bail=None if rang % 30 == 0 else attribution.date_bail,
                contingent="ALS" if rang % 40 == 0 else "BAILLEUR",
                cle_logement=attribution.liberation.cle_logement,
                **commun,
            )
        )
        if rang % 10 == 1:
            evenements.append(
                EvenementExterne(
                    depot=depots["SYPLO"],
                    source="SYPLO",
                    nature="LABEL",
                    jour=date(2024, 6, 1),
                    label_categorie_id="DALO",
                    label_debut=date(2024, 6, 1),
                    **commun,
                )
            )
    copier_objets(evenements)
