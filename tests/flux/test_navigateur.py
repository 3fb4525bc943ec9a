"""The pages of the flux in a real browser: its drawing, a new version that comes by itself."""

from datetime import date

import pytest
from django.urls import reverse

from flux.models import CalculFlux, Nature
from flux.services.calculs import calculer
from tests.flux.fabriques import ANNEE, actes_paca, liberation, parc
from tests.personnages import MOT_DE_PASSE, NICE, distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def cast(transactional_db):
    cast = distribuer()
    actes_paca(cast)
    parc(cast.bailleur_a, lots=[{}, {"commune_id": NICE, "qpv": True}, {"nombre": 30, "finan": "16"}])
    liberation(cast.bailleur_a, date(ANNEE, 4, 1))
    for nature in Nature:
        calculer(cast.bailleur_a.pk, "06", ANNEE, nature, "Premier calcul")
    return cast


def entrer(page, courriel: str) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse électronique").fill(courriel)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/connexion/" not in url)


def adresse(cast, nom: str = "detail") -> str:
    return reverse(f"flux:{nom}", args=[cast.bailleur_a.pk, "06", ANNEE])


def test_the_drawing_is_named_and_in_the_font_of_the_page(page, cast):
    entrer(page, "gestion@a.example")
    page.goto(adresse(cast))
    dessin = page.locator("svg.cascade[role=img]").first
    assert dessin.locator("title").text_content() == "Cascade du flux"
    assert "logements à partager" in dessin.locator("desc").text_content()
    police = "e => getComputedStyle(e).fontFamily"
    assert dessin.locator("text").first.evaluate(police) == page.locator("body").evaluate(police)


@pytest.mark.travailleur
def test_declare_and_see_the_new_version_come_by_itself(page, cast, travailleur):
    entrer(page, "gestion@a.example")
    page.goto(adresse(cast, "soustractions"))
    page.get_by_label("Mutations dans le parc du bailleur").fill("10")
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_text("prévisionnel, version 2").wait_for(timeout=60_000)
    assert page.locator("#attente").count() == 0
    calcul = CalculFlux.objects.en_vigueur().get(nature="PREVISIONNEL")
    assert (calcul.version, calcul.soustractions) == (2, 10)
