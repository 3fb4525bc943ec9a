"""Filters of the list of conventions."""

from datetime import date

import django_filters as filtres
from django.db.models import Q

from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Convention, Departement, Organisation
from reservation.services.territoires import cle_de_recherche

ETATS = [
    ("vigueur", "en vigueur"),
    ("avenir", "à venir"),
    ("finies", "échues ou résiliées"),
    ("brouillon", "brouillons"),
]
FAMILLES = [
    (str(TypeOrganisation.DDETS), "État"),
    (str(TypeOrganisation.ACTION_LOGEMENT), "Action Logement Services"),
    (str(TypeOrganisation.COLLECTIVITE), "collectivités"),
    (str(TypeOrganisation.AUTRE_RESERVATAIRE), "autres réservataires"),
]


class FiltreConventions(filtres.FilterSet):
    """Offers only what the actor can tell apart: one bailleur or one département is no choice."""

    etat = filtres.ChoiceFilter(label="État", choices=ETATS, empty_label="Tous", method="filtrer_etat")
    famille = filtres.ChoiceFilter(
        label="Réservataire", choices=FAMILLES, empty_label="Tous", field_name="reservataire__type"
    )
    bailleur = filtres.ModelChoiceFilter(
        label="Bailleur", queryset=Organisation.objects.none(), empty_label="Tous"
    )
    departement = filtres.ModelChoiceFilter(
        label="Département", queryset=Departement.objects.none(), empty_label="Tous"
    )
    q = filtres.CharFilter(label="Numéro ou nom", method="chercher")

    class Meta:
        model = Convention
        fields = ["etat", "famille", "bailleur", "departement", "q"]

    def __init__(self, *args, acteur: Acteur, jour: date, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.jour = jour
        visibles = Convention.objects.visibles_par(acteur)
        self.filters["bailleur"].queryset = Organisation.objects.filter(
            pk__in=visibles.values("bailleur")
        ).order_by("nom_tri", "pk")
        self.filters["departement"].queryset = Departement.objects.filter(
            pk__in=visibles.values("departement")
        ).order_by("nom_tri")
        if acteur.est_bailleur:
            del self.filters["bailleur"]
        if acteur.est_reservataire:
            del self.filters["famille"]
        if acteur.est_service_etat:
            del self.filters["departement"]
        if acteur.est_copil or acteur.est_reservataire:
            etats = [etat for etat in ETATS if etat[0] != "brouillon"]
            self.filters["etat"].extra["choices"] = etats

    def filtrer_etat(self, queryset, nom, valeur):
        brouillon = Q(etat=Convention.Etat.BROUILLON)
        match valeur:
            case "vigueur":
                return queryset.en_vigueur(self.jour)
            case "avenir":
                return queryset.exclude(brouillon).filter(debut__gt=self.jour)
            case "finies":
                return queryset.exclude(brouillon).filter(fin__lt=self.jour)
            case _:
                return queryset.filter(brouillon)

    def chercher(self, queryset, nom, valeur):
        """Number as it is written, names without case or accents."""
        cle = cle_de_recherche(valeur)
        return queryset.filter(
            Q(numero__icontains=valeur.strip())
            | Q(bailleur__nom_tri__contains=cle)
            | Q(reservataire__nom_tri__contains=cle)
        )
