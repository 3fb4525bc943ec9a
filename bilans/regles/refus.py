"""The analysis of the refusals: which motive for which dwellings, where attributions are refused most, and since when.

Values in, values out. A refusal is counted in its cohort: candidatures examined, attributions pronounced, dwellings handed
to a réservataire in the period, and among these those that were refused.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from publics.regles.secret_statistique import SEUIL, masquer_partition

# Fewer attributions than that in a place say nothing of it: one refusal of one would stand first.
PLANCHER_DE_CLASSEMENT = 5


class Porteur(StrEnum):
    """Who refuses. The value is that of `flux.models.MotifRefus.Porteur`."""

    CALEOL = "CALEOL"
    MENAGE = "MENAGE"
    RESERVATAIRE = "RESERVATAIRE"


class Axe(StrEnum):
    """What the motives are crossed with."""

    TYPOLOGIE = "typologie"
    FINANCEMENT = "financement"
    QPV = "qpv"
    SECTEUR = "epci"


LIBELLES_AXE = {
    Axe.TYPOLOGIE: "typologie",
    Axe.FINANCEMENT: "financement",
    Axe.QPV: "quartier prioritaire (QPV)",
    Axe.SECTEUR: "secteur (EPCI)",
}


@dataclass(frozen=True, slots=True)
class Taux:
    """`refus` among `base`. `refus` None: hidden."""

    refus: int | None
    base: int

    @property
    def part(self) -> Fraction | None:
        return None if self.refus is None or not self.base else Fraction(self.refus, self.base)


@dataclass(frozen=True, slots=True)
class Croisement:
    """Refusals by motive × class, and each with its total. `cellules` is empty when only the totals may be shown.

    `total`, and the values: None, hidden. `classes`: class → refusals among what was examined of that class.
    """

    motifs: Mapping[str, int | None]
    classes: Mapping[str, Taux]
    cellules: Mapping[tuple[str, str], int]
    total: int | None
    base: int

    @property
    def taux(self) -> Taux:
        return Taux(self.total, self.base)


def croiser(
    refus: Mapping[tuple[str, str], int], bases: Mapping[str, int], *, masque: bool = False
) -> Croisement:
    """`refus`: (motive, class) → refusals; `bases`: class → what was examined, refused or not.

    `masque`: counts under eleven are hidden, and the crossed cells with them: their totals, which other tables share, would
    give them back. The lines of the motives, those of the classes, each add up to the total.
    """
    par_motif: Counter[str] = Counter()
    par_classe: Counter[str] = Counter()
    for (motif, classe), nombre in refus.items():
        par_motif[motif] += nombre
        par_classe[classe] += nombre
    total = sum(refus.values())
    base = sum(bases.values())
    classes = {classe: par_classe[classe] for classe in bases.keys() | par_classe.keys()}
    if not masque:
        return Croisement(
            dict(par_motif),
            {c: Taux(n, bases.get(c, 0)) for c, n in classes.items()},
            {cle: n for cle, n in refus.items() if n},
            total,
            base,
        )
    return Croisement(
        masquer_partition(par_motif),
        {c: Taux(n, bases.get(c, 0)) for c, n in masquer_taux(classes, bases).items()},
        {},
        _masquer(Taux(total, base)).refus,
        base,
    )


def masquer_taux(
    refus: Mapping[Hashable, int], bases: Mapping[Hashable, int]
) -> Mapping[Hashable, int | None]:
    """Refusals by class, of which neither those nor the answers that are not refusals are under eleven."""
    petits = [cle for cle, n in refus.items() if bases.get(cle, 0) - n < SEUIL]
    return masquer_partition(refus, forces=petits)


@dataclass(frozen=True, slots=True)
class Blocage:
    """Attributions refused in a place, of one typologie ("" for all)."""

    lieu: str
    typologie: str
    taux: Taux


def classer(
    taux: Mapping[tuple[str, str], Taux], plancher: int = PLANCHER_DE_CLASSEMENT
) -> tuple[Blocage, ...]:
    """Places × typologies from the most refused to the least; equal rates: the more refusals first.

    Those with fewer than `plancher` attributions, without refusal, or hidden are left out.
    """
    retenus = [
        Blocage(lieu, type_, t)
        for (lieu, type_), t in taux.items()
        if t.base >= plancher and t.refus and t.part is not None
    ]
    return tuple(sorted(retenus, key=lambda b: (-b.taux.part, -b.taux.refus, b.lieu, b.typologie)))


@dataclass(frozen=True, slots=True)
class Moment:
    """A year (`trimestre` 0) or a quarter of it: refusals by who refuses."""

    annee: int
    trimestre: int
    taux: Mapping[Porteur, Taux]


def evoluer(
    comptes: Mapping[tuple[int, int, Porteur], tuple[int, int]],
    annees: Iterable[int],
    *,
    masque: bool = False,
) -> tuple[Moment, ...]:
    """(year, quarter, who) → (refusals, base), as one line a year followed by its quarters that hold something.

    `masque`: years alone, of which small counts are hidden: a quarter would give back another one.
    """
    moments = []
    for annee in annees:
        an = {p: _somme(comptes, annee, range(1, 5), p) for p in Porteur}
        if masque:
            an = {p: _masquer(taux) for p, taux in an.items()}
        moments.append(Moment(annee, 0, an))
        if masque:
            continue
        for trimestre in range(1, 5):
            siens = {p: _somme(comptes, annee, [trimestre], p) for p in Porteur}
            if any(taux.base for taux in siens.values()):
                moments.append(Moment(annee, trimestre, siens))
    return tuple(moments)


def _somme(comptes: Mapping, annee: int, trimestres: Iterable[int], porteur: Porteur) -> Taux:
    lus = [comptes.get((annee, t, porteur), (0, 0)) for t in trimestres]
    return Taux(sum(refus for refus, _ in lus), sum(base for _, base in lus))


def _masquer(taux: Taux) -> Taux:
    """Nothing examined is nobody."""
    if not taux.base:
        return taux
    montre = taux.refus is not None and taux.refus >= SEUIL and taux.base - taux.refus >= SEUIL
    return taux if montre else Taux(None, taux.base)
