"""`manage.py bac_a_sable`: opens the sandbox of the API; once open, it is made new each night."""

from flux.services import bac_a_sable
from reservation.commandes import CommandeTracee


class Command(CommandeTracee):
    help = "Ouvre le bac à sable de l’API : un bailleur et un réservataire fictifs, renouvelés chaque nuit."

    def handle(self, **options):
        self.stdout.write(f"Le bac à sable est ouvert : {bac_a_sable.ouvrir().nom}.")
