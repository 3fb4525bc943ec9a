"""Draws: the same for the same seed, whatever else is drawn; whole parts that add up."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.demonstration.tirage import Tirage, repartir

MASQUE = (1 << 64) - 1


def splitmix64(rang, depart):
    """The published algorithm, in whole numbers."""
    z = (rang * 0x9E3779B97F4A7C15 + depart) & MASQUE
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASQUE
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASQUE
    return z ^ (z >> 31)


def tirer(expression, lignes=1_000):
    return pl.DataFrame({"x": range(lignes)}).select(expression)["tire"].to_list()


def test_bits_are_those_of_the_published_algorithm():
    tirage = Tirage(7, "06")
    depart = tirage.entier("bail")
    assert tirer(tirage.brut("bail").alias("tire"), 50) == [splitmix64(i, depart) for i in range(50)]


def test_a_draw_depends_on_seed_domain_and_name_only():
    tire = tirer(Tirage(7, "06").uniforme("bail").alias("tire"))
    assert tire == tirer(Tirage(7).sous("06").uniforme("bail").alias("tire"))
    assert tire[:10] == tirer(Tirage(7, "06").uniforme("bail").alias("tire"), 10)
    for autre in (Tirage(8, "06"), Tirage(7, "13")):
        assert tire != tirer(autre.uniforme("bail").alias("tire"))
    assert tire != tirer(Tirage(7, "06").uniforme("mode").alias("tire"))


def test_uniform_is_in_the_unit_interval_and_centred():
    tire = tirer(Tirage(1).uniforme("u").alias("tire"), 20_000)
    assert min(tire) >= 0 and max(tire) < 1
    assert abs(sum(tire) / len(tire) - 0.5) < 0.01


def test_weighted_choice_follows_its_weights():
    tire = tirer(Tirage(1).parmi("p", (("a", 70), ("b", 30), ("c", 0))).alias("tire"), 20_000)
    assert set(tire) == {"a", "b"}
    assert abs(tire.count("a") / len(tire) - 0.7) < 0.02


def test_whole_numbers_reach_both_ends():
    assert set(tirer(Tirage(1).entre("n", 3, 5).alias("tire"))) == {3, 4, 5}


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=40).filter(any), st.integers(0, 10_000))
def test_parts_add_up_and_stay_within_one_of_the_exact_share(poids, total):
    parts = repartir(poids, total)
    assert sum(parts) == total
    for part, p in zip(parts, poids, strict=True):
        assert abs(Fraction(p * total, sum(poids)) - part) <= 1


def test_nothing_to_share_between_nobody():
    with pytest.raises(ValueError, match="zero"):
        repartir([0, 0], 5)
