"""One cell, read tolerantly: what a spreadsheet or a hand did to it is undone when that is certain, said otherwise.

Each reader takes the text of a cell, never empty, and returns a `Lu`.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from reservation.imports.rpls.valeurs import est_nulle, nombre_exact
from reservation.models import cle_de_tri
from reservation.regles.typographie import MOIS, enumerer, typographier

LONGUEUR_NUMERO = 18  # characters of a numéro unique (SNE)
# Day 1 of Excel's calendar is 1 January 1900, and it believes that 1900 was a leap year.
_ORIGINE_TABLEUR = date(1899, 12, 30)
_JOURS_TABLEUR = range(32_874, 73_051)  # 1990 to 2099: less could be a reference, more is no date
_DATE = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})(?:[T ]+\d{1,2}[:h].*)?")
_DATE_ISO = re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})(?:[T ]+\d{1,2}:.*)?")
_DATE_EN_LETTRES = re.compile(r"(\d{1,2})(?:er)? ([a-z]+) (\d{4})")
_RANG_MOIS = {cle_de_tri(mois): rang for rang, mois in enumerate(MOIS, 1)}
_OUI = frozenset({"oui", "o", "1", "vrai", "true", "x", "yes", "y"})
_NON = frozenset({"non", "n", "0", "2", "faux", "false", "no"})


class Lu(NamedTuple):
    """`code`: why nothing could be made of it, and `texte`, the sentence; `repare`: what was mended on the way."""

    valeur: Any = None
    code: str = ""
    texte: str = ""
    repare: str = ""


Lecteur = Callable[[str], Lu]


def refuse(code: str, phrase: str) -> Lu:
    """Nothing could be read; `phrase` is shown beside the cell."""
    return Lu(code=code, texte=typographier(phrase))


def nettoyer(texte: str) -> str:
    """The text of a cell without what stuck to it: no-break spaces, quotes of an export, the apostrophe of a "text" cell."""
    texte = texte.replace("\u00a0", " ").replace("\u202f", " ").replace("\u200b", "").strip()
    texte = texte.strip('"“”').removeprefix("'").strip()
    return "" if est_nulle(texte) else texte


def lire_texte(longueur: int) -> Lecteur:
    """Reader of a text of at most `longueur` characters, on one line."""

    def lire(texte: str) -> Lu:
        texte = " ".join(texte.split())
        if len(texte) > longueur:
            return refuse("TROP_LONG", f"Ce texte a {len(texte)} caractères ; attendu : {longueur} au plus.")
        return Lu(texte)

    return lire


def lire_reference(texte: str) -> Lu:
    """Reader of a landlord's own reference; a number keeps its digits, without the decimals of a spreadsheet."""
    if re.fullmatch(r"\d+[.,]0+", texte):
        return Lu(re.split(r"[.,]", texte)[0], repare="NOTATION_TABLEUR")
    return lire_texte(100)(texte)


def lire_date(texte: str) -> Lu:
    """Reader of a day: jj/mm/aaaa and its variants, ISO, in letters, or the number that a spreadsheet keeps."""
    if trouve := _DATE.fullmatch(texte):
        jour, mois, annee = (int(n) for n in trouve.groups())
        if len(trouve[3]) == 2:
            annee += 2000 if annee < 70 else 1900
    elif trouve := _DATE_ISO.fullmatch(texte):
        annee, mois, jour = (int(n) for n in trouve.groups())
    elif (trouve := _DATE_EN_LETTRES.fullmatch(cle_de_tri(texte))) and trouve[2] in _RANG_MOIS:
        jour, mois, annee = int(trouve[1]), _RANG_MOIS[trouve[2]], int(trouve[3])
    else:
        exact = nombre_exact(texte)
        if exact and exact[0] in _JOURS_TABLEUR:
            return Lu(_ORIGINE_TABLEUR + timedelta(days=exact[0]), repare="DATE_EN_NOMBRE")
        return refuse(
            "DATE_ILLISIBLE",
            f"« {texte} » n’est pas une date ; attendu : jj/mm/aaaa, par exemple 14/04/2026.",
        )
    if not 1 <= mois <= 12:
        return refuse(
            "DATE_IMPOSSIBLE",
            f"La date « {texte} » n’existe pas : il n’y a pas de mois {mois}. Attendu : jj/mm/aaaa.",
        )
    if not 1900 <= annee < 2100:
        return refuse("DATE_IMPOSSIBLE", f"La date « {texte} » n’est pas de notre temps : année {annee}.")
    dernier = monthrange(annee, mois)[1]
    if not 1 <= jour <= dernier:
        return refuse(
            "DATE_IMPOSSIBLE",
            f"La date « {texte} » n’existe pas : {MOIS[mois - 1]} {annee} a {dernier} jours.",
        )
    return Lu(date(annee, mois, jour))


def lire_oui_non(texte: str) -> Lu:
    """Reader of a yes or a no, the 1 and 2 of RPLS included."""
    cle = cle_de_tri(texte)
    if cle in _OUI or cle in _NON:
        return Lu(cle in _OUI)
    return refuse("OUI_NON", f"« {texte} » n’est ni oui ni non ; attendu : oui ou non.")


def lire_entier(minimum: int, maximum: int) -> Lecteur:
    """Reader of a whole number between the two."""

    def lire(texte: str) -> Lu:
        exact = nombre_exact(re.sub(r"(?i)^t(?=\d$)", "", texte))  # "T3" for three rooms
        if exact is None or not minimum <= exact[0] <= maximum:
            return refuse("NOMBRE", f"« {texte} » n’est pas un nombre de {minimum} à {maximum}.")
        return Lu(exact[0], repare="NOTATION_TABLEUR" if exact[1] else "")

    return lire


def lire_code_commune(texte: str) -> Lu:
    """Reader of an INSEE code; the zero that a spreadsheet took off is put back."""
    code = texte.upper().replace(" ", "")
    exact = nombre_exact(code)
    repare = ""
    if exact and len(str(exact[0])) == 4:
        code, repare = f"0{exact[0]}", "ZERO_RETABLI"
    elif exact and exact[1]:
        code, repare = str(exact[0]), "NOTATION_TABLEUR"
    if not re.fullmatch(r"(\d{2}|2[AB])\d{3}", code):
        return refuse(
            "COMMUNE", f"« {texte} » n’est pas un code de commune ; attendu : cinq caractères, 06029."
        )
    return Lu(code, repare=repare)


def lire_departement(texte: str) -> Lu:
    """Reader of the code of a département; the zero that a spreadsheet took off is put back, « 022 » is 22."""
    code = texte.upper().replace(" ", "")
    exact = nombre_exact(code)
    if exact and exact[0] < 10:
        return Lu(f"0{exact[0]}", repare="ZERO_RETABLI")
    if exact and exact[0] < 1000:
        return Lu(str(exact[0]))
    if re.fullmatch(r"2[AB]", code):
        return Lu(code)
    return refuse("DEPARTEMENT", f"« {texte} » n’est pas le code d’un département ; attendu : 22, 06, 2A.")


def lire_numero_unique(texte: str) -> Lu:
    """Reader of a numéro unique: eighteen letters and digits. The sentence never quotes it."""
    numero = re.sub(r"[\s.\-_/]", "", texte).upper()
    if len(numero) != LONGUEUR_NUMERO or not numero.isascii() or not numero.isalnum():
        return refuse(
            "NUMERO_UNIQUE",
            f"Un numéro unique a {LONGUEUR_NUMERO} lettres ou chiffres ; celui-ci en a {len(numero)}.",
        )
    return Lu(numero)


def lire_choix(choix: Mapping[str, str], alias: Mapping[str, str]) -> Lecteur:
    """Reader of one of `choix` (code → label), by its code, its label or one of `alias` (words → code)."""
    connus = {cle_de_tri(mot): code for mot, code in alias.items()}
    for code, libelle in choix.items():
        connus[cle_de_tri(code)] = connus[cle_de_tri(libelle)] = code

    def lire(texte: str) -> Lu:
        code = connus.get(cle_de_tri(texte))
        if code is None:
            return refuse(
                "CHOIX", f"« {texte} » n’est pas connu ici ; attendu : {enumerer(choix.values(), 'ou')}."
            )
        return Lu(code)

    return lire
