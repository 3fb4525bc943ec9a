"""Forms of the parc: flags, answers to the questions of RPLS."""

from collections.abc import Mapping

from django import forms

from reservation.models import CodeDrapeau, Drapeau, Logement
from reservation.regles.statut import Exclusions
from reservation.regles.typographie import accorder, typographier

GROUPES_DE_DRAPEAUX = [
    (
        "Foyers et résidences",
        [CodeDrapeau.LOGEMENT_FOYER, CodeDrapeau.RESIDENCE_UNIVERSITAIRE, CodeDrapeau.RESIDENCE_SERVICES],
    ),
    ("Réservés par la loi", [CodeDrapeau.DEFENSE, CodeDrapeau.SECURITE, CodeDrapeau.SANTE]),
    (
        "Exclusions convenues avec le préfet",
        [CodeDrapeau.GENS_DU_VOYAGE, CodeDrapeau.HABITAT_INCLUSIF, CodeDrapeau.ELAN_109],
    ),
    ("Vente et démolition", [CodeDrapeau.PLAN_DE_VENTE, CodeDrapeau.DEMOLITION]),
    (
        "Restent dans l’assiette ou y entrent",
        [CodeDrapeau.DECONVENTIONNE_L411_6, CodeDrapeau.PLAI_ADAPTE, CodeDrapeau.ORDINAIRE],
    ),
]


def _motif(aide: str) -> forms.CharField:
    return forms.CharField(
        label="Motif",
        max_length=300,
        help_text=aide,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Écrivez pourquoi : le motif reste dans l’histoire du logement."},
    )


class FormulaireDrapeau(forms.Form):
    """A flag on one dwelling or, where it has one, on its whole programme."""

    code = forms.ChoiceField(
        label="Nature",
        choices=[
            ("", "Choisir"),
            *((titre, [(c.value, c.label) for c in codes]) for titre, codes in GROUPES_DE_DRAPEAUX),
        ],
        error_messages={"required": "Choisissez la nature du drapeau."},
    )
    portee = forms.ChoiceField(
        label="Portée",
        widget=forms.RadioSelect,
        error_messages={"required": "Dites si le drapeau vaut pour ce logement ou pour tout le programme."},
    )
    motif = _motif("Ce qui le prouve : convention, arrêté, décision du conseil, avec sa date.")

    def __init__(self, *args, logement: Logement, logements_du_programme: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.logement = logement
        choix = [(Drapeau.Portee.LOGEMENT, "Ce logement seulement")]
        if logement.programme:
            choix.append(
                (
                    Drapeau.Portee.PROGRAMME,
                    f"Tout le programme {logement.programme} "
                    f"({accorder(logements_du_programme, 'logement')} au dernier millésime)",
                )
            )
        self.fields["portee"].choices = choix
        self.fields["portee"].initial = Drapeau.Portee.LOGEMENT

    @property
    def cible(self) -> str:
        """Key of the dwelling or name of the programme, as the flag stores it."""
        if self.cleaned_data["portee"] == Drapeau.Portee.PROGRAMME:
            return self.logement.programme
        return self.logement.cle


class FormulaireRetrait(forms.Form):
    motif = _motif("Ce qui a changé depuis que le drapeau a été posé.")


class FormulaireEtudiants(forms.Form):
    """One answer per programme that RPLS says is for students; what is left without answer stays as it is."""

    motif = _motif("Il sera gardé avec chaque réponse, votre nom et la date.")

    def __init__(self, *args, programmes: Mapping[str, str], exclusions: Exclusions, **kwargs):
        """`programmes`: words of each programme by its name; `exclusions`: what the act of the year takes out."""
        super().__init__(*args, **kwargs)
        services = "hors de l’assiette" if exclusions.residences_services else "dans l’assiette"
        reponses = [
            ("", "Je réponds plus tard"),
            (CodeDrapeau.RESIDENCE_UNIVERSITAIRE.value, "Résidence universitaire : hors de l’assiette"),
            (CodeDrapeau.RESIDENCE_SERVICES.value, f"Résidence-services : {services}"),
            (CodeDrapeau.LOGEMENT_FOYER.value, "Logement-foyer ou résidence sociale : hors de l’assiette"),
            (CodeDrapeau.ORDINAIRE.value, "Logements ordinaires : dans l’assiette"),
        ]
        self.champs = dict(
            zip(programmes, (f"programme-{rang}" for rang in range(len(programmes))), strict=True)
        )
        for programme, champ in self.champs.items():
            self.fields[champ] = forms.ChoiceField(
                label=programmes[programme],
                choices=[(code, typographier(texte)) for code, texte in reponses],
                widget=forms.RadioSelect,
                required=False,
                initial="",
            )

    @property
    def champs_programmes(self) -> list[forms.BoundField]:
        return [self[champ] for champ in self.champs.values()]

    def clean(self) -> dict:
        donnees = super().clean()
        if not self.errors and not self.reponses:
            raise forms.ValidationError("Répondez pour un programme au moins.")
        return donnees

    @property
    def reponses(self) -> dict[str, str]:
        """Code of flag by programme, of those that were answered."""
        choisies = {programme: self.cleaned_data.get(champ) for programme, champ in self.champs.items()}
        return {programme: code for programme, code in choisies.items() if code}
