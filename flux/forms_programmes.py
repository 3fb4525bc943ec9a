"""Entry of a programme of first lettings and of its concertation."""

from collections.abc import Sequence

from django import forms

from flux.models import Consultation
from flux.services.programmes import Ligne
from reservation.forms.champs import ChampDate
from reservation.models import Commune

DATEES = (Consultation.Reponse.ACCORD, Consultation.Reponse.RESERVES, Consultation.Reponse.DESACCORD)


class FormulaireProgramme(forms.Form):
    nom = forms.CharField(label="Nom du programme", max_length=120)
    reference = forms.CharField(label="Référence de l’opération", max_length=60)
    commune = forms.CharField(label="Code INSEE de la commune", max_length=5)
    livraison = ChampDate(label="Livraison prévue le")
    logements = forms.IntegerField(label="Logements", min_value=1, max_value=5000)
    consulte_le = ChampDate(
        label="Réservataires consultés le",
        help_text="Tous ceux dont une convention porte sur la commune ce jour-là.",
    )

    def clean_commune(self) -> Commune:
        code = self.cleaned_data["commune"].strip().upper()
        commune = Commune.objects.filter(pk=code).first()
        if commune is None:
            raise forms.ValidationError(
                f"« {code} » n’est pas un code de commune ; attendu : cinq caractères, 06029."
            )
        return commune


class FormulaireReponses(forms.Form):
    """One row a consultation (answer, day, dwellings), and the dwellings that stay with the bailleur."""

    def __init__(self, *args, consultations: Sequence[Consultation], non_reserves: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.consultations = consultations
        for c in consultations:
            nom = c.reservataire.nom
            self.fields[f"reponse-{c.pk}"] = forms.ChoiceField(
                label=f"Réponse, {nom}", choices=Consultation.Reponse.choices, initial=c.reponse
            )
            self.fields[f"jour-{c.pk}"] = ChampDate(
                label=f"Répondu le, {nom}", required=False, initial=c.repondu_le
            )
            self.fields[f"logements-{c.pk}"] = forms.IntegerField(
                label=f"Logements convenus, {nom}", min_value=0, max_value=5000, initial=c.logements
            )
        self.fields["non_reserves"] = forms.IntegerField(
            label="Logements non réservés, au bailleur", min_value=0, max_value=5000, initial=non_reserves
        )

    @property
    def rangs(self):
        """(consultation, its three fields)."""
        for c in self.consultations:
            yield c, self[f"reponse-{c.pk}"], self[f"jour-{c.pk}"], self[f"logements-{c.pk}"]

    def clean(self):
        donnees = super().clean()
        for c in self.consultations:
            reponse, jour = donnees.get(f"reponse-{c.pk}"), donnees.get(f"jour-{c.pk}")
            if reponse in DATEES and jour is None and f"jour-{c.pk}" not in self.errors:
                self.add_error(f"jour-{c.pk}", "Une réponse porte sa date.")
            elif jour is not None and reponse not in DATEES:
                self.add_error(f"reponse-{c.pk}", "Une réponse datée est un accord ou un désaccord.")
        return donnees

    def lignes(self) -> dict[int, Ligne]:
        """As the service takes them."""
        d = self.cleaned_data
        return {
            c.pk: Ligne(d[f"reponse-{c.pk}"], d[f"jour-{c.pk}"], d[f"logements-{c.pk}"])
            for c in self.consultations
        }


class FormulaireArret(forms.Form):
    date = ChampDate(label="Répartition arrêtée le")
