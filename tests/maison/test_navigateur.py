"""The fixture `page`: Debian's Chromium on the live site, and what it refuses to overlook."""

import pytest


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
