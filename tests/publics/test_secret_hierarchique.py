"""An attacker with every figure shown and a linear solver: no hidden cell is found, none is bounded too narrowly."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publics.regles.secret_hierarchique import LARGEUR, masquer_arbre, masquer_ligne
from publics.regles.secret_statistique import SEUIL
from tests.publics.attaque import intervalles

COLONNES = ("agents", "groupe1", "autres")


@st.composite
def arbres(tirer, colonnes=COLONNES):
    """Une région, deux départements au plus, deux bailleurs au plus chacun ; beaucoup de petits nombres."""
    combien = tirer(st.integers(min(2, len(colonnes)), len(colonnes)))
    nombre = st.one_of(st.integers(0, 12), st.integers(0, 60))
    return {
        ("93", dep, f"{dep}{b}"): {c: tirer(nombre) for c in colonnes[:combien]}
        for dep in ("06", "13")[: tirer(st.integers(1, 2))]
        for b in range(tirer(st.integers(1, 2)))
    }


def exige(feuilles, cle, lus, totaux_connus: bool) -> int:
    """The rule, said again: eleven values, or as many as the totals of the hidden rows allow."""
    chemin, colonne = cle
    sous = [f for f in feuilles if f[: len(chemin)] == chemin and lus[f][colonne] is None]
    if not totaux_connus:
        return LARGEUR
    return min(LARGEUR, sum(sum(feuilles[f].values()) for f in sous))


def attaquer(feuilles, lus, totaux_connus=True):
    for cle, (bas, haut) in intervalles(feuilles, lus, totaux_connus).items():
        chemin, colonne = cle
        vrai = sum(n[colonne] for f, n in feuilles.items() if f[: len(chemin)] == chemin)
        assert bas <= vrai and (haut is None or vrai <= haut)
        besoin = exige(feuilles, cle, lus, totaux_connus)
        assert haut is None or haut - bas >= besoin, (cle, bas, haut, besoin)


@settings(max_examples=40, deadline=None)
@given(arbres())
def test_a_linear_solver_finds_no_hidden_cell(feuilles):
    lus = masquer_arbre(feuilles)
    for chemin, ligne in lus.items():
        for colonne, nombre in ligne.items():
            vrai = sum(n[colonne] for f, n in feuilles.items() if f[: len(chemin)] == chemin)
            assert nombre in (None, vrai)
            assert vrai >= SEUIL or nombre is None
    attaquer(feuilles, lus)


@settings(max_examples=25, deadline=None)
@given(arbres(("refus",)))
def test_nor_without_the_totals_of_the_rows(feuilles):
    attaquer(feuilles, masquer_arbre(feuilles, totaux_connus=False), totaux_connus=False)


@given(arbres())
def test_a_leaf_is_hidden_by_itself(feuilles):
    """What is published of a bilan the day it is validated depends on nobody else's."""
    lus = masquer_arbre(feuilles)
    assert all(lus[chemin] == masquer_ligne(ligne) for chemin, ligne in feuilles.items())


def test_the_attacker_would_win_against_a_naive_table():
    """The test can fail: hiding the small cells alone gives them back."""
    feuilles = {("93", "06", "a"): {"p": 3, "n": 40}, ("93", "06", "b"): {"p": 30, "n": 40}}
    naif = {
        ("93", "06", "a"): {"p": None, "n": None},
        ("93", "06", "b"): {"p": 30, "n": 40},
        ("93", "06"): {"p": 33, "n": 80},
        ("93",): {"p": 33, "n": 80},
    }
    assert intervalles(feuilles, naif, True)[("93", "06", "a"), "p"] == (3, 3)
    with pytest.raises(AssertionError):
        attaquer(feuilles, naif)
    lus = masquer_arbre(feuilles)
    assert lus["93", "06"] == {"p": None, "n": None} == lus["93",]
    assert lus["93", "06", "b"] == {"p": 30, "n": 40}


def test_sums_are_shown_when_they_give_nothing_back():
    feuilles = {
        ("93", "06", "a"): {"p": 8, "n": 40},
        ("93", "06", "b"): {"p": 9, "n": 40},
        ("93", "13", "c"): {"p": 30, "n": 60},
    }
    lus = masquer_arbre(feuilles)
    assert lus["93", "06"] == {"p": 17, "n": 80} and lus["93",] == {"p": 47, "n": 140}
    # Two hidden together, but whose sum says nearly all: one value more or less is not enough.
    feuilles["93", "06", "a"] = {"p": 0, "n": 40}
    feuilles["93", "06", "b"] = {"p": 1, "n": 40}
    assert masquer_arbre(feuilles)["93", "06"]["p"] is None


@pytest.mark.parametrize(
    ("ligne", "caches"),
    [
        ({"a": 11, "b": 30}, set()),
        ({"a": 10, "b": 30}, {"a", "b"}),
        ({"a": 0, "b": 1, "c": 30, "d": 40}, {"a", "b", "c"}),
        ({"a": 6, "b": 5, "c": 30}, {"a", "b"}),
        ({"a": 0, "b": 0}, {"a", "b"}),
    ],
)
def test_a_row(ligne, caches):
    assert {c for c, n in masquer_ligne(ligne).items() if n is None} == caches


def test_tables_that_are_none():
    assert masquer_arbre({}) == {}
    with pytest.raises(ValueError, match="mêmes colonnes"):
        masquer_arbre({("a", "b"): {"x": 1}, ("a", "c"): {"y": 1}})
    with pytest.raises(ValueError, match="même niveau"):
        masquer_arbre({("a", "b"): {"x": 1}, ("c",): {"x": 1}})
    with pytest.raises(ValueError, match="négatif"):
        masquer_arbre({("a", "b"): {"x": -1}})


def test_the_solver_is_exact():
    """x + y = 10, x shown at 4: y is 6; a column nobody sums is free."""
    feuilles = {("r", "d", "b"): {"x": 4, "y": 6}}
    lus = {("r", "d", "b"): {"x": 4, "y": None}, ("r", "d"): {"x": 4, "y": None}, ("r",): {"x": 4, "y": None}}
    assert set(intervalles(feuilles, lus, True).values()) == {(Fraction(6), Fraction(6))}
    assert set(intervalles(feuilles, lus, False).values()) == {(Fraction(0), None)}
