"""An act offered on the page of a libération: its form, the service that does it, what is said afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from flux.models import Attribution, Liberation
from flux.regles.controles import Anomalie, restent_a_confirmer
from flux.services.controles import nouvelles, retenir
from reservation.acteur import Acteur


@dataclass(frozen=True)
class Acte:
    """How one act is done. `initial`: what its form shows first, given the libération, besides today's date.

    `fait`: what is said afterwards, or how to say it from what the service returns.
    `controler`: what looks odd in the answers; it is asked once, and who confirmed is kept.
    """

    titre: str
    bouton: str
    formulaire: Callable[..., forms.Form]
    executer: Callable
    fait: str | Callable[[Any], str]
    secondaire: bool = False
    champ_date: str = "date"
    arguments: Callable[[Liberation], dict] = lambda liberation: {}
    initial: Callable[[Liberation], dict] = lambda liberation: {}
    controler: Callable[[Acteur, Liberation, dict], list[Anomalie]] | None = None


@dataclass
class Action:
    """One act as the page shows it."""

    nom: str
    titre: str
    bouton: str
    form: forms.Form
    url: str
    secondaire: bool = False
    a_confirmer: list[Anomalie] = field(default_factory=list)

    @property
    def ouverte(self) -> bool:
        """Whether it came back: it must not be folded."""
        return bool(self.form.errors or self.a_confirmer)


def formulaire(nom: str, acte: Acte, liberation: Liberation, donnees=None) -> forms.Form:
    return acte.formulaire(
        donnees,
        auto_id=f"id_{nom}_%s",
        initial={acte.champ_date: timezone.localdate()} | acte.initial(liberation),
        **acte.arguments(liberation),
    )


def proposer(nom: str, acte: Acte, liberation: Liberation, form: forms.Form | None = None) -> Action:
    """`form`: the one that came back with errors; a new one without it."""
    return Action(
        nom,
        acte.titre,
        acte.bouton,
        form or formulaire(nom, acte, liberation),
        reverse("flux:liberation_acte", args=[liberation.pk, nom]),
        acte.secondaire,
        getattr(form, "a_confirmer", []),
    )


def jetons_recus(donnees) -> list[str]:
    """What a button "Confirmer" sends: the sentences that its reader saw."""
    return " ".join(donnees.getlist("confirme")).split()


def executer(acteur: Acteur, acte: Acte, liberation: Liberation, form: forms.Form, jetons: list[str]) -> str:
    """Do the act, and say what was done; empty when something odd is still to confirm (`form.a_confirmer`)."""
    anomalies = acte.controler(acteur, liberation, form.cleaned_data) if acte.controler else []
    form.a_confirmer = restent_a_confirmer(nouvelles(liberation, anomalies), jetons)
    if form.a_confirmer:
        return ""
    resultat = acte.executer(acteur, liberation, **form.cleaned_data)
    retenir(acteur, liberation, anomalies)
    return acte.fait if isinstance(acte.fait, str) else acte.fait(resultat)


def sur_l_attribution(service: Callable) -> Callable:
    """Acts on the live attribution of a libération (at most one, by constraint)."""

    def executer(acteur, liberation: Liberation, **faits) -> Attribution:
        attribution = liberation.attributions.filter(refusee_le=None).first()
        if attribution is None:
            raise ValidationError("Cette libération n’a pas d’attribution en cours.")
        return service(acteur, attribution, **faits)

    return executer


def reporter(formulaire: forms.Form, erreur: ValidationError, autrement: str | None = None) -> None:
    """Put what the service refused beside its field, else beside `autrement`, else at the top of the form."""
    if not hasattr(erreur, "error_dict"):
        formulaire.add_error(None, erreur)
        return
    for champ, erreurs in erreur.error_dict.items():
        formulaire.add_error(champ if champ in formulaire.fields else autrement, erreurs)
