"""Small counts: what is hidden, and that nothing shown gives it back."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publics.regles.secret_statistique import (
    SEUIL,
    TOTAL,
    masquer_partition,
    masquer_petits_effectifs,
    masquer_tests,
)

formes = st.sampled_from([(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 2)])


@st.composite
def tableaux(tirer, maximum=4):
    lignes, colonnes = tirer(formes)
    return {i: {j: tirer(st.integers(0, maximum)) for j in range(colonnes)} for i in range(lignes)}


def avec_totaux(tableau) -> dict:
    complet = {(i, j): n for i, ligne in tableau.items() for j, n in ligne.items()}
    colonnes = list(next(iter(tableau.values())))
    complet |= {(i, TOTAL): sum(ligne.values()) for i, ligne in tableau.items()}
    complet |= {(TOTAL, j): sum(ligne[j] for ligne in tableau.values()) for j in colonnes}
    return complet | {(TOTAL, TOTAL): sum(sum(ligne.values()) for ligne in tableau.values())}


@given(tableaux(maximum=40))
def test_what_is_shown_is_true_and_large_enough(tableau):
    vrai = avec_totaux(tableau)
    masque = masquer_petits_effectifs(tableau, SEUIL)
    assert set(masque.cellules) == set(vrai)
    for cellule, valeur in vrai.items():
        assert masque[cellule] in (None, valeur)
        assert valeur >= SEUIL or masque[cellule] is None


@given(tableaux(), st.integers(1, 4))
def test_no_hidden_count_can_be_deduced(tableau, seuil):
    """Tries every table that agrees with what is shown: each hidden cell, totals included, has two values at least."""
    masque = masquer_petits_effectifs(tableau, seuil)
    caches = [c for c in masque.masquees if TOTAL not in c]
    montres = {c: v for c, v in masque.cellules.items() if TOTAL not in c and v is not None}
    possibles: dict = {cellule: set() for cellule in masque.masquees}
    for essai in itertools.product(range(6), repeat=len(caches)):
        valeurs = montres | dict(zip(caches, essai, strict=True))
        autre = avec_totaux({i: {j: valeurs[i, j] for j in ligne} for i, ligne in tableau.items()})
        if all(v is None or autre[c] == v for c, v in masque.cellules.items()):
            for cellule in possibles:
                possibles[cellule].add(autre[cellule])
    assert all(len(valeurs) > 1 for valeurs in possibles.values())


@given(tableaux(maximum=30))
def test_nothing_is_hidden_without_need(tableau):
    if min(avec_totaux(tableau).values()) >= SEUIL:
        assert not masquer_petits_effectifs(tableau, SEUIL).masquees


def test_threshold_is_the_first_count_shown():
    tableau = {"A": {"x": 11, "y": 40}, "B": {"x": 30, "y": 50}}
    assert not masquer_petits_effectifs(tableau).masquees
    masque = masquer_petits_effectifs({**tableau, "A": {"x": 10, "y": 40}})
    assert masque.masquees == {("A", "x"), ("A", "y"), ("B", "x"), ("B", "y")}
    assert masque["A", TOTAL] == 50 and masque[TOTAL, "x"] == 40


def test_the_smallest_others_are_hidden():
    masque = masquer_petits_effectifs({"A": {"x": 3, "y": 12, "z": 90}, "B": {"x": 15, "y": 80, "z": 90}})
    assert masque["A", "z"] == 90 and masque["B", "z"] == 90
    assert {("A", "x"), ("A", "y"), ("B", "x"), ("B", "y")} == masque.masquees


def test_tables_that_are_none():
    assert not masquer_petits_effectifs({}).cellules
    with pytest.raises(ValueError, match="mêmes colonnes"):
        masquer_petits_effectifs({"A": {"x": 1}, "B": {"y": 1}})
    with pytest.raises(ValueError, match="négatif"):
        masquer_petits_effectifs({"A": {"x": -1}})


# --- Where the reader knows the total already -----------------------------------------------------------------

parties = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 6), min_size=1, max_size=4)


@given(parties, st.integers(1, 4), st.sets(st.sampled_from("abcd"), max_size=1))
def test_a_hidden_part_can_be_another_number(effectifs, seuil, forces):
    """Every way to share what the shown parts leave of the total is tried."""
    montres = masquer_partition(effectifs, seuil, forces)
    caches = [cle for cle, n in montres.items() if n is None]
    assert all(n is None or (n == effectifs[cle] and n >= seuil) for cle, n in montres.items())
    assert (forces & montres.keys()) <= {*caches}
    reste = sum(effectifs[cle] for cle in caches)
    possibles = [p for p in itertools.product(range(reste + 1), repeat=len(caches)) if sum(p) == reste]
    if len(caches) < len(effectifs) or (reste and len(caches) > 1):
        assert all(len({p[rang] for p in possibles}) > 1 for rang in range(len(caches)))


tests_tires = st.dictionaries(
    st.sampled_from("abc"),
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda x: (x[0], x[0] + x[1])),
    min_size=1,
    max_size=3,
)


@given(tests_tires, st.integers(1, 3))
def test_a_total_that_is_shown_gives_no_hidden_line_back(lignes, seuil):
    """The attributions of each line are known, and its priority households where they are not hidden."""
    masques = masquer_tests(lignes, seuil)
    for cle, (p, n) in lignes.items():
        assert (cle in masques.lignes) is (p >= seuil and n - p >= seuil)
    caches = [lignes[cle] for cle in lignes if cle not in masques.lignes]
    if masques.total and caches:
        somme = sum(p for p, _ in caches)
        possibles = [p for p in itertools.product(*(range(n + 1) for _, n in caches)) if sum(p) == somme]
        for rang, (_, n) in enumerate(caches):
            assert n == 0 or len({p[rang] for p in possibles}) > 1


def test_the_total_is_hidden_when_one_line_alone_is():
    assert masquer_tests({"a": (3, 40), "b": (20, 60)}).total is False
    assert masquer_tests({"a": (3, 40), "b": (4, 60), "c": (20, 40)}).total is True
    assert masquer_tests({"a": (20, 40), "b": (20, 60)}).total is True
