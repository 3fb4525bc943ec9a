"""Queries of the ORM refuse a table of tenants when nobody acts: row-level security would answer with nothing.

Nothing instead of an error would be a wrong total somewhere; a missing actor is a defect of the code, said at once.
"""

from django.db.backends.postgresql import compiler

from reservation.perimetre import acteur_courant, exiger_perimetre


class AvecActeur:
    def as_sql(self, *args, **kwargs):
        sql = super().as_sql(*args, **kwargs)
        if acteur_courant() is None:
            jointes = {jointure.table_name for jointure in self.query.alias_map.values()}
            exiger_perimetre(jointes | ({self.query.get_meta().db_table} if self.query.model else set()))
        return sql


class SQLCompiler(AvecActeur, compiler.SQLCompiler):
    pass


class SQLInsertCompiler(AvecActeur, compiler.SQLInsertCompiler):
    pass


class SQLUpdateCompiler(AvecActeur, compiler.SQLUpdateCompiler):
    pass


class SQLDeleteCompiler(AvecActeur, compiler.SQLDeleteCompiler):
    pass


class SQLAggregateCompiler(AvecActeur, compiler.SQLAggregateCompiler):
    pass
