"""Frames into tables by COPY: thirty times faster than the ORM, with the columns that the models declare."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import polars as pl
from django.db import connection, models
from django.utils import timezone

from reservation.copie import copie_vers

TAILLE_BLOC = 1 << 20


def copier(modele: type[models.Model], lignes: pl.DataFrame, **constantes: object) -> int:
    """COPY `lignes` into the table of `modele`; columns of the frame bear the attname of the fields.

    Fields in neither the frame nor `constantes` take their default, or NULL where the model allows it; any other
    is an error here rather than in the middle of the COPY. Lists are not handled. Returns the number of rows.
    """
    colonnes = [pl.col(c) for c in lignes.columns]
    for champ in modele._meta.concrete_fields:
        if champ.attname in lignes.columns:
            continue
        if champ.attname in constantes:
            colonnes.append(pl.lit(constantes[champ.attname]).alias(champ.attname))
        elif getattr(champ, "auto_now_add", False) or getattr(champ, "auto_now", False):
            colonnes.append(pl.lit(timezone.now()).alias(champ.attname))
        elif champ.has_default() and champ.get_default() == []:
            continue  # a list: the default of the database
        elif champ.has_default():
            colonnes.append(pl.lit(champ.get_default()).alias(champ.attname))
        elif champ.blank and champ.empty_strings_allowed and not champ.null:
            colonnes.append(pl.lit("").alias(champ.attname))
        elif not (champ.null or champ.primary_key):
            raise ValueError(f"{modele.__name__}.{champ.attname}: no value to copy")
    return copier_table(modele._meta.db_table, lignes.select(colonnes))


def copier_table(table: str, lignes: pl.DataFrame) -> int:
    """COPY a frame into a table: NULL is nothing, an empty text is quoted."""
    if lignes.is_empty():
        return 0
    tampon = BytesIO()
    lignes.write_csv(tampon, include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%z")
    with (
        connection.cursor() as curseur,
        copie_vers(curseur, table, lignes.columns, "(FORMAT csv)") as copie,
    ):
        tampon.seek(0)
        while bloc := tampon.read(TAILLE_BLOC):
            copie.write(bloc)
    return lignes.height


def reserver(modele: type[models.Model], nombre: int) -> int:
    """First of `nombre` primary keys that the sequence will not give again.

    The table is locked until the end of the transaction: nobody draws from the sequence in between.
    """
    table = modele._meta.db_table
    with connection.cursor() as curseur:
        curseur.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        curseur.execute(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'), nextval(pg_get_serial_sequence(%s, 'id')) + %s)",
            [table, table, nombre],
        )
        return curseur.fetchone()[0] - nombre


@contextmanager
def cles_verifiees_a_la_fin(*modeles: type[models.Model]) -> Iterator[None]:
    """Inside a transaction: check the foreign keys of these tables once for all at the end, not row by row.

    A trigger per row and per key costs more than the COPY itself. The constraints are dropped and put back as they
    were; putting them back reads each table once. Others wait for these tables until the transaction ends.
    """
    tables = [modele._meta.db_table for modele in modeles]
    with connection.cursor() as curseur:
        # What this transaction wrote before is checked now: a table with pending checks cannot be altered.
        curseur.execute("SET CONSTRAINTS ALL IMMEDIATE")
        curseur.execute("SET CONSTRAINTS ALL DEFERRED")
        curseur.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'f' AND conrelid = ANY(%s::regclass[]) ORDER BY 1, 2",
            [tables],
        )
        cles = curseur.fetchall()
        for table, nom, _ in cles:
            curseur.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{nom}"')
        yield
        for table, nom, definition in cles:
            curseur.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{nom}" {definition}')
