"""Decisions of a CALEOL on one dwelling (R. 441-3): each yes has its noes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.regles.commission import (
    Candidature,
    Champ,
    Decision,
    candidature_servie,
    cles_au_rang_fautif,
    controler_decisions,
    controler_nombre,
)

JOUR = date(2026, 10, 8)
A, B, C, D, E = Decision


def c(cle: int, decision: str = "", rang: int | None = None, **faits) -> Candidature:
    return Candidature(cle, f"…{cle:04d}", decision, rang, **faits)


def phrases(*candidatures: Candidature) -> list[str]:
    return [anomalie.phrase for anomalie in controler_decisions(candidatures, JOUR)]


@pytest.mark.parametrize(
    "candidatures",
    [
        (c(1, A), c(2, D, motif=True), c(3, E, motif=True)),
        (c(1, B, 1), c(2, B, 2), c(3, B, 3)),
        (c(1, B, 2), c(2, B, 1), c(3, D, motif=True)),
        (c(1, C, piece=True, echeance=JOUR), c(2, B, 1), c(3, B, 2)),
        (c(1, D, motif=True), c(2, D, motif=True), c(3, E, motif=True)),
    ],
)
def test_what_may_be_closed(candidatures):
    assert phrases(*candidatures) == []


def test_ranks_go_from_1_to_n_without_tie():
    assert phrases(c(3390, B, 1), c(6128, B, 1), c(7745, B, 3)) == [
        "Deux candidats au rang 1 (…3390 et …6128)\u00a0: donnez un rang différent à chacun."
    ]
    assert cles_au_rang_fautif([c(1, B, 1), c(2, B, 1), c(3, B, 2)]) == {1, 2}


def test_ranks_have_no_gap():
    assert phrases(c(1, B, 1), c(2, B, 3)) == ["Il manque le rang 2\u00a0: les rangs se suivent depuis 1."]
    assert phrases(c(1, B, 2), c(2, B, 4), c(3, B, 5)) == [
        "Il manque les rangs 1 et 3\u00a0: les rangs se suivent depuis 1."
    ]


@pytest.mark.parametrize(
    ("candidature", "champ"),
    [
        (c(1), Champ.DECISION),
        (c(1, B), Champ.RANG),
        (c(1, D), Champ.MOTIF),
        (c(1, E), Champ.MOTIF),
        (c(1, C, echeance=JOUR), Champ.PIECE),
        (c(1, C, piece=True), Champ.ECHEANCE),
        (c(1, C, piece=True, echeance=date(2026, 10, 7)), Champ.ECHEANCE),
    ],
)
def test_what_is_missing_is_said_where_it_is_mended(candidature, champ):
    (anomalie,) = controler_decisions([candidature], JOUR)
    assert (anomalie.cle, anomalie.champ) == (1, champ)


@pytest.mark.parametrize(
    "candidatures",
    [
        (c(1, A), c(2, A)),
        (c(1, A), c(2, B, 1)),
        (c(1, A), c(2, C, piece=True, echeance=JOUR)),
        (c(1, C, piece=True, echeance=JOUR), c(2, C, piece=True, echeance=JOUR)),
    ],
)
def test_one_household_is_served_first(candidatures):
    assert [a.champ for a in controler_decisions(candidatures, JOUR)] == [Champ.DECISION]


def test_who_is_served_first():
    assert candidature_servie([c(1, B, 2), c(2, B, 1)]).cle == 2
    assert candidature_servie([c(1, B, 1), c(2, C)]).cle == 2
    assert candidature_servie([c(1, D), c(2, A)]).cle == 2
    assert candidature_servie([c(1, D), c(2, E), c(3), c(4, B, 2)]) is None


@pytest.mark.parametrize(
    ("nombre", "motif", "manques"), [(0, True, 1), (1, False, 1), (2, False, 1), (2, True, 0), (3, False, 0)]
)
def test_three_candidatures_or_a_reason(nombre, motif, manques):
    assert len(controler_nombre(nombre, motif)) == manques


@given(st.permutations(range(1, 7)))
def test_any_order_of_the_ranks_is_right(rangs):
    candidatures = [c(cle, B, rang) for cle, rang in enumerate(rangs)]
    assert phrases(*candidatures) == []
    assert candidature_servie(candidatures).rang == 1


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_ranks_are_right_when_they_are_1_to_n(rangs):
    """The rule against its definition: the same set as 1…n, each once."""
    candidatures = [c(cle, B, rang) for cle, rang in enumerate(rangs)]
    assert (phrases(*candidatures) == []) == (sorted(rangs) == list(range(1, len(rangs) + 1)))
