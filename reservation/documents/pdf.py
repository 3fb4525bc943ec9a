"""A document as the bytes of a tagged PDF. The engine is loaded by the first one that a process makes: loading it takes
a third of the start of a command, and most processes make none."""

import hashlib
from dataclasses import dataclass

VARIANTE = "pdf/ua-1"


@dataclass(frozen=True, slots=True)
class Pdf:
    octets: bytes
    pages: int

    @property
    def empreinte(self) -> str:
        """SHA-256 of the file, which a file cannot contain."""
        return hashlib.sha256(self.octets).hexdigest()


def rendre_balisage(contenu: str, identifiant_: bytes, variante: str = VARIANTE) -> Pdf:
    """Well-formed markup as a PDF. `variante`: another profile of WeasyPrint (a letter is archived)."""
    from . import moteur

    return Pdf(*moteur.rendre(contenu, identifiant_, variante))


def rendre_texte(contenu: str) -> Pdf:
    """Well-formed markup as a PDF whose identifier comes from the markup itself: same words, same bytes."""
    return rendre_balisage(contenu, hashlib.sha256(contenu.encode()).digest()[:16])
