"""Random numbers by counter: each named draw depends on the seed, its name and the row number, on nothing else.

A sequential generator would change every later figure when one draw is added before it, and the generators of
polars promise nothing from one version to the next. This one (splitmix64) is fixed by its arithmetic: the same
seed gives the same parc on every machine, in one department or in a hundred, in any order.
"""

import hashlib
from collections.abc import Sequence

import polars as pl

GRAINE = 2026

_GAMMA = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


def _u64(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


def _mix(column: pl.Expr, start: int) -> pl.Expr:
    z = column * _u64(_GAMMA) + _u64(start)
    z = (z ^ (z // _u64(1 << 30))) * _u64(_MIX_1)
    z = (z ^ (z // _u64(1 << 27))) * _u64(_MIX_2)
    return z ^ (z // _u64(1 << 31))


class Tirage:
    """Draws under one seed and one prefix ("2026/06"); cheap to make, holds no state."""

    def __init__(self, graine: int = GRAINE, *domaine: object) -> None:
        self.graine = graine
        self.domaine = tuple(str(partie) for partie in domaine)

    def sous(self, *domaine: object) -> "Tirage":
        """The draws of a smaller domain (one département, one year), independent of the others."""
        return Tirage(self.graine, *self.domaine, *domaine)

    def entier(self, nom: str) -> int:
        """One 64-bit integer for `nom`."""
        cle = "/".join((str(self.graine), *self.domaine, nom))
        return int.from_bytes(hashlib.sha256(cle.encode()).digest()[:8], "big")

    def brut(self, nom: str, colonne: pl.Expr | None = None) -> pl.Expr:
        """64 random bits per row of the frame, or per value of `colonne` (UInt64): a stable shuffling key."""
        rang = pl.int_range(pl.len(), dtype=pl.UInt64) if colonne is None else colonne.cast(pl.UInt64)
        return _mix(rang, self.entier(nom))

    def uniforme(self, nom: str, colonne: pl.Expr | None = None) -> pl.Expr:
        """Uniform in [0, 1), 53 bits."""
        return (self.brut(nom, colonne) // _u64(1 << 11)).cast(pl.Float64) / (1 << 53)

    def parmi(self, nom: str, choix: Sequence[tuple[object, float]]) -> pl.Expr:
        """One of `choix` per row: (value, weight) pairs; weights need not sum to 1."""
        total = sum(poids for _, poids in choix)
        seuils = pl.Series([poids / total for _, poids in choix[:-1]], dtype=pl.Float64).cum_sum()
        rang = pl.lit(seuils).search_sorted(self.uniforme(nom), side="right")
        return pl.lit(pl.Series([valeur for valeur, _ in choix])).gather(rang)

    def entre(self, nom: str, minimum: int, maximum: int) -> pl.Expr:
        """Uniform integer, both ends included."""
        return minimum + (self.uniforme(nom) * (maximum - minimum + 1)).cast(pl.Int32)


def repartir(poids: Sequence[float], total: int) -> list[int]:
    """Whole parts of `total` in proportion to `poids`, by largest remainder (ties to the first)."""
    somme = sum(poids)
    if not somme:
        raise ValueError("repartir: every weight is zero")
    exactes = [p * total / somme for p in poids]
    parts = [int(exacte) for exacte in exactes]
    ordre = sorted(range(len(poids)), key=lambda i: (parts[i] - exactes[i], i))
    for i in ordre[: total - sum(parts)]:
        parts[i] += 1
    return parts
