"""The risk of a bailleur: each verdict at its boundaries, its sentence, its order; what is expected on a day."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.atterrissage import AnneePassee, Methode, Projection, projeter
from bilans.regles.risques import (
    JOURS_MUETS,
    Risque,
    apprecier,
    attendu_a_ce_jour,
    jours_ecoules,
)

JOUR = date(2026, 10, 12)


def projection(
    observe: int, central: int, bas: int | None, haut: int | None, jour: date = JOUR
) -> Projection:
    methode = Methode.JOURS if bas is None else Methode.SAISON
    return Projection(jour, observe, central, Fraction(central), bas, haut, None, methode, ())


@pytest.mark.parametrize(
    ("objectif", "observe", "central", "bas", "haut", "attendu", "dit"),
    [
        (115, 61, 78, 72, 84, Risque.FORT, "la plus rapide : 84 au 31 décembre pour un objectif de 115"),
        (85, 61, 78, 72, 84, Risque.FORT, "84"),
        (84, 61, 78, 72, 84, Risque.INCERTAIN, "de 72 à 84"),
        (73, 61, 78, 72, 84, Risque.INCERTAIN, "73"),
        (72, 61, 78, 72, 84, Risque.FAIBLE, "la plus lente : 72"),
        (61, 61, 78, 72, 84, Risque.ATTEINT, "61 logements comptent déjà pour un objectif de 61"),
        (0, 0, 0, 0, 0, Risque.SANS_OBJET, "Aucun logement"),
        (0, 5, 6, None, None, Risque.SANS_OBJET, "Aucun logement"),
        # No range: a tenth of the objective on either side.
        (100, 60, 89, None, None, Risque.FORT, "plus d’un dixième"),
        (100, 60, 90, None, None, Risque.INCERTAIN, "à moins d’un dixième"),
        (100, 60, 109, None, None, Risque.INCERTAIN, "109"),
        (100, 60, 110, None, None, Risque.FAIBLE, "un dixième au-dessus"),
    ],
)
def test_each_verdict_at_its_boundary(objectif, observe, central, bas, haut, attendu, dit):
    lue = apprecier(objectif, projection(observe, central, bas, haut))
    assert lue.risque == attendu
    assert dit in lue.phrase.replace("\xa0", " ").replace("\u202f", " ")
    assert lue.ecart == central - objectif


def test_days_alone_say_nothing_in_the_first_two_months():
    muet, dit = date(2026, 2, 28), date(2026, 3, 1)
    assert (jours_ecoules(muet), jours_ecoules(dit)) == (JOURS_MUETS, JOURS_MUETS + 1)
    assert apprecier(100, projeter(muet, 1)).risque == Risque.TOT
    assert apprecier(100, projeter(dit, 1)).risque == Risque.FORT
    # Reached is reached, however early.
    assert apprecier(1, projeter(date(2026, 1, 2), 1)).risque == Risque.ATTEINT


def test_the_most_at_risk_come_first_then_the_largest_relative_gap():
    lignes = {
        "petit": apprecier(16, projection(11, 12, 11, 15)),
        "grand": apprecier(361, projection(200, 340, 330, 350)),
        "incertain": apprecier(20, projection(11, 20, 11, 25)),
        "faible": apprecier(10, projection(9, 12, 11, 13)),
        "atteint": apprecier(10, projection(10, 12, 11, 13)),
        "rien": apprecier(0, projection(0, 0, 0, 0)),
    }
    assert sorted(lignes, key=lambda nom: lignes[nom].ordre) == list(lignes)


def test_a_negative_objective_is_refused():
    with pytest.raises(ValueError, match="-1"):
        apprecier(-1, projection(0, 0, None, None))


@pytest.mark.parametrize(
    ("jour", "attendu"),
    [(date(2026, 1, 1), 0), (date(2026, 10, 12), 89), (date(2026, 12, 31), 115), (date(2028, 12, 31), 115)],
)
def test_what_is_expected_on_a_day(jour, attendu):
    assert attendu_a_ce_jour(115, jour) == attendu


@given(
    objectif=st.integers(0, 500),
    observe=st.integers(0, 500),
    passees=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=3),
    jour=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_more_dwellings_never_raise_the_risk(objectif, observe, passees, jour):
    """One more attribution on the same day: the verdict is the same, or better."""
    annees = [AnneePassee(2023 + i, min(p), max(p)) for i, p in enumerate(passees)]
    avant = apprecier(objectif, projeter(jour, observe, annees))
    apres = apprecier(objectif, projeter(jour, observe + 1, annees))
    assert avant.phrase and apres.ordre[0] >= avant.ordre[0]
    assert (avant.risque == Risque.SANS_OBJET) == (objectif == 0)
