"""Rates of an act on a day, rights of a réservataire, the act that governs the year."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reservation.regles.actes import (
    ALS,
    BAILLEUR,
    ETAT,
    REGIME_LEGAL,
    Nature,
    PriseSur,
    Regime,
    Retrocession,
    acte_en_vigueur,
    acte_regissant,
    droits,
    lister_reservataires,
    periodes_de_taux,
    points,
    regime_de_l_annee,
    reservataire,
    reservataire_de_code,
    taux_brut,
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
    jours_2025,
)


def jour(texte: str) -> date:
    return date.fromisoformat(texte)


PACA = acte(taux_agents="5", retrocession=RETROCESSION_PACA)


def test_net_rate_of_paca_is_28_63():
    assert taux_net(PACA, jour("2025-01-01")) == Fraction("28.63")
    assert points([PACA], ALS, jour("2025-01-01"), None) == Fraction("1.37")
    assert points([PACA], BAILLEUR, jour("2025-01-01"), None) == 70


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [("2024-12-31", "0"), ("2025-01-01", "28.63"), ("2027-12-31", "28.63"), ("2028-01-01", "0")],
)
def test_both_ends_of_an_act_count(texte, attendu):
    assert taux_net(PACA, jour(texte)) == Fraction(attendu)


@pytest.mark.parametrize(
    ("texte", "net", "als"),
    [
        ("2025-05-31", "30", "0"),
        ("2025-06-01", "28.63", "1.37"),
        ("2025-09-30", "28.63", "1.37"),
        ("2025-10-01", "30", "0"),
    ],
)
def test_the_retrocession_has_its_own_clock(texte, net, als):
    courte = Retrocession(Fraction("1.37"), jour("2025-06-01"), jour("2025-09-30"))
    etat = acte(retrocession=courte)
    assert taux_net(etat, jour(texte)) == Fraction(net)
    assert points([etat], ALS, jour(texte), CANNES) == Fraction(als)


def test_the_retrocession_stops_with_the_act_of_the_etat():
    assert points([PACA], ALS, jour("2028-01-01"), None) == 0


def test_the_retrocession_adds_to_the_convention_of_als():
    als = acte(ALS, "20")
    assert points([PACA, als], ALS, jour("2025-03-01"), None) == Fraction("21.37")


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [("2025-02-28", "30"), ("2025-03-01", "33"), ("2026-02-28", "33"), ("2026-03-01", "30")],
)
def test_a_derogation_replaces_the_rate_while_it_runs(texte, attendu):
    etat = acte(derogations=(derogation("33", "2025-03-01", "2026-02-28"),))
    assert taux_brut(etat, jour(texte)) == Fraction(attendu)


def test_a_derogation_gives_nothing_out_of_its_act():
    etat = acte(fin="2025-06-30", derogations=(derogation("33", "2025-03-01", "2025-12-31"),))
    assert taux_brut(etat, jour("2025-07-01")) == 0


def test_agents_have_points_of_the_flux_unless_they_pay_the_retrocession():
    assert taux_des_agents(PACA, jour("2025-01-01")) == 5
    assert taux_des_agents(PACA, jour("2028-01-01")) == 0
    payeurs = Retrocession(Fraction("1.37"), jour("2025-07-01"), jour("2039-12-31"), PriseSur.AGENTS)
    etat = acte(taux_agents="5", retrocession=payeurs)
    assert taux_des_agents(etat, jour("2025-06-30")) == 5
    assert taux_des_agents(etat, jour("2025-07-01")) == Fraction("3.63")
    pauvres = acte(taux_agents="1", retrocession=payeurs)
    assert taux_des_agents(pauvres, jour("2025-07-01")) == 0


def test_a_collectivite_has_its_territory_and_an_autre_the_departement():
    actes = [acte(CANNES_COMMUNE, "15", communes={CANNES}), acte(CAF, "2")]
    le = jour("2025-05-05")
    assert [points(actes, CANNES_COMMUNE, le, c) for c in (CANNES, NICE, None)] == [15, 0, 0]
    assert [points(actes, CAF, le, c) for c in (CANNES, NICE, None)] == [2, 2, 2]
    assert [points(actes, BAILLEUR, le, c) for c in (CANNES, NICE, None)] == [83, 98, 98]


def test_no_act_no_right():
    assert droits(PACA, jour("2024-12-31")) == ()
    assert points([], ETAT, jour("2025-05-05"), CANNES) == 0
    assert points([], BAILLEUR, jour("2025-05-05"), CANNES) == 100


@given(actes_compatibles(), jours_2025, st.sampled_from([*COMMUNES, None]))
def test_all_rates_make_100_points(actes, le, commune):
    total = sum(points(actes, r, le, commune) for r in lister_reservataires(actes))
    assert total == 100


@settings(max_examples=40)
@given(actes_compatibles())
def test_rates_are_constant_over_each_period(actes):
    for periode in periodes_de_taux(actes, 2025):
        premiers = [droits(a, periode.debut) for a in actes]
        agents = [taux_des_agents(a, periode.debut) for a in actes]
        for n in range(periode.jours):
            le = periode.debut + timedelta(days=n)
            assert [droits(a, le) for a in actes] == premiers
            assert [taux_des_agents(a, le) for a in actes] == agents


def test_the_act_in_force_on_1_january_governs():
    ancien = acte(debut="2022-01-01", fin="2025-01-01")
    nouveau = acte(debut="2025-01-02")
    assert acte_regissant([nouveau, ancien], 2025) is ancien


def test_else_the_first_to_begin_in_the_year():
    tard = acte(debut="2025-06-01")
    tot = acte(debut="2025-02-01", fin="2025-05-31")
    assert acte_regissant([tard, tot], 2025) is tot
    assert acte_regissant([tard, tot], 2026) is tard
    assert acte_regissant([tard, tot], 2024) is None


def test_only_the_etat_governs():
    assert acte_regissant([acte(ALS, "20", debut="2020-01-01")], 2025) is None


def test_an_act_of_the_last_day_governs_and_the_next_day_does_not():
    assert acte_regissant([acte(debut="2025-12-31")], 2025) is not None
    assert acte_regissant([acte(debut="2026-01-01")], 2025) is None
    assert acte_regissant([acte(debut="2020-01-01", fin="2025-01-01")], 2025) is not None
    assert acte_regissant([acte(debut="2020-01-01", fin="2024-12-31")], 2025) is None


def test_without_an_act_the_law_governs():
    assert regime_de_l_annee([], 2025) == REGIME_LEGAL
    assert {"MUTATION", "RU", "ORCOD", "INSALUBRITE", "VENTE"} == REGIME_LEGAL.soustractions
    assert REGIME_LEGAL.exclusions.pli and REGIME_LEGAL.exclusions.residences_services
    assert not REGIME_LEGAL.exclusions.vente_demolition and not REGIME_LEGAL.exclusions.locales
    assert not REGIME_LEGAL.premieres_mises_en_location
    assert REGIME_LEGAL.fait_generateur == "ATTRIBUTION"
    assert REGIME_LEGAL.plancher_hors_qpv == 30
    sien = Regime(premieres_mises_en_location=True)
    assert regime_de_l_annee([acte(regime=sien)], 2025) is sien


def test_the_act_in_force():
    premier, second = acte(fin="2025-06-30"), acte(debut="2025-07-01")
    assert acte_en_vigueur([premier, second], ETAT, jour("2025-06-30")) is premier
    assert acte_en_vigueur([premier, second], ETAT, jour("2025-07-01")) is second
    assert acte_en_vigueur([premier, second], ALS, jour("2025-07-01")) is None


def test_order_of_lists():
    actes = [
        acte(CAF, "1"),
        acte(EPCI, "1"),
        acte(CANNES_COMMUNE, "1"),
        acte(ETAT),
        acte(EPCI, "1", "2030-01-01", "2030-12-31"),
    ]
    assert [r.code for r in lister_reservataires(actes)] == [
        "ETAT",
        "ALS",
        CANNES,
        "200040000",
        "CAF",
        "BAILLEUR",
    ]
    assert [r.code for r in lister_reservataires([])] == ["ETAT", "ALS", "BAILLEUR"]


def test_reservataires_from_codes():
    assert reservataire("ETAT") == ETAT
    assert reservataire(Nature.COLLECTIVITE, CANNES) == CANNES_COMMUNE
    assert reservataire_de_code([acte(CAF, "1")], "CAF") == CAF
    assert reservataire_de_code([], "CAF") is None
    assert reservataire_de_code([], None) == BAILLEUR
