"""Action Logement then a commune, in a real browser: the home page, a figure and its lines, the refusals, the note."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.bilans.conftest import ANNEE, remplir
from tests.cycle.test_navigateur_cycle import accessible
from tests.flux.test_navigateur import entrer
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def bilan(transactional_db):
    return remplir(distribuer())


def test_als_and_a_commune_read_their_contingent(page, bilan, monkeypatch):
    entrer(page, "als@als.example")
    page.get_by_label("Année", exact=True).select_option(str(ANNEE))
    page.get_by_role("button", name="Afficher").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Où en est {ANNEE}")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="logements orientés, voir les lignes").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Logements orientés")).to_be_visible()

    monkeypatch.setattr("config.accueil.DEPARTEMENTS_EN_DETAIL", 0)  # as if everywhere
    page.goto(f"/?annee={ANNEE}")
    expect(page.get_by_role("heading", name="département par département")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Alpes-Maritimes (06)").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="bailleur par bailleur")).to_be_visible()

    page.goto(f"{reverse('bilans:refus')}?annee={ANNEE}")
    page.get_by_label("Croiser les motifs avec").select_option("financement")
    page.get_by_role("button", name="Afficher").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="D’une année à l’autre")).to_be_visible()
    accessible(page)

    page.context.clear_cookies()
    entrer(page, "logement@cannes.example")
    page.goto(f"/?annee={ANNEE}")
    accessible(page)
    note = page.get_by_role("link", name="Note pour le conseil (PDF)").get_attribute("href")
    reponse = page.request.get(page.url.split("/?")[0] + note)
    assert reponse.ok and reponse.body().startswith(b"%PDF-")
