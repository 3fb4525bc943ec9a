"""Entry of an orientation, of the candidates of a réservataire, of an urgent designation."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone

from flux.forms_saisie import ChampMotif
from flux.models import CodeMotif, Liberation, MotifRefus
from flux.regles.orientation import Choix, Suggestion
from flux.services.orientations import orientation_en_cours, reservataires_possibles
from flux.services.suggestions import Tableau, suggestion_de
from reservation.forms.champs import ChampDate
from reservation.models import Organisation
from reservation.regles.actes import ETAT

AGENTS = "agents"


@dataclass(frozen=True, slots=True)
class LigneChoix:
    """One radio button of the table; `choix` is empty where nothing is suggested."""

    valeur: str
    libelle: str
    choix: Choix | None
    possible: bool
    suggere: bool
    texte: str
    agents: bool = False


class FormulaireChoix(forms.Form):
    """To whom a libération is oriented, before the suggestion of the moment (`lignes`, the table of the page)."""

    reservataire = forms.ChoiceField(
        label="Orienter vers",
        error_messages={"required": "Choisissez un réservataire."},
    )
    motif = forms.ModelChoiceField(
        label="Motif du choix",
        queryset=CodeMotif.objects.none(),
        empty_label="Choisir un motif",
        required=False,
        help_text="Demandé quand vous ne suivez pas la suggestion.",
    )
    date = ChampDate(label="Orientée le")

    def __init__(self, *args, liberation: Liberation, **kwargs):
        super().__init__(*args, **kwargs)
        self.liberation = liberation
        self.fields["motif"].queryset = CodeMotif.objects.filter(acte=CodeMotif.Acte.ORIENTATION, actif=True)
        self.tableau, self.suggestion = suggestion_de(liberation)
        self._organisations = {str(o.pk): o for o in reservataires_possibles(liberation)}
        self.lignes = list(_lignes(self.tableau, self.suggestion, self._organisations))
        self.fields["reservataire"].choices = [
            (ligne.valeur, ligne.libelle) for ligne in self.lignes if ligne.possible
        ]
        suggere = next((ligne.valeur for ligne in self.lignes if ligne.suggere), None)
        if suggere:
            self.initial.setdefault("reservataire", self._volet(suggere))

    def _volet(self, suggere: str) -> str:
        """What the form shows first: a dwelling already oriented to the agents of the État stays theirs, as long as the
        État is still suggested and its ceiling open; any other is for the priority households, the rule."""
        agents = f"{suggere}-{AGENTS}"
        derniere = orientation_en_cours(self.liberation)
        if derniere is None or not derniere.agents or str(derniere.reservataire_id) != suggere:
            return suggere
        return agents if any(ligne.valeur == agents and ligne.possible for ligne in self.lignes) else suggere

    @property
    def aujourd_hui(self):
        return timezone.localdate()

    def clean(self) -> dict[str, Any]:
        donnees = super().clean()
        valeur = donnees.get("reservataire")
        if valeur:
            organisation, _, volet = valeur.partition("-")
            donnees["reservataire"] = self._organisations[organisation]
            donnees["agents"] = volet == AGENTS
            suggere = next((ligne for ligne in self.lignes if ligne.suggere), None)
            autre = suggere is not None and suggere.valeur != organisation
            if autre and not donnees.get("motif") and "motif" not in self.errors:
                self.add_error("motif", "Choisissez un motif : vous ne suivez pas la suggestion.")
        return donnees


def _lignes(tableau: Tableau, suggestion: Suggestion | None, organisations: dict[str, Organisation]):
    if suggestion is None:
        for pk, organisation in organisations.items():
            yield LigneChoix(pk, organisation.nom, None, True, False, "")
        return
    for choix in suggestion.choix:
        pk = str(tableau.organisation(choix.reservataire) or "")
        organisation = organisations.get(pk)
        suggere = choix.reservataire == suggestion.retenu
        nom = tableau.noms.get(choix.reservataire.code) or choix.reservataire.titre
        if choix.reservataire == ETAT:
            nom = "État, prioritaires"
        yield LigneChoix(pk, nom, choix, choix.possible and organisation is not None, suggere, choix.texte)
        if choix.reservataire == ETAT and choix.possible and suggestion.agents_max:
            yield LigneChoix(
                f"{pk}-{AGENTS}",
                "État, agents",
                None,
                suggestion.agents_ouverts > 0,
                False,
                _texte_agents(suggestion),
                agents=True,
            )


def _texte_agents(suggestion: Suggestion) -> str:
    etat = f"{suggestion.agents_engages} engagés sur {suggestion.agents_max} au plus à ce jour"
    return f"Possible : {etat}." if suggestion.agents_ouverts else f"Impossible : plafond atteint, {etat}."


class FormulaireEchecMotive(forms.Form):
    """The failure of a designation, with the réservataire's coded motive."""

    motif = forms.ModelChoiceField(label="Motif", queryset=MotifRefus.objects.none(), empty_label="Choisir")
    date = ChampDate(label="Désignation constatée échouée le")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].queryset = motifs_de_reservataire()


class FormulaireRenoncement(forms.Form):
    motif = forms.ModelChoiceField(label="Motif", queryset=MotifRefus.objects.none(), empty_label="Choisir")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].queryset = motifs_de_reservataire().exclude(
            code__in=["R_HORS_DELAI", "R_CANDIDATS_REFUSES"]
        )


def motifs_de_reservataire():
    return MotifRefus.objects.filter(porteur=MotifRefus.Porteur.RESERVATAIRE, actif=True)


class FormulaireCandidat(forms.Form):
    """One candidate, by its numéro unique only, kept hashed."""

    numero_unique = forms.CharField(
        label="Numéro unique de la demande",
        max_length=24,
        help_text="Dix-huit caractères. Seuls une empreinte et les quatre derniers sont gardés.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_numero_unique(self) -> str:
        numero = "".join(self.cleaned_data["numero_unique"].split()).upper()
        if len(numero) != 18 or not numero.isascii() or not numero.isalnum():
            raise forms.ValidationError(
                f"Un numéro unique a dix-huit lettres ou chiffres ; celui-ci en a {len(numero)}."
            )
        return numero


class FormulaireUrgence(forms.Form):
    reference = forms.CharField(
        label="Référence de l’acte",
        max_length=120,
        help_text="Numéro de l’arrêté ou de la décision du préfet.",
    )
    motif = forms.ModelChoiceField(label="Motif", queryset=CodeMotif.objects.none(), empty_label="Choisir")
    date = ChampDate(label="Désigné le")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].queryset = CodeMotif.objects.filter(acte=CodeMotif.Acte.URGENCE, actif=True)


class FormulaireException(forms.Form):
    """Why the DDETS admits a label that came after the CALEOL, or takes its exception back."""

    motif = ChampMotif(CodeMotif.Acte.EXCEPTION)

    def __init__(self, *args, acte: str = CodeMotif.Acte.EXCEPTION, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].queryset = CodeMotif.objects.filter(acte=acte, actif=True)


class FormulaireReprisePourUnTour(forms.Form):
    date = ChampDate(label="Repris le")
    motif = ChampMotif(CodeMotif.Acte.REPRISE)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].queryset = CodeMotif.objects.filter(acte=CodeMotif.Acte.REPRISE, actif=True)
