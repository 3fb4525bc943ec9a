"""Orientations in a real browser: a choice by keyboard alone."""

from datetime import date

import pytest
from django.urls import reverse

from flux.models import Consultation, Orientation, Programme
from flux.services import orientations
from reservation.acteur import Acteur
from tests.flux.fabriques import ANNEE, convention, convention_etat, liberation, parc
from tests.flux.test_navigateur import entrer
from tests.personnages import CANNES, distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def cast(transactional_db):
    cast = distribuer()
    convention_etat(cast.bailleur_a, cast.ddets_06, gestion="DIRECTE", delai_proposition=15)
    convention(cast.bailleur_a, cast.als, taux="27")
    convention(cast.bailleur_a, cast.commune_cannes, taux="10", communes=[CANNES])
    parc(cast.bailleur_a)
    for rang in range(3):
        liberation(cast.bailleur_a, date(ANNEE, 3, 1 + rang))
    programme = Programme.objects.create(
        bailleur=cast.bailleur_a,
        departement_id="06",
        commune_id=CANNES,
        nom="Les Essais",
        reference="OP-1",
        livraison=date(ANNEE, 9, 1),
        logements=4,
    )
    Consultation.objects.create(
        programme=programme,
        bailleur=cast.bailleur_a,
        departement_id="06",
        reservataire=cast.als,
        consulte_le=date(ANNEE, 2, 1),
    )
    liberation(cast.bailleur_a, date(ANNEE, 9, 1), premiere=True)
    directe = liberation(cast.bailleur_a, date(ANNEE, 3, 9))
    orientations.orienter_liberation(
        Acteur.du_systeme("essais"), directe, reservataire=cast.ddets_06, date=date(ANNEE, 3, 10)
    )
    return cast


def test_another_choice_by_keyboard_is_asked_its_reason(page, cast):
    entrer(page, "gestion@a.example")
    libre = cast.bailleur_a.liberations.filter(reservataire=None, premiere=False).earliest("date")
    page.goto(reverse("flux:liberation", args=[libre.pk]))
    # The reason is the last column: read without scrolling at the width of a desk.
    page.set_viewport_size({"width": 1280, "height": 900})
    debord = page.locator(".choix-reservataire .defile").evaluate("e => e.scrollWidth - e.clientWidth")
    assert debord <= 0
    suggere = page.locator(".choix-reservataire input:checked")
    suggere.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("vous ne suivez pas la suggestion").wait_for()
    page.get_by_label("Motif du choix").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Autre choix que la suggestion").wait_for()
    page.erreurs[:] = [e for e in page.erreurs if "422" not in e]  # the refusal, which the browser logs
    choix = Orientation.objects.get(liberation=libre)
    assert choix.motif is not None and choix.suggere_id != choix.reservataire_id
