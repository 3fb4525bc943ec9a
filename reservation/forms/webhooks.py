"""The form of a webhook. The service decides."""

from django import forms

from reservation.regles.webhooks import SUJETS

from .conventions import Formulaire


class FormulaireWebhook(Formulaire):
    nom = forms.CharField(
        label="Nom",
        max_length=80,
        help_text="Pour le reconnaître. Par exemple : gestion locative, serveur de production",
        error_messages={"required": "Donnez un nom."},
    )
    url = forms.CharField(
        label="Adresse du logiciel",
        max_length=300,
        help_text="En https, sur Internet, port 443 ou 8443. Par exemple : https://logiciel.exemple.fr/webhooks",
        error_messages={"required": "Donnez l’adresse."},
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    sujets = forms.MultipleChoiceField(
        label="Ce dont il est averti",
        choices=[(code, sujet.libelle) for code, sujet in SUJETS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text="Seulement ce que votre organisation peut lire.",
        error_messages={"required": "Choisissez au moins un sujet."},
    )
