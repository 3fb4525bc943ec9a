"""Row-level security of the tables of tenants: the second lock, below the querysets.

A migration locks each table with `Verrouiller`; ENABLE and FORCE, so that the owner obeys too (a superuser would
not: config/verifications.py refuses one). Policies compare columns with the settings that `config.postgresql` sets
in each transaction (`reservation.perimetre.REGLAGES`); none set → no row.

A setting is read in a sub-query without any column: PostgreSQL reads it once per statement and not once per row.
"""

from django.db.migrations.operations.base import Operation


def _reglage(nom: str) -> str:
    return f"(SELECT nullif(current_setting('app.{nom}', true), ''))"


def _liste(nom: str) -> str:
    return f"ANY ((SELECT string_to_array(nullif(current_setting('app.{nom}', true), ''), ','))::text[])"


SYSTEME = f"{_reglage('systeme')} = 'oui'"
ECRITURE = f"{_reglage('ecriture')} = 'oui'"
BAILLEUR = f"bailleur_id = {_reglage('bailleur')}::bigint"
RESERVATAIRE = f"reservataire_id = {_reglage('reservataire')}::bigint"
DEPARTEMENT = f"departement_id = {_liste('departements')}"
COPIL = f"departement_id = {_liste('region')}"
ORGANISATION = f"organisation_id = {_reglage('organisation')}::bigint"
SUPPORT = f"{_reglage('support')} = 'oui'"
PROPRIETAIRE = f"proprietaire_id = {_reglage('organisation')}::bigint"
# Asked of a réservataire, whatever its kind: the État is one, through its DDETS.
POUR_SOI = f"reservataire_id = {_reglage('organisation')}::bigint"
SAISIE = f"saisie_par_id = {_reglage('organisation')}::bigint"
DEMANDEUR = f"demande_par_id = {_reglage('utilisateur')}::bigint"
# A perimeter in a JSON list of départements: all of it must be in the actor's.
DEPARTEMENTS = "departements <@ to_jsonb((SELECT string_to_array(nullif(current_setting('app.departements', true), ''), ',')))"


# A service of the State that is not the DDETS (préfecture, SGC) reads its département; what the DDETS decides is not its
# to write. Asked once per statement: no column in it.
DDETS_OU_PARTENAIRE = (
    f"{_reglage('departements')} IS NULL OR EXISTS (SELECT FROM reservation_organisation AS soi "
    f"WHERE soi.id = {_reglage('organisation')}::bigint AND soi.type = 'DDETS')"
)
# Who administers the accesses of the actor's organisation today.
ADMINISTRATEUR = (
    "EXISTS (SELECT FROM reservation_rattachement AS soi "
    f"WHERE soi.organisation_id = {_reglage('organisation')}::bigint "
    f"AND soi.utilisateur_id = {_reglage('utilisateur')}::bigint "
    "AND soi.role = 'ADMINISTRATION' AND soi.termine_le IS NULL AND (soi.fin IS NULL OR soi.fin >= CURRENT_DATE))"
)


# Nothing is written while a page is only read, whoever acts (`reservation.perimetre.agir`).
PAS_EN_LECTURE = f"{_reglage('lecture')} IS NULL"


def par(colonne: str, table: str, cle: str = "id", condition: str = "") -> str:
    """Rows whose parent is visible: its own policies apply inside the sub-query.

    Looked for row by row, through the index of `cle`: a list (IN) would be built whole for a page of fifty rows.
    `{table}`: the table that the policy protects, whose name `Verrouiller` knows.
    """
    suite = f" AND ({condition})" if condition else ""
    return f"EXISTS (SELECT FROM {table} AS parent WHERE parent.{cle} = {{table}}.{colonne}{suite})"


def ou(*conditions: str) -> str:
    return " OR ".join(f"({condition})" for condition in (SYSTEME, *conditions))


def si_ecriture(*conditions: str) -> str:
    """What somebody may write whose role is more than reading; the application itself always may."""
    if not conditions:
        return SYSTEME
    return f"({SYSTEME}) OR ({ECRITURE} AND ({' OR '.join(f'({c})' for c in conditions)}))"


class Verrouiller(Operation):
    """Lock `table`: `lire` for SELECT, `ecrire` for INSERT, UPDATE and DELETE (SQL conditions on its columns).

    `ajouter`: for INSERT, when it is not `ecrire` (the traces, which the trigger of any act writes).
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, table: str, lire: str, ecrire: str, ajouter: str = ""):
        self.table, self.lire, self.ecrire, self.ajouter = table, lire, ecrire, ajouter or ecrire

    def _condition(self, texte: str) -> str:
        return texte.replace("{table}", self.table)

    def state_forwards(self, app_label, state):
        """The state of the models does not change."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self.table)
        ecrire = self._condition(self.ecrire)
        for sql in (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY lire ON {table} FOR SELECT USING ({self._condition(self.lire)})",
            f"CREATE POLICY ajouter ON {table} FOR INSERT WITH CHECK ({self._condition(self.ajouter)})",
            f"CREATE POLICY changer ON {table} FOR UPDATE USING ({ecrire}) WITH CHECK ({ecrire})",
            f"CREATE POLICY retirer ON {table} FOR DELETE USING ({ecrire})",
            # Restrictive: on top of the others.
            f"CREATE POLICY lecture_insert ON {table} AS RESTRICTIVE FOR INSERT WITH CHECK ({PAS_EN_LECTURE})",
            f"CREATE POLICY lecture_update ON {table} AS RESTRICTIVE FOR UPDATE USING ({PAS_EN_LECTURE})",
            f"CREATE POLICY lecture_delete ON {table} AS RESTRICTIVE FOR DELETE USING ({PAS_EN_LECTURE})",
        ):
            schema_editor.execute(sql, params=None)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self.table)
        lecture = ("lecture_insert", "lecture_update", "lecture_delete")
        for politique in ("lire", "ajouter", "changer", "retirer", *lecture):
            schema_editor.execute(f"DROP POLICY {politique} ON {table}", params=None)
        schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", params=None)
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", params=None)

    def describe(self):
        return f"Row-level security on {self.table}"


class Restreindre(Operation):
    """One more condition on whoever writes in `table`, on top of its policies; the application itself always may.

    `condition`: SQL on its columns. `nom`: a word, unique for the table.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, table: str, nom: str, condition: str):
        self.table, self.nom, self.condition = table, nom, condition

    def state_forwards(self, app_label, state):
        """The state of the models does not change."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self.table)
        condition = ou(self.condition.replace("{table}", self.table))
        for verbe, clause in (
            ("INSERT", f"WITH CHECK ({condition})"),
            ("UPDATE", f"USING ({condition}) WITH CHECK ({condition})"),
            ("DELETE", f"USING ({condition})"),
        ):
            schema_editor.execute(
                f"CREATE POLICY {self.nom}_{verbe.lower()} ON {table} AS RESTRICTIVE FOR {verbe} {clause}",
                params=None,
            )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self.table)
        for verbe in ("insert", "update", "delete"):
            schema_editor.execute(f"DROP POLICY {self.nom}_{verbe} ON {table}", params=None)

    def describe(self):
        return f"Who writes in {self.table}: {self.nom}"


class Rattacher(Operation):
    """A row is attached only to a parent that its writer sees: the columns `liens` (column → table) of `table`.

    A foreign key is checked above row-level security: without this, one's own row may name the row of another. A trigger
    and not a policy: the policy of some parents looks in the child, and one would wait for the other. Before each row: once
    written, the child would make such a parent visible.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, table: str, **liens: str):
        self.table, self.liens = table, liens

    def state_forwards(self, app_label, state):
        """The state of the models does not change."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self.table)
        arguments = ", ".join(f"'{mot}'" for lien in self.liens.items() for mot in lien)
        quelqu_un = "nullif(current_setting('app.systeme', true), '') IS NULL"
        change = " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in self.liens)
        for nom, verbe, quand in (
            ("rattachement_insert", "INSERT", quelqu_un),
            ("rattachement_update", f"UPDATE OF {', '.join(self.liens)}", f"{quelqu_un} AND ({change})"),
        ):
            schema_editor.execute(
                f"CREATE TRIGGER {nom} BEFORE {verbe} ON {table} FOR EACH ROW WHEN ({quand}) "
                f"EXECUTE FUNCTION reservation_rattacher({arguments})",
                params=None,
            )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self.table)
        for nom in ("rattachement_insert", "rattachement_update"):
            schema_editor.execute(f"DROP TRIGGER {nom} ON {table}", params=None)

    def describe(self):
        return f"Rows of {self.table} are attached to visible rows"
