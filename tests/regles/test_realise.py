"""Realised against objectives, and the three tests of priority."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.regles.annuel import LotFlux
from flux.regles.imputation import Titre
from flux.regles.partage import Part, Partage
from flux.regles.realise import (
    LotEchecs,
    LotImpute,
    calculer_realise,
    compter_echecs,
    compter_hors_qpv,
    dans_le_vivier,
    evaluer_cent_pour_cent,
    evaluer_quarts,
    expliquer_realise,
    manque_au_quart,
    ventiler_etat,
)
from reservation.regles.actes import ALS, BAILLEUR, ETAT, FaitGenerateur

from .fabriques import CAF, CANNES, CANNES_COMMUNE, acte

ATTRIBUTION, BAIL = FaitGenerateur.ATTRIBUTION, FaitGenerateur.BAIL


def lot(titre, reservataire="ETAT", nombre=1, motif=False, caleol=True, bail=True, qpv=False) -> LotImpute:
    return LotImpute(reservataire, titre, motif, caleol, bail, qpv, nombre)


def partage(agents_max=2, **objectifs) -> Partage:
    listes = [(ETAT, "etat"), (ALS, "als"), (CANNES_COMMUNE, "cannes"), (CAF, "caf"), (BAILLEUR, "bailleur")]
    parts = tuple(Part(r, Fraction(0), objectifs.get(cle, 0), 0, ()) for r, cle in listes)
    return Partage(0, parts, Fraction(agents_max), agents_max)


def realise(imputes, reservataire=ETAT, evenement=ATTRIBUTION, echecs=None, **objectifs):
    tous = calculer_realise(imputes, echecs or {}, partage(**objectifs), evenement)
    return next(r for r in tous if r.reservataire == reservataire)


@pytest.mark.parametrize(("agents", "attendu"), [(0, 0), (1, 1), (2, 2), (3, 2)])
def test_agents_count_up_to_their_ceiling(agents, attendu):
    assert realise([lot("AGENT", nombre=agents)]).realise == attendu


def test_the_etat_counts_priority_households_and_logged_reasons_only():
    imputes = [
        lot("PRIORITE_1"),
        lot("PRIORITE_2"),
        lot("PRIORITE_3"),
        lot("AUTRE", nombre=5),
        lot("AUTRE", motif=True),
    ]
    resultat = realise(imputes, etat=4)
    assert (resultat.attributions, resultat.realise, resultat.ecart, resultat.atteint) == (9, 4, 0, True)


def test_the_others_count_everything_with_their_failed_designations():
    imputes = [lot("PRIORITAIRE", "ALS", 2), lot("AUTRE", "ALS", 3)]
    resultat = realise(imputes, ALS, echecs={"ALS": 1}, als=7)
    assert (resultat.attributions, resultat.echecs, resultat.realise, resultat.ecart) == (5, 1, 6, -1)
    assert resultat.atteint is False


def test_the_bailleur_has_no_objective_and_no_failed_designation():
    resultat = realise([lot("AUTRE", "BAILLEUR", 3)], BAILLEUR, echecs={"BAILLEUR": 2}, bailleur=5)
    assert (resultat.realise, resultat.echecs, resultat.ecart, resultat.atteint) == (3, 0, None, None)


@pytest.mark.parametrize(
    ("titre", "evenement", "caleol", "bail", "attendu"),
    [
        ("PRIORITE_1", ATTRIBUTION, True, False, True),
        ("PRIORITE_1", ATTRIBUTION, False, True, False),
        ("PRIORITE_1", BAIL, True, False, False),
        ("PRIORITE_1", BAIL, False, True, True),
        ("AGENT", ATTRIBUTION, True, False, False),
        ("AGENT", ATTRIBUTION, False, True, True),
        ("AGENT", BAIL, False, True, True),
    ],
)
def test_the_pool(titre, evenement, caleol, bail, attendu):
    assert dans_le_vivier(lot(titre, caleol=caleol, bail=bail), evenement) is attendu


def test_attributions_and_leases_are_counted_whatever_meets_the_objective():
    imputes = [
        lot("PRIORITE_1", caleol=True, bail=False),
        lot("PRIORITE_1", caleol=False, bail=True),
        lot("AGENT", bail=False),
    ]
    resultat = realise(imputes, evenement=BAIL)
    assert (resultat.attributions, resultat.baux, resultat.realise) == (2, 1, 1)


@pytest.mark.parametrize(("objectif", "atteint"), [(2, True), (3, True), (4, False)])
def test_missed_from_one_dwelling(objectif, atteint):
    assert realise([lot("PRIORITE_1", nombre=3)], etat=objectif).atteint is atteint


def test_failed_designations_follow_the_act_of_the_day():
    actes = [
        acte(ALS, "10", fin="2025-06-30", echec_consomme=True),
        acte(ALS, "10", debut="2025-07-01"),
        acte(CAF, "1", echec_consomme=True),
    ]

    def echec(reservataire, jour, nombre=1):
        return LotEchecs(reservataire, LotFlux(date.fromisoformat(jour), CANNES, False, nombre))

    echecs = [
        echec(ALS, "2025-06-30", 2),
        echec(ALS, "2025-07-01", 5),
        echec(ETAT, "2025-03-01"),
        echec(CAF, "2025-03-01"),
        echec(CAF, "2025-04-01"),
    ]
    assert compter_echecs(echecs, actes) == {"ALS": 2, "CAF": 2}


def test_the_etat_by_title():
    imputes = [
        lot("AGENT"),
        lot("PRIORITE_2", nombre=2),
        lot("AUTRE", caleol=False),
        lot("PRIORITAIRE", "ALS"),
    ]
    assert ventiler_etat(imputes) == {
        "AGENT": 1,
        "PRIORITE_1": 0,
        "PRIORITE_2": 2,
        "PRIORITE_3": 0,
        "AUTRE": 0,
    }


def test_one_hundred_per_cent_leaves_agents_aside():
    imputes = [
        lot("AGENT", nombre=4),
        lot("PRIORITE_1", nombre=3),
        lot("PRIORITE_3"),
        lot("AUTRE", nombre=2, motif=True),
        lot("AUTRE", nombre=5),
        lot("AUTRE", caleol=False),
        lot("PRIORITE_1", motif=True),
    ]
    cent = evaluer_cent_pour_cent(imputes)
    assert (cent.attributions, cent.prioritaires, cent.exceptions, cent.manque) == (12, 5, 2, 5)


@pytest.mark.parametrize(
    ("prioritaires", "attributions", "manque"),
    [(0, 0, 0), (0, 1, 1), (0, 4, 1), (0, 5, 2), (1, 4, 0), (1, 5, 1), (2, 8, 0), (2, 9, 1), (9, 9, 0)],
)
def test_a_quarter_is_rounded_up(prioritaires, attributions, manque):
    assert manque_au_quart(prioritaires, attributions) == manque


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_missing_number_is_the_smallest_that_reaches_the_quarter(prioritaires, attributions):
    manque = manque_au_quart(prioritaires, attributions)
    assert 4 * (prioritaires + manque) >= attributions
    assert manque == 0 or 4 * (prioritaires + manque - 1) < attributions


def test_quarters_of_als_collectivites_and_bailleur():
    actes = [acte(), acte(CANNES_COMMUNE, "10", communes={CANNES}), acte(CAF, "1")]
    imputes = [
        lot("PRIORITAIRE", "ALS"),
        lot("AUTRE", "ALS", 4),
        lot("AUTRE", "06029", 1, caleol=False),
        lot("AUTRE", "CAF", 4),
        lot("PRIORITE_1", nombre=4),
        lot("AUTRE", "BAILLEUR", 1),
    ]
    assert [
        (q.reservataire.code, q.prioritaires, q.attributions, q.manque)
        for q in evaluer_quarts(imputes, actes)
    ] == [
        ("ALS", 1, 5, 1),
        ("06029", 0, 0, 0),
        ("BAILLEUR", 0, 1, 1),
    ]


def test_outside_qpv_agents_have_no_ceiling():
    imputes = [
        lot("AGENT", nombre=5),
        lot("PRIORITE_1"),
        lot("PRIORITE_1", qpv=True),
        lot("AUTRE"),
        lot("AUTRE", motif=True),
        lot("PRIORITAIRE", "ALS"),
        lot("PRIORITE_2", caleol=False),
    ]
    hors_qpv = compter_hors_qpv(imputes, 40, 12, ATTRIBUTION)
    assert (hors_qpv.flux, hors_qpv.etat, hors_qpv.objectif) == (40, 7, 12)
    assert compter_hors_qpv(imputes, 40, None, BAIL).etat == 8


imputes = st.lists(
    st.builds(
        LotImpute,
        st.sampled_from(["ETAT", "ALS", "06029", "CAF", "BAILLEUR"]),
        st.just("AUTRE"),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.integers(0, 4),
    ).flatmap(
        lambda lot: st.sampled_from(
            ["AGENT", "PRIORITE_1", "PRIORITE_2", "PRIORITE_3", "AUTRE"]
            if lot.reservataire == "ETAT"
            else ["PRIORITAIRE", "AUTRE"]
        ).map(lambda titre: lot._replace(titre=titre))
    ),
    max_size=20,
)


@given(imputes, st.sampled_from([ATTRIBUTION, BAIL]), st.randoms(use_true_random=False))
def test_counting_one_by_one_or_by_lots_is_the_same(lots, evenement, hasard):
    un_a_un = [un._replace(nombre=1) for un in lots for _ in range(un.nombre)]
    hasard.shuffle(un_a_un)
    actes = [acte(), acte(CANNES_COMMUNE, "10", communes={CANNES})]
    assert calculer_realise(lots, {}, partage(), evenement) == calculer_realise(
        un_a_un, {}, partage(), evenement
    )
    assert ventiler_etat(lots) == ventiler_etat(un_a_un)
    assert evaluer_cent_pour_cent(lots) == evaluer_cent_pour_cent(un_a_un)
    assert evaluer_quarts(lots, actes) == evaluer_quarts(un_a_un, actes)
    assert compter_hors_qpv(lots, 0, 0, evenement) == compter_hors_qpv(un_a_un, 0, 0, evenement)


@given(imputes)
def test_the_five_titles_add_up_to_the_attributions_of_the_etat(lots):
    etat = ventiler_etat(lots)
    cent = evaluer_cent_pour_cent(lots)
    assert sum(etat.values()) == realise(lots).attributions
    assert cent.attributions == sum(etat.values()) - etat[Titre.AGENT]
    assert 0 <= cent.manque <= cent.attributions


def test_steps_give_numerators_and_denominators():
    lots = [lot("PRIORITE_1", nombre=3), lot("AUTRE"), lot("PRIORITAIRE", "ALS"), lot("AUTRE", "ALS", 4)]
    realises = calculer_realise(lots, {"ALS": 1}, partage(etat=5, als=2), ATTRIBUTION)
    etapes = expliquer_realise(
        realises,
        ventiler_etat(lots),
        evaluer_cent_pour_cent(lots),
        evaluer_quarts(lots, []),
        compter_hors_qpv(lots, 40, 12, ATTRIBUTION),
        ATTRIBUTION,
        2,
    )
    lignes = {e.code: e for e in etapes}
    assert lignes["etat_100"].affichage == "3 / 4"
    assert lignes["quarts.ALS"].affichage == "1 / 5" and "manque\u00a0: 1" in lignes["quarts.ALS"].detail
    assert "objectif 5, écart −2" in lignes["realise.ETAT"].detail
    assert "1 désignation échouée" in lignes["realise.ALS"].detail
    assert "objectif" not in lignes["realise.BAILLEUR"].detail
    assert "au moins 12" in lignes["hors_qpv"].detail
    assert all(e.article for e in etapes)
