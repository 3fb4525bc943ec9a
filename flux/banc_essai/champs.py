"""Readers of JSON values: each checks one value, notes every fault with its path, and gives back a plain value.

A reader is called with (value, path, errors) and returns what it read or `INVALIDE`. Readers combine, so that
the format of a file is a table (see `lecture`), and a file with ten faults is told ten faults at once.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

from reservation.regles.typographie import enumerer, typographier

CHIFFRES_MAX = 15
TAUX_MAX = 50


@dataclass(frozen=True, slots=True)
class Erreur:
    """A fault of a file: where in the JSON ("parc[0].mode", "" for the whole), what is wrong, what was expected."""

    chemin: str
    probleme: str
    attendu: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "probleme", typographier(self.probleme))
        object.__setattr__(self, "attendu", typographier(self.attendu))

    def __str__(self) -> str:
        lieu = f"{self.chemin} : " if self.chemin else ""
        suite = f" ; attendu : {self.attendu}" if self.attendu else ""
        return typographier(f"{lieu}{self.probleme}{suite}")


class _Invalide(Enum):
    INVALIDE = "invalide"


INVALIDE = _Invalide.INVALIDE

Erreurs = list[Erreur]
Lecteur = Callable[[Any, str, Erreurs], Any]


class ObjetJSON(dict):
    """A JSON object that remembers the keys it was given twice: the second would silently win."""

    def __init__(self, paires: list[tuple[str, Any]]) -> None:
        super().__init__(paires)
        self.doublons = [cle for cle, fois in Counter(cle for cle, _ in paires).items() if fois > 1]


class JSONIllisible(ValueError):
    """The bytes are no JSON; the message is French."""


def analyser_json(contenu: bytes) -> Any:
    """Parse JSON (UTF-8, UTF-16 or UTF-32, with or without a byte order mark), decimals kept exact.

    NaN and Infinity, which JSON does not have, are refused. Raises `JSONIllisible`.
    """
    try:
        return json.loads(
            contenu, object_pairs_hook=ObjetJSON, parse_float=Decimal, parse_constant=_refuser_constante
        )
    except json.JSONDecodeError as erreur:
        raise JSONIllisible(f"JSON invalide à la ligne {erreur.lineno}, colonne {erreur.colno}") from erreur
    except UnicodeDecodeError as erreur:
        raise JSONIllisible(f"texte mal encodé à l’octet {erreur.start} (UTF-8 attendu)") from erreur
    except RecursionError as erreur:
        raise JSONIllisible("JSON invalide : trop d’objets imbriqués") from erreur
    except JSONIllisible:
        raise
    except ValueError as erreur:
        raise JSONIllisible("JSON invalide : nombre démesuré") from erreur


def _refuser_constante(nom: str) -> None:
    raise JSONIllisible(f"JSON invalide : la constante {nom} n’existe pas en JSON")


def montrer(valeur: Any) -> str:
    """A JSON value as a sentence quotes it, cut when long."""
    if isinstance(valeur, dict):
        return "un objet"
    if isinstance(valeur, list):
        return "une liste"
    texte = imprimable(valeur) if isinstance(valeur, str) else json.dumps(valeur, default=str)
    if len(texte) > 60:
        texte = texte[:57] + "…"
    return f"« {texte} »" if isinstance(valeur, str) else texte


def imprimable(texte: str) -> str:
    """The text itself, or with JSON escapes where it holds line breaks, controls or halves of characters."""
    return texte if texte.isprintable() else json.dumps(texte)[1:-1]


def sous(chemin: str, cle: str | int) -> str:
    """Path of a member: sous("parc", 0) → "parc[0]", sous("parc[0]", "mode") → "parc[0].mode".

    A key that is no plain word is quoted: sous("reports", "a b") → 'reports["a b"]'.
    """
    if isinstance(cle, int):
        return f"{chemin}[{cle}]"
    if not re.fullmatch(r"\w+", cle) or not cle.isprintable():
        return f"{chemin}[{json.dumps(cle)}]"
    return f"{chemin}.{cle}" if chemin else cle


def refuser(erreurs: Erreurs, chemin: str, probleme: str, attendu: str) -> _Invalide:
    """Note a fault and give back the mark of what could not be read."""
    erreurs.append(Erreur(chemin, probleme, attendu))
    return INVALIDE


def texte(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
    """Any text, even empty, made of whole characters."""
    if not isinstance(valeur, str):
        return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", "un texte")
    try:
        valeur.encode()
    except UnicodeEncodeError:
        return refuser(erreurs, chemin, "caractère Unicode incomplet", "un texte")
    return valeur


def identifiant(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
    """A text that names something: never empty."""
    if valeur == "":
        return refuser(erreurs, chemin, "texte vide", "un texte non vide")
    return texte(valeur, chemin, erreurs)


def booleen(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
    """true or false; 0 and 1 are numbers."""
    if not isinstance(valeur, bool):
        return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", "true ou false")
    return valeur


def entier(minimum: int = 0, maximum: int = 10**CHIFFRES_MAX - 1) -> Lecteur:
    """A whole number, written as a JSON number; true and 3.0 are not."""

    def lire(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
        attendu = f"un nombre entier, {minimum} ou plus"
        if isinstance(valeur, bool) or not isinstance(valeur, int):
            return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", attendu)
        if valeur < minimum:
            defaut = "est négatif" if valeur < 0 else "est trop petit"
            return refuser(erreurs, chemin, f"{montrer(valeur)} {defaut}", attendu)
        if valeur > maximum:
            defaut = "nombre démesuré" if valeur >= 10**CHIFFRES_MAX else f"{valeur} est trop grand"
            return refuser(erreurs, chemin, defaut, f"un nombre entier de {minimum} à {maximum}")
        return valeur

    return lire


def taux(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
    """A rate: a text, digits with a decimal point, never negative. Read exactly, as a `Fraction`."""
    attendu = "un taux écrit en texte, positif ou nul, comme « 30 » ou « 1.37 »"
    if not isinstance(valeur, str):
        return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", attendu)
    if len(valeur) > TAUX_MAX or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", valeur):
        return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", attendu)
    lu = Fraction(valeur)
    if lu < 0:
        return refuser(erreurs, chemin, f"le taux {montrer(valeur)} est négatif", attendu)
    return lu


def jour(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
    """A day of the calendar, written AAAA-MM-JJ and no other way."""
    attendu = "une date AAAA-MM-JJ"
    if not isinstance(valeur, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", valeur):
        return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", attendu)
    try:
        return date.fromisoformat(valeur)
    except ValueError:
        return refuser(erreurs, chemin, f"la date {montrer(valeur)} n’existe pas", f"{attendu} du calendrier")


def choix(codes: Collection[str]) -> Lecteur:
    """One of the codes, as a text."""
    attendu = enumerer((montrer(str(code)) for code in codes), "ou")

    def lire(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
        if not isinstance(valeur, str):
            return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", attendu)
        if valeur not in codes:
            return refuser(erreurs, chemin, f"valeur inconnue {montrer(valeur)}", attendu)
        return valeur

    return lire


def motif(expression: str, attendu: str) -> Lecteur:
    """A text of a given form."""

    def lire(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
        if not isinstance(valeur, str) or not re.fullmatch(expression, valeur):
            return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", attendu)
        return valeur

    return lire


def nullable(lecteur: Lecteur) -> Lecteur:
    """What `lecteur` reads, or null."""

    def lire(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
        return None if valeur is None else lecteur(valeur, chemin, erreurs)

    return lire


def liste(lecteur: Lecteur) -> Lecteur:
    """Every element is read, whatever the others are worth; faulty ones come back as `INVALIDE`."""

    def lire(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
        if not isinstance(valeur, list):
            return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", "une liste")
        return [lecteur(element, sous(chemin, i), erreurs) for i, element in enumerate(valeur)]

    return lire


def ensemble(lecteur: Lecteur) -> Lecteur:
    """A list whose order and repetitions mean nothing; `INVALIDE` if one element is."""

    def lire(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
        lus = liste(lecteur)(valeur, chemin, erreurs)
        return INVALIDE if lus is INVALIDE or INVALIDE in lus else frozenset(lus)

    return lire


def signaler_doublons(valeur: dict, chemin: str, erreurs: Erreurs) -> None:
    """Note the keys that an object was given twice."""
    for cle in getattr(valeur, "doublons", ()):
        refuser(erreurs, sous(chemin, cle), "clé donnée deux fois", "chaque clé une seule fois")


def dictionnaire(cles: Collection[str] | None, lecteur: Lecteur) -> Lecteur:
    """An object whose keys are codes (None: any text), all its values read alike; `INVALIDE` if one is."""

    def lire(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
        if not isinstance(valeur, dict):
            return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", "un objet")
        avant = len(erreurs)
        signaler_doublons(valeur, chemin, erreurs)
        lus = {}
        for cle, contenu in valeur.items():
            if cles is not None and cle not in cles:
                refuser(
                    erreurs, sous(chemin, cle), "clé inconnue", enumerer(map(montrer, map(str, cles)), "ou")
                )
            else:
                lus[cle] = lecteur(contenu, sous(chemin, cle), erreurs)
        return lus if len(erreurs) == avant else INVALIDE

    return lire


def lire_champs(
    valeur: Any,
    chemin: str,
    erreurs: Erreurs,
    champs: Mapping[str, Lecteur],
    facultatifs: Collection[str] = (),
) -> dict[str, Any] | _Invalide:
    """Read the members of an object by a table: a missing one, an unknown one, a repeated one are faults.

    Faulty or missing members come back as `INVALIDE`, absent optional ones do not come back.
    """
    if not isinstance(valeur, dict):
        return refuser(erreurs, chemin, f"reçu {montrer(valeur)}", "un objet")
    signaler_doublons(valeur, chemin, erreurs)
    for cle in valeur:
        if cle not in champs:
            refuser(erreurs, sous(chemin, cle), "clé inconnue", f"une clé parmi {', '.join(champs)}")
    lus = {}
    for cle, lecteur in champs.items():
        if cle in valeur:
            lus[cle] = lecteur(valeur[cle], sous(chemin, cle), erreurs)
        elif cle not in facultatifs:
            lus[cle] = refuser(erreurs, sous(chemin, cle), "champ manquant", "ce champ, obligatoire")
    return lus


def objet(
    champs: Mapping[str, Lecteur],
    construire: Callable[[dict[str, Any]], Any],
    facultatifs: Collection[str] = (),
) -> Lecteur:
    """An object read by a table and built from its members; `INVALIDE` if any member is at fault."""

    def lire(valeur: Any, chemin: str, erreurs: Erreurs) -> Any:
        avant = len(erreurs)
        lus = lire_champs(valeur, chemin, erreurs, champs, facultatifs)
        if lus is INVALIDE:
            return INVALIDE
        verifier_periode(lus, chemin, erreurs)
        return construire(lus) if len(erreurs) == avant else INVALIDE

    return lire


def verifier_periode(lus: Mapping[str, Any], chemin: str, erreurs: Erreurs) -> None:
    """`fin` before `debut` is a fault wherever an object has both; an open or unread end is not compared."""
    debut, fin = lus.get("debut"), lus.get("fin")
    if isinstance(debut, date) and isinstance(fin, date) and fin < debut:
        refuser(
            erreurs,
            sous(chemin, "fin"),
            f"la fin {fin.isoformat()} précède le début {debut.isoformat()}",
            "une fin égale ou postérieure au début",
        )
