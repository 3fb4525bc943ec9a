"""The campaign in a real browser, wide and narrow: projection sent, share agreed, dates moved, the tableau de bord read."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from bilans.services import rappels
from flux.models import Commission, Nature
from flux.services.calculs import calculer
from flux.services.imputations import imputer
from publics.models import PropositionLabel
from tests.flux.fabriques import actes_paca, attribution, liberation, menage, parc
from tests.personnages import distribuer
from tests.traces.test_navigateur import entrer, verifier

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def cast(transactional_db):
    """Two bailleurs of the Alpes-Maritimes in the year under way: one on its way, one that attributes nothing."""
    cast, jour = distribuer(), timezone.localdate()
    for bailleur in (cast.bailleur_a, cast.bailleur_b):
        actes_paca(cast, bailleur)
        parc(bailleur, millesime=jour.year)
    for n in range(9):
        libre = liberation(
            cast.bailleur_a, date(jour.year, 1, 1 + n), reservataire=cast.ddets_06, qpv=n % 3 == 0
        )
        labels = [("EXPULSION", date(2024, 1, 1))] if n < 8 else []
        attribution(libre, date(jour.year, 1, 2 + n), menage=menage("06", *labels))
    for bailleur in (cast.bailleur_a, cast.bailleur_b):
        imputer(paires=[(bailleur.pk, "06")])
        for nature in (Nature.PREVISIONNEL, Nature.DEFINITIF):
            calculer(bailleur.pk, "06", jour.year, nature, "essai")
    Commission.objects.create(bailleur=cast.bailleur_a, departement_id="06", date=jour + timedelta(days=2))
    PropositionLabel.objects.create(
        menage=menage("06"),
        categorie_id="EXPULSION",
        departement_id="06",
        saisie_par=cast.bailleur_a,
        saisie_le=jour,
        echeance=jour + timedelta(days=15),
    )
    rappels.rappeler()
    return cast


def test_journey_of_a_campaign(page, navigateur, live_server, cast, tmp_path):
    annee = timezone.localdate().year
    projection = reverse("bilans:projection", args=[cast.bailleur_a.pk, "06", annee])
    entrer(page, cast.gestionnaire_a)
    verifier(page, "accueil-bailleur", tmp_path)
    page.goto(projection)
    page.get_by_role("button", name="Transmettre à mes réservataires").click()
    page.get_by_text("Version 1 transmise").wait_for()
    page.get_by_label("Logements réservés à Action Logement").fill("9")
    page.keyboard.press("Enter")
    page.get_by_text("Proposition transmise").wait_for()
    verifier(page, "projection-bailleur", tmp_path)
    autre = navigateur.new_context(base_url=live_server.url, viewport={"width": 390, "height": 900})
    try:
        telephone = autre.new_page()
        entrer(telephone, cast.charge_als)
        telephone.goto(projection)
        telephone.get_by_role("button", name="Accuser réception").click()
        telephone.get_by_text("Réception accusée.").wait_for()
        telephone.get_by_role("button", name="Accepter").click()
        telephone.get_by_text("le préfet en est informé").wait_for()
        verifier(telephone, "projection-als", tmp_path)
        telephone.goto(reverse("bilans:campagnes"))
        telephone.get_by_role("button", name="Créer l’adresse").click()
        telephone.get_by_label("Adresse de l’agenda").wait_for()
        verifier(telephone, "campagnes-als", tmp_path)
    finally:
        autre.close()
    ddets = navigateur.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    try:
        bureau = ddets.new_page()
        entrer(bureau, cast.agent_ddets_06)
        verifier(bureau, "accueil-ddets", tmp_path)
        ligne = bureau.get_by_role("row", name="Habitat Essai A flux")
        realise = ligne.get_by_role("link", name="8", exact=True).first
        realise.focus()
        bureau.keyboard.press("Enter")
        bureau.get_by_text("8 lignes").first.wait_for()
        bureau.go_back()
        bureau.get_by_text("Pourquoi ce classement").click()
        bureau.get_by_text("plus d’un dixième en dessous").first.wait_for()
        bureau.set_viewport_size({"width": 390, "height": 900})
        verifier(bureau, "accueil-ddets", tmp_path)
        bureau.set_viewport_size({"width": 1280, "height": 900})
        bureau.pdf(path=tmp_path / "accueil-ddets.pdf", prefer_css_page_size=True)
        bureau.goto(reverse("bilans:campagne", args=["departement", "06", annee + 1]))
        verifier(bureau, "campagne", tmp_path)
        bureau.get_by_role("link", name="Changer les dates").click()
        groupe = bureau.get_by_role("group", name="Bilan annuel")
        groupe.get_by_label("Toléré jusqu’au").fill(f"{annee + 1}-03-10")
        groupe.get_by_label("Raison").fill("réunion du comité le 10 mars")
        verifier(bureau, "campagne-modifier", tmp_path)
        bureau.get_by_role("button", name="Enregistrer").click()
        bureau.get_by_text("Dates enregistrées").wait_for()
        assert "10 mars" in bureau.get_by_role("row", name="Bilan annuel").inner_text().replace("\u00a0", " ")
        bureau.goto(reverse("bilans:rappels"))
        verifier(bureau, "rappels", tmp_path)
    finally:
        ddets.close()
