"""Forms of the life of a bilan; the services decide what is possible."""

from django import forms

from bilans.regles.cycle import FIGURES

LONGUEUR = 5_000


class FormulaireSignature(forms.Form):
    empreinte = forms.CharField(widget=forms.HiddenInput, max_length=64)
    lu = forms.BooleanField(
        label="J’ai lu le PDF de cette version, et je la signe et la soumets pour le bailleur.",
        error_messages={"required": "Cochez la case : signer engage le bailleur."},
    )


class FormulaireDemande(forms.Form):
    figure = forms.ChoiceField(
        label="Chiffre concerné",
        choices=[("", "Choisir"), *((f.code, f.libelle) for f in FIGURES)],
        help_text="Seules les lignes qui font ce chiffre s’ouvrent au bailleur.",
        error_messages={"required": "Choisissez le chiffre sur lequel porte la demande."},
    )
    texte = forms.CharField(
        label="Votre demande",
        max_length=LONGUEUR,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Écrivez ce que vous demandez au bailleur."},
    )


class FormulaireReponse(forms.Form):
    demande = forms.IntegerField(widget=forms.HiddenInput)
    texte = forms.CharField(
        label="Votre réponse",
        max_length=LONGUEUR,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Écrivez votre réponse."},
    )


class FormulaireMotif(forms.Form):
    texte = forms.CharField(
        label="Motif",
        max_length=LONGUEUR,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Le bailleur le lira, il reste au dossier.",
        error_messages={"required": "Écrivez le motif : le bailleur le lira."},
    )


class FormulaireValidation(forms.Form):
    texte = forms.CharField(
        label="Observation",
        required=False,
        max_length=LONGUEUR,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
