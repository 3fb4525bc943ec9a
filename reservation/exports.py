"""Tables that leave the application: declared once (title → value → format), written as CSV or XLSX.

Whoever opens the file gets what the screen shows, with the rights of the screen: a view gives rows that it has
already filtered. A text that a spreadsheet would take for a formula never runs (OWASP, CSV injection).
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, BinaryIO

import xlsxwriter
from django.http import FileResponse

from reservation.models import cle_de_tri
from reservation.regles.typographie import entier_fr, typographier

OCTETS_EN_MEMOIRE = 4 * 1024 * 1024
LIGNES_XLSX = 50_000  # what is written while a person waits; a sheet would hold a million
# The last four are the full-width forms that some spreadsheets read as the others.
_DEBUTS_DE_FORMULE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Format(StrEnum):
    TEXTE = "TEXTE"
    ENTIER = "ENTIER"
    JOUR = "JOUR"


class TropDeLignes(ValueError):
    """The table is too long for a workbook; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Colonne:
    """One column: its title, how to read it from a row, how it is written. `tri`: name it sorts by, if it does."""

    titre: str
    valeur: Callable[[Any], Any]
    format: Format = Format.TEXTE
    largeur: int = 16
    tri: str = ""


def sans_formule(texte: str) -> str:
    """A text that no spreadsheet evaluates: "=1+1" → "'=1+1"."""
    return f"'{texte}" if texte.startswith(_DEBUTS_DE_FORMULE) else texte


def en_csv(colonnes: Sequence[Colonne], lignes: Iterable[Any]) -> BinaryIO:
    """CSV as French spreadsheets open it: UTF-8 with BOM, semicolons, days as jj/mm/aaaa."""
    sortie = tempfile.SpooledTemporaryFile(OCTETS_EN_MEMOIRE)  # noqa: SIM115 (closed by the response)
    texte = io.TextIOWrapper(sortie, "utf-8-sig", newline="", write_through=True)
    ecrivain = csv.writer(texte, delimiter=";")
    ecrivain.writerow(colonne.titre for colonne in colonnes)
    for ligne in lignes:
        ecrivain.writerow(_cellule_csv(colonne, colonne.valeur(ligne)) for colonne in colonnes)
    texte.detach()
    sortie.seek(0)
    return sortie


def _cellule_csv(colonne: Colonne, valeur: Any) -> str:
    if valeur is None:
        return ""
    match colonne.format:
        case Format.ENTIER:
            return str(valeur)
        case Format.JOUR:
            return f"{valeur:%d/%m/%Y}"
        case _:
            return sans_formule(str(valeur))


def en_xlsx(colonnes: Sequence[Colonne], lignes: Iterable[Any], feuille: str) -> BinaryIO:
    """One sheet with a frozen, filterable header. Texts are written as texts, never as formulas or links."""
    sortie = tempfile.SpooledTemporaryFile(OCTETS_EN_MEMOIRE)  # noqa: SIM115 (closed by the response)
    classeur = xlsxwriter.Workbook(
        sortie,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "default_date_format": "dd/mm/yyyy",
        },
    )
    page = classeur.add_worksheet(feuille)
    gras = classeur.add_format({"bold": True, "text_wrap": True})
    page.freeze_panes(1, 0)
    for rang, colonne in enumerate(colonnes):
        page.set_column(rang, rang, colonne.largeur)
        page.write_string(0, rang, colonne.titre, gras)
    nombre = 0
    for nombre, ligne in enumerate(lignes, 1):
        if nombre > LIGNES_XLSX:
            classeur.close()
            sortie.close()
            raise TropDeLignes(
                typographier(
                    f"Le classeur XLSX s’arrête à {entier_fr(LIGNES_XLSX)} lignes : prenez le CSV, ou filtrez la liste."
                )
            )
        for rang, colonne in enumerate(colonnes):
            _cellule_xlsx(page, nombre, rang, colonne, colonne.valeur(ligne))
    page.autofilter(0, 0, max(nombre, 1), len(colonnes) - 1)
    classeur.close()
    sortie.seek(0)
    return sortie


def _cellule_xlsx(page, ligne: int, rang: int, colonne: Colonne, valeur: Any) -> None:
    if valeur is None or valeur == "":
        return
    match colonne.format:
        case Format.ENTIER:
            page.write_number(ligne, rang, valeur)
        case Format.JOUR:
            page.write_datetime(ligne, rang, valeur)
        case _:
            page.write_string(ligne, rang, str(valeur))


FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def exporter(
    format_: str, nom: str, colonnes: Sequence[Colonne], lignes: Iterable[Any], feuille: str = "Données"
) -> FileResponse:
    """Answer with the table as a file. `format_`: a key of `FORMATS`; `nom`: file name without extension."""
    contenu = en_csv(colonnes, lignes) if format_ == "csv" else en_xlsx(colonnes, lignes, feuille)
    return FileResponse(
        contenu, as_attachment=True, filename=f"{nom}.{format_}", content_type=FORMATS[format_]
    )


def nom_de_fichier(*morceaux: str | int | date) -> str:
    """File name without accents nor spaces: ("Parc", "Habitat Été", 2026) → "parc-habitat-ete-2026"."""
    return cle_de_tri(" ".join(str(m) for m in morceaux)).replace(" ", "-")
