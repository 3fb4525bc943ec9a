"""Merger of two bailleurs: what would follow and what stands in the way, or, with --appliquer, the merger itself."""

from datetime import date

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from reservation.acteur import Acteur
from reservation.models import Organisation
from reservation.regles.typographie import date_fr, entier_fr
from reservation.services.fusions import effet_propose, fusionner_bailleurs, preparer_fusion


class Command(BaseCommand):
    help = "Fusionne deux bailleurs à sa date d’effet. Sans --appliquer, dit seulement ce qui suivrait."

    def add_arguments(self, parser):
        parser.add_argument("absorbe", metavar="SIREN_ABSORBE")
        parser.add_argument("absorbant", metavar="SIREN_ABSORBANT")
        parser.add_argument(
            "--motif", required=True, help="acte qui décide la fusion ; gardé dans le journal"
        )
        parser.add_argument(
            "--effet",
            type=date.fromisoformat,
            metavar="AAAA-01-01",
            help="1er janvier de cette année (par défaut) ou de la précédente",
        )
        parser.add_argument("--appliquer", action="store_true", help="fusionne pour de bon")

    def handle(self, *args, absorbe, absorbant, motif, effet, appliquer, **options):
        acteur, effet = Acteur.du_systeme(motif), effet or effet_propose()
        parties = [self._bailleur(siren) for siren in (absorbe, absorbant)]
        try:
            verbe = fusionner_bailleurs if appliquer else preparer_fusion
            fusion = verbe(acteur, *parties, effet)
        except ValidationError as erreur:
            raise CommandError("\n".join(erreur.messages)) from erreur
        self.stdout.write(f"{fusion.absorbe.nom} → {fusion.absorbant.nom}, le {date_fr(effet)}")
        for quoi, combien in fusion.comptes.items():
            self.stdout.write(f"  {quoi} : {entier_fr(combien)}")
        for obstacle in fusion.obstacles:
            self.stdout.write(f"  À résoudre : {obstacle}")
        if not appliquer:
            self.stdout.write("Rien n’est fait : ajoutez --appliquer.")

    def _bailleur(self, siren: str) -> Organisation:
        try:
            return Organisation.objects.bailleurs().get(siren=siren)
        except Organisation.DoesNotExist:
            raise CommandError(f"Aucun bailleur n’a le SIREN {siren}.") from None
