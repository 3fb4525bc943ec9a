"""What an organisation is told on its first screen: actions that wait for it, news to read. Gone once it is done.

Nothing of this is stored: an alert is read from the very facts that make it, so that none outlives its cause.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from bilans.models import ActionReunion, Bilan, EtapeBilan, PartConvenue, RemiseProjection
from bilans.regles.campagne import NatureEcheance, campagnes_ouvertes
from bilans.regles.cycle import EtatBilan
from bilans.regles.procedures import CONTRADICTOIRE, Etat
from reservation.acteur import Acteur, TypeOrganisation
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import accorder, date_fr, minuscule

from .faits_campagne import CHEZ_LE_BAILLEUR
from .procedures_liste import EN_COURS, lignes
from .suivi_campagne import Obligation, obligations

# From how many days before its date something is said; how long the préfet is told of an agreement.
VUE = 60
NOUVELLE = timedelta(days=30)
# More news of one kind than that are told in one line.
DETAILLEES = 3


class Genre(StrEnum):
    """What an alert asks: to act, or to know."""

    ACTION = "ACTION"
    INFORMATION = "INFORMATION"


@dataclass(frozen=True, slots=True)
class Alerte:
    """One line; `url`: where it is done, or read."""

    genre: Genre
    libelle: str
    detail: str
    url: str
    statut: str


def alertes(
    acteur: Acteur, maintenant: datetime | None = None, dues: list[Obligation] | None = None
) -> list[Alerte]:
    """Actions first, by date; then the news. A fixed number of queries. `dues`: its obligations, where already read."""
    maintenant = maintenant or timezone.now()
    if not acteur.organisation_id:
        return []
    dues = obligations(acteur, maintenant) if dues is None else dues
    return [
        *_propositions(acteur, maintenant),
        *_echeances(acteur, dues),
        *_bilans_a_reprendre(acteur, maintenant, dues),
        *_projections(acteur, maintenant),
        *_accords(acteur, maintenant),
        *_procedures(acteur, maintenant),
        *_actions_du_comite(acteur, maintenant),
    ]


def _echeances(acteur: Acteur, dues: list[Obligation]) -> list[Alerte]:
    if acteur.est_service_etat:
        return _retards(dues)
    return [
        Alerte(
            Genre.ACTION,
            o.echeance.objet,
            f"{o.bailleur.nom}, {o.departement.nom}. Dernier jour : {date_fr(o.echeance.due)}, "
            f"{o.situation.compte_a_rebours}.",
            ou_le_faire(o),
            o.situation.libelle,
        )
        for o in dues
        if o.attendue_de(acteur.organisation_id) and o.situation.jours <= VUE
    ]


def _bilans_a_reprendre(acteur: Acteur, maintenant: datetime, dues: Iterable[Obligation]) -> list[Alerte]:
    """Bilans that wait for their bailleur though no date of the campaign says so: given back after that of the corrections."""
    if not acteur.est_bailleur:
        return []
    dits = {
        (o.departement.pk, o.echeance.annee - 1)
        for o in dues
        if o.echeance.nature == NatureEcheance.CORRECTION and o.attendue_de(acteur.organisation_id)
    }
    derniere = EtapeBilan.objects.filter(bilan=OuterRef("pk"), le__lte=maintenant).order_by("-rang")
    bilans = (
        Bilan.objects.visibles_par(acteur)
        .filter(bailleur=acteur.organisation_id)
        .annotate(stade=Subquery(derniere.values("vers")[:1]), depuis=Subquery(derniere.values("le")[:1]))
        .filter(stade__in=CHEZ_LE_BAILLEUR)
        .select_related("departement")
        .order_by("depuis", "pk")
    )
    return [
        Alerte(
            Genre.ACTION,
            f"Reprendre le bilan {bilan.annee} : {EtatBilan(bilan.stade).libelle}",
            f"{bilan.departement.nom}, depuis le {date_fr(jour_a_paris(bilan.depuis))}.",
            reverse("bilans:suivi", args=[bilan.pk]),
            "à faire",
        )
        for bilan in bilans
        if (bilan.departement_id, bilan.annee) not in dits
    ]


def ou_le_faire(o: Obligation) -> str:
    """The page on which it is done."""
    if o.echeance.nature in (NatureEcheance.PROJECTION, NatureEcheance.PART_ALS):
        return reverse("bilans:projection", args=[o.bailleur.pk, o.departement.pk, o.echeance.annee])
    if o.echeance.nature in (NatureEcheance.BILAN, NatureEcheance.CORRECTION):
        return _bilans(o.departement.pk, o.echeance.annee - 1)
    if o.echeance.nature in (NatureEcheance.POINT_ETAPE_1, NatureEcheance.POINT_ETAPE_2):
        return _bilans(o.departement.pk, o.echeance.annee)
    return _campagne(o.departement.pk, o.echeance.annee)


def _bilans(departement: str, annee: int) -> str:
    return f"{reverse('bilans:liste')}?{urlencode({'annee': annee, 'departement': departement})}"


def _campagne(departement: str, annee: int) -> str:
    return reverse("bilans:campagne", args=["departement", departement, annee])


def _retards(dues: Iterable[Obligation]) -> list[Alerte]:
    """For the State: how many are late, and who: a bailleur that did its part is not among them."""
    nombres: Counter = Counter()
    for o in dues:
        if o.situation.en_retard:
            nombres[o.departement.pk, o.echeance, o.attendue_de(o.bailleur.pk)] += 1
    return [
        Alerte(
            Genre.INFORMATION,
            f"{accorder(nombre, 'bailleur')} {'en retard' if du_bailleur else 'sans réponse d’Action Logement'} : "
            f"{minuscule(echeance.titre)}",
            f"Campagne {echeance.annee}, toléré jusqu’au {date_fr(echeance.tolerance)}.",
            _campagne(departement, echeance.annee),
            "en retard",
        )
        for (departement, echeance, du_bailleur), nombre in nombres.items()
    ]


def _propositions(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """A share that the other party proposed, and that waits for an answer."""
    if not (acteur.est_bailleur or acteur.type_organisation == TypeOrganisation.ACTION_LOGEMENT):
        return []
    parts = (
        PartConvenue.objects.visibles_par(acteur)
        .filter(
            etat=PartConvenue.Etat.PROPOSEE,
            proposee_le__lte=maintenant,
            annee__in=campagnes_ouvertes(jour_a_paris(maintenant)),
        )
        .exclude(proposee_pour=acteur.organisation_id)
        .select_related("bailleur", "departement", "proposee_pour")
        .order_by("proposee_le", "pk")
    )
    return [
        Alerte(
            Genre.ACTION,
            f"Répondre à {part.proposee_pour.nom} : {accorder(part.logements, 'logement')} pour Action Logement "
            f"en {part.annee}",
            f"{part.bailleur.nom}, {part.departement.nom}. Accepter, ou proposer un autre nombre.",
            reverse("bilans:projection", args=[part.bailleur_id, part.departement_id, part.annee]),
            "à confirmer",
        )
        for part in parts
    ]


def _projections(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """Projections received that nobody of this organisation has acknowledged."""
    if not (acteur.est_reservataire or acteur.est_ddets):
        return []
    remises = list(
        RemiseProjection.objects.visibles_par(acteur)
        .filter(
            reservataire=acteur.organisation_id,
            lue_le=None,
            remise_le__lte=maintenant,
            envoi__annee__in=campagnes_ouvertes(jour_a_paris(maintenant)),
        )
        .select_related("bailleur", "departement", "envoi")
        .order_by("-envoi__version", "remise_le", "pk")
    )
    # The last version of each: to acknowledge it acknowledges those before.
    dernieres = list(
        {(r.bailleur_id, r.departement_id, r.envoi.annee): r for r in reversed(remises)}.values()
    )
    if len(dernieres) <= DETAILLEES:
        return [
            Alerte(
                Genre.INFORMATION,
                f"Lire les soustractions prévisionnelles {r.envoi.annee} de {r.bailleur.nom}",
                f"{r.departement.nom}, transmises le {date_fr(jour_a_paris(r.remise_le))}. Accusez-en réception.",
                reverse("bilans:projection", args=[r.bailleur_id, r.departement_id, r.envoi.annee]),
                "à lire",
            )
            for r in dernieres
        ]
    par_lieu = Counter((r.departement_id, r.departement.nom, r.envoi.annee) for r in dernieres)
    return [
        Alerte(
            Genre.INFORMATION,
            f"{accorder(nombre, 'projection')} {annee} à lire",
            f"{nom} : soustractions prévisionnelles transmises par les bailleurs.",
            _campagne(departement, annee),
            "à lire",
        )
        for (departement, nom, annee), nombre in sorted(par_lieu.items())
    ]


def _accords(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """The préfet is told of the shares agreed in the last days."""
    if not acteur.est_service_etat:
        return []
    parts = (
        PartConvenue.objects.visibles_par(acteur)
        .filter(
            etat=PartConvenue.Etat.ACCEPTEE,
            acceptee_le__gt=maintenant - NOUVELLE,
            acceptee_le__lte=maintenant,
        )
        .order_by()
        .values_list("departement", "annee")
    )
    return [
        Alerte(
            Genre.INFORMATION,
            f"{accorder(nombre, 'part convenue', 'parts convenues')} avec Action Logement pour {annee}",
            "Accords conclus depuis trente jours entre les bailleurs et Action Logement.",
            _campagne(departement, annee),
            "information",
        )
        for (departement, annee), nombre in sorted(Counter(parts).items())
    ]


def _procedures(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """Procedures that are not over: for the State, a clock that has run out; for whom they are about, what may be answered."""
    if acteur.est_copil or acteur.type_organisation == TypeOrganisation.OPERATEUR:
        return []
    jour = jour_a_paris(maintenant)
    dites = []
    for ligne in lignes(acteur, jour, Q(etat__in=EN_COURS)):
        p = ligne.procedure
        if acteur.est_service_etat and not ligne.delai:
            continue
        quand = ""
        if ligne.delai:
            quand = f" Délai {'expiré depuis le' if ligne.expire else 'jusqu’au'} {date_fr(ligne.delai.fin)}."
        attend = Etat(p.etat) in CONTRADICTOIRE and not acteur.est_service_etat
        dites.append(
            Alerte(
                Genre.ACTION if attend or (ligne.expire and acteur.est_ddets) else Genre.INFORMATION,
                f"{p.regle.libelle} {p.annee} : {p.destinataire.nom}",
                f"{p.departement.nom}, {ligne.stade}.{quand} Rien n’est automatique.",
                reverse("bilans:procedure", args=[p.pk]),
                "délai expiré" if ligne.expire else "en cours",
            )
        )
    return dites


def _actions_du_comite(acteur: Acteur, maintenant: datetime) -> list[Alerte]:
    """What the COPIL asked of this organisation, until it says that it is done."""
    jour = jour_a_paris(maintenant)
    dues = (
        ActionReunion.objects.visibles_par(acteur)
        .ouvertes()
        .filter(organisation=acteur.organisation_id)
        .order_by("echeance", "pk")
    )
    return [
        Alerte(
            Genre.ACTION,
            action.libelle,
            f"Comité de pilotage du {date_fr(action.seance)}. Pour le {date_fr(action.echeance)}, "
            f"{action.situer(jour).compte_a_rebours}.",
            reverse("bilans:action_copil", args=[action.pk]),
            action.situer(jour).libelle,
        )
        for action in dues
    ]
