"""Cutting of periods, both ends counted."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reservation.regles.periodes import Periode, annee_civile, decouper

AN = annee_civile(2025)


def p(debut: str, fin: str) -> Periode:
    return Periode(date.fromisoformat(debut), date.fromisoformat(fin))


def test_a_year_has_365_or_366_days():
    assert annee_civile(2025).jours == 365
    assert annee_civile(2024).jours == 366


def test_a_day_is_a_period_of_one():
    assert p("2025-02-28", "2025-02-28").jours == 1


def test_common_days():
    assert p("2024-06-01", "2025-01-01").commune_avec(AN) == p("2025-01-01", "2025-01-01")
    assert p("2024-06-01", "2024-12-31").commune_avec(AN) is None


def test_ends_of_the_year_cut_nothing():
    assert decouper(AN, [p("2025-01-01", "2025-12-31"), p("2020-01-01", "2030-12-31")]) == (AN,)


def test_an_open_end_does_not_overflow():
    assert decouper(AN, [p("2025-07-01", "9999-12-31")]) == (
        p("2025-01-01", "2025-06-30"),
        p("2025-07-01", "2025-12-31"),
    )
    dernier = annee_civile(9999)
    assert decouper(dernier, [p("9999-12-31", "9999-12-31")])[-1] == p("9999-12-31", "9999-12-31")


def test_a_single_day_is_isolated():
    assert decouper(AN, [p("2025-03-10", "2025-03-10")]) == (
        p("2025-01-01", "2025-03-09"),
        p("2025-03-10", "2025-03-10"),
        p("2025-03-11", "2025-12-31"),
    )


jours = st.dates(date(2024, 1, 1), date(2026, 12, 31))
periodes = st.lists(st.builds(lambda a, b: Periode(min(a, b), max(a, b)), jours, jours), max_size=6)


@given(periodes)
def test_parts_cover_the_year_once_and_nothing_changes_inside(bornes):
    parties = decouper(AN, bornes)
    assert sum(partie.jours for partie in parties) == AN.jours
    assert parties[0].debut == AN.debut and parties[-1].fin == AN.fin
    for partie in parties:
        premier = [b.contient(partie.debut) for b in bornes]
        for n in range(partie.jours):
            assert [b.contient(partie.debut + timedelta(days=n)) for b in bornes] == premier
