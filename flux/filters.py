"""Filters of the lists, shared by the pages and their exports."""

from datetime import timedelta

import django_filters as filtres
from django.db.models import Q
from django.utils import timezone

from flux.models import (
    Commission,
    EtapeLiberation,
    Liberation,
    Usage,
)
from reservation.models import Commune, Departement, Organisation

RETARD = "retard"
# Beyond, the list of every commune is longer than anybody reads: it is that of the chosen département.
DEPARTEMENTS_AVEC_COMMUNES = 20


class FiltreLiberations(filtres.FilterSet):
    etape = filtres.ChoiceFilter(
        label="Ce qui est attendu",
        empty_label="Tout",
        choices=[*EtapeLiberation.choices, (RETARD, "offre sans réponse dans les dix jours")],
        method="filtrer_etape",
    )
    annee = filtres.NumberFilter(field_name="date__year", label="Année")
    usage = filtres.ChoiceFilter(choices=Usage.choices, label="Usage", empty_label="Tous")
    reservataire = filtres.ModelChoiceFilter(
        queryset=Organisation.objects.none(), label="Réservataire", empty_label="Tous"
    )
    orientation = filtres.ChoiceFilter(
        label="Orientation",
        empty_label="Toutes",
        choices=[("sans", "pas encore orientées"), ("avec", "orientées")],
        method="filtrer_orientation",
    )
    suite = filtres.ChoiceFilter(
        label="Suite",
        empty_label="Toutes",
        choices=[
            ("sans", "sans attribution"),
            ("attendue", "attribuées, sans bail ni refus"),
            ("bail", "bail signé"),
            ("annulee", "annulées"),
        ],
        method="filtrer_suite",
    )
    q = filtres.CharFilter(label="Référence ou adresse", method="chercher")
    bailleur = filtres.ModelChoiceFilter(
        queryset=Organisation.objects.none(), label="Bailleur", empty_label="Tous"
    )
    departement = filtres.ModelChoiceFilter(
        queryset=Departement.objects.none(), label="Département", empty_label="Tous"
    )
    commune = filtres.ModelChoiceFilter(
        queryset=Commune.objects.none(), label="Commune", empty_label="Toutes"
    )
    qpv = filtres.ChoiceFilter(
        label="QPV",
        empty_label="En QPV et hors QPV",
        choices=[("oui", "En QPV"), ("non", "Hors QPV")],
        method="filtrer_oui_non",
    )
    premiere = filtres.ChoiceFilter(
        label="Mise en location",
        empty_label="Toutes",
        choices=[("oui", "Premières"), ("non", "Relocations")],
        method="filtrer_oui_non",
    )
    compte = filtres.ChoiceFilter(
        label="Calcul du flux",
        empty_label="Comptées ou non",
        choices=[("oui", "Comptées"), ("non", "Annulées ou hors assiette")],
        method="filtrer_compte",
    )

    class Meta:
        model = Liberation
        fields = [
            "etape",
            "annee",
            "usage",
            "reservataire",
            "orientation",
            "suite",
            "q",
            "bailleur",
            "departement",
            "commune",
            "qpv",
            "premiere",
            "compte",
        ]

    def __init__(self, *args, acteur, **kwargs):
        super().__init__(*args, **kwargs)
        self.acteur = acteur
        self.filters["reservataire"].queryset = Organisation.objects.visibles_par(acteur).filter(
            pk__in=Liberation.objects.visibles_par(acteur).values("reservataire")
        )
        visibles = Liberation.objects.visibles_par(acteur).order_by()
        for nom, modele in (("bailleur", Organisation), ("departement", Departement), ("commune", Commune)):
            self.filters[nom].queryset = modele.objects.filter(pk__in=visibles.values(nom))
        if acteur.est_reservataire:  # the only ones to have libérations nearly everywhere
            departements = {d.pk for d in self.filters["departement"].queryset}
            if len(departements) > DEPARTEMENTS_AVEC_COMMUNES:
                self._restreindre_communes(departements)
        if acteur.est_bailleur:
            del self.filters["bailleur"]

    def _restreindre_communes(self, departements: set[str]) -> None:
        """Offer the communes of the département that is asked; one asked alone (a link, a saved search) stays."""
        commune, lieu, seule = self.filters["commune"], self.data.get("departement"), self.data.get("commune")
        voulues = Q(departement=lieu) if lieu in departements else Q(pk=None)
        if seule and seule.isalnum():
            voulues |= Q(pk=seule)
        commune.queryset = commune.queryset.filter(voulues)
        if lieu not in departements:
            commune.extra["help_text"] = "Choisissez d’abord un département."

    # Shown at once; the others are folded.
    PRINCIPAUX = ("q", "etape", "reservataire", "annee")

    def champs(self, principaux: bool) -> list:
        return [champ for champ in self.form if (champ.name in self.PRINCIPAUX) is principaux]

    def champs_principaux(self) -> list:
        return sorted(self.champs(True), key=lambda champ: self.PRINCIPAUX.index(champ.name))

    def champs_secondaires(self) -> list:
        return self.champs(False)

    def secondaires_utilises(self) -> bool:
        """Whether one of the folded filters is at work: they are then shown."""
        return any(self.data.get(champ.name) for champ in self.champs_secondaires())

    def filtrer_etape(self, queryset, nom, valeur):
        return queryset.attendues_de(self.acteur).a_l_etape(valeur, timezone.localdate())

    def filtrer_orientation(self, queryset, nom, valeur):
        if valeur == "sans":
            return queryset.filter(reservataire=None, annulee_le=None, usage=Usage.FLUX, dans_assiette=True)
        return queryset.exclude(reservataire=None)

    def filtrer_suite(self, queryset, nom, valeur):
        match valeur:
            case "sans":
                return queryset.filter(attributions=None, annulee_le=None)
            case "attendue":
                return queryset.filter(
                    attributions__isnull=False, attributions__date_bail=None, attributions__refusee_le=None
                ).distinct()
            case "bail":
                return queryset.filter(attributions__date_bail__isnull=False).distinct()
            case _:
                return queryset.exclude(annulee_le=None)

    def filtrer_oui_non(self, queryset, nom, valeur):
        return queryset.filter(**{nom: valeur == "oui"})

    def filtrer_compte(self, queryset, nom, valeur):
        """What the calculation of the flux reads: libérations of the assiette, not cancelled."""
        comptees = Q(dans_assiette=True, annulee_le=None)
        return queryset.filter(comptees if valeur == "oui" else ~comptees)

    def chercher(self, queryset, nom, valeur):
        mots = valeur.split()
        for mot in mots:
            queryset = queryset.filter(
                Q(reference__unaccent__icontains=mot) | Q(adresse__unaccent__icontains=mot)
            )
        return queryset


class FiltreCommissions(filtres.FilterSet):
    quand = filtres.ChoiceFilter(
        label="Commissions",
        empty_label="Toutes",
        choices=[
            ("a_venir", "à venir"),
            ("semaine", "dans les sept jours"),
            ("a_convoquer", "à venir, DDETS non convoquée"),
            ("a_clore", "tenues, à clore"),
            ("closes", "closes"),
            ("annulees", "annulées"),
        ],
        method="filtrer_quand",
    )
    annee = filtres.NumberFilter(field_name="date__year", label="Année")
    bailleur = filtres.ModelChoiceFilter(
        queryset=Organisation.objects.none(), label="Bailleur", empty_label="Tous"
    )
    departement = filtres.ModelChoiceFilter(
        queryset=Departement.objects.none(), label="Département", empty_label="Tous"
    )

    class Meta:
        model = Commission
        fields = ["quand", "annee", "bailleur", "departement"]

    def __init__(self, *args, acteur, **kwargs):
        super().__init__(*args, **kwargs)
        visibles = Commission.objects.visibles_par(acteur).order_by()
        for nom, modele in (("bailleur", Organisation), ("departement", Departement)):
            self.filters[nom].queryset = modele.objects.filter(pk__in=visibles.values(nom))
        if self.filters["departement"].queryset.count() > DEPARTEMENTS_AVEC_COMMUNES:
            self._restreindre_communes()
        del self.filters["bailleur" if acteur.est_bailleur else "departement"]

    def filtrer_quand(self, queryset, nom, valeur):
        """Those to come are shown nearest first; the others, the last first."""
        aujourdhui, ouvertes = timezone.localdate(), queryset.filter(etat__in=Commission.OUVERTES)
        match valeur:
            case "a_venir":
                return ouvertes.filter(date__gte=aujourdhui).order_by("date", "pk")
            case "semaine":
                return (
                    queryset.filter(date__range=(aujourdhui, aujourdhui + timedelta(days=6)))
                    .exclude(etat=Commission.Etat.ANNULEE)
                    .order_by("date", "pk")
                )
            case "a_convoquer":
                return ouvertes.filter(date__gte=aujourdhui, etat=Commission.Etat.PREPARATION).order_by(
                    "date", "pk"
                )
            case "a_clore":
                return ouvertes.filter(date__lt=aujourdhui).order_by("date", "pk")
            case "closes":
                return queryset.filter(etat=Commission.Etat.CLOSE)
            case _:
                return queryset.filter(etat=Commission.Etat.ANNULEE)
