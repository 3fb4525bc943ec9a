"""Templates: they compile, they respect the content policy, they name urls that exist."""

import re
from pathlib import Path

import pytest
from django.template import engines
from django.urls import get_resolver

from config.serveurs import RACINE
from tests.coherence.outils import ROOMS

FOLDERS = [RACINE / "templates", *(RACINE / room / "templates" for room in ROOMS)]
TEMPLATES = sorted(chemin for dossier in FOLDERS for chemin in dossier.rglob("*.*") if chemin.is_file())
# A PDF is made by WeasyPrint, without a browser: the content policy does not apply to it.
PAGES = [chemin for chemin in TEMPLATES if chemin.suffix in (".html", ".svg") and "pdf" not in chemin.parts]

FORBIDDEN = {
    "style en ligne": re.compile(r"<style\b|\sstyle\s*=", re.I),
    "script en ligne": re.compile(r"<script\b(?![^>]*\bsrc\s*=)", re.I),
    "gestionnaire en ligne": re.compile(r"<[^>{%]*\son[a-z]+\s*=\s*[\"']", re.I),
    "adresse javascript": re.compile(r"javascript:", re.I),
    "ressource d’un autre site": re.compile(
        r"<(script|link|img|iframe)\b[^>]*(src|href)\s*=\s*[\"'](https?:)?//", re.I
    ),
}


def nom(chemin: Path) -> str:
    return str(chemin.relative_to(RACINE))


@pytest.mark.parametrize("chemin", TEMPLATES, ids=nom)
def test_compiles(chemin):
    engines["django"].from_string(chemin.read_text())


@pytest.mark.parametrize("faute", FORBIDDEN)
def test_content_policy(faute):
    fautes = [nom(chemin) for chemin in PAGES if FORBIDDEN[faute].search(chemin.read_text())]
    assert not fautes


@pytest.mark.parametrize(
    ("faute", "exemple"),
    [
        ("style en ligne", '<p style="color:red">'),
        ("script en ligne", "<script>alert()</script>"),
        ("gestionnaire en ligne", '<a href="#" onclick="f()">'),
        ("adresse javascript", '<a href="javascript:f()">'),
        ("ressource d’un autre site", '<img alt="" src="//ailleurs.test/x.png">'),
    ],
)
def test_the_policy_test_would_see(faute, exemple):
    assert FORBIDDEN[faute].search(exemple)


def test_urls_exist():
    connus = {nom for nom in get_resolver().reverse_dict if isinstance(nom, str)}
    connus |= {
        f"{espace}:{nom}"
        for espace, (_, resolveur) in get_resolver().namespace_dict.items()
        for nom in resolveur.reverse_dict
        if isinstance(nom, str)
    }
    fautes = [
        f"{nom(chemin)} : {cite}"
        for chemin in TEMPLATES
        for cite in re.findall(r"{% url ['\"]([^'\"]+)['\"]", chemin.read_text())
        if cite not in connus
    ]
    assert not fautes
