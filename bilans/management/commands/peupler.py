"""Fill the database with demonstration data, fictitious and saying so."""

from django.core.management.base import CommandError

from bilans.demonstration.peuplement import DejaPeuple, peupler
from bilans.demonstration.scenario import ECHELLES
from bilans.demonstration.tirage import GRAINE
from reservation.commandes import CommandeTracee


class Command(CommandeTracee):
    help = "Remplit la base de données fictives : bailleurs, parcs, conventions, libérations, attributions, comptes."

    def add_arguments(self, parser):
        parser.add_argument(
            "--echelle",
            choices=ECHELLES,
            default="demo",
            help="demo : PACA, Corse et Côtes-d’Armor en petit ; region : PACA entière ; nationale : la métropole ; "
            "essai : deux départements minuscules",
        )
        parser.add_argument("--graine", type=int, default=GRAINE, help=f"graine du tirage ({GRAINE})")
        parser.add_argument(
            "--calculer", action="store_true", help="calcule aussi le flux, sans attendre le travailleur"
        )

        parser.add_argument(
            "--suites",
            action="store_true",
            help="le flux étant calculé, raconte ce qui le suit : bilans soumis, procédures, lettres",
        )

    def handle(self, *args, echelle, graine, calculer, suites, **options):
        try:
            fait = peupler(echelle, graine, calculer, dire=self.stdout.write, suites=suites)
        except DejaPeuple as erreur:
            raise CommandError(str(erreur)) from erreur
        if fait or not suites:
            self.stdout.write(
                "Données de démonstration en place." if fait else "Les données de démonstration sont déjà là."
            )
