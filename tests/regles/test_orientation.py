"""The suggestion: who is behind, the floor outside QPV, the ceiling of the agents, what it says, and what never happens."""

from collections import Counter
from datetime import date
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.regles.annuel import LotFlux, LotLiberations, calculer_flux_definitif
from flux.regles.assiette import Assiette
from flux.regles.orientation import (
    Issue,
    Logement,
    LotOriente,
    Raison,
    compter_engages,
    dresser_balance,
    etaler_attendues,
    suggerer,
    suggerer_suite,
)
from flux.regles.partage import PartageImpossible
from reservation.regles.actes import ALS, BAILLEUR, ETAT, points, regime_de_l_annee

from .fabriques import (
    ANTIBES,
    CANNES,
    CANNES_COMMUNE,
    COMMUNES,
    NICE,
    RETROCESSION_PACA,
    acte,
    actes_compatibles,
)

AN = 2025
JOUR = date(AN, 6, 1)
PACA = [
    acte(taux_agents="5", retrocession=RETROCESSION_PACA),
    acte(ALS, "20"),
    acte(CANNES_COMMUNE, "10", communes={CANNES}),
]


def flux(actes, lots):
    liberations = [LotLiberations(*lot[:3], "FLUX", False, False, lot[3]) for lot in lots]
    return calculer_flux_definitif(liberations, AN, regime_de_l_annee(actes, AN))


def balance(lots, orientes=(), actes=PACA, attendues=(), a_orienter=None, **champs):
    return dresser_balance(
        AN, actes, flux(actes, lots), attendues, orientes, a_orienter or {CANNES: 1}, **champs
    )


def oriente(reservataire, nombre, issue=Issue.EN_COURS, *, agents=False, qpv=True, titre="", motif=False):
    return LotOriente(JOUR, reservataire, agents, qpv, issue, titre, motif, nombre)


def logement(commune=CANNES, qpv=True, cle="A", **champs):
    return Logement(cle, JOUR, commune, qpv, **champs)


# --- Who is suggested ---------------------------------------------------------------------------------------------


def test_who_is_furthest_behind_its_exact_share():
    """100 dwellings of Cannes in QPV: État 28,63, ALS 21,37, Cannes 10, bailleur 40."""
    lots = [LotFlux(JOUR, CANNES, True, 100)]
    vue = balance(
        lots, [oriente(ETAT, 27), oriente(ALS, 19), oriente(CANNES_COMMUNE, 10), oriente(BAILLEUR, 39)]
    )
    suggestion = suggerer(vue, logement())
    assert (suggestion.retenu, suggestion.raison) == (ALS, Raison.RETARD)
    ligne = suggestion.pour("ALS")
    assert (ligne.attendu, ligne.engages, ligne.ecart) == (Fraction("21.37"), 19, Fraction("-2.37"))
    assert ligne.ecart_apres == Fraction("-1.37")
    assert suggestion.phrase == (
        "Le plus en retard sur sa part est Action Logement Services\u00a0: 19 engagés sur 22 visés en 2025, "
        "pour 21,37 attendus à ce jour."
    )
    assert suggestion.pour("ETAT").texte == "En retard aussi (1,63 logement), servi après."
    assert suggestion.pour(CANNES).texte == "Juste à sa part."


def test_ties_follow_the_order_of_every_list():
    actes = [acte(taux="25"), acte(ALS, "25"), acte(CANNES_COMMUNE, "25", communes={CANNES})]
    attendues = [LotFlux(date(AN, 9, 1), CANNES, True, 10)]
    vue = balance([LotFlux(JOUR, CANNES, True, 1)], actes=actes, attendues=attendues)
    suggestion = suggerer(vue, logement())
    assert suggestion.retenu == ETAT
    assert suggestion.pour("ALS").raison == suggestion.pour("BAILLEUR").raison == Raison.EGALITE


def test_the_floor_outside_qpv_passes_before_a_longer_delay():
    """The mockup's case: the État is nearly on its share but short of a dwelling outside QPV; ALS waits for more."""
    lots = [LotFlux(JOUR, CANNES, False, 50), LotFlux(JOUR, CANNES, True, 50)]
    faits = [oriente(ETAT, 13, qpv=False), oriente(ETAT, 15), oriente(ALS, 10)]
    vue = balance(lots, faits)
    hors, dans = suggerer(vue, logement(qpv=False)), suggerer(vue, logement(qpv=True))
    assert (hors.retenu, hors.raison) == (ETAT, Raison.PLANCHER)
    assert "13 engagés hors QPV, 14,32 attendus" in hors.phrase  # 14,315, half to even
    assert dans.retenu == BAILLEUR and dans.pour("ALS").raison == Raison.MOINS_EN_RETARD


@pytest.mark.parametrize(("engages", "attendu"), [(13, ETAT), (14, BAILLEUR)])
def test_the_floor_counts_whole_dwellings(engages, attendu):
    """14,315 outside QPV so far: one missing is 1,315 short, none missing is 0,315."""
    lots = [LotFlux(JOUR, CANNES, False, 50), LotFlux(JOUR, CANNES, True, 50)]
    vue = balance(lots, [oriente(ETAT, engages, qpv=False), oriente(ETAT, 15), oriente(ALS, 21)])
    assert suggerer(vue, logement(qpv=False)).retenu == attendu


def test_a_plai_adapte_goes_to_its_public_while_the_etat_is_behind():
    lots = [LotFlux(JOUR, CANNES, True, 100)]
    en_retard = balance(lots, [oriente(ETAT, 28)])
    assert suggerer(en_retard, logement(plai_adapte=True)).raison == Raison.PLAI_ADAPTE
    en_avance = balance(lots, [oriente(ETAT, 29)])
    assert suggerer(en_avance, logement(plai_adapte=True)).retenu == BAILLEUR


def test_the_last_dwellings_of_a_territory_go_to_who_has_no_other():
    """Cannes is due one more and nothing else is expected there; the bailleur, further behind, has Nice to come."""
    lots = [LotFlux(JOUR, CANNES, True, 10), LotFlux(JOUR, NICE, True, 40)]
    faits = [oriente(ETAT, 14), oriente(ALS, 11), oriente(BAILLEUR, 23)]
    seul = balance(lots, faits, a_orienter={CANNES: 1, NICE: 1})
    suggestion = suggerer(seul, logement())
    assert (suggestion.retenu, suggestion.raison) == (CANNES_COMMUNE, Raison.RETARD)
    faits = [oriente(ETAT, 14), oriente(ALS, 10), oriente(BAILLEUR, 24)]
    lots = [LotFlux(JOUR, CANNES, True, 6), LotFlux(JOUR, NICE, True, 44)]
    presse = suggerer(balance(lots, faits, a_orienter={CANNES: 1, NICE: 1}), logement())
    assert (presse.retenu, presse.raison) == (CANNES_COMMUNE, Raison.DERNIERES_CHANCES)
    assert "1 libération attendue" in presse.phrase
    autres = [LotFlux(date(AN, 9, 1), CANNES, True, 20)]
    plus_tard = suggerer(balance(lots, faits, attendues=autres, a_orienter={CANNES: 1, NICE: 1}), logement())
    assert plus_tard.retenu != CANNES_COMMUNE


def test_who_cannot_have_it_and_why():
    vue = balance([LotFlux(JOUR, NICE, True, 10)], a_orienter={NICE: 1})
    suggestion = suggerer(vue, logement(NICE, exclus=frozenset({"ALS"})))
    assert suggestion.pour(CANNES).texte == "Impossible\u00a0: le logement n’est pas sur son territoire."
    assert suggestion.pour("ALS").raison == Raison.DESIGNATION_ECHOUEE
    assert not suggestion.pour("ALS").possible
    expire = [acte(fin="2025-05-31"), acte(ALS, "20")]
    tard = suggerer(balance([LotFlux(JOUR, NICE, True, 10)], actes=expire), logement(NICE))
    assert tard.pour("ETAT").raison == Raison.SANS_ACTE
    sans = suggerer(
        balance([LotFlux(JOUR, NICE, True, 10)], sans_convention=frozenset({"ALS"})), logement(NICE)
    )
    assert sans.pour("ALS").raison == Raison.SANS_CONVENTION


def test_the_report_is_due_as_the_flux_comes():
    lots, attendues = [LotFlux(JOUR, CANNES, True, 50)], [LotFlux(date(AN, 9, 1), CANNES, True, 50)]
    vue = balance(lots, attendues=attendues, reports={"ALS": 4})
    assert vue.attendu(ALS) == Fraction("21.37") / 2 + 2
    assert vue.objectif(ALS) == 22 + 4
    assert sum(vue.attendu(r) for r in vue.reservataires) == 50


def test_acts_that_give_too_much_are_the_split_s_to_refuse():
    with pytest.raises(PartageImpossible):
        balance([LotFlux(JOUR, CANNES, True, 10)], actes=[acte(taux="60"), acte(ALS, "60")])


# --- What is already somebody's -----------------------------------------------------------------------------------


def test_failed_designations_and_non_priority_households():
    actes = [acte(echec_consomme=True), acte(ALS, "20")]
    engages = compter_engages(
        [
            oriente(ETAT, 2, Issue.ECHOUEE),
            oriente(ALS, 3, Issue.ECHOUEE),
            oriente(ETAT, 5, Issue.ATTRIBUEE, titre="PRIORITE_1", qpv=False),
            oriente(ETAT, 7, Issue.ATTRIBUEE, titre="AUTRE"),
            oriente(ETAT, 11, Issue.ATTRIBUEE, titre="AUTRE", motif=True),
            oriente(ETAT, 13, Issue.ATTRIBUEE, titre="AGENT", agents=True),
        ],
        actes,
    )
    assert engages.par_code == {"ETAT": 2 + 5 + 11 + 13, "BAILLEUR": 3}
    assert (engages.agents, engages.etat_hors_qpv) == (13, 5)


# --- First lettings -----------------------------------------------------------------------------------------------


def test_rights_for_one_letting_follow_the_distribution_agreed():
    vue = balance([LotFlux(JOUR, CANNES, True, 10)])
    tour = (("ALS", 1), ("BAILLEUR", 2), ("ETAT", 2))
    logements = [logement(cle=str(rang), tour=tour, programme="P") for rang in range(6)]
    suite = suggerer_suite(vue, logements)
    assert [suite[str(rang)].retenu for rang in range(6)] == [ETAT, BAILLEUR, ETAT, ALS, BAILLEUR, None]
    assert suite["0"].raison == Raison.TOUR and suite["5"].retenu is None
    assert "épuisée" in suite["5"].phrase and "droits pour un tour" not in suite["5"].phrase
    assert suite["5"].pour("ALS").raison == Raison.TOUR_EPUISE


# --- What is still expected ---------------------------------------------------------------------------------------


def test_expected_dwellings_are_whole_and_add_up():
    assiette = Assiette(100, 100, 100, {}, {}, {(CANNES, True): 30, (NICE, False): 70})
    actes = [acte(fin="2025-06-30"), acte(debut="2025-07-01")]
    lots = etaler_attendues(101, assiette, actes, AN, date(AN, 6, 1))
    assert sum(lot.nombre for lot in lots) == 101
    assert {lot.jour for lot in lots} == {date(AN, 6, 1), date(AN, 7, 1)}
    assert etaler_attendues(0, assiette, actes, AN, JOUR) == ()


# --- Properties ---------------------------------------------------------------------------------------------------

freed = st.lists(
    st.tuples(
        st.dates(date(AN, 1, 1), date(AN, 12, 31)), st.sampled_from(COMMUNES), st.booleans(), st.booleans()
    ),
    min_size=1,
    max_size=30,
)


def _balance(actes, freed):
    lots = [LotFlux(jour, commune, qpv, 1) for jour, commune, qpv, _ in freed]
    return balance(lots, actes=actes, a_orienter=Counter(commune for _, commune, _, _ in freed))


def _logements(freed):
    return [
        Logement(f"{rang:03d}", jour, commune, qpv, plai)
        for rang, (jour, commune, qpv, plai) in enumerate(freed)
    ]


@given(actes_compatibles(), freed)
def test_rights_of_the_day_and_of_the_place_are_respected(actes, freed):
    suite = suggerer_suite(_balance(actes, freed), _logements(freed))
    for suggestion in suite.values():
        retenu, lgt = suggestion.retenu, suggestion.logement
        assert retenu == BAILLEUR or points(actes, retenu, lgt.jour, lgt.commune) > 0
        assert suggestion.pour(retenu.code).possible
        for choix in suggestion.choix:
            ici = points(actes, choix.reservataire, lgt.jour, lgt.commune)
            assert choix.reservataire == BAILLEUR or choix.possible == (ici > 0)
            assert choix.texte and suggestion.phrase.endswith(".")


@given(actes_compatibles(), freed, st.randoms(use_true_random=False))
def test_the_order_in_which_dwellings_are_given_changes_nothing(actes, freed, hasard: Random):
    """Dwellings freed on one day included."""
    freed = [(JOUR if rang % 2 else jour, *reste) for rang, (jour, *reste) in enumerate(freed)]
    logements = _logements(freed)
    vue = _balance(actes, freed)
    attendue = suggerer_suite(vue, logements)
    melanges = list(logements)
    hasard.shuffle(melanges)
    assert suggerer_suite(vue, melanges) == attendue


@given(actes_compatibles(), freed)
def test_the_ceiling_of_the_agents_is_never_passed(actes, freed):
    """An agent whenever the ceiling of the flux so far lets one in: the year ends under its own ceiling."""
    rang, orientes = 0, []
    freed = sorted(freed)
    for rang, (jour, commune, qpv, _) in enumerate(freed):
        lots = [LotFlux(j, c, q, 1) for j, c, q, _ in freed[: rang + 1]]
        vue = balance(lots, orientes, actes, a_orienter={commune: 1})
        suggestion = suggerer(vue, Logement(str(rang), jour, commune, qpv))
        agents = suggestion.retenu == ETAT and suggestion.agents_ouverts > 0
        orientes.append(LotOriente(jour, suggestion.retenu, agents, qpv, Issue.EN_COURS, "", False, 1))
        apres = balance(lots, orientes, actes)
        assert apres.engages.agents <= apres.a_ce_jour.agents_max


@given(actes_compatibles(), freed)
def test_what_is_due_adds_up_to_the_flux(actes, freed):
    vue = _balance(actes, freed)
    assert sum(vue.attendu(r) for r in vue.reservataires) == len(freed)
    assert sum(vue.retard(r) for r in vue.reservataires) == len(freed)


def test_everything_is_exact():
    """A third of a point over three dwellings is a hundredth, not nearly one."""
    actes = [acte(taux="0"), acte(ALS, "20", communes=None)]
    actes[1] = actes[1].__class__(ALS, date(AN, 1, 1), date(AN, 12, 31), Fraction(1, 3))
    assert balance([LotFlux(JOUR, ANTIBES, True, 3)], actes=actes).attendu(ALS) == Fraction(1, 100)
