"""Close the site for a while, announce it, open it again."""

import time
from datetime import datetime, timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.exploitation import maintenance, travailleurs
from config.exploitation.etat import PANNES_DU_COURTIER
from config.exploitation.maintenance import Maintenance
from reservation.templatetags.affichage import instant

FORMES = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M")
PAUSE = 1.0  # seconds between two looks at what the workers are doing


class Command(BaseCommand):
    help = (
        "Ferme le site aux demandes (503) et fait finir les workers ; l’annonce d’avance ; le rouvre. Ne demande ni la "
        "base ni le courtier."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("action", nargs="?", choices=["etat", "annoncer", "debut", "fin"], default="etat")
        parser.add_argument("--motif", default="", help="phrase montrée à tous")
        parser.add_argument("--de", type=moment, help="début annoncé : « 2026-11-22 22:00 », ou « 22:00 »")
        parser.add_argument("--jusqua", type=moment, help="fin prévue, écrite de même")
        parser.add_argument("--lecture", action="store_true", help="les pages se lisent, rien ne s’écrit")
        parser.add_argument(
            "--attendre",
            type=int,
            default=0,
            metavar="SECONDES",
            help="attend que les workers aient fini, au plus ce temps",
        )

    def handle(self, *args, action, attendre, **options):
        if action == "fin":
            self.stdout.write(
                "Le site est rouvert." if maintenance.finir() else "Aucune maintenance n’était en cours."
            )
        elif action != "etat":
            self._ecrire(action, options)
        self._dire()
        if action == "debut" and attendre:
            self._attendre(attendre)

    def _ecrire(self, action, options):
        maintenant = timezone.now()
        de, jusqua = options["de"], options["jusqua"]
        if action == "annoncer":
            if de is None or de <= maintenant:
                raise CommandError(
                    "Une annonce dit quand la maintenance commence, plus tard : --de « 2026-11-22 22:00 »."
                )
        elif de is not None:
            raise CommandError(
                "« debut » commence maintenant ; pour plus tard : « maintenance annoncer --de … »."
            )
        if jusqua is not None and jusqua <= (de or maintenant):
            raise CommandError("La fin prévue (--jusqua) vient après le début.")
        maintenance.ecrire(
            Maintenance(options["motif"].strip(), de or maintenant, jusqua, options["lecture"])
        )

    def _dire(self):
        trouvee = maintenance.lire()
        if trouvee is None:
            self.stdout.write("Le site est ouvert.")
            return
        sorte = "lecture seule" if trouvee.lecture else "fermé"
        fin = f", fin prévue le {instant(trouvee.jusqua)}" if trouvee.jusqua else ", sans fin prévue"
        debut = "en cours depuis le" if trouvee.commencee else "annoncée pour le"
        self.stdout.write(
            f"Maintenance {debut} {instant(trouvee.de)} ({sorte}){fin}. {trouvee.motif}".rstrip()
        )

    def _attendre(self, secondes):
        """The workers leave their queues at the next beat of their heart (two seconds), then end what they have begun."""
        echeance = time.monotonic() + secondes
        time.sleep(3 * PAUSE)
        while True:
            try:
                reste = travailleurs.en_cours()
            except PANNES_DU_COURTIER as erreur:
                raise CommandError(
                    "Le courtier ne répond pas : ce que font les workers n’est pas connu."
                ) from erreur
            if not reste:
                mots = "Aucun worker ne répond." if reste is None else "Les workers ont fini."
                self.stdout.write(mots)
                return
            if time.monotonic() > echeance:
                raise CommandError(
                    f"Après {secondes} s, {reste} tâche(s) restent en cours. Le site est fermé."
                )
            time.sleep(PAUSE)


def moment(texte: str) -> datetime:
    """« 2026-11-22 22:00 », « 22/11/2026 22:00 », or « 22:00 » (the next one), in Paris. Raises `CommandError`."""
    for forme in FORMES:
        try:
            return timezone.make_aware(datetime.strptime(texte, forme))
        except ValueError:
            continue
    try:
        heure = datetime.strptime(texte, "%H:%M").time()
    except ValueError:
        raise CommandError(
            f"« {texte} » ne se lit pas : écrivez « 2026-11-22 22:00 » ou « 22:00 »."
        ) from None
    aujourdhui = timezone.localtime()
    voulu = timezone.make_aware(datetime.combine(aujourdhui.date(), heure))
    return voulu if voulu > aujourdhui else voulu + timedelta(days=1)
