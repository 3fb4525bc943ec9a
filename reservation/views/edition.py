"""Two people editing one object: the second is told what the first did, and keeps all that was typed.

A form carries the version of its object (how many times somebody wrote something of it, `version_de`). When it comes
back, the object is locked, and the version is looked at again: if it moved, nothing is written, the form returns
filled as it was, beside what changed meanwhile; sent again, it bears the new version and is a decision.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.http import HttpRequest

from reservation.services.historique import Entree, changements_depuis, version_de


class ModifieEntreTemps(ValidationError):
    """Somebody wrote something of the object since the form was opened."""


class Edition:
    """The editing of one object by one request; the page shows `composants/edition.html` with it."""

    def __init__(self, request: HttpRequest, genre: str, cle: object, designation: str = "") -> None:
        self.acteur = request.acteur
        self._objet = (genre, str(cle), designation)
        self.changements: list[Entree] = []
        recue = request.POST.get("version", "") if request.method == "POST" else ""
        self._attendue = int(recue) if recue.isascii() and recue.isdecimal() and len(recue) < 19 else None
        self._actuelle: int | None = None

    @property
    def version(self) -> int:
        """What the form bears: the version that its reader has seen."""
        if self._actuelle is None:
            self._actuelle = version_de(*self._objet) if self._attendue is None else self._attendue
        return self._actuelle

    @contextmanager
    def seul(self) -> Iterator[None]:
        """Write alone on this object, in one transaction. Raises `ModifieEntreTemps`."""
        with transaction.atomic():
            with connection.cursor() as curseur:
                curseur.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [":".join(self._objet)]
                )
            self._verifier()
            yield

    def _verifier(self) -> None:
        if self._attendue is None:
            return
        maintenant = version_de(*self._objet)
        if maintenant == self._attendue:
            return
        self.changements = self._changements()
        self._actuelle = maintenant
        raise ModifieEntreTemps(
            "Cette page a changé pendant que vous la remplissiez. Rien de ce que vous avez saisi n’est perdu : "
            "comparez avec ce qui est enregistré, puis enregistrez de nouveau si c’est bien ce que vous voulez."
        )

    def _changements(self) -> list[Entree]:
        genre, cle, designation = self._objet
        return changements_depuis(self.acteur, genre, cle, self._attendue, designation)
