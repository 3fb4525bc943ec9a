"""What the analysis of the refusals is asked for."""

from django import forms

from bilans.forms_indicateurs import FormulaireIndicateurs
from bilans.regles.refus import LIBELLES_AXE, Axe
from bilans.services.refus import DemandeRefus
from reservation.acteur import Acteur
from reservation.models import ClasseFinancement, ClasseTypologie, Commune, Epci

LOGEMENTS = ("typologie", "financement", "qpv", "epci", "commune")


class FormulaireRefus(FormulaireIndicateurs):
    """The filters of the indicators, those on the dwellings, and what the motives are crossed with."""

    typologie = forms.ChoiceField(label="Typologie", required=False)
    financement = forms.ChoiceField(label="Financement", required=False)
    qpv = forms.ChoiceField(
        label="Quartier prioritaire",
        choices=[("", "Tous"), ("oui", "En QPV"), ("non", "Hors QPV")],
        required=False,
    )
    epci = forms.ChoiceField(label="Secteur (EPCI)", required=False)
    commune = forms.ChoiceField(label="Commune", required=False)
    axe = forms.ChoiceField(
        label="Croiser les motifs avec",
        choices=[(a.value, libelle[0].upper() + libelle[1:]) for a, libelle in LIBELLES_AXE.items()],
        required=False,
    )
    lieu = forms.ChoiceField(
        label="Classer par", choices=[("commune", "Commune"), ("epci", "Secteur (EPCI)")], required=False
    )

    def __init__(self, *args, acteur: Acteur, **kwargs):
        super().__init__(*args, acteur=acteur, **kwargs)
        tous = [("", "Toutes")]
        self.fields["typologie"].choices = [*tous, *ClasseTypologie.objects.values_list("code", "libelle")]
        self.fields["financement"].choices = [
            ("", "Tous"),
            *ClasseFinancement.objects.values_list("code", "libelle"),
        ]
        departement = self._departement()
        if acteur.est_copil:  # one table of each: more of them would give hidden numbers back
            for nom in (*LOGEMENTS, "bailleur", "lieu"):
                self.fields.pop(nom, None)
        elif not departement:
            for nom in ("epci", "commune"):
                del self.fields[nom]
        else:
            communes = Commune.objects.filter(departement=departement)
            epci = Epci.objects.filter(communes__in=communes).distinct().order_by("nom")
            self.fields["epci"].choices = [("", "Tous"), *epci.values_list("pk", "nom")]
            self.fields["commune"].choices = [
                *tous,
                *communes.order_by("nom_tri").values_list("pk", "nom"),
            ]

    def _departement(self) -> str:
        """The département that is read: the one asked, or the only one that there is."""
        choix = [code for code, _ in self.fields["departement"].choices]
        demande = (self.data or {}).get("departement", "")
        if demande in choix and demande:
            return demande
        return choix[0] if choix and choix[0] else ""

    def demande_refus(self) -> DemandeRefus:
        lus = {nom: valeur for nom, valeur in self.cleaned_data.items() if valeur not in ("", None)}
        logements = {nom: lus.pop(nom) for nom in LOGEMENTS if nom in lus}
        axe, lieu = Axe(lus.pop("axe", Axe.TYPOLOGIE)), lus.pop("lieu", "commune")
        self.cleaned_data = lus
        return DemandeRefus(self.demande(), axe, lieu, **logements)
