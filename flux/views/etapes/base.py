"""What the steps of a timeline share."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from django import forms

from flux.models import Attribution, Liberation
from flux.views.actes import Acte, Action, proposer
from reservation.acteur import Acteur


class EtatEtape(StrEnum):
    FAITE = "FAITE"
    ICI = "ICI"
    A_VENIR = "A_VENIR"


@dataclass
class Etape:
    """One step as shown. `gabarit`: in templates/flux/liberations/etapes/; it gets `etape`, `liberation`, `acteur`.

    `entamee`: something happened, even though the step is not done.
    """

    nom: str
    titre: str
    etat: EtatEtape
    jour: date | None = None
    contexte: dict[str, Any] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    entamee: bool = False

    @property
    def gabarit(self) -> str:
        return f"flux/liberations/etapes/{self.nom}.html"


@dataclass
class Situation:
    """One libération as `acteur` may see it, read once for all steps.

    `fautif`: the act whose form came back with errors, shown where it stands, possible still or not.
    """

    acteur: Acteur
    liberation: Liberation
    fautif: tuple[str, forms.Form] | None = None

    @cached_property
    def modifiable(self) -> bool:
        return Liberation.objects.modifiables_par(self.acteur).filter(pk=self.liberation.pk).exists()

    @cached_property
    def attributions(self) -> list[Attribution]:
        """All of those that `acteur` reads, in the order in which they were served."""
        return list(
            Attribution.objects.visibles_par(self.acteur)
            .filter(liberation=self.liberation)
            .select_related("menage", "motif_refus", "passage__commission", "passage__condition_piece")
            .order_by("date_caleol", "pk")
        )

    @property
    def vivante(self) -> Attribution | None:
        """The attribution that no refusal ended."""
        return next((a for a in self.attributions if a.refusee_le is None), None)

    def revient(self, actes: dict[str, Acte]) -> bool:
        """Whether the form of one of these acts came back."""
        return self.fautif is not None and self.fautif[0] in actes

    def actions(self, actes: dict[str, Acte], possibles: list[str]) -> list[Action]:
        """The acts of a step that can be done now, by somebody who may change the libération."""
        noms = possibles if self.modifiable else []
        if self.revient(actes) and self.fautif[0] not in noms:
            noms = [self.fautif[0], *noms]
        return [
            proposer(
                nom,
                actes[nom],
                self.liberation,
                self.fautif[1] if self.fautif and self.fautif[0] == nom else None,
            )
            for nom in noms
        ]
