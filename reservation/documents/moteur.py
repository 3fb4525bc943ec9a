"""WeasyPrint, set up: from well-formed markup to the bytes of a tagged PDF (PDF/UA-1), the same bytes each time and
everywhere.

What makes that true: fonts read from files of the application, nothing fetched, an identifier and a date taken from
the document. What makes it quick: the sheet is parsed once per process, its variables replaced by their values, and
the markup, which is well-formed, is read by an XML parser instead of an HTML one.
"""

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from cssselect2 import ElementWrapper
from django.conf import settings
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from .polices import DOSSIER

FEUILLE = Path(settings.BASE_DIR) / "templates" / "pdf" / "documents.css"

_RACINE = re.compile(r":root\s*\{(.*?)\}", re.DOTALL)
_VARIABLE = re.compile(r"--([\w-]+):\s*([^;]+);")
_USAGE = re.compile(r"var\(--([\w-]+)\)")


def rendre(contenu: str, identifiant: bytes, variante: str) -> tuple[bytes, int]:
    """(bytes of the PDF, pages) of well-formed markup, in one of WeasyPrint's profiles."""
    feuille, polices = _feuille()
    rendu = Balisage(contenu).render(font_config=polices, stylesheets=[feuille], pdf_variant=variante)
    octets = rendu.write_pdf(pdf_variant=variante, pdf_identifier=identifiant)
    return octets, len(rendu.pages)


class PoliceSeule(URLFetcher):
    """Reads the fonts of the application and nothing else: a document fetches nothing."""

    def fetch(self, url: str, headers=None) -> URLFetcherResponse:
        fichier = DOSSIER / url.rsplit("/", 1)[-1]
        if url != fichier.as_uri():
            raise ValueError(f"Un document ne va rien chercher ailleurs : {url}")
        return URLFetcherResponse(url, fichier.read_bytes(), {"Content-Type": "font/otf"})


class Balisage(HTML):
    """WeasyPrint's document, from well-formed markup: expat reads it, where an HTML5 parser in Python would take a
    tenth of the whole rendering. Sets what `HTML.__init__` sets."""

    def __init__(self, contenu: str) -> None:
        self.base_url = f"{DOSSIER.as_uri()}/"
        self.url_fetcher = PoliceSeule()
        self.media_type = "print"
        self.wrapper_element = ElementWrapper.from_html_root(
            ElementTree.fromstring(contenu), content_language=None
        )
        self.etree_element = self.wrapper_element.etree_element


def feuille_en_clair(feuille: str) -> str:
    """The sheet with the values of `:root` in place of `var()`."""
    valeurs = {nom: valeur.strip() for nom, valeur in _VARIABLE.findall(_RACINE.search(feuille).group(1))}
    return _USAGE.sub(lambda usage: valeurs[usage.group(1)], _RACINE.sub("", feuille, count=1))


@cache
def _feuille() -> tuple[CSS, FontConfiguration]:
    """The sheet and its fonts, once per process: a configuration keeps the fonts it has loaded."""
    polices = FontConfiguration()
    feuille = CSS(
        string=feuille_en_clair(FEUILLE.read_text()),
        base_url=f"{DOSSIER.as_uri()}/",
        font_config=polices,
        url_fetcher=PoliceSeule(),
    )
    return feuille, polices
