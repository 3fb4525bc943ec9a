"""The share of a réservataire: which calculation it is read in, what its act gives, what the État gives back (PNRU)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from flux.regles.annuel import Nature

from .donnees import TauxPeriode


@dataclass(frozen=True, slots=True)
class PartLue:
    """Exact dwellings of a share: `propre` by the act, `retrocedee` given back by the État."""

    exacte: Decimal
    propre: Decimal
    retrocedee: Decimal


def natures_lues(annee: int, jour: date) -> tuple[Nature, Nature]:
    """Where the share of a year is read on a day: the first calculation that there is.

    What the bilan will say of a year that is over; the forecast for the year that runs, and for the next.
    """
    if annee < jour.year:
        return Nature.DEFINITIF, Nature.PREVISIONNEL
    return Nature.PREVISIONNEL, Nature.DEFINITIF


def lire_part(exacte: Decimal, termes: Sequence[Mapping[str, str]], taux: Sequence[TauxPeriode]) -> PartLue:
    """`termes`: those kept with the calculation (days, points, base); `taux`: rates of the year, rétrocession apart.

    The own part is what is left of the exact share, so that both always add up to it.
    """
    retrocedee = Fraction(0)
    pris: set[str] = set()
    for terme in termes:
        jour, points = date.fromisoformat(terme["debut"]), Decimal(terme["points"])
        tx = next((t for t in taux if t.debut <= jour <= t.fin), None)
        if tx is None or not tx.retrocede or points != tx.retrocede:
            continue
        if tx.acte == tx.retrocede and terme["debut"] not in pris:
            pris.add(terme["debut"])  # two equal terms: the first is the act's
            continue
        retrocedee += Fraction(points) * Fraction(terme["base"]) / 100
    rendue = Decimal(retrocedee.numerator) / Decimal(retrocedee.denominator)
    rendue = rendue.quantize(Decimal("0.0001"))
    return PartLue(exacte, exacte - rendue, rendue)


def base_de_l_annee(termes: Sequence[Mapping[str, str]]) -> Decimal | None:
    """Dwellings of the flux that the terms bear on, the periods of the year added up; None when they differ."""
    bases: dict[tuple[str, str], str] = {}
    for terme in termes:
        if bases.setdefault((terme["debut"], terme["fin"]), terme["base"]) != terme["base"]:
            return None
    if not bases:
        return None
    periodes = sorted(bases)
    if any(
        suivante[0] <= precedente[1] for precedente, suivante in zip(periodes, periodes[1:], strict=False)
    ):
        return None
    return sum((Decimal(base) for base in bases.values()), Decimal(0))
