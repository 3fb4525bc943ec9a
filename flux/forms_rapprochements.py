"""Forms of the reconciliations: the period asked for, what is done with gaps, the reason of a match by hand."""

from django import forms
from django.utils import timezone

from flux.models import EtatEcart, MotifEcart, ResponsableEcart
from flux.services.rapprochements.suivi import MOTIFS_ETAT, MOTIFS_LIER, MOTIFS_SEPARER
from reservation.acteur import Acteur
from reservation.forms.champs import ChampDate
from reservation.models import Departement, Organisation, Presence


def _choix(motifs) -> list[tuple[str, str]]:
    return [("", "Choisir"), *((motif.value, MotifEcart(motif).label) for motif in motifs)]


class FormulaireRapprochement(forms.Form):
    departement = forms.ModelChoiceField(Departement.objects.none(), label="Département", empty_label=None)
    bailleur = forms.ModelChoiceField(
        Organisation.objects.none(),
        label="Bailleur",
        required=False,
        empty_label="Tous les bailleurs du département",
    )
    debut = ChampDate(label="Du")
    fin = ChampDate(label="Au (inclus)")
    tolerance = forms.IntegerField(
        label="Tolérance sur les dates, en jours",
        min_value=0,
        max_value=31,
        initial=7,
        help_text="Deux dates d’une même attribution à ce nombre de jours près.",
        error_messages={
            "required": "Indiquez un nombre de jours, de 0 à 31.",
            "invalid": "Indiquez un nombre de jours, de 0 à 31.",
            "min_value": "Attendu : de 0 à 31 jours.",
            "max_value": "Attendu : de 0 à 31 jours.",
        },
    )

    def __init__(self, *args, acteur: Acteur, **kwargs):
        annee = timezone.localdate().year
        kwargs["initial"] = {"debut": f"{annee}-01-01", "fin": f"{annee}-12-31"} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self._acteur = acteur
        presences = Presence.objects.all()
        if acteur.est_bailleur:
            presences = presences.filter(bailleur=acteur.organisation_id)
            del self.fields["bailleur"]
        else:
            presences = presences.filter(departement__in=acteur.departements)
            self.fields["bailleur"].queryset = Organisation.objects.filter(
                pk__in=presences.values("bailleur")
            ).order_by("nom_tri")
        self.fields["departement"].queryset = Departement.objects.filter(
            pk__in=presences.values("departement")
        ).order_by("nom_tri")

    def clean(self):
        donnees = super().clean()
        if self._acteur.est_bailleur:
            donnees["bailleur"] = Organisation.objects.get(pk=self._acteur.organisation_id)
        debut, fin = donnees.get("debut"), donnees.get("fin")
        if debut and fin and fin < debut:
            self.add_error("fin", "La période finit après son début.")
        return donnees


class FormulaireEtat(forms.Form):
    """Attendu: a state, or somebody else who must act; a reason with the states that end the matter."""

    etat = forms.ChoiceField(
        label="État", choices=[("", "Ne pas changer"), *EtatEcart.choices], required=False
    )
    motif = forms.ChoiceField(
        label="Motif, si expliqué ou sans suite", choices=_choix(MOTIFS_ETAT), required=False
    )
    responsable = forms.ChoiceField(
        label="Qui doit agir", choices=[("", "Ne pas changer"), *ResponsableEcart.choices], required=False
    )

    def clean(self):
        donnees = super().clean()
        if not self.errors and not donnees["etat"] and not donnees["responsable"]:
            self.add_error("etat", "Choisissez un état, ou qui doit agir.")
        return donnees


class FormulaireLier(forms.Form):
    motif = forms.ChoiceField(label="Pourquoi", choices=_choix(MOTIFS_LIER))


class FormulaireSeparer(forms.Form):
    motif = forms.ChoiceField(label="Pourquoi", choices=_choix(MOTIFS_SEPARER), required=False)
