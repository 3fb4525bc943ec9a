"""A bailleur-year from end to end: the one entry of the application's job and of the test bench.

assiette → flux → split → realised and tests, each with its explanation. Inputs are counted lots, whoever
counted them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reservation.regles.actes import Acte, Regime, regime_de_l_annee
from reservation.regles.etapes import Etape

from .annuel import (
    FluxAnnuel,
    LotLiberations,
    Nature,
    OrigineTaux,
    calculer_flux_definitif,
    calculer_flux_previsionnel,
    expliquer_flux,
)
from .assiette import Assiette, expliquer_assiette
from .imputation import Titre
from .partage import (
    Partage,
    expliquer_partage,
    objectif_hors_qpv,
    partager_definitif,
    partager_previsionnel,
)
from .realise import (
    CentPourCent,
    HorsQpv,
    LotEchecs,
    LotImpute,
    Quart,
    Realise,
    calculer_realise,
    compter_echecs,
    compter_hors_qpv,
    evaluer_cent_pour_cent,
    evaluer_quarts,
    expliquer_realise,
    ventiler_etat,
)


@dataclass(frozen=True, slots=True)
class ResultatAnnuel:
    """All the figures of a bailleur × département × year. `hors_qpv` is None when projected."""

    annee: int
    nature: Nature
    regime: Regime
    actes: tuple[Acte, ...]
    assiette: Assiette
    flux: FluxAnnuel
    partage: Partage
    realise: tuple[Realise, ...]
    etat: Mapping[Titre, int]
    cent_pour_cent: CentPourCent
    quarts: tuple[Quart, ...]
    hors_qpv: HorsQpv | None
    taux_rotation: Fraction | None = None
    origine_taux: OrigineTaux | None = None

    def expliquer(self) -> tuple[Etape, ...]:
        """Every step with its figure, its origin and its article, in the order of the calculation."""
        return (
            *expliquer_assiette(self.assiette, self.regime.exclusions),
            *expliquer_flux(
                self.flux,
                self.regime,
                assiette=self.assiette,
                taux_rotation=self.taux_rotation,
                origine_taux=self.origine_taux,
            ),
            *expliquer_partage(self.partage, self.actes),
            *expliquer_realise(
                self.realise,
                self.etat,
                self.cent_pour_cent,
                self.quarts,
                self.hors_qpv,
                self.regime.fait_generateur,
                self.partage.agents_max,
            ),
        )


def calculer_definitif(
    annee: int,
    actes: Sequence[Acte],
    assiette: Assiette,
    liberations: Iterable[LotLiberations],
    imputes: Sequence[LotImpute],
    echecs: Iterable[LotEchecs] = (),
    reports: Mapping[str, int] | None = None,
) -> ResultatAnnuel:
    """Observed year: libérations of the year, imputations that live in it, failed designations of its flux.

    `reports`: dwellings carried over, by code of réservataire. Raises `PartageImpossible`.
    """
    regime = regime_de_l_annee(actes, annee)
    flux = calculer_flux_definitif(liberations, annee, regime)
    partage = partager_definitif(flux, actes, annee, reports)
    objectif = objectif_hors_qpv(flux.lots, actes, annee, regime.plancher_hors_qpv)
    return ResultatAnnuel(
        annee=annee,
        nature=Nature.DEFINITIF,
        regime=regime,
        actes=tuple(actes),
        assiette=assiette,
        flux=flux,
        partage=partage,
        realise=calculer_realise(imputes, compter_echecs(echecs, actes), partage, regime.fait_generateur),
        etat=ventiler_etat(imputes),
        cent_pour_cent=evaluer_cent_pour_cent(imputes),
        quarts=evaluer_quarts(imputes, actes),
        hors_qpv=compter_hors_qpv(imputes, flux.flux_hors_qpv, objectif, regime.fait_generateur),
    )


def calculer_previsionnel(
    annee: int,
    actes: Sequence[Acte],
    assiette: Assiette,
    taux_rotation: Fraction,
    soustractions: Mapping[str, int],
    reports: Mapping[str, int] | None = None,
    origine_taux: OrigineTaux | None = None,
) -> ResultatAnnuel:
    """Projected year: nothing is realised yet. Raises `FluxNegatif` or `PartageImpossible`."""
    regime = regime_de_l_annee(actes, annee)
    flux = calculer_flux_previsionnel(assiette.loues_ou_proposes, taux_rotation, soustractions, regime)
    partage = partager_previsionnel(flux, assiette, actes, annee, reports)
    return ResultatAnnuel(
        annee=annee,
        nature=Nature.PREVISIONNEL,
        regime=regime,
        actes=tuple(actes),
        assiette=assiette,
        flux=flux,
        partage=partage,
        realise=calculer_realise((), {}, partage, regime.fait_generateur),
        etat=ventiler_etat(()),
        cent_pour_cent=evaluer_cent_pour_cent(()),
        quarts=evaluer_quarts((), actes),
        hors_qpv=None,
        taux_rotation=taux_rotation,
        origine_taux=origine_taux,
    )
