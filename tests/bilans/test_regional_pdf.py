"""The regional document as it leaves: its pages, its table of contents, its text, what it says of hidden cells."""

import io
import re

import pypdf
import pytest

from bilans.documents import pdf
from bilans.documents.regional import composer_regional, nom_du_fichier
from bilans.regles.consolidation import ETAT, consolider
from reservation.regles.typographie import entier_fr
from tests.bilans.exemple import LIEUX, REGION, attendu
from tests.documents_balises import fautes_pdf


@pytest.fixture(scope="module")
def lue():
    bilans = [attendu(1, "06", 400), attendu(2, "06", 60, valide=False), attendu(4, "84", 90)]
    return consolider(2025, REGION, bilans, masque=True)


@pytest.fixture(scope="module")
def document(lue):
    return composer_regional(lue, nom_du_fichier(lue))


@pytest.fixture(scope="module")
def rendu(document):
    return pdf.rendre(document)


def lire(page) -> str:
    """The words of a page, one space between them."""
    return " ".join(re.sub("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", " ", page.extract_text()).split())


@pytest.fixture(scope="module")
def pages(rendu) -> list[str]:
    return [lire(page) for page in pypdf.PdfReader(io.BytesIO(rendu.octets)).pages]


def test_pages_are_numbered_and_tagged(rendu, pages, document):
    assert rendu.pages == len(pages) >= 5
    for rang, page in enumerate(pages, 1):
        assert f"Page {rang} / {len(pages)}" in page
        assert "cellules de moins de onze ménages masquées" in page
    assert not fautes_pdf(rendu.octets)
    assert pypdf.PdfReader(io.BytesIO(rendu.octets)).metadata.title == document.titre


def test_the_table_of_contents_sends_to_the_right_pages(rendu, pages, document):
    """Each section, the page that it says, the link, the bookmark."""
    lecteur = pypdf.PdfReader(io.BytesIO(rendu.octets))
    sommaire = pages[0].partition("Sommaire")[2]
    signets = {
        lire_signet(signet.title): lecteur.get_destination_page_number(signet)
        for signet in aplatir(lecteur.outline)
    }
    assert len(document.sections) == 2 + len(LIEUX) + 2
    for section in document.sections:
        titre = lire_signet(section.titre)
        trouve = re.search(rf"{re.escape(titre)}[ .]*?(\d+)\b", sommaire)
        assert trouve, titre
        page = int(trouve[1])
        assert pages[page - 1].count(titre) > (page == 1), titre
        assert signets[titre] == page - 1, titre
    liens = [a.get_object() for a in lecteur.pages[0].get("/Annots", [])]
    assert len([a for a in liens if a["/Subtype"] == "/Link"]) >= len(document.sections)


def lire_signet(titre: str) -> str:
    return " ".join(re.sub("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", " ", titre).split())


def aplatir(signets):
    for signet in signets:
        if isinstance(signet, list):
            yield from aplatir(signet)
        else:
            yield signet


def test_hidden_cells_are_explained_and_hidden(lue, pages):
    tout = " ".join(pages)
    [methode] = [page for page in pages if "Pourquoi certaines cellules sont masquées" in page]
    for mot in (
        "Règle première",
        "Règle seconde",
        "Garantie",
        "Exemple, sur des nombres inventés",
        "de 0 à 15",
    ):
        assert mot in methode, mot
    assert "moins le réalisé, elles donnent les ménages" in methode
    assert "n.c. : non communiqué, moins de 11 ménages, ou ce qui permettrait de les retrouver." in tout
    for d in lue.departements:
        etat, [feuille] = d.contingent(ETAT), [p for p in pages if f"Les bailleurs : {d.nom}" in p]
        titres = feuille.partition("Attributions de l’État par titre")[2]
        vus = ["n.c." if t.nombre is None else entier_fr(t.nombre) for t in d.titres]
        vus.append("n.c." if etat.attributions is None else entier_fr(etat.attributions))
        assert etat.attributions is None
        assert f"{d.nom} {' '.join(vus)} " in titres.replace("\u202f", " ")
        assert f"{etat.realise}" in feuille
    assert "Bilan non validé : Bailleur 2" in tout and "1. Comparaison des départements" in tout
