"""Forms of the bilans; the services decide what is possible."""

from django import forms

LONGUEUR_APPRECIATION = 20_000


class FormulaireAppreciation(forms.Form):
    appreciation = forms.CharField(
        label="Appréciation du bailleur",
        required=False,
        max_length=LONGUEUR_APPRECIATION,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=(
            "Les écarts et leurs raisons, l’adéquation des candidats proposés, les mesures pour l’année suivante. Une "
            "ligne vide sépare deux paragraphes, « - » en début de ligne fait une liste, « # » un intertitre."
        ),
    )
