"""Accounts that nobody uses: warned after a year, closed a month later; never deleted.

A closed account opens again by a new invitation. Coming back after the warning is enough to keep it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from reservation.acteur import Acteur
from reservation.models import EvenementAcces, Organisation, Rattachement, Utilisateur
from reservation.regles.typographie import date_fr

from .courriels import ecrire
from .habilitations import noter


@dataclass(frozen=True, slots=True)
class Sommeil:
    """Accounts warned and accounts closed (or that would be)."""

    avertis: int
    fermes: int


def _endormis(maintenant: datetime) -> QuerySet[Utilisateur]:
    return (
        Utilisateur.objects.filter(is_active=True)
        .annotate(dernier_usage=Coalesce("last_login", "date_joined"))
        .filter(dernier_usage__lte=maintenant - timedelta(days=settings.COMPTE_SOMMEIL_JOURS))
        .order_by("pk")
    )


def a_avertir(maintenant: datetime) -> QuerySet[Utilisateur]:
    """Unused for a year and not warned since they were last used."""
    return _endormis(maintenant).filter(
        Q(sommeil_averti_le__isnull=True) | Q(sommeil_averti_le__lt=F("dernier_usage"))
    )


def a_fermer(maintenant: datetime) -> QuerySet[Utilisateur]:
    """Warned a month ago or more, and not used since."""
    return _endormis(maintenant).filter(
        sommeil_averti_le__gte=F("dernier_usage"),
        sommeil_averti_le__lte=maintenant - timedelta(days=settings.COMPTE_PREAVIS_JOURS),
    )


@transaction.atomic
def suivre_les_comptes_inutilises(maintenant: datetime | None = None, *, appliquer: bool) -> Sommeil:
    """Warn and close; without `appliquer`, only count."""
    maintenant = maintenant or timezone.now()
    if not appliquer:
        return Sommeil(a_avertir(maintenant).count(), a_fermer(maintenant).count())
    fermes = list(a_fermer(maintenant).select_for_update(of=("self",), skip_locked=True))
    avertis = list(a_avertir(maintenant).select_for_update(of=("self",), skip_locked=True))
    acteur = Acteur.du_systeme("compte inutilisé depuis plus d’un an")
    for utilisateur in fermes:
        _fermer(acteur, utilisateur, maintenant)
    fermeture = timezone.localdate(maintenant) + timedelta(days=settings.COMPTE_PREAVIS_JOURS)
    for utilisateur in avertis:
        utilisateur.sommeil_averti_le = maintenant
        utilisateur.save(update_fields=["sommeil_averti_le"])
        ecrire("compte_inutilise", utilisateur.courriel, {"fermeture": date_fr(fermeture)})
        noter(acteur, EvenementAcces.Nature.SOMMEIL, None, utilisateur)
    return Sommeil(len(avertis), len(fermes))


def _fermer(acteur: Acteur, utilisateur: Utilisateur, maintenant: datetime) -> None:
    """Close the account and end its accesses, each told to its organisation."""
    actifs = Rattachement.objects.actifs().filter(utilisateur=utilisateur)
    organisations = list(Organisation.objects.filter(pk__in=actifs.values("organisation")).order_by("pk"))
    jour = timezone.localdate(maintenant)
    actifs.update(termine_le=maintenant, fin=jour)
    utilisateur.jetons.eteindre()
    utilisateur.is_active = False
    utilisateur.ferme_le = maintenant
    utilisateur.save(update_fields=["is_active", "ferme_le"])
    for organisation in organisations or [None]:
        noter(acteur, EvenementAcces.Nature.FERMETURE, organisation, utilisateur)
    ecrire("compte_ferme", utilisateur.courriel)
