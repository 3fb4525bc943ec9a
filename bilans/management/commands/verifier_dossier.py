"""manage.py verifier_dossier FICHIER.zip : says whether a control file is whole, file by file. Needs no database."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from bilans.documents.dossier_zip import verifier


class Command(BaseCommand):
    help = "Vérifie un dossier de contrôle : chaque fichier, contre les empreintes de son manifeste."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("fichier", type=Path, help="l’archive ZIP téléchargée")
        parser.add_argument("--empreinte", default="", help="empreinte SHA-256 de l’archive, lue sur le site")

    def handle(self, *, fichier: Path, empreinte: str, **options):
        try:
            octets = fichier.read_bytes()
        except OSError as erreur:
            raise CommandError(f"{fichier} ne se lit pas : {erreur.strerror}.") from erreur
        resultat = verifier(octets)
        anomalies = list(resultat.anomalies)
        if empreinte and empreinte.strip().lower() != resultat.empreinte:
            anomalies.append("L’empreinte de l’archive n’est pas celle qui est attendue.")
        for anomalie in anomalies:
            self.stderr.write(anomalie)
        if anomalies:
            raise CommandError(
                f"Dossier altéré : {len(anomalies)} anomalie{'s' if len(anomalies) > 1 else ''}."
            )
        self.stdout.write(f"{resultat.manifeste.get('objet', '')}")
        self.stdout.write(f"Dossier entier : {resultat.fichiers} fichiers conformes à leur empreinte.")
        self.stdout.write(f"Empreinte SHA-256 de l’archive : {resultat.empreinte}")
