"""Whether a freed dwelling is where and what a household waits for (domain, chapter 7; CA, art. 4.1).

A help to designate: a household fits or not. Nothing is weighed; the order is that of `publics.regles.groupes`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from publics.regles.groupes import TypeLabel


class Offre(NamedTuple):
    """A freed dwelling. `lieux`: codes of its commune and of its EPCI; `typologie`: code of its class of size."""

    lieux: frozenset[str]
    typologie: str


class Souhait(NamedTuple):
    """Where and what: codes of communes and EPCI, of classes of size. Empty: anywhere, any."""

    secteur: frozenset[str] = frozenset()
    tailles: frozenset[str] = frozenset()


class LabelPreconise(NamedTuple):
    """A valid label, with what the instance recommended."""

    type: str
    preconise: Souhait = Souhait()


def secteur_convient(offre: Offre, souhait: Souhait) -> bool:
    """Its commune, or its EPCI, is one of those wished for."""
    return not souhait.secteur or not souhait.secteur.isdisjoint(offre.lieux)


def taille_convient(offre: Offre, souhait: Souhait) -> bool:
    """Its class of size is one of those wished for."""
    return not souhait.tailles or offre.typologie in souhait.tailles


def convient(offre: Offre, labels: Iterable[LabelPreconise], demande: Souhait) -> bool:
    """Whether the dwelling fits the household that has these valid labels and asks for `demande`.

    DALO: the sector that the COMED recommends, else the whole département; the size that it recommends, else the one asked
    for. The others: what they ask for.
    """
    dalo = [label.preconise for label in labels if label.type == TypeLabel.DALO]
    if not dalo:
        return secteur_convient(offre, demande) and taille_convient(offre, demande)
    return any(
        secteur_convient(offre, preconise)
        and taille_convient(offre, preconise if preconise.tailles else demande)
        for preconise in dalo
    )
