"""A letter as the bytes of an archival, tagged PDF (PDF/A-2a): what the page previews is what is sent.

The draft is the same document with a watermark and without its number; nothing else differs.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.template.loader import render_to_string

from bilans.regles.courriers import Bloc, LettreComposee
from reservation.documents.pdf import Pdf, rendre_balisage

VARIANTE = "pdf/a-2a"


class Tableau(NamedTuple):
    """Figures as known that day. `colonnes`: the first names the lines; a line's cells are texts. `chiffres`: whether the
    other columns are numbers, set to the right."""

    titre: str
    colonnes: tuple[str, ...]
    lignes: tuple[tuple[str, ...], ...]
    chiffres: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Courrier:
    """All that is printed, already in words. `envoi`: how it leaves, and its number when it is known.

    `constat`: the table that takes the place of "@constat"; `annexes` follow the letter. `projet`: with its watermark.
    """

    autorite: str
    service: tuple[str, ...]
    suivi: tuple[str, ...]
    destinataire: tuple[str, ...]
    envoi: tuple[str, ...]
    lieu: str
    jour: date
    references: tuple[tuple[str, str], ...]
    formule: str
    salutation: str
    signataire: tuple[str, ...]
    lettre: LettreComposee
    constat: Tableau | None = None
    annexes: tuple[Tableau, ...] = ()
    numero: str = ""
    version_modele: str = ""
    projet: bool = True

    @property
    def corps(self) -> tuple[Bloc | tuple[Bloc, ...], ...]:
        """The blocks in order, those of what is decided together."""
        suite: list[Bloc | tuple[Bloc, ...]] = []
        for bloc in self.lettre.blocs:
            if bloc.decide and suite and isinstance(suite[-1], tuple) and not isinstance(suite[-1], Bloc):
                suite[-1] = (*suite[-1], bloc)
            else:
                suite.append((bloc,) if bloc.decide else bloc)
        return tuple(suite)

    @property
    def pied(self) -> str:
        """Foot of each page: the number and the version of the template."""
        return " · ".join(filter(None, ("PROJET" if self.projet else self.numero, self.version_modele)))


def balisage(courrier: Courrier) -> str:
    """The letter as well-formed markup."""
    return render_to_string("pdf/lettre/lettre.html", contexte(courrier))


def contexte(courrier: Courrier) -> dict:
    """What "pdf/lettre/corps.html" asks for: the page shows it as the PDF prints it."""
    groupes = [
        {"decide": not isinstance(b, Bloc), "blocs": b if not isinstance(b, Bloc) else (b,)}
        for b in courrier.corps
    ]
    return {"c": courrier, "groupes": groupes}


def rendre(courrier: Courrier) -> Pdf:
    """The letter as a PDF; same words, same bytes."""
    contenu = balisage(courrier)
    identifiant = hashlib.sha256(contenu.encode()).digest()[:16]
    return rendre_balisage(contenu, identifiant, variante=VARIANTE)
