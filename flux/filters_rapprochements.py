"""Filters of the reconciliations and of their gaps, shared by the pages and their exports."""

import django_filters as filtres
from django.db.models import Q

from flux.models import EcartRapprochement, EtatEcart, NatureEcart, Rapprochement, ResponsableEcart
from flux.regles.rapprochement import NATURES_LABEL, Lieu
from reservation.models import Departement, Organisation

OUVERTS, RECUPERABLES, DISPARUS = "ouverts", "recuperables", "disparus"


class FiltreRapprochements(filtres.FilterSet):
    annee = filtres.NumberFilter(field_name="fin__year", label="Année")
    bailleur = filtres.ModelChoiceFilter(
        queryset=Organisation.objects.none(), label="Bailleur", empty_label="Tous"
    )
    departement = filtres.ModelChoiceFilter(
        queryset=Departement.objects.none(), label="Département", empty_label="Tous"
    )

    class Meta:
        model = Rapprochement
        fields = ["annee", "bailleur", "departement"]

    def __init__(self, *args, acteur, **kwargs):
        super().__init__(*args, **kwargs)
        visibles = Rapprochement.objects.visibles_par(acteur).order_by()
        for nom, modele in (("bailleur", Organisation), ("departement", Departement)):
            self.filters[nom].queryset = modele.objects.filter(pk__in=visibles.values(nom))
        del self.filters["bailleur" if acteur.est_bailleur else "departement"]


class FiltreEcarts(filtres.FilterSet):
    suivi = filtres.ChoiceFilter(
        label="Suivi",
        empty_label="Tous les écarts constatés",
        choices=[
            (OUVERTS, "à traiter ou en cours"),
            (RECUPERABLES, "à corriger ici, récupérables"),
            *EtatEcart.choices,
            (DISPARUS, "plus constatés au dernier passage"),
        ],
        method="filtrer_suivi",
    )
    nature = filtres.ChoiceFilter(
        label="Écart",
        empty_label="Tous",
        choices=[("LABEL", "label absent, postérieur ou échu"), *NatureEcart.choices],
        method="filtrer_nature",
    )
    responsable = filtres.ChoiceFilter(
        label="Qui doit agir", empty_label="Tous", choices=ResponsableEcart.choices
    )
    lieu = filtres.ChoiceFilter(
        label="À corriger",
        empty_label="Partout",
        choices=[
            (Lieu.SNE, "dans l’outil des attributions"),
            (Lieu.LABELS, "dans l’outil des labels"),
            (Lieu.ICI, "ici"),
        ],
    )
    q = filtres.CharFilter(label="Logement, ou fin du numéro unique", method="chercher")

    class Meta:
        model = EcartRapprochement
        fields = ["suivi", "nature", "responsable", "lieu", "q"]

    def __init__(self, *args, acteur, **kwargs):
        super().__init__(*args, **kwargs)
        if acteur.est_reservataire:  # to whom a label is valid or not
            tues = {*NATURES_LABEL, NatureEcart.MOTIF}
            choix = self.filters["nature"].extra["choices"]
            self.filters["nature"] = filtres.ChoiceFilter(
                field_name="nature",
                label="Écart",
                empty_label="Tous",
                choices=[
                    ("LABEL", "sans label valable"),
                    *((c, x) for c, x in choix if c not in tues | {"LABEL"}),
                ],
                method="filtrer_nature",
            )
            self.filters["nature"].parent, self.filters["nature"].model = self, EcartRapprochement

    @property
    def qs(self):
        """Gaps still found, unless those that are gone are asked for."""
        lignes = super().qs
        return lignes if self.data.get("suivi") == DISPARUS else lignes.filter(disparu_le=None)

    def filtrer_suivi(self, queryset, nom, valeur):
        match valeur:
            case "ouverts":
                return queryset.filter(etat__in=EcartRapprochement.OUVERTS)
            case "recuperables":
                return queryset.filter(recuperable=True, etat__in=EcartRapprochement.OUVERTS)
            case "disparus":
                return queryset.exclude(disparu_le=None)
        return queryset.filter(etat=valeur)

    def filtrer_nature(self, queryset, nom, valeur):
        return queryset.filter(nature__in=NATURES_LABEL if valeur == "LABEL" else [valeur])

    def chercher(self, queryset, nom, valeur):
        for mot in valeur.split():
            queryset = queryset.filter(
                Q(ligne__reference__unaccent__icontains=mot)
                | Q(ligne__logement_sne__icontains=mot)
                | Q(ligne__numero_fin__iexact=mot[-4:])
            )
        return queryset
