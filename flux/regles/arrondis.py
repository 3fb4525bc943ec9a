"""From exact shares to whole dwellings (domain, chapter 5)."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor, lcm


def arrondir_demi_superieur(valeur: Fraction) -> int:
    """Nearest whole number, halves up: 16,5 libérations make 17."""
    return floor(valeur + Fraction(1, 2))


def repartir_plus_forts_restes(parts: Sequence[Fraction], total: int) -> list[int]:
    """Whole parts that add up to `total`: each rounded down, then one more to the largest remainders.

    Ties go to the first in the sequence. `total` may exceed the sum of the floors by at most the number of
    parts; otherwise the parts are not a split of it and `ValueError` is raised.
    """
    commun = lcm(*(part.denominator for part in parts))
    return repartir_numerateurs(
        [part.numerator * (commun // part.denominator) for part in parts], commun, total
    )


def repartir_numerateurs(numerateurs: Sequence[int], denominateur: int, total: int) -> list[int]:
    """`repartir_plus_forts_restes` of parts that have the same denominator: the same answer, from whole numbers."""
    entiers, restes = [], []
    for numerateur in numerateurs:
        entier, reste = divmod(numerateur, denominateur)
        entiers.append(entier)
        restes.append(reste)
    manquants = total - sum(entiers)
    if not 0 <= manquants <= len(entiers):
        somme = Fraction(sum(numerateurs), denominateur)
        raise ValueError(f"{total} ne se répartit pas entre des parts de somme {somme}")
    for i in sorted(range(len(restes)), key=restes.__getitem__, reverse=True)[:manquants]:
        entiers[i] += 1
    return entiers
