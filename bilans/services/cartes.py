"""The outlines shipped with the application: nothing is asked of an outside service. Origin: bilans/donnees/cartes."""

import gzip
import json
from functools import cache
from pathlib import Path

from bilans.regles.dessins_copil import Anneau

DONNEES = Path(__file__).resolve().parent.parent / "donnees" / "cartes"


@cache
def contours_des_departements() -> dict[str, list[Anneau]]:
    """Code → rings of points, in tenths of the unit of the drawing."""
    return json.loads(gzip.decompress((DONNEES / "departements.json.gz").read_bytes()))


@cache
def lieux() -> dict[str, dict]:
    """Département → `contour`: rings of points, `communes`: code → point. Hectometres, each département in its own frame."""
    return json.loads(gzip.decompress((DONNEES / "lieux.json.gz").read_bytes()))


@cache
def contours_d_outre_mer() -> dict[str, list[Anneau]]:
    """Code → rings, of the départements that the drawing of the mainland lacks."""
    return {c: x["contour"] for c, x in lieux().items() if c not in contours_des_departements()}
