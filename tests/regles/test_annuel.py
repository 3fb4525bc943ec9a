"""The annual flux, observed and projected; the rate of rotation."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.regles.annuel import (
    FluxNegatif,
    FluxTerritoire,
    LotFlux,
    LotLiberations,
    OrigineTaux,
    TauxRotation,
    calculer_flux_definitif,
    calculer_flux_previsionnel,
    calculer_taux_observe,
    calculer_taux_rpls,
    choisir_taux_rotation,
    destination,
    expliquer_flux,
    ventiler_definitif,
    ventiler_liberations,
    ventiler_previsionnel,
)
from flux.regles.arrondis import arrondir_demi_superieur, repartir_plus_forts_restes
from flux.regles.assiette import ASSIETTE_VIDE, LotParc, calculer_assiette, expliquer_assiette
from reservation.regles.actes import REGIME_LEGAL, Regime, Soustraction
from reservation.regles.statut import Exclusions, StatutLogement

from .fabriques import CANNES, COMMUNES, NICE

MAI = date(2025, 5, 5)
AVEC_PREMIERES = Regime(premieres_mises_en_location=True)


def ou(jour=MAI, premiere=False, annulee=False, usage="FLUX", regime=REGIME_LEGAL) -> str:
    return destination(jour, premiere, annulee, usage, 2025, regime)


@pytest.mark.parametrize(
    ("faits", "attendu"),
    [
        ({}, "FLUX"),
        ({"annulee": True}, "NULLE_PART"),
        ({"annulee": True, "premiere": True, "usage": "RU"}, "NULLE_PART"),
        ({"jour": date(2026, 1, 1)}, "NULLE_PART"),
        ({"jour": date(2025, 12, 31)}, "FLUX"),
        ({"jour": date(2024, 12, 31)}, "FLUX"),
        ({"premiere": True}, "HORS_FLUX"),
        ({"premiere": True, "usage": "MUTATION"}, "HORS_FLUX"),
        ({"premiere": True, "regime": AVEC_PREMIERES}, "FLUX"),
        ({"premiere": True, "usage": "MUTATION", "regime": AVEC_PREMIERES}, "SOUSTRACTION"),
        ({"usage": "MUTATION"}, "SOUSTRACTION"),
        ({"usage": "MUTATION", "jour": date(2024, 1, 1)}, "SOUSTRACTION"),
        ({"usage": "URGENCE_PREFECTORALE"}, "FLUX"),
        (
            {"usage": "URGENCE_PREFECTORALE", "regime": Regime(soustractions=frozenset(Soustraction))},
            "SOUSTRACTION",
        ),
        ({"usage": "VENTE", "regime": Regime(soustractions=frozenset())}, "FLUX"),
    ],
)
def test_where_a_liberation_goes(faits, attendu):
    assert ou(**faits) == attendu


def lot(usage="FLUX", jour=MAI, qpv=False, premiere=False, annulee=False, nombre=1, commune=CANNES):
    return LotLiberations(jour, commune, qpv, usage, premiere, annulee, nombre)


def test_flux_is_liberations_less_soustractions():
    flux = calculer_flux_definitif(
        [
            lot(nombre=10),
            lot(nombre=4, qpv=True),
            lot("MUTATION", nombre=3),
            lot("RU", nombre=2),
            lot(premiere=True, nombre=5),
            lot(annulee=True, nombre=7),
            lot(jour=date(2024, 12, 31), nombre=9),
            lot(jour=date(2026, 1, 1), nombre=9),
            lot("VENTE", nombre=0),
        ],
        2025,
        REGIME_LEGAL,
    )
    assert (flux.liberations, flux.flux, flux.flux_hors_qpv, flux.premieres_hors_flux) == (19, 14, 10, 5)
    assert flux.soustractions == {"MUTATION": 3, "RU": 2}
    assert flux.lots == (LotFlux(MAI, CANNES, False, 10), LotFlux(MAI, CANNES, True, 4))
    assert ventiler_definitif(flux) == {(CANNES, False): 10, (CANNES, True): 4}


lots_liberations = st.lists(
    st.builds(
        LotLiberations,
        st.dates(date(2024, 11, 1), date(2026, 2, 1)),
        st.sampled_from(COMMUNES),
        st.booleans(),
        st.sampled_from(["FLUX", *Soustraction]),
        st.booleans(),
        st.booleans(),
        st.integers(0, 3),
    ),
    max_size=20,
)


@given(lots_liberations, st.booleans())
def test_a_territory_has_the_flux_of_its_own_lots(lots, premieres):
    regime = Regime(premieres_mises_en_location=premieres)
    territoires = ventiler_liberations(lots, 2025, regime)
    assert list(territoires) == sorted(territoires)
    for cle in {(lot.commune, lot.qpv) for lot in lots}:
        flux = calculer_flux_definitif([a for a in lots if (a.commune, a.qpv) == cle], 2025, regime)
        attendu = FluxTerritoire(flux.liberations, flux.premieres_hors_flux, flux.flux)
        assert territoires.get(cle, FluxTerritoire()) == attendu


@given(lots_liberations, st.randoms(use_true_random=False))
def test_order_and_grouping_of_lots_change_nothing(lots, hasard):
    un_a_un = [lot._replace(nombre=1) for lot in lots for _ in range(lot.nombre)]
    hasard.shuffle(un_a_un)
    assert calculer_flux_definitif(un_a_un, 2025, REGIME_LEGAL) == calculer_flux_definitif(
        lots, 2025, REGIME_LEGAL
    )


@given(lots_liberations, st.sets(st.sampled_from(list(Soustraction))), st.sampled_from(list(Soustraction)))
def test_one_more_soustraction_only_moves_dwellings_out_of_the_flux(lots, liste, ajoutee):
    avant = calculer_flux_definitif(lots, 2025, Regime(soustractions=frozenset(liste)))
    apres = calculer_flux_definitif(lots, 2025, Regime(soustractions=frozenset(liste | {ajoutee})))
    assert apres.liberations == avant.liberations
    assert apres.premieres_hors_flux == avant.premieres_hors_flux
    assert apres.flux <= avant.flux
    assert apres.flux + sum(apres.soustractions.values()) == apres.liberations


@pytest.mark.parametrize(
    ("loues", "taux", "attendu"),
    [(220, "7.5", 17), (219, "7.5", 16), (20, "7.5", 2), (0, "7.5", 0), (11360, "8.5", 966)],
)
def test_projected_liberations_are_rounded_half_up(loues, taux, attendu):
    assert calculer_flux_previsionnel(loues, Fraction(taux), {}, REGIME_LEGAL).liberations == attendu


def test_only_listed_soustractions_are_deducted():
    flux = calculer_flux_previsionnel(
        220, Fraction("7.5"), {"MUTATION": 1, "URGENCE_PREFECTORALE": 9, "RU": 0}, REGIME_LEGAL
    )
    assert (flux.liberations, flux.soustractions, flux.flux) == (17, {"MUTATION": 1}, 16)
    assert flux.flux_hors_qpv is None and flux.premieres_hors_flux == 0 and flux.lots == ()


def test_a_negative_flux_is_refused_from_the_first_dwelling():
    assert calculer_flux_previsionnel(100, Fraction(10), {"RU": 10}, REGIME_LEGAL).flux == 0
    with pytest.raises(FluxNegatif) as erreur:
        calculer_flux_previsionnel(100, Fraction(10), {"RU": 11}, REGIME_LEGAL)
    assert (erreur.value.liberations, erreur.value.soustractions) == (10, 11)


@pytest.mark.parametrize(("valeur", "attendu"), [("16.5", 17), ("16.4999", 16), ("0.5", 1), ("0", 0)])
def test_half_up(valeur, attendu):
    assert arrondir_demi_superieur(Fraction(valeur)) == attendu


def test_largest_remainders_ties_in_order():
    tiers = [Fraction(10, 3)] * 3
    assert repartir_plus_forts_restes(tiers, 10) == [4, 3, 3]
    assert repartir_plus_forts_restes([Fraction("1.2"), Fraction("1.9"), Fraction("0.9")], 4) == [1, 2, 1]
    assert repartir_plus_forts_restes([], 0) == []
    with pytest.raises(ValueError, match="ne se répartit pas"):
        repartir_plus_forts_restes([Fraction(1)], 5)


@given(st.lists(st.fractions(0, 50), min_size=1, max_size=8))
def test_largest_remainders_stay_within_one_dwelling(parts):
    total = round(sum(parts))
    entiers = repartir_plus_forts_restes(parts, total) if sum(p.__floor__() for p in parts) <= total else None
    if entiers is not None:
        assert sum(entiers) == total
        assert all(0 <= entier - part.__floor__() <= 1 for entier, part in zip(entiers, parts, strict=True))
        ronds = [part.__floor__() for part in parts]
        par_reste = sorted(range(len(parts)), key=lambda i: ronds[i] - parts[i])
        servis = set(par_reste[: total - sum(ronds)])
        assert entiers == [rond + (i in servis) for i, rond in enumerate(ronds)]


def test_rate_of_rotation_in_order_of_preference():
    convenu, observe, rpls = Fraction(8), Fraction(9), Fraction(10)
    assert choisir_taux_rotation(convenu, observe, rpls) == TauxRotation(convenu, OrigineTaux.CONVENU)
    assert choisir_taux_rotation(None, observe, rpls) == TauxRotation(observe, OrigineTaux.OBSERVE)
    assert choisir_taux_rotation(None, None, rpls) == TauxRotation(rpls, OrigineTaux.RPLS)
    assert choisir_taux_rotation(None, None, None) is None
    assert choisir_taux_rotation(Fraction(0), observe, rpls) == TauxRotation(Fraction(0), OrigineTaux.CONVENU)


def test_computed_rates_of_rotation():
    assert calculer_taux_rpls(85, 1000) == Fraction("8.5")
    assert calculer_taux_rpls(0, 0) is None
    assert calculer_taux_observe(952, 11200) == Fraction("8.5")
    assert calculer_taux_observe(3, 0) is None


LOTS_PARC = [
    LotParc(CANNES, False, StatutLogement.CONVENTIONNE, 100, 90),
    LotParc(CANNES, True, StatutLogement.AVANT_1977, 50, 40),
    LotParc(NICE, False, StatutLogement.PLI, 30, 30),
    LotParc(NICE, False, StatutLogement.CONVENTIONNE, 0, 0),
]


def test_assiette_counts_by_status():
    assiette = calculer_assiette(LOTS_PARC)
    assert (assiette.parc, assiette.soumis, assiette.loues_ou_proposes) == (180, 150, 130)
    assert assiette.dans == {"CONVENTIONNE": 100, "AVANT_1977": 50}
    assert assiette.hors == {"PLI": 30}
    assert assiette.soumis_par_commune == {(CANNES, False): 100, (CANNES, True): 50}
    assert calculer_assiette([]) == ASSIETTE_VIDE


lots_parc = st.lists(
    st.builds(
        LotParc,
        st.sampled_from(COMMUNES),
        st.booleans(),
        st.sampled_from(list(StatutLogement)),
        st.integers(0, 50),
        st.just(0),
    ),
    max_size=20,
)


@given(lots_parc)
def test_statuses_partition_the_parc(lots):
    assiette = calculer_assiette(lots)
    assert assiette.parc == sum(lot.nombre for lot in lots)
    assert assiette.parc == sum(assiette.dans.values()) + sum(assiette.hors.values())
    assert sum(assiette.soumis_par_commune.values()) == assiette.soumis
    assert calculer_assiette(reversed(lots)) == assiette


def test_projection_spread_over_communes_adds_up():
    assiette = calculer_assiette([*LOTS_PARC, LotParc(NICE, False, StatutLogement.CONVENTIONNE, 1, 1)])
    flux = calculer_flux_previsionnel(200, Fraction(10), {}, REGIME_LEGAL)
    ventilation = ventiler_previsionnel(flux, assiette)
    assert sum(ventilation.values()) == flux.flux
    assert ventilation == {(CANNES, False): 13, (CANNES, True): 7, (NICE, False): 0}
    assert ventiler_previsionnel(flux, ASSIETTE_VIDE) == {}


def test_steps_say_where_figures_come_from():
    assiette = calculer_assiette(LOTS_PARC)
    lignes = {e.code: e for e in expliquer_assiette(assiette, Exclusions(locales=frozenset({"ELAN_109"})))}
    assert lignes["assiette.hors.PLI"].valeur == -30
    assert "prévue par la convention" in lignes["assiette.hors.LOCALE"].detail
    assert "n’en prévoit pas" in lignes["assiette.hors.VENTE_DEMOLITION"].detail
    assert lignes["assiette.soumis"].valeur == 150
    flux = calculer_flux_previsionnel(220, Fraction("7.5"), {"MUTATION": 1}, REGIME_LEGAL)
    lignes = {
        e.code: e
        for e in expliquer_flux(
            flux,
            REGIME_LEGAL,
            assiette=calculer_assiette([LotParc(NICE, False, StatutLogement.CONVENTIONNE, 220, 220)]),
            taux_rotation=Fraction("7.5"),
            origine_taux=OrigineTaux.RPLS,
        )
    }
    assert "7,50\u202f% × 220" in lignes["flux.liberations"].detail
    assert "d’après le RPLS" in lignes["flux.liberations"].detail
    assert lignes["flux.soustractions.MUTATION"].valeur == -1
    assert lignes["flux.flux"].valeur == 16
    assert "désignations préfectorales" in lignes["flux.non_soustraits"].detail
    assert all(e.article for e in lignes.values())
