"""Until when a correction is in the bilan of a year: the campaign of the département says it, else the law.

The dates of the campaigns belong to a room above: it declares how they are read, and this one only asks.
"""

from collections.abc import Callable
from datetime import date

from flux.regles import rapprochement as regles

Lecteur = Callable[[str, int], date | None]
_lecteurs: list[Lecteur] = []


def declarer_echeance(lecteur: Lecteur) -> None:
    """`lecteur`: département, year of the bilan → its last day; None, it does not know."""
    if lecteur not in _lecteurs:
        _lecteurs.append(lecteur)


def echeance_du_bilan(departement: str, annee: int) -> date:
    """Last day on which the bilan of `annee` is due in this département."""
    dits = (jour for lecteur in _lecteurs if (jour := lecteur(departement, annee)))
    return next(dits, None) or regles.echeance_du_bilan(annee)
