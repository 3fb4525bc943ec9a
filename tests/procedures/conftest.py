"""Rules under the profile of the house; a cast with somebody who signs for the DDETS."""

import pytest

from reservation.acteur import Role
from tests import proprietes
from tests.personnages import Distribution, distribuer, personne

__all__ = ["proprietes"]


@pytest.fixture
def cast(db) -> Distribution:
    distribution = distribuer()
    distribution.gens["signataire_ddets_06"] = personne(
        "signature06@etat.example", "Signataire DDETS 06", distribution.ddets_06, Role.SIGNATURE
    )
    distribution.gens["signataire_ddets_22"] = personne(
        "signature22@etat.example", "Signataire DDETS 22", distribution.ddets_22, Role.SIGNATURE
    )
    return distribution
