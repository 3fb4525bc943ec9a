"""Who may write at the same time, and a voice that is heard before the transaction ends.

Two kinds of PostgreSQL advisory locks: one per bailleur, held by the transaction that writes its parc; one per
import, held by the session that works on it, which the server gives back when that process dies.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from django.db import Error, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from reservation.models import ImportRpls

CLASSE_BAILLEUR = 20_221
CLASSE_IMPORT = 20_222
INTERVALLE = 0.3  # seconds between two progress rows


def verrouiller_bailleurs(bailleurs: Iterable[int]) -> None:
    """Wait for the parc of these bailleurs, in the transaction that is open; always in the same order."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT pg_advisory_xact_lock(%s, id) FROM (SELECT id FROM unnest(%s::int[]) AS id ORDER BY id OFFSET 0) t",
            [CLASSE_BAILLEUR, sorted(set(bailleurs))],
        )


class Progression:
    """Progress of an import, written by a connection of its own: seen by others while the transaction runs."""

    def __init__(self, cote: BaseDatabaseWrapper, import_id: int, modele: type[Model] = ImportRpls):
        self.cote = cote
        self.import_id = import_id
        self.table = modele._meta.db_table
        self.debut, self.part = 0, 100
        self._dernier = (0.0, "")

    def phase(self, debut: int, fin: int) -> "Progression":
        """From now on, 0 to 100 % means `debut` to `fin` % of the bar."""
        self.debut, self.part = debut, fin - debut
        return self

    def dire(self, etape: str, avancement: int) -> None:
        """`etape`: what is being done, in French; `avancement`: percentage of the phase."""
        quand, avant = self._dernier
        if etape == avant and monotonic() - quand < INTERVALLE:
            return
        self._dernier = (monotonic(), etape)
        # A caller that holds the row in a transaction of its own goes without progress rather than wait for itself.
        with suppress(OperationalError), self.cote.cursor() as curseur:
            curseur.execute(
                f"UPDATE {self.table} SET etape = %s, avancement = %s WHERE id = %s",
                [etape, self.debut + self.part * avancement // 100, self.import_id],
            )


@contextmanager
def tenir_import(
    import_id: int, modele: type[Model] = ImportRpls, classe: int = CLASSE_IMPORT
) -> Iterator[Progression | None]:
    """Hold an import while working on it; None when somebody else does.

    `modele`: the table of its row (`etape`, `avancement`), with a class of locks of its own. The lock dies with this
    process: an import whose state says that it runs and whose lock is free was interrupted.
    """
    cote = connection.copy()
    try:
        with cote.cursor() as curseur:
            curseur.execute("SET lock_timeout = '500ms'")
            curseur.execute("SELECT pg_try_advisory_lock(%s, %s)", [classe, import_id])
            tenu = curseur.fetchone()[0]
        yield Progression(cote, import_id, modele) if tenu else None
    finally:
        # Not left to the end of the session, which the server sees a moment later: the next step comes at once.
        with suppress(Error), cote.cursor() as curseur:
            curseur.execute("SELECT pg_advisory_unlock_all()")
        cote.close()


def est_tenu(import_id: int, modele: type[Model] = ImportRpls, classe: int = CLASSE_IMPORT) -> bool:
    """Whether a living process works on this import."""
    with tenir_import(import_id, modele, classe) as progression:
        return progression is None
