"""The form of the dates of a campaign: four fields for each of them."""

from collections.abc import Sequence

from django import forms
from django.core.exceptions import ValidationError

from bilans.regles.campagne import Echeance, NatureEcheance

PARTIES = ("due", "tolerance", "raison", "suivie")


class FormulaireCampagne(forms.Form):
    """Fields `BILAN-due`, `BILAN-tolerance`, `BILAN-raison`, `BILAN-suivie`, and so on for each date."""

    def __init__(self, *args, echeances: Sequence[Echeance], **kwargs):
        super().__init__(*args, **kwargs)
        self.echeances = echeances
        for e in echeances:
            calendrier = {"format": "%Y-%m-%d", "attrs": {"type": "date"}}
            self.fields |= {
                f"{e.nature}-due": forms.DateField(
                    label="Dernier jour", initial=e.due, widget=forms.DateInput(**calendrier)
                ),
                f"{e.nature}-tolerance": forms.DateField(
                    label="Toléré jusqu’au", initial=e.tolerance, widget=forms.DateInput(**calendrier)
                ),
                f"{e.nature}-raison": forms.CharField(label="Raison", initial=e.raison, max_length=300),
                f"{e.nature}-suivie": forms.BooleanField(
                    label="Tenue cette année", initial=e.suivie, required=False
                ),
            }

    def groupes(self):
        """(date, its fields), in the order of the campaign."""
        return [(e, [self[f"{e.nature}-{partie}"] for partie in PARTIES]) for e in self.echeances]

    def valeurs(self) -> dict[NatureEcheance, dict]:
        """What `modifier_campagne` takes."""
        return {
            e.nature: {partie: self.cleaned_data[f"{e.nature}-{partie}"] for partie in PARTIES}
            for e in self.echeances
        }

    def rapporter(self, erreur: ValidationError) -> None:
        """Show each fault that the service found beside its date."""
        if not hasattr(erreur, "error_dict"):
            self.add_error(None, erreur)
            return
        for nature, fautes in erreur.message_dict.items():
            self.add_error(f"{nature}-due", fautes)
