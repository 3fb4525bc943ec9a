"""Forms of the meetings of the COPIL; the services decide what is possible."""

from django import forms
from django.utils import timezone

from bilans.models import InviteReunion, Reunion
from flux.forms_commissions import ChampHeure
from reservation.forms.champs import ChampDate

ETATS_ACTIONS = [
    ("ouvertes", "à faire"),
    ("retard", "en retard"),
    ("faites", "faites"),
    ("abandonnees", "abandonnées"),
    ("toutes", "toutes"),
]


class FormulaireReunion(forms.Form):
    """What, when and where."""

    objet = forms.CharField(
        label="Objet", max_length=200, initial="Comité de pilotage régional de la gestion en flux"
    )
    date = ChampDate(label="Date")
    heure = ChampHeure(label="Heure")
    heure_fin = ChampHeure(label="Heure de fin", required=False)
    lieu = forms.CharField(
        label="Lieu", max_length=200, help_text="Salle et adresse, ou adresse de la visioconférence."
    )

    def __init__(self, *args, reunion: Reunion | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        if reunion is not None:
            self.initial = {nom: getattr(reunion, nom) for nom in self.fields}

    def clean(self) -> dict:
        donnees = super().clean()
        debut, fin = donnees.get("heure"), donnees.get("heure_fin")
        if debut and fin and fin <= debut:
            self.add_error("heure_fin", "La fin suit le début de la réunion.")
        return donnees


class FormulairePoint(forms.Form):
    """An item of the agenda."""

    titre = forms.CharField(label="Titre", max_length=200)
    duree = forms.IntegerField(
        label="Durée, en minutes",
        required=False,
        min_value=1,
        max_value=600,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "invalid": "Attendu : un nombre de minutes, par exemple 20.",
            "min_value": "Attendu : entre 1 et 600 minutes.",
            "max_value": "Attendu : entre 1 et 600 minutes.",
        },
    )
    texte = forms.CharField(
        label="Présentation", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class FormulaireAction(forms.Form):
    """What is asked, of whom, until when; the service says what lacks."""

    libelle = forms.CharField(max_length=1000, required=False)
    responsable = forms.CharField(max_length=30, required=False)
    echeance = ChampDate(required=False)


class FormulaireInvite(forms.Form):
    presence = forms.ChoiceField(choices=InviteReunion.Presence.choices, required=False)
    fonctions = forms.CharField(max_length=200, required=False)


class FormulaireMotif(forms.Form):
    """Why; kept with the name of the person and the date."""

    motif = forms.CharField(label="Motif", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class FormulaireRealisation(forms.Form):
    """The action is done."""

    realisee_le = ChampDate(label="Faite le")
    commentaire = forms.CharField(
        label="Commentaire",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Ce que les membres du comité liront. Rien sur un ménage.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["realisee_le"].initial = timezone.localdate


class FormulaireReport(forms.Form):
    echeance = ChampDate(label="Nouvelle échéance")
