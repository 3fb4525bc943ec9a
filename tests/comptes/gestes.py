"""What a person does on the pages of the account, and the provider of ProConnect as the tests see it."""

import json
import time
import urllib.request
from urllib.parse import parse_qs, urlsplit

import requests
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from tests.personnages import MOT_DE_PASSE


def entrer(courriel: str, mot_de_passe: str = MOT_DE_PASSE, client: Client | None = None, **champs):
    """The sign-in form, sent; the client and the answer."""
    client = client or Client()
    return client, client.post("/connexion/", {"login": courriel, "password": mot_de_passe, **champs})


def dans(minutes: float):
    """Later, by the clock alone: a date would bring its time zone along."""
    return time_machine.travel(time.time() + 60 * minutes)


def confirmer(client: Client) -> None:
    """The password said again, which sensitive pages ask for."""
    assert client.post("/compte/confirmer/", {"password": MOT_DE_PASSE}).status_code == 302


def code_de(secret: str, decalage: int = 0) -> str:
    """What an application shows for this secret, now or some periods away."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + decalage))


def activer_application(client: Client) -> str:
    """A TOTP application set up through the pages; its secret."""
    confirmer(client)
    secret = client.get("/compte/second-facteur/application/").context["form"].secret
    reponse = client.post("/compte/second-facteur/application/", {"code": code_de(secret)})
    assert reponse.status_code == 302, reponse.context["form"].errors
    return secret


def facteurs(utilisateur) -> set[str]:
    return set(Authenticator.objects.filter(user=utilisateur).values_list("type", flat=True))


class Fournisseur:
    """The provider's process, seen from the tests."""

    def __init__(self, port: str):
        self.adresse = f"http://127.0.0.1:{port}"

    def regler(self, **valeurs) -> None:
        demande = urllib.request.Request(f"{self.adresse}/reglages", json.dumps(valeurs).encode())
        urllib.request.urlopen(demande, timeout=5).close()

    def journal(self, chemin: str) -> list[dict]:
        with urllib.request.urlopen(f"{self.adresse}/journal", timeout=5) as reponse:
            return [ligne for ligne in json.load(reponse) if ligne["chemin"] == chemin]

    def autoriser(self, adresse: str) -> str:
        """What a browser sent to `adresse` is sent back with: path and query of our page."""
        retour = urlsplit(requests.get(adresse, allow_redirects=False, timeout=5).headers["Location"])
        return f"{retour.path}?{retour.query}"


def partir(client: Client, **champs) -> tuple[str, dict]:
    """The departure to the provider: the address that the browser follows, and its parameters."""
    reponse = client.post("/connexion/proconnect/", champs)
    assert reponse.status_code == 200, reponse.content
    adresse = reponse.context["adresse"]
    return adresse, {nom: valeurs[0] for nom, valeurs in parse_qs(urlsplit(adresse).query).items()}


def entrer_par_proconnect(fournisseur: Fournisseur, client: Client | None = None, **champs):
    client = client or Client()
    return client, client.get(fournisseur.autoriser(partir(client, **champs)[0]))
