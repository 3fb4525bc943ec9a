"""The attacker: every equation of the tables shown, cells ≥ 0, each hidden cell minimised and maximised.

A simplex in exact fractions (Bland's rule), that knows nothing of networks nor of how cells were hidden.
"""

from collections.abc import Mapping
from fractions import Fraction

Cellule = tuple[tuple[str, ...], str]


def intervalles(
    feuilles: Mapping[tuple[str, ...], Mapping[str, int]], lus: Mapping, totaux_connus: bool
) -> dict[Cellule, tuple[Fraction, Fraction | None]]:
    """Hidden cell → (smallest, largest value that agrees with all that is shown); None: no largest."""
    cellules = [(chemin, c) for chemin, ligne in lus.items() for c in ligne]
    inconnues = [cle for cle in cellules if lus[cle[0]][cle[1]] is None]
    rang = {cle: i for i, cle in enumerate(inconnues)}
    equations: list[tuple[list[Fraction], Fraction]] = []

    def equation(termes: list[tuple[Cellule, int]], second: int) -> None:
        gauche, droite = [Fraction(0)] * len(inconnues), Fraction(second)
        for cle, signe in termes:
            if cle in rang:
                gauche[rang[cle]] += signe
            else:
                droite -= signe * lus[cle[0]][cle[1]]
        if any(gauche):
            equations.append((gauche, droite))
        else:
            assert droite == 0, "les chiffres montrés se contredisent"

    for chemin, ligne in lus.items():
        enfants = [c for c in lus if len(c) == len(chemin) + 1 and c[:-1] == chemin]
        for colonne in ligne if enfants else ():
            equation([((chemin, colonne), -1), *(((e, colonne), 1) for e in enfants)], 0)
        if totaux_connus:  # of leaves and of sums alike
            total = sum(sum(n.values()) for f, n in feuilles.items() if f[: len(chemin)] == chemin)
            equation([((chemin, c), 1) for c in ligne], total)
    return resoudre(equations, inconnues)


def resoudre(equations, inconnues) -> dict:
    """Each unknown (≥ 0) minimised and maximised under these equations."""
    tableau, base = _premiere_base(equations, len(inconnues))
    bornes = {}
    for i, cle in enumerate(inconnues):
        haut = _maximiser(tableau, base, i, 1)
        bas = _maximiser(tableau, base, i, -1)
        bornes[cle] = (-bas, haut)
    return bornes


def _pivoter(tableau, base, ligne: int, colonne: int) -> None:
    pivot = tableau[ligne][colonne]
    tableau[ligne] = [x / pivot for x in tableau[ligne]]
    for i, autre in enumerate(tableau):
        if i != ligne and autre[colonne]:
            facteur = autre[colonne]
            tableau[i] = [x - facteur * y if y else x for x, y in zip(autre, tableau[ligne], strict=True)]
    if base is not None and ligne < len(base):
        base[ligne] = colonne


def _simplexe(tableau, base, permises: int):
    """Maximise the last row (reduced costs, to be made ≤ 0); None when there is no bound."""
    while True:
        entrante = next((j for j in range(permises) if tableau[-1][j] > 0), None)
        if entrante is None:
            return -tableau[-1][-1]
        rapports = [
            (tableau[i][-1] / tableau[i][entrante], base[i], i)
            for i in range(len(base))
            if tableau[i][entrante] > 0
        ]
        if not rapports:
            return None
        _pivoter(tableau, base, min(rapports)[2], entrante)


def _premiere_base(equations, n: int):
    """Phase one: a vertex, artificial unknowns driven out, redundant equations dropped."""
    m = len(equations)
    tableau, base = [], []
    for i, (gauche, droite) in enumerate(equations):
        signe = -1 if droite < 0 else 1
        artificielles = [Fraction(int(i == j)) for j in range(m)]
        tableau.append([signe * x for x in gauche] + artificielles + [signe * droite])
        base.append(n + i)
    tableau.append(
        [sum((r[j] for r in tableau), Fraction(0)) for j in range(n)]
        + [Fraction(0)] * m
        + [sum((r[-1] for r in tableau), Fraction(0))]
    )
    assert _simplexe(tableau, base, n) == 0, "aucune solution"
    for i in reversed(range(m)):
        if base[i] >= n:
            colonne = next((j for j in range(n) if tableau[i][j]), None)
            if colonne is None:
                del tableau[i], base[i]
            else:
                _pivoter(tableau, base, i, colonne)
    return [ligne[:n] + ligne[-1:] for ligne in tableau[:-1]], base


def _maximiser(tableau, base, i: int, signe: int) -> Fraction | None:
    travail, sa_base = [list(ligne) for ligne in tableau], list(base)
    n = len(travail[0]) - 1 if travail else i + 1
    objectif = [Fraction(0)] * (n + 1)
    objectif[i] = Fraction(signe)
    for ligne, colonne in zip(travail, sa_base, strict=True):
        if objectif[colonne]:
            facteur = objectif[colonne]
            objectif = [x - facteur * y for x, y in zip(objectif, ligne, strict=True)]
    return _simplexe([*travail, objectif], sa_base, n)
