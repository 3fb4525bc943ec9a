"""An access of the API, in a real browser, by keyboard."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from flux.services import bac_a_sable
from reservation.models import AbonnementWebhook, LivraisonWebhook
from reservation.services import jetons
from tests.api.conftest import SYSTEME
from tests.flux.test_navigateur import entrer
from tests.pages_vues import sans_violation
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def cast(transactional_db):
    cast = distribuer()
    jetons.ouvrir_jeton(
        SYSTEME,
        cast.bailleur_a,
        cast.administrateur_a,
        nom="Gestion locative",
        role="LECTURE",
        fin=jetons.fin_maximale(),
    )
    bac_a_sable.ouvrir()
    webhook = AbonnementWebhook.objects.create(
        organisation=cast.bailleur_a,
        nom="Gestion locative",
        url="https://logiciel-de-gestion-locative.example/webhooks/reservations",
        sujets=["liberation", "bail", "bilan"],
        tirage="x",
        suspendu_le=timezone.now(),
        suspendu_pour="20 essais manqués de suite",
    )
    message = {
        "abonnement": webhook,
        "organisation": cast.bailleur_a,
        "ressource": "liberations",
        "statut": 204,
    }
    LivraisonWebhook.objects.create(
        **message,
        type="liberation.creation",
        identifiants=[1, 2],
        essais=1,
        etat="REMISE",
        remise_le=timezone.now(),
    )
    LivraisonWebhook.objects.create(
        **message, type="bail.creation", essais=8, etat="ECHEC", erreur="Réponse 500"
    )
    LivraisonWebhook.objects.create(**message, type="essai", essais=1, erreur="Pas de réponse (TimeoutError)")
    return cast


def verifier(page, adresse: str) -> None:
    sans_violation(page)
    deborde = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(deborde) <= 0, adresse


def test_a_webhook_is_added_tried_and_resumed_by_keyboard(page, cast):
    entrer(page, "administration@a.example")
    page.goto(reverse("reservation:organisation_acces", args=[cast.bailleur_a.pk]))
    page.get_by_role("link", name="Webhooks").press("Enter")
    page.get_by_role("link", name="Ajouter un webhook").press("Enter")
    page.get_by_role("textbox", name="Nom").fill("Paie")
    page.get_by_role("textbox", name="Adresse du logiciel").fill("https://paie.example/recu")
    page.get_by_label("Baux signés").press("Space")
    page.get_by_role("button", name="Ajouter le webhook").press("Enter")
    assert page.get_by_label("Secret").input_value().startswith("whsec_")
    verifier(page, "secret du webhook")
    page.get_by_role("link", name="Je l’ai copié").press("Enter")
    page.get_by_role("button", name="Envoyer un essai").press("Enter")
    page.get_by_role("rowheader", name=re.compile("^essai ")).wait_for()
    page.goto(reverse("reservation:webhook", args=[AbonnementWebhook.objects.get(nom="Gestion locative").pk]))
    page.get_by_role("button", name="Reprendre").press("Enter")
    page.get_by_role("button", name="Renvoyer le message").last.press("Enter")
    page.get_by_text("Le message part à nouveau").wait_for()


def test_a_token_is_opened_by_keyboard(page, cast):
    entrer(page, "administration@a.example")
    page.goto(reverse("reservation:jetons", args=[cast.bailleur_a.pk]))
    page.get_by_role("link", name="Ouvrir un accès API").press("Enter")
    page.get_by_role("textbox", name="Logiciel").fill("Serveur de production")
    page.get_by_label("Agit au nom de").select_option(label="Gestionnaire A")
    page.get_by_label("Gestion : déclarer, orienter, attribuer, comme elle").press("Space")
    page.get_by_label("Libérations, orientations, attributions, baux : écrire").press("Space")
    page.get_by_role("button", name="Ouvrir l’accès API").press("Enter")
    page.get_by_text("L’accès API est ouvert").wait_for()
    assert page.get_by_role("row", name="Serveur de production").is_visible()
