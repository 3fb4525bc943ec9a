"""What knows how to forget: each room registers, for a retention rule, how to count what is due and how to purge it.

`publics.services.purge` runs them all; the data-protection pages show their rules.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from reservation.regles.conservation import RegleConservation


@dataclass(frozen=True)
class Purgeur:
    """`compter(jour)`: how many are due on `jour`. `purger(jour, n)`: purge at most `n` of them, in the transaction
    that is open, and return how many; what was purged is no longer due."""

    regle: RegleConservation
    compter: Callable[[date], int]
    purger: Callable[[date, int], int]


_PURGEURS: dict[str, Purgeur] = {}


def enregistrer_purgeur(purgeur: Purgeur) -> None:
    """Make a purge known, once, when its app is ready."""
    if purgeur.regle.code in _PURGEURS:
        raise ValueError(f"Deux purges pour la règle {purgeur.regle.code}.")
    _PURGEURS[purgeur.regle.code] = purgeur


def purgeurs() -> list[Purgeur]:
    """Those that are registered, by the code of their rule."""
    return [_PURGEURS[code] for code in sorted(_PURGEURS)]
