"""Agents of the État: who is one, contracts that add up, three conditions together."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publics.regles.agents import (
    duree_des_contrats,
    est_eligible,
    suivre_conditions,
    verifier_eligibilite,
)

JOUR = date(2025, 6, 15)


@pytest.mark.parametrize(
    ("contrats", "duree"),
    [
        ([(date(2025, 1, 1), date(2025, 12, 31))], 365),
        ([(date(2025, 1, 1), date(2025, 12, 30))], 364),
        ([(date(2024, 1, 1), date(2024, 6, 30)), (date(2025, 1, 1), date(2025, 6, 30))], 182 + 181),
        ([(date(2025, 1, 1), date(2025, 6, 30)), (date(2025, 6, 1), date(2025, 12, 31))], 365),
        ([(date(2025, 1, 1), None)], None),
        ([], 0),
    ],
)
def test_successive_contracts_add_up_a_day_once(contrats, duree):
    assert duree_des_contrats(contrats) == duree


jours = st.dates(date(2023, 1, 1), date(2026, 12, 31))


@given(st.lists(st.tuples(jours, st.integers(0, 400)), max_size=5))
def test_duration_is_the_number_of_days_covered(tires):
    contrats = [(debut, debut + timedelta(days=n)) for debut, n in tires]
    couverts = {debut + timedelta(days=i) for debut, n in tires for i in range(n + 1)}
    assert duree_des_contrats(contrats) == len(couverts)


@pytest.mark.parametrize(
    ("versant", "statut", "contrats", "eligible"),
    [
        ("ETAT", "TITULAIRE", [], True),
        ("ETAT", "MILITAIRE", [], True),
        ("ETAT", "CONTRACTUEL", [(date(2025, 1, 1), date(2025, 12, 31))], True),
        ("ETAT", "CONTRACTUEL", [(date(2025, 1, 1), date(2025, 12, 30))], False),
        (
            "ETAT",
            "CONTRACTUEL",
            [(date(2024, 12, 31), date(2025, 3, 31)), (date(2025, 4, 1), date(2025, 12, 31))],
            True,
        ),
        ("ETAT", "CONTRACTUEL", [(date(2020, 1, 1), date(2024, 12, 31))], False),
        ("ETAT", "CONTRACTUEL", [(date(2025, 6, 15), None)], True),
        ("HOSPITALIERE", "TITULAIRE", [], False),
        ("TERRITORIALE", "CONTRACTUEL", [(date(2020, 1, 1), None)], False),
    ],
)
def test_eligibility(versant, statut, contrats, eligible):
    lignes = verifier_eligibilite(versant, statut, contrats, JOUR)
    assert est_eligible(lignes) is eligible
    assert all(ligne.detail for ligne in lignes if not ligne.rempli)


FAITS = {
    "validation": date(2025, 3, 1),
    "limite": date(2025, 3, 1),
    "accord_posterieur": False,
    "refuse": False,
    "date_bail": date(2025, 4, 1),
    "adapte": True,
}


@pytest.mark.parametrize(
    ("change", "etats"),
    [
        ({}, [True, True, True]),
        ({"validation": date(2025, 3, 2)}, [None, True, True]),
        ({"validation": date(2025, 3, 2), "accord_posterieur": True}, [True, True, True]),
        ({"validation": None}, [None, True, True]),
        ({"refuse": True}, [False, True, True]),
        ({"date_bail": None}, [True, None, True]),
        ({"adapte": None}, [True, True, None]),
        ({"adapte": False}, [True, True, False]),
    ],
)
def test_three_conditions_together(change, etats):
    assert [ligne.rempli for ligne in suivre_conditions(**FAITS | change)] == etats
