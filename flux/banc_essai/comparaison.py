"""What a file expects against what was computed: on the keys that it gives for objects, whole for lists."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reservation.regles.typographie import typographier

from .champs import sous


class _Absent:
    """No value at this place."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place of the result ("repartition[0].objectif") where the computed value is not the expected one."""

    chemin: str
    attendu: Any
    calcule: Any

    def __str__(self) -> str:
        return typographier(
            f"{self.chemin} : attendu {_ecrire(self.attendu)}, calculé {_ecrire(self.calcule)}"
        )


def _ecrire(valeur: Any) -> str:
    if valeur is ABSENT:
        return "absent"
    texte = json.dumps(valeur, ensure_ascii=False, default=str)
    return texte if texte.isprintable() else json.dumps(valeur, default=str)


def comparer(attendu: Any, calcule: Any, chemin: str = "") -> list[Difference]:
    """Every difference, each at the deepest place where it can be told. Empty: the expectation holds."""
    return _comparer(attendu, calcule, chemin, partiel=True)


def _comparer(attendu: Any, calcule: Any, chemin: str, *, partiel: bool) -> list[Difference]:
    """`partiel`: objects are compared on the keys of `attendu`; inside a list, on all of them."""
    if isinstance(attendu, dict) and isinstance(calcule, dict):
        cles = list(attendu) if partiel else [*attendu, *(cle for cle in calcule if cle not in attendu)]
        return [
            difference
            for cle in cles
            for difference in _comparer(
                attendu.get(cle, ABSENT), calcule.get(cle, ABSENT), sous(chemin, cle), partiel=partiel
            )
        ]
    if isinstance(attendu, list) and isinstance(calcule, list) and len(attendu) == len(calcule):
        return [
            difference
            for i, (membre, obtenu) in enumerate(zip(attendu, calcule, strict=True))
            for difference in _comparer(membre, obtenu, sous(chemin, i), partiel=False)
        ]
    return [] if _egaux(attendu, calcule) else [Difference(chemin, attendu, calcule)]


def _egaux(attendu: Any, calcule: Any) -> bool:
    """Equality of JSON values: true is not 1; 3 and 3.0 are one number; a text is never a number."""
    if isinstance(attendu, bool) or isinstance(calcule, bool):
        return attendu is calcule
    if isinstance(attendu, int | Decimal) and isinstance(calcule, int | Decimal):
        return attendu == calcule
    return type(attendu) is type(calcule) and attendu == calcule
