"""Look at the embedded servers, start them, stop them."""

from django.core.management.base import BaseCommand

from config import serveurs

MOTS = {True: "en marche", False: "arrêté", None: "remplacé par un serveur externe"}


class Command(BaseCommand):
    help = "Montre, démarre ou arrête PostgreSQL et Valkey embarqués."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("action", nargs="?", choices=["etat", "demarrer", "arreter"], default="etat")

    def handle(self, *args, action, **options):
        if action == "demarrer":
            serveurs.demarrer()
        elif action == "arreter":
            serveurs.arreter()
        etat = serveurs.etat()
        self.stdout.write(f"Données    {serveurs.dossier()}")
        self.stdout.write(f"PostgreSQL {MOTS[etat.postgresql]}")
        self.stdout.write(f"Valkey     {MOTS[etat.valkey]}")
