"""A refusal of the database that is a sentence for its reader: the rule of a trigger, said as that of a form.

Triggers refuse what no service may let through, whatever the way a row is written (`flux.models.gels`). What they say
under their own SQLSTATE is French and names what to do: it reaches the person as any other `ValidationError`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.exceptions import ValidationError

from reservation.operations import REFUS


class RefusDeLaBase(ValidationError):
    """A trigger refused the statement; the transaction it was in is lost."""


@contextmanager
def refus_en_clair() -> Iterator[None]:
    """Inside, the database's own refusals are `RefusDeLaBase`."""
    try:
        yield
    except psycopg.Error as erreur:
        if erreur.diag.sqlstate != REFUS:
            raise
        raise RefusDeLaBase(erreur.diag.message_primary) from erreur
