"""`manage.py purger`: what the retention rules say is due, and its purge with --appliquer."""

import json

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from publics.models import RapportPurge
from publics.services.purge import compter, purger
from reservation.acteur import Acteur
from reservation.regles.typographie import accorder, date_fr, entier_fr, typographier


class Command(BaseCommand):
    help = (
        "Applique les durées de conservation (page « Données personnelles »). Sans --appliquer, compte ce qui est "
        "échu et n’écrit rien. Interrompue, la purge se relance : elle reprend où elle en était."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--appliquer", action="store_true", help="purge, et garde le rapport")
        parser.add_argument("--json", action="store_true", help="écrit le rapport en JSON")

    def handle(self, *, appliquer: bool, **options) -> None:
        jour = timezone.localdate()
        try:
            rapport = purger(Acteur.du_systeme("commande purger"), jour) if appliquer else compter(jour)
        except ValidationError as erreur:
            raise CommandError(erreur.messages[0]) from erreur
        if options["json"]:
            self.stdout.write(json.dumps(en_json(rapport), ensure_ascii=False, indent=2))
        else:
            for phrase in raconter(rapport):
                self.stdout.write(typographier(phrase))


def en_json(rapport: RapportPurge) -> dict:
    """The report of the command; a contract."""
    return {
        "rapport": rapport.pk,
        "jour": rapport.jour.isoformat(),
        "appliquee": rapport.pk is not None,
        "terminee_le": rapport.terminee_le.isoformat() if rapport.terminee_le else None,
        "lignes": rapport.lignes,
        "total": rapport.total,
    }


def raconter(rapport: RapportPurge) -> list[str]:
    """The same in French, one line a rule."""
    phrases = [f"Durées de conservation, au {date_fr(rapport.jour)} :"]
    phrases += [
        f"  {entier_fr(ligne['echus']):>9} échus, {entier_fr(ligne['purges'])} purgés  {ligne['donnees']}"
        for ligne in rapport.lignes
    ]
    if rapport.pk is None:
        phrases.append("Rien n’est écrit : ajoutez --appliquer.")
    else:
        phrases.append(
            f"{accorder(rapport.total, 'ligne purgée', 'lignes purgées')}, rapport n° {rapport.pk}."
        )
    return phrases
