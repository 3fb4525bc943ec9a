"""The split of the flux between réservataires (domain, chapter 5; R. 441-5-2 to R. 441-5-4, L. 313-26-2).

A right is a number of points of a base: the dwellings of the flux freed while the right runs, on its
territory. Observed, the base is counted; projected, it is the flux × the days of the right ÷ the days of
the year × the share of the territory in the assiette. Everything else is common to both.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import NamedTuple

from reservation.regles import articles
from reservation.regles.actes import (
    ALS,
    BAILLEUR,
    ETAT,
    ZERO,
    Acte,
    Droit,
    Nature,
    Reservataire,
    acte_en_vigueur,
    acte_regissant,
    droits,
    lister_reservataires,
    periodes_de_taux,
    taux_brut,
    taux_des_agents,
    taux_net,
    taux_retrocede,
)
from reservation.regles.etapes import Etape
from reservation.regles.periodes import UN_JOUR, Periode, annee_civile
from reservation.regles.typographie import (
    accorder,
    date_fr,
    decimal_fr,
    entier_fr,
    taux_fr,
    typographier,
)

from .annuel import FluxAnnuel, LotFlux, ventiler_previsionnel
from .annuel import Nature as NatureFlux
from .arrondis import repartir_plus_forts_restes
from .assiette import Assiette

Base = Callable[[Periode, frozenset[str] | None], int | Fraction]


class Ligne(NamedTuple):
    """One term of a share: `points` of `base` dwellings while a right runs. `rang`: its act in the sequence."""

    periode: Periode
    points: Fraction
    base: int | Fraction
    rang: int


@dataclass(frozen=True, slots=True)
class Part:
    """Share of one réservataire, in dwellings of the year's flux.

    `exacte`: exact share; `objectif`: whole dwellings; `report`: carried over from the year before;
    `objectif_total` = `objectif` + `report`. `lignes`: the terms that add up to `exacte` (none for the
    bailleur, which has the rest).
    """

    reservataire: Reservataire
    exacte: Fraction
    objectif: int
    report: int
    lignes: tuple[Ligne, ...]

    @property
    def objectif_total(self) -> int:
        return self.objectif + self.report

    @property
    def points(self) -> Fraction | None:
        """Points of the year when one rate ran over one territory; None when there were several, or none."""
        taux = {ligne.points for ligne in self.lignes}
        return taux.pop() if len(taux) == 1 else None


@dataclass(frozen=True, slots=True)
class Partage:
    """Shares of all the réservataires, in the order of every list; objectives add up to `flux`.

    `agents_exact`, `agents_max`: ceiling of the agents of the État, exact and rounded down.
    """

    flux: int
    parts: tuple[Part, ...]
    agents_exact: Fraction
    agents_max: int

    def part(self, reservataire: Reservataire) -> Part:
        return next(part for part in self.parts if part.reservataire == reservataire)


class PartageImpossible(ValueError):
    """The acts give away more than the flux; `reservation.regles.validite` says which and since when."""


def partager_definitif(
    flux: FluxAnnuel, actes: Sequence[Acte], annee: int, reports: Mapping[str, int] | None = None
) -> Partage:
    """Split of an observed flux: each rate applies to the libérations dated in its period.

    `reports`: dwellings carried over, by code of réservataire. Raises `PartageImpossible`.
    """
    tranches = _decouper_droits(tuple(actes), annee)
    return _partager(flux.flux, actes, tranches, _base_constatee(flux.lots, tranches), reports or {})


def partager_previsionnel(
    flux: FluxAnnuel,
    assiette: Assiette,
    actes: Sequence[Acte],
    annee: int,
    reports: Mapping[str, int] | None = None,
) -> Partage:
    """Split of a projected flux: each rate applies to the days of its period.

    A collectivité has the share of its communes in the assiette, nothing if the assiette is empty.
    `reports`: dwellings carried over, by code of réservataire. Raises `PartageImpossible`.
    """
    tranches = _decouper_droits(tuple(actes), annee)
    soumis: Counter[str] = Counter()
    for (commune, _), nombre in assiette.soumis_par_commune.items():
        soumis[commune] += nombre
    return _partager(flux.flux, actes, tranches, _base_projetee(flux.flux, soumis, annee), reports or {})


def partager_par_commune(
    flux: FluxAnnuel, assiette: Assiette, actes: Sequence[Acte], annee: int
) -> dict[str, Partage]:
    """The same table in each commune, where the État's share is uniform per commune (R. 441-5-2).

    Commune → split of its own flux, in code order; communes without flux are left out. Whole dwellings are
    rounded in each commune: their sum may fall short of the département's table, which is the one that binds.
    A projected flux is first spread over the communes in whole dwellings, in proportion to the assiette.
    """
    tranches = _decouper_droits(tuple(actes), annee)
    if flux.nature == NatureFlux.DEFINITIF:
        lots_par_commune: dict[str, list[LotFlux]] = defaultdict(list)
        for lot in flux.lots:
            lots_par_commune[lot.commune].append(lot)
        return {
            commune: _partager(
                sum(lot.nombre for lot in lots), actes, tranches, _base_constatee(lots, tranches), {}
            )
            for commune, lots in sorted(lots_par_commune.items())
        }
    flux_par_commune: Counter[str] = Counter()
    for (commune, _), nombre in ventiler_previsionnel(flux, assiette).items():
        flux_par_commune[commune] += nombre
    return {
        commune: _partager(nombre, actes, tranches, _base_projetee(nombre, {commune: 1}, annee), {})
        for commune, nombre in sorted(flux_par_commune.items())
        if nombre
    }


class _Tranche(NamedTuple):
    """A part of the year over which no rate changes, with the rights that run and the act that gives each.

    `agents`: points of the agents' ceiling; `net_etat`: net points of the État, 0 without an act of its own.
    """

    periode: Periode
    droits: tuple[tuple[int, Droit], ...]
    agents: Fraction
    net_etat: Fraction


@lru_cache(maxsize=256)
def _decouper_droits(actes: tuple[Acte, ...], annee: int) -> tuple[_Tranche, ...]:
    """Remembered: a year is split several times under the same acts (projected, observed, outside QPV)."""
    tranches = []
    for periode in periodes_de_taux(actes, annee):
        ouverts = tuple((rang, d) for rang, acte in enumerate(actes) for d in droits(acte, periode.debut))
        agents = sum((taux_des_agents(acte, periode.debut) for acte in actes), ZERO)
        net_etat = sum((d.points for _, d in ouverts if d.reservataire == ETAT), ZERO)
        tranches.append(_Tranche(periode, ouverts, agents, net_etat))
    return tuple(tranches)


def _base_constatee(lots: Iterable[LotFlux], tranches: Sequence[_Tranche]) -> Base:
    """Observed base of a right: dwellings of `lots` freed in a period, on some communes (None: anywhere).

    `lots` may be dated by their day or by any day of their period of `periodes_de_taux`.
    """
    debuts = [tranche.periode.debut for tranche in tranches]
    comptes: list[Counter[str]] = [Counter() for _ in tranches]
    for jour, commune, _, nombre in lots:
        comptes[bisect_right(debuts, jour) - 1][commune] += nombre
    par_commune = {tranche.periode: compte for tranche, compte in zip(tranches, comptes, strict=True)}
    totaux = {periode: sum(communes.values()) for periode, communes in par_commune.items()}

    def base(periode: Periode, communes: frozenset[str] | None) -> int:
        if communes is None:
            return totaux[periode]
        locales = par_commune[periode]
        return sum(nombre for commune, nombre in locales.items() if commune in communes)

    return base


def _base_projetee(flux: int, soumis: Mapping[str, int], annee: int) -> Base:
    """Projected base of a right: flux × days ÷ days of the year × share of its communes in `soumis`."""
    jours_de_l_annee = annee_civile(annee).jours
    total = sum(soumis.values())

    def base(periode: Periode, communes: frozenset[str] | None) -> Fraction:
        part = Fraction(flux * periode.jours, jours_de_l_annee)
        if communes is None:
            return part
        if not total:
            return ZERO
        return part * sum(nombre for commune, nombre in soumis.items() if commune in communes) / total

    return base


def _partager(
    flux: int, actes: Sequence[Acte], tranches: Sequence[_Tranche], base: Base, reports: Mapping[str, int]
) -> Partage:
    lignes: dict[Reservataire, tuple[Ligne, ...]] = {}
    agents = ZERO
    for tranche in tranches:
        for rang, droit in tranche.droits:
            ligne = Ligne(tranche.periode, droit.points, base(tranche.periode, droit.communes), rang)
            lignes[droit.reservataire] = _prolonger(lignes.get(droit.reservataire, ()), ligne)
        if tranche.agents:
            agents += tranche.agents * base(tranche.periode, None)
    lignes = {r: tuple(ligne for ligne in termes if ligne.base) for r, termes in lignes.items()}
    exactes = {
        reservataire: sum((ligne.points * ligne.base for ligne in termes), ZERO) / 100
        for reservataire, termes in lignes.items()
    }
    reste = flux - sum(exactes.values(), ZERO)
    if reste < 0:
        raise PartageImpossible(f"les parts réservées dépassent le flux de {accorder(flux, 'logement')}")
    exactes[BAILLEUR] = reste
    reservataires = lister_reservataires(actes)
    entieres = arrondir_parts([(r, exactes.get(r, ZERO)) for r in reservataires], flux)
    return Partage(
        flux=flux,
        parts=tuple(
            Part(r, exactes.get(r, ZERO), entieres[r], reports.get(r.code, 0), lignes.get(r, ()))
            for r in reservataires
        ),
        agents_exact=agents / 100,
        agents_max=floor(agents / 100),
    )


def _prolonger(lignes: tuple[Ligne, ...], ligne: Ligne) -> tuple[Ligne, ...]:
    """Add a term, merged with the one that it continues: the year may be cut where another act changes."""
    for rang, precedente in enumerate(lignes):
        if (precedente.rang, precedente.points) == (ligne.rang, ligne.points) and (
            precedente.periode.fin + UN_JOUR == ligne.periode.debut
        ):
            suite = Ligne(
                Periode(precedente.periode.debut, ligne.periode.fin),
                ligne.points,
                precedente.base + ligne.base,
                ligne.rang,
            )
            return (*lignes[:rang], suite, *lignes[rang + 1 :])
    return (*lignes, ligne)


def arrondir_parts(parts: Sequence[tuple[Reservataire, Fraction]], flux: int) -> dict[Reservataire, int]:
    """Whole dwellings that add up to the flux (domain, chapter 5).

    The État's share is a ceiling: rounded down. The others share what is left by largest remainder, ties in
    the order given.
    """
    etat = {r: floor(part) for r, part in parts if r == ETAT}
    autres = [(r, part) for r, part in parts if r != ETAT]
    entiers = repartir_plus_forts_restes([part for _, part in autres], flux - sum(etat.values()))
    return etat | {r: entier for (r, _), entier in zip(autres, entiers, strict=True)}


def part_hors_qpv(
    lots: Iterable[LotFlux], actes: Sequence[Acte], annee: int, plancher: Fraction | None
) -> Fraction | None:
    """Exact dwellings outside QPV under which the État may not fall (R. 441-5-2); None without the clause.

    Sum, over the flux outside QPV, of min(`plancher`, net rate).
    """
    if plancher is None:
        return None
    tranches = _decouper_droits(tuple(actes), annee)
    base = _base_constatee([lot for lot in lots if not lot.qpv], tranches)
    return sum((min(plancher, t.net_etat) * base(t.periode, None) for t in tranches), ZERO) / 100


def objectif_hors_qpv(
    lots: Iterable[LotFlux], actes: Sequence[Acte], annee: int, plancher: Fraction | None
) -> int | None:
    """Whole dwellings outside QPV that the État may not be given less than; None without the clause.

    Rounded down: it never asks for more than the État's whole objective, even where the rétrocession takes the net
    rate under the floor.
    """
    exacte = part_hors_qpv(lots, actes, annee, plancher)
    return None if exacte is None else floor(exacte)


# --- Explanation --------------------------------------------------------------------------------------------


def expliquer_partage(partage: Partage, actes: Sequence[Acte]) -> tuple[Etape, ...]:
    """One line per réservataire with its exact share and objective, one line under it per period of rate."""
    etapes = []
    for part in partage.parts:
        code = f"partage.{part.reservataire.code}"
        etapes.append(
            Etape(
                code,
                part.reservataire.titre,
                part.exacte,
                _conclusion(part),
                _article(part.reservataire),
            )
        )
        etapes += [
            Etape(
                f"{code}.{i}",
                f"du {date_fr(ligne.periode.debut)} au {date_fr(ligne.periode.fin)}",
                ligne.points * ligne.base / 100,
                _calcul(ligne, part.reservataire, actes[ligne.rang]),
                _article(part.reservataire),
                niveau=1,
            )
            for i, ligne in enumerate(part.lignes)
        ]
        if part.reservataire == ETAT:
            etapes.append(
                Etape(
                    "partage.agents_max",
                    "dont agents de l’État, au plus",
                    partage.agents_max,
                    f"{decimal_fr(partage.agents_exact)} arrondi par défaut ; points du flux, non de la part",
                    articles.PART_ETAT,
                    niveau=1,
                )
            )
    etapes.append(
        Etape(
            "partage.flux",
            "Ensemble",
            sum(part.objectif for part in partage.parts),
            "l’État arrondi par défaut, les autres au plus fort reste",
            articles.ASSIETTE,
        )
    )
    return tuple(etapes)


def _article(reservataire: Reservataire) -> str:
    return {
        Nature.ETAT: articles.PART_ETAT,
        Nature.ALS: articles.QUART_ALS,
        Nature.COLLECTIVITE: articles.COLLECTIVITES,
        Nature.AUTRE: articles.COLLECTIVITES,
        Nature.BAILLEUR: articles.PRIORITAIRES,
    }[reservataire.nature]


def _conclusion(part: Part) -> str:
    objectif = f"objectif : {accorder(part.objectif, 'logement')}"
    if part.report:
        objectif += f" + {entier_fr(part.report)} de report = {entier_fr(part.objectif_total)}"
    if part.reservataire == BAILLEUR:
        return f"le reste du flux ; {objectif}"
    return objectif if part.lignes else f"aucun droit dans l’année ; {objectif}"


def _calcul(ligne: Ligne, reservataire: Reservataire, acte: Acte) -> str:
    """ "30,00 − 1,37 rétrocédés = 28,63 points × 842 logements"."""
    jour = ligne.periode.debut
    base = decimal_fr(ligne.base) if ligne.base != int(ligne.base) else entier_fr(int(ligne.base))
    produit = f"{taux_fr(ligne.points)} points × {base} logements du flux"
    if reservataire == ETAT:
        brut, retrocede = taux_brut(acte, jour), taux_retrocede(acte, jour)
        mention = " (dérogation)" if brut != acte.taux else ""
        return (
            f"{taux_fr(brut)}{mention} − {taux_fr(retrocede)} = {produit}"
            if retrocede
            else f"{produit}{mention}"
        )
    if reservataire == ALS and acte.reservataire == ETAT:
        return f"{produit}, rétrocédés par l’État"
    return produit


# --- What the pages must say besides the figures ------------------------------------------------------------


def noter_net_sous_plancher(actes: Sequence[Acte], annee: int) -> tuple[str, ...]:
    """One sentence per period whose net rate is under the hors-QPV floor (domain, chapter 5; R. 441-5-2).

    The clause then bears on the net rate: asking for the floor would take back what was given to ALS.
    """
    regissant = acte_regissant(actes, annee)
    if regissant is None or regissant.regime.plancher_hors_qpv is None:
        return ()
    plancher = regissant.regime.plancher_hors_qpv
    notes: list[str] = []
    dernier_net = None
    for periode in periodes_de_taux(actes, annee):
        acte = acte_en_vigueur(actes, ETAT, periode.debut)
        net = taux_net(acte, periode.debut) if acte else None
        if net is not None and net < plancher and net != dernier_net:
            notes.append(
                typographier(
                    f"À partir du {date_fr(periode.debut)}, le taux net de l’État ({taux_fr(net)} points) est "
                    f"inférieur au plancher hors QPV ({taux_fr(plancher)} points) : le plancher porte sur le "
                    "taux net."
                )
            )
        dernier_net = net
    return tuple(notes)


def noter_petit_flux(parts_etat: Sequence[tuple[int, Fraction]], objectif: int) -> str | None:
    """A flux so small that the État's whole objective is 0 is said, with the exact shares of the years.

    `parts_etat`: (year, exact share) of each year of the convention so far, the year looked at last. None
    when the objective is not 0 or the État has no share at all.
    """
    if objectif or not parts_etat or not parts_etat[-1][1]:
        return None
    annee, part = parts_etat[-1]
    debut = (
        f"Pour {annee}, la part exacte de l’État est de {decimal_fr(part)} logement : arrondie par défaut, elle "
        "ne donne aucun logement entier."
    )
    if len(parts_etat) == 1:
        return typographier(debut)
    cumul = sum((Fraction(exacte) for _, exacte in parts_etat), ZERO)
    return typographier(f"{debut} Cumulée depuis {parts_etat[0][0]}, elle atteint {decimal_fr(cumul)}.")
