"""In a real browser, past axe, narrow and wide: a proposal from the operator to the label, the COMED from the keyboard."""

import os

import pytest
from django.urls import reverse
from django.utils import timezone

from publics.models import Labellisation, PropositionLabel
from tests.flux.fabriques import actes_paca, attribution, liberation, menage, parc
from tests.pages_vues import sans_violation
from tests.personnages import distribuer
from tests.publics.test_navigateur import entrer

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]


def tenir(page, nom: str) -> None:
    """No sideways scrolling at either width, nothing that axe finds."""
    for largeur in (390, 1280):
        page.set_viewport_size({"width": largeur, "height": 900})
        if dossier := os.environ.get("IMAGES_LABELS"):
            page.screenshot(path=f"{dossier}/{nom}-{largeur}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), nom
    sans_violation(page)


def test_from_the_proposal_to_the_label_and_the_comed(page, live_server):
    cast = distribuer()
    actes_paca(cast)
    parc(cast.bailleur_a)
    jour = timezone.localdate()
    liberee = liberation(cast.bailleur_a, jour, reservataire=cast.ddets_06)
    attribution(liberee, jour, menage=menage("06"), agent=True, agent_adapte=True)

    entrer(page, live_server, cast.operateur)
    page.goto(reverse("publics:label_creer"))
    page.get_by_label("Numéro unique").fill("0061125DEMO0000042")
    page.get_by_label("Motif de priorité").select_option("HEBERGEMENT")
    page.get_by_label("Tailles demandées").fill("T2 à T3")
    tenir(page, "proposer")
    page.get_by_role("button", name="Envoyer la proposition").click()
    page.get_by_text("Proposition envoyée").wait_for()
    tenir(page, "mes-propositions")
    assert PropositionLabel.objects.get().saisie_par == cast.operateur_06

    entrer(page, live_server, cast.agent_ddets_06)
    page.goto("/")
    tenir(page, "accueil-ddets")
    page.get_by_role("link", name="1 proposition de label à décider").click()
    page.get_by_role("button", name="Lire les motifs").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Hébergé dans l’hébergement généraliste").wait_for()
    page.get_by_label("Choisir la demande").check(force=True)
    page.get_by_label("accorder", exact=True).check(force=True)
    page.set_viewport_size({"width": 390, "height": 900})
    case, numero = (page.locator(f"tbody {ou}").first.bounding_box() for ou in ("input", "th"))
    assert case["y"] + case["height"] <= numero["y"]  # the box beside its title, not over the number
    tenir(page, "file")
    page.get_by_role("button", name="Décider", exact=True).click()
    page.get_by_text("1 proposition accordée").wait_for()

    page.goto(reverse("publics:comed"))
    page.get_by_label("Secteur préconisé").fill("Cannes")
    for numero in ("0061125DEMO0000101", "0061125DEMO0000102"):
        page.get_by_label("Numéro unique").fill(numero)
        page.keyboard.press("Enter")
        page.get_by_text(f"demande …{numero[-4:]}. Au suivant").wait_for()
        assert page.evaluate("document.activeElement.name") == "numero_unique"
        assert page.get_by_label("Secteur préconisé").input_value() == "Cannes"
    tenir(page, "comed")
    assert Labellisation.objects.filter(source="COMED", secteur=["06029"]).count() == 2

    page.goto(reverse("publics:labels"))
    tenir(page, "labels")
    page.get_by_role("link", name="0042").click()
    page.get_by_role("heading", name="Le rang du ménage").wait_for()
    tenir(page, "label")
    for nom, adresse in (
        ("agents", reverse("flux:agents")),
        ("reglages", reverse("publics:reglages", args=["06"])),
        ("reglages-apercu", reverse("publics:reglages_modifier", args=["06"]) + "?modele=PACA"),
        ("agent-deposer", reverse("publics:agent_deposer")),
        ("personne", reverse("publics:droits_menage")),
    ):
        page.goto(adresse)
        tenir(page, nom)
