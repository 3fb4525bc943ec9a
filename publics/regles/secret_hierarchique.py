"""Small counts in a tree of places (région, département, bailleur): what is hidden below is not given back above.

Each leaf is hidden by itself, the day its own figures are published: it is read elsewhere, one by one, and cannot be
hidden later. What is above it gives way instead: a sum is shown only if whoever knows every figure shown, and the total
of each row, still finds for each hidden cell an interval wide enough:

    eleven possible values at least, or all those that the totals of the hidden rows leave room for.

A table of leaves with the sums of its columns at every level is a network (the sums of its rows above the leaves say
nothing more), so that the bounds below are those of any linear solver, and reached by whole numbers.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping

from .secret_statistique import SEUIL, masquer_partition

LARGEUR = SEUIL - 1  # between the smallest and the largest value that a hidden cell may have

Chemin = tuple[str, ...]
Cellule = tuple[Chemin, str]
Noeud = tuple[str, ...]


def masquer_ligne(effectifs: Mapping[str, int]) -> dict[str, int | None]:
    """The parts of a total that is known: None for those under `SEUIL`, and for as few others as make up for `LARGEUR`.

    Zero is under the threshold.
    """
    montres = masquer_partition(effectifs)
    besoin = min(LARGEUR, sum(effectifs.values()))
    while None in montres.values() and sum(effectifs[c] for c, n in montres.items() if n is None) < besoin:
        montres[min((n, c) for c, n in montres.items() if n is not None)[1]] = None
    return montres


def masquer_arbre(
    feuilles: Mapping[Chemin, Mapping[str, int]], *, totaux_connus: bool = True
) -> dict[Chemin, dict[str, int | None]]:
    """Path of every place, leaves and above → column → count, None when it is hidden.

    `feuilles`: path (région, …, bailleur), all of one length → column → count, the same columns everywhere.
    `totaux_connus`: the sum of each row is known to the reader; else each column is hidden by itself.
    """
    return _Arbre(feuilles, totaux_connus).resultat()


class _Arbre:
    """One table being hidden: `valeurs` of every cell, `caches` those that are."""

    def __init__(self, feuilles: Mapping[Chemin, Mapping[str, int]], totaux_connus: bool) -> None:
        self.colonnes = list(next(iter(feuilles.values()), {}))
        if any(list(ligne) != self.colonnes for ligne in feuilles.values()):
            raise ValueError("Toutes les lignes ont les mêmes colonnes.")
        if len({len(chemin) for chemin in feuilles}) > 1:
            raise ValueError("Toutes les feuilles sont au même niveau.")
        if any(n < 0 for ligne in feuilles.values() for n in ligne.values()):
            raise ValueError("Un effectif n’est pas négatif.")
        self.totaux_connus = totaux_connus
        self.feuilles = feuilles
        self.valeurs: dict[Cellule, int] = {}
        self.caches: set[Cellule] = set()
        self.besoins: dict[Cellule, int] = {}
        for chemin, ligne in feuilles.items():
            self._feuille(chemin, ligne)
        self.caches |= {cle for cle, valeur in self.valeurs.items() if valeur < SEUIL}

    def _feuille(self, chemin: Chemin, ligne: Mapping[str, int]) -> None:
        total = sum(ligne.values()) if self.totaux_connus else LARGEUR
        montres = (
            masquer_ligne(ligne)
            if self.totaux_connus
            else {c: n if n >= SEUIL else None for c, n in ligne.items()}
        )
        for colonne, nombre in ligne.items():
            if montres[colonne] is None:
                self.caches.add((chemin, colonne))
            for niveau in range(1, len(chemin) + 1):
                cle = (chemin[:niveau], colonne)
                self.valeurs[cle] = self.valeurs.get(cle, 0) + nombre
                if montres[colonne] is None:
                    self.besoins[cle] = min(LARGEUR, self.besoins.get(cle, 0) + total)

    def resultat(self) -> dict[Chemin, dict[str, int | None]]:
        # Hiding one more only widens the others: each cell is looked at once, after it was hidden.
        vues: set[Cellule] = set()
        while restent := sorted(self.caches - vues):
            for cellule in restent:
                self._proteger(cellule)
            vues.update(restent)
        lus: dict[Chemin, dict[str, int | None]] = {}
        for chemin, colonne in self.valeurs:
            cle = (chemin, colonne)
            lus.setdefault(chemin, {})[colonne] = None if cle in self.caches else self.valeurs[cle]
        return lus

    def _proteger(self, cellule: Cellule) -> None:
        """Hide sums above `cellule` until its interval is wide enough; all of them hidden, it is."""
        besoin = self.besoins.get(cellule, 0)
        while (large := self._largeur(cellule, besoin)) < besoin:
            montrees = list(self._au_dessus(cellule))
            if not montrees:
                return
            gains = []
            for candidate in montrees:
                self.caches.add(candidate)
                gains.append(self._largeur(cellule, besoin))
                self.caches.discard(candidate)
                if gains[-1] >= besoin:
                    break
            meilleur = max(gains)
            self.caches.add(montrees[gains.index(meilleur)] if meilleur > large else montrees[0])

    def _au_dessus(self, cellule: Cellule) -> Iterator[Cellule]:
        """Sums shown, from the place of the cell up: its own column first, then the smallest."""
        chemin, colonne = cellule
        depart = len(chemin) - (chemin in self.feuilles)
        for niveau in range(depart, 0, -1):
            siennes = [(chemin[:niveau], c) for c in self.colonnes]
            yield from sorted(
                (c for c in siennes if c not in self.caches),
                key=lambda c: (c[1] != colonne, self.valeurs[c], c),
            )

    # --- The reader's interval ------------------------------------------------------------------------------

    def _bouts(self, cellule: Cellule) -> tuple[Noeud, Noeud]:
        """Between which balances the cell stands: its row and the sum of its column, or two sums one above the other."""
        chemin, colonne = cellule
        haut: Noeud = ("somme", *chemin[:-1], colonne) if len(chemin) > 1 else ("racine",)
        if chemin in self.feuilles:
            return (("ligne", *chemin) if self.totaux_connus else ("racine",)), haut
        return ("somme", *chemin, colonne), haut

    def _largeur(self, cellule: Cellule, assez: int) -> int:
        """Width of the interval that the figures shown leave to a hidden cell, counted up to `assez`."""
        residu: dict[Noeud, dict[Noeud, int]] = {}
        for autre in self.caches - {cellule}:
            de, vers = self._bouts(autre)
            # It may grow as much as the others allow; it may fall to zero.
            residu.setdefault(de, {})[vers] = residu.get(de, {}).get(vers, 0) + 10**9
            residu.setdefault(vers, {})[de] = residu.get(vers, {}).get(de, 0) + self.valeurs[autre]
        de, vers = self._bouts(cellule)
        baisse = _flot({n: dict(v) for n, v in residu.items()}, de, vers, min(assez, self.valeurs[cellule]))
        return baisse + _flot(residu, vers, de, assez - baisse)


def _flot(residu: dict[Noeud, dict[Noeud, int]], depart: Noeud, arrivee: Noeud, assez: int) -> int:
    """The largest flow from `depart` to `arrivee`, counted up to `assez`; changes `residu`."""
    if depart == arrivee:
        return assez
    total = 0
    while total < assez:
        venus: dict[Noeud, Noeud] = {depart: depart}
        file = deque([depart])
        while file and arrivee not in venus:
            ici = file.popleft()
            for vers, reste in residu.get(ici, {}).items():
                if reste and vers not in venus:
                    venus[vers] = ici
                    file.append(vers)
        if arrivee not in venus:
            break
        chemin = [arrivee]
        while chemin[-1] != depart:
            chemin.append(venus[chemin[-1]])
        pas = list(zip(chemin[1:], chemin[:-1], strict=True))
        passe = min([assez - total, *(residu[de][vers] for de, vers in pas)])
        for de, vers in pas:
            residu[de][vers] -= passe
            residu.setdefault(vers, {})[de] = residu.get(vers, {}).get(de, 0) + passe
        total += passe
    return total


def masquer_regroupements(
    tables: Mapping[str, Mapping[Chemin, Mapping[str, int]]], sans_total: Collection[str] = ()
) -> dict[str, dict[Chemin, dict[str, int | None]]]:
    """Several tables of the same places that share no household: each is hidden by itself."""
    return {nom: masquer_arbre(table, totaux_connus=nom not in sans_total) for nom, table in tables.items()}
