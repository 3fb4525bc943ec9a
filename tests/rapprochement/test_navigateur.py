"""In a real browser, narrow and wide, past axe: from the counter to the sentence, a state, a match by hand."""

import pytest
from django.conf import settings
from django.test import Client

from flux.models import CorrectionRapprochement, EcartRapprochement, LigneRapprochement
from tests.pages_vues import sans_violation
from tests.personnages import distribuer
from tests.rapprochement.fabrique import passer

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cast(transactional_db):
    return distribuer()


def verifier(page) -> None:
    for largeur in (390, 1280):
        page.set_viewport_size({"width": largeur, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), largeur
    sans_violation(page)


def test_from_a_counter_to_a_match_by_hand(page, live_server, monde):
    cast, cas = monde
    rapprochement = passer(cast)
    client = Client()
    client.force_login(cast.gestionnaire_a)
    cle = client.session.session_key
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cle, "url": live_server.url}])
    page.goto("/rapprochements/")
    verifier(page)
    page.locator("main tbody th a").first.click()
    page.get_by_text("attributions récupérables").wait_for()
    verifier(page)
    # By keyboard: a counter, a line, its state.
    page.get_by_role("navigation", name="Écarts à traiter").get_by_role("link", name="bail manquant").focus()
    page.keyboard.press("Enter")
    page.get_by_role("row", name="Bail manquant").get_by_role("checkbox").check()
    page.get_by_label("État").select_option("EN_COURS")
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_text("1 écart modifié").wait_for()
    assert EcartRapprochement.objects.get(nature="BAIL_ABSENT").etat == "EN_COURS"
    seule = LigneRapprochement.objects.get(rapprochement=rapprochement, attribution=None)
    page.goto(f"/rapprochements/lignes/{seule.pk}/")
    verifier(page)
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.get_by_label("Pourquoi").select_option("NUMERO_MAL_SAISI")
    page.get_by_role("button", name="Rapprocher ces deux lignes").click()
    page.get_by_text("Rapprochées à la main").first.wait_for()
    assert CorrectionRapprochement.objects.get().attribution_id == cas["ici_seul"].pk
