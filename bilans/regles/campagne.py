"""The dates of a campaign and what they mean at a given moment: due, tolerated, late, done; which reminder is called for.

Chapter 10 of the domain: every date is data, with its reason and its tolerance, of a département or of a région; those
below are what a campaign ships with. A day ends at midnight in Paris, whatever the time of the server and of the season.

`situer` is the only function that says what is late: pages, reminders and calendars all read its answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from reservation.regles import articles
from reservation.regles.periodes import UN_JOUR, jour_a_paris
from reservation.regles.typographie import accorder

# A date of campaign N is between these two: the projection of N is due in N−1, the last point d'étape in N+1.
PREMIER_MOIS, DERNIER_MOIS = 10, 3


class NatureEcheance(StrEnum):
    """What is due. The year is that of the campaign."""

    PROJECTION = "PROJECTION"
    PART_ALS = "PART_ALS"
    BILAN = "BILAN"
    CORRECTION = "CORRECTION"
    POINT_ETAPE_1 = "POINT_ETAPE_1"
    POINT_ETAPE_2 = "POINT_ETAPE_2"


TITRES = {
    NatureEcheance.PROJECTION: "Soustractions prévisionnelles",
    NatureEcheance.PART_ALS: "Part prévisionnelle d’Action Logement Services",
    NatureEcheance.BILAN: "Bilan annuel",
    NatureEcheance.CORRECTION: "Corrections du bilan",
    NatureEcheance.POINT_ETAPE_1: "Point d’étape du premier semestre",
    NatureEcheance.POINT_ETAPE_2: "Point d’étape du second semestre",
}


@dataclass(frozen=True, slots=True)
class Echeance:
    """`due`: last day, until midnight in Paris; `tolerance`: last day on which nobody is late. `suivie` False: not held.

    Raises `ValueError` when the tolerance is before the date.
    """

    nature: NatureEcheance
    annee: int
    due: date
    tolerance: date
    raison: str
    suivie: bool = True

    def __post_init__(self) -> None:
        if self.tolerance < self.due:
            raise ValueError("La tolérance précède l’échéance.")

    @property
    def titre(self) -> str:
        return TITRES[self.nature]

    @property
    def objet(self) -> str:
        """What is to be done, in a sentence."""
        annee = self.annee
        match self.nature:
            case NatureEcheance.PROJECTION:
                return f"Transmettre aux réservataires les soustractions prévisionnelles de {annee}, par catégorie."
            case NatureEcheance.PART_ALS:
                # Said to the bailleur and to ALS alike.
                return (
                    f"Convenir de la part prévisionnelle d’Action Logement Services en {annee} ; "
                    "le préfet en est informé."
                )
            case NatureEcheance.BILAN:
                return f"Transmettre à tous les réservataires le bilan de {annee - 1} et les soustractions de {annee}."
            case NatureEcheance.CORRECTION:
                return f"Répondre aux demandes de la DDETS sur le bilan de {annee - 1}."
            case NatureEcheance.POINT_ETAPE_1:
                return f"Transmettre le point d’étape du premier semestre {annee} : le bilan arrêté à mi-année, son atterrissage."
            case NatureEcheance.POINT_ETAPE_2:
                return (
                    f"Transmettre le point d’étape du second semestre {annee} : le bilan arrêté en décembre."
                )


def echeances_par_defaut(annee: int) -> tuple[Echeance, ...]:
    """What campaign `annee` ships with, in order. "Avant le 28": due on the 27, the 28 is tolerated; leap years too."""
    n = NatureEcheance
    lignes = (
        (
            n.PROJECTION,
            date(annee - 1, 12, 30),
            date(annee - 1, 12, 31),
            f"Avant le 31 décembre : {articles.SOUSTRACTIONS} ; convention-cadre PACA, art. 4, a",
        ),
        (
            n.PART_ALS,
            date(annee, 1, 30),
            date(annee, 1, 31),
            "Avant le 31 janvier : convention-cadre PACA, art. 4, d",
        ),
        (
            n.BILAN,
            date(annee, 2, 27),
            date(annee, 2, 28),
            "Avant le 28 février : CCH, art. R. 441-5 et R. 441-5-1",
        ),
        (
            n.CORRECTION,
            date(annee, 3, 31),
            date(annee, 3, 31),
            "Un mois après la remise du bilan : choix de la campagne, aucun texte ne le fixe",
        ),
        (
            n.POINT_ETAPE_1,
            date(annee, 7, 31),
            date(annee, 8, 31),
            "Tous les six mois : convention des Côtes-d’Armor, art. 7.1",
        ),
    )
    return (
        *(Echeance(nature, annee, due, tolerance, raison) for nature, due, tolerance, raison in lignes),
        Echeance(
            n.POINT_ETAPE_2,
            annee,
            date(annee + 1, 1, 31),
            date(annee + 1, 2, 28),
            "Le bilan de février en tient lieu, sauf choix contraire de la DDETS",
            suivie=False,
        ),
    )


def bornes(annee: int) -> tuple[date, date]:
    """The first and the last day that a date of campaign `annee` may be given."""
    return date(annee - 1, PREMIER_MOIS, 1), date(annee + 1, DERNIER_MOIS, 31)


def campagnes_ouvertes(jour: date) -> tuple[int, ...]:
    """The campaigns of which something may still be asked on `jour`; after the last bound nobody is reminded."""
    return tuple(a for a in range(jour.year - 1, jour.year + 2) if bornes(a)[0] <= jour <= bornes(a)[1])


def jour_de_l_acte(nature: NatureEcheance, annee: int) -> date:
    """The day on which an act must be in force for its parties to owe this: the year that it bears on."""
    match nature:
        case NatureEcheance.PROJECTION | NatureEcheance.PART_ALS:
            return date(annee, 1, 1)
        case NatureEcheance.BILAN | NatureEcheance.CORRECTION:
            return date(annee - 1, 12, 31)
        case NatureEcheance.POINT_ETAPE_1:
            return date(annee, 6, 30)
        case NatureEcheance.POINT_ETAPE_2:
            return date(annee, 12, 31)


def est_du(echeance: Echeance, debut: date, fin: date, signe_le: date) -> bool:
    """Whether an act owes this date: in force on the day that counts, and signed no later than what it asks for.

    Nobody is in arrears for a time before their act.
    """
    return debut <= jour_de_l_acte(echeance.nature, echeance.annee) <= fin and signe_le <= echeance.due


def superposer(*niveaux: Iterable[Echeance]) -> tuple[Echeance, ...]:
    """The dates that apply: the shipped ones, under those of the région, under those of the département; in order."""
    retenues: dict[NatureEcheance, Echeance] = {}
    for niveau in niveaux:
        retenues |= {echeance.nature: echeance for echeance in niveau}
    return tuple(sorted(retenues.values(), key=lambda e: (e.due, list(NatureEcheance).index(e.nature))))


# --- What is late -------------------------------------------------------------------------------------------------


class Etat(StrEnum):
    """Where one date stands. The first four wait for somebody, the others for nobody."""

    A_VENIR = "A_VENIR"
    PROCHE = "PROCHE"
    TOLEREE = "TOLEREE"
    EN_RETARD = "EN_RETARD"
    FAITE = "FAITE"
    FAITE_TOLEREE = "FAITE_TOLEREE"
    FAITE_EN_RETARD = "FAITE_EN_RETARD"
    NON_SUIVIE = "NON_SUIVIE"


LIBELLES_ETAT = {
    Etat.A_VENIR: "à venir",
    Etat.PROCHE: "à faire",
    Etat.TOLEREE: "à faire, toléré",
    Etat.EN_RETARD: "en retard",
    Etat.FAITE: "fait",
    Etat.FAITE_TOLEREE: "fait, dans la tolérance",
    Etat.FAITE_EN_RETARD: "fait, en retard",
    Etat.NON_SUIVIE: "non tenu",
}
# How long before its date something is to be done.
APPROCHE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Situation:
    """One date at one moment. `jours`: from that day to the date, negative once it is past. `fait_le`: None, not done."""

    echeance: Echeance
    etat: Etat
    jour: date
    jours: int
    fait_le: datetime | None

    @property
    def faite(self) -> bool:
        return self.etat in (Etat.FAITE, Etat.FAITE_TOLEREE, Etat.FAITE_EN_RETARD)

    @property
    def attend(self) -> bool:
        """Whether somebody is to do it now."""
        return self.etat in (Etat.PROCHE, Etat.TOLEREE, Etat.EN_RETARD)

    @property
    def en_retard(self) -> bool:
        return self.etat == Etat.EN_RETARD

    @property
    def libelle(self) -> str:
        return LIBELLES_ETAT[self.etat]

    @property
    def compte_a_rebours(self) -> str:
        """ "dans 12 jours", "demain", "aujourd’hui, avant minuit"; once past, how long after the tolerance."""
        if self.etat == Etat.TOLEREE:
            reste = (self.echeance.tolerance - self.jour).days
            return "dernier jour toléré" if reste == 0 else f"toléré encore {accorder(reste, 'jour')}"
        if self.jours < 0:
            return f"passé depuis {accorder(-self.jours, 'jour')}"
        match self.jours:
            case 0:
                return "aujourd’hui, avant minuit"
            case 1:
                return "demain"
            case _:
                return f"dans {accorder(self.jours, 'jour')}"


def situer(echeance: Echeance, fait_le: datetime | None, maintenant: datetime) -> Situation:
    """The one answer to "is it late?". A fact that comes after `maintenant` is not known yet.

    Done counts first: what was done late is done, and nobody is asked for it any more.
    """
    jour = jour_a_paris(maintenant)
    if fait_le is not None and fait_le > maintenant:
        fait_le = None
    return Situation(echeance, _etat(echeance, fait_le, jour), jour, (echeance.due - jour).days, fait_le)


def _etat(echeance: Echeance, fait_le: datetime | None, jour: date) -> Etat:
    if fait_le is not None:
        rendu = jour_a_paris(fait_le)
        if rendu <= echeance.due:
            return Etat.FAITE
        return Etat.FAITE_TOLEREE if rendu <= echeance.tolerance else Etat.FAITE_EN_RETARD
    if not echeance.suivie:
        return Etat.NON_SUIVIE
    if jour > echeance.tolerance:
        return Etat.EN_RETARD
    if jour > echeance.due:
        return Etat.TOLEREE
    return Etat.PROCHE if jour >= echeance.due - APPROCHE else Etat.A_VENIR


def prochaine(echeances: Iterable[Echeance], jour: date) -> Echeance | None:
    """The first of those that are held whose tolerance is not past on `jour`."""
    return min(
        (e for e in echeances if e.suivie and e.tolerance >= jour),
        key=lambda e: (e.due, e.titre),
        default=None,
    )


# --- Reminders ----------------------------------------------------------------------------------------------------


class Seuil(StrEnum):
    """When somebody is reminded. `RETARD`: once the tolerance is past; before that day nobody is told of lateness."""

    J_30 = "J-30"
    J_7 = "J-7"
    J_1 = "J+1"
    RETARD = "RETARD"


# How long a reminder of lateness may still leave: a site opened in June does not write about last February.
RATTRAPAGE = timedelta(days=6)


def seuil_atteint(situation: Situation) -> Seuil | None:
    """The reminder that is called for on that day, if it was not sent before; None once the thing is done.

    A worker that was down for some days sends the one reminder that its day calls for, not those that it missed.
    """
    if not situation.attend:
        return None
    echeance, jour = situation.echeance, situation.jour
    if jour > echeance.tolerance:
        return Seuil.RETARD if jour <= echeance.tolerance + UN_JOUR + RATTRAPAGE else None
    if jour > echeance.due:
        return Seuil.J_1
    return Seuil.J_7 if situation.jours <= 7 else Seuil.J_30
