"""The fonts shipped with the application: where they are, what they can print, how wide a text is.

A character without glyph would be borrowed from whatever the machine has, silently: another look, other bytes, a
PDF that is no longer the same everywhere. It is replaced by a visible square instead.
"""

import unicodedata
from fractions import Fraction
from functools import cache
from pathlib import Path

from django.conf import settings

DOSSIER = Path(settings.BASE_DIR) / "static" / "polices"
TEXTE = "Inter-Regular.otf"
TEXTE_GRAS = "Inter-SemiBold.otf"
ABSENT = "\u25a1"

# Drawn by the layout, not by a glyph.
_INVISIBLES = frozenset("\n\t\u00ad")


@cache
def _police(fichier: str) -> tuple[dict[int, str], dict[str, int], int]:
    """(code point → glyph, glyph → advance width, units per em)."""
    from fontTools.ttLib import TTFont  # heavy: who prints nothing does without it

    with TTFont(DOSSIER / fichier, lazy=True) as police:
        avances = {glyphe: avance for glyphe, (avance, _) in police["hmtx"].metrics.items()}
        return dict(police.getBestCmap()), avances, police["head"].unitsPerEm


def imprimable(texte: str) -> str:
    """`texte` in composed form, each character that the font lacks replaced by □."""
    glyphes = _police(TEXTE)[0]
    return "".join(
        c if ord(c) in glyphes or c in _INVISIBLES else ABSENT for c in unicodedata.normalize("NFC", texte)
    )


def largeur(texte: str, corps: str, gras: bool = False) -> Fraction:
    """Width of a line of text, in the unit of `corps` (the size of the font, "11.5"). Kerning is left out."""
    glyphes, avances, unites = _police(TEXTE_GRAS if gras else TEXTE)
    return sum(avances[glyphes.get(ord(c), ".notdef")] for c in texte) * Fraction(corps) / unites
