"""Forms of the acts on a libération: its facts, its cancellation, what follows the CALEOL; and several at once."""

from django import forms

from flux.models import CodeMotif, Liberation, MotifRefus, Usage
from flux.services.attributions import PIECES_MANQUANTES, SANS_REPONSE
from reservation.forms.champs import ChampDate
from reservation.regles.typographie import typographier

AUTRE = "A_AUTRE"


class ChampMotif(forms.ModelChoiceField):
    """One of the coded reasons of an act, or of the refusals of a household, that are still offered."""

    def __init__(self, acte: str = "", **kwargs):
        self.acte = acte
        kwargs.setdefault("label", "Motif")
        kwargs.setdefault("error_messages", {"required": "Choisissez un motif."})
        super().__init__(queryset=CodeMotif.objects.none(), empty_label="Choisir un motif", **kwargs)


class _AvecMotif(forms.Form):
    """Reasons are read when the form is made: an administrator may have edited them."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for champ in self.fields.values():
            if isinstance(champ, ChampMotif):
                champ.queryset = CodeMotif.objects.filter(acte=champ.acte, actif=True)


def _exiger_preuve(formulaire: forms.Form, donnees: dict) -> None:
    if donnees.get("usage") and donnees["usage"] != Usage.FLUX and not donnees.get("preuve"):
        formulaire.add_error("preuve", "Une soustraction demande la référence de son justificatif.")


def _exiger_precision(formulaire: forms.Form, donnees: dict) -> None:
    motif = donnees.get("motif")
    if motif and motif.code == AUTRE and not donnees.get("precision"):
        formulaire.add_error("precision", "Précisez en quelques mots.")


class FormulaireFaits(forms.Form):
    """Dates and use of a libération that exists."""

    date = ChampDate(label="Libéré le")
    date_preavis = ChampDate(label="Préavis reçu le", required=False)
    date_disponibilite = ChampDate(label="Disponible à la location le", required=False)
    usage = forms.ChoiceField(label="Usage", choices=Usage.choices)
    preuve = forms.CharField(
        label="Référence du justificatif",
        max_length=120,
        required=False,
        help_text=typographier(
            "Pour une soustraction : numéro de l’opération, de l’arrêté, du dossier de mutation."
        ),
    )
    premiere = forms.BooleanField(label="Première mise en location", required=False)

    def clean(self) -> dict:
        donnees = super().clean()
        _exiger_preuve(self, donnees)
        preavis, libere = donnees.get("date_preavis"), donnees.get("date")
        if preavis and libere and preavis > libere:
            self.add_error(
                "date_preavis",
                typographier("Le préavis est postérieur à la libération ; attendu : avant elle."),
            )
        return donnees

    @staticmethod
    def de(liberation: Liberation) -> dict:
        """What the form shows first: the libération as it is."""
        return {nom: getattr(liberation, nom) for nom in FormulaireFaits.base_fields}


class FormulaireAnnulation(_AvecMotif):
    date = ChampDate(label="Annulée le")
    motif = ChampMotif(CodeMotif.Acte.ANNULATION)
    precision = forms.CharField(
        label="Précision",
        max_length=120,
        required=False,
        help_text="Quelques mots, sans nom ni information sur un ménage.",
    )

    def clean(self) -> dict:
        donnees = super().clean()
        _exiger_precision(self, donnees)
        return donnees


class FormulaireReprise(_AvecMotif):
    """Why an act is taken back."""

    motif = ChampMotif(CodeMotif.Acte.CORRECTION)


class FormulaireOffre(forms.Form):
    date = ChampDate(label="Offre notifiée le")


class FormulaireAcceptation(forms.Form):
    date = ChampDate(label="Acceptée le")


class FormulaireConstat(forms.Form):
    date = ChampDate(label="Constaté le")


class FormulaireConditionLevee(forms.Form):
    date = ChampDate(label="Pièce reçue le")


class FormulaireBail(forms.Form):
    date = ChampDate(label="Bail signé le")


class FormulaireRefus(forms.Form):
    """Silence and missing documents are refusals of their own kind: they are not in this list."""

    date = ChampDate(label="Refusé le")
    motif = forms.ModelChoiceField(
        label="Motif",
        queryset=MotifRefus.objects.none(),
        empty_label="Choisir un motif",
        error_messages={"required": "Choisissez un motif."},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].queryset = MotifRefus.objects.filter(
            porteur=MotifRefus.Porteur.MENAGE, actif=True
        ).exclude(code__in=(SANS_REPONSE, PIECES_MANQUANTES))


class FormulaireFiltre(forms.Form):
    nom = forms.CharField(label="Nom du filtre", max_length=60)


# --- Several at once --------------------------------------------------------------------------------------------


class LotDisponibilite(forms.Form):
    titre, bouton = "Dater la disponibilité", "Enregistrer la date"

    date_disponibilite = ChampDate(label="Disponibles à la location le")


class LotUsage(forms.Form):
    titre, bouton = "Changer l’usage", "Enregistrer l’usage"

    usage = forms.ChoiceField(label="Usage", choices=Usage.choices)
    preuve = forms.CharField(
        label="Référence du justificatif",
        max_length=120,
        required=False,
        help_text=typographier("Pour une soustraction : numéro de l’opération, de l’arrêté."),
    )

    def clean(self) -> dict:
        donnees = super().clean()
        _exiger_preuve(self, donnees)
        return donnees


class LotAnnulation(FormulaireAnnulation):
    titre, bouton = "Annuler les libérations", "Annuler ces libérations"

    date = ChampDate(label="Annulées le")
