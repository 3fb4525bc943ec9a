"""French writing: exact rounding, no-break spaces."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.regles.etapes import Etape
from reservation.regles.typographie import (
    accorder,
    date_fr,
    decimal_fr,
    decimales,
    entier_fr,
    enumerer,
    minuscule,
    taux_fr,
    typographier,
)


@pytest.mark.parametrize(
    ("valeur", "attendu"),
    [
        ("0.00005", "0.0000"),  # half to even, down
        ("0.00015", "0.0002"),  # half to even, up
        ("0.000050000001", "0.0001"),
        ("12.34565", "12.3456"),
        ("12.34575", "12.3458"),
        ("99.99995", "100.0000"),
        ("-0.00015", "-0.0002"),
        ("7", "7.0000"),
    ],
)
def test_four_decimals_half_to_even(valeur, attendu):
    assert decimales(Fraction(valeur), 4) == attendu


@given(st.fractions(min_value=-1000, max_value=1000), st.integers(0, 6))
def test_rounding_agrees_with_the_standard_one(valeur, chiffres):
    assert Fraction(decimales(valeur, chiffres)) == round(valeur, chiffres)


def test_thousands_and_minus_sign():
    assert entier_fr(12846) == "12\u202f846"
    assert entier_fr(-1486) == "−1\u202f486"
    assert decimal_fr(Fraction("1234.565")) == "1\u202f234,56"
    assert decimal_fr(Fraction("-0.004")) == "0,00"
    assert decimal_fr(Fraction("-0.006")) == "−0,01"


def test_a_rate_shows_all_its_decimals():
    assert taux_fr(30) == "30,00"
    assert taux_fr(Decimal("28.63")) == "28,63"
    assert taux_fr(Fraction("0.00005")) == "0,00005"


def test_dates_lists_and_plurals():
    assert date_fr(date(2025, 1, 1)) == "1er janvier 2025"
    assert date_fr(date(2025, 8, 11)) == "11 août 2025"
    assert enumerer(["a"]) == "a"
    assert enumerer(["a", "b", "c"]) == "a, b et c"
    assert enumerer([]) == ""
    assert accorder(0, "logement") == "0 logement"
    assert accorder(1, "logement") == "1 logement"
    assert accorder(2, "logement") == "2 logements"
    assert accorder(2, "bail", "baux") == "2 baux"
    assert minuscule("Relogements ORCOD") == "relogements ORCOD"


def test_no_break_spaces():
    assert (
        typographier("« a » : b ; c ! d ? 3 %")
        == "«\u00a0a\u00a0»\u00a0: b\u202f; c\u202f! d\u202f? 3\u202f%"
    )


def test_a_step_prints_its_value_and_freezes_it_for_storage():
    etape = Etape("flux", "Flux : annuel", 1842, "952 ; 110", "CCH", niveau=1)
    assert etape.libelle == "Flux\u00a0: annuel"
    assert etape.en_json() == {
        "code": "flux",
        "libelle": "Flux\u00a0: annuel",
        "valeur": "1\u202f842",
        "detail": "952\u202f; 110",
        "article": "CCH",
        "niveau": 1,
    }
    assert Etape("p", "Part", Fraction("241.0646")).affichage == "241,06"
    assert Etape("p", "Part", "9 / 12").affichage == "9 / 12"
    assert Etape("p", "Part").affichage == ""
