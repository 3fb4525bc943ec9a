"""RPLS files of the demonstration: the columns of real ones, codes that agree, one dwelling a line."""

import polars as pl
import pytest

from bilans.demonstration import fichiers, occupation, scenario
from bilans.demonstration.tirage import Tirage
from reservation.demonstration import BAILLEURS

pytestmark = pytest.mark.django_db
TIRAGE = Tirage(1, "06", "fichier")


@pytest.fixture(scope="module")
def lignes(vie_06, communes_06):
    return fichiers.lignes_loi(vie_06, 2026, scenario.parts_nommees("06"), communes_06, TIRAGE)


def test_columns_are_those_of_the_file_of_the_state_services(lignes):
    assert tuple(lignes.columns) == fichiers.COLONNES_LOI
    assert len(lignes.columns) == 96 and lignes.columns[:4] == [
        "IDENT_REP",
        "IDENT_INT",
        "IDENT_ORG",
        "DROIT",
    ]


def test_one_line_a_dwelling_of_the_situation(lignes, vie_06):
    situation = occupation.situation(vie_06, 2026)
    assert lignes["IDENT_REP"].to_list() == situation["ident_rep"].to_list()


@pytest.mark.parametrize("bailleur", BAILLEURS)
def test_siret_have_a_valid_checksum(bailleur):
    numero = fichiers.siret(bailleur.siren)
    chiffres = [int(c) * (2 if i % 2 else 1) for i, c in enumerate(reversed(numero))]
    assert len(numero) == 14 and numero.startswith(bailleur.siren)
    assert sum(sum(divmod(c, 10)) for c in chiffres) % 10 == 0


def test_occupied_dwellings_have_a_lease_and_a_rent(lignes):
    loues = lignes.filter(pl.col("MODE") == "1")
    assert loues["BAIL"].str.contains(r"^\d{2}/\d{4}$").all() and (loues["LOYERPRINC"] != "9999").all()
    autres = lignes.filter(~pl.col("MODE").is_in(["1", "2"]))
    assert autres["BAIL"].null_count() == autres.height and (autres["LOYERPRINC"] == "9999").all()
    assert set(lignes["SORTIEPATRIM"].unique()) > {"9"}


def test_what_does_not_change_stays_from_one_millesime_to_the_next(lignes, vie_06, communes_06):
    avant = fichiers.lignes_loi(vie_06, 2025, scenario.parts_nommees("06"), communes_06, TIRAGE)
    stables = [
        "IDENT_REP",
        "IDENT_INT",
        "FINAN",
        "CONV",
        "CONTRESLOG",
        "DPEDATE",
        "SURFHAB",
        "SIRET",
        "NUMCONV",
    ]
    communes = lignes.select(stables).join(avant.select(stables), on=stables, nulls_equal=True)
    presents = set(avant["IDENT_REP"]) & set(lignes["IDENT_REP"])
    assert communes.height == len(presents) > 5_000


def test_the_file_is_text_with_semicolons_and_no_quotes_for_nothing(lignes, tmp_path):
    sortie = tmp_path / "loi.csv"
    fichiers.ecrire(lignes.head(50), sortie)
    relu = sortie.read_text(encoding="utf-8").splitlines()
    assert len(relu) == 51 and {ligne.count(";") for ligne in relu} == {95}
    assert '""' not in "".join(relu)


def test_the_deposit_file_has_its_header_line_and_64_positions(lignes, tmp_path):
    part = scenario.parts_nommees("06")[0]
    siennes = lignes.filter(pl.col("IDENT_ORG") == part.siren)
    sortie = tmp_path / "depot.csv"
    fichiers.ecrire_depot(siennes, part, 2026, sortie, Tirage(1, "depot"))
    entete, *corps = sortie.read_bytes().decode("cp1252").splitlines()
    assert entete.split(";")[0] == "2026" and entete.split(";")[9] == fichiers.siret(part.siren)
    assert entete.split(";")[10] == str(siennes.height) == str(len(corps))
    assert {ligne.count(";") for ligne in corps} == {63}
    finan = [ligne.split(";")[31] for ligne in corps]
    assert 0 < finan.count("77") < 0.01 * len(finan)
