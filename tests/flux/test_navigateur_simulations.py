"""A simulation in a real browser, by keyboard: tried, seen at once, kept, shared, read by who it was shared with."""

from datetime import date

import pytest
from django.urls import reverse

from flux.models import Nature, Simulation
from flux.services.calculs import calculer
from tests.flux.fabriques import ANNEE, convention, convention_etat, liberation, parc
from tests.flux.test_navigateur import entrer
from tests.pages_vues import sans_violation
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def cast(transactional_db):
    cast = distribuer()
    convention_etat(cast.bailleur_a, cast.ddets_06)
    convention(cast.bailleur_a, cast.als, taux="20")
    parc(cast.bailleur_a)
    for jour in range(1, 21):
        liberation(cast.bailleur_a, date(ANNEE, 3, jour))
    calculer(cast.bailleur_a.pk, "06", ANNEE, Nature.DEFINITIF, "essai")
    return cast


def regarder(page) -> None:
    """Nothing that axe sees, nothing wider than the screen, wide and narrow."""
    for largeur in (1280, 390):
        page.set_viewport_size({"width": largeur, "height": 900})
        sans_violation(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= largeur, (page.url, largeur)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_an_act_is_tried_kept_and_shared(page, cast):
    entrer(page, "ddets06@etat.example")
    page.goto(reverse("flux:simulation_atelier", args=[cast.bailleur_a.pk, "06"]))
    assert page.get_by_text("Rien n’est changé.").count() == 1
    page.get_by_label("Taux, Action Logement Services").focus()
    page.keyboard.type("30")
    page.keyboard.press("Tab")
    page.get_by_text("Action Logement Services gagne 2 logements").first.wait_for()
    fermes = page.locator("details.groupe:not([open]) > summary")
    while fermes.count():
        fermes.first.press("Enter")
    regarder(page)
    page.locator("#id_titre").fill("Trente points")
    page.get_by_role("button", name="Enregistrer").press("Enter")
    page.get_by_role("heading", name="Trente points").wait_for()
    page.get_by_label("Partager avec").select_option(label="Action Logement Services")
    page.get_by_role("button", name="Partager").press("Enter")
    page.get_by_text("lit désormais cette simulation").wait_for()
    regarder(page)
    simulation = Simulation.objects.get()
    page.context.clear_cookies()
    entrer(page, "als@als.example")
    page.goto(reverse("flux:simulation", args=[simulation.pk]))
    assert page.locator("table.simule tbody tr").count() == 1
    page.goto(reverse("flux:simulations"))
    assert page.get_by_text("partagée avec vous").count() == 1
    regarder(page)
