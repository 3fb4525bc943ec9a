"""The audit grid: complete, coherent, and all that the declaration says comes from it."""

import html
import re
from decimal import Decimal

import pytest
from django.urls import get_resolver, reverse

from config.accessibilite import CONTROLES, THEMES, Critere, Grille, Resultat, lire_grille

GRILLE = lire_grille()


def texte(reponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", reponse.content.decode())).split())


def test_the_grid_has_the_106_criteria_in_order():
    attendus = [f"{theme}.{n}" for theme, (_, combien) in THEMES.items() for n in range(1, combien + 1)]
    assert [critere.numero for critere in GRILLE.criteres] == attendus
    assert len(attendus) == 106


def test_each_result_says_how_it_was_found():
    titres = {page.titre for page in GRILLE.pages}
    assert len(titres) == len(GRILLE.pages)
    for critere in GRILLE.criteres:
        assert critere.objet and critere.controles and set(critere.controles) <= set(CONTROLES), critere
        assert set(critere.pages) <= titres, critere
        assert bool(critere.pages) == (critere.resultat == Resultat.NON_CONFORME), critere
        if critere.resultat == Resultat.NON_CONFORME:
            assert "Reste à faire :" in critere.note, critere
        if critere.resultat == Resultat.NON_APPLICABLE:
            assert critere.note, critere
    assert len({critere.objet for critere in GRILLE.criteres}) == 106


def test_the_sampled_pages_exist():
    noms = {nom for nom in get_resolver().reverse_dict if isinstance(nom, str)} | {
        f"{espace}:{nom}"
        for espace, (_, resolveur) in get_resolver().namespace_dict.items()
        for nom in resolveur.reverse_dict
        if isinstance(nom, str)
    }
    assert {page.url for page in GRILLE.pages} <= noms


@pytest.mark.parametrize(
    ("resultats", "taux", "etat"),
    [
        ("C" * 3, "100.0", "totalement conforme"),
        ("CNC", "50.0", "partiellement conforme"),
        ("CCN", "66.6", "partiellement conforme"),
        ("CNN", "33.3", "non conforme"),
        ("CAA", "100.0", "totalement conforme"),
    ],
)
def test_the_rate_counts_what_applies_and_never_rounds_up(resultats, taux, etat):
    if resultats == "CNC":
        resultats = "CN"
    lus = {"C": Resultat.CONFORME, "N": Resultat.NON_CONFORME, "A": Resultat.NON_APPLICABLE}
    criteres = tuple(Critere(f"1.{n}", "", lus[r], (), "") for n, r in enumerate(resultats, 1))
    grille = Grille("", GRILLE.date, "", "", (), "", (), (), criteres)
    assert (grille.taux, grille.etat) == (Decimal(taux), etat)


@pytest.mark.django_db
def test_the_declaration_is_the_grid(client, settings):
    settings.RESPONSABLE_TRAITEMENT, settings.ACCESSIBILITE_CONTACT = "La DDETS d’essai", "a11y@essai.example"
    conformes = [c for c in GRILLE.criteres if c.resultat == "C"]
    non_conformes = [c for c in GRILLE.criteres if c.resultat == "NC"]
    taux = 1000 * len(conformes) // (len(conformes) + len(non_conformes))
    page = texte(client.get(reverse("accessibilite")))
    assert f"{taux // 10},{taux % 10} % des critères applicables sont respectés" in page
    assert f"({len(conformes)} sur {len(conformes) + len(non_conformes)} ;" in page
    for critere in non_conformes:
        assert f"(critère {critere.numero})" in page and critere.note in page
    for audite in GRILLE.pages:
        assert audite.titre in page
    for attendu in ("La DDETS d’essai s’engage", "a11y@essai.example", "Défenseur des droits", "22 novembre"):
        assert attendu in page
    assert f"Accessibilité : {GRILLE.etat}" in texte(client.get(reverse("aide")))  # at the foot of each page
    grille = texte(client.get(reverse("accessibilite_grille")))
    assert all(critere.objet in grille for critere in GRILLE.criteres)


@pytest.mark.django_db
def test_without_a_contact_the_declaration_says_so(client, settings):
    settings.ACCESSIBILITE_CONTACT = ""
    page = texte(client.get(reverse("accessibilite")))
    assert "n’a pas encore donné d’adresse" in page and "mailto:" not in page
