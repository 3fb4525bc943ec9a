"""What every trace says of its moment: who, for which organisation, why, in which request, with whose assistance.

django-pghistory hands it to PostgreSQL with each statement that writes; the triggers of `reservation.traces` freeze it
in the journal. Only keys and reasons go there: no name, no address.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

import pghistory

from reservation.acteur import Acteur

_requete: ContextVar[str] = ContextVar("requete", default="")
_organisation: ContextVar[int | None] = ContextVar("organisation", default=None)


def requete_courante() -> str:
    """Identifier of the request (or task, or command) under way; empty outside of one."""
    return _requete.get()


def organisation_courante() -> int | None:
    """Key of the organisation for which the request or the task under way works; None: nobody's, or not known."""
    return _organisation.get()


@contextmanager
def numeroter(requete: str = "") -> Iterator[str]:
    """Give what follows an identifier, which its log lines and its traces bear.

    `requete`: the identifier that it already has (the page that started this task).
    """
    jeton = _requete.set(requete or uuid4().hex)
    organisation = _organisation.set(None)
    try:
        yield _requete.get()
    finally:
        _organisation.reset(organisation)
        _requete.reset(jeton)


@contextmanager
def tracer(origine: str, acteur: Acteur | None = None) -> Iterator[None]:
    """Everything written inside bears this origin and this actor. `origine`: page, task or command."""
    with pghistory.context(requete=requete_courante(), origine=origine, **_de_l_acteur(acteur)):
        yield


def _de_l_acteur(acteur: Acteur | None) -> dict:
    if acteur is None:
        return {}
    return {
        "utilisateur": acteur.utilisateur_id,
        "organisation": acteur.organisation_id,
        "assistant": acteur.assistant_id,
        "motif": acteur.motif,
    }


def pour(organisation_id: int | None) -> None:
    """Say for which organisation the request or the task under way works: its log lines bear the key."""
    _organisation.set(organisation_id)


def situer(origine: str) -> None:
    """Say from which page the request under way writes."""
    pghistory.context(origine=origine)


def motiver(motif: str) -> None:
    """Say why, for all that the request (or the task) under way still writes."""
    pghistory.context(motif=motif.strip())


def au_nom_de(utilisateur_id: int | None, organisation_id: int | None = None) -> None:
    """Say who asked for the task under way."""
    pour(organisation_id)
    pghistory.context(utilisateur=utilisateur_id, organisation=organisation_id)


class NumeroDeRequete(logging.Filter):
    """Puts in each log line the identifier of the request, and the organisation for which it works."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.requete = requete_courante() or "-"
        record.organisation = organisation_courante()
        return True
