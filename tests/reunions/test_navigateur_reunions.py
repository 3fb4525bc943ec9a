"""A meeting in a real browser, by keyboard: the DREAL prepares, notes and closes; who owes the action says it is done."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from bilans.models import ActionReunion, CompteRendu, PointReunion, Reunion
from tests.flux.test_navigateur import entrer
from tests.pages_vues import sans_violation
from tests.personnages import distribuer
from tests.reunions.conftest import avec_la_dreal

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def cast(transactional_db):
    return avec_la_dreal(distribuer())


def accessible(page) -> None:
    """Nothing that axe can see, nothing wider than the screen, narrow then wide."""
    for largeur in (390, 1280):
        page.set_viewport_size({"width": largeur, "height": 900})
        sans_violation(page)
        deborde = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(deborde) <= 0, largeur


def test_a_meeting_by_keyboard_then_its_action(page, cast):
    def presser(nom: str) -> None:
        page.get_by_role("button", name=nom, exact=True).focus()
        page.keyboard.press("Enter")

    entrer(page, "copil@etat.example")
    page.goto(reverse("bilans:reunion_preparer"))
    jour = timezone.localdate()
    page.get_by_label("Date").fill(jour.isoformat())
    page.get_by_label("Heure", exact=True).fill("09:30")
    page.locator("#id_lieu").focus()
    page.keyboard.type("Salle 2")
    presser("Préparer")
    page.get_by_text("L’ordre du jour est vide").wait_for()
    presser("Ajouter les points permanents")
    page.get_by_role("heading", name="1. Suivi des objectifs de la gestion en flux").wait_for()
    accessible(page)
    presser("Ouvrir la séance")
    page.get_by_text("tout ce que vous notez est enregistré aussitôt").wait_for()
    etat = page.locator("#etat-notes")
    premier = PointReunion.objects.get(rang=1)

    # What is typed is saved by itself, and what is typed while it is saved is not lost.
    page.locator(f"#n{premier.pk}").focus()
    page.keyboard.type("Le réalisé est atteint.")
    expect(etat).to_contain_text("Enregistré à")
    page.keyboard.type(" Deux départements attendent.", delay=40)
    expect(page.locator(f"#revision-{premier.pk}")).not_to_have_value("1")
    page.locator(f"#nd{premier.pk}").focus()
    page.keyboard.type("Un plan de rattrapage est demandé.")
    page.keyboard.press("Enter")
    page.locator(f"#decisions-{premier.pk} textarea").wait_for()
    expect(page.locator(f"#nd{premier.pk}")).to_be_focused()
    expect(page.locator(f"#nd{premier.pk}")).to_have_value("")
    # An action that lacks something stays in its fields.
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(f"#na{premier.pk}")).to_be_focused()
    page.keyboard.type("Remettre le plan")
    page.keyboard.press("Enter")
    expect(etat).to_contain_text("Choisissez qui doit faire cette action")
    expect(page.locator(f"#na{premier.pk}")).to_have_value("Remettre le plan")
    page.locator(f"#nr{premier.pk}").select_option(str(cast.bailleur_a.pk))
    page.locator(f"#ne{premier.pk}").fill((jour + timedelta(days=6)).isoformat())
    page.locator(f"form:has(#na{premier.pk}) button").focus()
    page.keyboard.press("Enter")
    page.locator(f"#actions-{premier.pk} select").wait_for()
    page.locator(f"#decisions-{premier.pk} textarea").fill("Un plan de rattrapage est demandé sous un mois.")
    page.get_by_label("Présence, Union HLM (essai)").select_option("PRESENT")
    expect(etat).to_contain_text("Enregistré à")
    accessible(page)
    page.wait_for_timeout(1200)
    page.get_by_role("link", name="Relire et clôturer").click()
    page.get_by_text("Un plan de rattrapage est demandé sous un mois.").wait_for()
    accessible(page)
    page.get_by_label("Envoyer aussitôt").focus()
    page.keyboard.press("Space")
    presser("Clôturer la réunion")
    page.get_by_role("link", name="Relevé de décisions, version 1").wait_for()
    accessible(page)
    assert (
        PointReunion.objects.get(pk=premier.pk).notes
        == "Le réalisé est atteint. Deux départements attendent."
    )
    assert (Reunion.objects.get().etat, CompteRendu.objects.count()) == ("CLOSE", 1)

    page.context.clear_cookies()
    entrer(page, "gestion@a.example")
    page.goto("/")
    page.get_by_role("link", name="Remettre le plan").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Remettre le plan").wait_for()
    accessible(page)
    presser("Dire qu’elle est faite")
    page.get_by_text("son alerte a disparu").wait_for()
    page.goto("/")
    assert page.get_by_role("link", name="Remettre le plan").count() == 0
    assert ActionReunion.objects.get().realisee_le == jour
