"""For somebody who lost phone, keys and recovery codes: support removes the second factors, and closes the sessions."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from reservation.models import Utilisateur
from reservation.regles.typographie import accorder


class Command(BaseCommand):
    help = "Retire les seconds facteurs d’un compte et ferme ses sessions ; sans --confirmer, les compte seulement."

    def add_arguments(self, parser):
        parser.add_argument("courriel", help="adresse électronique du compte")
        parser.add_argument("--confirmer", action="store_true", help="retire et ferme pour de bon")

    def handle(self, *args, courriel, confirmer, **options):
        utilisateur = Utilisateur.objects.filter(courriel=courriel.lower()).first()
        if utilisateur is None:
            raise CommandError(f"Aucun compte n’a l’adresse {courriel}.")
        with transaction.atomic():
            facteurs = Authenticator.objects.select_for_update().filter(user=utilisateur)
            sessions = list(UserSession.objects.filter(user=utilisateur))
            nombres = (
                f"{accorder(len(facteurs), 'facteur ou jeu de codes', 'facteurs et jeux de codes')}, "
                f"{accorder(len(sessions), 'session')}"
            )
            if not confirmer:
                self.stdout.write(f"{nombres} : rien n’est fait sans --confirmer.")
                return
            facteurs.delete()
            for session in sessions:
                session.end()
        self.stdout.write(f"Retirés et fermées : {nombres}.")
