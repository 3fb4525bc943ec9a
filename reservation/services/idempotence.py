"""A request that a program sends twice counts once.

The key is written in the transaction of the act: they are kept together or not at all. The same key sent meanwhile
waits for that transaction (unique index), then reads the answer. What was refused wrote nothing, and is not kept: the
program mends its request and may send it under the same key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from psycopg.errors import LockNotAvailable

from reservation.acteur import Acteur
from reservation.models import CleIdempotence

DUREE = timedelta(hours=24)
ATTENTE = 10_000  # milliseconds that the second of two requests waits for the first


class CleOccupee(Exception):
    """The same key is being served for too long."""


class CleDejaPrise(Exception):
    """The key was given to another request."""


@dataclass(frozen=True, slots=True)
class Reponse:
    """What is kept of an answer. `corps`: JSON, as it was sent."""

    statut: int
    corps: str
    emplacement: str = ""
    rejouee: bool = False


def empreinte_demande(acteur: Acteur, methode: str, chemin: str, donnees: object) -> str:
    """Keyed hash of one request: same person, same address, same values, whatever their order."""
    corps = DjangoJSONEncoder(sort_keys=True).encode(donnees)
    texte = "\n".join([str(acteur.utilisateur_id), methode, chemin, corps])
    return salted_hmac("reservation.idempotence", texte, algorithm="sha256").hexdigest()


def repondre_une_fois(acteur: Acteur, cle: str, empreinte: str, faire: Callable[[], Reponse]) -> Reponse:
    """The answer of `faire()`, or the one that it gave the first time. What it raises undoes everything.

    Raises `CleDejaPrise` when the key named another request, `CleOccupee` when the first does not end.
    """
    try:
        with transaction.atomic():
            ligne = _reserver(acteur, cle, empreinte)
            if not constant_time_compare(ligne.empreinte, empreinte):
                raise CleDejaPrise
            if ligne.statut is not None:
                return Reponse(ligne.statut, ligne.corps, ligne.emplacement, rejouee=True)
            reponse = faire()
            ligne.statut, ligne.corps, ligne.emplacement = (
                reponse.statut,
                reponse.corps,
                reponse.emplacement,
            )
            ligne.save(update_fields=["statut", "corps", "emplacement"])
            return reponse
    except OperationalError as erreur:
        if isinstance(erreur.__cause__, LockNotAvailable):
            raise CleOccupee from erreur
        raise


def _reserver(acteur: Acteur, cle: str, empreinte: str) -> CleIdempotence:
    """The row of this key, new or not; another transaction that is writing it is waited for."""
    maintenant = timezone.now()
    siennes = CleIdempotence.objects.filter(organisation=acteur.organisation_id, cle=cle)
    siennes.filter(expire_le__lte=maintenant).delete()
    with connection.cursor() as curseur:
        curseur.execute(f"SET LOCAL lock_timeout = {ATTENTE}")
    CleIdempotence.objects.bulk_create(
        [
            CleIdempotence(
                organisation_id=acteur.organisation_id,
                cle=cle,
                empreinte=empreinte,
                expire_le=maintenant + DUREE,
            )
        ],
        ignore_conflicts=True,
    )
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL lock_timeout TO DEFAULT")
    return siennes.get()


def oublier_les_cles() -> int:
    """Every day: erase the answers kept long enough."""
    return CleIdempotence.objects.filter(expire_le__lte=timezone.now()).delete()[0]
