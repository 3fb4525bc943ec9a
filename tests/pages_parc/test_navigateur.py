"""The import in a real browser with a real worker, by keyboard: deposit, progress, report, agreement, parc."""

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from reservation.models import EtatParc
from tests.pages_vues import violations
from tests.parc.fabrique import logement, logements, loi
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.travailleur, pytest.mark.lent]


def entrer(page, live_server, utilisateur) -> None:
    """Open a session without the sign-in form."""
    session = SessionStore()
    session[SESSION_KEY] = str(utilisateur.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = utilisateur.get_session_auth_hash()
    session.create()
    biscuit = {"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": live_server.url}
    page.context.add_cookies([biscuit])


def fautes(page) -> list[str]:
    """What axe finds on the page as it is, and whether it overflows."""
    trouvees = [f"{regle} : {elements}" for _, regle, elements in violations(page)]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        trouvees.append("la page déborde en largeur")
    return trouvees


def atteindre(page, texte: str) -> None:
    """Press Tab until the element that bears `texte` has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        vu = page.evaluate("(document.activeElement.innerText || document.activeElement.value || '').trim()")
        if vu.startswith(texte):
            return
    pytest.fail(f"« {texte} » ne s’atteint pas au clavier")


def activer(page, texte: str) -> None:
    atteindre(page, texte)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_file_becomes_a_parc_by_keyboard(page, live_server, travailleur, tmp_path):
    cast = distribuer()
    fichier = tmp_path / "rpls.csv"
    fichier.write_text(loi([*logements(40), logement(41, MODE="L")]))
    entrer(page, live_server, cast.gestionnaire_a)

    page.goto("/imports/")
    activer(page, "Importer un RPLS")
    assert fautes(page) == []
    page.set_input_files("[name=fichier]", fichier)
    page.locator("[name=millesime]").focus()
    page.keyboard.type("2025")
    activer(page, "Déposer et lire le fichier")

    # htmx asks for the fragment again under the strict content policy, then for the whole page.
    page.get_by_role("heading", level=1, name="Rapport d’import").wait_for(timeout=60_000)
    assert page.get_by_role("row", name="Mode d’occupation").is_visible()
    assert fautes(page) == []
    activer(page, "Relire et enregistrer")
    assert fautes(page) == [] and not EtatParc.objects.exists()
    activer(page, "Enregistrer 40 logements")
    page.get_by_role("heading", level=1, name="Import enregistré").wait_for(timeout=60_000)
    assert fautes(page) == []
    activer(page, "Voir le parc")
    assert page.get_by_role("heading", level=1).inner_text() == "Parc au 1er janvier 2025, Alpes-Maritimes"
    assert EtatParc.objects.get().logements == 40
