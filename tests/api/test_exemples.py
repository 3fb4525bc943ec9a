"""The examples of docs/api.md, run as they are written, one after the other, by a program of bailleur A."""

import json
import re
import shlex
from string import Template

import pytest

from config.serveurs import RACINE

pytestmark = pytest.mark.django_db

DOCUMENT = RACINE / "docs" / "api.md"
SITE = "http://exemple.test"


def exemples() -> list[str]:
    """Each curl command, its lines joined."""
    blocs = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.S)
    lignes = "\n".join(blocs).replace("\\\n", " ").splitlines()
    return [ligne.strip() for ligne in lignes if ligne.strip()]


def lancer(client, commande: str, valeurs: dict):
    """What curl would send: the method, the headers, the body."""
    mots = iter(shlex.split(Template(re.sub(r"'(\$[A-Z]+)'", r"\1", commande)).substitute(valeurs)))
    assert next(mots) == "curl"
    methode, entetes, corps, adresse = "GET", {}, None, ""
    for mot in mots:
        match mot:
            case "-X":
                methode = next(mots)
            case "-H":
                nom, _, valeur = next(mots).partition(": ")
                entetes[nom] = valeur
            case "-d":
                corps = next(mots)
            case _:
                adresse = mot.removeprefix(SITE)
    type_ = entetes.pop("Content-Type", "application/json")
    if methode == "GET":
        return client.get(adresse, headers=entetes)
    assert json.loads(corps)
    return client.post(adresse, corps, content_type=type_, headers=entetes)


def test_they_work_as_written(a, decor):
    valeurs = {
        "SITE": SITE,
        "JETON": a.secret,
        "RESERVATAIRE": decor.cast.als.pk,
        "LIBERATION": "",
        "ATTRIBUTION": "",
        "COMMISSION": "",
        "PASSAGE": "",
        "PROPOSITION": "",
    }
    commandes = exemples()
    assert len(commandes) == 22
    for commande in commandes:
        reponse = lancer(a.client, commande, valeurs)
        assert reponse.status_code in (200, 201), (commande, reponse.content.decode())
        lu = reponse.json()
        if "resultats" in lu:
            assert lu["resultats"], commande
        if reponse.status_code == 201:
            sorte = {
                "propose_le": "PROPOSITION",
                "lignes": "COMMISSION",
                "definitif": "PASSAGE",
                "date_bail": "ATTRIBUTION",
            }
            valeurs[next((nom for champ, nom in sorte.items() if champ in lu), "LIBERATION")] = lu["id"]
    assert lu["date_bail"] == "2025-06-02"
    encore = lancer(a.client, commandes[-1], valeurs)
    assert encore["Idempotent-Replayed"] == "true"


def test_the_limits_and_the_version_are_those_of_the_settings():
    from django.conf import settings

    texte = DOCUMENT.read_text()
    taux = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    assert f"{taux['api_lecture'].removesuffix('/min')} demandes" in texte
    assert f"{taux['api_ecriture'].removesuffix('/min')} écritures" in texte
    assert f"| {settings.SPECTACULAR_SETTINGS['VERSION']} |" in texte
