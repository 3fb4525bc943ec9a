"""A file into sheets of texts: XLSX through calamine, CSV of any separator and encoding. Its name decides nothing.

Lines and columns keep the numbers that the spreadsheet shows, hidden columns included, so that « H12 » is found again.
"""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine

from reservation.imports.contenu import PAGE_WEB, decoder, est_binaire, nature, utf16
from reservation.imports.rpls.causes import FichierRefuse
from reservation.imports.rpls.ouverture import RATIO_MAX, TAILLE_LIBRE
from reservation.models import cle_de_tri
from reservation.regles.typographie import entier_fr

from .colonnes import COLONNES, lettre, reconnaitre
from .valeurs import nettoyer
from .xml_sne import NOM_FEUILLE, est_xml, lire_xml

LIGNES_MAX = 50_000
LIGNES_MAX_EXTRAIT = 150_000  # the demands of a year in a département
_CELLULES_MAX = (
    10_000_000  # calamine holds a sheet as a full rectangle: one cell in XFD1048576 would be 17 billion
)
_LIGNES_AVANT_ENTETE = 50
_ENTETES_MIN = 2
_SEPARATEURS = (";", ",", "\t", "|")
_SUITES_DE_CELLULE = 20  # lines over which a quoted text may run
_TOTAL = re.compile(r"(sous )?total(aux)?( .*)?|ensemble du tableau")
# A cell with its address, and whether it is empty (closed at once); a cell without address; a line with its number.
_CELLULE = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br=["']([A-Z]{1,3})(\d{1,7})["'][^>]*?(/?)>""")
_CELLULE_SANS_ADRESSE = re.compile(rb"<(?:\w+:)?c(?:\s(?![^>]*\br=)[^>]*)?>")
_LIGNE = re.compile(rb"""<(?:\w+:)?row\s[^>]*?\br=["'](\d{1,7})["']""")


@dataclass(frozen=True)
class Feuille:
    """A sheet (or the whole CSV): texts, line by line; `numeros[i]` is the line that the spreadsheet shows."""

    nom: str
    lignes: list[list[str]]
    numeros: Sequence[int]


@dataclass(frozen=True)
class Tableau:
    """The table found in a file: its header, and the lines below it. `ignorees`: reason → how many lines.

    Reasons: AVANT_EN_TETE, VIDE, SOUS_TOTAL, EN_TETE_REPETE.
    """

    feuille: str
    ligne_entete: int
    entetes: list[str]
    lignes: list[tuple[int, list[str]]]
    ignorees: dict[str, int] = field(default_factory=dict)
    autres_feuilles: tuple[str, ...] = ()


def reconnaitre_contenu(octets: bytes) -> str:
    """ "xlsx", "csv" or "xml" (the interface of the SNE), from the bytes alone; raises `FichierRefuse` with the sentence to show."""
    if not octets:
        raise FichierRefuse("VIDE", "Ce fichier est vide.")
    if octets.startswith(b"PK"):
        _verifier_classeur(octets)
        return "xlsx"
    if est_xml(octets):
        return "xml"
    autre = nature(octets[:1024])
    if autre == PAGE_WEB:
        raise FichierRefuse(
            "PAGE_WEB",
            "Ce fichier est une page web, pas un tableau : le téléchargement n’a sans doute pas abouti.",
        )
    if autre or octets.startswith(b"\x1f\x8b"):
        raise FichierRefuse(
            "AUTRE_NATURE",
            f"Ce fichier est {autre or 'une archive'} : enregistrez votre tableau au format XLSX ou CSV.",
        )
    if not utf16(octets) and est_binaire(octets[:4096]):
        raise FichierRefuse("BINAIRE", "Ce fichier n’est pas un tableau : déposez un XLSX ou un CSV.")
    return "csv"


def _verifier_classeur(octets: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            membres = archive.infolist()
            noms = {membre.filename for membre in membres}
            if "[Content_Types].xml" not in noms or not any(nom.startswith("xl/") for nom in noms):
                raise FichierRefuse(
                    "AUTRE_NATURE",
                    "Ce fichier n’est pas un classeur XLSX : enregistrez votre tableau au format XLSX ou CSV.",
                )
            if any(membre.flag_bits & 1 for membre in membres):
                raise FichierRefuse(
                    "CHIFFRE", "Ce classeur est protégé par un mot de passe : déposez-le sans lui."
                )
            if sum(membre.file_size for membre in membres) > max(TAILLE_LIBRE, RATIO_MAX * len(octets)):
                raise FichierRefuse("TROP_GROS", "Ce classeur est démesuré une fois décompressé.")
            for membre in membres:
                # A sheet may be anywhere in the archive, under any name.
                if b"sheetData" in (contenu := archive.read(membre)):
                    _verifier_etendue(contenu)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, RuntimeError) as erreur:
        raise FichierRefuse("ABIME", "Ce classeur est abîmé ou incomplet.") from erreur


def _verifier_etendue(feuille: bytes) -> None:
    """Refuse a sheet whose filled cells lie too far apart, before anything makes a rectangle of it."""
    largeur = hauteur = 0
    for colonne, ligne, vide in _CELLULE.findall(feuille):
        if vide:
            continue
        rang = 0
        for octet in colonne:
            rang = rang * 26 + octet - 64
        largeur, hauteur = max(largeur, rang), max(hauteur, int(ligne))
    if _CELLULE_SANS_ADRESSE.search(feuille):
        hauteur = max([hauteur, *(int(ligne) for ligne in _LIGNE.findall(feuille))])
    if largeur * hauteur > _CELLULES_MAX:
        raise FichierRefuse(
            "TROP_GROS",
            "Une feuille de ce classeur a des cellules très loin des autres : copiez votre tableau dans un classeur neuf.",
        )


def lire_feuilles(octets: bytes) -> list[Feuille]:
    """The sheets that a person sees (hidden ones are left alone), with the texts of all their cells."""
    match reconnaitre_contenu(octets):
        case "csv":
            return [_lire_csv(octets)]
        case "xml":
            return [Feuille(NOM_FEUILLE, *lire_xml(octets, LIGNES_MAX_EXTRAIT))]
    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(octets)) as classeur:
            visibles = [
                feuille.name
                for feuille in classeur.sheets_metadata
                if feuille.visible == python_calamine.SheetVisibleEnum.Visible
                and feuille.typ == python_calamine.SheetTypeEnum.WorkSheet
            ]
            return [_lire_feuille(classeur, nom) for nom in visibles]
    except BaseException as erreur:
        # The library is in Rust: what it did not foresee arrives as a PanicException, which is no Exception.
        if isinstance(erreur, python_calamine.CalamineError | ValueError | OSError) or (
            type(erreur).__name__ == "PanicException"
        ):
            raise FichierRefuse("ABIME", "Ce classeur est abîmé ou incomplet.") from erreur
        raise


def _lire_feuille(classeur: python_calamine.CalamineWorkbook, nom: str) -> Feuille:
    lignes = classeur.get_sheet_by_name(nom).to_python(skip_empty_area=False)
    return Feuille(nom, [[en_texte(c) for c in ligne] for ligne in lignes], range(1, len(lignes) + 1))


def en_texte(cellule: Any) -> str:
    """What a person reads in the cell: 6901.0 → "6901", a date → "14/04/2026"."""
    match cellule:
        case str():
            return cellule
        case bool():
            return "oui" if cellule else "non"
        case float():
            return str(int(cellule)) if cellule.is_integer() else repr(cellule)
        case datetime() | date():
            return f"{cellule:%d/%m/%Y}"
        case time() | timedelta():
            return str(cellule)
        case _:
            return "" if cellule is None else str(cellule)


def _lire_csv(octets: bytes) -> Feuille:
    codec = utf16(octets)
    texte = codecs.decode(octets, codec, "replace") if codec else decoder(octets)
    physiques = texte.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    separateur = _separateur(physiques)
    lignes, numeros = [], []
    rang = 0
    while rang < len(physiques):
        cellules, consommees = _enregistrement(physiques, rang, separateur)
        lignes.append([cellule.replace("\0", "") for cellule in cellules])
        numeros.append(rang + 1)
        rang += consommees
    return Feuille("", lignes, numeros)


def _separateur(physiques: list[str]) -> str:
    """The separator under which a line of the beginning names the most columns; else the most frequent one."""
    debut = physiques[:_LIGNES_AVANT_ENTETE]
    return max(
        _SEPARATEURS,
        key=lambda s: (
            max((reconnaitre([nettoyer(c) for c in ligne.split(s)]) for ligne in debut), default=0),
            sum(ligne.count(s) for ligne in debut),
        ),
    )


def _enregistrement(physiques: list[str], rang: int, separateur: str) -> tuple[list[str], int]:
    """Cells of the record that begins on this line, and how many lines it takes.

    An odd number of quotes opens a text of several lines, when the next ones close it; else the quote is a stray one
    and stays in its cell, rather than swallow what follows.
    """
    ligne = physiques[rang]
    if '"' not in ligne:
        return ligne.split(separateur), 1
    if ligne.count('"') % 2 == 0:
        return next(csv.reader([ligne], delimiter=separateur), []), 1
    if re.search(rf'(^|{re.escape(separateur)})"[^"]*$', ligne):
        for suite in range(2, _SUITES_DE_CELLULE + 2):
            morceau = "\n".join(physiques[rang : rang + suite])
            if rang + suite <= len(physiques) and morceau.count('"') % 2 == 0:
                dernier = physiques[rang + suite - 1]
                if re.match(rf'[^"]*"({re.escape(separateur)}|$)', dernier):
                    return next(csv.reader(io.StringIO(morceau), delimiter=separateur), []), suite
                break
    return ligne.split(separateur), 1


# --- The table in the sheets ----------------------------------------------------------------------------------


def trouver_tableau(
    feuilles: Sequence[Feuille],
    champs_de: Mapping[str, Iterable[str]] | None = None,
    lignes_max: int = LIGNES_MAX,
) -> Tableau:
    """The sheet and the line whose headers name the most columns; what is above (titles, merged cells) is left aside.

    `champs_de`: headers already learnt for this bailleur (normalised), which count as known. Raises `FichierRefuse`.
    """
    appris = {cle for cles in (champs_de or {}).values() for cle in cles}
    meilleur: tuple[int, Feuille, int] | None = None
    for feuille in feuilles:
        for rang, ligne in enumerate(feuille.lignes[:_LIGNES_AVANT_ENTETE]):
            entetes = [nettoyer(cellule) for cellule in ligne]
            score = max(reconnaitre(entetes), sum(cle_de_tri(e) in appris for e in entetes if e))
            if score >= _ENTETES_MIN and (meilleur is None or score > meilleur[0]):
                meilleur = (score, feuille, rang)
    if meilleur is None:
        meilleur = _premiere_ligne_large(feuilles)
    _, feuille, rang = meilleur
    entetes = [" ".join(nettoyer(cellule).split()) for cellule in feuille.lignes[rang]]
    while entetes and not entetes[-1]:
        entetes.pop()
    ignorees: dict[str, int] = {}
    if rang:
        ignorees["AVANT_EN_TETE"] = rang
    lignes = []
    normalises = [cle_de_tri(e) for e in entetes]
    for numero, brutes in zip(feuille.numeros[rang + 1 :], feuille.lignes[rang + 1 :], strict=True):
        cellules = [nettoyer(cellule) for cellule in brutes[: len(entetes)]]
        cellules += [""] * (len(entetes) - len(cellules))
        raison = _a_ignorer(cellules, normalises)
        if raison:
            ignorees[raison] = ignorees.get(raison, 0) + 1
        else:
            lignes.append((numero, cellules))
    while ignorees.get("VIDE") and feuille.lignes and not any(feuille.lignes[-1]):
        # Empty lines after the last one are how a sheet or a file ends, not lines of the table.
        feuille.lignes.pop()
        ignorees["VIDE"] -= 1
    if len(lignes) > lignes_max:
        raise FichierRefuse(
            "TROP_DE_LIGNES",
            f"Ce tableau a {entier_fr(len(lignes))} lignes ; déposez-en {entier_fr(lignes_max)} au plus à la fois.",
        )
    return Tableau(
        feuille.nom,
        feuille.numeros[rang],
        [_titre(entete, n) for n, entete in enumerate(entetes)],
        lignes,
        {raison: nombre for raison, nombre in ignorees.items() if nombre},
        tuple(f.nom for f in feuilles if f is not feuille and any(any(ligne) for ligne in f.lignes)),
    )


def _premiere_ligne_large(feuilles: Sequence[Feuille]) -> tuple[int, Feuille, int]:
    """No header is known: the first line with as many cells as the widest of the beginning is taken for it."""
    for feuille in feuilles:
        debut = [sum(bool(nettoyer(c)) for c in ligne) for ligne in feuille.lignes[:_LIGNES_AVANT_ENTETE]]
        if max(debut, default=0) >= _ENTETES_MIN:
            return 0, feuille, debut.index(max(debut))
    raise FichierRefuse(
        "SANS_TABLEAU",
        "Aucun tableau dans ce fichier : il faut une ligne d’en-têtes (« Référence du logement », « Libéré le »…), "
        "puis une ligne par événement.",
    )


def _a_ignorer(cellules: list[str], entetes: list[str]) -> str:
    pleines = [c for c in cellules if c]
    if not pleines:
        return "VIDE"
    if "t" in pleines[0].casefold() and _TOTAL.fullmatch(cle_de_tri(pleines[0])):
        return "SOUS_TOTAL"
    premier = next(rang for rang, c in enumerate(cellules) if c)
    if cle_de_tri(cellules[premier]) == entetes[premier]:  # which tells most lines from a header
        repetees = [cle_de_tri(c) == entetes[rang] for rang, c in enumerate(cellules) if c]
        if len(repetees) >= _ENTETES_MIN and all(repetees):
            return "EN_TETE_REPETE"
    return ""


def _titre(entete: str, rang: int) -> str:
    return entete[:120] or f"(colonne {lettre(rang)})"


RAISONS_IGNOREES = {
    "AVANT_EN_TETE": "au-dessus de l’en-tête",
    "VIDE": "vide",
    "SOUS_TOTAL": "total ou sous-total",
    "EN_TETE_REPETE": "en-tête répété",
    "NON_REMPLIE": "ligne du modèle non remplie",
}


def non_remplie(cellules: Mapping[str, str]) -> bool:
    """Whether a line only describes a dwelling: the template lists them all, one fills in those that were freed."""
    return all(not texte or COLONNES[champ].description for champ, texte in cellules.items())
