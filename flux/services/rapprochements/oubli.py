"""What the reconciliations forget: runs with their lines, and the decisions made by hand."""

from datetime import date

from django.db.models import QuerySet

from flux.models import CorrectionRapprochement, Rapprochement
from flux.regles.conservation import RAPPROCHEMENTS
from reservation.regles.conservation import echeance
from reservation.services.conservation import Purgeur, enregistrer_purgeur


def _passes(jour: date) -> tuple[QuerySet, QuerySet]:
    avant = echeance(jour, RAPPROCHEMENTS.mois)
    return (
        Rapprochement.objects.filter(fin__lt=avant),
        CorrectionRapprochement.objects.filter(attribution__date_caleol__lt=avant),
    )


def _purger(jour: date, nombre: int) -> int:
    total = 0
    for lignes in _passes(jour):
        cles = list(lignes.order_by("pk").values_list("pk", flat=True)[: nombre - total])
        lignes.model.objects.filter(pk__in=cles).delete()
        total += len(cles)
    return total


def enregistrer_purges() -> None:
    """Called when the app is ready."""
    enregistrer_purgeur(
        Purgeur(RAPPROCHEMENTS, lambda jour: sum(lignes.count() for lignes in _passes(jour)), _purger)
    )
