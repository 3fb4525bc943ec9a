"""The grid of a commission in a real browser: entered by keyboard alone, checked live, read by axe, wide and narrow."""

import pytest
from django.urls import reverse

from flux.models import Attribution
from tests.flux.fabriques import actes_paca, liberation
from tests.flux.test_commissions import garnir, hier, planifier
from tests.flux.test_navigateur import entrer
from tests.pages_vues import sans_violation
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def commission(transactional_db):
    cast = distribuer()
    actes_paca(cast)
    preparee = planifier(cast)
    garnir(
        cast,
        preparee,
        liberation(cast.bailleur_a, hier(), reservataire=cast.als),
        liberation(cast.bailleur_a, hier(), reservataire=cast.commune_cannes),
    )
    return preparee


def test_a_whole_commission_by_keyboard_alone(page, commission):
    entrer(page, "gestion@a.example")
    page.goto(reverse("flux:commission", args=[commission.pk]))
    page.wait_for_load_state("networkidle")
    premiers = list(commission.passages.order_by("liberation_id", "pk"))
    page.locator(f"#p{premiers[0].pk}-decision").focus()
    clavier = page.keyboard
    # Two at rank 1: told at once, where it is and at the top, without losing the focus.
    for touche in ("b", "1", "Enter", "1", "Enter", "2"):
        clavier.press(touche)
    page.get_by_text("Deux candidats au rang 1").first.wait_for()
    fautif = page.locator(f"#p{premiers[1].pk}-rang")
    page.wait_for_function(
        "id => document.getElementById(id).ariaInvalid === 'true'", arg=f"p{premiers[1].pk}-rang"
    )
    assert page.evaluate("document.activeElement.id") == f"p{premiers[2].pk}-decision"
    sans_violation(page)
    # Back one line: the third is refused, with its motive, then the second takes rank 2.
    clavier.press("d")
    clavier.press("Tab")
    clavier.type("Comp")
    clavier.press("Enter")
    fautif.focus()
    clavier.press("Backspace")
    clavier.press("2")
    clavier.press("Enter")
    page.locator("#resumes").get_by_text("Deux candidats au rang 1").wait_for(state="detached")
    page.locator(f"#p{premiers[3].pk}-decision").focus()
    for touche in ("b", "1", "Enter", "2", "Enter", "3", "Enter"):
        clavier.press(touche)
    assert page.evaluate("document.activeElement.id") == "vers-cloture"
    page.get_by_text("Pour clôturer").wait_for(state="detached")
    assert list(commission.passages.order_by("liberation_id", "pk").values_list("decision", "rang")) == [
        ("ATTR_RANG", 1),
        ("ATTR_RANG", 2),
        ("NON_ATTR", None),
        ("ATTR_RANG", 1),
        ("ATTR_RANG", 2),
        ("ATTR_RANG", 3),
    ]
    clavier.press("Enter")
    page.wait_for_url("**/cloturer/")
    for _ in range(page.locator('input[name="point"]').count()):
        case = page.locator('input[name="point"]:not(:checked)').first
        case.focus()
        clavier.press("Space")
    page.get_by_role("button", name="Clôturer la commission").focus()
    clavier.press("Enter")
    page.get_by_text("Commission close").wait_for(timeout=60_000)
    assert Attribution.objects.count() == 2
    assert page.get_by_text("Procès-verbal, version 1").is_visible()


def test_without_script_every_field_is_there(navigateur, live_server, commission):
    contexte = navigateur.new_context(base_url=live_server.url, java_script_enabled=False)
    try:
        page = contexte.new_page()
        entrer(page, "gestion@a.example")
        page.goto(reverse("flux:commission", args=[commission.pk]))
        passage = commission.passages.order_by("liberation_id", "pk").first()
        page.locator(f"#p{passage.pk}-decision").select_option("ATTR_RANG")
        page.locator(f"#p{passage.pk}-rang").fill("1")
        page.get_by_role("button", name="Enregistrer les décisions").first.click()
        page.wait_for_url("**#ligne-*")
        passage.refresh_from_db()
        assert (passage.decision, passage.rang) == ("ATTR_RANG", 1)
    finally:
        contexte.close()
