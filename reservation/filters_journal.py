"""Filters of the journal, shared by its page and its file."""

from datetime import datetime, time, timedelta

import django_filters as filtres
from django.db.models import Q
from django.utils import timezone

from reservation.forms.champs import ChampDate
from reservation.models import LigneJournal
from reservation.services.historique import libelle_du_type
from reservation.traces import modeles_de_trace


class FiltreDate(filtres.DateFilter):
    field_class = ChampDate


def _types() -> list[tuple[str, str]]:
    """What the journal may speak of, in the order of the words."""
    return sorted(((nom, libelle_du_type(nom)) for nom in modeles_de_trace()), key=lambda choix: choix[1])


class FiltreJournal(filtres.FilterSet):
    """Who, what, which act, when, and why."""

    personne = filtres.CharFilter(label="Personne", method="chercher_personne")
    objet = filtres.ChoiceFilter(label="Objet", choices=_types, empty_label="Tous", field_name="objet_type")
    acte = filtres.ChoiceFilter(label="Acte", choices=LigneJournal.Acte.choices, empty_label="Tous")
    du = FiltreDate(label="Du", method="filtrer_du")
    au = FiltreDate(label="Au", method="filtrer_au")
    q = filtres.CharFilter(label="Motif ou désignation", method="chercher")

    class Meta:
        model = LigneJournal
        fields = ["personne", "objet", "acte", "du", "au", "q"]

    def chercher_personne(self, lignes, nom, valeur):
        valeur = valeur.replace("\0", "")  # PostgreSQL refuses NUL
        return lignes.filter(
            Q(auteur__nom__unaccent__icontains=valeur) | Q(assistant__nom__unaccent__icontains=valeur)
        )

    def chercher(self, lignes, nom, valeur):
        valeur = valeur.replace("\0", "")
        return lignes.filter(
            Q(motif__unaccent__icontains=valeur) | Q(designation__unaccent__icontains=valeur)
        )

    def filtrer_du(self, lignes, nom, jour):
        return lignes.filter(le__gte=_minuit(jour))

    def filtrer_au(self, lignes, nom, jour):
        return lignes.filter(le__lt=_minuit(jour + timedelta(days=1)))


def _minuit(jour):
    return timezone.make_aware(datetime.combine(jour, time()))
