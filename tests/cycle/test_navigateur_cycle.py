"""A bilan from the signature to the validation, in a real browser, by keyboard: one demand, one line mended, one version read."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from bilans.documents.pdf import Pdf
from bilans.models import VersionCopil, VersionReservataire
from bilans.regles.cycle import EtatBilan
from bilans.services import cycle
from bilans.services.documents import produire_document
from flux.models import Attribution
from flux.services.file_de_calcul import traiter
from reservation.acteur import Acteur
from tests.bilans.conftest import ANNEE, remplir
from tests.flux.test_navigateur import entrer
from tests.pages_vues import sans_violation
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]

SYSTEME = Acteur.du_systeme("travailleur")


@pytest.fixture
def bilan(transactional_db, sans_rendu, monkeypatch):
    """The bytes of the PDFs are read by other tests."""
    monkeypatch.setattr(cycle, "rendre_texte", lambda contenu: Pdf(contenu.encode(), 1))
    monkeypatch.setattr(cycle, "rendre", lambda document: Pdf(f"%PDF {document.reference}".encode(), 2))
    return remplir(distribuer())


def accessible(page) -> None:
    """Nothing that axe can see, nothing wider than the screen, wide and narrow."""
    for largeur in (390, 1280):
        page.set_viewport_size({"width": largeur, "height": 900})
        sans_violation(page)
        deborde = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(deborde) <= 0, largeur


def test_from_the_signature_to_the_validation(page, bilan):
    suivi = reverse("bilans:suivi", args=[bilan.pk])

    def venir(courriel: str, adresse: str = suivi) -> None:
        page.context.clear_cookies()
        entrer(page, courriel)
        page.goto(adresse)

    def presser(bouton: str, dit: str) -> None:
        page.get_by_role("button", name=bouton, exact=True).focus()
        page.keyboard.press("Enter")
        page.get_by_text(dit).first.wait_for()

    def ouvrir(resume: str) -> None:
        page.locator("summary", has_text=resume).focus()
        page.keyboard.press("Enter")

    def signer() -> None:
        page.get_by_label("J’ai lu le PDF").focus()
        page.keyboard.press("Space")
        presser("Signer et soumettre à la DDETS", "Le bilan est soumis")

    produire_document(SYSTEME, bilan)
    venir("signature@a.example")
    expect(page.get_by_role("heading", name="Avant de signer")).to_be_visible()
    accessible(page)
    signer()
    accessible(page)
    page.get_by_role("link", name="Accusé de réception").wait_for()

    venir("ddets06@etat.example")
    ouvrir("Demander un complément")
    page.get_by_label("Chiffre concerné").select_option("LIGNES")
    page.get_by_label("Votre demande").focus()
    page.keyboard.type("Le bail du 1er août manque.")
    presser("Envoyer la demande", "La demande est envoyée")
    accessible(page)

    # The one line that it bears on, and no other: the lease is entered, a libération would be refused.
    ligne = Attribution.objects.get(bailleur=bilan.bailleur, liberation__financement="PLAI")
    venir("gestion@a.example", reverse("flux:liberation", args=[ligne.liberation_id]))
    ouvrir("Enregistrer le bail")
    page.locator("#id_bail_date").fill(f"{ANNEE}-08-01")
    presser("Enregistrer le bail", "Bail enregistré")
    page.goto(suivi)
    page.get_by_label("Votre réponse").focus()
    page.keyboard.type("Bail enregistré.")
    presser("Envoyer la réponse sur Tableau des attributions", "La réponse est envoyée")
    traiter("06", ANNEE)
    produire_document(SYSTEME, bilan)
    venir("signature@a.example")
    signer()
    assert [e.document.version for e in cycle.lire_cycle(bilan).soumissions] == [1, 2]

    venir("ddets06@etat.example")
    ouvrir("Valider le bilan")
    presser("Valider, et figer les chiffres", "Le bilan est validé")
    accessible(page)
    assert cycle.lire_cycle(bilan).etat == EtatBilan.VALIDE

    recue = VersionReservataire.objects.get(reservataire__type="ACTION_LOGEMENT", version=2)
    venir("als@als.example", reverse("bilans:liste"))
    page.get_by_role("link", name=f"Bilan {ANNEE}, version 2").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('bilans:recu', args=[recue.pk])}")
    accessible(page)

    venir("dreal@etat.example", reverse("bilans:copil", args=[VersionCopil.objects.get().pk]))
    expect(page.get_by_text("Validé par la DDETS")).to_be_visible()
    accessible(page)
