"""Copy the whole site into a folder."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from config.exploitation import sauvegardes
from reservation.templatetags.affichage import nombre


class Command(BaseCommand):
    help = "Sauvegarde la base et les fichiers déposés dans un dossier neuf, site en marche. Les clés n’y sont pas."

    def add_arguments(self, parser):
        parser.add_argument("dossier", type=Path, help="dossier à créer")

    def handle(self, *args, dossier, **options):
        try:
            bilan = sauvegardes.sauvegarder(dossier.absolute(), self.stdout.write)
        except sauvegardes.SauvegardeImpossible as erreur:
            raise CommandError(str(erreur)) from erreur
        for phrase in bilan.avertissements:
            self.stderr.write(phrase)
        self.stdout.write(
            f"{dossier} : {bilan.tables} tables, {nombre(bilan.lignes)} lignes, {nombre(bilan.fichiers)} fichiers, "
            f"{nombre(bilan.octets)} octets."
        )
        self.stdout.write(f"Empreinte du manifeste (SHA-256) : {bilan.empreinte}")
        self.stdout.write(
            "Gardez ailleurs SECRET_KEY et CLE_NUMERO_UNIQUE : sans elles, la sauvegarde ne suffit pas."
        )
