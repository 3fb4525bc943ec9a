"""Geometry of the "schéma" of the conventions: from the parc to what is kept of it, floor by floor.

The strict CSP forbids inline styles, so widths and heights are numbers of an SVG made here; no float, so that the
same figures always give the same drawing. One drawing for wide screens, one for narrow ones where everything is
stacked: both repeat the figures of the table that stands beside them.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from reservation.regles.typographie import entier_fr, typographier

HAUTEUR_BARRE = 44
HAUTEUR_LIGNE = 21


@dataclass(frozen=True, slots=True)
class Retrait:
    """What one floor takes off, and why. `nombre`: dwellings, 0 or more."""

    libelle: str
    nombre: int


@dataclass(frozen=True, slots=True)
class Etage:
    """One bar: `garde` dwellings kept out of `total`; `retraits` add up to the difference."""

    titre: str
    total: int
    garde: int
    libelle_garde: str
    titre_retraits: str = ""
    retraits: Sequence[Retrait] = ()
    notes: Sequence[str] = ()
    notes_retraits: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Texte:
    x: Decimal
    y: Decimal
    texte: str
    classe: str = ""
    fin: bool = False  # aligned on its end


@dataclass(frozen=True, slots=True)
class Rectangle:
    x: Decimal
    y: Decimal
    largeur: Decimal
    hauteur: Decimal
    classe: str


@dataclass(frozen=True, slots=True)
class Dessin:
    """What the template prints: `traces` (shades) first, then rectangles, `fils` (lines) and texts."""

    largeur: int
    hauteur: int
    traces: list[str] = field(default_factory=list)
    rectangles: list[Rectangle] = field(default_factory=list)
    textes: list[Texte] = field(default_factory=list)
    fils: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Format:
    """Measures of one drawing, in units of its view box (about one pixel at full size)."""

    largeur: int
    barre: int
    panneau: int  # abscissa of the reasons; 0 when they are stacked under the bar
    colonne: int  # abscissa of the little bars of the reasons
    petite_barre: int
    signes: int  # characters that a reason may take on one line
    pas: int  # between two floors


LARGE = Format(largeur=1200, barre=680, panneau=740, colonne=1060, petite_barre=80, signes=44, pas=34)
ETROIT = Format(largeur=340, barre=340, panneau=0, colonne=0, petite_barre=0, signes=40, pas=26)


def dessiner(etages: Sequence[Etage], format_: Format = LARGE) -> Dessin:
    """Lay the floors out, from top to bottom; each bar is as wide as its own floor's total."""
    dessin = Dessin(format_.largeur, 0)
    haut = 0
    for rang, etage in enumerate(etages):
        bas_gauche = _barre(dessin, etage, format_, haut)
        bas_droite = _raisons(dessin, etage, format_, haut, bas_gauche)
        suivant = max(bas_gauche, bas_droite) + format_.pas
        if rang + 1 < len(etages) and etage.total:
            _entonnoir(dessin, etage, format_, haut, suivant)
        haut = suivant
    return Dessin(dessin.largeur, haut - format_.pas + 4, dessin.traces, dessin.rectangles, dessin.textes)


def _part(nombre: int, total: int, largeur: int) -> Decimal:
    """Width of `nombre` out of `total`, to a tenth; what exists is always seen."""
    if not total or not nombre:
        return Decimal(0)
    return max(Decimal(2), (Decimal(nombre) * largeur / total).quantize(Decimal("0.1")))


def _ordonnee_barre(haut: int) -> int:
    return haut + 26


def _barre(dessin: Dessin, etage: Etage, format_: Format, haut: int) -> int:
    """Title, bar and notes of a floor; returns the ordinate under them."""
    y = _ordonnee_barre(haut)
    garde = _part(etage.garde, etage.total, format_.barre)
    if etage.garde < etage.total:
        garde = min(garde, Decimal(format_.barre - 2))
    dessin.textes.append(Texte(Decimal(0), Decimal(haut + 16), typographier(etage.titre), "t"))
    if garde:
        dessin.rectangles.append(Rectangle(Decimal(0), Decimal(y), garde, Decimal(HAUTEUR_BARRE), "garde"))
    if garde < format_.barre:
        dessin.rectangles.append(
            Rectangle(garde, Decimal(y), format_.barre - garde, Decimal(HAUTEUR_BARRE), "hors")
        )
    bas = y + HAUTEUR_BARRE
    libelle = typographier(etage.libelle_garde)
    if garde >= 8 * len(libelle) + 24:
        dessin.textes.append(Texte(Decimal(12), Decimal(y + 27), libelle, "inv"))
    else:
        bas += 19
        dessin.textes.append(Texte(Decimal(0), Decimal(bas - 4), libelle))
    signes = format_.barre // 7
    for note in etage.notes:
        for ligne in _couper(note, signes):
            bas += 18
            dessin.textes.append(Texte(Decimal(0), Decimal(bas), ligne, "m"))
    return bas + 4


def _raisons(dessin: Dessin, etage: Etage, format_: Format, haut: int, bas_gauche: int) -> int:
    """Reasons of what the floor takes off, beside the bar or under it; returns the ordinate under them."""
    if not etage.titre_retraits:
        return haut
    cote = bool(format_.panneau)
    x = format_.panneau + 12 if cote else 0
    fin = format_.largeur - 12 if cote else format_.largeur
    y = haut + 18 if cote else bas_gauche + 22
    sommet = y - 18
    dessin.textes.append(Texte(Decimal(x), Decimal(y), typographier(etage.titre_retraits), "t"))
    plus_grand = max((r.nombre for r in etage.retraits), default=0)
    for retrait in etage.retraits:
        y += HAUTEUR_LIGNE
        classe = "" if retrait.nombre else "m"
        lignes = _couper(retrait.libelle, format_.signes)
        dessin.textes.append(Texte(Decimal(fin), Decimal(y), entier_fr(retrait.nombre), classe, fin=True))
        if retrait.nombre and format_.petite_barre:
            largeur = _part(retrait.nombre, plus_grand, format_.petite_barre)
            dessin.rectangles.append(
                Rectangle(Decimal(format_.colonne), Decimal(y - 11), largeur, Decimal(13), "hors")
            )
        for rang, ligne in enumerate(lignes):
            y += 16 if rang else 0
            dessin.textes.append(Texte(Decimal(x), Decimal(y), ligne, classe))
    for note in etage.notes_retraits:
        for ligne in _couper(note, 62 if cote else format_.signes):
            y += 18
            dessin.textes.append(Texte(Decimal(x), Decimal(y), ligne, "m"))
    bas = y + 10
    if cote:
        garde = _part(etage.garde, etage.total, format_.barre)
        barre = _ordonnee_barre(haut)
        dessin.traces.append(f"M{format_.panneau} {sommet}H{format_.largeur}V{bas}H{format_.panneau}Z")
        if garde < format_.barre:
            dessin.traces.append(
                f"M{format_.barre} {barre}L{format_.panneau} {sommet}V{bas}L{format_.barre} {barre + HAUTEUR_BARRE}Z"
            )
    return bas


def _entonnoir(dessin: Dessin, etage: Etage, format_: Format, haut: int, suivant: int) -> None:
    """What is kept becomes the whole of the next bar; under the words, which stay readable on this pale shade."""
    if not format_.panneau:
        return
    garde = _part(etage.garde, etage.total, format_.barre)
    bas_barre = _ordonnee_barre(haut) + HAUTEUR_BARRE
    dessin.traces.append(f"M0 {bas_barre}H{garde}L{format_.barre} {_ordonnee_barre(suivant)}H0Z")


def _couper(texte: str, signes: int) -> list[str]:
    """Lines of at most `signes` characters; French no-break spaces hold."""
    return textwrap.wrap(typographier(texte), signes)
