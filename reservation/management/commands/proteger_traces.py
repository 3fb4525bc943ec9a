"""`manage.py proteger_traces ROLE`: takes from the application's role the rights to change what it wrote in the traces."""

from django.core.management.base import BaseCommand
from django.db import connection

from reservation.models import LigneJournal
from reservation.traces import modeles_de_trace


def ordres(role: str) -> list[str]:
    """The SQL, one order per table. The contexts of pghistory are upserted by its triggers: only their end is refused."""
    nom = connection.ops.quote_name(role)
    tables = sorted(m._meta.db_table for m in (LigneJournal, *modeles_de_trace().values()))
    return [
        *(f"REVOKE UPDATE, DELETE, TRUNCATE ON {connection.ops.quote_name(t)} FROM {nom}" for t in tables),
        f"REVOKE DELETE, TRUNCATE ON {connection.ops.quote_name('pghistory_context')} FROM {nom}",
    ]


class Command(BaseCommand):
    help = (
        "Retire au rôle de l’application le droit de modifier, d’effacer ou de vider les traces. Écrit les ordres SQL "
        "sans rien faire, sauf avec --appliquer. À relancer après chaque migration."
    )

    def add_arguments(self, parser):
        parser.add_argument("role", help="rôle PostgreSQL de l’application")
        parser.add_argument("--appliquer", action="store_true", help="exécute les ordres")

    def handle(self, *, role, appliquer, **options):
        for ordre in ordres(role):
            self.stdout.write(f"{ordre};")
            if appliquer:
                with connection.cursor() as curseur:
                    curseur.execute(ordre)
        self.stdout.write("Fait." if appliquer else "Rien n’a été fait : ajoutez --appliquer.")
