"""The conventions in the browser: the life of an act, by somebody who has only a keyboard and no sight of colours."""

import re

import pytest

from reservation.models import Convention
from tests.pages_vues import sans_violation
from tests.personnages import MOT_DE_PASSE, distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]
LARGEURS = (1280, 390)


@pytest.fixture
def cast(transactional_db):
    return distribuer()


def entrer(page, utilisateur) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse électronique").fill(utilisateur.courriel)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^https?://[^/]+/$"))


def sans_defaut(page) -> None:
    """At both widths: nothing that axe can see, and nothing wider than the screen."""
    for largeur in LARGEURS:
        page.set_viewport_size({"width": largeur, "height": 900})
        sans_violation(page)
        depassement = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert depassement <= 0, (page.url, largeur, depassement)
    page.set_viewport_size({"width": LARGEURS[0], "height": 900})


def test_from_the_model_to_the_avenant(page, cast):
    entrer(page, cast.agent_ddets_06)
    page.get_by_role("button", name="Parc et conventions").click()
    page.get_by_role("link", name="Conventions", exact=True).first.click()
    sans_defaut(page)
    page.get_by_role("link", name="Préparer une convention").click()
    sans_defaut(page)

    page.get_by_role("button", name="Enregistrer et continuer").click()
    erreurs = page.locator("#resume-erreurs")
    erreurs.wait_for()
    sans_defaut(page)
    erreurs.get_by_role("link", name="Bailleur").click()
    assert page.evaluate("document.activeElement.name") == "bailleur"

    page.get_by_label("Bailleur").select_option("Habitat Essai A")
    page.get_by_label("Réservataire").select_option("État")
    page.get_by_label("Numéro ou référence").fill("2025-06-ETAT")
    page.get_by_label("Première date d’effet").fill("2025-01-01")
    page.get_by_label("Dernier jour d’effet").fill("2027-12-31")
    page.get_by_role("button", name="Enregistrer et continuer").click()

    page.get_by_role("heading", name="Taux et territoire").wait_for()
    sans_defaut(page)
    page.get_by_label("Taux, en points").fill("30,01")
    page.get_by_role("button", name="Enregistrer et continuer").click()
    assert "30,00" in erreurs.inner_text()
    page.get_by_label("Taux, en points").fill("30")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Parc et soustractions").wait_for()
    sans_defaut(page)
    page.get_by_role("button", name="Enregistrer et continuer").click()
    page.get_by_role("heading", name="Gestion et objectifs").wait_for()
    sans_defaut(page)
    page.get_by_role("button", name="Enregistrer et continuer").click()

    page.get_by_role("heading", name="Rien ne s’oppose à la signature").wait_for()
    sans_defaut(page)
    page.get_by_label("Signé le").fill("2025-04-11")
    page.get_by_label("Signataires").fill("Le préfet des Alpes-Maritimes\nLa directrice du bailleur")
    page.get_by_role("button", name="Enregistrer la signature").click()
    page.get_by_text("28,63").first.wait_for()
    sans_defaut(page)

    page.get_by_role("link", name="Préparer un avenant").click()
    sans_defaut(page)
    page.get_by_label("En vigueur à partir du").fill("2026-01-01")
    page.get_by_label("Objet de l’avenant").fill("Révision du taux")
    page.get_by_label("Taux, en points").fill("28")
    page.get_by_role("button", name="Voir les différences").click()
    page.get_by_role("row", name=re.compile(r"Taux 30 28\s+points")).wait_for()
    sans_defaut(page)
    page.get_by_label("Signé le").fill("2025-12-01")
    page.get_by_role("button", name="Enregistrer la signature de l’avenant").click()
    page.get_by_text("Texte en vigueur, avenant 1 compris").wait_for()
    convention = Convention.objects.get()
    assert [(v.rang, v.taux) for v in convention.versions.all()] == [(0, 30), (1, 28)]
