"""Gives the database back as the migrations left it, after a test that committed.

Django truncates every table and loads the reference data again: seconds, most of them for 35 000 communes that no test
touched. Here the rows that came after the migrations are deleted; what remains is compared with what they left, and
only a test that changed or deleted a row of theirs pays for Django's way.
"""

import sys

import psycopg
from django.db import connections
from django.test import TransactionTestCase
from psycopg import sql

from config.serveurs import postgresql

_remettre_comme_django = TransactionTestCase._fixture_teardown
_references: dict[str, dict[str, tuple]] = {}  # database → table → (rows, newest transaction)


def installer() -> None:
    """Take the place of Django's way, for all the tests of this process."""
    TransactionTestCase._fixture_teardown = _remettre


def observer() -> None:
    """Learn what the migrations left; called before the first test writes."""
    with _session() as session:
        tables = _tables(session)
        remplies = _remplies(session, tables)
        _references[_base()] = {table: _empreinte(session, table) for table in remplies}


def _remettre(essai) -> None:
    connections["default"].close()  # what a test left open would lock a table
    references = _references[_base()]
    with _session() as session:
        # Neither the foreign keys, nor the triggers that keep the journals from losing a row.
        session.execute("SET session_replication_role = replica; SET lock_timeout = '60s'")
        for table in _remplies(session, _tables(session)):
            _, derniere = references.get(table, (0, 0))
            session.execute(
                sql.SQL("DELETE FROM {} WHERE xmin::text::bigint > {}").format(
                    sql.Identifier(table), derniere
                )
            )
        intactes = all(_empreinte(session, table) == empreinte for table, empreinte in references.items())
    if not intactes:
        _remettre_comme_django(essai)
        observer()


def fermer_les_autres_sessions() -> None:
    """End what still speaks to the database of this process, which is about to be dropped.

    The thread of a test server, or a worker that was told to stop, may outlive its test by a moment.
    """
    base = _base()
    connections["default"].close()
    with psycopg.connect(postgresql.adresse_du_compte_serveur("postgres"), autocommit=True) as session:
        fermees = session.execute(
            "SELECT pg_terminate_backend(pid), application_name, state, left(query, 200) FROM pg_stat_activity"
            " WHERE datname = %s",
            [base],
        ).fetchall()
    for _, application, etat, requete in fermees:
        print(f"session fermée en fin d’essais : {application} {etat} {requete}", file=sys.stderr)


def _base() -> str:
    return connections["default"].settings_dict["NAME"]


def _session() -> psycopg.Connection:
    """The server's own account: the application's is bound by the second lock."""
    return psycopg.connect(postgresql.adresse_du_compte_serveur(_base()))


def _tables(session) -> list[str]:
    lignes = session.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
    )
    return [nom for (nom,) in lignes]


def _remplies(session, tables: list[str]) -> set[str]:
    requete = sql.SQL(" UNION ALL ").join(
        sql.SQL("(SELECT {} FROM {} LIMIT 1)").format(sql.Literal(t), sql.Identifier(t)) for t in tables
    )
    return {nom for (nom,) in session.execute(requete)}


def _empreinte(session, table: str) -> tuple:
    """Changes with any row added, changed or taken away."""
    requete = sql.SQL("SELECT count(*), max(xmin::text::bigint) FROM {}").format(sql.Identifier(table))
    return session.execute(requete).fetchone()
