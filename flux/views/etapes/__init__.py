"""The timeline of a libération: freed → oriented → designation → CALEOL → attribution → lease, each step done in place.

One module per step, with:
- `ACTES`: name → `Acte`; the name is in the URL, so it is unique among all steps;
- `etape(situation) -> Etape | None`: what happened, and which of its acts can be done now; None when the step does
  not concern this libération.

The page (`flux.views.liberations`) puts the steps one below the other; each has its template in
templates/flux/liberations/etapes/.
"""

from . import attribution, bail, commission, designation, liberation, orientation
from .base import Etape, EtatEtape, Situation

MODULES = (liberation, orientation, designation, commission, attribution, bail)
ACTES = {nom: acte for module in MODULES for nom, acte in module.ACTES.items()}

__all__ = ["ACTES", "Etape", "EtatEtape", "Situation", "frise"]


def frise(situation: Situation) -> list[Etape]:
    """The steps of one libération, in order, the first that waits marked as the current one; none waits once cancelled."""
    annulee = situation.liberation.annulee_le is not None
    etapes = [
        etape
        for module in MODULES
        if (etape := module.etape(situation))
        and (not annulee or etape.etat == EtatEtape.FAITE or etape.entamee or situation.revient(module.ACTES))
    ]
    if annulee:
        return etapes
    attendue = next((etape for etape in etapes if etape.etat == EtatEtape.A_VENIR), None)
    if attendue is not None:
        attendue.etat = EtatEtape.ICI
    return etapes
