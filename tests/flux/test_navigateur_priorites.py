"""From the indicators to a designation, in a real browser: nothing that axe can see, nothing too wide, by keyboard."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from flux.models import Candidat, Designation
from flux.services import orientations
from flux.services.imputations import imputer
from reservation.acteur import Acteur
from reservation.models import Convention
from tests.flux.fabriques import attribution, convention, convention_etat, liberation, menage
from tests.flux.test_navigateur import entrer
from tests.pages_vues import attendre_une_image, sans_violation
from tests.personnages import CANNES, distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def cast(transactional_db):
    cast = distribuer()
    jour = timezone.localdate()
    convention_etat(cast.bailleur_a, cast.ddets_06, gestion="DIRECTE", delai_proposition=15)
    convention(cast.bailleur_a, cast.als, taux="27")
    convention(cast.bailleur_a, cast.commune_cannes, taux="10", communes=[CANNES])
    Convention.objects.update(modele="PACA")
    for rang in range(8):
        loge = liberation(
            cast.bailleur_a,
            date(jour.year, 1, 2 + rang),
            reservataire=(cast.ddets_06, cast.als, cast.commune_cannes, cast.bailleur_a)[rang % 4],
        )
        labels = [("SANS_ABRI", date(2024, 1, 1))] if rang < 3 else []
        attribution(loge, date(jour.year, 1, 12 + rang), menage=menage("06", *labels))
    imputer(paires=[(cast.bailleur_a.pk, "06")])
    for rang, (categorie, manuelle) in enumerate(
        [("DALO", True), ("HEBERGEMENT", True), ("EXPULSION", False), ("L441_1_C", True)]
    ):
        attend = menage("06", (categorie, date(2024, 1, 1) + timedelta(days=rang)))
        attend.labels.update(manuelle=manuelle)
    libre = liberation(cast.bailleur_a, jour - timedelta(days=5))
    orientations.orienter_liberation(
        Acteur.du_systeme("essais"), libre, reservataire=cast.ddets_06, date=jour - timedelta(days=2)
    )
    return cast


def test_from_the_indicators_to_a_designation(page, cast):
    entrer(page, "ddets06@etat.example")
    # The menu in groups, by keyboard: opened, left without a choice, opened again, one level down.
    page.set_viewport_size({"width": 1280, "height": 900})
    groupe = page.get_by_role("button", name="Bilans et suivi")
    groupe.focus()
    page.keyboard.press("Enter")
    expect(groupe).to_have_attribute("aria-expanded", "true")
    sans_violation(page)
    page.keyboard.press("Escape")
    expect(groupe).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    for _ in range(page.locator("#navigation a:visible").count()):
        page.keyboard.press("Tab")
        if page.locator("#navigation a:focus").inner_text() == "Indicateurs":
            break
    expect(page.locator("#navigation a:focus")).to_have_text("Indicateurs")
    attendre_une_image(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**" + reverse("bilans:indicateurs"))
    designation = Designation.objects.get()
    # A figure and its lines.
    page.goto(reverse("bilans:indicateurs"))
    lien = page.locator("#c-quarts ~ tbody a").nth(1)
    nombre = lien.evaluate("e => e.firstChild.textContent.trim()")
    lien.click()
    page.get_by_text(f"Exporter {nombre} ligne").wait_for()
    # From the page of the dwelling to the list, then one household by keyboard alone.
    page.goto(reverse("flux:a_pourvoir", args=[designation.pk]))
    page.get_by_role("link", name="Voir les candidats possibles").click()
    premier = page.get_by_role("row", name="groupe 1")
    premier.get_by_role("button").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Candidat proposé.").wait_for()
    premier.get_by_text("déjà proposé pour ce logement").wait_for()
    assert premier.get_by_role("button").count() == 0
    assert Candidat.objects.get().menage.labels.get().categorie_id == "DALO"
