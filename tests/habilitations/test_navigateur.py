"""Accesses in the browser: invite → accept → change the roles → end, with a keyboard and no sight of colours."""

import re

import pytest
from django.urls import reverse

from reservation.models import Invitation, Utilisateur
from tests.pages_vues import sans_violation
from tests.personnages import MOT_DE_PASSE, distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]
LARGEURS = (1280, 390)
QUI_DEBORDE = """[...document.querySelectorAll("main *")]
    .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth)
    .map((e) => e.outerHTML.slice(0, 120))"""
NOUVEAU = "phrase longue et rare 2026"


@pytest.fixture
def cast(transactional_db):
    return distribuer()


def entrer(page, courriel: str, mot_de_passe: str = MOT_DE_PASSE) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse électronique").fill(courriel)
    page.get_by_label("Mot de passe").fill(mot_de_passe)
    page.keyboard.press("Enter")
    # Home, or the page of those who have no access (any more).
    page.wait_for_url(re.compile(r"^https?://[^/]+/(compte/sans-acces/)?$"))


def sortir(page) -> None:
    page.context.clear_cookies()


def sans_defaut(page) -> None:
    """At both widths: nothing that axe can see, and nothing wider than the screen."""
    for largeur in LARGEURS:
        page.set_viewport_size({"width": largeur, "height": 900})
        sans_violation(page)
        deborde = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(deborde) <= 0, (page.url, largeur, page.evaluate(QUI_DEBORDE))
    page.set_viewport_size({"width": LARGEURS[0], "height": 900})


def test_invite_accept_change_end(page, cast):
    entrer(page, "administration@a.example")
    page.get_by_role("link", name="Habitat Essai A").first.click()
    page.get_by_role("link", name="Inviter").click()
    sans_defaut(page)
    page.get_by_role("button", name="Envoyer l’invitation").click()
    page.locator("#resume-erreurs").wait_for()
    assert all("422" in erreur for erreur in page.erreurs)
    page.erreurs.clear()
    sans_defaut(page)
    page.get_by_label("Adresse électronique professionnelle").fill("neuf@a.example")
    page.get_by_label("Lecture :").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Envoyer l’invitation").click()
    page.get_by_role("table", name="Invitations en attente").get_by_role(
        "rowheader", name=re.compile("neuf@a.example")
    ).wait_for()
    sans_defaut(page)

    sortir(page)
    page.goto(reverse("reservation:invitation", args=[Invitation.objects.get().secret]))
    sans_defaut(page)
    page.get_by_label("Votre nom").fill("Personne Neuve")
    page.get_by_label("Mot de passe", exact=False).first.fill(NOUVEAU)
    page.get_by_label("Le même mot de passe").fill(NOUVEAU)
    page.get_by_role("button", name="Ouvrir mon compte").click()
    page.get_by_text("Votre compte est ouvert").wait_for()
    entrer(page, "neuf@a.example", NOUVEAU)
    page.get_by_role("link", name="Mes accès").first.click()
    page.get_by_role("heading", name="Habitat Essai A").wait_for()
    sans_defaut(page)

    sortir(page)
    entrer(page, "administration@a.example")
    page.goto(reverse("reservation:mon_organisation"))
    page.get_by_role("link", name="Modifier l’accès de Personne Neuve").click()
    sans_defaut(page)
    page.get_by_label("Gestion :").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Enregistrer les rôles").click()
    page.get_by_text("Les rôles de Personne Neuve sont changés.").wait_for()
    neuf = Utilisateur.objects.get(courriel="neuf@a.example")
    assert set(neuf.rattachements.actifs().values_list("role", flat=True)) == {"LECTURE", "GESTION"}
    page.get_by_role("link", name="Modifier l’accès de Personne Neuve").click()
    page.get_by_label("Motif").fill("A changé de poste")
    page.get_by_role("button", name="Terminer l’accès").click()
    page.get_by_text("L’accès de Personne Neuve est terminé.").wait_for()
    assert not neuf.rattachements.actifs().exists()

    sortir(page)
    entrer(page, "neuf@a.example", NOUVEAU)
    page.goto(reverse("reservation:mes_acces"))
    page.get_by_text("Votre compte n’est rattaché à aucune organisation.").wait_for()
    sans_defaut(page)
