"""Migrations: none missing, none that would break a site while it runs."""

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils import translation
from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import PostgresqlAnalyser

from tests.coherence.outils import ROOMS

# What the linter only warns of, and which stops those who write while it lasts (docs/exploitation.md, « Mettre à jour »).
REFUSES_AUSSI = ["CREATE_INDEX", "DROP_INDEX", "REINDEX"]


@pytest.mark.django_db
def test_no_migration_is_missing():
    with translation.override(None):  # the labels of Django's own models are compared untranslated
        loader = MigrationLoader(connection)
        autodetector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
        manquent = {
            app: [operation.describe() for migration in migrations for operation in migration.operations]
            for app, migrations in autodetector.changes(graph=loader.graph).items()
        }
    assert manquent == {}


@pytest.mark.django_db
def test_our_migrations_pass_the_linter(capsys):
    linter = MigrationLinter(
        include_apps=ROOMS,
        no_cache=True,
        ignore_initial_migrations=True,
        warnings_as_errors_tests=REFUSES_AUSSI,
    )
    linter.lint_all_migrations()
    assert not linter.has_errors, capsys.readouterr().out
    assert linter.nb_total > 0


@pytest.mark.parametrize(
    ("ordres", "refus"),
    [
        (['ALTER TABLE "t" ADD COLUMN "c" integer NULL'], None),
        (['ALTER TABLE "t" ADD COLUMN "c" integer NOT NULL'], "NOT_NULL"),
        (['ALTER TABLE "t" ADD COLUMN "c" integer DEFAULT 0 NOT NULL'], None),
        (['ALTER TABLE "t" DROP COLUMN "c"'], "DROP_COLUMN"),
        (['ALTER TABLE "t" RENAME COLUMN "c" TO "d"'], "RENAME_COLUMN"),
        (['ALTER TABLE "t" RENAME TO "u"'], "RENAME_TABLE"),
        (['DROP TABLE "t" CASCADE'], "DROP_TABLE"),
        (['ALTER TABLE "t" ALTER COLUMN "c" TYPE bigint'], "ALTER_COLUMN"),
        (['ALTER TABLE "t" ADD CONSTRAINT "u" UNIQUE ("c")'], "ADD_UNIQUE"),
        (['CREATE INDEX "i" ON "t" ("c")'], "CREATE_INDEX"),
        (['CREATE INDEX CONCURRENTLY "i" ON "t" ("c")'], None),
        (['CREATE TABLE "t" ("c" integer NOT NULL)', 'CREATE INDEX "i" ON "t" ("c")'], None),
        (['DROP INDEX "i"'], "DROP_INDEX"),
        (['DROP INDEX CONCURRENTLY "i"'], None),
        (['REINDEX TABLE "t"'], "REINDEX"),
    ],
)
def test_what_the_linter_refuses(ordres, refus):
    """Each rule of the guide, as the linter that reads our migrations applies it."""
    analyse = PostgresqlAnalyser(exclude_migration_tests=[])
    analyse.analyse(ordres)
    refuses = [probleme.code for probleme in analyse.errors]
    refuses += [probleme.code for probleme in analyse.warnings if probleme.code in REFUSES_AUSSI]
    assert refuses == ([refus] if refus else [])
