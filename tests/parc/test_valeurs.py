"""One cell: what is mended, what is emptied, what is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.imports.rpls import valeurs
from reservation.imports.rpls.normalisation import FINANS
from reservation.imports.rpls.valeurs import VIDE, Lu


@pytest.mark.parametrize("texte", ["", " ", "NA", "na", "NC", "NA/NA", "N/A", "-", "?", "NULL", "Z", "z"])
def test_nulles_de_tous_les_lecteurs(texte):
    for lire in (valeurs.lire_entier(1, 9), valeurs.lire_code("12"), valeurs.lire_date):
        assert lire(texte) == VIDE
    assert valeurs.lire_chiffres(5, "X")("" if texte in "zZ" else texte) == VIDE


@pytest.mark.parametrize(
    ("texte", "lu"),
    [
        ("3", Lu(3)),
        (" 3 ", Lu(3)),
        ("3.0", Lu(3, correction="NOTATION_TABLEUR")),
        ("3,0", Lu(3, correction="NOTATION_TABLEUR")),
        ("1,985E+003", Lu(1985, correction="NOTATION_TABLEUR")),
        ("1.985e+003", Lu(1985, correction="NOTATION_TABLEUR")),
        ("2e+03", Lu(2000, correction="NOTATION_TABLEUR")),
        ("0", VIDE),
        ("999", VIDE),
        ("2101", Lu(cause="NOMBRE_ILLISIBLE")),
        ("trois", Lu(cause="NOMBRE_ILLISIBLE")),
        ("-3", Lu(cause="NOMBRE_ILLISIBLE")),
        ("1e999", Lu(cause="NOMBRE_ILLISIBLE")),
        ("1e99999999", Lu(cause="NOMBRE_ILLISIBLE")),
    ],
)
def test_entiers(texte, lu):
    assert valeurs.lire_entier(1, 2100, {0, 999})(texte) == lu


@pytest.mark.parametrize(
    ("texte", "lu"),
    [
        ("13", Lu("13")),
        ("13.0", Lu("13", correction="NOTATION_TABLEUR")),
        ("18", Lu(cause="FINAN_INVALIDE")),
        ("PLUS", Lu(cause="FINAN_INVALIDE")),
        ("1", Lu(cause="FINAN_INVALIDE")),
        ("NA", VIDE),
    ],
)
def test_codes(texte, lu):
    assert valeurs.lire_code(FINANS, "FINAN_INVALIDE", 2)(texte) == lu


def test_code_en_minuscule_ou_avec_zero():
    assert valeurs.lire_code("CIE", "X")("c") == Lu("C")
    assert valeurs.lire_code("12", "X")("01") == Lu("1", correction="ZERO_RETABLI")
    assert valeurs.lire_code({"01", "02"}, "X", 2)("1") == Lu("01", correction="ZERO_RETABLI")


@pytest.mark.parametrize(
    ("texte", "largeur", "lu"),
    [
        ("06400", 5, Lu("06400")),
        ("6400", 5, Lu("06400", correction="ZERO_RETABLI")),
        ("6400.0", 5, Lu("06400", correction="NOTATION_TABLEUR")),
        ("64", 5, Lu(cause="X")),
        ("064000", 5, Lu(cause="X")),
        ("1234567890123", 14, Lu("01234567890123", correction="ZERO_RETABLI")),
        ("123 456 789 01234", 14, Lu("12345678901234")),
        ("1.23457E+13", 14, Lu(cause="X")),
        ("SIRET", 14, Lu(cause="X")),
        ("0", 14, Lu(cause="X")),
    ],
)
def test_nombres_gardes_en_texte(texte, largeur, lu):
    assert valeurs.lire_chiffres(largeur, "X")(texte) == lu


COMMUNES = {"06029": "06029", "2A004": "2A004", "13201": "13055", "85053": "85289", "97105": "97105"}


@pytest.mark.parametrize(
    ("texte", "lu"),
    [
        ("06029", Lu("06029")),
        ("6029", Lu("06029", correction="ZERO_RETABLI")),
        ("6029.0", Lu("06029", correction="NOTATION_TABLEUR")),
        ("6,029E+03", Lu("06029", correction="NOTATION_TABLEUR")),
        ("2a004", Lu("2A004")),
        ("13201", Lu("13055", correction="COMMUNE_RATTACHEE")),
        ("85053", Lu("85289", correction="COMMUNE_RATTACHEE")),
        ("99999", Lu(cause="DEPCOM_INCONNU")),
        ("6E+03", Lu(cause="DEPCOM_INCONNU")),
        ("CANNES", Lu(cause="DEPCOM_INCONNU")),
        ("", Lu(cause="DEPCOM_VIDE")),
        ("NA", Lu(cause="DEPCOM_VIDE")),
    ],
)
def test_communes(texte, lu):
    assert valeurs.lire_commune(COMMUNES)(texte) == lu


@pytest.mark.parametrize(
    ("texte", "lu"),
    [
        ("05/04/1993", Lu(date(1993, 4, 5))),
        ("04/1993", Lu(date(1993, 4, 1))),
        ("1993-04-05", Lu(date(1993, 4, 5))),
        ("1993-04-05T00:00:00", Lu(date(1993, 4, 5))),
        ("01/1900", VIDE),
        ("01/01/1900", VIDE),
        ("12/9999", VIDE),
        ("29/02/2020", Lu(date(2020, 2, 29))),
        ("29/02/2019", Lu(cause="DATE_ILLISIBLE")),
        ("13/2019", Lu(cause="DATE_ILLISIBLE")),
        ("mars 2019", Lu(cause="DATE_ILLISIBLE")),
    ],
)
def test_dates(texte, lu):
    assert valeurs.lire_date(texte) == lu


@pytest.mark.parametrize(
    ("texte", "code"),
    [
        ("QP006015", "QP006015"),
        ("qn00603M", "QN00603M"),
        ("CSZ", None),
        ("HZ", None),
        ("1", None),
        ("QP1", None),
    ],
)
def test_code_de_qpv(texte, code):
    assert valeurs.lire_code_qpv(texte).valeur == code


def test_chiffres_perdus_par_un_tableur():
    assert valeurs.chiffres_perdus("6.19E+021")
    assert valeurs.chiffres_perdus("6.1992028512324E+020")
    assert not valeurs.chiffres_perdus("6.029E+03")
    assert not valeurs.chiffres_perdus("06/1985/03/80416")


def test_cle_du_siret():
    assert valeurs.cle_siret_valide("73282932000074")
    assert not valeurs.cle_siret_valide("73282932000075")
    assert valeurs.cle_siret_valide("35600000000048")  # La Poste


@pytest.mark.parametrize(
    ("categorie", "famille"),
    [
        ("131", "OPH"),
        ("136", "OPH"),
        ("211", "ESH"),
        ("222", "COOP"),
        ("251", "SEM"),
        ("259", "SEM"),
        ("611", "AUTRE"),
    ],
)
def test_famille_du_bailleur(categorie, famille):
    assert valeurs.famille_de_categorie(categorie) == famille


@pytest.mark.parametrize("texte", ["Châlons", "RÉSIDENCE L’ÎLE", "Cœur d’Hérault", "À CÔTÉ", "Noël"])
def test_mojibake_repare_une_et_deux_fois(texte):
    une = texte.encode().decode("cp1252", errors="octet_latin1")
    assert une != texte
    assert valeurs.reparer_mojibake(une)[0] == texte
    deux = une.encode().decode("cp1252", errors="octet_latin1")
    assert valeurs.reparer_mojibake(deux)[0] == texte


@given(st.text("ABCÀÂÇÉÈÊËÎÏÔÙÛÜŒabcàâçéèêëîïôùûüœ -’'", max_size=40))
def test_un_texte_juste_reste_ce_qu_il_est(texte):
    assert valeurs.reparer_mojibake(texte) == (texte, 0)


@given(st.integers(0, 99999))
def test_un_code_postal_survit_a_un_tableur(code):
    attendu = f"{code:05}"
    lu = valeurs.lire_chiffres(5, "X")(str(code))
    assert lu.valeur == attendu if code >= 100 else lu.cause == "X"
