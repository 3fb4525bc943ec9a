"""A document of a bilan as the bytes of a tagged PDF: its template, its identifier."""

import hashlib

from django.template.loader import render_to_string

from reservation.documents.pdf import Pdf, rendre_balisage

from .modele import Document


def balisage(document: Document) -> str:
    """The document as well-formed markup."""
    return render_to_string("pdf/bilan.html", {"document": document})


def rendre(document: Document) -> Pdf:
    """The document as a PDF. Slow (seconds): call it from a task or a command."""
    return rendre_balisage(balisage(document), identifiant(document))


def identifiant(document: Document) -> bytes:
    """Identifier of the file: from the figures and the reference, which holds the version."""
    return hashlib.sha256(f"{document.empreinte} {document.reference}".encode()).digest()[:16]
