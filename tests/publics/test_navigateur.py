"""In a real browser, past axe: the ground of a label on demand."""

from datetime import date

import pytest
from django.conf import settings
from django.test import Client

from flux.services.imputations import imputer
from publics.models import LectureSensible
from tests.flux.fabriques import ANNEE, actes_paca, attribution, liberation, menage, parc
from tests.pages_vues import sans_violation
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]


def entrer(page, live_server, utilisateur) -> None:
    client = Client()
    client.force_login(utilisateur)
    cle = client.session.session_key
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cle, "url": live_server.url}])


def test_ground_of_a_label_is_shown_on_demand_by_keyboard(page, live_server):
    """Nothing on the page but the group; the button tells, in place, and writes who was told, from where."""
    cast = distribuer()
    actes_paca(cast)
    parc(cast.bailleur_a)
    liberee = liberation(cast.bailleur_a, date(ANNEE, 3, 1), reservataire=cast.ddets_06)
    attribution(liberee, date(ANNEE, 4, 1), menage=menage("06", ("VIOLENCES", date(ANNEE, 1, 1))))
    imputer(liberations=[liberee.pk])
    entrer(page, live_server, cast.agent_ddets_06)
    adresse = f"/liberations/{liberee.pk}/"
    page.goto(adresse)
    assert "groupe 2" in page.content() and "iolence" not in page.content()
    assert not LectureSensible.objects.exists()
    page.get_by_role("button", name="Voir le motif").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Cette lecture est inscrite").wait_for()
    assert page.url.endswith(adresse) and "iolence" in page.content()
    lecture = LectureSensible.objects.get()
    assert (lecture.utilisateur, lecture.page) == (cast.agent_ddets_06, adresse)
    sans_violation(page)
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for nom in ("gestionnaire_a", "agent_sgc_06"):
        entrer(page, live_server, cast.gens[nom])
        page.goto(adresse)
        assert "groupe 2" in page.content() and "Voir le motif" not in page.content()
