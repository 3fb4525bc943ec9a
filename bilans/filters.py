"""Filters of the list of bilans."""

import django_filters as filtres
from django.db.models import Q

from bilans.models import Bilan
from bilans.regles.cycle import EtatBilan
from reservation.models import Departement

ETATS = [
    ("sans", "sans document"),
    ("avec", "document produit"),
    ("cours", "en production"),
    *((etat.value, etat.libelle) for etat in EtatBilan),
]


class FiltreBilans(filtres.FilterSet):
    annee = filtres.ChoiceFilter(label="Année", empty_label="Toutes")
    departement = filtres.ModelChoiceFilter(
        queryset=Departement.objects.none(), label="Département", empty_label="Tous"
    )
    etat = filtres.ChoiceFilter(label="État", empty_label="Tous", choices=ETATS, method="filtrer_etat")
    q = filtres.CharFilter(label="Bailleur", field_name="bailleur__nom", lookup_expr="unaccent__icontains")

    class Meta:
        model = Bilan
        fields = ["annee", "departement", "etat", "q"]

    def __init__(self, *args, acteur, **kwargs):
        super().__init__(*args, **kwargs)
        visibles = Bilan.objects.visibles_par(acteur)
        annees = visibles.order_by("-annee").values_list("annee", flat=True).distinct()
        self.filters["annee"].extra["choices"] = [(an, str(an)) for an in annees]
        self.filters["departement"].queryset = Departement.objects.filter(
            pk__in=visibles.values("departement")
        ).order_by("nom_tri")
        if acteur.est_bailleur:
            del self.filters["q"]

    def filtrer_etat(self, queryset, nom, valeur):
        match valeur:
            case "sans":
                return queryset.filter(derniere_version=None)
            case "avec":
                return queryset.exclude(derniere_version=None)
            case "cours":
                return queryset.filter(en_production=True)
            case EtatBilan.PREPARATION:
                return queryset.filter(Q(etat_cycle=None) | Q(etat_cycle=valeur))
            case _:
                return queryset.filter(etat_cycle=valeur)
