import pytest

from tests.personnages import Distribution, distribuer


@pytest.fixture
def cast(db) -> Distribution:
    return distribuer()
