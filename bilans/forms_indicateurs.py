"""What the page of the indicators is asked for."""

from collections.abc import Mapping, Sequence

from django import forms
from django.utils import timezone

from bilans.regles.indicateurs import LIBELLES_PERIODE
from bilans.services.compte_etat import Compte
from bilans.services.indicateurs import Demande, reservataires_lisibles
from flux.models import CalculFlux, StatutEmploi
from flux.services.lecture import presences_visibles
from reservation.acteur import Acteur


class FormulaireIndicateurs(forms.Form):
    annee = forms.TypedChoiceField(label="Année", coerce=int)
    periode = forms.ChoiceField(label="Période", choices=[*LIBELLES_PERIODE.items()], required=False)
    departement = forms.ChoiceField(label="Département", required=False)
    bailleur = forms.TypedChoiceField(label="Bailleur", coerce=int, empty_value=None, required=False)
    reservataire = forms.ChoiceField(label="Réservataire", required=False)

    def __init__(self, *args, acteur: Acteur, annee: int, annees: Sequence[int], **kwargs):
        """`annees`: those that the actor may read, `annee` the one that is read."""
        super().__init__(*args, **kwargs)
        presences = list(presences_visibles(acteur).order_by("departement__nom_tri", "bailleur__nom_tri"))
        self.departements = {p.departement_id: str(p.departement) for p in presences}
        bailleurs = {p.bailleur_id: str(p.bailleur) for p in presences}
        self.fields["annee"].choices = [(an, str(an)) for an in annees]
        tous = [] if acteur.est_copil or acteur.est_service_etat else [("", "Tous")]
        self.fields["departement"].choices = [*tous, *self.departements.items()]
        self.fields["bailleur"].choices = [("", "Tous"), *sorted(bailleurs.items(), key=lambda b: b[1])]
        self.fields["reservataire"].choices = [("", "Tous"), *reservataires_lisibles(acteur, annee)]
        if acteur.est_bailleur:
            del self.fields["bailleur"]
        if acteur.est_reservataire:
            del self.fields["reservataire"]
        if acteur.est_copil:  # one table for the whole year: its parts would give hidden numbers back
            del self.fields["periode"]

    def demande(self) -> Demande:
        return Demande(
            **{nom: valeur for nom, valeur in self.cleaned_data.items() if valeur not in ("", None)}
        )


def annees_lisibles(acteur: Acteur) -> list[int]:
    """Years with a flux that the actor may read, this one and the last."""
    connues = CalculFlux.objects.visibles_par(acteur).order_by().values_list("annee", flat=True).distinct()
    cette_annee = timezone.localdate().year
    return sorted({*connues, cette_annee, cette_annee - 1} - {cette_annee + 1}, reverse=True)


def choisir(
    acteur: Acteur,
    recu: Mapping[str, str],
    classe: "type[FormulaireIndicateurs] | None" = None,
    cette_annee: int | None = None,
) -> "FormulaireIndicateurs":
    """What is asked; what is not said, or means nothing to this actor, is what it reads first: the year, the whole of it."""
    classe = classe or FormulaireIndicateurs
    annees = annees_lisibles(acteur)
    defaut = {"annee": str(cette_annee or timezone.localdate().year)}
    voulue = recu.get("annee", "")
    annee = int(voulue) if voulue in {str(an) for an in annees} else int(defaut["annee"])
    demande = {nom: recu.get(nom, "") for nom in classe.base_fields}
    for essai in (demande | {"annee": str(annee)}, defaut):
        formulaire = classe(essai, acteur=acteur, annee=annee, annees=annees)
        departements = formulaire.fields["departement"].choices
        if departements and departements[0][0] and not essai.get("departement"):
            formulaire.data = {**essai, "departement": departements[0][0]}
        if formulaire.is_valid():
            break
    return formulaire


class FormulaireContingent(FormulaireIndicateurs):
    """What a réservataire chooses on its home page: a year, a département, a bailleur."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields.pop("periode", None)
        self.fields.pop("reservataire", None)


class FormulaireLignes(forms.Form):
    """The words that find the lines of a figure; what is not said so finds nothing."""

    nature = forms.ChoiceField(
        choices=[
            (n, n)
            for n in (
                "attributions",
                "baux",
                "etat",
                "dossiers",
                "refus_caleol",
                "refus_menages",
                "prononcees",
                "orientes",
                "demandees",
                "refus_reservataires",
            )
        ]
    )
    annee = forms.IntegerField(min_value=2000, max_value=2100)
    periode = forms.ChoiceField(choices=[*LIBELLES_PERIODE.items()], required=False)
    departement = forms.RegexField(r"^(?:[0-9]{2,3}|2[AB])$", required=False)
    bailleur = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    reservataire = forms.RegexField(r"^[0-9A-Za-z_-]{1,20}$", required=False)
    priorite = forms.ChoiceField(
        choices=[(c, c) for c in ("oui", "non", "hors", "hors_agents")], required=False
    )
    motif = forms.RegexField(r"^[0-9A-Z_]{1,24}$", required=False)
    decision = forms.RegexField(r"^[A-Z_]{1,9}$", required=False)
    dalo = forms.ChoiceField(choices=[("oui", "oui"), ("non", "non")], required=False)
    compte = forms.ChoiceField(choices=[(str(c), c) for c in Compte], required=False)
    emploi = forms.ChoiceField(choices=[(c, c) for c in StatutEmploi.values], required=False)
    typologie = forms.RegexField(r"^[0-9A-Za-z_+-]{1,8}$", required=False)
    financement = forms.RegexField(r"^[0-9A-Za-z_+-]{1,8}$", required=False)
    qpv = forms.ChoiceField(choices=[("oui", "oui"), ("non", "non")], required=False)
    epci = forms.RegexField(r"^(?:[0-9]{9}|SANS)$", required=False)
    commune = forms.RegexField(r"^[0-9][0-9AB][0-9]{3}$", required=False)
