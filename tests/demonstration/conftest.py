"""A small département drawn once: 6 000 dwellings of the Alpes-Maritimes between the bailleurs of the story."""

import pytest

from bilans.demonstration import occupation, parc, scenario, territoires
from bilans.demonstration.tirage import Tirage

TOTAL = 6_000


@pytest.fixture(scope="session")
def communes_06(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        return territoires.lire_communes(["06", "13"])


@pytest.fixture(scope="session")
def tirer_06(communes_06):
    """parc of the 06 for a seed"""

    def tirer(graine=1, total=TOTAL):
        chiffres = territoires.lire_chiffres()["06"]
        return parc.tirer_parc(
            "06", total, chiffres, scenario.parts_nommees("06"), communes_06, Tirage(graine, "06")
        )

    return tirer


@pytest.fixture(scope="session")
def parc_06(tirer_06):
    return tirer_06()


@pytest.fixture(scope="session")
def vie_06(parc_06):
    return occupation.occuper(
        parc_06,
        territoires.lire_chiffres()["06"],
        scenario.parts_nommees("06"),
        range(2023, 2027),
        scenario.AUJOURDHUI,
        Tirage(1, "06", "vie"),
    )
