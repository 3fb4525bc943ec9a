"""E-mails that were given up: how many, or, with --appliquer, sent again."""

from django.core.management.base import BaseCommand

from reservation.acteur import Acteur
from reservation.models import Courriel
from reservation.regles.typographie import accorder
from reservation.services.courriels import renvoyer


class Command(BaseCommand):
    help = "Renvoie les courriels non remis. Sans --appliquer, compte seulement."

    def add_arguments(self, parser):
        parser.add_argument("--appliquer", action="store_true", help="renvoie pour de bon")

    def handle(self, *args, appliquer, **options):
        acteur = Acteur.du_systeme("renvoi des courriels non remis")
        echecs = list(Courriel.objects.filter(etat=Courriel.Etat.ECHEC).order_by("pk"))
        for courriel in echecs if appliquer else ():
            renvoyer(acteur, courriel)
        suite = "renvoyés à la file" if appliquer else "rien n’est fait : ajoutez --appliquer"
        self.stdout.write(f"{accorder(len(echecs), 'courriel non remis', 'courriels non remis')} ({suite}).")
