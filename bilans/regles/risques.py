"""How likely a bailleur is to miss the État's objective of the year: one rule, said in a sentence, the same for all.

The year is prolonged as the point d'étape prolongs the flux (`bilans.regles.atterrissage.projeter`): the part of the year
that was behind on the same day of the past years, the range going from the slowest to the fastest of them. Exact
arithmetic; what is counted, and when, is not known here.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from math import floor

from reservation.regles.typographie import accorder, entier_fr, typographier

from .atterrissage import Methode, Projection

# Without two past years there is no range: this part of the objective, on either side of it, stands for one.
MARGE = Fraction(1, 10)
# Without any past year, days are counted: so few of them say nothing.
JOURS_MUETS = 59


class Risque(StrEnum):
    """From the one to call first to the one that asks for nothing."""

    FORT = "FORT"
    INCERTAIN = "INCERTAIN"
    TOT = "TOT"
    FAIBLE = "FAIBLE"
    ATTEINT = "ATTEINT"
    SANS_OBJET = "SANS_OBJET"

    @property
    def libelle(self) -> str:
        return LIBELLES[self]


LIBELLES = {
    Risque.FORT: "risque fort",
    Risque.INCERTAIN: "incertain",
    Risque.TOT: "trop tôt",
    Risque.FAIBLE: "risque faible",
    Risque.ATTEINT: "atteint",
    Risque.SANS_OBJET: "sans objectif",
}
RANGS = {risque: rang for rang, risque in enumerate(Risque)}


@dataclass(frozen=True, slots=True)
class Appreciation:
    """`phrase`: why, with its figures. `ecart`: dwellings between the landing and the objective, negative when short."""

    risque: Risque
    phrase: str
    ecart: int
    objectif: int

    @property
    def ordre(self) -> tuple[int, Fraction]:
        """Sorts the most at risk first; at equal risk, the largest relative shortfall."""
        relatif = Fraction(self.ecart, self.objectif) if self.objectif else Fraction(0)
        return RANGS[self.risque], relatif


def apprecier(objectif: int, projection: Projection) -> Appreciation:
    """The risk that `projection.observe` dwellings on its day do not make `objectif` on 31 December.

    Raises `ValueError` on a negative objective.
    """
    if objectif < 0:
        raise ValueError(f"objective of {objectif}")
    risque, phrase = _juger(objectif, projection)
    return Appreciation(risque, typographier(phrase), projection.central - objectif, objectif)


def _juger(objectif: int, p: Projection) -> tuple[Risque, str]:
    if not objectif:
        return Risque.SANS_OBJET, "Aucun logement n’est dû à l’État cette année."
    vise = f"pour un objectif de {entier_fr(objectif)}"
    if p.observe >= objectif:
        return Risque.ATTEINT, f"{accorder(p.observe, 'logement compte', 'logements comptent')} déjà {vise}."
    if p.bas is not None and p.haut is not None:
        if p.haut < objectif:
            return Risque.FORT, (
                f"Même au rythme de l’année passée la plus rapide : {entier_fr(p.haut)} au 31 décembre {vise}."
            )
        if p.bas >= objectif:
            return Risque.FAIBLE, (
                f"Même au rythme de l’année passée la plus lente : {entier_fr(p.bas)} au 31 décembre {vise}."
            )
        return Risque.INCERTAIN, (
            f"L’objectif de {entier_fr(objectif)} est dans la fourchette : de {entier_fr(p.bas)} à "
            f"{entier_fr(p.haut)} au 31 décembre."
        )
    if p.methode == Methode.JOURS and jours_ecoules(p.jour) <= JOURS_MUETS:
        return Risque.TOT, (
            "Moins de deux mois de l’année sont écoulés, et aucune année passée n’est connue pour les prolonger."
        )
    rythme = f"Au rythme constaté, {entier_fr(p.central)} au 31 décembre {vise}"
    if p.central < objectif * (1 - MARGE):
        return Risque.FORT, f"{rythme} : plus d’un dixième en dessous."
    if p.central >= objectif * (1 + MARGE):
        return Risque.FAIBLE, f"{rythme} : un dixième au-dessus, ou plus."
    return Risque.INCERTAIN, f"{rythme} : à moins d’un dixième près."


REGLE = (
    "Risque fort : même au rythme de l’année passée la plus rapide, l’année reste sous l’objectif. Risque faible : même au "
    "rythme de la plus lente, elle l’atteint. Incertain : l’objectif est entre les deux. Quand moins de deux années passées "
    "sont connues, un dixième de l’objectif, de part et d’autre, tient lieu de fourchette. À risque égal, le plus grand "
    "écart relatif passe en premier."
)


def jours_ecoules(jour: date) -> int:
    """Days of its year that are over or under way on `jour`."""
    return (jour - date(jour.year, 1, 1)).days + 1


def jours_de_l_annee(annee: int) -> int:
    """365 or 366."""
    return (date(annee, 12, 31) - date(annee, 1, 1)).days + 1


def attendu_a_ce_jour(objectif: int, jour: date) -> int:
    """What the days that are over ask of a yearly objective, rounded down: a mark to compare with, not a due date."""
    return floor(Fraction(objectif * jours_ecoules(jour), jours_de_l_annee(jour.year)))
