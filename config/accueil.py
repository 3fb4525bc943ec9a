"""What the first screen says: what waits, three numbers, the next date, where each contingent stands.

Only reads what the rooms below have computed, through their perimeters; a fixed number of queries.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, F, Min, Q, Sum
from django.urls import reverse
from django.utils import timezone

from bilans.forms_indicateurs import (
    FormulaireContingent,
    choisir,
)
from bilans.regles.atterrissage import AnneePassee, Projection, phrase_methode, projeter
from bilans.regles.campagne import (
    Echeance,
    situer,
)
from bilans.regles.risques import attendu_a_ce_jour
from bilans.services.alertes import alertes
from bilans.services.compte_etat import paires_au_bail
from bilans.services.contingents import Contingent, lire_contingent
from bilans.services.contingents_ensemble import DEPARTEMENTS_EN_DETAIL, Ensemble, lire_ensemble
from bilans.services.indicateurs import Demande
from bilans.services.projections import PartAConvenir, parts_a_convenir
from bilans.services.saisons import saisons
from bilans.services.suivi_campagne import Obligation, debiteurs, obligations, prochaine_date
from bilans.services.tableau_etat import TableauEtat, lire_tableau
from flux.models import (
    CalculFlux,
    Commission,
    Designation,
    EtapeLiberation,
    Imputation,
    Liberation,
    Nature,
    PartFlux,
)
from flux.services.agents import a_signaler as agents_a_signaler
from flux.services.cadres import Paire
from flux.services.designations import a_pourvoir
from publics.models import (
    DossierAgent,
    PropositionLabel,
)
from reservation.acteur import Acteur
from reservation.models import AgregatParc, CodeDrapeau, EtatParc, ImportRpls
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import (
    accorder,
    date_fr,
    typographier,
)


@dataclass(frozen=True)
class Tache:
    """Something that waits; `statut` is one of the statuses of the task list, or where a date of the campaign stands."""

    libelle: str
    detail: str
    url: str
    statut: str = "pas commencé"


@dataclass(frozen=True)
class Chiffre:
    """One of the three numbers: dwellings or acts, with the page that shows its lines."""

    nombre: int
    libelle: str
    detail: str
    url: str


@dataclass(frozen=True)
class LigneContingent:
    """One réservataire of one bailleur in one département: forecast objective and what is done this year."""

    bailleur: str
    departement: str
    reservataire: str
    objectif: int | None
    realise: int
    part_exacte: object
    flux: int
    url: str
    projection: Projection

    @property
    def ecart(self) -> int | None:
        return None if self.objectif is None else self.realise - self.objectif

    @property
    def ecart_prevu(self) -> int | None:
        """What the atterrissage leaves over or short."""
        return None if self.objectif is None else self.projection.central - self.objectif

    @property
    def attendu(self) -> int | None:
        return None if self.objectif is None else attendu_a_ce_jour(self.objectif, self.projection.jour)

    @property
    def methode(self) -> str:
        return phrase_methode(self.projection)

    @property
    def largeurs(self) -> dict[str, int]:
        """Abscissas of the bar, on 250: what is done, what should come, what is expected today; the objective at 200."""

        def echelle(nombre: int) -> int:
            if not self.objectif:
                return 250 if nombre > 0 else 0
            return max(0, min(250, nombre * 200 // self.objectif))

        realise = echelle(self.realise)
        prevu = max(0, echelle(self.projection.central) - realise)
        return {"realise": realise, "prevu": prevu, "attendu": echelle(self.attendu or 0), "cible": 200}


@dataclass(frozen=True)
class ProchaineCaleol:
    """The next commission of a bailleur: dwellings and candidatures on its agenda; `autres`: how many follow."""

    commission: Commission
    logements: int
    candidatures: int
    autres: int


@dataclass(frozen=True)
class Prochaine:
    """The next date of the campaigns; `lieux`: where it applies, empty for everywhere. `du_bailleur`: told to a
    réservataire that has nothing to do for it."""

    echeance: Echeance
    lieux: str
    compte_a_rebours: str
    du_bailleur: bool


@dataclass(frozen=True)
class TableauContingent:
    """`parts`: the forecast shares of ALS, of the year read and of the next one when it is the year that runs.

    `ensemble`, alone: département by département, when a line per bailleur would be thousands.
    """

    formulaire: FormulaireContingent
    demande: Demande
    lu: Contingent | None = None
    parts: list[PartAConvenir] = field(default_factory=list)
    ensemble: Ensemble | None = None


@dataclass(frozen=True)
class Tableau:
    annee: int
    jour: date
    prochaine: Prochaine | None
    caleol: ProchaineCaleol | None = None
    chiffres: list[Chiffre] = field(default_factory=list)
    taches: list[Tache] = field(default_factory=list)
    lignes: list[LigneContingent] = field(default_factory=list)
    ensemble: list[dict] = field(default_factory=list)
    etat: TableauEtat | None = None
    contingent: TableauContingent | None = None


def tableau_d_accueil(
    acteur: Acteur,
    maintenant: datetime | None = None,
    risque: str = "",
    choix: Mapping[str, str] | None = None,
) -> Tableau:
    """First screen of `acteur` at a moment (now by default).

    `risque`: of the bailleurs of a State service, those; `choix`: year, département and bailleur that a réservataire reads.
    """
    maintenant = maintenant or timezone.now()
    jour = jour_a_paris(maintenant)
    annee = jour.year
    dues = obligations(acteur, maintenant)
    return Tableau(
        annee=annee,
        jour=jour,
        prochaine=_prochaine(acteur, maintenant, dues),
        caleol=_caleol(acteur, jour) if acteur.est_bailleur else None,
        chiffres=[] if acteur.est_service_etat or acteur.est_reservataire else _chiffres(acteur, annee),
        taches=[
            *(Tache(a.libelle, a.detail, a.url, a.statut) for a in alertes(acteur, maintenant, dues)),
            *_taches(acteur, jour),
        ],
        lignes=_lignes(acteur, jour) if acteur.est_bailleur else [],
        ensemble=_ensemble(acteur, annee) if acteur.est_copil else [],
        etat=_etat(acteur, maintenant, risque),
        contingent=_contingent(acteur, jour, choix or {}),
    )


def _contingent(acteur: Acteur, jour: date, choix: Mapping[str, str]) -> TableauContingent | None:
    """What a réservataire reads first: its contingent with every bailleur, for the year and the places that it chooses."""
    if not acteur.est_reservataire:
        return None
    formulaire = choisir(acteur, choix, FormulaireContingent, jour.year)
    demande = formulaire.demande()
    annees = (jour.year, jour.year + 1) if demande.annee == jour.year else (demande.annee,)
    if (
        not demande.departement
        and demande.bailleur is None
        and len(formulaire.departements) > DEPARTEMENTS_EN_DETAIL
    ):
        ensemble = lire_ensemble(acteur, demande.annee, annees, jour)
        return TableauContingent(formulaire, demande, ensemble=ensemble)
    return TableauContingent(
        formulaire,
        demande,
        lu=lire_contingent(acteur, demande, jour),
        parts=parts_a_convenir(acteur, annees, demande.departement, demande.bailleur),
    )


def _etat(acteur: Acteur, maintenant: datetime, risque: str) -> TableauEtat | None:
    """The tableau de bord of a State service: one département each (chapter 2)."""
    if not acteur.est_service_etat or not acteur.departements:
        return None
    return lire_tableau(acteur, min(acteur.departements), maintenant, risque)


def _chiffres(acteur: Acteur, annee: int) -> list[Chiffre]:
    calculs = CalculFlux.objects.visibles_par(acteur).en_vigueur().filter(annee=annee)
    totaux = calculs.aggregate(
        prevu=Sum("flux", filter=Q(nature=Nature.PREVISIONNEL)),
        constate=Sum("flux", filter=Q(nature=Nature.DEFINITIF)),
        bailleurs=Count("bailleur", distinct=True),
    )
    url = reverse("flux:liste")
    chiffres = [
        Chiffre(
            totaux["prevu"] or 0, f"logements de flux prévus en {annee}", "flux prévisionnel en vigueur", url
        ),
        Chiffre(
            totaux["constate"] or 0,
            f"déjà entrés dans le flux {annee}",
            "libérations moins soustractions",
            url,
        ),
    ]
    if acteur.est_bailleur:
        sans = (
            Liberation.objects.visibles_par(acteur)
            .filter(reservataire=None, annulee_le=None, date__year=annee, usage="FLUX", dans_assiette=True)
            .count()
        )
        chiffres.append(
            Chiffre(
                sans,
                "libérations sans orientation",
                "elles comptent déjà comme libérées",
                reverse("flux:liberations") + "?orientation=sans",
            )
        )
    else:
        chiffres.append(Chiffre(totaux["bailleurs"], "bailleurs suivis", "dans votre périmètre", url))
    return chiffres


# What waits for an act of the bailleur, the most pressing first: step → (one, several, why).
SEMAINE = (
    (
        "retard",
        "offre sans réponse dans les dix jours",
        "offres sans réponse dans les dix jours",
        "Le rang suivant attend.",
    ),
    (
        EtapeLiberation.CONDITION,
        "pièce attendue",
        "pièces attendues",
        "Attributions sous condition suspensive.",
    ),
    (
        EtapeLiberation.A_OFFRIR,
        "offre à notifier",
        "offres à notifier",
        "Attribuées en CALEOL : les dix jours courent de l’offre.",
    ),
    (
        EtapeLiberation.BAIL,
        "bail à signer",
        "baux à signer",
        "Offres acceptées. Un agent de l’État ne compte qu’au bail.",
    ),
    (
        EtapeLiberation.A_ORIENTER,
        "logement à orienter",
        "logements à orienter",
        "L’application propose un réservataire, et dit pourquoi.",
    ),
    (
        EtapeLiberation.CALEOL,
        "logement à présenter en CALEOL",
        "logements à présenter en CALEOL",
        "À inscrire, ou déjà à l’ordre du jour.",
    ),
)


def _semaine(acteur: Acteur, jour: date) -> list[Tache]:
    """The week of a bailleur: each line leads to the libérations that wait for it."""
    nombres = Liberation.objects.visibles_par(acteur).compter_par_etape(jour)
    taches = [
        Tache(
            accorder(nombres[etape], un, plusieurs),
            detail,
            f"{reverse('flux:liberations')}?etape={etape}",
            "à corriger" if etape == "retard" else "pas commencé",
        )
        for etape, un, plusieurs, detail in SEMAINE
        if nombres[etape]
    ]
    a_convoquer = (
        Commission.objects.visibles_par(acteur)
        .filter(date__gte=jour, etat=Commission.Etat.PREPARATION)
        .order_by("date", "pk")
    )
    taches += [
        Tache(
            f"Convoquer la DDETS à la CALEOL du {date_fr(commission.date)}",
            "Elle est convoquée à toutes.",
            reverse("flux:commission", args=[commission.pk]),
        )
        for commission in a_convoquer[:3]
    ]
    return taches


def _labels(acteur: Acteur, jour: date) -> list[Tache]:
    """What waits for the State: proposals and files to decide, agents attributed without its word."""
    if not (acteur.est_service_etat and acteur.peut_gerer):
        return []
    taches = []
    agents = agents_a_signaler(acteur).count()
    if agents:
        taches.append(
            Tache(
                accorder(
                    agents,
                    "agent de l’État attributaire à confirmer",
                    "agents de l’État attributaires à confirmer",
                ),
                "Ils se sont déclarés agents sans validation préalable : accordez la priorité, ou refusez-la.",
                reverse("flux:agents") + "?quoi=attente",
                "à confirmer",
            )
        )
    files = [
        (DossierAgent, "dossier d’agent à valider", "dossiers d’agents à valider", "publics:agents_dossiers")
    ]
    if acteur.est_ddets:
        files.insert(
            0,
            (
                PropositionLabel,
                "proposition de label à décider",
                "propositions de label à décider",
                "publics:propositions",
            ),
        )
    for modele, un, plusieurs, nom in files:
        compte = (
            modele.objects.visibles_par(acteur)
            .filter(etat="PROPOSEE")
            .aggregate(nombre=Count("pk"), retard=Count("pk", filter=Q(echeance__lt=jour)))
        )
        if compte["nombre"]:
            retard = compte["retard"]
            taches.append(
                Tache(
                    accorder(compte["nombre"], un, plusieurs),
                    f"Dont {retard} en retard." if retard else "Aucune échéance dépassée.",
                    reverse(nom),
                    "en retard" if retard else "pas commencé",
                )
            )
    return taches


def _prochaine(acteur: Acteur, maintenant: datetime, dues: list[Obligation]) -> Prochaine | None:
    trouvee = prochaine_date(acteur, jour_a_paris(maintenant), dues)
    if trouvee is None:
        return None
    echeance, lieux = trouvee
    return Prochaine(
        echeance,
        lieux,
        situer(echeance, None, maintenant).compte_a_rebours,
        acteur.est_reservataire and acteur.type_organisation not in debiteurs(echeance.nature),
    )


def _a_pourvoir(acteur: Acteur, jour: date) -> list[Tache]:
    """The dwellings that wait for the candidates of a réservataire, those whose last day is near first."""
    attente = a_pourvoir(acteur).filter(etat=Designation.Etat.EN_ATTENTE).order_by()
    compte = attente.aggregate(
        nombre=Count("pk"),
        premiere=Min("echeance", filter=Q(echeance__gte=jour)),
        retard=Count("pk", filter=Q(echeance__lt=jour)),
    )
    if not compte["nombre"]:
        return []
    details = []
    if compte["premiere"]:
        details.append(f"Premier délai : {date_fr(compte['premiere'])}.")
    if compte["retard"]:
        details.append(f"Délai dépassé pour {compte['retard']}.")
    return [
        Tache(
            accorder(compte["nombre"], "logement attend vos candidats", "logements attendent vos candidats"),
            typographier(" ".join(details) or "Aucun délai ne court."),
            reverse("flux:liste_a_pourvoir"),
            "à corriger" if compte["retard"] else "pas commencé",
        )
    ]


def _taches(acteur: Acteur, jour: date) -> list[Tache]:
    if acteur.est_reservataire:
        return _a_pourvoir(acteur, jour)
    if not acteur.est_bailleur:
        return _labels(acteur, jour)
    taches = _semaine(acteur, jour)
    if not EtatParc.objects.visibles_par(acteur).exists():
        taches.append(
            Tache(
                "Importer votre parc",
                "Le RPLS du 1er janvier, celui que vous déposez.",
                reverse("reservation:imports"),
            )
        )
    for ligne in (
        ImportRpls.objects.visibles_par(acteur)
        .filter(etat=ImportRpls.Etat.A_CONFIRMER)
        .values("pk", "nom_fichier", "lignes_rejetees")
    ):
        taches.append(
            Tache(
                f"Relire l’import {ligne['nom_fichier']}",
                f"{ligne['lignes_rejetees']} lignes rejetées ; rien n’est encore enregistré.",
                reverse("reservation:imports"),
                "à confirmer",
            )
        )
    dernier = (
        EtatParc.objects.visibles_par(acteur)
        .order_by("-millesime")
        .values_list("millesime", flat=True)
        .first()
    )
    etudiants = (
        AgregatParc.objects.visibles_par(acteur)
        .filter(millesime=dernier, typeconst="E")
        .exclude(
            drapeaux__overlap=[
                CodeDrapeau.RESIDENCE_UNIVERSITAIRE,
                CodeDrapeau.RESIDENCE_SERVICES,
                CodeDrapeau.LOGEMENT_FOYER,
                CodeDrapeau.ORDINAIRE,
            ]
        )
        .aggregate(n=Sum("nombre"))["n"]
    )
    if etudiants:
        taches.append(
            Tache(
                f"Répondre pour {etudiants} logements dits « étudiants »",
                "Résidence universitaire ou logement ordinaire ? Ils restent dans l’assiette en attendant.",
                reverse("reservation:parc"),
            )
        )
    return taches


def _caleol(acteur: Acteur, jour: date) -> ProchaineCaleol | None:
    """The first commission from today on that is neither held nor cancelled."""
    a_venir = (
        Commission.objects.visibles_par(acteur)
        .filter(date__gte=jour, etat__in=Commission.OUVERTES)
        .order_by("date", F("heure").asc(nulls_last=True), "pk")
    )
    premiere = a_venir.select_related("bailleur", "departement").first()
    if premiere is None:
        return None
    return ProchaineCaleol(
        premiere,
        premiere.lignes.count(),
        premiere.passages.count(),
        a_venir.count() - 1,
    )


def _lignes(acteur: Acteur, jour: date) -> list[LigneContingent]:
    """Parts of the year of a bailleur: forecast objective, what is observed to date, where the year should end."""
    annee = jour.year
    parts = (
        PartFlux.objects.visibles_par(acteur)
        .filter(calcul__annee=annee, calcul__en_vigueur=True)
        .select_related("calcul", "bailleur", "reservataire", "departement")
        .defer("calcul__entrees", "calcul__resultat", "calcul__etapes", "calcul__avertissements")
        .order_by("bailleur__nom_tri", "departement_id", "rang")
    )
    par_titulaire: dict[tuple[int, str, str], dict[str, PartFlux]] = {}
    for part in parts:
        cle = (part.bailleur_id, part.departement_id, part.code)
        par_titulaire.setdefault(cle, {})[part.calcul.nature] = part
    passees = _passees(acteur, {cle[:2] for cle in par_titulaire}, jour)
    lignes = []
    for cle, natures in par_titulaire.items():
        part = natures.get(Nature.PREVISIONNEL) or natures[Nature.DEFINITIF]
        constate = natures.get(Nature.DEFINITIF)
        est_bailleur = part.code == "BAILLEUR"
        realise = constate.realise if constate else 0
        lignes.append(
            LigneContingent(
                bailleur=part.bailleur.nom,
                departement=part.departement.nom,
                reservataire="Bailleur (non réservé)" if est_bailleur else _nom(part),
                objectif=None if est_bailleur else part.objectif_total,
                realise=realise,
                part_exacte=part.part_exacte,
                flux=part.calcul.flux,
                url=reverse("flux:detail", args=[part.bailleur_id, part.departement_id, annee]),
                projection=projeter(jour, realise, passees.get(cle, ())),
            )
        )
    return lignes


def _passees(acteur: Acteur, paires: set[Paire], jour: date) -> dict[tuple[int, str, str], list[AnneePassee]]:
    constatees = set(
        CalculFlux.objects.visibles_par(acteur)
        .en_vigueur()
        .filter(nature=Nature.DEFINITIF, annee__lt=jour.year)
        .order_by()
        .values_list("bailleur", "departement", "annee")
    )
    if not constatees:
        return {}
    return saisons(
        Imputation.objects.visibles_par(acteur), paires_au_bail(paires, jour.year), jour, constatees
    )


def _nom(part: PartFlux) -> str:
    if part.code == "ETAT":
        return "État"
    return part.reservataire.nom if part.reservataire else part.code


def _ensemble(acteur: Acteur, annee: int) -> list[dict]:
    """One line per bailleur × département for those who follow several: flux, and the État's objective."""
    lignes = (
        PartFlux.objects.visibles_par(acteur)
        .filter(calcul__annee=annee, calcul__en_vigueur=True, code="ETAT")
        .values("bailleur_id", "bailleur__nom", "departement_id", "departement__nom")
        .annotate(
            flux=Sum("calcul__flux", filter=Q(calcul__nature=Nature.PREVISIONNEL)),
            constate=Sum("calcul__flux", filter=Q(calcul__nature=Nature.DEFINITIF)),
            objectif=Sum("objectif_total", filter=Q(calcul__nature=Nature.PREVISIONNEL)),
            realise=Sum("realise", filter=Q(calcul__nature=Nature.DEFINITIF)),
        )
        .order_by("departement_id", "bailleur__nom_tri")
    )
    return [
        {
            **ligne,
            "taux": (100 * (ligne["realise"] or 0) // ligne["objectif"]) if ligne["objectif"] else None,
            "url": reverse("flux:detail", args=[ligne["bailleur_id"], ligne["departement_id"], annee]),
        }
        for ligne in lignes
    ]
