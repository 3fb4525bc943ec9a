"""The decor of the access tests (`tests.acces.decor`), made once by each process that runs tests.

Making it takes seconds, some thirty modules ask for it: it stays in a transaction of its own, each module works in a
savepoint of it, on copies of its objects and of its files.

Django keeps a connection per context, and Playwright, from its start to its end, runs the tests in another context than
before and after: the decor belongs to the connection on which it was made, and is made again on another one.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from django.db import connections, transaction
from django.test import override_settings


@dataclass(frozen=True)
class DecorMonte:
    objets: Any
    fichiers: Path


class DecorDuProcessus:
    def __init__(self) -> None:
        self._monde = ExitStack()
        self._monte: DecorMonte | None = None
        self._connexion = None

    def monter(self, verrou, dossiers) -> DecorMonte:
        """Make it, unless it is there. `verrou`, `dossiers`: pytest's `django_db_blocker` and `tmp_path_factory`."""
        if self._connexion is not connections["default"]:
            self.demonter()
        if self._monte is None:
            from tests.acces.decor import monter
            from tests.personnages import distribuer

            self._connexion = connections["default"]
            with ExitStack() as monde:
                monde.enter_context(verrou.unblock())
                # The end of a test must not close the connection.
                monde.enter_context(mock.patch.object(self._connexion, "close"))
                monde.enter_context(transaction.atomic())
                monde.callback(transaction.set_rollback, True)
                fichiers = dossiers.mktemp("decor")
                with override_settings(MEDIA_ROOT=fichiers):
                    self._monte = DecorMonte(monter(distribuer()), fichiers)
                self._monde = monde.pop_all()
        return self._monte

    def demonter(self) -> None:
        """Leave the database as it was; what runs next does without the decor."""
        if self._monte is not None:
            with _sur(self._connexion):
                self._monde.close()
                self._connexion.close()
        self._monte = self._connexion = None


@contextmanager
def _sur(connexion) -> Iterator[None]:
    """Be on this connection, whatever the context."""
    presente = connections["default"]
    connections["default"] = connexion
    try:
        yield
    finally:
        connections["default"] = presente


decor_du_processus = DecorDuProcessus()
