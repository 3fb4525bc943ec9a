"""What-if: acts replaced, then the rules of the year. Without any change, the very figures of the year."""

import json
from dataclasses import replace
from datetime import date
from fractions import Fraction as F

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flux.banc_essai import lister_cas_livres
from flux.banc_essai.execution import executer
from flux.banc_essai.lecture import lire_scenario
from flux.banc_essai.scenario import Scenario
from flux.regles.partage import PartageImpossible
from flux.regles.simulation import (
    Changements,
    Cote,
    SimulationImpossible,
    comparer,
    dire_gain,
    dire_objectif,
    remplacer,
    resumer,
    verifier,
)
from reservation.regles.actes import (
    ALS,
    ETAT,
    Acte,
    Derogation,
    Reservataire,
    Retrocession,
    acte_regissant,
    taux_brut,
    taux_net,
)
from reservation.regles.actes import Nature as NatureReservataire
from tests.banc_essai.generateur import fichiers

AN = 2025
CANNES = Reservataire(NatureReservataire.COLLECTIVITE, "06029")
QUI = {"ETAT": (ETAT, None), "ALS": (ALS, None), "06029": (CANNES, frozenset({"06029"}))}


def acte(qui=ETAT, taux=30, debut=date(2025, 1, 1), fin=date(2027, 12, 31), **champs) -> Acte:
    return Acte(qui, debut, fin, F(taux), **champs)


def livres() -> list[Scenario]:
    return [lire_scenario(json.loads(cas.chemin.read_text()))[0] for cas in lister_cas_livres()]


# --- Nothing changed, nothing moves ------------------------------------------------------------------------


def _inchange(scenario: Scenario) -> None:
    reel = executer(scenario).resultat
    actes = remplacer(scenario.actes, Changements(), scenario.annee, {})
    assert actes == scenario.actes
    lignes = comparer(reel, executer(replace(scenario, actes=actes)).resultat)
    assert [(ligne.gain, ligne.gain_exact, ligne.gain_points) for ligne in lignes] == [(0, 0, 0)] * len(
        lignes
    )
    assert [ligne.avant for ligne in lignes] == [ligne.apres for ligne in lignes]
    assert [(ligne.avant.objectif, ligne.avant.exacte) for ligne in lignes] == [
        (part.objectif, part.exacte) for part in reel.partage.parts
    ]


@pytest.mark.parametrize("scenario", livres(), ids=lambda s: s.titre[:40])
def test_without_a_change_every_case_of_the_bench_keeps_its_figures(scenario):
    _inchange(scenario)


def _memes_clauses(scenario: Scenario) -> Changements:
    """The act in force said again by a change: nothing should move."""
    regissant = acte_regissant(scenario.actes, scenario.annee)
    if regissant is None:
        return Changements()
    regime = regissant.regime
    return Changements(
        pli=regime.exclusions.pli,
        residences_services=regime.exclusions.residences_services,
        vente_demolition=regime.exclusions.vente_demolition,
        locales=regime.exclusions.locales,
        premieres_mises_en_location=regime.premieres_mises_en_location,
        plancher_hors_qpv=regime.plancher_hors_qpv or F(0),
    )


@settings(max_examples=25)
@given(fichiers("DEFINITIF"), st.integers(0, 3000), st.integers(0, 300), st.booleans(), st.booleans())
def test_any_year_keeps_its_figures_and_whatever_changes_adds_up(brut, etat, retrocede, premieres, consomme):
    scenario, erreurs = lire_scenario(brut)
    assume(not erreurs)
    _inchange(scenario)
    reel = executer(scenario).resultat
    memes = remplacer(scenario.actes, _memes_clauses(scenario), scenario.annee, QUI)
    lignes = comparer(reel, executer(replace(scenario, actes=memes)).resultat)
    assert [ligne.avant for ligne in lignes] == [ligne.apres for ligne in lignes]

    changements = Changements(
        taux={"ETAT": F(etat, 100)},
        retrocession=F(retrocede, 100),
        premieres_mises_en_location=premieres,
        echec_consomme={"ALS": consomme},
    )
    actes = remplacer(scenario.actes, changements, scenario.annee, QUI)
    try:
        verifier(actes, changements, scenario.annee)
        apres = executer(replace(scenario, actes=actes)).resultat
    except (SimulationImpossible, PartageImpossible):
        return
    lignes = comparer(reel, apres)
    flux = apres.flux.flux
    assert (
        sum(ligne.apres.objectif for ligne in lignes) == sum(ligne.apres.exacte for ligne in lignes) == flux
    )
    assert not flux or sum(ligne.apres.points for ligne in lignes) == 100
    assert sum(ligne.gain for ligne in lignes) == flux - reel.flux.flux


# --- Replaced acts -----------------------------------------------------------------------------------------


def test_each_act_keeps_its_own_period_and_the_others_are_left_alone():
    actes = (acte(taux=30, fin=date(2025, 6, 30)), acte(taux=28, debut=date(2025, 7, 1)), acte(ALS, 20))
    changes = remplacer(actes, Changements(taux={"ETAT": F(25)}), AN, QUI)
    assert [a.periode for a in changes] == [a.periode for a in actes]
    assert [a.taux for a in changes] == [25, 25, 20]
    assert changes[2] is not None and changes[2] == actes[2]


def test_a_rate_gives_an_act_to_who_has_none_in_the_year():
    (etat, cannes) = remplacer((acte(),), Changements(taux={"06029": F(3)}), AN, QUI)
    assert etat == acte()
    assert (cannes.reservataire, cannes.taux, cannes.communes) == (CANNES, 3, frozenset({"06029"}))
    assert (cannes.debut, cannes.fin) == (date(2025, 1, 1), date(2025, 12, 31))


def test_a_clause_of_the_etat_needs_an_act_of_the_etat_and_makes_one_without_a_rate():
    (etat,) = remplacer((), Changements(pli=False), AN, QUI)
    assert (etat.reservataire, etat.taux, etat.regime.exclusions.pli) == (ETAT, 0, False)


def test_derogation_and_retrocession_run_all_the_days_of_the_act_in_the_year():
    avec = Changements(derogation=F(35), retrocession=F(137, 100))
    (change,) = remplacer((acte(debut=date(2025, 4, 1)),), avec, AN, QUI)
    assert taux_brut(change, date(2025, 4, 1)) == taux_brut(change, date(2025, 12, 31)) == 35
    assert taux_net(change, date(2025, 12, 31)) == F(3363, 100)
    signe = acte(
        derogations=(Derogation(F(40), date(2025, 1, 1), date(2025, 2, 1)),),
        retrocession=Retrocession(F(1), date(2025, 1, 1), date(2039, 12, 31)),
    )
    (sans,) = remplacer((signe,), Changements(derogation=F(0), retrocession=F(0)), AN, QUI)
    assert sans.derogations == () and sans.retrocession is None and taux_net(sans, date(2025, 1, 15)) == 30


@pytest.mark.parametrize(
    ("changements", "champ"),
    [
        (Changements(taux={"ETAT": F("30.01")}), "taux-ETAT"),
        (Changements(taux_agents=F("5.01")), "taux_agents"),
        (Changements(taux={"ETAT": F(2)}, taux_agents=F(3)), "taux_agents"),
        (Changements(taux={"ETAT": F(2)}), "taux-ETAT"),  # under the agents of its act
        (Changements(derogation=F(29)), "derogation"),
        (Changements(retrocession=F("30.5")), "retrocession_points"),
        (Changements(taux={"ALS": F("70.01")}), ""),
        (Changements(taux={"06029": F("50.01")}), ""),
    ],
)
def test_what_no_act_may_give_is_refused_at_its_field(changements, champ):
    actes = (acte(taux_agents=F(5)), acte(ALS, 20))
    with pytest.raises(SimulationImpossible) as refus:
        verifier(remplacer(actes, changements, AN, QUI), changements, AN)
    assert refus.value.champ == champ and len(str(refus.value)) > 40


@pytest.mark.parametrize(
    "changements",
    [
        Changements(taux={"ETAT": F(30)}, taux_agents=F(5)),
        Changements(derogation=F(30)),
        Changements(retrocession=F(30)),
        Changements(taux={"ALS": F(70)}),
        Changements(taux={"06029": F(50)}),
    ],
)
def test_the_last_value_that_an_act_may_give_is_taken(changements):
    verifier(remplacer((acte(), acte(ALS, 20)), changements, AN, QUI), changements, AN)


# --- In sentences -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logements", "exact", "points", "phrase"),
    [
        (12, F(12), F(137, 100), "gagne 12 logements (+1,37 point du flux)"),
        (-1, F(-1), F(-2), "perd 1 logement (−2,00 points du flux)"),
        (0, F(1, 3), F(1, 10), "gagne moins d’un logement\u00a0: +0,33 (+0,10 point du flux)"),
        (0, F(0), F(0), "ne change pas"),
        (0, F(0), None, "ne change pas"),
        (3, F(3), None, "gagne 3 logements"),
        (3, F(3), F(0), "gagne 3 logements, à points égaux"),
    ],
)
def test_gains_are_said_in_a_sentence(logements, exact, points, phrase):
    assert dire_gain(logements, exact, points) == phrase


def cote(requis, realise) -> Cote:
    return Cote(None, F(requis), F(0), requis, requis, realise, realise >= requis)


def test_the_objective_is_told_beside_what_happened():
    assert dire_objectif(cote(10, 8), cote(8, 8)) == (
        "l’objectif aurait été atteint\u202f; il en a manqué 2 avec les actes en vigueur"
    )
    assert dire_objectif(cote(8, 8), cote(10, 8)) == (
        "il aurait manqué 2 logements\u202f; atteint avec les actes en vigueur"
    )
    assert dire_objectif(cote(8, 8), cote(7, 8)).endswith("comme avec les actes en vigueur")
    assert dire_objectif(cote(9, 8), cote(10, 8)).endswith("manqué 2 logements, 1 avec les actes en vigueur")
    assert dire_objectif(cote(0, 0), cote(0, 0)) == "sans objectif à atteindre"
    assert dire_objectif(cote(0, 0), replace(cote(0, 0), atteint=None)) == ""


def test_a_year_is_told_in_a_sentence():
    assert resumer([("ALS", 2), ("l’État", -2), ("CAF", 0)], 2025, 100, 100) == (
        "En 2025, ALS gagne 2 logements\u202f; l’État en perd 2."
    )
    assert resumer([("ALS", 0)], 2025, 100, 104) == (
        "En 2025, personne ne gagne ni ne perd un logement entier. Le flux passe de 100 à 104 logements."
    )
