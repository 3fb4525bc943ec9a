"""Put a whole site back from a folder of `sauvegarder`."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from config.exploitation import sauvegardes
from reservation.templatetags.affichage import nombre


class Command(BaseCommand):
    help = "Restaure la base et les fichiers d’une sauvegarde, site arrêté, puis prouve que chaque table est la même."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("dossier", type=Path, help="dossier de la sauvegarde")
        parser.add_argument(
            "--ecraser",
            action="store_true",
            help="remplace une base qui n’est pas vide ; les fichiers présents sont mis de côté",
        )
        parser.add_argument("--verifier", action="store_true", help="relit la sauvegarde, ne restaure rien")

    def handle(self, *args, dossier, ecraser, verifier, **options):
        try:
            if verifier:
                manifeste = sauvegardes.verifier(dossier)
                self.stdout.write(
                    f"Sauvegarde du {manifeste['fait_le']} : complète, chaque empreinte est bonne."
                )
                return
            bilan = sauvegardes.restaurer(dossier, ecraser=ecraser, dire=self.stdout.write)
        except sauvegardes.SauvegardeImpossible as erreur:
            raise CommandError(str(erreur)) from erreur
        self.stdout.write(
            f"Restauré : {bilan.tables} tables, {nombre(bilan.lignes)} lignes, {nombre(bilan.fichiers)} fichiers ; "
            "chaque table est celle de la sauvegarde."
        )
        for phrase in bilan.avertissements:
            self.stderr.write(phrase)
