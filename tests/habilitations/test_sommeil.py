"""Accounts that nobody uses: warned, then closed, opened again by an invitation."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from reservation.models import Courriel, EvenementAcces, Utilisateur
from reservation.services import habilitations as h
from reservation.services.sommeil import Sommeil, suivre_les_comptes_inutilises

JOUR = timedelta(days=1)


def suivre(dans: timedelta = timedelta(0), **options) -> Sommeil:
    return suivre_les_comptes_inutilises(timezone.now() + dans, **{"appliquer": True, **options})


@pytest.fixture
def dormeur(cast) -> Utilisateur:
    cast.lecteur_a.last_login = timezone.now() - 365 * JOUR
    cast.lecteur_a.save()
    return cast.lecteur_a


def test_a_year_without_use_is_warned_once(cast, dormeur):
    assert suivre(-JOUR) == Sommeil(0, 0)
    assert suivre() == Sommeil(1, 0)
    assert suivre() == suivre(29 * JOUR) == Sommeil(0, 0)
    assert Courriel.objects.get().gabarit == "compte_inutilise"


def test_a_month_after_the_warning_the_account_is_closed(cast, dormeur):
    suivre()
    assert suivre(30 * JOUR) == Sommeil(0, 1)
    dormeur.refresh_from_db()
    assert not dormeur.is_active and dormeur.ferme_le is not None
    assert dormeur.rattachements.get().termine_le is not None
    fermeture = EvenementAcces.objects.get(nature=EvenementAcces.Nature.FERMETURE)
    assert (fermeture.organisation, fermeture.par) == (cast.bailleur_a, None)
    assert suivre(60 * JOUR) == Sommeil(0, 0)


def test_coming_back_keeps_the_account_and_the_next_sleep_is_warned_again(cast, dormeur):
    suivre()
    dormeur.refresh_from_db()
    dormeur.last_login = timezone.now() + JOUR
    dormeur.save()
    assert suivre(40 * JOUR) == Sommeil(0, 0)
    Utilisateur.objects.exclude(pk=dormeur.pk).update(is_active=False)
    assert suivre(367 * JOUR) == Sommeil(1, 0)


def test_never_used_counts_from_its_opening(cast):
    Utilisateur.objects.filter(pk=cast.lecteur_a.pk).update(date_joined=timezone.now() - 366 * JOUR)
    assert suivre() == Sommeil(1, 0)


def test_an_account_closed_for_want_of_use_opens_again_by_invitation(cast, dormeur):
    suivre()
    suivre(30 * JOUR)
    invitation = h.inviter(cast.acteur("administrateur_a"), cast.bailleur_a, "lecture@a.example", ["LECTURE"])
    h.accepter_en_ouvrant_un_compte(
        invitation.secret, nom="Lecteur A", mot_de_passe="phrase longue et rare 2026"
    )
    dormeur.refresh_from_db()
    assert dormeur.is_active and dormeur.ferme_le is None
    assert dormeur.rattachements.actifs().count() == 1
    assert suivre() == Sommeil(0, 0)


def test_the_command_is_dry_by_default(cast, dormeur):
    sortie = StringIO()
    call_command("suivre_comptes", stdout=sortie)
    assert sortie.getvalue() == ("1 compte averti, 0 compte fermé (rien n’est fait : ajoutez --appliquer).\n")
    assert not Courriel.objects.exists()
    call_command("suivre_comptes", "--appliquer", stdout=sortie)
    assert Courriel.objects.count() == 1
