"""What support says before it acts in somebody's place."""

from django import forms

from reservation.forms.champs import ChampObjet
from reservation.models import Rattachement, Utilisateur


class FormulaireAssistance(forms.Form):
    """Whom to help (their address, as they gave it), for which of their organisations, and why."""

    courriel = forms.EmailField(
        label="Adresse électronique de la personne",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Indiquez l’adresse de la personne."},
    )
    organisation = ChampObjet(label="Organisation", required=False)
    motif = forms.CharField(
        label="Motif",
        max_length=300,
        help_text="Ce que la personne a demandé, et quand. Elle et ses administrateurs le liront dans le journal.",
        error_messages={"required": "Dites pourquoi : la personne et ses administrateurs liront ce motif."},
    )

    utilisateur: Utilisateur | None = None

    def clean_courriel(self) -> str:
        """Whoever is not found, or may not be helped, is answered the same."""
        courriel = self.cleaned_data["courriel"].lower()
        self.utilisateur = Utilisateur.objects.filter(
            courriel=courriel, is_active=True, is_staff=False, is_superuser=False
        ).first()
        organisations = []
        if self.utilisateur is not None:
            organisations = list(
                {
                    r.organisation_id: r.organisation
                    for r in Rattachement.objects.actifs()
                    .filter(utilisateur=self.utilisateur)
                    .select_related("organisation")
                    .order_by("organisation__nom_tri", "organisation_id")
                }.values()
            )
        if not organisations:
            raise forms.ValidationError(
                "Aucune personne à assister n’a un accès en cours avec cette adresse."
            )
        self.fields["organisation"].proposer(organisations)
        if len(organisations) == 1:
            self.unique = organisations[0]
        return courriel

    def clean(self) -> dict:
        donnees = super().clean()
        if "courriel" in donnees and not donnees.get("organisation"):
            if hasattr(self, "unique"):
                donnees["organisation"] = self.unique
            elif "organisation" not in self.errors:
                self.add_error("organisation", "Cette personne a plusieurs organisations : choisissez.")
        return donnees
