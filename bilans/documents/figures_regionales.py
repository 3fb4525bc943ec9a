"""Drawings of the regional document: places compared on one scale, each beside its numerator and denominator."""

from collections.abc import Sequence
from fractions import Fraction

from reservation.documents.polices import largeur
from reservation.regles.typographie import decimal_fr, entier_fr

from .figures import (
    ARDOISE,
    BLANC,
    BLEU,
    BLEU_2,
    BLEU_3,
    BRIQUE,
    ENCRE,
    FILET,
    GRIS,
    LARGEUR_FIGURE,
    Trace,
    _n,
)
from .modele import Dessin

PAS = 29
MARGE, DROITE = 178, 560  # where the scale begins and ends
CENT = Fraction(100)


def _nom(t: Trace, y, nom: str) -> None:
    """A heading that fits before the scale."""
    mot = nom
    while largeur(mot, "10.5") > MARGE - 8 and len(mot) > 4:
        mot = f"{mot.rstrip('…')[:-1].rstrip()}…"
    t.texte(0, y, mot, "10.5", 500)


def _echelle(taux: Sequence[Fraction], centre: int, pas_min: int) -> tuple[int, int, int]:
    """(from, to, step) of a scale in percent that holds `taux` and `centre`, of six steps or so."""
    bas, haut = min([*taux, Fraction(centre)]), max([*taux, Fraction(centre)])
    pas = next(p for p in (pas_min, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 10**6) if (haut - bas) / p <= 6)
    debut = centre - pas * max(1, -int((bas - centre) // pas))
    fin = centre + pas * max(1, -int((centre - haut) // pas))
    return max(0, debut), fin, pas


def _graduer(t: Trace, bornes: tuple[int, int, int], centre: int, bas: int, unite: str) -> None:
    debut, fin, pas = bornes
    for valeur in range(debut, fin + 1, pas):
        x = _abscisse(Fraction(valeur), bornes)
        repere = valeur == centre
        t.ligne(x, 20, x, bas, ENCRE if repere else FILET, "1.8" if repere else "0.8")
        t.texte(x, 12, f"{valeur}{unite}", "9.5", 700 if repere else 400, "middle", ENCRE if repere else GRIS)


def _abscisse(taux: Fraction, bornes: tuple[int, int, int]) -> Fraction:
    debut, fin, _ = bornes
    return MARGE + (min(max(taux, debut), fin) - debut) * (DROITE - MARGE) / Fraction(fin - debut)


def _marque(t: Trace, x, y, forme: str, couleur: str) -> None:
    if forme == "triangle":
        t.polygone([(x - 6, y + 5), (x + 6, y + 5), (x, y - 6)], couleur)
    elif forme == "carre":
        t.rect(x - 5, y - 5, 10, 10, couleur)
    else:
        t.formes.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="5" fill="{BLANC if forme == "vide" else couleur}" '
            f'stroke="{couleur}" stroke-width="1.8"/>'
        )


def taux_d_objectif(lignes: Sequence[tuple[str, int, int]]) -> Dessin | None:
    """Realised in percent of the objective: (place, realised, objective); None when no place owes anything."""
    utiles = [(nom, r, o, Fraction(r * 100, o)) for nom, r, o in lignes if o]
    if not utiles:
        return None
    bornes = _echelle([x[3] for x in utiles], 100, 2)
    haut = 24 + PAS * len(utiles)
    t = Trace(LARGEUR_FIGURE, haut + 4)
    t.texte(0, 12, "% de l’objectif", "9.5", 400, couleur=GRIS)
    t.texte(LARGEUR_FIGURE, 12, "Réalisé / objectif", "9.5", 400, "end", GRIS)
    _graduer(t, bornes, 100, haut, "")
    for rang, (nom, realise, objectif, taux) in enumerate(utiles):
        y = 24 + PAS * rang + PAS // 2
        x, zero = _abscisse(taux, bornes), _abscisse(CENT, bornes)
        couleur = BRIQUE if taux < 100 else BLEU
        _nom(t, y + 4, nom)
        t.ligne(zero, y, x, y, couleur, "3")
        _marque(t, x, y, "triangle" if taux < 100 else "rond", couleur)
        mot = decimal_fr(taux, 1)
        cote = (x - 10, "end") if taux < 100 else (x + 10, "start")
        place = largeur(mot, "10", True) + 4
        t.rect(cote[0] - (place if cote[1] == "end" else 0), y - 8, place, 16, BLANC)
        t.texte(cote[0], y + 4, mot, "10", 600, cote[1])
        t.texte(LARGEUR_FIGURE, y + 4, f"{entier_fr(realise)} / {entier_fr(objectif)}", "10.5", 500, "end")
    dit = " ; ".join(
        f"{nom} {decimal_fr(x, 1)} % ({entier_fr(r)} sur {entier_fr(o)})" for nom, r, o, x in utiles
    )
    return t.dessin(f"Réalisé de l’État en pourcentage de l’objectif. {dit}.", "fig")


def quarts(lignes: Sequence[tuple[str, tuple[int, int] | None, tuple[int, int] | None]]) -> Dessin | None:
    """Priority households against the quarter: (place, (priority, attributions) of ALS, the same of bailleurs); None: hidden."""
    utiles = [x for x in lignes if (x[1] and x[1][1]) or (x[2] and x[2][1])]
    taux = [Fraction(p * 100, n) for _, a, b in utiles for p, n in (x for x in (a, b) if x and x[1])]
    if not taux:
        return None
    bornes = _echelle(taux, 25, 1)
    haut = 24 + PAS * len(utiles)
    t = Trace(LARGEUR_FIGURE, haut + 26)
    t.texte(LARGEUR_FIGURE, 12, "ALS : num. / dénom.", "9.5", 400, "end", GRIS)
    _graduer(t, bornes, 25, haut, " %")
    dit = []
    for rang, (nom, als, bailleurs) in enumerate(utiles):
        y = 24 + PAS * rang + PAS // 2
        _nom(t, y + 4, nom)
        if bailleurs and bailleurs[1]:
            _marque(t, _abscisse(Fraction(bailleurs[0] * 100, bailleurs[1]), bornes), y, "vide", BLEU)
        ecrit = "n.c."
        if als and als[1]:
            sous = als[0] * 4 < als[1]
            _marque(
                t,
                _abscisse(Fraction(als[0] * 100, als[1]), bornes),
                y,
                "triangle" if sous else "carre",
                BRIQUE if sous else BLEU,
            )
            ecrit = f"{entier_fr(als[0])} / {entier_fr(als[1])}"
        t.texte(LARGEUR_FIGURE, y + 4, ecrit, "10.5", 500, "end")
        dit.append(f"{nom} {ecrit}")
    y = haut + 16
    for x, forme, couleur, mot in (
        (6, "carre", BLEU, "ALS, seuil tenu"),
        (124, "triangle", BRIQUE, "ALS, sous le seuil"),
        (258, "vide", BLEU, "Bailleurs (somme du département, à titre indicatif)"),
    ):
        _marque(t, x, y - 4, forme, couleur)
        t.texte(x + 11, y, mot, "9.5", 400)
    return t.dessin(
        f"Publics prioritaires au regard du quart. Action Logement Services : {' ; '.join(dit)}.", "fig"
    )


TEINTES = (
    (ARDOISE, BLANC, ""),
    (BLEU, BLANC, ""),
    (BLEU_2, BLANC, ""),
    (BLEU_3, ENCRE, ""),
    (BLANC, ENCRE, GRIS),
)


def titres(noms: Sequence[str], lignes: Sequence[tuple[str, Sequence[int | None], int]]) -> Dessin | None:
    """For whom: (place, count per title or None, total known). What is hidden of it is one hatched box: a known sum."""
    utiles = [x for x in lignes if x[2]]
    if not utiles:
        return None
    t = Trace(LARGEUR_FIGURE, 24 + 23 * len(utiles))
    x = Fraction(MARGE)
    for (fond, _, trait), nom in zip(TEINTES, noms, strict=True):
        t.rect(x, 4, 9, 9, fond, trait)
        t.texte(x + 14, 12, nom, "9.5", 400)
        x += largeur(nom, "9.5") + 34
    t.hachures(x, 4, 9, 9)
    t.texte(x + 14, 12, "n.c.", "9.5", 400)
    total_large = LARGEUR_FIGURE - MARGE
    dit = []
    for rang, (nom, nombres, total) in enumerate(utiles):
        y = 22 + 23 * rang
        _nom(t, y + 12, nom)
        x = Fraction(MARGE)
        for (fond, encre, trait), nombre in zip(TEINTES, nombres, strict=True):
            if nombre:
                part = Fraction(nombre * total_large, total)
                t.rect(x, y, max(part - Fraction(3, 2), 1), 17, fond, trait)
                if largeur(entier_fr(nombre), "9.5", True) + 12 < part:
                    t.texte(x + 6, y + 12, entier_fr(nombre), "9.5", 600, couleur=encre)
                x += part
        cache = total - sum(n or 0 for n in nombres)
        if cache:
            t.hachures(x, y, LARGEUR_FIGURE - x - 1, 17)
        dit.append(
            f"{nom} : "
            + ", ".join(
                f"{mot} {'n.c.' if n is None else entier_fr(n)}" for mot, n in zip(noms, nombres, strict=True)
            )
        )
    return t.dessin(f"Attributions de l’État par titre. {' ; '.join(dit)}.", "fig")


def ecarts(lignes: Sequence[tuple[str, int, int]]) -> Dessin | None:
    """Gap to the objective of each bailleur, the worst first: (name, realised, objective)."""
    utiles = sorted(((r - o, nom, r, o) for nom, r, o in lignes if o or r), key=lambda x: (x[0], x[1]))
    if not utiles:
        return None
    pas = 21
    t = Trace(LARGEUR_FIGURE, 6 + pas * len(utiles))
    moins, plus = max(0, -utiles[0][0]), max(0, utiles[-1][0])
    large = DROITE - MARGE - 80
    zero = MARGE + 40 + Fraction(large * moins, max(1, moins + plus))
    for rang, (ecart, nom, realise, objectif) in enumerate(utiles):
        y = 3 + pas * rang
        _nom(t, y + 13, nom)
        longueur = Fraction(abs(ecart) * large, max(1, moins + plus))
        if ecart:
            t.rect(zero - longueur if ecart < 0 else zero, y + 3, longueur, 13, BRIQUE if ecart < 0 else BLEU)
        mot = f"+{entier_fr(ecart)}" if ecart > 0 else entier_fr(ecart)
        t.texte(
            *(
                (zero - longueur - 6, y + 13, mot, "10", 600, "end")
                if ecart < 0
                else (zero + longueur + 6, y + 13, mot, "10", 600)
            )
        )
        t.texte(LARGEUR_FIGURE, y + 13, f"{entier_fr(realise)} / {entier_fr(objectif)}", "10", 500, "end")
    t.ligne(zero, 2, zero, t.hauteur - 2, ENCRE, "1.6")
    dit = " ; ".join(f"{nom} {e:+d} ({entier_fr(r)} pour {entier_fr(o)})" for e, nom, r, o in utiles)
    return t.dessin(f"Écart à l’objectif de l’État. {dit}.", "fig")
