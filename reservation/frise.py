"""Geometry of the periods of an act on one axis: the act, its versions, its dérogations, its rétrocession.

The rétrocession outlives the convention by twelve years: a drawing says it at a glance, the text beside says it
in words. Whole numbers only, as attributes of an SVG: the strict CSP forbids inline styles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reservation.regles.periodes import UN_JOUR, Periode

LARGEUR = 1000
MARGE = 150  # where the names of the lines are written
HAUTEUR_LIGNE = 34
HAUTEUR_BARRE = 18
TETE = 26
ANNEES_MAX = 8


@dataclass(frozen=True, slots=True)
class Barre:
    """One period of a line; `classe` names its look, `texte` is what the drawing says of it (title)."""

    periode: Periode
    texte: str
    classe: str = "plein"


@dataclass(frozen=True, slots=True)
class Ligne:
    libelle: str
    barres: Sequence[Barre]


@dataclass(frozen=True, slots=True)
class Rectangle:
    x: int
    y: int
    largeur: int
    classe: str
    texte: str


@dataclass(frozen=True, slots=True)
class Libelle:
    y: int
    texte: str


@dataclass(frozen=True, slots=True)
class Repere:
    x: int
    texte: str


@dataclass(frozen=True, slots=True)
class Frise:
    """What the template draws. `jour`: abscissa of the day looked at, None when it is outside."""

    hauteur: int
    libelles: Sequence[Libelle]
    rectangles: Sequence[Rectangle]
    annees: Sequence[Repere]
    jour: int | None
    largeur: int = LARGEUR
    marge: int = MARGE
    hauteur_barre: int = HAUTEUR_BARRE


def dessiner(lignes: Sequence[Ligne], jour: date) -> Frise:
    """Lay out `lignes` from the first day of the first year to the last of the last; `jour` is marked if inside."""
    periodes = [barre.periode for ligne in lignes for barre in ligne.barres]
    debut = date(min(p.debut for p in periodes).year, 1, 1)
    fin = date(max(p.fin for p in periodes).year + 1, 1, 1)
    total = (fin - debut).days

    def x(instant: date) -> int:
        return MARGE + (instant - debut).days * (LARGEUR - MARGE) // total

    pas = 1 + (fin.year - debut.year - 1) // ANNEES_MAX
    annees = [Repere(x(date(annee, 1, 1)), str(annee)) for annee in range(debut.year, fin.year, pas)]
    libelles, rectangles = [], []
    for rang, ligne in enumerate(lignes):
        haut = TETE + rang * HAUTEUR_LIGNE
        libelles.append(Libelle(haut + HAUTEUR_BARRE - 4, ligne.libelle))
        for barre in ligne.barres:
            gauche = x(barre.periode.debut)
            droite = x(barre.periode.fin + UN_JOUR)
            rectangles.append(Rectangle(gauche, haut, max(2, droite - gauche - 1), barre.classe, barre.texte))
    return Frise(
        hauteur=TETE + HAUTEUR_LIGNE * len(lignes),
        libelles=libelles,
        rectangles=rectangles,
        annees=annees,
        jour=x(jour) if debut <= jour < fin else None,
    )
