"""Small counts are not shown, and cannot be found again from the totals (domain, chapters 2 and 12; PACA, art. 5).

A table with its totals is a network: each row and each column must add up. A hidden cell whose value can be moved by one,
the other hidden cells making up for it and none becoming negative, cannot be deduced; else one more cell is hidden.
That test is exact: the equations of a table with margins have whole solutions wherever they have any.
"""

import heapq
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass

SEUIL = 11  # households

Cellule = tuple[Hashable, Hashable]


class _Total:
    """Name of the margins: equal to no row or column of anybody's."""

    def __repr__(self) -> str:
        return "TOTAL"


TOTAL = _Total()


@dataclass(frozen=True)
class TableauMasque:
    """`cellules`: (row, column) → count, None when it is hidden; the row or column `TOTAL` holds the margins."""

    cellules: Mapping[Cellule, int | None]

    def __getitem__(self, cellule: Cellule) -> int | None:
        return self.cellules[cellule]

    @property
    def masquees(self) -> frozenset[Cellule]:
        return frozenset(cellule for cellule, valeur in self.cellules.items() if valeur is None)


def masquer_petits_effectifs(
    tableau: Mapping[Hashable, Mapping[Hashable, int]], seuil: int = SEUIL
) -> TableauMasque:
    """The same table with its totals, where every count under `seuil` is hidden, and as few others as will do.

    `tableau`: row → column → count (≥ 0), the same columns in every row. Zero is under the threshold: that nobody of a
    place has a label is something said of everybody there.
    """
    valeurs = _avec_totaux(tableau)
    caches = {cellule for cellule, valeur in valeurs.items() if valeur < seuil}
    while deduite := next(
        (c for c in _dans_l_ordre(caches, valeurs) if _se_deduit(c, valeurs, caches)), None
    ):
        caches |= _protection(deduite, valeurs, caches)
    return TableauMasque({c: None if c in caches else valeur for c, valeur in valeurs.items()})


def _avec_totaux(tableau: Mapping[Hashable, Mapping[Hashable, int]]) -> dict[Cellule, int]:
    colonnes = list(next(iter(tableau.values()), {}))
    if any(list(ligne) != colonnes for ligne in tableau.values()):
        raise ValueError("Toutes les lignes ont les mêmes colonnes.")
    if any(n < 0 for ligne in tableau.values() for n in ligne.values()):
        raise ValueError("Un effectif n’est pas négatif.")
    if not colonnes:
        return {}
    valeurs: dict[Cellule, int] = {}
    for nom, ligne in tableau.items():
        valeurs |= {(nom, colonne): n for colonne, n in ligne.items()}
        valeurs[nom, TOTAL] = sum(ligne.values())
    for colonne in colonnes:
        valeurs[TOTAL, colonne] = sum(ligne[colonne] for ligne in tableau.values())
    valeurs[TOTAL, TOTAL] = sum(valeurs[nom, TOTAL] for nom in tableau)
    return valeurs


def _dans_l_ordre(cellules: set[Cellule], valeurs: Mapping[Cellule, int]) -> Iterator[Cellule]:
    return (cellule for cellule in valeurs if cellule in cellules)


def _se_deduit(cellule: Cellule, valeurs: Mapping[Cellule, int], caches: set[Cellule]) -> bool:
    return not any(_chemin(cellule, sens, valeurs, caches, ouvrir=False) is not None for sens in (1, -1))


def _protection(cellule: Cellule, valeurs: Mapping[Cellule, int], caches: set[Cellule]) -> set[Cellule]:
    """Cells to hide so that `cellule` can be moved: those that lose the fewest households."""
    chemins = [_chemin(cellule, sens, valeurs, caches, ouvrir=True) for sens in (1, -1)]
    trouves = [chemin for chemin in chemins if chemin is not None]
    return set(min(trouves, key=lambda chemin: (sum(valeurs[c] for c in chemin), len(chemin))))


def _chemin(
    cellule: Cellule, sens: int, valeurs: Mapping[Cellule, int], caches: set[Cellule], *, ouvrir: bool
) -> list[Cellule] | None:
    """Cells, not hidden yet, through which a move of `cellule` by `sens` can be made up for; None: there is no way.

    Shortest path in the network of the rows and columns. `ouvrir`: other cells than the hidden ones may be taken.
    """
    if valeurs[cellule] + sens < 0:
        return None
    ligne, colonne = ("ligne", cellule[0]), ("colonne", cellule[1])
    depart, arrivee = (colonne, ligne) if sens * _signe(cellule) > 0 else (ligne, colonne)
    arcs: dict[tuple, list[tuple[tuple, Cellule]]] = {}
    for autre, valeur in valeurs.items():
        if autre == cellule or not (ouvrir or autre in caches):
            continue
        bouts = ("ligne", autre[0]), ("colonne", autre[1])
        for mouvement in (1, -1):
            if valeur + mouvement >= 0:
                de, vers = bouts if mouvement * _signe(autre) > 0 else bouts[::-1]
                arcs.setdefault(de, []).append((vers, autre))
    rang = 0
    file: list[tuple[int, int, tuple, list[Cellule]]] = [(0, rang, depart, [])]
    vus = set()
    while file:
        cout, _, ici, pris = heapq.heappop(file)
        if ici == arrivee:
            return pris
        if ici in vus:
            continue
        vus.add(ici)
        for vers, autre in arcs.get(ici, ()):
            if vers not in vus:
                rang += 1
                nouvelle = [] if autre in caches else [autre]
                prix = sum(valeurs[c] + 1 for c in nouvelle)
                heapq.heappush(file, (cout + prix, rang, vers, pris + nouvelle))
    return None


def _signe(cellule: Cellule) -> int:
    """Total of rows and of columns are what the others add up to; the grand total is both."""
    return -1 if (cellule[0] is TOTAL) != (cellule[1] is TOTAL) else 1


# --- Where the reader knows the total already -----------------------------------------------------------------


def masquer_partition(
    effectifs: Mapping[Hashable, int], seuil: int = SEUIL, forces: Collection[Hashable] = ()
) -> dict[Hashable, int | None]:
    """The parts of a total that the reader knows: None for those under `seuil`, and for as few others as will do.

    Zero is under the threshold. `forces`: parts to hide whatever they count. A hidden part can be another number, the
    others shown and the total being what they are; when no choice of parts does that, all are hidden.
    """
    caches = {cle for cle, n in effectifs.items() if n < seuil} | ({*forces} & effectifs.keys())
    restes = sorted(effectifs.keys() - caches, key=lambda cle: (effectifs[cle], str(cle)))
    while caches and restes and not _indecidables([effectifs[cle] for cle in caches]):
        caches.add(restes.pop(0))
    return {cle: None if cle in caches else n for cle, n in effectifs.items()}


def _indecidables(valeurs: list[int]) -> bool:
    """Whether each of these counts (≥ 0), whose sum is known, can be another: two of them, and not all zeros."""
    return len(valeurs) > 1 and any(valeurs)


@dataclass(frozen=True, slots=True)
class TestsMasques:
    """`lignes`: those that may be shown; `total`: whether their sum may be."""

    lignes: frozenset[Hashable]
    total: bool


def masquer_tests(lignes: Mapping[Hashable, tuple[int, int]], seuil: int = SEUIL) -> TestsMasques:
    """What may be shown of "so many priority households among so many attributions", the latter known to all.

    A line is hidden when its priority households, or the others, are under `seuil`; lines are never hidden for the sake of
    another, because they are read elsewhere one by one: it is the total that is hidden when it would give one back.
    """

    def petit(prioritaires: int, attributions: int) -> bool:
        return prioritaires < seuil or attributions - prioritaires < seuil

    cachees = [(p, n) for p, n in lignes.values() if petit(p, n)]
    somme = (sum(p for p, _ in lignes.values()), sum(n for _, n in lignes.values()))
    return TestsMasques(
        frozenset(cle for cle, ligne in lignes.items() if not petit(*ligne)),
        not petit(*somme) and (not cachees or _se_compensent(cachees)),
    )


def _se_compensent(lignes: list[tuple[int, int]]) -> bool:
    """Whether each `p` (0 ≤ p ≤ n), the sum of all being known, can be another number.

    One of them that can grow and another that can shrink: then each of the two can; a line without any attribution says
    nothing of anybody.
    """
    vraies = [(p, n) for p, n in lignes if n]
    return all(
        any(
            (p < n and autre_p > 0) or (p > 0 and autre_p < autre_n)
            for autre, (autre_p, autre_n) in enumerate(vraies)
            if autre != rang
        )
        for rang, (p, n) in enumerate(vraies)
    )
