"""One cell, read tolerantly: what spreadsheets and statistics packages did to it is undone when that is certain.

Each reader takes the text of a cell and returns a `Lu`: the value, the mends made, the cause when nothing could be
made of it. Columns repeat a few values millions of times: the caller reads each distinct value once.
"""

import re
from collections.abc import Callable, Collection
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, NamedTuple

# Missing values of the files in circulation (R, SAS, databases, hands). "Z" and 999 depend on the column.
NULLES = frozenset(
    {"", "NA", "N/A", "NC", "NR", "ND", "NAN", "NULL", "NONE", "NA/NA", "-", "--", "?", ".", "#N/A"}
)

_ENTIER_ECRIT = re.compile(r"[+]?\d+")
_TABLEUR = re.compile(r"[+]?\d+([.,]\d+)?([eE][+-]?\d{1,3})?")
_SCIENTIFIQUE = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")
_QPV = re.compile(r"(QP|QN)[0-9A-Z]{5,8}")


class Lu(NamedTuple):
    """`valeur` None and no `cause`: the cell is empty. `correction`: code of the mend to tell."""

    valeur: Any = None
    cause: str = ""
    correction: str = ""


VIDE = Lu()


def est_nulle(texte: str) -> bool:
    return texte.strip().upper() in NULLES


def nombre_exact(texte: str) -> tuple[int, bool] | None:
    """Whole number, and whether a spreadsheet had rewritten it ("1985.0", "1,985E+003"); None when it is none."""
    texte = texte.strip().strip("\"'").replace("\u00a0", "").replace("\u202f", "")
    if _ENTIER_ECRIT.fullmatch(texte):
        return int(texte), False
    if not _TABLEUR.fullmatch(texte):
        return None
    try:
        exact = Decimal(texte.replace(",", "."))
    except InvalidOperation:
        return None
    if abs(exact) >= 10**18:
        return None
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)), True


def lire_entier(minimum: int, maximum: int, sans_objet: Collection[int] = ()) -> Callable[[str], Lu]:
    """Reader of a whole number from `minimum` to `maximum`; `sans_objet`: values that mean "none" (999, 9999, 0)."""

    def lire(texte: str) -> Lu:
        if est_nulle(texte) or texte.strip().upper() == "Z":
            return VIDE
        lu = nombre_exact(texte)
        if lu is None:
            return Lu(cause="NOMBRE_ILLISIBLE")
        nombre, recrit = lu
        if nombre in sans_objet:
            return VIDE
        if not minimum <= nombre <= maximum:
            return Lu(cause="NOMBRE_ILLISIBLE")
        return Lu(nombre, correction="NOTATION_TABLEUR" if recrit else "")

    return lire


def lire_code(codes: Collection[str], cause: str = "CODE_INCONNU", largeur: int = 1) -> Callable[[str], Lu]:
    """Reader of a code of `codes`, `largeur` characters wide; anything else gives `cause`.

    "Z" is the SDES's "not concerned", except where it is a code.
    """
    codes = frozenset(codes)

    def lire(texte: str) -> Lu:
        brut = texte.strip().strip("\"'").upper()
        if brut in codes:
            return Lu(brut)
        if brut in NULLES or brut == "Z":
            return VIDE
        lu = nombre_exact(brut)
        if lu is not None:
            code = str(lu[0]).zfill(largeur)
            if code in codes:
                return Lu(code, correction="NOTATION_TABLEUR" if lu[1] else "ZERO_RETABLI")
        return Lu(cause=cause)

    return lire


def lire_chiffres(largeur: int, cause: str) -> Callable[[str], Lu]:
    """Reader of a number kept as text on `largeur` digits (SIRET, postal code), leading zeros restored.

    At most two of them: a SIREN or a postal code does not lose more, and "12" is no SIRET.
    """

    def lire(texte: str) -> Lu:
        if est_nulle(texte):
            return VIDE
        brut = re.sub(r"\s", "", texte).strip("\"'")
        if brut.isascii() and brut.isdecimal() and len(brut) == largeur:
            return Lu(brut)
        if _SCIENTIFIQUE.fullmatch(brut) and chiffres_perdus(brut):
            return Lu(cause=cause)
        lu = nombre_exact(brut)
        if lu is None or not lu[0]:
            return Lu(cause=cause)
        chiffres = str(lu[0])
        trop_long = brut.isdecimal() and len(brut) > largeur
        if trop_long or not largeur - 2 <= len(chiffres) <= largeur:
            return Lu(cause=cause)
        return Lu(chiffres.zfill(largeur), correction="NOTATION_TABLEUR" if lu[1] else "ZERO_RETABLI")

    return lire


def chiffres_perdus(texte: str) -> bool:
    """Whether a number in scientific notation lost digits: "6.19E+021" keeps 3 of 22, "6.029E+03" all of them."""
    if not _SCIENTIFIQUE.fullmatch(texte):
        return False
    mantisse, _, exposant = texte.upper().partition("E")
    decimales = len(mantisse.replace(",", ".").partition(".")[2])
    return int(exposant) > decimales


def lire_commune(communes: dict[str, str]) -> Callable[[str], Lu]:
    """Reader of DEPCOM: `communes` maps every known code to the commune of today (COG and passages)."""

    def lire(texte: str) -> Lu:
        if est_nulle(texte):
            return Lu(cause="DEPCOM_VIDE")
        brut = texte.strip().strip("\"'").upper()
        correction = ""
        if brut not in communes:
            lu = nombre_exact(brut)
            if lu is not None and not chiffres_perdus(brut):
                brut = str(lu[0]).zfill(5)
                correction = "NOTATION_TABLEUR" if lu[1] else "ZERO_RETABLI"
        commune = communes.get(brut)
        if commune is None:
            return Lu(cause="DEPCOM_INCONNU")
        return Lu(commune, correction=correction or ("" if commune == brut else "COMMUNE_RATTACHEE"))

    return lire


def lire_date(texte: str) -> Lu:
    """jj/mm/aaaa, mm/aaaa (the first of the month) or aaaa-mm-jj. 01/1900 and year 9999 mean "none"."""
    if est_nulle(texte) or texte.strip().upper() == "Z":
        return VIDE
    brut = texte.strip().strip("\"'")
    for motif in (
        r"(?P<j>\d{1,2})/(?P<m>\d{1,2})/(?P<a>\d{4})",
        r"(?P<m>\d{1,2})/(?P<a>\d{4})",
        r"(?P<a>\d{4})-(?P<m>\d{2})-(?P<j>\d{2})([T ].*)?",
        r"(?P<a>\d{4})-(?P<m>\d{2})",
    ):
        if trouve := re.fullmatch(motif, brut):
            parties = trouve.groupdict()
            annee = int(parties["a"])
            if annee in (1900, 9999, 0):
                return VIDE
            try:
                return Lu(date(annee, int(parties["m"]), int(parties.get("j") or 1)))
            except ValueError:
                return Lu(cause="DATE_ILLISIBLE")
    return Lu(cause="DATE_ILLISIBLE")


def lire_code_qpv(texte: str) -> Lu:
    """QP… (2015) or QN… (2024); zonings write "outside" in many ways (CSZ, HZ, 0, blank): all of them are empty."""
    brut = texte.strip().strip("\"'").upper()
    return Lu(brut) if _QPV.fullmatch(brut) else VIDE


def cle_siret_valide(siret: str) -> bool:
    """Luhn's checksum; the establishments of La Poste have another one and are accepted."""
    if siret.startswith("356000000"):
        return True
    somme = 0
    for rang, chiffre in enumerate(reversed(siret)):
        produit = int(chiffre) * (2 if rang % 2 else 1)
        somme += produit - 9 if produit > 9 else produit
    return somme % 10 == 0


def famille_de_categorie(categorie: str, raison_sociale: str = "") -> str:
    """Family of a bailleur from CAT_ORG of the "loi" file; codes of `FamilleBailleur`."""
    if categorie in {"131", "132", "133", "134", "136"}:
        return "OPH"
    if categorie == "211":
        return "ESH"
    if categorie in {"221", "222", "223"}:
        return "COOP"
    if categorie in {"251", "259"}:
        return "SEM"
    return "AUTRE"


_MOJIBAKE = re.compile(
    "[ÂÃÅâ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]{1,2}"
)


def reparer_mojibake(texte: str) -> tuple[str, int]:
    """UTF-8 read as Windows-1252 and saved again ("ChÃ¢lons" → "Châlons"), once or twice; how many places.

    Only a sequence that is valid UTF-8 is touched: "CHÂTEAU" stays.
    """

    def reparer(trouve: re.Match) -> str:
        nonlocal nombre
        sequence = trouve[0]
        for longueur in (len(sequence), 2):
            try:
                octets = b"".join(_octet(c) for c in sequence[:longueur])
                repare = octets.decode()
            except (UnicodeDecodeError, ValueError):
                continue
            if "\x80" <= repare <= "\x9f":  # no text holds these control characters: "ÂŒ" was meant
                continue
            nombre += 1
            return repare + sequence[longueur:]
        return sequence

    nombre = 0
    for _ in range(2):
        avant = nombre
        texte = _MOJIBAKE.sub(reparer, texte)
        if nombre == avant:
            break
    return texte, nombre


def _octet(caractere: str) -> bytes:
    try:
        return caractere.encode("cp1252")
    except UnicodeEncodeError:
        return bytes(
            [ord(caractere)]
        )  # the five bytes that Windows-1252 leaves unassigned; ValueError beyond
