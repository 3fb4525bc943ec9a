"""What makes acts invalid, alone or together: each threshold on both sides."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given, settings

from reservation.regles.actes import (
    ALS,
    BAILLEUR,
    Nature,
    Reservataire,
    Retrocession,
    lister_reservataires,
    points,
)
from reservation.regles.periodes import Periode, annee_civile
from reservation.regles.validite import (
    avertir_garanties,
    nommer,
    verifier_acte,
    verifier_actes,
    verifier_chevauchements,
    verifier_codes,
    verifier_somme,
    verifier_taux_net,
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
)

AN = annee_civile(2025)


def codes(anomalies) -> list[tuple[str, str]]:
    return [(a.code, a.champ) for a in anomalies]


@pytest.mark.parametrize(("taux", "refuse"), [("30", False), ("30.0001", True), ("0", False)])
def test_the_etat_has_30_points_at_most(taux, refuse):
    attendu = [("ETAT_AU_DESSUS_DU_PLAFOND", "taux")] if refuse else []
    assert codes(verifier_acte(acte(taux=taux))) == attendu


def test_the_ceiling_is_the_etats_alone():
    assert verifier_acte(acte(ALS, "60")) == []


@pytest.mark.parametrize(("taux", "refuse"), [("5", False), ("5.01", True)])
def test_agents_have_5_points_at_most(taux, refuse):
    attendu = [("AGENTS_AU_DESSUS_DU_PLAFOND", "taux_agents")] if refuse else []
    assert codes(verifier_acte(acte(taux_agents=taux))) == attendu


@pytest.mark.parametrize(
    ("debut", "fin", "refuse"),
    [
        ("2025-01-01", "2025-12-31", False),
        ("2025-01-01", "2026-01-01", False),  # 366 days
        ("2025-01-01", "2026-01-02", True),  # 367
        ("2024-01-01", "2024-12-31", False),  # leap year: 366
        ("2024-01-01", "2025-01-01", True),  # 367
    ],
)
def test_a_derogation_lasts_366_days_at_most_both_ends_counted(debut, fin, refuse):
    etat = acte(debut="2023-01-01", derogations=(derogation("33", debut, fin),))
    attendu = [("DEROGATION_TROP_LONGUE", "derogations[0].fin")] if refuse else []
    assert codes(verifier_acte(etat)) == attendu


def test_a_derogation_may_exceed_30_points():
    assert verifier_acte(acte(derogations=(derogation("45", "2025-01-01", "2025-06-30"),))) == []


@pytest.mark.parametrize(("debut", "refuse"), [("2025-06-30", True), ("2025-07-01", False)])
def test_derogations_of_an_act_do_not_overlap(debut, refuse):
    etat = acte(
        derogations=(derogation("33", "2025-01-01", "2025-06-30"), derogation("34", debut, "2025-12-31"))
    )
    attendu = [("DEROGATIONS_QUI_SE_CHEVAUCHENT", "derogations[1].debut")] if refuse else []
    assert codes(verifier_acte(etat)) == attendu


def test_dates_are_in_order_everywhere():
    inverse = Retrocession(Fraction(1), date(2026, 1, 1), date(2025, 12, 31))
    etat = acte(
        debut="2025-02-01",
        fin="2025-01-31",
        retrocession=inverse,
        derogations=(derogation("33", "2025-02-02", "2025-02-01"),),
    )
    assert codes(verifier_acte(etat)) == [
        ("PERIODE_INVERSEE", "fin"),
        ("PERIODE_INVERSEE", "derogations[0].fin"),
        ("PERIODE_INVERSEE", "retrocession.fin"),
    ]
    assert verifier_acte(acte(debut="2025-02-01", fin="2025-02-01")) == []


@pytest.mark.parametrize(("debut", "refuse"), [("2024-12-31", True), ("2025-01-01", False)])
def test_one_act_per_reservataire_on_any_day(debut, refuse):
    actes = [acte(ALS, "10", "2020-01-01", "2024-12-31"), acte(ALS, "12", debut, "2026-12-31")]
    assert [a.rangs for a in verifier_chevauchements(actes)] == ([(0, 1)] if refuse else [])


def test_overlap_is_per_reservataire():
    assert (
        verifier_chevauchements([acte(ALS, "10"), acte(), acte(EPCI, "5"), acte(CANNES_COMMUNE, "5")]) == []
    )


def test_a_code_has_one_nature():
    autre = Reservataire(Nature.AUTRE, CANNES)
    assert codes(verifier_codes([CANNES_COMMUNE, EPCI, autre])) == [("CODE_DE_DEUX_NATURES", "code")]
    assert verifier_codes([CANNES_COMMUNE, CANNES_COMMUNE, CAF]) == []


@pytest.mark.parametrize("code", ["ETAT", "ALS", "BAILLEUR"])
def test_reserved_codes(code):
    assert codes(verifier_codes([Reservataire(Nature.AUTRE, code)])) == [("CODE_RESERVE", "code")]


@pytest.mark.parametrize(("taux", "refuse"), [("1.37", False), ("1.36", True)])
def test_the_net_rate_is_never_negative(taux, refuse):
    anomalies = verifier_taux_net([acte(taux=taux, retrocession=RETROCESSION_PACA)], AN)
    assert [a.donnees["jour"] for a in anomalies] == ([date(2025, 1, 1)] if refuse else [])


def test_the_net_rate_is_looked_at_in_the_period_only():
    etat = acte(taux="1", debut="2020-01-01", fin="2030-12-31", retrocession=RETROCESSION_PACA)
    assert verifier_taux_net([etat], annee_civile(2024)) == []
    assert verifier_taux_net([etat], Periode(date(2024, 1, 1), date(2025, 1, 1))) != []


def test_a_low_derogation_may_make_the_net_rate_negative():
    etat = acte(retrocession=RETROCESSION_PACA, derogations=(derogation("1", "2025-05-01", "2025-05-01"),))
    assert [a.donnees["jour"] for a in verifier_taux_net([etat], AN)] == [date(2025, 5, 1)]


@pytest.mark.parametrize(("als", "refuse"), [("70", False), ("70.0001", True)])
def test_100_points_at_most(als, refuse):
    anomalies = verifier_somme([acte(retrocession=RETROCESSION_PACA), acte(ALS, als)], AN)
    assert [a.rangs for a in anomalies] == ([(0, 1)] if refuse else [])


def test_the_sum_is_looked_at_without_any_commune():
    assert codes(verifier_somme([acte(), acte(CAF, "71")], AN)) == [("SOMME_AU_DESSUS_DE_100", "")]
    assert verifier_somme([acte(), acte(CAF, "70")], AN) == []


def test_the_sum_is_looked_at_on_communes_of_the_acts():
    actes = [acte(), acte(ALS, "60"), acte(EPCI, "11", communes={CANNES, NICE})]
    (anomalie,) = verifier_somme(actes, AN)
    assert anomalie.donnees["communes"] == (CANNES, NICE)
    assert anomalie.rangs == (0, 1, 2)


def test_the_sum_names_the_acts_and_the_first_day():
    actes = [
        acte(libelle="convention État"),
        acte(ALS, "60", libelle="convention ALS"),
        acte(CANNES_COMMUNE, "15", "2025-07-01", communes={CANNES}, libelle="convention Cannes"),
    ]
    (anomalie,) = verifier_somme(actes, AN)
    assert anomalie.donnees == {"jour": date(2025, 7, 1), "total": 105, "communes": (CANNES,)}
    for nom in ("convention État", "convention ALS", "convention Cannes", "1er juillet 2025", "105,00"):
        assert nom in anomalie.message


def test_two_territories_over_100_for_different_acts_are_two_anomalies():
    actes = [
        acte(),
        acte(ALS, "60"),
        acte(CANNES_COMMUNE, "15", communes={CANNES}),
        acte(EPCI, "20", communes={NICE}),
    ]
    assert [a.rangs for a in verifier_somme(actes, AN)] == [(0, 1, 2), (0, 1, 3)]


def test_the_sum_out_of_the_period_is_not_looked_at():
    actes = [acte(), acte(ALS, "90", "2026-01-01")]
    assert verifier_somme(actes, AN) == []
    assert verifier_somme(actes, annee_civile(2026)) != []


def test_a_derogation_counts_in_the_sum():
    etat = acte(derogations=(derogation("40", "2025-06-01", "2025-06-30"),))
    assert verifier_somme([etat, acte(ALS, "65")], AN)[0].donnees["jour"] == date(2025, 6, 1)


@pytest.mark.parametrize(("taux", "averti"), [("5", False), ("5.01", True)])
def test_collectivites_over_20_points_are_a_warning(taux, averti):
    actes = [acte(), acte(CANNES_COMMUNE, "15", communes={CANNES}), acte(EPCI, taux, communes={CANNES, NICE})]
    avertissements = avertir_garanties(actes, AN)
    assert [a.donnees["communes"] for a in avertissements] == ([(CANNES,)] if averti else [])
    assert verifier_actes(actes, AN) == []


def test_all_faults_are_told_at_once_and_the_sum_waits_for_overlaps():
    actes = [acte(taux="31", taux_agents="6"), acte(taux="29", debut="2026-01-01"), acte(CAF, "90")]
    assert [a.code for a in verifier_actes(actes, AN)] == [
        "ETAT_AU_DESSUS_DU_PLAFOND",
        "AGENTS_AU_DESSUS_DU_PLAFOND",
        "ACTES_QUI_SE_CHEVAUCHENT",
    ]


def test_an_act_without_a_name_is_named_by_its_dates():
    assert nommer(acte()) == "acte du 1er janvier 2025 au 31 décembre 2027"


@settings(max_examples=60)
@given(actes_compatibles())
def test_compatible_acts_have_no_anomaly_and_leave_a_rest(actes):
    assert verifier_actes(actes, AN) == []
    assert BAILLEUR in lister_reservataires(actes)
    assert all(points(actes, BAILLEUR, date(2025, m, 1), c) >= 0 for m in range(1, 13) for c in COMMUNES)
