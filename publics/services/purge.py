"""The purge: every retention rule that is registered, counted or applied, with a report (chapter 7; RGPD, art. 5-1 e)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone

from publics.models import RapportPurge
from reservation.acteur import Acteur
from reservation.services.conservation import purgeurs

CLASSE_PURGE = 20_231  # advisory lock
LOT = 1_000  # rows a transaction


def compter(jour: date) -> RapportPurge:
    """What is due on `jour`, as a report that is not saved; writes nothing."""
    lignes = [
        {
            "code": purgeur.regle.code,
            "donnees": purgeur.regle.donnees,
            "echus": purgeur.compter(jour),
            "purges": 0,
        }
        for purgeur in purgeurs()
    ]
    return RapportPurge(jour=jour, lignes=lignes)


def purger(acteur: Acteur, jour: date, taille_lot: int = LOT) -> RapportPurge:
    """Apply every rule, batch by batch, each in its transaction; the report is saved after each rule.

    One at a time (lock). Interrupted, what is purged stays purged and the next one does the rest.
    """
    if not acteur.systeme:
        raise PermissionDenied("La purge se lance en ligne de commande.")
    if jour > timezone.localdate():
        raise ValidationError("Une purge ne devance pas ses échéances.")
    with _seule():
        rapport = compter(jour)
        rapport.lancee_par = acteur.motif
        rapport.save()
        for purgeur, ligne in zip(purgeurs(), rapport.lignes, strict=True):
            while True:
                with transaction.atomic():
                    nombre = purgeur.purger(jour, taille_lot)
                    ligne["purges"] += nombre
                    if nombre:
                        rapport.save(update_fields=["lignes"])
                if not nombre:
                    break
        rapport.terminee_le = timezone.now()
        rapport.save(update_fields=["terminee_le"])
    return rapport


@contextmanager
def _seule() -> Iterator[None]:
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_try_advisory_lock(%s, 0)", [CLASSE_PURGE])
        if not curseur.fetchone()[0]:
            raise ValidationError("Une purge est déjà en cours.")
    try:
        yield
    finally:
        with connection.cursor() as curseur:
            curseur.execute("SELECT pg_advisory_unlock(%s, 0)", [CLASSE_PURGE])
