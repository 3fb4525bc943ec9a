"""Connection whose transactions carry the perimeter of the actor (settings `app.*`, local to the transaction).

Set at the first statement of a transaction, set again when the actor changes and after a return to a savepoint
(which undoes settings too). A statement outside any transaction gets one of its own. Below Django's wrappers: COPY
and server-side cursors pass here as well, and query counts of tests do not see it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations as OperationsPostgresql
from django.db.backends.postgresql.psycopg_any import register_tzloader
from psycopg import ClientCursor
from psycopg.pq import Format, TransactionStatus

from reservation.perimetre import AUCUN, REGLAGES, reglages_courants

from .refus import refus_en_clair

_POSER = "SELECT " + ", ".join(f"set_config('{nom}', %s, true)" for nom in REGLAGES)
# What opens or ends a transaction, concerns the session or the whole server, or refuses to run inside a transaction.
_SEULES = (
    *(
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "SET ",
        "RESET",
        "SHOW",
        "DISCARD",
        "LISTEN",
        "UNLISTEN",
        "NOTIFY",
    ),
    *("VACUUM", "REINDEX", "CLUSTER", "CHECKPOINT", "CREATE DATABASE", "DROP DATABASE", "ALTER DATABASE"),
    *("ALTER SYSTEM", "CREATE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY"),
)


@contextmanager
def perimetre_pose(connexion, commande) -> Iterator[None]:
    """The server knows the current actor while the block runs `commande`."""
    voulu = reglages_courants()
    etat = connexion.info.transaction_status
    if connexion.autocommit and etat == TransactionStatus.IDLE:
        if voulu == AUCUN or _verbe(commande).startswith(_SEULES):
            yield
            return
        with connexion.transaction():
            ClientCursor(connexion).execute(_POSER, voulu)
            yield
        return
    if etat == TransactionStatus.IDLE:
        connexion.perimetre = AUCUN  # a transaction begins: nothing is set in it
    if _verbe(commande).startswith("SET TRANSACTION"):
        yield  # has to be the first statement of its transaction
        return
    if etat != TransactionStatus.INERROR and connexion.perimetre != voulu:
        ClientCursor(connexion).execute(_POSER, voulu)
        connexion.perimetre = voulu
    yield
    if _verbe(commande).startswith("ROLLBACK TO"):
        connexion.perimetre = None  # as it was at the savepoint: unknown here


def _verbe(commande) -> str:
    """Beginning of a statement, in capitals."""
    texte = commande if isinstance(commande, str) else commande.as_string(None)
    return texte[:40].lstrip("( \n").upper()


class AvecPerimetre:
    """A psycopg cursor that sets the perimeter before it speaks."""

    def execute(self, query, *args, **kwargs):
        with refus_en_clair(), perimetre_pose(self.connection, query):
            return super().execute(query, *args, **kwargs)

    def executemany(self, query, *args, **kwargs):
        with refus_en_clair(), perimetre_pose(self.connection, query):
            return super().executemany(query, *args, **kwargs)

    @contextmanager
    def copy(self, statement, *args, **kwargs):
        with (
            refus_en_clair(),
            perimetre_pose(self.connection, statement),
            super().copy(statement, *args, **kwargs) as copie,
        ):
            yield copie


class Cursor(AvecPerimetre, base.Cursor):
    pass


class ServerSideCursor(AvecPerimetre, base.ServerSideCursor):
    pass


class DatabaseOperations(OperationsPostgresql):
    compiler_module = "config.postgresql.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_connection_params(self):
        return super().get_connection_params() | {"cursor_factory": Cursor}

    def get_new_connection(self, conn_params):
        connexion = super().get_new_connection(conn_params)
        connexion.perimetre = AUCUN
        return connexion

    def create_cursor(self, name=None):
        if not name:
            return super().create_cursor()
        curseur = ServerSideCursor(
            self.connection, name=name, scrollable=False, withhold=self.connection.autocommit
        )
        if self.timezone != self.connection.adapters.get_loader(base.TIMESTAMPTZ_OID, Format.TEXT).timezone:
            register_tzloader(self.timezone, curseur)
        return curseur
