"""The atterrissage of a point d'étape: where the year lands on 31 December, how sure that is, what it asks of the bailleur.

Exact arithmetic on whole dwellings (`Fraction`); rounding only where a dwelling is whole. The method is said with the
figure, so is its error in the years that are over (domain, chapters 5 and 10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from flux.regles.arrondis import arrondir_demi_superieur
from reservation.regles.typographie import accorder, date_fr, decimal_fr, entier_fr, enumerer, typographier


class AnneePassee(NamedTuple):
    """Flux of a year that is over: `a_date` up to the day that is compared, `total` on 31 December."""

    annee: int
    a_date: int
    total: int


class Methode(StrEnum):
    """SAISON: the past years say which part of a year is behind on that day. JOURS: no past year, days are counted.

    MOYENNE: nothing ever came by that day, so that a part of nothing says nothing: the mean of the past years.
    """

    SAISON = "SAISON"
    JOURS = "JOURS"
    MOYENNE = "MOYENNE"


@dataclass(frozen=True, slots=True)
class Projection:
    """Flux of the whole year, in dwellings. `bas`, `haut`: what the extreme past years would give; None below two
    years. `erreur`: the mean gap, relative to the real total, of the same method tried on each past year with the
    others; None below two years."""

    jour: date
    observe: int
    central: int
    exacte: Fraction
    bas: int | None
    haut: int | None
    erreur: Fraction | None
    methode: Methode
    annees: tuple[int, ...]

    @property
    def a_venir(self) -> int:
        """Dwellings that the rest of the year should free."""
        return self.central - self.observe


def _bissextile(annee: int) -> bool:
    return annee % 4 == 0 and (annee % 100 != 0 or annee % 400 == 0)


def projeter(jour: date, observe: int, passees: Sequence[AnneePassee] = ()) -> Projection:
    """The flux of the year of `jour`, of which `observe` dwellings are known on that day.

    Years in which nothing was freed at all say nothing, and are left out. Raises `ValueError` on counts that no
    year can have.
    """
    for an in passees:
        if not 0 <= an.a_date <= an.total:
            raise ValueError(f"{an.annee}: {an.a_date} of {an.total}")
    if observe < 0:
        raise ValueError(f"{observe} dwellings observed")
    utiles = tuple(sorted(an for an in passees if an.total))
    methode, exacte = _central(jour, observe, utiles)
    extremes = [exacte, *(_selon(observe, [an]) for an in utiles)] if len(utiles) > 1 else []
    return Projection(
        jour=jour,
        observe=observe,
        central=max(observe, arrondir_demi_superieur(exacte)),
        exacte=exacte,
        bas=max(observe, floor(min(extremes))) if extremes else None,
        haut=ceil(max(extremes)) if extremes else None,
        erreur=_erreur(utiles),
        methode=methode,
        annees=tuple(an.annee for an in utiles),
    )


def _central(jour: date, observe: int, passees: Sequence[AnneePassee]) -> tuple[Methode, Fraction]:
    if not passees:
        ecoules = (jour - date(jour.year, 1, 1)).days + 1
        return Methode.JOURS, Fraction(observe * (366 if _bissextile(jour.year) else 365), ecoules)
    methode = Methode.SAISON if any(an.a_date for an in passees) else Methode.MOYENNE
    return methode, _selon(observe, passees)


def _selon(observe: int, passees: Sequence[AnneePassee]) -> Fraction:
    """`observe` ÷ the part of `passees` that was behind on the day; their mean when it was nothing."""
    a_date, total = sum(an.a_date for an in passees), sum(an.total for an in passees)
    if not a_date:
        return max(Fraction(observe), Fraction(total, len(passees)))
    return Fraction(observe * total, a_date)


def _erreur(passees: Sequence[AnneePassee]) -> Fraction | None:
    """Each past year told by the others, as this one is: the mean of the gaps, each over its real total."""
    if len(passees) < 2:
        return None
    ecarts = [
        abs(_selon(an.a_date, [autre for autre in passees if autre != an]) - an.total) / an.total
        for an in passees
    ]
    return sum(ecarts, Fraction(0)) / len(ecarts)


# --- What it asks -------------------------------------------------------------------------------------------


class Compte(NamedTuple):
    """What one objective has. `part`: exact share of the flux known so far; `taux`: what each dwelling to come adds.

    `report`: dwellings carried over; `acquis`: attributed in the year; `orientes`: oriented, not attributed yet.
    """

    part: Fraction
    taux: Fraction
    report: int = 0
    acquis: int = 0
    orientes: int = 0

    def manque(self, a_venir: int) -> int:
        """Dwellings still to orient if `a_venir` more are freed. The État's objective is a floor (chapter 5)."""
        objectif = floor(self.part + self.taux * a_venir) + self.report
        return max(0, objectif - self.acquis - self.orientes)


class Besoin(NamedTuple):
    """`nombre` of the `sur` next dwellings to orient go to the État, `hors_qpv` of them outside QPV.

    `libres`: those of `sur` that are freed already and wait for their orientation. `insuffisants`: dwellings that
    even all of them would leave short. `hors_qpv` None without the clause.
    """

    nombre: int
    sur: int
    libres: int
    hors_qpv: int | None
    insuffisants: int


def mesurer(
    a_venir: int, libres: int, etat: Compte, hors: Compte | None = None, a_venir_hors: int = 0
) -> Besoin:
    """What is to be oriented to the État so that its objective is met on 31 December (R. 441-5-2).

    A dwelling outside QPV serves both objectives: the greater of the two is what is needed.
    """
    sur = a_venir + libres
    hors_qpv = hors.manque(a_venir_hors) if hors is not None else None
    voulu = max(etat.manque(a_venir), hors_qpv or 0)
    return Besoin(
        nombre=min(voulu, sur),
        sur=sur,
        libres=libres,
        hors_qpv=None if hors_qpv is None else min(hors_qpv, sur),
        insuffisants=max(0, voulu - sur),
    )


def repartir_hors_qpv(a_venir: int, flux: int, hors_qpv: int) -> int:
    """Of `a_venir` dwellings, those outside QPV if they are as those known are: `hors_qpv` of `flux`."""
    return arrondir_demi_superieur(Fraction(a_venir * hors_qpv, flux)) if flux else 0


# --- In words -----------------------------------------------------------------------------------------------


def phrase_besoin(besoin: Besoin) -> str:
    """ "Il faut orienter 7 des 19 prochaines libérations vers l’État, dont 2 hors QPV." """
    if not besoin.nombre and not besoin.insuffisants:
        return "L’objectif de l’État est couvert : aucune des prochaines libérations n’est nécessaire pour l’atteindre."
    if not besoin.sur:
        return typographier(
            f"Aucune libération n’est attendue d’ici au 31 décembre : il manquera à l’État "
            f"{accorder(besoin.insuffisants, 'logement')}."
        )
    if besoin.nombre == besoin.sur:
        ensemble = (
            "la prochaine libération"
            if besoin.sur == 1
            else f"les {entier_fr(besoin.sur)} prochaines libérations"
        )
    else:
        ensemble = f"{entier_fr(besoin.nombre)} des {entier_fr(besoin.sur)} prochaines libérations"
    phrase = f"Il faut orienter {ensemble} vers l’État"
    if besoin.hors_qpv:
        phrase += f", dont {entier_fr(besoin.hors_qpv)} hors QPV"
    if besoin.insuffisants:
        phrase += f" ; il en manquera encore {entier_fr(besoin.insuffisants)}"
    if besoin.libres:
        libres = accorder(besoin.libres, "logement est déjà libéré", "logements sont déjà libérés")
        phrase += f" ({libres} et à orienter)"
    return typographier(f"{phrase}.")


def phrase_projection(projection: Projection) -> str:
    """ "Au 30 juin 2026, 40 logements du flux sont libérés ; 76 sont attendus au 31 décembre (entre 70 et 83)." """
    fourchette = ""
    if projection.bas is not None and projection.haut is not None:
        fourchette = (
            f" (entre {entier_fr(projection.bas)} et {entier_fr(projection.haut)})"
            if projection.bas != projection.haut
            else " (quelle que soit l’année passée que l’on prolonge)"
        )
    liberes = accorder(projection.observe, "logement du flux est libéré", "logements du flux sont libérés")
    attendus = accorder(projection.central, "est attendu", "sont attendus")
    return typographier(f"Au {date_fr(projection.jour)}, {liberes} ; {attendus} au 31 décembre{fourchette}.")


def phrase_methode(projection: Projection) -> str:
    """How the figure was made, what the range is, how wrong the same method was."""
    if projection.methode == Methode.JOURS:
        return (
            "Méthode : aucune année passée n’est connue ; le flux constaté est prolongé au nombre de jours. "
            "Ni fourchette ni erreur passée ne peuvent être données."
        )
    annees = enumerer(str(annee) for annee in projection.annees)
    if projection.methode == Methode.MOYENNE:
        debut = (
            f"Méthode : rien n’était libéré à cette date en {annees} ; la moyenne de ces années est retenue."
        )
    else:
        debut = f"Méthode : flux constaté ÷ part du flux annuel déjà libérée à la même date en {annees}."
    if projection.erreur is None:
        return typographier(
            f"{debut} Une seule année passée est connue : ni fourchette ni erreur passée ne peuvent être données."
        )
    return typographier(
        f"{debut} La fourchette va de l’année la plus lente à la plus rapide. Essayée sur chacune de ces années avec "
        f"les autres, la méthode se trompait en moyenne de {decimal_fr(projection.erreur * 100, 1)} %."
    )
