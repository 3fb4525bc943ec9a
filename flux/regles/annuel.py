"""The annual flux: what becomes of each libération, observed or projected (domain, chapter 4; R. 441-5, I).

flux = libérations of the assiette in the civil year − soustractions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from reservation.regles import articles
from reservation.regles.actes import Regime, Soustraction
from reservation.regles.etapes import Etape
from reservation.regles.typographie import accorder, decimal_fr, entier_fr, enumerer, minuscule, taux_fr

from .arrondis import arrondir_demi_superieur, repartir_numerateurs
from .assiette import Assiette


class Nature(StrEnum):
    """PREVISIONNEL before the year and until its bilan; DEFINITIF: observed libérations and soustractions."""

    PREVISIONNEL = "PREVISIONNEL"
    DEFINITIF = "DEFINITIF"


USAGE_FLUX = "FLUX"


class Destination(StrEnum):
    """Where a libération goes, in the order of the tests."""

    NULLE_PART = "NULLE_PART"
    HORS_FLUX = "HORS_FLUX"
    SOUSTRACTION = "SOUSTRACTION"
    FLUX = "FLUX"


def destination(
    jour: date, premiere: bool, annulee: bool, usage: str, annee: int, regime: Regime
) -> Destination:
    """What a libération is for the year `annee`, under the régime of that year.

    Cancelled (the tenant stays) or later than the year: nowhere. A première mise en location that the
    convention does not count is out of the flux whatever its use (CA, art. 5). Then the uses of the
    convention's list are soustractions (R. 441-5, I); any other use stays in the flux. A libération of an
    earlier year has a destination too: its attribution of this year needs one.
    """
    if annulee or jour.year > annee:
        return Destination.NULLE_PART
    if premiere and not regime.premieres_mises_en_location:
        return Destination.HORS_FLUX
    if usage in regime.soustractions:
        return Destination.SOUSTRACTION
    return Destination.FLUX


class LotLiberations(NamedTuple):
    """`nombre` libérations alike: same day (or same period of rates), commune, QPV, use.

    `usage`: "FLUX" or a code of `Soustraction`.
    """

    jour: date
    commune: str
    qpv: bool
    usage: str
    premiere: bool
    annulee: bool
    nombre: int


class LotFlux(NamedTuple):
    """`nombre` dwellings of the flux on a day (or a period of rates), a commune, in or out of QPV."""

    jour: date
    commune: str
    qpv: bool
    nombre: int


@dataclass(frozen=True, slots=True)
class FluxAnnuel:
    """`liberations` = `flux` + the sum of `soustractions` (zeros left out).

    `lots`: the dwellings of the flux by day and place, empty when projected. `flux_hors_qpv` is None when
    projected: the projection does not say where dwellings will be freed.
    """

    nature: Nature
    liberations: int
    premieres_hors_flux: int
    soustractions: Mapping[Soustraction, int]
    flux: int
    flux_hors_qpv: int | None
    lots: tuple[LotFlux, ...]


def calculer_flux_definitif(lots: Iterable[LotLiberations], annee: int, regime: Regime) -> FluxAnnuel:
    """Observed flux of the year. The order of lots and the way they are grouped change nothing.

    A dwelling freed twice in the year counts twice; an earlier libération counts for nothing here.
    """
    premieres = 0
    soustractions: Counter[str] = Counter()
    flux: Counter[tuple[date, str, bool]] = Counter()
    for ou, (jour, commune, qpv, usage, _, _, nombre) in _destinations(lots, annee, regime):
        if ou is Destination.FLUX:
            flux[jour, commune, qpv] += nombre
        elif ou is Destination.SOUSTRACTION:
            soustractions[usage] += nombre
        else:
            premieres += nombre
    total = sum(flux.values())
    return FluxAnnuel(
        nature=Nature.DEFINITIF,
        liberations=total + sum(soustractions.values()),
        premieres_hors_flux=premieres,
        soustractions=_ordonner(soustractions),
        flux=total,
        flux_hors_qpv=sum(nombre for (_, _, qpv), nombre in flux.items() if not qpv),
        lots=tuple(LotFlux(*cle, nombre) for cle, nombre in sorted(flux.items()) if nombre),
    )


class FluxTerritoire(NamedTuple):
    """`FluxAnnuel` of one commune, in or out of QPV: `liberations` = `flux` + soustractions."""

    liberations: int = 0
    premieres_hors_flux: int = 0
    flux: int = 0


def ventiler_liberations(
    lots: Iterable[LotLiberations], annee: int, regime: Regime
) -> dict[tuple[str, bool], FluxTerritoire]:
    """Observed flux by (commune, in QPV), as `calculer_flux_definitif` has it of the lots of each; all in one pass."""
    liberations: Counter[tuple[str, bool]] = Counter()
    premieres: Counter[tuple[str, bool]] = Counter()
    flux: Counter[tuple[str, bool]] = Counter()
    for ou, (_, commune, qpv, _, _, _, nombre) in _destinations(lots, annee, regime):
        if ou is Destination.HORS_FLUX:
            premieres[commune, qpv] += nombre
        else:
            liberations[commune, qpv] += nombre
            if ou is Destination.FLUX:
                flux[commune, qpv] += nombre
    return {
        cle: FluxTerritoire(liberations[cle], premieres[cle], flux[cle])
        for cle in sorted(liberations.keys() | premieres.keys())
    }


def _destinations(
    lots: Iterable[LotLiberations], annee: int, regime: Regime
) -> Iterator[tuple[Destination, LotLiberations]]:
    """The lots freed in the year, not cancelled, and where they go."""
    # Within the year a destination depends on no date: a few distinct cases for any number of lots.
    cas: dict[tuple[bool, bool, str], Destination] = {}
    for lot in lots:
        if lot.jour.year != annee:
            continue
        cle = (lot.premiere, lot.annulee, lot.usage)
        ou = cas.get(cle)
        if ou is None:
            ou = cas[cle] = destination(lot.jour, *cle, annee, regime)
        if ou is not Destination.NULLE_PART:
            yield ou, lot


class FluxNegatif(ValueError):
    """More soustractions are projected than libérations: the figures given contradict each other."""

    def __init__(self, liberations: int, soustractions: int) -> None:
        super().__init__(
            f"{accorder(soustractions, 'soustraction prévisionnelle', 'soustractions prévisionnelles')} pour "
            f"{accorder(liberations, 'libération prévue', 'libérations prévues')}"
        )
        self.liberations = liberations
        self.soustractions = soustractions


def calculer_flux_previsionnel(
    loues_ou_proposes: int, taux_rotation: Fraction, soustractions: Mapping[str, int], regime: Regime
) -> FluxAnnuel:
    """Projected flux: dwellings let or on offer × rate of rotation (in points), less the projected soustractions.

    Libérations are rounded half up. A projected soustraction that the convention does not list is not
    deducted. Raises `FluxNegatif` when more is deducted than freed.
    """
    liberations = arrondir_demi_superieur(loues_ou_proposes * taux_rotation / 100)
    deduites = {usage: nombre for usage, nombre in soustractions.items() if usage in regime.soustractions}
    flux = liberations - sum(deduites.values())
    if flux < 0:
        raise FluxNegatif(liberations, sum(deduites.values()))
    return FluxAnnuel(
        nature=Nature.PREVISIONNEL,
        liberations=liberations,
        premieres_hors_flux=0,
        soustractions=_ordonner(deduites),
        flux=flux,
        flux_hors_qpv=None,
        lots=(),
    )


def _ordonner(soustractions: Mapping[str, int]) -> dict[Soustraction, int]:
    return {s: soustractions[s] for s in Soustraction if soustractions.get(s)}


def ventiler_definitif(flux: FluxAnnuel) -> dict[tuple[str, bool], int]:
    """Observed flux by (commune, in QPV)."""
    ventilation: Counter[tuple[str, bool]] = Counter()
    for lot in flux.lots:
        ventilation[lot.commune, lot.qpv] += lot.nombre
    return dict(sorted(ventilation.items()))


def ventiler_previsionnel(flux: FluxAnnuel, assiette: Assiette) -> dict[tuple[str, bool], int]:
    """Projected flux by (commune, in QPV), in proportion to the assiette, in whole dwellings that add up.

    For reading only: a collectivité's projected share rests on the exact proportion, not on these roundings.
    Empty without any dwelling in the assiette.
    """
    if not assiette.soumis:
        return {}
    cles = sorted(assiette.soumis_par_commune)
    parts = [flux.flux * assiette.soumis_par_commune[cle] for cle in cles]
    return dict(zip(cles, repartir_numerateurs(parts, assiette.soumis, flux.flux), strict=True))


# --- Rate of rotation ---------------------------------------------------------------------------------------


class OrigineTaux(StrEnum):
    """Where the rate of rotation comes from, in order of preference (domain, chapter 4)."""

    CONVENU = "CONVENU"
    OBSERVE = "OBSERVE"
    RPLS = "RPLS"

    @property
    def libelle(self) -> str:
        return {
            OrigineTaux.CONVENU: "taux convenu dans la convention",
            OrigineTaux.OBSERVE: "taux observé sur la dernière année complète",
            OrigineTaux.RPLS: "taux calculé d’après le RPLS",
        }[self]


class TauxRotation(NamedTuple):
    """Points of the dwellings let or on offer that are freed in a year."""

    points: Fraction
    origine: OrigineTaux


def calculer_taux_observe(liberations: int, loues_ou_proposes: int) -> Fraction | None:
    """Libérations of the assiette over the last complete year, for 100 dwellings let or on offer."""
    return Fraction(100 * liberations, loues_ou_proposes) if loues_ou_proposes else None


def calculer_taux_rpls(baux_de_l_annee_precedente: int, anciens_loues_ou_proposes: int) -> Fraction | None:
    """Mobility computed from RPLS at 1 January N, in points (domain, chapter 4).

    Leases of year N−1 on dwellings already on offer before N−1, for 100 dwellings let or on offer (MODE 1, 2)
    that were on offer before N−1. None without any such dwelling.
    """
    if not anciens_loues_ou_proposes:
        return None
    return Fraction(100 * baux_de_l_annee_precedente, anciens_loues_ou_proposes)


def choisir_taux_rotation(
    convenu: Fraction | None, observe: Fraction | None, rpls: Fraction | None
) -> TauxRotation | None:
    """Agreed, else observed, else computed from RPLS; None when nothing is known (domain, chapter 4)."""
    candidats = ((convenu, OrigineTaux.CONVENU), (observe, OrigineTaux.OBSERVE), (rpls, OrigineTaux.RPLS))
    return next((TauxRotation(taux, origine) for taux, origine in candidats if taux is not None), None)


def rotation_fr(taux: Fraction) -> str:
    """An agreed rate as the act writes it; an observed one, a fraction without end, to the hundredth."""
    return taux_fr(taux) if (taux * 1000).denominator == 1 else f"environ {decimal_fr(taux)}"


# --- Explanation --------------------------------------------------------------------------------------------


def expliquer_flux(
    flux: FluxAnnuel,
    regime: Regime,
    *,
    assiette: Assiette | None = None,
    taux_rotation: Fraction | None = None,
    origine_taux: OrigineTaux | None = None,
) -> tuple[Etape, ...]:
    """From the libérations to the flux, one line per soustraction that the convention lists.

    A projected flux also tells its base: give `assiette` and `taux_rotation` (and `origine_taux` if known).
    """
    if taux_rotation is not None and assiette is not None:
        origine = f" ({origine_taux.libelle})" if origine_taux else ""
        exact = assiette.loues_ou_proposes * taux_rotation / 100
        detail = (
            f"{rotation_fr(taux_rotation)} % × {entier_fr(assiette.loues_ou_proposes)} loués ou proposés = "
            f"{decimal_fr(exact)}, arrondi au plus proche{origine}"
        )
    else:
        detail = "libérations constatées dans l’année, hors annulées"
    etapes = [Etape("flux.liberations", "Libérations", flux.liberations, detail, articles.ASSIETTE)]
    for soustraction in Soustraction:
        if soustraction in regime.soustractions:
            etapes.append(
                Etape(
                    f"flux.soustractions.{soustraction}",
                    soustraction.libelle,
                    -flux.soustractions.get(soustraction, 0),
                    _texte_soustraction(flux.nature),
                    _ARTICLES_SOUSTRACTION.get(soustraction, articles.SOUSTRACTIONS),
                    niveau=1,
                )
            )
    total = sum(flux.soustractions.values())
    etapes.append(
        Etape(
            "flux.flux",
            "Flux annuel",
            flux.flux,
            f"{entier_fr(flux.liberations)} − {entier_fr(total)}",
            articles.SOUSTRACTIONS,
        )
    )
    if flux.flux_hors_qpv is not None:
        etapes.append(
            Etape(
                "flux.flux_hors_qpv",
                "dont hors quartiers prioritaires de la ville",
                flux.flux_hors_qpv,
                "",
                articles.PART_ETAT,
                niveau=1,
            )
        )
    absentes = [minuscule(s.libelle) for s in Soustraction if s not in regime.soustractions]
    if absentes:
        etapes.append(
            Etape(
                "flux.non_soustraits",
                "Non soustraits",
                None,
                f"la convention ne liste pas : {enumerer(absentes)} ; ces logements restent dans le flux",
                articles.CONVENTION,
                niveau=1,
            )
        )
    if flux.nature == Nature.DEFINITIF:
        regle = (
            "comptées dans le flux"
            if regime.premieres_mises_en_location
            else "hors flux, droits pour un tour"
        )
        etapes.append(
            Etape(
                "flux.premieres_hors_flux",
                "Premières mises en location hors flux",
                flux.premieres_hors_flux,
                f"{regle} ; concertation avec l’ensemble des réservataires",
                articles.ASSIETTE,
                niveau=1,
            )
        )
    return tuple(etapes)


_ARTICLES_SOUSTRACTION = {
    Soustraction.ORCOD: f"{articles.SOUSTRACTIONS} ; {articles.ORCOD}",
    Soustraction.INSALUBRITE: f"{articles.SOUSTRACTIONS} ; {articles.INSALUBRITE}",
    Soustraction.URGENCE_PREFECTORALE: articles.CONVENTION,
}


def _texte_soustraction(nature: Nature) -> str:
    return "constatées dans l’année" if nature == Nature.DEFINITIF else "déclarées par le bailleur"
