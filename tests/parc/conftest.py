"""Properties of this room are checked under the profile of the house; the cast is at hand."""

import pytest

from tests import proprietes
from tests.personnages import Distribution, distribuer

__all__ = ["proprietes"]


@pytest.fixture
def cast(db) -> Distribution:
    return distribuer()
