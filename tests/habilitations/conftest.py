import pytest

from tests.personnages import Distribution, distribuer


@pytest.fixture
def cast(db) -> Distribution:
    return distribuer()


class RelaisEnPanne:
    """An e-mail backend whose relay refuses everything."""

    def __init__(self, **options):
        pass

    def send_messages(self, messages):
        raise ConnectionRefusedError("relais arrêté")


@pytest.fixture
def relais_en_panne(settings):
    settings.EMAIL_BACKEND = "tests.habilitations.conftest.RelaisEnPanne"
