"""Two requests at once, in real transactions: one act, whoever comes first."""

import threading

import pytest
from django.db import connection

from flux.models import Attribution, Liberation
from publics.models import Menage
from reservation.services import idempotence
from tests.acces.decor import ANNEE
from tests.api.conftest import ouvrir
from tests.api.test_idempotence import avec, neuf
from tests.flux.fabriques import actes_paca
from tests.personnages import distribuer


@pytest.fixture
def programmes(transactional_db):
    """Two programs of bailleur A, without the decor: real transactions."""
    cast = distribuer()
    actes_paca(cast)
    return cast, ouvrir(cast, "gestionnaire_a"), ouvrir(cast, "signataire_a")


def ensemble(*gestes) -> list:
    """The answers of what is done at the same moment, each in its thread and its connection."""
    depart, reponses = threading.Barrier(len(gestes)), [None] * len(gestes)

    def courir(rang, geste):
        try:
            depart.wait()
            reponses[rang] = geste()
        finally:
            connection.close()

    fils = [threading.Thread(target=courir, args=(r, g)) for r, g in enumerate(gestes)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(timeout=60)
    return reponses


def test_the_same_request_eight_times_at_once_is_one_act(programmes):
    _, a, _ = programmes
    reponses = ensemble(*[lambda: a.client_neuf().post("liberations/", neuf("C-1"), cle="meme")] * 8)
    assert [r.status_code for r in reponses] == [201] * 8
    assert len({r.content for r in reponses}) == 1
    assert sorted("Idempotent-Replayed" in r for r in reponses) == [False] + [True] * 7
    assert avec("C-1").count() == 1


def test_two_requests_under_one_key_at_once_one_wins(programmes):
    _, a, _ = programmes
    reponses = ensemble(
        lambda: a.client_neuf().post("liberations/", neuf("C-1"), cle="meme"),
        lambda: a.client_neuf().post("liberations/", neuf("C-2"), cle="meme"),
    )
    assert sorted(r.status_code for r in reponses) == [201, 422]
    assert Liberation.objects.count() == 1


def test_the_second_goes_on_when_the_first_is_refused(programmes):
    """The first holds the key, then rolls back: the second, which waited, does the act."""
    _, a, _ = programmes
    reponses = ensemble(
        lambda: a.client_neuf().post("liberations/", neuf("C-1", commune="99999"), cle="meme"),
        lambda: a.client_neuf().post("liberations/", neuf("C-1"), cle="meme"),
    )
    assert sorted(r.status_code for r in reponses) == [201, 422]
    assert avec("C-1").count() == 1


def test_one_dwelling_attributed_twice_at_once_under_two_keys(programmes):
    """Two different acts on one libération: one is done, the other is told why not; never two."""
    _, a, signataire = programmes
    libre = a.post("liberations/", neuf("C-1")).json()["id"]

    def attribuer(programme, numero):
        corps = {"numero_unique": numero, "date_caleol": f"{ANNEE}-05-20"}
        return programme.post(f"liberations/{libre}/attribution/", corps)

    reponses = ensemble(
        lambda: attribuer(a, "0061125DEMO0000001"), lambda: attribuer(signataire, "0061125DEMO0000002")
    )
    assert sorted(r.status_code for r in reponses) == [201, 422]
    assert Attribution.objects.filter(liberation=libre).count() == 1
    assert Menage.objects.count() == 1


def test_a_first_that_does_not_end_is_told(programmes, monkeypatch):
    _, a, _ = programmes
    monkeypatch.setattr(idempotence, "ATTENTE", 200)
    entre, sortir = threading.Event(), threading.Event()
    vrai = idempotence.repondre_une_fois

    def lent(acteur, cle, empreinte, faire):
        def attendre():
            entre.set()
            sortir.wait(timeout=30)
            return faire()

        return vrai(acteur, cle, empreinte, attendre)

    monkeypatch.setattr("reservation.api.vues.repondre_une_fois", lent)
    premiere = []

    def courir():
        try:
            premiere.append(a.post("liberations/", neuf("C-1"), cle="meme"))
        finally:
            connection.close()

    fil = threading.Thread(target=courir)
    fil.start()
    assert entre.wait(timeout=30)
    seconde = a.client_neuf().post("liberations/", neuf("C-1"), cle="meme")
    sortir.set()
    fil.join(timeout=30)
    assert (seconde.status_code, premiere[0].status_code) == (409, 201)
    assert seconde.json()["type"].endswith("#conflit")
