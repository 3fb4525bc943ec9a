"""Look at the embedded servers, start them, stop them: with the demonstration that uses them, if one runs."""

from django.core.management.base import BaseCommand, CommandError

from config import demonstration_unique, serveurs

MOTS = {True: "en marche", False: "arrêté", None: "remplacé par un serveur externe"}


class Command(BaseCommand):
    help = "Montre, démarre ou arrête PostgreSQL et Valkey embarqués (avec la démonstration qui s’en sert)."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("action", nargs="?", choices=["etat", "demarrer", "arreter"], default="etat")

    def handle(self, *args, action, **options):
        if action == "demarrer":
            serveurs.demarrer()
        elif action == "arreter":
            self._arreter()
        etat = serveurs.etat()
        self.stdout.write(f"Données    {serveurs.dossier()}")
        self.stdout.write(f"PostgreSQL {MOTS[etat.postgresql]}")
        self.stdout.write(f"Valkey     {MOTS[etat.valkey]}")

    def _arreter(self):
        try:
            if demonstration_unique.arreter():
                self.stdout.write("Démonstration arrêtée : site, worker et calendrier.")
        except demonstration_unique.NeSArretePas:
            raise CommandError(
                f"La démonstration de {serveurs.dossier()} ne s’arrête pas après {demonstration_unique.DELAI} s ; "
                "ses processus sont ceux dont la variable RESERVATION_DATA est ce dossier."
            ) from None
        serveurs.arreter()
