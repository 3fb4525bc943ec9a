"""The split: exact shares, whole dwellings, agents, hors-QPV floor, scale of the commune, what is said besides."""

from collections import Counter
from dataclasses import replace
from datetime import date
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux.regles.annuel import FluxAnnuel, LotFlux, Nature
from flux.regles.assiette import ASSIETTE_VIDE, Assiette
from flux.regles.partage import (
    PartageImpossible,
    arrondir_parts,
    expliquer_partage,
    noter_net_sous_plancher,
    noter_petit_flux,
    objectif_hors_qpv,
    partager_definitif,
    partager_par_commune,
    partager_previsionnel,
)
from reservation.regles.actes import (
    ALS,
    BAILLEUR,
    ETAT,
    Regime,
    Retrocession,
    acte_en_vigueur,
    lister_reservataires,
    periodes_de_taux,
    points,
    taux_des_agents,
    taux_net,
)

from .fabriques import (
    CAF,
    CANNES,
    CANNES_COMMUNE,
    COMMUNES,
    EPCI,
    NICE,
    RETROCESSION_PACA,
    acte,
    actes_compatibles,
    derogation,
    lots,
    lots_flux,
)

PACA = acte(taux_agents="5", retrocession=RETROCESSION_PACA)


def flux(lots_du_flux) -> FluxAnnuel:
    total = sum(lot.nombre for lot in lots_du_flux)
    hors_qpv = sum(lot.nombre for lot in lots_du_flux if not lot.qpv)
    return FluxAnnuel(Nature.DEFINITIF, total, 0, {}, total, hors_qpv, tuple(lots_du_flux))


def projete(nombre: int) -> FluxAnnuel:
    return FluxAnnuel(Nature.PREVISIONNEL, nombre, 0, {}, nombre, None, ())


def assiette(**par_commune: int) -> Assiette:
    soumis = {(code.removeprefix("c"), False): n for code, n in par_commune.items()}
    return replace(ASSIETTE_VIDE, soumis=sum(soumis.values()), soumis_par_commune=soumis)


def parts(partage) -> dict[str, tuple[Fraction, int]]:
    return {part.reservataire.code: (part.exacte, part.objectif) for part in partage.parts}


def test_the_split_of_the_mock_up():
    """842 dwellings, of which 512 in the EPCI and 214 in its commune: the page of the flux."""
    actes = [
        PACA,
        acte(ALS, "27"),
        acte(EPCI, "10", communes={CANNES, NICE}),
        acte(CANNES_COMMUNE, "8", communes={CANNES}),
        acte(CAF, "4"),
    ]
    annee = flux(
        lots(
            ("2026-03-01", CANNES, False, 214),
            ("2026-03-01", NICE, False, 298),
            ("2026-03-01", "06004", False, 330),
        )
    )
    partage = partager_definitif(annee, actes, 2026)
    assert {
        code: (f"{float(exacte):.2f}", objectif) for code, (exacte, objectif) in parts(partage).items()
    } == {
        "ETAT": ("241.06", 241),
        "ALS": ("238.88", 239),
        CANNES: ("17.12", 17),
        "200040000": ("51.20", 51),
        "CAF": ("33.68", 34),
        "BAILLEUR": ("260.06", 260),
    }
    assert (partage.agents_exact, partage.agents_max) == (Fraction("42.1"), 42)


def test_the_etat_is_rounded_down_even_at_0_9999():
    etat = acte(taux="29.99999")
    assert (
        parts(partager_definitif(flux(lots(("2025-01-01", NICE, False, 10))), [etat], 2025))["ETAT"][1] == 2
    )
    assert (
        parts(partager_definitif(flux(lots(("2025-01-01", NICE, False, 10))), [acte()], 2025))["ETAT"][1] == 3
    )


def test_ties_go_in_the_order_of_the_list():
    demi = Fraction(1, 2)
    ordre = [(ETAT, Fraction("0.9")), (ALS, demi), (EPCI, demi), (CAF, demi), (BAILLEUR, Fraction("1.6"))]
    assert arrondir_parts(ordre, 4) == {ETAT: 0, ALS: 1, EPCI: 1, CAF: 0, BAILLEUR: 2}


def test_a_rate_applies_to_the_liberations_of_its_period():
    als = [acte(ALS, "10", fin="2025-06-30"), acte(ALS, "20", debut="2025-07-01")]
    annee = flux(lots(("2025-06-30", NICE, False, 10), ("2025-07-01", NICE, False, 10)))
    part = partager_definitif(annee, als, 2025).part(ALS)
    assert part.exacte == 3 and part.points is None
    assert [(ligne.points, ligne.base) for ligne in part.lignes] == [(10, 10), (20, 10)]


def test_a_rate_applies_to_the_days_of_its_period_when_projected():
    als = [acte(ALS, "20", debut="2024-01-01", fin="2024-03-31")]  # 91 days of a leap year
    part = partager_previsionnel(projete(366), assiette(c06088=1), als, 2024).part(ALS)
    assert part.exacte == Fraction(20 * 91, 100)


def test_a_derogation_and_a_retrocession_that_begin_in_the_year():
    tardive = Retrocession(Fraction("1.37"), date(2025, 7, 1), date(2039, 12, 31))
    etat = acte(derogations=(derogation("40", "2025-12-01", "2025-12-31"),), retrocession=tardive)
    annee = flux(
        lots(
            ("2025-01-15", NICE, False, 100),
            ("2025-07-01", NICE, False, 100),
            ("2025-12-31", NICE, False, 100),
        )
    )
    partage = partager_definitif(annee, [etat], 2025)
    assert partage.part(ETAT).exacte == 30 + Fraction("28.63") + Fraction("38.63")
    assert partage.part(ALS).exacte == Fraction("2.74")


def test_a_collectivite_has_the_share_of_its_communes_in_the_projected_assiette():
    actes = [acte(EPCI, "10", communes={CANNES, "99999"}), acte(CAF, "10")]
    partage = partager_previsionnel(projete(100), assiette(c06029=30, c06088=70), actes, 2025)
    assert partage.part(EPCI).exacte == 3
    assert partage.part(CAF).exacte == 10
    vide = partager_previsionnel(projete(100), ASSIETTE_VIDE, actes, 2025)
    assert vide.part(EPCI).exacte == 0 and vide.part(CAF).exacte == 10


def test_a_commune_named_twice_counts_once_and_empty_territories_give_nothing():
    actes = [acte(EPCI, "10", communes=[CANNES, CANNES]), acte(CANNES_COMMUNE, "10", communes=[])]
    partage = partager_previsionnel(projete(100), assiette(c06029=1), actes, 2025)
    assert partage.part(EPCI).exacte == 10 and partage.part(CANNES_COMMUNE).exacte == 0


def test_reports_add_to_the_objective_and_not_to_the_share():
    part = partager_definitif(flux(lots(("2025-01-01", NICE, False, 10))), [acte()], 2025, {"ETAT": 2}).part(
        ETAT
    )
    assert (part.exacte, part.objectif, part.report, part.objectif_total) == (3, 3, 2, 5)


def test_acts_that_give_away_more_than_the_flux_are_refused():
    with pytest.raises(PartageImpossible, match="dépassent le flux de 10 logements"):
        partager_definitif(flux(lots(("2025-01-01", NICE, False, 10))), [acte(), acte(ALS, "70.01")], 2025)


def test_agents_are_points_of_the_flux():
    annee = flux(lots(("2025-01-01", NICE, False, 39), ("2025-09-01", NICE, False, 1)))
    deux = [acte(taux_agents="5", fin="2025-06-30"), acte(taux_agents="0", debut="2025-07-01")]
    assert partager_definitif(annee, [PACA], 2025).agents_max == 2
    partage = partager_definitif(annee, deux, 2025)
    assert (partage.agents_exact, partage.agents_max) == (Fraction("1.95"), 1)


# --- Properties ---------------------------------------------------------------------------------------------


@given(actes_compatibles(), lots_flux)
def test_shares_are_the_rates_applied_dwelling_by_dwelling(actes, du_flux):
    partage = partager_definitif(flux(du_flux), actes, 2025)
    for part in partage.parts:
        attendue = sum(
            points(actes, part.reservataire, lot.jour, lot.commune) * lot.nombre for lot in du_flux
        )
        assert part.exacte == Fraction(attendue) / 100
    agents = sum(taux_des_agents(a, lot.jour) * lot.nombre for a in actes for lot in du_flux)
    assert partage.agents_exact == Fraction(agents) / 100


@given(actes_compatibles(), lots_flux)
def test_parts_add_up_and_the_etat_stays_under_its_ceiling(actes, du_flux):
    partage = partager_definitif(flux(du_flux), actes, 2025)
    assert sum(part.exacte for part in partage.parts) == partage.flux
    assert sum(part.objectif for part in partage.parts) == partage.flux
    assert partage.part(ETAT).objectif == floor(partage.part(ETAT).exacte)
    assert partage.agents_max <= partage.agents_exact
    for part in partage.parts:
        assert part.exacte >= 0
        assert abs(part.objectif - part.exacte) < 1
        if part.reservataire != BAILLEUR:
            assert sum(ligne.points * ligne.base for ligne in part.lignes) == 100 * part.exacte


@given(actes_compatibles(), lots_flux, st.randoms(use_true_random=False))
def test_grouping_by_period_and_commune_and_any_order_change_nothing(actes, du_flux, hasard):
    """What SQL does: count by period of rates, commune and QPV, in whatever order the acts come."""
    groupes: Counter = Counter()
    for lot in du_flux:
        periode = next(p for p in periodes_de_taux(actes, 2025) if p.contient(lot.jour))
        groupes[periode.debut, lot.commune, lot.qpv] += lot.nombre
    reunis = [LotFlux(*cle, nombre) for cle, nombre in groupes.items()]
    hasard.shuffle(reunis)
    melanges = hasard.sample(actes, len(actes))
    attendu = partager_definitif(flux(du_flux), actes, 2025)
    obtenu = partager_definitif(flux(reunis), melanges, 2025)
    assert parts(obtenu) == parts(attendu) and obtenu.agents_max == attendu.agents_max
    assert objectif_hors_qpv(reunis, actes, 2025, Fraction(30)) == objectif_hors_qpv(
        du_flux, actes, 2025, Fraction(30)
    )


@given(actes_compatibles(), lots_flux, st.data())
def test_a_dwelling_taken_out_of_the_flux_raises_nobodys_exact_share(actes, du_flux, data):
    """What adding a soustraction does."""
    restants = [lot._replace(nombre=data.draw(st.integers(0, lot.nombre))) for lot in du_flux]
    avant = partager_definitif(flux(du_flux), actes, 2025)
    apres = partager_definitif(flux(restants), actes, 2025)
    for part in apres.parts:
        assert part.exacte <= avant.part(part.reservataire).exacte


@given(
    actes_compatibles(),
    st.integers(0, 500),
    st.dictionaries(st.sampled_from([f"c{c}" for c in COMMUNES]), st.integers(0, 90)),
)
def test_a_projected_split_adds_up(actes, nombre, soumis):
    partage = partager_previsionnel(projete(nombre), assiette(**soumis), actes, 2025)
    assert sum(part.exacte for part in partage.parts) == nombre
    assert sum(part.objectif for part in partage.parts) == nombre
    assert all(part.exacte >= 0 for part in partage.parts)
    assert partage.part(ETAT).objectif == floor(partage.part(ETAT).exacte)


@given(actes_compatibles(), lots_flux)
def test_communes_add_up_to_the_departement_exactly(actes, du_flux):
    par_commune = partager_par_commune(flux(du_flux), ASSIETTE_VIDE, actes, 2025)
    ensemble = partager_definitif(flux(du_flux), actes, 2025)
    assert sum(p.flux for p in par_commune.values()) == ensemble.flux
    for part in ensemble.parts:
        assert sum(p.part(part.reservataire).exacte for p in par_commune.values()) == part.exacte
    assert sum(p.part(ETAT).objectif for p in par_commune.values()) <= ensemble.part(ETAT).objectif


def test_a_projected_flux_per_commune_adds_up():
    actes = [acte(), acte(CANNES_COMMUNE, "10", communes={CANNES})]
    par_commune = partager_par_commune(projete(10), assiette(c06029=1, c06088=2, c06004=0), actes, 2025)
    assert {c: p.flux for c, p in par_commune.items()} == {CANNES: 3, NICE: 7}
    assert par_commune[CANNES].part(CANNES_COMMUNE).exacte == Fraction("0.3")
    assert par_commune[NICE].part(CANNES_COMMUNE).exacte == 0


# --- Floor outside QPV --------------------------------------------------------------------------------------


@given(actes_compatibles(), lots_flux, st.none() | st.integers(0, 40).map(Fraction))
def test_the_floor_is_the_net_rate_at_most_dwelling_by_dwelling(actes, du_flux, plancher):
    objectif = objectif_hors_qpv(du_flux, actes, 2025, plancher)
    if plancher is None:
        assert objectif is None
        return
    total = Fraction(0)
    for lot in du_flux:
        etat = acte_en_vigueur(actes, ETAT, lot.jour)
        if etat and not lot.qpv:
            total += min(plancher, taux_net(etat, lot.jour)) * lot.nombre
    assert objectif == floor(total / 100)
    assert objectif <= partager_definitif(flux(du_flux), actes, 2025).part(ETAT).objectif


@pytest.mark.parametrize(
    ("plancher", "attendu"), [("30", 28), ("28.63", 28), ("28", 28), ("27.99", 27), ("0", 0)]
)
def test_the_floor_never_asks_for_more_than_the_net_rate(plancher, attendu):
    du_flux = lots(("2025-05-05", NICE, False, 100), ("2025-05-05", NICE, True, 100))
    assert objectif_hors_qpv(du_flux, [PACA], 2025, Fraction(plancher)) == attendu


# --- What is said -------------------------------------------------------------------------------------------


def test_steps_show_every_term_and_add_up():
    actes = [PACA, acte(ALS, "20"), acte(CANNES_COMMUNE, "10", "2025-07-01", communes={CANNES})]
    annee = flux(lots(("2025-03-01", CANNES, False, 60), ("2025-09-01", CANNES, False, 40)))
    partage = partager_definitif(annee, actes, 2025, {"ETAT": 2})
    etapes = expliquer_partage(partage, actes)
    lignes = {e.code: e for e in etapes}
    # The commune's act cuts the year in July; the État's line is not cut by it.
    assert lignes["partage.ETAT.0"].libelle == "du 1er janvier 2025 au 31 décembre 2025"
    assert lignes["partage.ETAT.0"].detail == "30,00 − 1,37 = 28,63 points × 100 logements du flux"
    assert "rétrocédés par l’État" in lignes["partage.ALS.0"].detail
    assert lignes[f"partage.{CANNES}.0"].detail == "10,00 points × 40 logements du flux"
    assert "28 logements + 2 de report = 30" in lignes["partage.ETAT"].detail
    assert lignes["partage.agents_max"].valeur == 5
    assert lignes["partage.flux"].valeur == 100
    assert sum(e.valeur for e in etapes if e.code.startswith("partage.ALS.")) == partage.part(ALS).exacte
    assert all(e.article for e in etapes)


def test_a_derogation_is_named_in_its_line():
    etat = acte(derogations=(derogation("33", "2025-01-01", "2025-12-31"),))
    etapes = expliquer_partage(
        partager_definitif(flux(lots(("2025-03-01", NICE, False, 10))), [etat], 2025), [etat]
    )
    assert "dérogation" in next(e for e in etapes if e.code == "partage.ETAT.0").detail


def test_points_of_the_year_are_given_when_there_is_one_rate():
    partage = partager_definitif(flux(lots(("2025-03-01", NICE, False, 10))), [PACA, acte(ALS, "20")], 2025)
    assert partage.part(ETAT).points == Fraction("28.63")
    assert partage.part(ALS).points is None  # two rights, 20 and 1.37
    assert partage.part(BAILLEUR).points is None


def test_a_net_rate_under_the_floor_is_said():
    (note,) = noter_net_sous_plancher([PACA], 2025)
    assert "28,63 points" in note and "30,00 points" in note and "1er janvier 2025" in note
    assert noter_net_sous_plancher([acte()], 2025) == ()
    sans_clause = acte(retrocession=RETROCESSION_PACA, regime=Regime(plancher_hors_qpv=None))
    assert noter_net_sous_plancher([sans_clause], 2025) == ()
    assert noter_net_sous_plancher([], 2025) == ()
    pile = acte(retrocession=RETROCESSION_PACA, regime=Regime(plancher_hors_qpv=Fraction("28.63")))
    assert noter_net_sous_plancher([pile], 2025) == ()


def test_a_net_rate_under_the_floor_is_said_once_per_change():
    etat = acte(retrocession=RETROCESSION_PACA, derogations=(derogation("20", "2025-05-01", "2025-05-31"),))
    actes = [etat, acte(CAF, "1", "2025-03-01")]
    assert [note.split(",")[0] for note in noter_net_sous_plancher(actes, 2025)] == [
        "À partir du 1er janvier 2025",
        "À partir du 1er mai 2025",
        "À partir du 1er juin 2025",
    ]


def test_a_tiny_flux_is_said_with_the_years_cumulated():
    annees = [(2025, Fraction("0.8589")), (2026, Fraction("0.5726"))]
    note = noter_petit_flux(annees, 0)
    assert "Pour 2026" in note and "0,57 logement" in note and "depuis 2025, elle atteint 1,43" in note
    assert "Cumulée" not in noter_petit_flux(annees[:1], 0)
    assert noter_petit_flux(annees, 1) is None
    assert noter_petit_flux([(2025, Fraction(0))], 0) is None
    assert noter_petit_flux([], 0) is None


@settings(max_examples=30)
@given(actes_compatibles(), lots_flux)
def test_every_split_can_be_explained(actes, du_flux):
    partage = partager_definitif(flux(du_flux), actes, 2025)
    codes = [e.code for e in expliquer_partage(partage, actes)]
    assert len(codes) == len(set(codes))
    assert {f"partage.{r.code}" for r in lister_reservataires(actes)} <= set(codes)
