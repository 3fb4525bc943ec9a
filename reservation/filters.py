"""Filters of the lists of the ground floor, shared by the pages, their exports and their counts."""

import operator
from collections.abc import Iterable
from functools import reduce

import django_filters as filtres
from django.db.models import F, Model, Q, Value
from django.db.models.functions import Concat

from reservation.models import (
    AgregatParc,
    ClasseFinancement,
    ClassePeriode,
    ClasseTypologie,
    CodeDrapeau,
    Commune,
    Logement,
    StatutLogement,
)
from reservation.models.parc import CLASSE_NON_RENSEIGNEE
from reservation.nomenclature_rpls import MODE, en_clair
from reservation.regles.statut import MODES_LOUES_OU_PROPOSES, STATUTS_DANS

# (TYPECONST, MODE, drapeaux): what the questions to the bailleur are asked about.
Profil = tuple[str, str, tuple[str, ...]]

STATUTS = [
    ("dans", "Dans l’assiette"),
    ("hors", "Hors de l’assiette"),
    (
        "Raison",
        [(code, libelle) for code, libelle in StatutLogement.choices],
    ),
]
OCCUPATIONS = [
    ("offerts", "Loués ou proposés (MODE 1 et 2)"),
    ("autres", "Ni loués ni proposés"),
    ("MODE", [(code, en_clair(code, MODE)) for code in MODE]),
]
QUESTIONS = [
    ("RESIDENCE", "Dits étudiants par le RPLS, sans réponse"),
    ("VENTE_DEMOLITION", "Vides (MODE 3), vente ou démolition à préciser"),
    ("PLAI_ADAPTE", "PLAI adaptés"),
]


CLASSES = {"typologie": ClasseTypologie, "financement": ClasseFinancement, "periode": ClassePeriode}


def lister_classes(classe: type[Model]) -> list[tuple[str, str]]:
    """(code, label) of the classes, in their order, then the dwellings of which RPLS does not say it.

    Every dwelling has a class of financement: one of them receives what no other names.
    """
    sans = [] if classe is ClasseFinancement else [(CLASSE_NON_RENSEIGNEE, "Non renseigné")]
    return [*classe.objects.values_list("code", "libelle"), *sans]


class FiltreParc(filtres.FilterSet):
    """Filters on columns that the dwellings and their aggregate share: the same choice lists and counts."""

    statut = filtres.ChoiceFilter(
        label="Statut", empty_label="Tous", choices=STATUTS, method="filtrer_statut"
    )
    commune = filtres.ModelChoiceFilter(
        label="Commune", empty_label="Toutes", queryset=Commune.objects.none()
    )
    qpv = filtres.ChoiceFilter(
        label="QPV",
        empty_label="En QPV et hors QPV",
        choices=[("oui", "En QPV"), ("non", "Hors QPV")],
        method="filtrer_qpv",
    )
    typologie = filtres.ChoiceFilter(label="Typologie", empty_label="Toutes")
    financement = filtres.ChoiceFilter(label="Financement", empty_label="Tous")
    periode = filtres.ChoiceFilter(label="Construction", empty_label="Toutes les périodes")
    occupation = filtres.ChoiceFilter(
        label="Occupation", empty_label="Toutes", choices=OCCUPATIONS, method="filtrer_occupation"
    )
    drapeau = filtres.ChoiceFilter(
        label="Drapeau",
        empty_label="Avec ou sans",
        choices=[("aucun", "Sans drapeau"), *CodeDrapeau.choices],
        method="filtrer_drapeau",
    )
    question = filtres.ChoiceFilter(
        label="À préciser", empty_label="Tous", choices=QUESTIONS, method="filtrer_question"
    )

    class Meta:
        model = AgregatParc
        fields = [
            "statut",
            "commune",
            "qpv",
            "typologie",
            "financement",
            "periode",
            "occupation",
            "drapeau",
            "question",
        ]

    def __init__(self, *args, communes, profils: dict[str, list[Profil]], **kwargs):
        """`communes`: those of the parc shown; `profils`: by question, the profiles that it is asked about."""
        super().__init__(*args, **kwargs)
        self.profils = profils
        self.filters["commune"].queryset = communes
        for nom, classe in CLASSES.items():
            self.filters[nom].extra["choices"] = lister_classes(classe)

    @property
    def actif(self) -> bool:
        """Whether anything is asked for, even what cannot be understood."""
        return not self.form.is_valid() or any(self.form.cleaned_data.values())

    def filtrer_statut(self, queryset, nom, valeur):
        if valeur == "dans":
            return queryset.filter(statut__in=STATUTS_DANS)
        if valeur == "hors":
            return queryset.exclude(statut__in=STATUTS_DANS)
        return queryset.filter(statut=valeur)

    def filtrer_qpv(self, queryset, nom, valeur):
        return queryset.filter(qpv=valeur == "oui")

    def filtrer_occupation(self, queryset, nom, valeur):
        if valeur == "offerts":
            return queryset.filter(mode__in=MODES_LOUES_OU_PROPOSES)
        if valeur == "autres":
            return queryset.exclude(mode__in=MODES_LOUES_OU_PROPOSES)
        return queryset.filter(mode=valeur)

    def filtrer_drapeau(self, queryset, nom, valeur):
        if valeur == "aucun":
            return queryset.filter(drapeaux=[])
        return queryset.filter(drapeaux__contains=[valeur])

    def filtrer_question(self, queryset, nom, valeur):
        """The rule says which profiles the question is asked about; here they are only found again."""
        return queryset.filter(_un_de(self.profils.get(valeur, [])))


class FiltreLogements(FiltreParc):
    """What only the dwellings themselves can answer: their programme, words of their reference or address."""

    programme = filtres.CharFilter(label="Programme", lookup_expr="exact")
    q = filtres.CharFilter(label="Référence, identifiant RPLS, adresse ou programme", method="chercher")

    class Meta(FiltreParc.Meta):
        model = Logement
        fields = [*FiltreParc.Meta.fields, "programme", "q"]

    @property
    def compte_par_l_agregat(self) -> bool:
        """Whether `FiltreParc` gives the same count on the aggregate."""
        return not (self.data.get("programme") or self.data.get("q", "").strip())

    def chercher(self, queryset, nom, valeur):
        """Every word, wherever it is, without case or accents."""
        queryset = queryset.annotate(
            mots=Concat(
                F("ident_int"),
                Value(" "),
                F("ident_rep"),
                Value(" "),
                F("adresse"),
                Value(" "),
                F("code_postal"),
                Value(" "),
                F("programme"),
            )
        )
        for mot in valeur.split():
            queryset = queryset.filter(mots__unaccent__icontains=mot)
        return queryset


def _un_de(profils: Iterable[Profil]) -> Q:
    """Rows of any of these profiles; none without profile."""
    return reduce(
        operator.or_,
        (Q(typeconst=typeconst, mode=mode, drapeaux=list(drapeaux)) for typeconst, mode, drapeaux in profils),
        Q(pk__in=[]),
    )
