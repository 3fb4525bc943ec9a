"""The PDF: what is read in it, with which fonts, tagged for those who do not see it, and the same bytes each time."""

import io
import re
import subprocess
import sys
from dataclasses import replace

import pypdf
import pytest

from bilans.documents import pdf
from bilans.documents.composition import composer_bilan
from bilans.documents.modele import Reference
from bilans.regles.donnees import empreinte
from config.serveurs import RACINE
from reservation.documents import moteur
from reservation.documents.polices import DOSSIER
from tests.bilans.exemple import exemple

PETIT = {"flux": 24, "collectivites": 1}


def composer(**options):
    donnees = exemple(**options)
    return composer_bilan(donnees, Reference("BIL-2025-84-000000042-v1", 1, empreinte(donnees)))


@pytest.fixture(scope="module")
def document():
    return composer(**PETIT)


@pytest.fixture(scope="module")
def rendu(document):
    return pdf.rendre(document)


@pytest.fixture(scope="module")
def lecteur(rendu):
    return pypdf.PdfReader(io.BytesIO(rendu.octets))


@pytest.fixture(scope="module")
def texte(lecteur):
    return "\n".join(page.extract_text() for page in lecteur.pages)


def test_pages(rendu, lecteur):
    assert rendu.pages == len(lecteur.pages) > 4
    tailles = [(round(p.mediabox.width), round(p.mediabox.height)) for p in lecteur.pages]
    assert tailles[0] == (595, 842)
    assert tailles[-1] == (842, 595)


def test_every_page_says_what_it_is(lecteur, document):
    for rang, page in enumerate(lecteur.pages, 1):
        lu = " ".join(page.extract_text().split())
        assert f"Page {rang} / {len(lecteur.pages)}" in lu.replace("\u00a0", " ")
        assert "BIL-2025-84-000000042-v1 · données au 31/12/2025 · empreinte" in lu
        assert "Données de démonstration" in lu
        if rang > 1:
            assert document.courant[0] in lu
            assert "État, convention" in lu


def test_every_table_is_there(texte, document):
    plat = re.sub(r"\s+", " ", texte)
    for tableau in document.tableaux:
        assert re.sub(r"\s+", " ", tableau.etiquette) in plat
    for section in document.sections:
        assert section.titre in plat


def test_verdict_and_fingerprint_are_printed(texte, document):
    plat = re.sub(r"\s+", " ", texte)
    for paragraphe in document.une.verdict.paragraphes:
        for phrase, _ in paragraphe:
            assert re.sub(r"\s+", " ", phrase) in plat
    assert document.empreinte in texte.replace("\n", "").replace(" ", "")


def test_only_the_shipped_fonts(lecteur):
    polices = set()
    for page in lecteur.pages:
        for police in page["/Resources"]["/Font"].values():
            (descendant,) = police["/DescendantFonts"]
            descripteur = descendant["/FontDescriptor"]
            assert "/FontFile2" in descripteur or "/FontFile3" in descripteur
            polices.add(descripteur["/FontName"].split("+")[1])
    assert polices
    assert {nom.split("-")[0] for nom in polices} <= {"Inter", "DejaVu"}
    assert all("document" in nom for nom in polices), "une police du système a été prise"


def test_tagged_for_screen_readers(lecteur):
    racine = lecteur.trailer["/Root"]
    assert racine["/MarkInfo"]["/Marked"]
    assert racine["/Lang"] == "fr"
    assert racine["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "/StructTreeRoot" in racine
    assert b"pdfuaid" in lecteur.trailer["/Root"]["/Metadata"].get_data()
    assert lecteur.metadata.title.startswith("Bilan annuel 2025 de la gestion en flux")
    assert lecteur.metadata.author == "Exemple Ventoux Habitat"


def elements(noeud, genre):
    """Structure elements of one kind, anywhere in the tree."""
    noeud = noeud.get_object()
    if isinstance(noeud, pypdf.generic.ArrayObject):
        for enfant in noeud:
            yield from elements(enfant, genre)
    elif isinstance(noeud, pypdf.generic.DictionaryObject):
        if noeud.get("/S") == genre:
            yield noeud
        if "/K" in noeud:
            yield from elements(noeud["/K"], genre)


def test_every_drawing_has_its_words(lecteur, document):
    arbre = lecteur.trailer["/Root"]["/StructTreeRoot"]
    textes = {figure.get("/Alt") for figure in elements(arbre, "/Figure")}
    assert None not in textes
    dessins = [b.dessin.alternative for s in document.sections for b in s.blocs if b.gabarit == "figure"]
    dessins += [
        cellule.valeur.alternative
        for tableau in document.tableaux
        for ligne in tableau.lignes
        for cellule in ligne.cellules
        if cellule.format == "DESSIN" and cellule.valeur
    ]
    assert len(dessins) > 5
    assert set(dessins) <= textes


def test_tables_have_headers_and_captions(lecteur, document):
    arbre = lecteur.trailer["/Root"]["/StructTreeRoot"]
    tables = list(elements(arbre, "/Table"))
    assert len(tables) >= len(document.tableaux)
    assert len(list(elements(arbre, "/Caption"))) >= len(document.tableaux)
    cellules = [td for table in tables[2:] for td in elements(table, "/TD")]
    assert cellules
    sans = [td for td in cellules if "/Headers" not in str(td.get("/A", ""))]
    # Only what spans columns without a heading, and the words of an empty table.
    assert len(sans) <= 6


def test_bookmarks_follow_the_sections(lecteur, document):
    def titres(plan):
        for entree in plan:
            if isinstance(entree, list):
                yield from titres(entree)
            else:
                yield entree.title

    lus = list(titres(lecteur.outline))
    assert document.une.titre in lus
    assert [titre for titre in lus if titre in {s.titre for s in document.sections}] == [
        s.titre for s in document.sections
    ]


# --- The same bytes -----------------------------------------------------------------------------------------


def test_twice_the_same_bytes(document, rendu):
    assert pdf.rendre(composer(**PETIT)).octets == rendu.octets


SCRIPT = """
import django
django.setup()
from tests.bilans.test_pdf import PETIT, composer
from bilans.documents import pdf
print(pdf.rendre(composer(**PETIT)).empreinte)
"""


def test_another_process_makes_the_same_bytes(rendu):
    """Another hash seed, another directory of fonts loaded, another clock: nothing of it gets into the file."""
    sortie = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=RACINE,
        env={
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "PATH": "/usr/bin:/bin",
            "PYTHONHASHSEED": "4242",
            "TZ": "Pacific/Kiritimati",
            "HOME": "/nonexistent",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert sortie.stdout.strip() == rendu.empreinte


def test_other_figures_other_identifier(document):
    autre = replace(document, empreinte="0" * 64)
    assert pdf.identifiant(autre) != pdf.identifiant(document)
    assert pdf.identifiant(replace(document, reference="v2")) != pdf.identifiant(document)


# --- What it may read ---------------------------------------------------------------------------------------


def test_a_document_fetches_nothing():
    for adresse in ("http://exemple.test/x.png", "file:///etc/passwd", f"{DOSSIER.as_uri()}/../x"):
        with pytest.raises(ValueError, match="rien chercher ailleurs"):
            moteur.PoliceSeule().fetch(adresse)
    assert moteur.PoliceSeule().fetch((DOSSIER / "Inter-Bold.otf").as_uri()).read()[:4] == b"OTTO"


def test_text_of_people_is_only_text():
    """Markup in a name or in the appreciation is printed as it was typed."""
    donnees = exemple(**PETIT, appreciation="<script>alert(1)</script> & <img src=x>")
    contenu = pdf.balisage(composer_bilan(donnees, Reference("B", 1, empreinte(donnees))))
    assert "<script" not in contenu
    assert "&lt;script&gt;" in contenu
    moteur.Balisage(contenu)


def test_the_sheet_has_no_variable_left():
    clair = moteur.feuille_en_clair(moteur.FEUILLE.read_text())
    assert "var(--" not in clair
    assert "#1d3f6e" in clair


@pytest.mark.lent
def test_a_long_document_has_a_table_of_contents():
    long = composer(flux=400, collectivites=9)
    lecteur = pypdf.PdfReader(io.BytesIO(pdf.rendre(long).octets))
    plat = " ".join(" ".join(p.extract_text().split()) for p in lecteur.pages[:4])
    assert "Sommaire" in plat
    annexe = long.sections[-1].titre
    page = next(
        i for i, p in enumerate(lecteur.pages, 1) if annexe in " ".join(p.extract_text().split()) and i > 4
    )
    assert re.search(rf"pour le compte du préfet[ .\u00a0]*{page}\b", plat)


def test_a_short_document_has_none(texte):
    assert "Sommaire" not in texte
