"""Properties of this room are checked under the profile of the house."""

import pytest

from tests import proprietes
from tests.personnages import distribuer

__all__ = ["proprietes"]


@pytest.fixture
def cast(db):
    return distribuer()
