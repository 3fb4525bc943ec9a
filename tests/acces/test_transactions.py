"""The actor outside the transaction of a test: statements alone, COPY, server-side cursors."""

import pytest
from django.db import connection, transaction

from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import Organisation
from reservation.perimetre import AUCUN, REGLAGES, _courant, agir, reglages
from tests.acces.test_verrou import reglages_du_serveur


@pytest.mark.django_db(transaction=True)
def test_nothing_outlives_its_transaction():
    acteur = Acteur(1, 2, TypeOrganisation.BAILLEUR, frozenset({Role.GESTION}))
    with agir(acteur):
        assert reglages_du_serveur() == reglages(acteur)  # a statement alone has its own transaction
        with transaction.atomic():
            assert reglages_du_serveur() == reglages(acteur)
    jeton = _courant.set(None)
    try:
        assert reglages_du_serveur() == AUCUN
        with transaction.atomic():
            assert reglages_du_serveur() == AUCUN
    finally:
        _courant.reset(jeton)


def systeme_vu_par_copy() -> bytes:
    with (
        connection.cursor() as curseur,
        curseur.copy(f"COPY (SELECT current_setting('{REGLAGES[0]}')) TO STDOUT") as copie,
    ):
        return b"".join(copie)


@pytest.mark.django_db(transaction=True)
def test_copy_and_server_side_cursors_have_their_perimeter():
    with agir(Acteur.du_systeme("essai")):
        assert systeme_vu_par_copy() == b"oui\n"
        with transaction.atomic():
            assert systeme_vu_par_copy() == b"oui\n"
        assert len(list(Organisation.objects.iterator(chunk_size=1))) == Organisation.objects.count()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_begins_with_its_isolation_has_its_perimeter_all_the_same():
    with agir(Acteur.du_systeme("essai")):
        for _ in range(2):  # the second one follows a transaction of the same actor
            with transaction.atomic():
                with connection.cursor() as curseur:
                    curseur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                assert reglages_du_serveur() == reglages(Acteur.du_systeme("essai"))
