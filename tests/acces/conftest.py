"""Sessions of every persona on the decor of the module."""

import functools
import sys

import pytest
from django.conf import settings as reglages
from django.test import Client

from reservation.documents import pdf
from tests.acces.matrice import ANONYME


@pytest.fixture(scope="module")
def cles_de_session(decor, django_db_blocker) -> dict[str, str]:
    """Who is signed in already: name of the persona → key of its session."""
    cles = {}
    with django_db_blocker.unblock():
        for nom, utilisateur in decor.cast.gens.items():
            client = Client()
            client.force_login(utilisateur)
            cles[nom] = client.session.session_key
    return cles


@functools.cache
def _rendre_une_fois(rendre):
    return functools.lru_cache(maxsize=200)(rendre)


@pytest.fixture(autouse=True)
def _same_words_same_bytes(monkeypatch):
    """A document that twenty personas ask for is made once: the same markup gives the same bytes."""
    rendre = pdf.rendre_balisage
    for module in list(sys.modules.values()):
        if getattr(module, "rendre_balisage", None) is rendre:
            monkeypatch.setattr(module, "rendre_balisage", _rendre_une_fois(rendre))


@pytest.fixture
def en_tant_que(cles_de_session):
    """`en_tant_que("lecteur_a")`: a browser where this persona is signed in."""

    def ouvrir(personnage: str, **options) -> Client:
        client = Client(**options)
        if personnage != ANONYME:
            client.cookies[reglages.SESSION_COOKIE_NAME] = cles_de_session[personnage]
        return client

    return ouvrir
