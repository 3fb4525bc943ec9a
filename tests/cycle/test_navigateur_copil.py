"""The figures of the COPIL in a real browser, by keyboard: région, département, bailleur, its bilan, then the files."""

import csv
import io
import zipfile

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from python_calamine import CalamineWorkbook

from bilans.regles.consolidation import ETAT, Niveau
from bilans.services import consolidation, cycle, regional
from bilans.services.documents import produire_document
from bilans.tasks import produire_regional
from reservation.acteur import Acteur
from reservation.documents.pdf import Pdf
from reservation.regles.typographie import entier_fr
from tests.bilans.conftest import ANNEE, FEVRIER, remplir
from tests.cycle.test_navigateur_cycle import accessible
from tests.flux.test_navigateur import entrer
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]


@pytest.fixture
def valide(transactional_db, sans_rendu, monkeypatch):
    """A validated bilan, the version of the COPIL, the regional files; the bytes of the PDFs are read by other tests."""
    monkeypatch.setattr(cycle, "rendre_texte", lambda contenu: Pdf(contenu.encode(), 1))
    for module in (cycle, regional):
        monkeypatch.setattr(module, "rendre", lambda document: Pdf(f"%PDF {document.reference}".encode(), 2))
    cast = distribuer()
    bilan = remplir(cast)
    marque = produire_document(Acteur.du_systeme("essai"), bilan, FEVRIER).document.empreinte_donnees
    cycle.soumettre(cast.acteur("signataire_a"), bilan, marque)
    cycle.produire_versions(cycle.valider(cast.acteur("agent_ddets_06"), bilan).pk)
    lue = consolidation.lire_consolidation(cast.acteur("charge_dreal"), ANNEE)
    produire_regional(ANNEE, "93", [d.code for d in lue.departements], True)
    return bilan, lue


@pytest.mark.parametrize("courriel", ["dreal@etat.example", "union@hlm.example"])
def test_from_the_region_to_the_files(page, valide, courriel):
    """The DREAL and the union HLM, the same pages and the same figures."""
    bilan, lue = valide
    ligne = lue.ligne(Niveau.BAILLEUR, str(bilan.bailleur_id))
    etat = ligne.contingent(ETAT)
    assert etat.attributions is None, "hidden beside the realised"

    def suivre(nom: str) -> None:
        page.get_by_role("link", name=nom, exact=True).last.focus()
        page.keyboard.press("Enter")

    def telecharger(lien) -> bytes:
        lien.focus()
        with page.expect_download() as attendu:
            page.keyboard.press("Enter")
        return attendu.value.path().read_bytes()

    entrer(page, courriel)
    page.goto(reverse("bilans:comite"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{lue.region.nom}, bilan {ANNEE}")
    accessible(page)
    suivre("06 Alpes-Maritimes")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"06 Alpes-Maritimes, bilan {ANNEE}")
    accessible(page)
    suivre(bilan.bailleur.nom)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{bilan.bailleur.nom}, bilan {ANNEE}")
    cellules = page.locator("section:has(#t-reservataires) tbody tr").first.locator("td")
    assert cellules.all_inner_texts() == [
        *(entier_fr(etat.du), entier_fr(etat.realise), "n.c."),
        entier_fr(etat.baux),
    ]
    expect(page.get_by_role("heading", name="État hors QPV")).to_be_visible()
    accessible(page)
    suivre("Bilan validé")
    expect(page.get_by_text("Validé par la DDETS")).to_be_visible()
    assert telecharger(page.get_by_role("link", name="PDF").first).startswith(b"%PDF BIL")

    page.goto(reverse("bilans:comite"))
    suivre("Documents et fichiers")
    page.wait_for_url(f"**{reverse('bilans:regional')}**")
    accessible(page)
    livre = CalamineWorkbook.from_filelike(
        io.BytesIO(telecharger(page.get_by_role("link", name="XLSX", exact=True)))
    )
    assert livre.sheet_names[0] == "Lire ce classeur" and livre.sheet_names[-1] == "Définitions"
    assert telecharger(page.get_by_role("link", name="PDF", exact=True)).startswith(b"%PDF REG-")
    pack = telecharger(page.get_by_role("link", name="Le pack (ZIP)"))
    assert "csv/contingents.csv" in zipfile.ZipFile(io.BytesIO(pack)).namelist()
    page.locator("summary", has_text="Les mêmes tables en CSV").press("Enter")
    lues = csv.DictReader(
        io.StringIO(telecharger(page.get_by_role("link", name="Objectifs et réalisé", exact=True)).decode())
    )
    [lue_csv] = [x for x in lues if x["niveau"] == "bailleur" and x["contingent"] == ETAT]
    assert (lue_csv["realise"], lue_csv["attributions"], lue_csv["secret"]) == (
        str(etat.realise),
        "",
        "true",
    )
