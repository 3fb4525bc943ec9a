"""The files of a document: the PDF as kept, the workbook from the same frozen figures."""

from bilans.exports import classeur
from bilans.models import DocumentBilan
from bilans.regles.donnees import depuis_json

from .documents import recomposer


def lire_pdf(document: DocumentBilan) -> bytes:
    """The bytes that were kept: a document is never made again."""
    with document.fichier.open("rb") as fichier:
        return fichier.read()


def lire_classeur(document: DocumentBilan) -> bytes:
    """The workbook of the same figures, with every attribution of the year."""
    return classeur(recomposer(document), depuis_json(document.donnees))
