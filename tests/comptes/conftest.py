"""Members of every kind, without the decor: what they may see is tried elsewhere; and the provider of ProConnect."""

import subprocess
import sys

import pytest
from django.conf import settings as reglages

from config.serveurs import RACINE
from reservation.models import Courriel
from reservation.services.courriels import envoyer
from tests.comptes.gestes import Fournisseur
from tests.fournisseur_oidc.__main__ import CLIENT_ID, CLIENT_SECRET
from tests.personnages import distribuer


@pytest.fixture
def cast(db):
    return distribuer()


class Boite:
    """The messages that left. E-mails are rows first: what waits is sent when somebody looks, as the worker does."""

    def __init__(self, messages: list):
        self._messages = messages

    def _partis(self) -> list:
        for pk in Courriel.objects.filter(etat="EN_ATTENTE").order_by("pk").values_list("pk", flat=True):
            envoyer(pk)
        return self._messages

    def __getitem__(self, rang):
        return self._partis()[rang]

    def __iter__(self):
        return iter(self._partis())


@pytest.fixture
def mailoutbox(mailoutbox):
    return Boite(mailoutbox)


@pytest.fixture
def exiger(settings):
    """The obligation of a real site."""
    settings.SECOND_FACTEUR_OBLIGATOIRE = True


@pytest.fixture(scope="session")
def processus_du_fournisseur():
    processus = subprocess.Popen(
        [sys.executable, "-m", "tests.fournisseur_oidc"], cwd=RACINE, stdout=subprocess.PIPE, text=True
    )
    yield Fournisseur(processus.stdout.readline().strip())
    processus.terminate()
    processus.wait(timeout=10)
    processus.stdout.close()


@pytest.fixture
def proconnect(processus_du_fournisseur, settings):
    """ProConnect configured on the local provider, which behaves well until told otherwise."""
    processus_du_fournisseur.regler()
    fournisseurs = reglages.SOCIALACCOUNT_PROVIDERS["openid_connect"]
    app = {
        "provider_id": "proconnect",
        "name": "ProConnect",
        "client_id": CLIENT_ID,
        "secret": CLIENT_SECRET,
        "settings": {
            "server_url": f"{processus_du_fournisseur.adresse}/.well-known/openid-configuration",
            "token_auth_method": "client_secret_post",
            "acr_values": "eidas1",
        },
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": fournisseurs | {"APPS": [app]}}
    return processus_du_fournisseur
