"""Unused accounts: what the nightly task would do, or, with --appliquer, does."""

from django.core.management.base import BaseCommand

from reservation.regles.typographie import accorder
from reservation.services.sommeil import suivre_les_comptes_inutilises


class Command(BaseCommand):
    help = "Avertit, puis ferme, les comptes inutilisés depuis un an. Sans --appliquer, compte seulement."

    def add_arguments(self, parser):
        parser.add_argument("--appliquer", action="store_true", help="avertit et ferme pour de bon")

    def handle(self, *args, appliquer, **options):
        fait = suivre_les_comptes_inutilises(appliquer=appliquer)
        self.stdout.write(
            f"{accorder(fait.avertis, 'compte averti', 'comptes avertis')}, "
            f"{accorder(fait.fermes, 'compte fermé', 'comptes fermés')}"
            f"{'' if appliquer else ' (rien n’est fait : ajoutez --appliquer)'}."
        )
