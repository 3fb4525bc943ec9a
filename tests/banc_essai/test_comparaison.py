"""What holds and what differs: objects on the keys given, lists whole, JSON types apart."""

from decimal import Decimal

import pytest

from flux.banc_essai.comparaison import comparer

CALCULE = {
    "agents_max": 1,
    "flux": {"flux": 3, "soustractions": {"RU": 1}},
    "repartition": [{"reservataire": "ETAT", "objectif": 1}, {"reservataire": "ALS", "objectif": 2}],
    "imputations": {"L1": ["ETAT", "AUTRE"]},
    "hors_qpv": None,
    "atteint": True,
}


def chemins(attendu) -> list[str]:
    return [difference.chemin for difference in comparer(attendu, CALCULE)]


@pytest.mark.parametrize(
    "attendu",
    [
        {},
        CALCULE,
        {"flux": {}},
        {"flux": {"flux": 3}},
        {"flux": {"soustractions": {}}},
        {"repartition": CALCULE["repartition"]},
        {"imputations": {}},
        {"hors_qpv": None},
        {"agents_max": Decimal("1.0")},
    ],
)
def test_what_holds(attendu):
    assert comparer(attendu, CALCULE) == []


@pytest.mark.parametrize(
    ("attendu", "differents"),
    [
        ({"agents_max": 2}, ["agents_max"]),
        ({"agents_max": "1"}, ["agents_max"]),
        ({"agents_max": True}, ["agents_max"]),
        ({"atteint": 1}, ["atteint"]),
        ({"atteint": None}, ["atteint"]),
        ({"hors_qpv": {}}, ["hors_qpv"]),
        ({"hors_qpv": 0}, ["hors_qpv"]),
        ({"flux": {"soustractions": {"RU": 2, "VENTE": 0}}}, ["flux.soustractions.RU", "flux.soustractions.VENTE"]),
        ({"flux": []}, ["flux"]),
        ({"repartition": []}, ["repartition"]),
        ({"repartition": CALCULE["repartition"][:1]}, ["repartition"]),
        ({"repartition": CALCULE["repartition"][::-1]}, [
            "repartition[0].reservataire", "repartition[0].objectif", "repartition[1].reservataire", "repartition[1].objectif",
        ]),
        ({"repartition": [{"reservataire": "ETAT"}, {"reservataire": "ALS"}]}, ["repartition[0].objectif", "repartition[1].objectif"]),
        ({"imputations": {"L1": ["ETAT", "AGENT"], "L2": ["ALS", "AUTRE"]}}, ["imputations.L1[1]", "imputations.L2"]),
    ],
)  # fmt: skip
def test_what_differs_is_told_at_the_deepest_place(attendu, differents):
    assert chemins(attendu) == differents


def test_a_difference_says_what_was_expected_and_what_was_computed():
    (difference,) = comparer({"flux": {"flux": 4}}, CALCULE)
    assert str(difference) == "flux.flux\u00a0: attendu 4, calculé 3"
    (difference,) = comparer({"imputations": {"L2": ["ALS", "été\ud800"]}}, CALCULE)
    assert str(difference).endswith('attendu ["ALS", "\\u00e9t\\u00e9\\ud800"], calculé absent')
