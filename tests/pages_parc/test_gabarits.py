"""What every page owes its reader: French typography, and an error page that says what to do without telling more."""

import re

import pytest
from django.urls import reverse

from config.serveurs import RACINE

DOSSIERS = [
    RACINE / "templates/reservation/parc",
    RACINE / "templates/reservation/imports",
    RACINE / "templates",
]
GABARITS = sorted(chemin for dossier in DOSSIERS for chemin in dossier.glob("*.html"))
BALISES = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.S)
FAUTE = re.compile(r" [;!?](?=[\s<]|$)| %(?!\})| :(?=[\s<]|$)|« | »")


@pytest.mark.parametrize("chemin", GABARITS, ids=lambda c: c.name)
def test_no_ordinary_space_before_double_punctuation(chemin):
    """An ordinary space lets the line break before « ? », which French does not allow."""
    texte = BALISES.sub("\0", chemin.read_text())
    assert not [texte[max(0, m.start() - 30) : m.end()] for m in FAUTE.finditer(texte)]


@pytest.mark.parametrize("faute", ["Pourquoi ?", "100 %", "Voici : ceci", "« oui »"])
def test_the_rule_would_see(faute):
    assert FAUTE.search(faute)


def test_a_refusal_says_who_may(cast, client):
    client.force_login(cast.lecteur_a)
    reponse = client.get(reverse("reservation:import_rpls_nouveau"))
    assert reponse.status_code == 403
    assert "Seul le bailleur importe son parc" in reponse.text and "demandez le rôle" in reponse.text


def test_what_is_hidden_and_what_is_not_there_look_alike(cast, parc_a, client):
    client.force_login(cast.gestionnaire_b)
    cache = client.get(reverse("reservation:logement", args=[parc_a["C1"].pk]))
    absent = client.get(reverse("reservation:logement", args=[2_000_000_000]))
    assert cache.status_code == absent.status_code == 404
    assert cache.content == absent.content and "n’existe pas" in cache.text


def test_an_absurd_identifier_is_not_found_and_breaks_nothing(cast, parc_a, client):
    client.force_login(cast.gestionnaire_a)
    enorme = "9" * 30
    for adresse in (
        f"/parc/{enorme}/06/",
        f"/parc/logements/{enorme}/",
        f"/parc/logements/?bailleur={enorme}",
        f"/imports/rpls/{enorme}/",
        "/parc/logements/?departement=00",
        f"/parc/{cast.bailleur_a.pk}/06/?millesime={enorme}",
    ):
        assert client.get(adresse).status_code == 404, adresse
