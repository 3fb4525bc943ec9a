"""COPY into a table that row-level security protects.

PostgreSQL refuses COPY FROM there, even to who may write every row. Lines go into a temporary table (no journal, no
index), then from it in one INSERT, which the policies judge like any other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, JSONField, Model
from psycopg import Copy


@contextmanager
def copie_vers(
    curseur: CursorWrapper, table: str, colonnes: Sequence[str], options: str = ""
) -> Iterator[Copy]:
    """A COPY to feed; the lines are in `table` when the block ends. Inside a transaction."""
    with CopieParBlocs(curseur, table, colonnes, options) as blocs, blocs.bloc() as copie:
        yield copie


class CopieParBlocs:
    """Many lines, block by block: the server files one block while the caller makes the next one ready."""

    def __init__(self, curseur: CursorWrapper, table: str, colonnes: Sequence[str], options: str = ""):
        self.curseur, self.table, self.options = curseur, table, options
        self.liste = ", ".join(f'"{colonne}"' for colonne in colonnes)
        self.tampon = f"copie_{table}"
        self.plein = False

    def __enter__(self) -> "CopieParBlocs":
        self.curseur.execute(
            f"CREATE TEMPORARY TABLE {self.tampon} ON COMMIT DROP AS SELECT {self.liste} FROM {self.table} LIMIT 0"
        )
        return self

    def __exit__(self, nature, erreur, trace) -> None:
        if erreur is None:
            self.curseur.execute(f"DROP TABLE {self.tampon}")

    @contextmanager
    def bloc(self) -> Iterator[Copy]:
        """A COPY to feed; its lines are in the table when the block ends."""
        if self.plein:
            self.curseur.execute(f"TRUNCATE {self.tampon}")
        with self.curseur.copy(f"COPY {self.tampon} ({self.liste}) FROM STDIN {self.options}") as copie:
            yield copie
        self.curseur.execute(
            f"INSERT INTO {self.table} ({self.liste}) SELECT {self.liste} FROM {self.tampon}"
        )
        self.plein = True


def copier_objets(objets: Sequence[Model]) -> None:
    """INSERT many new objects of one model by COPY, in the transaction that is open; each gets its primary key.

    What `save` does not see either: no signal, no `full_clean`; constraints and triggers of the database all apply.
    """
    if not objets:
        return
    modele = type(objets[0])
    table = modele._meta.db_table
    champs = modele._meta.concrete_fields
    with connection.cursor() as curseur:
        for objet, cle in zip(
            objets, nouvelles_cles(curseur, table, modele._meta.pk.column, len(objets)), strict=True
        ):
            objet.pk = cle
        en_valeurs = _en_valeurs(champs)
        with copie_vers(curseur, table, [champ.column for champ in champs]) as copie:
            for objet in objets:
                copie.write_row(en_valeurs(champ.pre_save(objet, add=True) for champ in champs))
    for objet in objets:
        objet._state.adding = False


def nouvelles_cles(curseur: CursorWrapper, table: str, colonne: str, nombre: int) -> list[int]:
    """`nombre` values of the sequence of a column; its name is looked up once, not for each of them."""
    curseur.execute(
        "WITH s AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, %s)::regclass AS nom) "
        "SELECT nextval(s.nom) FROM s, generate_series(1, %s)",
        [table, colonne, nombre],
    )
    return [cle for (cle,) in curseur.fetchall()]


def corriger_objets(modele: type[Model], noms: Sequence[str], lignes: Iterable[tuple]) -> int:
    """UPDATE many rows, each with its own values, in one statement: (primary key, value of each of `noms`…).

    A row that has these values already is left alone; returns how many were written.
    """
    lignes = list(lignes)
    if not lignes:
        return 0
    table = modele._meta.db_table
    cle = modele._meta.pk
    champs = [cle, *(modele._meta.get_field(nom) for nom in noms)]
    colonnes = [champ.column for champ in champs]
    liste = ", ".join(f'"{colonne}"' for colonne in colonnes)
    tampon = f"correction_{table}"
    with connection.cursor() as curseur:
        curseur.execute(
            f"CREATE TEMPORARY TABLE {tampon} ON COMMIT DROP AS SELECT {liste} FROM {table} LIMIT 0"
        )
        en_valeurs = _en_valeurs(champs)
        with curseur.copy(f"COPY {tampon} ({liste}) FROM STDIN") as copie:
            for ligne in lignes:
                copie.write_row(en_valeurs(ligne))
        # The planner, who cannot see through row-level security, expects a row or two of the table: it would read the
        # whole buffer again for each.
        curseur.execute(f'CREATE INDEX ON {tampon} ("{cle.column}")')
        curseur.execute(f'ANALYZE {tampon} ("{cle.column}")')
        affectations = ", ".join(f'"{colonne}" = t."{colonne}"' for colonne in colonnes[1:])
        avant, apres = (", ".join(f'{t}."{colonne}"' for colonne in colonnes[1:]) for t in "ct")
        curseur.execute(
            f'UPDATE {table} c SET {affectations} FROM {tampon} t WHERE c."{cle.column}" = t."{cle.column}" '
            f"AND ({avant}) IS DISTINCT FROM ({apres})"
        )
        nombre = curseur.rowcount
        curseur.execute(f"DROP TABLE {tampon}")
    return nombre


# What psycopg writes as it is; a JSON value is prepared whatever it is.
_TELS_QUELS = frozenset({str, int, bool, date, datetime, type(None)})


def _en_valeurs(champs: Sequence[Field]) -> Callable[[Iterable[object]], list[object]]:
    """What turns the values of these fields, in their order, into those of a COPY; the columns are looked at once."""
    jamais: frozenset[type] = frozenset()
    regles = [(champ, jamais if isinstance(champ, JSONField) else _TELS_QUELS) for champ in champs]

    def en_valeurs(valeurs: Iterable[object]) -> list[object]:
        return [
            valeur if type(valeur) in tels_quels else champ.get_db_prep_save(valeur, connection)
            for (champ, tels_quels), valeur in zip(regles, valeurs, strict=True)
        ]

    return en_valeurs
