"""Where the year lands, by hand and by properties."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.atterrissage import (
    AnneePassee,
    Besoin,
    Compte,
    Methode,
    mesurer,
    phrase_besoin,
    phrase_methode,
    phrase_projection,
    projeter,
    repartir_hors_qpv,
)

JUIN = date(2026, 6, 30)
PASSEES = (AnneePassee(2024, 50, 100), AnneePassee(2025, 40, 100))


def test_the_past_says_which_part_of_the_year_is_behind():
    """90 of 200 were there at mid-year: 45 now make 100; 2024 alone would make 90, 2025 alone 112,5."""
    projection = projeter(JUIN, 45, PASSEES)
    assert projection.exacte == 100
    assert (projection.bas, projection.central, projection.haut) == (90, 100, 113)
    assert projection.a_venir == 55
    assert projection.methode == Methode.SAISON


def test_the_past_error_is_that_of_each_year_told_by_the_others():
    """2024 told by 2025: 50 ÷ 0,4 = 125, wrong by 25 of 100; 2025 told by 2024: 40 ÷ 0,5 = 80, wrong by 20."""
    assert projeter(JUIN, 45, PASSEES).erreur == Fraction(45, 200)


def test_one_past_year_gives_neither_range_nor_error():
    projection = projeter(JUIN, 45, PASSEES[:1])
    assert (projection.central, projection.bas, projection.haut, projection.erreur) == (90, None, None, None)
    assert "Une seule année passée" in phrase_methode(projection)


def test_no_past_year_counts_days():
    projection = projeter(JUIN, 45)
    assert projection.exacte == Fraction(45 * 365, 181)
    assert projection.methode == Methode.JOURS
    assert "nombre de jours" in phrase_methode(projection)
    assert projeter(date(2028, 12, 31), 45).central == 45
    assert projeter(date(2028, 1, 1), 1).central == 366


def test_nothing_by_that_day_in_the_past_takes_the_mean():
    passees = (AnneePassee(2024, 0, 10), AnneePassee(2025, 0, 21))
    projection = projeter(date(2026, 1, 2), 0, passees)
    assert (projection.methode, projection.central) == (Methode.MOYENNE, 16)
    assert projeter(date(2026, 1, 2), 40, passees).central == 40
    assert "la moyenne" in phrase_methode(projection)


def test_years_without_anything_say_nothing():
    assert projeter(JUIN, 45, [*PASSEES, AnneePassee(2023, 0, 0)]) == projeter(JUIN, 45, PASSEES)


def test_counts_that_no_year_has():
    with pytest.raises(ValueError, match="2024"):
        projeter(JUIN, 1, [AnneePassee(2024, 5, 4)])
    with pytest.raises(ValueError, match="-1"):
        projeter(JUIN, -1)


annees = st.integers(0, 400).flatmap(lambda t: st.tuples(st.integers(0, t), st.just(t)))


@given(
    st.integers(0, 400),
    st.lists(annees, max_size=4),
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_the_central_figure_is_inside_its_range(observe, comptes, jour):
    passees = [AnneePassee(2025 - rang, *compte) for rang, compte in enumerate(comptes)]
    projection = projeter(jour, observe, passees)
    assert projection.central >= observe
    if projection.bas is not None:
        assert observe <= projection.bas <= projection.central <= projection.haut
        assert projection.erreur >= 0
    assert (projection.bas is None) == (len(projection.annees) < 2) == (projection.erreur is None)
    assert phrase_projection(projection) and phrase_methode(projection)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(2, 4), st.integers(1, 300))
def test_years_all_alike_make_no_error_and_no_range(a_date, reste, combien, observe):
    passees = [AnneePassee(2020 + n, a_date, a_date + reste) for n in range(combien)]
    projection = projeter(JUIN, observe, passees)
    assert projection.erreur == 0
    assert projection.haut - projection.bas <= 1
    assert projection.exacte == Fraction(observe * (a_date + reste), a_date)


# --- What it asks -------------------------------------------------------------------------------------------


def test_seven_of_the_next_nineteen():
    """Share so far 12,02; 19 more at 28,63 points: 17,46, so 17; 8 attributed, 2 oriented: 7 are missing."""
    taux = Fraction(2863, 10_000)
    etat = Compte(part=taux * 42, taux=taux, acquis=8, orientes=2)
    hors = Compte(part=taux * 30, taux=taux, acquis=8, orientes=2)
    besoin = mesurer(19, 0, etat, hors, 13)
    assert besoin == Besoin(7, 19, 0, 2, 0)
    assert (
        phrase_besoin(besoin)
        == "Il faut orienter 7 des 19 prochaines libérations vers l’État, dont 2 hors QPV."
    )


def test_what_waits_for_its_orientation_is_among_the_next():
    besoin = mesurer(0, 3, Compte(Fraction(2), Fraction(0)))
    assert besoin == Besoin(2, 3, 3, None, 0)
    assert "2 des 3 prochaines" in phrase_besoin(besoin)
    assert "3 logements sont déjà libérés et à orienter" in phrase_besoin(besoin)


def test_the_floor_outside_qpv_may_ask_for_more_than_the_whole():
    besoin = mesurer(5, 0, Compte(Fraction(1), Fraction(0), acquis=1), Compte(Fraction(2), Fraction(0)), 5)
    assert (besoin.nombre, besoin.hors_qpv) == (2, 2)


@pytest.mark.parametrize(
    ("besoin", "phrase"),
    [
        (Besoin(0, 12, 0, 0, 0), "L’objectif de l’État est couvert"),
        (Besoin(1, 1, 0, None, 0), "Il faut orienter la prochaine libération vers l’État."),
        (Besoin(3, 3, 0, 0, 4), "les 3 prochaines libérations vers l’État\u202f; il en manquera encore 4."),
        (Besoin(0, 0, 0, None, 2), "il manquera à l’État 2 logements."),
    ],
)
def test_other_sentences(besoin, phrase):
    assert phrase in phrase_besoin(besoin)


comptes = st.builds(
    Compte,
    st.fractions(0, 200, max_denominator=10_000),
    st.fractions(0, Fraction(3, 10), max_denominator=10_000),
    st.integers(0, 9),
    st.integers(0, 200),
    st.integers(0, 50),
)


@given(st.integers(0, 200), st.integers(0, 50), comptes, st.none() | comptes, st.integers(0, 200))
def test_orienting_what_is_said_meets_the_objective(a_venir, libres, etat, hors, a_venir_hors):
    besoin = mesurer(a_venir, libres, etat, hors, a_venir_hors)
    assert 0 <= besoin.nombre <= besoin.sur == a_venir + libres
    apres = etat._replace(orientes=etat.orientes + besoin.nombre + besoin.insuffisants)
    assert apres.manque(a_venir) == 0
    if hors is not None:
        assert besoin.hors_qpv <= besoin.nombre
        assert (
            hors._replace(orientes=hors.orientes + besoin.hors_qpv + besoin.insuffisants).manque(a_venir_hors)
            == 0
        )
    assert phrase_besoin(besoin).endswith((".", ")."))


@given(st.integers(0, 300), st.integers(0, 300), st.data())
def test_outside_qpv_is_a_part_of_what_comes(a_venir, flux, data):
    hors = data.draw(st.integers(0, flux))
    assert 0 <= repartir_hors_qpv(a_venir, flux, hors) <= a_venir
