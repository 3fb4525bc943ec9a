"""The tree as JSON and its fingerprint: nothing lost, nothing that moves by itself."""

import json
from dataclasses import replace
from datetime import date

import pytest

from bilans.regles.donnees import depuis_json, empreinte, en_json, forme_canonique
from tests.bilans.exemple import exemple


@pytest.mark.parametrize("options", [{}, {"collectivites": 9}, {"flux": 0, "appreciation": ""}], ids=str)
def test_json_round_trip(options):
    donnees = exemple(**options)
    relue = depuis_json(json.loads(json.dumps(en_json(donnees))))
    assert relue == donnees
    assert empreinte(relue) == empreinte(donnees)


def test_same_figures_same_fingerprint():
    assert empreinte(exemple()) == empreinte(exemple())
    assert len(empreinte(exemple())) == 64


@pytest.mark.parametrize(
    "changement",
    [
        lambda d: replace(d, appreciation="Autre texte"),
        lambda d: replace(d, flux=replace(d.flux, previsionnel=1)),
        lambda d: replace(d, situation=replace(d.situation, donnees_au=date(2025, 12, 30))),
        lambda d: replace(d, attributions=d.attributions[1:]),
        lambda d: replace(d, bailleur=replace(d.bailleur, fictif=False)),
    ],
)
def test_anything_printed_changes_it(changement):
    donnees = exemple()
    assert empreinte(changement(donnees)) != empreinte(donnees)


def test_order_of_keys_changes_nothing():
    donnees = exemple()
    melange = json.loads(forme_canonique(donnees), object_pairs_hook=lambda paires: dict(reversed(paires)))
    assert empreinte(depuis_json(melange)) == empreinte(donnees)


def test_an_unknown_value_is_refused():
    with pytest.raises(TypeError, match="float"):
        en_json(replace(exemple(), annee=2025.0))
