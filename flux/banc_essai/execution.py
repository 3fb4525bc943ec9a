"""Run a scenario through the rules of the application: the bench counts one by one, and computes nothing itself."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from flux.regles.annee import ResultatAnnuel, calculer_definitif, calculer_previsionnel
from flux.regles.annuel import Destination, LotFlux, LotLiberations, Nature, destination
from flux.regles.assiette import Assiette, LotParc, calculer_assiette
from flux.regles.imputation import (
    Explication,
    Imputation,
    attribution_qui_compte,
    contingent_impute,
    expliquer_imputation,
    imputer,
)
from flux.regles.realise import LotEchecs, LotImpute
from reservation.regles.actes import BAILLEUR, Regime, regime_de_l_annee
from reservation.regles.statut import loue_ou_propose, statut_logement

from .scenario import Attribution, Liberation, Scenario


@dataclass(frozen=True, slots=True)
class Execution:
    """The figures of a scenario, and the imputation of each libération that has one, by identifier."""

    resultat: ResultatAnnuel
    imputations: Mapping[str, Imputation]


def executer(scenario: Scenario) -> Execution:
    """Compute a scenario. Raises `FluxNegatif` when more is deducted than freed."""
    regime = regime_de_l_annee(scenario.actes, scenario.annee)
    assiette = _assiette(scenario, regime)
    if scenario.nature == Nature.PREVISIONNEL:
        resultat = calculer_previsionnel(
            scenario.annee,
            scenario.actes,
            assiette,
            scenario.taux_rotation,
            scenario.soustractions_previsionnelles,
            scenario.reports,
        )
        return Execution(resultat, {})
    comptees = _attributions_comptees(scenario)
    imputations = {}
    imputes = []
    for liberation, attribution in comptees:
        imputation = imputer(
            _destination(liberation, scenario, regime),
            liberation.usage,
            liberation.reservataire,
            liberation.designation_echouee,
            attribution.faits,
            scenario.groupes,
        )
        if imputation is None:
            continue
        imputations[liberation.id] = imputation
        if _destination(liberation, scenario, regime) == Destination.FLUX:
            imputes.append(_lot_impute(liberation, attribution, imputation, scenario.annee))
    resultat = calculer_definitif(
        scenario.annee,
        scenario.actes,
        assiette,
        [
            LotLiberations(li.jour, li.commune, li.qpv, li.usage, li.premiere, li.annulee, 1)
            for li in scenario.liberations
        ],
        imputes,
        _echecs(scenario, regime),
        scenario.reports,
    )
    return Execution(resultat, imputations)


def expliquer_imputations(scenario: Scenario) -> dict[str, Explication]:
    """Why each attribution counts where it does, by identifier of libération; empty in PREVISIONNEL."""
    regime = regime_de_l_annee(scenario.actes, scenario.annee)
    explications = {}
    for liberation, attribution in _attributions_comptees(scenario):
        explication = expliquer_imputation(
            _destination(liberation, scenario, regime),
            liberation.usage,
            liberation.reservataire,
            liberation.designation_echouee,
            attribution.faits,
            scenario.groupes,
        )
        if explication is not None:
            explications[liberation.id] = explication
    return explications


def _assiette(scenario: Scenario, regime: Regime) -> Assiette:
    return calculer_assiette(
        LotParc(
            lot.commune,
            lot.qpv,
            statut_logement(
                lot.finan, lot.conv, lot.mode, lot.sortie, lot.drapeaux, scenario.famille, regime.exclusions
            ),
            lot.nombre,
            lot.nombre if loue_ou_propose(lot.mode) else 0,
        )
        for lot in scenario.parc
    )


def _destination(liberation: Liberation, scenario: Scenario, regime: Regime) -> Destination:
    return destination(
        liberation.jour, liberation.premiere, liberation.annulee, liberation.usage, scenario.annee, regime
    )


def _attributions_comptees(scenario: Scenario) -> list[tuple[Liberation, Attribution]]:
    """Each attributed libération with the attribution that carries its imputation, in the order of the file."""
    par_liberation: dict[str, list[Attribution]] = defaultdict(list)
    for attribution in scenario.attributions:
        par_liberation[attribution.liberation].append(attribution)
    comptees = []
    for liberation in scenario.liberations:
        attribution = attribution_qui_compte(
            par_liberation[liberation.id], scenario.annee, lambda a: a.date_caleol
        )
        if attribution is not None:
            comptees.append((liberation, attribution))
    return comptees


def _lot_impute(
    liberation: Liberation, attribution: Attribution, imputation: Imputation, annee: int
) -> LotImpute:
    bail = attribution.faits.date_bail
    return LotImpute(
        reservataire=contingent_impute(liberation.reservataire, liberation.designation_echouee).code,
        titre=imputation.titre,
        motif=attribution.motif is not None,
        caleol=attribution.date_caleol.year == annee,
        bail=bail is not None and bail.year == annee,
        qpv=liberation.qpv,
        nombre=1,
    )


def _echecs(scenario: Scenario, regime: Regime) -> list[LotEchecs]:
    """Dwellings of the year's flux whose réservataire's designation failed."""
    return [
        LotEchecs(liberation.reservataire, LotFlux(liberation.jour, liberation.commune, liberation.qpv, 1))
        for liberation in scenario.liberations
        if liberation.designation_echouee
        and liberation.reservataire not in (None, BAILLEUR)
        and liberation.jour.year == scenario.annee
        and _destination(liberation, scenario, regime) == Destination.FLUX
    ]
