"""The main job, in the browser, with a real worker: RPLS → assiette → flux → parts → bilan PDF."""

import gzip
import io
import re
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader

from reservation.acteur import Acteur
from reservation.models import Convention, Departement
from reservation.services.conventions import creer_convention, modifier_version, signer_convention
from tests.pages_vues import sans_violation
from tests.personnages import MOT_DE_PASSE, distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.travailleur, pytest.mark.xdist_group("travailleur")]

RPLS = Path(__file__).parent.parent / "donnees" / "rpls" / "cannes_2018_extrait_abime.csv"
SYSTEME = Acteur.du_systeme("essai")
TRAVAIL = 60_000  # ms


@pytest.fixture
def cast(transactional_db):
    cast = distribuer()
    departement = Departement.objects.get(pk="06")
    for reservataire, numero, taux in ((cast.ddets_06, "ETAT-06", None), (cast.als, "ALS-06", Decimal(20))):
        convention = creer_convention(
            SYSTEME,
            bailleur=cast.bailleur_a,
            reservataire=reservataire,
            departement=departement,
            numero=numero,
            debut=date(2025, 1, 1),
            fin=date(2027, 12, 31),
            modele=Convention.Modele.PACA,
        )
        # The open file tells no lease date: the rotation comes from the convention of the État.
        valeurs = {"taux_rotation": Decimal("8.5")} if taux is None else {"taux": taux}
        modifier_version(SYSTEME, convention.versions.get(), **valeurs)
        signer_convention(
            SYSTEME, convention, signee_le=date(2024, 12, 15), signataires="Le préfet", confirmer=True
        )
    return cast


def entrer(page, courriel: str) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse électronique").fill(courriel)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Importer le RPLS").wait_for()


def sans_defaut(page) -> None:
    """No accessibility violation that axe can see."""
    sans_violation(page)


def attendre(page, url: str, texte: str) -> str:
    """Text of the page once it says `texte`: the worker computes while the person comes back to it."""
    fin = time.monotonic() + TRAVAIL / 1000
    while texte not in (corps := page.locator("main").inner_text()) or not page.url.endswith(url):
        assert time.monotonic() < fin, corps
        page.goto(url)
        page.wait_for_timeout(500)
    return corps


def test_from_the_rpls_file_to_the_signed_bilan(page, cast, travailleur, tmp_path):
    depot = tmp_path / "rpls-cannes.csv.gz"
    depot.write_bytes(gzip.compress(RPLS.read_bytes()))
    lignes = len(RPLS.read_bytes().splitlines()) - 1

    entrer(page, "gestion@a.example")
    sans_defaut(page)
    page.get_by_role("link", name="Importer le RPLS").click()
    page.get_by_role("link", name="Importer un RPLS").first.click()
    sans_defaut(page)
    page.get_by_label("Fichier RPLS").set_input_files(depot)
    page.get_by_label("Situation au 1er janvier de").select_option("2018")
    page.get_by_role("button", name="Déposer et lire le fichier").click()
    relire = page.get_by_role("link", name="Relire et enregistrer").first
    relire.wait_for(timeout=TRAVAIL)
    sans_defaut(page)
    relire.click()
    sans_defaut(page)
    page.get_by_role("button", name=re.compile("^Enregistrer ")).click()
    page.get_by_role("link", name=re.compile("^Voir le parc")).first.click(timeout=TRAVAIL)

    assert page.get_by_role("heading", level=1).inner_text().startswith("Parc au 1er janvier 2018")
    assert page.locator(".chiffres li").first.locator("strong").inner_text() == str(lignes)
    assert page.locator("svg.cascade").first.is_visible()
    sans_defaut(page)

    annee = date.today().year
    corps = attendre(page, f"/flux/{cast.bailleur_a.pk}/06/{annee}/", "28,63")
    assert "30,00" in corps and "1,37" in corps
    sans_defaut(page)

    page.get_by_role("button", name="Bilans et suivi").click()
    page.get_by_role("link", name="Bilans", exact=True).first.click()
    page.wait_for_url(re.compile(r"/bilans/"))
    ouvrir = page.get_by_role("button", name=re.compile("^Ouvrir "))
    if ouvrir.count():
        ouvrir.click()
    page.locator("main table tbody a").first.click()
    sans_defaut(page)
    produire = page.get_by_role("button", name="Produire le PDF").first
    if produire.count():
        produire.click()
    lien = page.locator("a[href$='.pdf']").first
    lien.wait_for(timeout=TRAVAIL)
    with page.expect_download() as telechargement:
        lien.evaluate("a => { a.setAttribute('download', ''); a.click(); }")
    texte = "".join(
        feuille.extract_text()
        for feuille in PdfReader(io.BytesIO(telechargement.value.path().read_bytes())).pages
    )
    assert "Habitat Essai A" in texte
    assert "28,63" in texte
