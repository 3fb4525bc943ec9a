"""A letter in its archival PDF: what is printed is what was composed, twice the same bytes, text of people is only text."""

import io

import pypdf
import pytest

from bilans.documents import lettre as lettres
from bilans.regles.courriers import Genre
from bilans.regles.procedures import Lettre
from reservation.documents.moteur import Balisage
from tests.procedures.lettres_exemple import courrier

HOSTILE = "<b>gras</b> {% include 'x' %} {{ acteur }} & \"fin\" @constat"


def lu(pdf) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf.octets)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def plat(texte: str) -> str:
    return texte.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture(scope="module")
def signee():
    return lettres.rendre(courrier(Lettre.MISE_EN_DEMEURE))


def test_it_is_archival_and_tagged(signee):
    """PDF/A-2a: conformance said in its metadata, colours described, fonts inside, tags, language."""
    lecteur = pypdf.PdfReader(io.BytesIO(signee.octets))
    racine = lecteur.trailer["/Root"]
    xmp = racine["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in xmp.replace('"', "") or 'pdfaid:part="2"' in xmp
    assert "pdfaid:conformance" in xmp and racine["/OutputIntents"]
    assert racine["/MarkInfo"]["/Marked"] and racine["/Lang"].startswith("fr")
    assert lecteur.trailer["/ID"]
    polices = {
        police.get_object()["/BaseFont"].split("+")[-1]
        for page in lecteur.pages
        for police in page["/Resources"]["/Font"].values()
    }
    assert polices and all(nom.startswith(("Inter", "DejaVu")) for nom in polices)


@pytest.mark.parametrize("lettre", Lettre)
def test_the_signature_is_never_alone_on_its_page_nor_parted_from_the_remedies(lettre):
    c = courrier(lettre)
    pages = pypdf.PdfReader(io.BytesIO(lettres.rendre(c).octets)).pages
    derniere = plat(" ".join(pages[-1].extract_text().split()))
    fin = plat(c.salutation or c.signataire[0])
    assert fin in derniere and "Signature" in derniere
    assert all(plat(mention) in derniere for mention in c.lettre.mentions)
    assert (
        any(plat(texte)[-40:] in derniere.split(fin)[0] for texte in c.lettre.blocs[-1].textes)
        or c.lettre.blocs[-1].genre == Genre.CONSTAT
    )


def test_what_is_composed_is_printed(signee):
    c = courrier(Lettre.MISE_EN_DEMEURE)
    texte = plat(lu(signee))
    for bloc in c.lettre.blocs:
        for attendu in bloc.textes:
            assert plat(attendu) in texte, attendu
    for attendu in (
        "Bilan annuel 2025",
        "39 jours",
        "n° 0A 000 000 0000 0",
        "MED-22-2026-004",
        "le 8 avril 2026",
    ):
        assert attendu in texte
    assert "PROJET" not in texte and "Projet non signé" not in texte


def test_the_draft_is_the_same_letter_under_a_watermark(signee):
    """Only the watermark, the number at the foot and the word under the signature differ."""
    projet = courrier(Lettre.MISE_EN_DEMEURE, projet=True)
    rendu = lettres.rendre(projet)
    texte = lu(rendu)
    assert rendu.pages == signee.pages
    assert texte.count("PROJET") == 2 * rendu.pages  # on each page: the watermark and the foot
    propre = lettres.balisage(projet)
    for avant, apres in (
        ('<div class="filigrane">PROJET</div>', ""),
        ('data-reference="PROJET', 'data-reference="MED-22-2026-004'),
        ("Projet non signé", "Signature"),
    ):
        propre = propre.replace(avant, apres)
    assert propre == lettres.balisage(courrier(Lettre.MISE_EN_DEMEURE))


def test_twice_the_same_bytes(signee):
    assert lettres.rendre(courrier(Lettre.MISE_EN_DEMEURE)).empreinte == signee.empreinte


@pytest.mark.parametrize("lettre", Lettre)
def test_each_letter_is_laid_out_whole(lettre):
    """Every block of every letter has its markup, the table of the facts included."""
    c = courrier(lettre)
    contenu = lettres.balisage(c)
    genres = [b.genre for b in c.lettre.blocs]
    assert contenu.count("<h2>") == genres.count(Genre.TITRE)
    assert contenu.count('<ul class="vu">') == genres.count(Genre.VU)
    assert contenu.count("<caption>") == genres.count(Genre.CONSTAT) == 1
    decides = sum(b.decide and not (i and c.lettre.blocs[i - 1].decide) for i, b in enumerate(c.lettre.blocs))
    assert contenu.count('<div class="dispositif">') == decides
    Balisage(contenu)  # well-formed


def test_text_of_people_is_only_text():
    c = courrier(Lettre.REPORT, motif=HOSTILE)
    contenu = lettres.balisage(c)
    assert "<b>" not in contenu and "&lt;b&gt;gras&lt;/b&gt;" in contenu
    assert "{% include" in contenu and contenu.count("<caption>") == 1
