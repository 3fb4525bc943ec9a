"""The drawing of the flux: the floors of the parc and of the libérations, then the flux cut into parts.

Same conventions as `reservation.cascade`, which draws the floors: numbers of an SVG made here, no float, one drawing
for wide screens and one for narrow ones. Every figure drawn stands in a table of the page.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from reservation.cascade import Dessin, Etage, Format, Rectangle, Texte, dessiner
from reservation.regles.typographie import accorder, entier_fr

HAUTEUR_PARTS = 52
HAUTEUR_ETIQUETTE = 20
LARGEUR_DU_SIGNE = Decimal("7.1")  # of the text of the drawing, on average, bold included
MARGE = 6


@dataclass(frozen=True, slots=True)
class PartDessinee:
    """One share of the flux in whole dwellings. `classe`: garde (État), part (others), part-b (the bailleur)."""

    libelle: str
    nombre: int
    classe: str
    detail: str = ""


def dessiner_flux(
    etages: Sequence[Etage], titre: str, parts: Sequence[PartDessinee], note: str, format_: Format
) -> Dessin:
    """Floors, then the parts under them; `parts` add up to what the last floor keeps."""
    dessin = dessiner(etages, format_)
    base = dessin.hauteur + (format_.pas if etages else 0)
    visibles = [part for part in parts if part.nombre]
    textes, rectangles = list(dessin.textes), list(dessin.rectangles)
    traces, fils = list(dessin.traces), list(dessin.fils)
    textes += [
        Texte(Decimal(0), Decimal(base + 16 + 18 * rang), ligne, "t")
        for rang, ligne in enumerate(textwrap.wrap(titre, format_.largeur // 8))
    ]
    haut = base + 26 + 18 * (len(textwrap.wrap(titre, format_.largeur // 8)) - 1)
    if format_.panneau:
        traces += _entonnoir(dessin, haut, format_)
        bas = _en_bande(visibles, note, haut, format_, textes, rectangles, fils)
    else:
        bas = _en_lignes(visibles, note, haut, format_, textes, rectangles)
    return Dessin(format_.largeur, bas + 6, traces, rectangles, textes, fils)


def _largeur(nombre: int, total: int, largeur: int) -> Decimal:
    return (Decimal(nombre) * largeur / total).quantize(Decimal("0.1")) if total else Decimal(0)


def _entonnoir(dessin: Dessin, haut: int, format_: Format) -> list[str]:
    """What the last floor keeps becomes the whole width of the parts."""
    barres = [r for r in dessin.rectangles if r.classe == "garde"]
    if not barres:
        return []
    derniere = max(barres, key=lambda r: r.y)
    return [f"M0 {derniere.y + derniere.hauteur}H{derniere.largeur}L{format_.largeur} {haut}H0Z"]


def _en_bande(
    parts: Sequence[PartDessinee],
    note: str,
    haut: int,
    format_: Format,
    textes: list[Texte],
    rectangles: list[Rectangle],
    fils: list[str],
) -> int:
    """Side by side; a part too narrow for its words is named under the band, at the end of a line."""
    total = sum(part.nombre for part in parts)
    x = Decimal(0)
    etroites: list[tuple[Decimal, PartDessinee]] = []
    for part in parts:
        largeur = max(Decimal(3), _largeur(part.nombre, total, format_.largeur))
        largeur = min(largeur, format_.largeur - x)
        rectangles.append(
            Rectangle(x + 1, Decimal(haut), max(Decimal(1), largeur - 2), Decimal(HAUTEUR_PARTS), part.classe)
        )
        inverse = part.classe == "garde"
        if largeur >= _place(part.libelle) + 2 * MARGE:
            textes.append(Texte(x + MARGE, Decimal(haut + 21), part.libelle, "inv-m" if inverse else ""))
            textes.append(
                Texte(x + MARGE, Decimal(haut + 41), entier_fr(part.nombre), "inv" if inverse else "t")
            )
        else:
            if largeur >= _place(entier_fr(part.nombre)) + 2 * MARGE:
                textes.append(
                    Texte(x + MARGE, Decimal(haut + 31), entier_fr(part.nombre), "inv" if inverse else "t")
                )
            etroites.append((x + largeur / 2, part))
        x += largeur
    bas = haut + HAUTEUR_PARTS
    if note:
        bas += HAUTEUR_ETIQUETTE
        textes.append(Texte(Decimal(0), Decimal(bas), note, "m"))
    for rang, (milieu, part) in enumerate(reversed(etroites), start=1):
        y = bas + HAUTEUR_ETIQUETTE * rang
        fils.append(f"M{milieu} {haut + HAUTEUR_PARTS}V{y - 4}h8")
        etiquette = _etiquette(part, format_.largeur - milieu - 12)
        textes.append(Texte(milieu + 12, Decimal(y), etiquette))
    return bas + HAUTEUR_ETIQUETTE * len(etroites)


def _place(texte: str) -> Decimal:
    return len(texte) * LARGEUR_DU_SIGNE


def _etiquette(part: PartDessinee, place: Decimal) -> str:
    """Name, number and detail of a narrow part, in the room that is left; the table of the parts says it all."""
    nombre = f"\u00a0: {entier_fr(part.nombre)}"
    complete = f"{part.libelle}{nombre} ({part.detail})" if part.detail else f"{part.libelle}{nombre}"
    if _place(complete) <= place:
        return complete
    signes = max(12, int(place / LARGEUR_DU_SIGNE) - len(nombre))
    nom = part.libelle if len(part.libelle) <= signes else part.libelle[: signes - 1].rstrip() + "…"
    return nom + nombre


def _en_lignes(
    parts: Sequence[PartDessinee],
    note: str,
    haut: int,
    format_: Format,
    textes: list[Texte],
    rectangles: list[Rectangle],
) -> int:
    """One under the other, for narrow screens: name, number, and a bar to the scale of the largest."""
    plus_grande = max((part.nombre for part in parts), default=0)
    y = haut - 8
    for part in parts:
        for rang, ligne in enumerate(textwrap.wrap(part.libelle, format_.signes)):
            y += 17 if rang else 22
            textes.append(Texte(Decimal(0), Decimal(y), ligne))
            if not rang:
                textes.append(
                    Texte(Decimal(format_.largeur), Decimal(y), entier_fr(part.nombre), "t", fin=True)
                )
        largeur = max(Decimal(3), _largeur(part.nombre, plus_grande, format_.barre - 2))
        rectangles.append(Rectangle(Decimal(1), Decimal(y + 6), largeur, Decimal(12), part.classe))
        y += 22
    for ligne in textwrap.wrap(note, format_.barre // 7):
        y += 18
        textes.append(Texte(Decimal(0), Decimal(y), ligne, "m"))
    return y


def decrire(titre: str, flux: int, parts: Sequence[PartDessinee]) -> str:
    """The drawing in one sentence, for those who do not see it."""
    details = ", ".join(f"{part.libelle} {entier_fr(part.nombre)}" for part in parts if part.nombre)
    return f"{titre} : {accorder(flux, 'logement')} à partager. {details}. Les mêmes chiffres sont dans les tableaux."
