"""French writing of figures, dates and sentences: exact in, text out.

Rounding is half to even on the exact value, so that a shown figure never depends on a binary approximation.
"""

from collections.abc import Iterable
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

INSECABLE = "\u00a0"
FINE = "\u202f"

MOIS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)

JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")

_ESPACES = (
    (" ;", FINE + ";"),
    (" !", FINE + "!"),
    (" ?", FINE + "?"),
    (" %", FINE + "%"),
    (" :", INSECABLE + ":"),
    ("« ", "«" + INSECABLE),
    (" »", INSECABLE + "»"),
)


@lru_cache(maxsize=8192)
def typographier(texte: str) -> str:
    """Put the no-break spaces of French punctuation where the source has ordinary ones.

    Remembered: the steps of a calculation say the same labels and articles for every bailleur.
    """
    for saisi, compose in _ESPACES:
        if saisi in texte:
            texte = texte.replace(saisi, compose)
    return texte


def decimales(valeur: int | Decimal | Fraction, chiffres: int) -> str:
    """Exact value with `chiffres` decimals, half to even, decimal point: `Fraction(1, 3), 4` → "0.3333"."""
    numerateur, denominateur = valeur.as_integer_ratio()
    unite = 10**chiffres
    echelle, reste = divmod(abs(numerateur) * unite, denominateur)
    if (double := 2 * reste) > denominateur or (double == denominateur and echelle % 2):
        echelle += 1
    entier, reste = divmod(echelle, unite)
    signe = "-" if numerateur < 0 and echelle else ""
    return f"{signe}{entier}.{reste:0{chiffres}d}" if chiffres else f"{signe}{entier}"


def entier_fr(nombre: int) -> str:
    """12846 → "12 846", narrow no-break spaces, true minus sign."""
    texte = f"{abs(nombre):,}".replace(",", FINE)
    return f"−{texte}" if nombre < 0 else texte


def decimal_fr(valeur: int | Decimal | Fraction, chiffres: int = 2) -> str:
    """Rounded half to even: `Fraction(24106, 100)` → "241,06"."""
    entier, _, reste = decimales(abs(valeur), chiffres).partition(".")
    texte = entier_fr(int(entier)) + (f",{reste}" if reste else "")
    negatif = valeur < 0 and any(c in "123456789" for c in texte)
    return f"−{texte}" if negatif else texte


@lru_cache(maxsize=4096)
def taux_fr(valeur: int | Decimal | Fraction) -> str:
    """A rate as the act writes it: two decimals, more when the act has more ("30,00", "0,00005")."""
    exact = Fraction(valeur)
    chiffres = 2
    while (exact * 10**chiffres).denominator != 1 and chiffres < 12:
        chiffres += 1
    return decimal_fr(exact, chiffres)


def date_fr(jour: date) -> str:
    """ "1er janvier 2025"."""
    quantieme = "1er" if jour.day == 1 else str(jour.day)
    return f"{quantieme} {MOIS[jour.month - 1]} {jour.year}"


def jour_semaine_fr(jour: date) -> str:
    """ "jeudi 8 octobre 2026"."""
    return f"{JOURS[jour.weekday()]} {date_fr(jour)}"


def heure_fr(heure: time) -> str:
    """ "14 h", "9 h 05", without a break."""
    minutes = f"{INSECABLE}{heure.minute:02d}" if heure.minute else ""
    return f"{heure.hour}{INSECABLE}h{minutes}"


def enumerer(elements: Iterable[str], liaison: str = "et") -> str:
    """("a", "b", "c") → "a, b et c"."""
    *debut, dernier = list(elements) or [""]
    return f"{', '.join(debut)} {liaison} {dernier}" if debut else dernier


def accorder(nombre: int, singulier: str, pluriel: str | None = None) -> str:
    """ "1 logement", "2 logements": French says 0 and 1 in the singular."""
    mot = singulier if abs(nombre) < 2 else (pluriel or f"{singulier}s")
    return f"{entier_fr(nombre)} {mot}"


def minuscule(texte: str) -> str:
    """First letter in lower case, to quote a label inside a sentence; initialisms (RU, ORCOD) are kept."""
    return texte[:1].lower() + texte[1:]
