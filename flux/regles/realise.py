"""What was done in the year: realised against objectives, and the three tests of priority (domain, ch. 5 and 6).

Flux and objectives bear on the libérations of the year; all that is here bears on the attributions made in
it, whenever their dwelling was freed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from reservation.regles import articles
from reservation.regles.actes import (
    BAILLEUR,
    ETAT,
    Acte,
    FaitGenerateur,
    Nature,
    Reservataire,
    acte_en_vigueur,
    lister_reservataires,
)
from reservation.regles.etapes import Etape
from reservation.regles.typographie import accorder, entier_fr

from .annuel import LotFlux
from .imputation import TITRES_ETAT, TITRES_PRIORITAIRES_ETAT, Titre
from .partage import Partage

QUART = Fraction(1, 4)


class LotImpute(NamedTuple):
    """`nombre` imputations alike on the contingent of one réservataire, each the one that its dwelling keeps.

    `reservataire`: its code; `titre`: code of `Titre`; `motif`: a logged reason for a non-priority household;
    `caleol`, `bail`: whether the CALEOL date, the lease, is in the year. Imputations out of the flux and
    soustractions are not contingents: leave them out.
    """

    reservataire: str
    titre: str
    motif: bool
    caleol: bool
    bail: bool
    qpv: bool
    nombre: int


class LotEchecs(NamedTuple):
    """`nombre` dwellings of the year's flux oriented to a réservataire whose designation failed."""

    reservataire: Reservataire
    lot: LotFlux


@dataclass(frozen=True, slots=True)
class Realise:
    """What one réservataire obtained. `ecart` and `atteint` are None for the bailleur: its rest is no objective.

    `attributions`, `baux`: by date of CALEOL, of lease, in the year; `echecs`: failed designations that use
    up a right; `realise`: what counts for the objective.
    """

    reservataire: Reservataire
    attributions: int
    baux: int
    echecs: int
    realise: int
    objectif_total: int

    @property
    def ecart(self) -> int | None:
        return None if self.reservataire == BAILLEUR else self.realise - self.objectif_total

    @property
    def atteint(self) -> bool | None:
        """Missed only when short by one dwelling or more of the whole-dwelling objective (chapter 5)."""
        return None if self.ecart is None else self.ecart >= 0


@dataclass(frozen=True, slots=True)
class CentPourCent:
    """The État's contingent outside agents is for priority households, all of it (PACA, art. 4 b; L. 441-1)."""

    attributions: int
    prioritaires: int
    exceptions: int

    @property
    def manque(self) -> int:
        return self.attributions - self.prioritaires - self.exceptions


@dataclass(frozen=True, slots=True)
class Quart:
    """A quarter at least of the attributions of a contingent for priority households (L. 441-1, L. 313-26-2)."""

    reservataire: Reservataire
    prioritaires: int
    attributions: int

    @property
    def manque(self) -> int:
        return manque_au_quart(self.prioritaires, self.attributions)


@dataclass(frozen=True, slots=True)
class HorsQpv:
    """The État outside QPV: what it was given against the floor. `objectif` None without the clause."""

    flux: int
    etat: int
    objectif: int | None


def dans_le_vivier(lot: LotImpute, fait_generateur: FaitGenerateur) -> bool:
    """Whether these imputations meet an objective of the year (the pool).

    By the CALEOL or by the lease, as the convention says (PACA, art. 1); an agent of the État always by the
    lease, which is one of its three conditions (CA, art. 5-2).
    """
    if lot.titre == Titre.AGENT or fait_generateur == FaitGenerateur.BAIL:
        return lot.bail
    return lot.caleol


def compte_pour_l_etat(lot: LotImpute) -> bool:
    """Priority household, agent, or another household with a logged reason (domain, chapter 6)."""
    return lot.titre != Titre.AUTRE or lot.motif


def compter_echecs(echecs: Iterable[LotEchecs], actes: Sequence[Acte]) -> dict[str, int]:
    """Failed designations that use up the right of a réservataire, by code (domain, chapters 5 and 13).

    The act in force on the day of the libération says whether they do. Lots may be dated by any day of their
    period of rates: an act begins and ends with one.
    """
    comptes: dict[str, int] = {}
    for reservataire, lot in echecs:
        acte = acte_en_vigueur(actes, reservataire, lot.jour)
        if acte is not None and acte.echec_consomme:
            comptes[reservataire.code] = comptes.get(reservataire.code, 0) + lot.nombre
    return comptes


def calculer_realise(
    imputes: Sequence[LotImpute],
    echecs: Mapping[str, int],
    partage: Partage,
    fait_generateur: FaitGenerateur,
) -> tuple[Realise, ...]:
    """Realised of each réservataire of the split, in its order (domain, chapter 5).

    The État's agents count up to their ceiling, its other households only with a logged reason. The others
    count all their attributions. What a failed designation used up counts for its réservataire.
    """
    siens = _par_reservataire(imputes)
    return tuple(
        _realise_de(
            part.reservataire,
            part.objectif_total,
            siens[part.reservataire.code],
            echecs,
            partage.agents_max,
            fait_generateur,
        )
        for part in partage.parts
    )


def _par_reservataire(imputes: Iterable[LotImpute]) -> Mapping[str, list[LotImpute]]:
    """By code; an empty list for whoever has nothing."""
    siens: dict[str, list[LotImpute]] = defaultdict(list)
    for lot in imputes:
        siens[lot.reservataire].append(lot)
    return siens


def _realise_de(
    reservataire: Reservataire,
    objectif_total: int,
    siens: Sequence[LotImpute],
    echecs: Mapping[str, int],
    agents_max: int,
    fait_generateur: FaitGenerateur,
) -> Realise:
    vivier = [lot for lot in siens if dans_le_vivier(lot, fait_generateur)]
    echecs_consommes = 0 if reservataire == BAILLEUR else echecs.get(reservataire.code, 0)
    if reservataire == ETAT:
        agents = sum(lot.nombre for lot in vivier if lot.titre == Titre.AGENT)
        menages = sum(lot.nombre for lot in vivier if lot.titre != Titre.AGENT and compte_pour_l_etat(lot))
        obtenus = menages + min(agents, agents_max)
    else:
        obtenus = sum(lot.nombre for lot in vivier)
    return Realise(
        reservataire=reservataire,
        attributions=sum(lot.nombre for lot in siens if lot.caleol),
        baux=sum(lot.nombre for lot in siens if lot.bail),
        echecs=echecs_consommes,
        realise=obtenus + echecs_consommes,
        objectif_total=objectif_total,
    )


def ventiler_etat(imputes: Iterable[LotImpute]) -> dict[Titre, int]:
    """The État's attributions of the year by title, the five always there (CA, art. 7.1)."""
    ventilation = dict.fromkeys(TITRES_ETAT, 0)
    for lot in imputes:
        if lot.reservataire == ETAT.code and lot.caleol:
            ventilation[Titre(lot.titre)] += lot.nombre
    return ventilation


def evaluer_cent_pour_cent(imputes: Iterable[LotImpute]) -> CentPourCent:
    """The test of the État's contingent outside agents, on the CALEOL dates of the year (chapter 6)."""
    siens = [
        lot for lot in imputes if lot.reservataire == ETAT.code and lot.caleol and lot.titre != Titre.AGENT
    ]
    return CentPourCent(
        attributions=sum(lot.nombre for lot in siens),
        prioritaires=sum(lot.nombre for lot in siens if lot.titre in TITRES_PRIORITAIRES_ETAT),
        exceptions=sum(lot.nombre for lot in siens if lot.titre == Titre.AUTRE and lot.motif),
    )


def manque_au_quart(prioritaires: int, attributions: int, seuil: Fraction = QUART) -> int:
    """Priority attributions still to make to reach "at least a quarter": ceil(n ÷ 4) − those made, or 0."""
    return max(0, -(-attributions * seuil.numerator // seuil.denominator) - prioritaires)


def evaluer_quarts(imputes: Sequence[LotImpute], actes: Sequence[Acte]) -> tuple[Quart, ...]:
    """The quarter of ALS, of each collectivité and of the bailleur, on the CALEOL dates of the year (chapter 6).

    The bailleur's base holds the dwellings whose réservataire's designation failed: they are imputed on it.
    """
    par_reservataire = _par_reservataire(imputes)
    return tuple(
        evaluer_quart(reservataire, par_reservataire[reservataire.code])
        for reservataire in lister_reservataires(actes)
        if doit_le_quart(reservataire)
    )


def doit_le_quart(reservataire: Reservataire) -> bool:
    """Whether a contingent owes a quarter of its attributions to priority households (L. 441-1, L. 313-26-2)."""
    return reservataire.nature in (Nature.ALS, Nature.COLLECTIVITE, Nature.BAILLEUR)


def evaluer_quart(reservataire: Reservataire, siens: Iterable[LotImpute]) -> Quart:
    """The quarter of one contingent, from its own imputations, on the CALEOL dates of the year."""
    siens = [lot for lot in siens if lot.caleol]
    return Quart(
        reservataire,
        prioritaires=sum(lot.nombre for lot in siens if lot.titre == Titre.PRIORITAIRE),
        attributions=sum(lot.nombre for lot in siens),
    )


def compter_hors_qpv(
    imputes: Iterable[LotImpute], flux_hors_qpv: int, objectif: int | None, fait_generateur: FaitGenerateur
) -> HorsQpv:
    """What the État obtained outside QPV (R. 441-5-2): its pool, agents without their ceiling."""
    etat = sum(
        lot.nombre
        for lot in imputes
        if lot.reservataire == ETAT.code
        and not lot.qpv
        and dans_le_vivier(lot, fait_generateur)
        and compte_pour_l_etat(lot)
    )
    return HorsQpv(flux_hors_qpv, etat, objectif)


# --- Explanation --------------------------------------------------------------------------------------------


def expliquer_realise(
    realises: Sequence[Realise],
    etat: Mapping[Titre, int],
    cent: CentPourCent,
    quarts: Sequence[Quart],
    hors_qpv: HorsQpv | None,
    fait_generateur: FaitGenerateur,
    agents_max: int,
) -> tuple[Etape, ...]:
    """Each test with its numerator, its denominator and what is missing; never a lone percentage."""
    evenement = "attributions en CALEOL" if fait_generateur == FaitGenerateur.ATTRIBUTION else "baux signés"
    etapes = []
    for realise in realises:
        code = realise.reservataire.code
        detail = f"{evenement} de l’année"
        if realise.reservataire == ETAT:
            detail += f" ; agents au bail, {accorder(agents_max, 'compté', 'comptés')} au plus"
        if realise.echecs:
            detail += f" ; dont {accorder(realise.echecs, 'désignation échouée', 'désignations échouées')}"
        if realise.ecart is not None:
            detail += f" ; objectif {entier_fr(realise.objectif_total)}, écart {entier_fr(realise.ecart)}"
        etapes.append(Etape(f"realise.{code}", f"Réalisé, {code}", realise.realise, detail, articles.BILAN))
    for titre, nombre in etat.items():
        etapes.append(
            Etape(f"etat.{titre}", f"État, {titre.libelle}", nombre, "", articles.PART_ETAT, niveau=1)
        )
    etapes.append(
        Etape(
            "etat_100",
            "État hors agents : 100 % de prioritaires",
            f"{entier_fr(cent.prioritaires)} / {entier_fr(cent.attributions)}",
            f"exceptions motivées : {entier_fr(cent.exceptions)} ; manque : {entier_fr(cent.manque)}",
            articles.PRIORITAIRES,
        )
    )
    for quart in quarts:
        als = quart.reservataire.nature == Nature.ALS
        etapes.append(
            Etape(
                f"quarts.{quart.reservataire.code}",
                f"Un quart de prioritaires, {quart.reservataire.code}",
                f"{entier_fr(quart.prioritaires)} / {entier_fr(quart.attributions)}",
                f"manque : {entier_fr(quart.manque)}",
                articles.QUART_ALS if als else articles.PRIORITAIRES,
            )
        )
    if hors_qpv is not None:
        objectif = (
            "sans plancher dans la convention"
            if hors_qpv.objectif is None
            else f"au moins {entier_fr(hors_qpv.objectif)}"
        )
        etapes.append(
            Etape(
                "hors_qpv",
                "État hors quartiers prioritaires de la ville",
                hors_qpv.etat,
                f"{objectif}, pour un flux hors QPV de {accorder(hors_qpv.flux, 'logement')}",
                articles.PART_ETAT,
            )
        )
    return tuple(etapes)
