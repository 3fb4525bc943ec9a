"""Historique, journal, assistance and concurrent editing in a real browser, wide and narrow."""

from datetime import date

import pytest
from django.urls import reverse

from flux.models import CodeMotif
from reservation import contexte
from reservation.models import Convention
from tests.conventions.fabrique import brouillon
from tests.flux.fabriques import ANNEE, actes_paca, liberation
from tests.pages_vues import sans_violation
from tests.personnages import MOT_DE_PASSE, distribuer
from tests.traces.conftest import completer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]
DEBORDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def cast(transactional_db):
    cast = completer(distribuer())
    actes_paca(cast)
    cast.acte = brouillon(
        cast, cast.als, "20", numero="06-ALS-2028", debut=date(2028, 1, 1), fin=date(2030, 12, 31)
    )
    cast.liberation = liberation(cast.bailleur_a, date(ANNEE, 4, 1))
    with contexte.numeroter(), contexte.tracer("page", cast.acteur("gestionnaire_a")):
        contexte.motiver("numéro donné par la préfecture")
        Convention.objects.filter(pk=cast.acte.pk).update(numero="06-ALS-2028-bis", fin=date(2029, 12, 31))
    return cast


def entrer(page, personne) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse électronique").fill(personne.courriel)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/connexion/" not in url)


def verifier(page, nom: str, tmp_path) -> None:
    sans_violation(page)
    assert page.evaluate(DEBORDE) <= 0, nom
    page.screenshot(path=tmp_path / f"{nom}-{page.viewport_size['width']}.png", full_page=True)


@pytest.mark.parametrize("largeur", [1280, 390])
def test_an_assistance_under_its_red_banner(page, cast, largeur, tmp_path):
    page.set_viewport_size({"width": largeur, "height": 900})
    entrer(page, cast.support)
    page.goto("/assistance/")
    verifier(page, "assistance", tmp_path)
    page.get_by_label("Adresse électronique de la personne").fill(cast.signataire_a.courriel)
    page.get_by_label("Motif").fill("appel du 3 mars : un brouillon introuvable")
    page.get_by_role("button", name="Commencer").click()
    page.wait_for_url(lambda url: url.endswith("/"))
    page.goto("/conventions/")
    bandeau = page.get_by_label("Assistance en cours")
    assert "Signataire A" in bandeau.inner_text()
    verifier(page, "sous-assistance", tmp_path)
    bandeau.get_by_role("button", name="Quitter").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/assistance/")
    assert page.get_by_label("Assistance en cours").count() == 0


@pytest.mark.parametrize("largeur", [1280, 390])
def test_two_people_on_one_draft(page, navigateur, live_server, cast, largeur, tmp_path):
    """Each in a browser: the second keeps what was typed, reads what the first did, decides."""
    page.set_viewport_size({"width": largeur, "height": 900})
    url = reverse("reservation:convention_etape", args=[cast.acte.pk, "parties"])
    entrer(page, cast.autre_gestionnaire_a)
    page.goto(url)
    page.get_by_label("Numéro ou référence de l’acte").fill("choisi par le second")

    autre = navigateur.new_context(base_url=live_server.url, locale="fr-FR").new_page()
    entrer(autre, cast.gestionnaire_a)
    autre.goto(url)
    autre.get_by_label("Numéro ou référence de l’acte").fill("choisi par le premier")
    autre.get_by_role("button", name="Enregistrer et finir plus tard").click()
    autre.wait_for_url(lambda adresse: "etape" not in adresse)
    autre.context.close()

    page.get_by_role("button", name="Enregistrer et finir plus tard").click()
    page.get_by_text("Cette page a changé pendant que vous la remplissiez").wait_for()
    entre_temps = page.get_by_role("region", name="Ce qui a été enregistré entre-temps").inner_text()
    assert "Gestionnaire A" in entre_temps and "choisi par le premier" in entre_temps
    assert page.get_by_label("Numéro ou référence de l’acte").input_value() == "choisi par le second"
    verifier(page, "entre-temps", tmp_path)
    page.get_by_role("button", name="Enregistrer et finir plus tard").click()
    page.wait_for_url(lambda adresse: "etape" not in adresse)
    cast.acte.refresh_from_db()
    assert cast.acte.numero == "choisi par le second"


@pytest.mark.parametrize("largeur", [1280, 390])
def test_two_people_on_one_liberation(page, cast, client, largeur, tmp_path):
    """The act that the second was writing is no longer possible: its form stays, with the reason."""
    page.set_viewport_size({"width": largeur, "height": 900})
    entrer(page, cast.autre_gestionnaire_a)
    page.goto(reverse("flux:liberation", args=[cast.liberation.pk]))
    page.locator("label", has_text="Action Logement Services").first.click()
    client.force_login(cast.gestionnaire_a)
    assert (
        client.post(
            reverse("flux:liberation_acte", args=[cast.liberation.pk, "annuler"]),
            {
                "date": f"{ANNEE}-04-05",
                "motif": CodeMotif.objects.get(code="A_MAINTIEN").pk,
                "precision": "il reste",
            },
        ).status_code
        == 302
    )
    page.get_by_role("button", name="Orienter").first.click()
    entre_temps = page.get_by_role("region", name="Ce qui a été enregistré entre-temps")
    entre_temps.wait_for()
    assert "il reste" in entre_temps.inner_text()
    assert page.locator("input[name=reservataire]:checked").input_value() == str(cast.als.pk)
    page.erreurs.clear()  # Chromium says the 422 in its console
    verifier(page, "liberation-entre-temps", tmp_path)
