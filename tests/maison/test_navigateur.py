"""The fixture `page`: Debian's Chromium on the live site, and what it refuses to overlook."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from config.exploitation import maintenance
from config.exploitation.maintenance import Maintenance
from tests.pages_vues import sans_violation


@pytest.mark.navigateur
def test_the_site_opens_in_the_browser(page, live_server):
    reponse = page.goto("/connexion/")
    assert reponse.ok
    assert page.get_by_role("heading", level=1).is_visible()


@pytest.mark.navigateur
def test_errors_of_the_console_are_kept(page):
    """An inline script, which the content policy refuses, and a file that does not exist."""
    page.goto("/connexion/")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'f()'}))")
    page.evaluate("fetch('/static/absent.js')")
    page.wait_for_timeout(500)
    assert ["Content Security Policy" in page.erreurs[0], "404" in page.erreurs[1]] == [True, True]
    page.erreurs.clear()


@pytest.mark.navigateur
def test_the_browser_does_not_leave_the_machine(navigateur):
    from playwright.sync_api import Error

    with navigateur.new_context() as contexte, pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED|ERR_"):
        contexte.new_page().goto("http://exemple.test/", timeout=5000)


@pytest.mark.navigateur
@pytest.mark.parametrize(
    ("dans", "lecture", "titre"),
    [
        (None, False, "Le site fonctionne"),
        (timedelta(hours=2), False, "Maintenance annoncée"),
        (timedelta(0), False, "Maintenance en cours"),
        (timedelta(0), True, "Maintenance : le site se lit"),
    ],
)
def test_the_status_page_by_keyboard(page, dans, lecture, titre):
    """Whatever it says: axe finds nothing, nothing is wider than the screen, each link is reached and seen."""
    if dans is not None:
        de = timezone.now() + dans
        maintenance.ecrire(Maintenance("Mise à jour.", de, de + timedelta(hours=1), lecture))
    page.goto("/etat/")
    page.erreurs.clear()  # a closed site answers 503, which the console says
    expect(page.get_by_role("heading", name=titre)).to_be_visible()
    for largeur in (390, 1280):
        page.set_viewport_size({"width": largeur, "height": 900})
        sans_violation(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= largeur
    vus = []
    for _ in range(2):
        page.keyboard.press("Tab")
        vus.append(page.evaluate("document.activeElement.textContent.trim()"))
        contour = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert contour != "none", vus
    assert vus == ["Gestion en flux", "Revenir à l’accueil"]
    page.keyboard.press("Enter")
    page.wait_for_url(lambda adresse: "/etat/" not in adresse)
    page.erreurs.clear()
