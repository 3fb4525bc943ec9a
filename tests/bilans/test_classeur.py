"""The workbook: the same figures with their types, the whole list of attributions, and no formula in it."""

import io
import zipfile
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest
from python_calamine import CalamineWorkbook

from bilans.documents.composition import composer_bilan
from bilans.documents.modele import Reference
from bilans.exports import classeur
from bilans.regles.donnees import empreinte
from tests.bilans.exemple import exemple

NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def produire(donnees):
    document = composer_bilan(donnees, Reference("BIL-2025-84-000000042-v1", 1, empreinte(donnees)))
    return document, classeur(document, donnees)


@pytest.fixture(scope="module")
def donnees():
    return exemple()


@pytest.fixture(scope="module")
def octets(donnees):
    return produire(donnees)[1]


@pytest.fixture(scope="module")
def livre(octets):
    return CalamineWorkbook.from_filelike(io.BytesIO(octets))


def feuille(octets: bytes, nom: str) -> ElementTree.Element:
    """The XML of a sheet."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        classeur_ = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        noms = [f.get("name") for f in classeur_.iterfind("x:sheets/x:sheet", NS)]
        return ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{noms.index(nom) + 1}.xml"))


def test_one_sheet_per_section_and_the_list(livre):
    assert livre.sheet_names[0] == "Bilan"
    assert livre.sheet_names[1] == "Objectifs et tests"
    assert livre.sheet_names[-1] == "Attributions"
    assert len(set(livre.sheet_names)) == len(livre.sheet_names)
    assert all(len(nom) <= 31 for nom in livre.sheet_names)


def test_every_attribution_is_in_the_list(livre, donnees):
    lignes = livre.get_sheet_by_name("Attributions").to_python()
    assert len(lignes) == len(donnees.attributions) + 1
    assert lignes[1][2] == donnees.attributions[0].date_caleol
    contingents = {ligne[1] for ligne in lignes[1:]}
    assert {"État", "Action Logement Services", "Bailleur", "Hors flux"} <= contingents


def test_the_list_has_a_fixed_filtered_header(octets, donnees):
    page = feuille(octets, "Attributions")
    assert page.find("x:sheetViews/x:sheetView/x:pane", NS).get("state") == "frozen"
    assert page.find("x:sheetViews/x:sheetView/x:pane", NS).get("ySplit") == "1"
    assert page.find("x:autoFilter", NS).get("ref").endswith(str(len(donnees.attributions) + 1))


def test_cells_are_typed(livre, donnees):
    lignes = livre.get_sheet_by_name("Objectifs et tests").to_python()
    etat = next(ligne for ligne in lignes if ligne[0] == "État")
    part = donnees.part("ETAT")
    assert etat[2] == pytest.approx(float(part.exacte))
    assert (etat[5], etat[8], etat[9]) == (part.objectif_total, part.realise, part.ecart)
    assert isinstance(etat[10], str)
    liste = livre.get_sheet_by_name("Attributions").to_python()
    assert all(isinstance(ligne[2], date) for ligne in liste[1:])


def test_every_numbered_table_is_there(livre, donnees):
    document, _ = produire(donnees)
    premiers = {
        ligne[0] for nom in livre.sheet_names for ligne in livre.get_sheet_by_name(nom).to_python() if ligne
    }
    for tableau in document.tableaux:
        if tableau.numero:
            assert any(str(texte).startswith(tableau.etiquette) for texte in premiers), tableau.etiquette


@pytest.mark.parametrize("poison", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1"])
def test_nothing_runs(donnees, poison):
    """A text that a spreadsheet would take for a formula is a text, in the list and in the names."""
    empoisonne = replace(
        donnees,
        attributions=(
            replace(donnees.attributions[0], logement=poison, observation=poison),
            *donnees.attributions[1:],
        ),
        bailleur=replace(donnees.bailleur, nom=poison),
    )
    octets = produire(empoisonne)[1]
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        for nom in archive.namelist():
            if nom.startswith("xl/worksheets/sheet"):
                page = archive.read(nom)
                assert b"<f>" not in page
                assert b"<hyperlink" not in page
    liste = CalamineWorkbook.from_filelike(io.BytesIO(octets)).get_sheet_by_name("Attributions").to_python()
    assert liste[1][4].strip() == poison.strip()


def test_same_figures_same_bytes(donnees, octets):
    assert produire(exemple())[1] == octets


def test_nothing_to_list():
    vide = exemple(flux=0, collectivites=0)
    livre = CalamineWorkbook.from_filelike(io.BytesIO(produire(vide)[1]))
    assert len(livre.get_sheet_by_name("Attributions").to_python()) == 1
