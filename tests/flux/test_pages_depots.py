"""The pages of a deposit, from the template to the annotated file; and the readers of what goes through them."""

import io
import re
import zipfile

import jsonschema
import pytest
import python_calamine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flux.forms_depots import TAILLE_MAX
from flux.imports import lecture
from flux.imports.colonnes import COLONNES, TABLEAUX, associer, deviner_sujet, lettre
from flux.imports.schema import schema_de
from flux.imports.valeurs import lire_code_commune, lire_date, lire_entier, lire_oui_non, nettoyer
from flux.models import SUJETS_EXTERNES, SUJETS_PAR_TYPE, Depot, Liberation, LigneDepot
from flux.services import depots
from reservation.imports.rpls.causes import FichierRefuse
from tests.flux.fabriques import actes_paca, liberation
from tests.flux.tableaux import ENTETES, csv, deposer, enregistrer, horrible, logements, xlsx

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def references(cast) -> list[str]:
    actes_paca(cast)
    return logements(cast.bailleur_a)


@pytest.fixture
def a(client, cast):
    client.force_login(cast.gestionnaire_a)
    return client


def adresse(nom: str, depot: Depot | None = None, *suite) -> str:
    return reverse(f"flux:{nom}", args=[depot.pk, *suite] if depot else suite)


def cellules(octets: bytes, feuille: int = 0) -> list[list]:
    with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(octets)) as classeur:
        return classeur.get_sheet_by_index(feuille).to_python(skip_empty_area=False)


def contenu(reponse) -> bytes:
    return b"".join(reponse.streaming_content)


# --- From the deposit to the record -------------------------------------------------------------------------


def test_handed_in_mended_and_recorded(a, cast, references):
    fichier = SimpleUploadedFile("suivi d’été.xlsx", horrible(references))
    reponse = a.post(adresse("depot_nouveau"), {"fichier": fichier, "sujet": "", "source": ""})
    depot = Depot.objects.get()
    assert reponse.url == adresse("depot", depot) and depot.nom_fichier == "suivi d’été.xlsx"
    assert "en cours de lecture" in a.get(adresse("depot", depot)).content.decode()
    assert a.get(adresse("depot_avancement", depot), headers=HTMX).status_code == 200
    depots.analyser(depot.pk)
    assert a.get(adresse("depot_avancement", depot), headers=HTMX).headers["HX-Refresh"] == "true"
    page = a.get(adresse("depot", depot)).content.decode()
    assert "B10" in page and "février 2026 a 28 jours" in page and "Enregistrer 4 lignes" in page
    a.post(adresse("depot_ligne", depot, 10), {"date_liberation": "28/02/2026"})
    a.post(adresse("depot_remplacer", depot), {"champ": "reservataire", "ancien": "=1+1", "nouveau": "ALS"})
    a.post(adresse("depot_confirmer", depot), {"code": "ANCIENNE", "ligne": "19"})
    assert "Enregistrer 7 lignes" in a.get(adresse("depot", depot)).content.decode()
    assert a.post(adresse("depot_enregistrer", depot)).status_code == 302
    depots.appliquer(depot.pk)
    page = a.get(adresse("depot", depot)).content.decode()
    assert "7 lignes enregistrées" in page and Liberation.objects.count() == 7
    assert references[0] in a.get(adresse("depot_lignes", depot) + "?pile=enregistrees").content.decode()
    a.post(adresse("depot_abandonner", depot))
    assert Depot.objects.get().etat == Depot.Etat.ABANDONNE and Liberation.objects.count() == 7


def test_the_same_error_many_times_is_said_once_and_mended_once(a, cast, references):
    depot = deposer(cast, xlsx(ENTETES, [[r, "14/04/2026", "", "", "Zorglub"] for r in references]))
    page = a.get(adresse("depot", depot)).content.decode()
    assert "12 fois la même erreur en colonne E" in page and "E2 à E13" in page
    a.post(
        adresse("depot_remplacer", depot), {"champ": "reservataire", "ancien": "Zorglub", "nouveau": "ALS"}
    )
    depot.refresh_from_db()
    assert depot.comptes == {"A_CREER": 12}


def test_a_mistyped_reference_is_told_its_neighbours(a, cast, references):
    depot = deposer(cast, xlsx(ENTETES, [["HDA-10O1", "14/04/2026", "", "", ""]]))
    page = a.get(adresse("depot", depot)).content.decode()
    assert f'<option value="{references[1]}">' in page


def test_the_columns_are_asked_with_examples_of_the_file(a, cast, references):
    depot = deposer(cast, csv(["Zorglub", "Sortie"], [[references[0], "14/04/2026"]]), sujet="LIBERATIONS")
    page = a.get(adresse("depot_colonnes", depot)).content.decode()
    assert references[0] in page and "A – Zorglub" in page
    choix = {"sujet": "LIBERATIONS", "reference": "0", "date_liberation": "0"}
    refus = a.post(adresse("depot_colonnes", depot), choix)
    assert refus.status_code == 422 and "déjà prise par" in refus.content.decode()
    assert a.post(adresse("depot_colonnes", depot), choix | {"date_liberation": "1"}).status_code == 302
    assert depots.analyser(depot.pk).comptes == {"A_CREER": 1}


def test_pages_have_a_fixed_number_of_queries(a, cast, references, django_assert_num_queries):
    lignes = [[r, "30/02/2026", "", "", "Zorglub"] for r in references]
    petit = deposer(cast, xlsx(ENTETES, lignes[:7]))
    grand = deposer(cast, xlsx(ENTETES, lignes))
    for nom in ("depot", "depot_lignes"):
        a.get(adresse(nom, petit))
        with CaptureQueriesContext(connection) as compte:
            a.get(adresse(nom, petit))
        with django_assert_num_queries(len(compte)):
            a.get(adresse(nom, grand))
    with CaptureQueriesContext(connection) as compte:
        a.get(adresse("depots"))
    deposer(cast, csv(ENTETES, lignes))
    with django_assert_num_queries(len(compte)):
        a.get(adresse("depots"))


@pytest.mark.parametrize("nom", ["depot", "depot_lignes", "depot_colonnes", "depot_annote"])
def test_another_bailleur_finds_nothing(client, cast, references, nom):
    depot = deposer(cast, horrible(references))
    client.force_login(cast.gestionnaire_b)
    assert client.get(adresse(nom, depot)).status_code == 404
    client.force_login(cast.agent_ddets_06)
    assert client.get(adresse(nom, depot)).status_code == 404


def test_a_large_file_is_refused_by_a_sentence(a, monkeypatch):
    monkeypatch.setattr("flux.forms_depots.TAILLE_MAX", 10)
    reponse = a.post(adresse("depot_nouveau"), {"fichier": SimpleUploadedFile("x.csv", b"0" * 11)})
    assert reponse.status_code == 422 and "dépasse 20" in reponse.content.decode()
    assert TAILLE_MAX == 20 * 1024 * 1024 and not Depot.objects.exists()


@pytest.mark.parametrize("requete", ["?pile=zorglub", "?code=%00&champ=x", "?page=zz", "?code=" + "x" * 99])
def test_odd_addresses_are_ordinary_pages(a, cast, references, requete):
    depot = deposer(cast, horrible(references))
    assert a.get(adresse("depot_lignes", depot) + requete).status_code == 200


# --- What leaves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sujet", [sujet for sujet in TABLEAUX if sujet not in SUJETS_EXTERNES])
def test_the_template_comes_with_the_dwellings_and_is_read_back(a, cast, references, sujet):
    liberation(
        cast.bailleur_a, lire_date("14/04/2026").valeur, reference=references[0], cle_logement="RHDA0000000"
    )
    octets = contenu(a.get(adresse("depot_modele", None, sujet)))
    entetes, *lignes = cellules(octets)
    assert entetes == [colonne.titre for colonne in TABLEAUX[sujet].colonnes]
    if sujet in ("LIBERATIONS", "COMBINE"):
        assert [ligne[0] for ligne in lignes] == references
    else:
        assert [ligne[:2] for ligne in lignes] == [[references[0], "14/04/2026"]]
    assert associer(entetes, TABLEAUX[sujet].champs, {}) == {
        c: n for n, c in enumerate(TABLEAUX[sujet].champs)
    }
    assert deviner_sujet(entetes) == sujet


def test_the_lines_of_the_template_left_as_they_are_are_ignored(a, cast, references):
    octets = contenu(a.get(adresse("depot_modele", None, "LIBERATIONS")))
    entetes, *lignes = cellules(octets)
    lignes[2][1] = "14/04/2026"
    depot = deposer(cast, xlsx(entetes, lignes))
    assert depot.comptes == {"A_CREER": 1} and depot.ignorees == {"NON_REMPLIE": len(references) - 1}


def test_the_annotated_file_is_theirs_with_what_is_wrong(a, cast, references):
    depot = deposer(cast, horrible(references))
    octets = contenu(a.get(adresse("depot_annote", depot)))
    lues = cellules(octets)
    assert lues[4][7] == "Message" and "février 2026 a 28 jours" in lues[9][7]
    assert lues[0][0] == "Habitat Essai A – suivi des libérations" and lues[9][0] == references[3]
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        parties = {nom: archive.read(nom).decode("utf-8", "replace") for nom in archive.namelist()}
    commentaires = "".join(texte for nom, texte in parties.items() if "comments" in nom)
    assert 'ref="B10"' in commentaires and 'ref="F13"' in commentaires
    feuilles = "".join(texte for nom, texte in parties.items() if "worksheets" in nom)
    assert "<f>" not in feuilles and "'=1+1" in parties["xl/sharedStrings.xml"]
    # Handed in again as it is, it is read in the same way.
    encore = deposer(cast, octets)
    assert encore.comptes == depot.comptes and encore.ligne_entete == 5


FORMULES = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "＝1",
    '=HYPERLINK("http://x.test")',
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("formule", FORMULES)
def test_no_formula_comes_back(a, cast, references, formule):
    depot = deposer(
        cast, csv(ENTETES, [[f"ref {references[0]}", "x", "", formule.replace(";", ""), formule]])
    )
    octets = contenu(a.get(adresse("depot_annote", depot)))
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        feuille = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in feuille and "hyperlink" not in feuille.lower()
    for ligne in cellules(octets):
        assert not any(str(c).startswith(("=", "+", "-", "@", "\t", "＝")) for c in ligne)


@pytest.mark.parametrize("sujet", TABLEAUX)
def test_the_schema_is_a_schema_and_anybody_reads_it(client, sujet):
    reponse = client.get(adresse("depot_schema", None, sujet))
    schema = reponse.json()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == schema_de(sujet, schema["$id"]) and schema["$id"].startswith("http")
    exemple = {
        c.champ: c.exemple for c in TABLEAUX[sujet].colonnes if c.forme["type"] == "string" and c.exemple
    }
    for champ in ("reference", "numero_unique", "commune"):
        if champ in exemple:
            jsonschema.validate(exemple[champ], schema["items"]["properties"][champ])
    assert set(schema["items"]["required"]) <= set(schema["items"]["properties"])


# --- Readers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texte",
    [
        "14/04/2026",
        "14-4-26",
        "14.04.2026",
        "2026-04-14",
        "2026-04-14 00:00:00",
        "14 avril 2026",
        "46126",
        "46126.0",
    ],
)
def test_dates_of_every_kind(texte):
    lue = lire_date(texte)
    assert f"{lue.valeur:%Y-%m-%d}" == "2026-04-14", lue


@pytest.mark.parametrize(
    "texte", ["30/02/2026", "31/04/2026", "14/13/2026", "hier", "12", "00/01/2026", "1/1/0001"]
)
def test_what_is_no_date_says_why(texte):
    lue = lire_date(texte)
    assert lue.valeur is None and texte in lue.texte


def test_other_cells():
    assert lire_code_commune("6029").valeur == lire_code_commune("6029.0").valeur == "06029"
    assert lire_code_commune("2a004").valeur == "2A004" and lire_code_commune("Cannes").code == "COMMUNE"
    assert lire_entier(1, 9)("T3").valeur == lire_entier(1, 9)("3,0").valeur == 3
    assert lire_oui_non("X").valeur is True and lire_oui_non("2").valeur is False
    assert nettoyer(' "\u00a0HDA-1" ') == "HDA-1" and nettoyer("'=1") == "=1" and nettoyer("#N/A") == ""
    assert [lettre(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@pytest.mark.parametrize("separateur", [";", ",", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_of_every_separator_and_encoding(separateur, codec):
    texte = separateur.join(["Référence du logement", "Libéré le", "Réservataire"]) + "\r\n"
    texte += separateur.join(['"HDA ""1"""', "14/04/2026", "État"]) + "\r\n\r\n"
    tableau = lecture.trouver_tableau(lecture.lire_feuilles(texte.encode(codec)))
    assert tableau.entetes == ["Référence du logement", "Libéré le", "Réservataire"]
    assert [n for n, _ in tableau.lignes] == [2] and tableau.lignes[0][1][1:] == ["14/04/2026", "État"]


def test_a_stray_quote_swallows_nothing():
    texte = 'Référence;Libéré le;Adresse\nA;14/04/2026;"12 rue\nB;15/04/2026;5" rue\nC;16/04/2026;x\n'
    tableau = lecture.trouver_tableau(lecture.lire_feuilles(texte.encode()))
    assert [cellules_[0] for _, cellules_ in tableau.lignes] == ["A", "B", "C"]
    texte = 'Référence;Libéré le;Adresse\nA;14/04/2026;"12 rue\ndu Port"\nB;15/04/2026;x\n'
    tableau = lecture.trouver_tableau(lecture.lire_feuilles(texte.encode()))
    assert [(n, c[0]) for n, c in tableau.lignes] == [(2, "A"), (4, "B")]


@pytest.mark.parametrize(
    "loin",
    [
        '<c r="XFD1048576"><v>1</v></c>',
        "<c s='1' t='n' r='XFD1048576'><v>1</v></c>",
        '<row r="1048576"><c><v>1</v></c></row><c r="XFD1"><v>1</v></c>',
        '<x:c r="XFD1048576"><x:v>1</x:v></x:c>',
    ],
)
def test_a_cell_at_the_end_of_the_sheet_is_no_bomb(loin):
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/ailleurs.bin", f'<sheetData><row><c r="A1"><v>1</v></c>{loin}</row></sheetData>')
    with pytest.raises(FichierRefuse, match="très loin"):
        lecture.reconnaitre_contenu(tampon.getvalue())


def test_a_workbook_that_swells_is_refused():
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/media/image.bin", bytes(80 << 20))
    with pytest.raises(FichierRefuse, match="démesuré"):
        lecture.reconnaitre_contenu(tampon.getvalue())


def test_no_two_columns_answer_to_one_header():
    """But the day of an attribution in an extract, which comes before that of the commission and takes its titles."""
    for tableau in TABLEAUX.values():
        prises = COLONNES["date_attribution"].entetes if tableau.sujet in SUJETS_EXTERNES else set()
        noms = [
            nom
            for champ in tableau.champs
            for nom in COLONNES[champ].entetes - (prises if champ == "date_caleol" else set())
        ]
        assert len(noms) == len(set(noms)), [nom for nom in noms if noms.count(nom) > 1]


def test_the_guide_of_columns_names_them_all(a):
    page = a.get(adresse("depots_aide")).content.decode()
    assert all(colonne.titre.replace("'", "’") in page for colonne in COLONNES.values())
    assert len(re.findall(r"schema/\w+\.json", page)) == len(SUJETS_PAR_TYPE["BAILLEUR"])


def test_lines_that_wait_are_never_marked_recorded(cast, references):
    depot = enregistrer(cast, deposer(cast, horrible(references)))
    attendent = depot.lignes.filter(appliquee_le=None).values_list("verdict", flat=True)
    assert set(attendent) == {LigneDepot.Verdict.EN_ERREUR, LigneDepot.Verdict.A_CONFIRMER}
