"""Drawings of the pages of the COPIL, as geometry: maps of départements and of communes, a curve of years. Pure, no markup.

A drawing repeats figures of the consolidation, which its table says too; it counts nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from reservation.regles.typographie import decimal_fr

Anneau = Sequence[Sequence[int]]

# Classes of the map: realised in percent of what is due. The last is open; a place without objective has none.
CLASSES = (
    (Fraction(90), "moins de 90 %"),
    (Fraction(100), "de 90 % à moins de 100 %"),
    (None, "100 % et plus"),
)
SANS_OBJET = "sans objectif"
COTE, ECART = 260, 60  # of the square in which a place off the mainland is drawn, tenths


def taux(numerateur: int, denominateur: int | None) -> Fraction | None:
    """In percent; None without denominator."""
    return Fraction(100 * numerateur, denominateur) if denominateur else None


def classe(valeur: Fraction | None) -> int | None:
    """Rank in `CLASSES`."""
    if valeur is None:
        return None
    return next(rang for rang, (borne, _) in enumerate(CLASSES) if borne is None or valeur < borne)


@dataclass(frozen=True, slots=True)
class Forme:
    """One place: `trace`, value of the attribute d of a path; where its code is written; `carre`: no outline is known."""

    code: str
    trace: str
    x: int
    y: int
    carre: bool


@dataclass(frozen=True, slots=True)
class Carte:
    """`cadre`: value of the attribute viewBox; `texte`: height of letters, in the same unit."""

    cadre: str
    texte: int
    formes: tuple[Forme, ...]


def cartographier(
    contours: Mapping[str, Sequence[Anneau]],
    codes: Sequence[str],
    lointains: Mapping[str, Sequence[Anneau]] | None = None,
) -> Carte | None:
    """The map of `codes`, framed on them. None: no code.

    A place that `contours` lacks is drawn under the others, at a scale of its own (outline of `lointains`, in any unit); a
    square where none is known.
    """
    if not codes:
        return None
    connus = [c for c in codes if c in contours]
    points = [p for c in connus for anneau in contours[c] for p in anneau]
    gauche, droite = (min(p[0] for p in points), max(p[0] for p in points)) if points else (0, 0)
    haut, bas = (min(p[1] for p in points), max(p[1] for p in points)) if points else (0, 0)
    formes = [_forme(c, contours[c]) for c in connus]
    x = gauche
    dessus = bas + ECART if points else 0
    for code in codes:
        if code in contours:
            continue
        if lointains and code in lointains:
            formes.append(_forme(code, _dans_le_carre(lointains[code], x, dessus)))
        else:
            formes.append(
                Forme(code, f"M{x} {dessus}h{COTE}v{COTE}h-{COTE}Z", x + COTE // 2, dessus + COTE // 2, True)
            )
        droite, bas = max(droite, x + COTE), dessus + COTE
        x += COTE + ECART
    marge = 15
    largeur, hauteur = droite - gauche + 2 * marge, bas - haut + 2 * marge
    cadre = f"{gauche - marge} {haut - marge} {largeur} {hauteur}"
    return Carte(cadre, max(40, largeur // 24), tuple(formes))


def _etendue(anneaux: Sequence[Anneau]) -> tuple[int, int, int, int]:
    """Left, top, width, height; neither of these is 0."""
    xs, ys = [p[0] for a in anneaux for p in a], [p[1] for a in anneaux for p in a]
    return min(xs), min(ys), max(1, max(xs) - min(xs)), max(1, max(ys) - min(ys))


def _dans_le_carre(anneaux: Sequence[Anneau], x: int, y: int) -> list[list[list[int]]]:
    """The outline as large as the square whose corner is (x, y) lets it be, in its middle."""
    gauche, haut, largeur, hauteur = _etendue(anneaux)
    cote = max(largeur, hauteur)
    dx, dy = x + COTE * (cote - largeur) // (2 * cote), y + COTE * (cote - hauteur) // (2 * cote)
    return [
        [[dx + COTE * (p[0] - gauche) // cote, dy + COTE * (p[1] - haut) // cote] for p in a] for a in anneaux
    ]


@dataclass(frozen=True, slots=True)
class Cercle:
    """A commune: its centre and its radius; `nomme`: there is room for its name above."""

    code: str
    x: int
    y: int
    rayon: int
    nomme: bool


@dataclass(frozen=True, slots=True)
class CarteCommunes:
    """`cercles`: the largest first. `ailleurs`: codes that are not drawn, since nobody knows where they are."""

    cadre: str
    texte: int
    contour: str
    cercles: tuple[Cercle, ...]
    ailleurs: tuple[str, ...]


NOMMEES = 12  # communes at most whose name is written


def placer_communes(
    contour: Sequence[Anneau], places: Mapping[str, Sequence[int]], communes: Sequence[tuple[str, str, int]]
) -> CarteCommunes:
    """Circles on the outline of a département: their area is as the flux. `communes`: (code, name, flux).

    A commune whose flux is 0 or less has no circle, and is not missing.
    """
    gauche, haut, largeur, hauteur = _etendue(contour)
    cote = max(largeur, hauteur)
    texte, grand = max(1, cote // 26), max(2, cote // 14)
    comptees = sorted((c for c in communes if c[2] > 0), key=lambda c: (-c[2], c[0]))
    situees = [c for c in comptees if c[0] in places]
    plus = situees[0][2] if situees else 1
    cercles: list[Cercle] = []
    pris: list[tuple[int, int, int, int]] = []  # names written, larger circles
    for rang, (code, nom, flux) in enumerate(situees):
        x, y = places[code]
        # At least a two-hundredth of the map, so that it can be seen and pointed at.
        rayon = max(cote // 200, 1, isqrt(grand * grand * flux // plus))
        demi = len(nom) * texte * 3 // 10
        boite = (x - demi, y - rayon - texte * 3 // 2, x + demi, y - rayon)
        dedans = gauche - grand <= boite[0] and boite[2] <= gauche + largeur + grand
        libre = not any(
            boite[0] < b[2] and b[0] < boite[2] and boite[1] < b[3] and b[1] < boite[3] for b in pris
        )
        nomme = rang < NOMMEES and dedans and libre
        if nomme:
            pris.append(boite)
        pris.append((x - rayon, y - rayon, x + rayon, y + rayon))
        cercles.append(Cercle(code, x, y, rayon, nomme))
    marge = grand + texte
    return CarteCommunes(
        cadre=f"{gauche - marge} {haut - marge} {largeur + 2 * marge} {hauteur + 2 * marge}",
        texte=texte,
        contour=_trace(contour),
        cercles=tuple(cercles),
        ailleurs=tuple(c[0] for c in comptees if c[0] not in places),
    )


def _trace(anneaux: Sequence[Anneau]) -> str:
    return "".join("M" + "L".join(f"{x} {y}" for x, y in anneau) + "Z" for anneau in anneaux)


def _forme(code: str, anneaux: Sequence[Anneau]) -> Forme:
    x, y = _centre(max(anneaux, key=lambda a: abs(_double_aire(a))))
    return Forme(code, _trace(anneaux), x, y, False)


def _cotes(anneau: Anneau):
    return zip(anneau, [*anneau[1:], anneau[0]], strict=True)


def _double_aire(anneau: Anneau) -> int:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in _cotes(anneau))


def _centre(anneau: Anneau) -> tuple[int, int]:
    """Centre of gravity of the ring; of its points when it is flat."""
    double = _double_aire(anneau)
    if not double:
        return sum(p[0] for p in anneau) // len(anneau), sum(p[1] for p in anneau) // len(anneau)
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in _cotes(anneau))
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in _cotes(anneau))
    return round(Fraction(x, 3 * double)), round(Fraction(y, 3 * double))


@dataclass(frozen=True, slots=True)
class Point:
    """One year of the curve, where it is drawn; `texte`: its percentage, written."""

    annee: int
    x: int
    y: int
    texte: str


@dataclass(frozen=True, slots=True)
class Courbe:
    """A curve of 540 × 210; `graduations`: (y, words); `cible`: y of a hundred percent; `tronquee`: its axis is cut."""

    trace: str
    points: tuple[Point, ...]
    graduations: tuple[tuple[int, str], ...]
    cible: int
    tronquee: bool


def tracer(valeurs: Sequence[tuple[int, Fraction | None]]) -> Courbe | None:
    """The curve of (year, percent), oldest first; a year without value is left out. None under two values."""
    utiles = [(annee, v) for annee, v in valeurs if v is not None]
    if len(utiles) < 2:
        return None
    bas, haut = min(*(v for _, v in utiles), Fraction(100)), max(*(v for _, v in utiles), Fraction(100))
    pas = next(p for p in (1, 2, 5, 10, 20, 50, 100, 500, 10**6) if (haut - bas) / p <= 5)
    debut = max(0, int(bas // pas) * pas - pas)
    fin = (-int(-haut // pas) + 1) * pas

    def ordonnee(valeur) -> int:
        return round(180 - Fraction(160) * (valeur - debut) / (fin - debut))

    premiere, derniere = utiles[0][0], utiles[-1][0]
    points = tuple(
        Point(
            annee,
            round(80 + Fraction(400) * (annee - premiere) / (derniere - premiere)),
            ordonnee(v),
            f"{decimal_fr(v, 1)} %",
        )
        for annee, v in utiles
    )
    return Courbe(
        trace="M" + "L".join(f"{p.x} {p.y}" for p in points),
        points=points,
        graduations=tuple((ordonnee(v), f"{v} %") for v in range(debut, fin + 1, pas)),
        cible=ordonnee(100),
        tronquee=debut > 0,
    )
