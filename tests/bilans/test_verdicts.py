"""Verdicts and their sentences: each boundary, each piece, what they say and what they keep quiet."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bilans.regles.donnees import ALS, BAILLEUR, ETAT, ControleCent, ControleHorsQpv, PlafondAgents
from bilans.regles.phrases import (
    lister,
    phrase_agents,
    phrase_cent,
    phrase_hors_qpv,
    phrase_objectif_etat,
    phrase_quarts,
    phrase_report,
    phrase_suite_objectifs,
    phrase_suite_quart,
    rendre_verdict,
)
from bilans.regles.verdicts import (
    Issue,
    juger_cent_pour_cent,
    juger_objectif,
    juger_plafond,
    juger_plancher,
    juger_quart,
)
from tests.bilans.exemple import exemple


@pytest.mark.parametrize(
    ("ecart", "objectif", "realise", "texte", "manque"),
    [
        (0, 82, 82, "✓ atteint", 0),
        (1, 82, 83, "✓ dépassé", 0),
        (-1, 82, 81, "▲ manque 1", 1),
        (-1200, 1200, 0, "▲ manque 1\u202f200", 1200),
        (0, 0, 0, "– sans objet", 0),
        (3, 0, 3, "✓ dépassé", 0),
        (None, 0, 124, "– reste", 0),
    ],
)
def test_objective(ecart, objectif, realise, texte, manque):
    verdict = juger_objectif(ecart, objectif, realise)
    assert (verdict.texte, verdict.manque) == (texte, manque)


@pytest.mark.parametrize(
    ("attributions", "manque", "texte"),
    [(0, 0, "– sans objet"), (4, 0, "✓ tenu"), (56, 1, "▲ manque 1")],
)
def test_quarter(attributions, manque, texte):
    assert juger_quart(attributions, manque).texte == texte
    assert juger_cent_pour_cent(attributions, manque).texte == texte


@pytest.mark.parametrize(
    ("nombre", "plafond", "texte"),
    [(14, 14, "✓ tenu"), (15, 14, "▲ dépasse de 1"), (0, 0, "– sans objet"), (1, 0, "▲ dépasse de 1")],
)
def test_ceiling(nombre, plafond, texte):
    assert juger_plafond(nombre, plafond).texte == texte


@pytest.mark.parametrize(
    ("nombre", "plancher", "texte"),
    [(48, 48, "✓ tenu"), (47, 48, "▲ manque 1"), (0, 0, "– sans objet"), (5, None, "– sans objet")],
)
def test_floor(nombre, plancher, texte):
    assert juger_plancher(nombre, plancher).texte == texte


def test_colour_is_never_alone():
    assert len({issue.signe for issue in Issue}) == len(Issue)


# --- Sentences ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def donnees():
    return exemple()


def part(donnees, **champs):
    base = donnees.part(ETAT)
    return replace(base, **champs)


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        (
            {"realise": 77, "objectif_total": 82, "ecart": -5},
            "L’objectif de l’État n’est pas atteint : 77 logements pour 82 attendus, il en manque 5.",
        ),
        (
            {"realise": 82, "objectif_total": 82, "ecart": 0},
            "L’objectif de l’État est atteint : 82 logements pour 82 attendus.",
        ),
        (
            {"realise": 84, "objectif_total": 82, "ecart": 2},
            "L’objectif de l’État est dépassé : 84 logements pour 82 attendus.",
        ),
        (
            {"realise": 0, "objectif_total": 0, "ecart": 0, "exacte": Decimal("0.5726")},
            "L’État n’attendait aucun logement entier : sa part exacte est de 0,57. Aucun n’a été réalisé.",
        ),
        (
            {"realise": 1, "objectif_total": 0, "ecart": 1, "exacte": Decimal("0.5726")},
            "L’État n’attendait aucun logement entier : sa part exacte est de 0,57. 1 logement a été réalisé.",
        ),
        ({"taux": ()}, "L’État n’avait pas d’acte en vigueur dans l’année : aucun objectif n’est fixé."),
    ],
)
def test_objective_of_the_etat(donnees, champs, phrase):
    assert phrase_objectif_etat(part(donnees, **champs)) == phrase


def test_an_unfinished_year_judges_nothing():
    verdict = rendre_verdict(exemple(provisoire=True))
    phrases = [phrase.texte for paragraphe in verdict.paragraphes for phrase in paragraphe]
    assert verdict.titre == "Situation provisoire"
    assert phrases[0].startswith("Au 20 novembre 2025, l’objectif de l’État n’est pas encore atteint")
    assert phrases[-1] == "L’année n’est pas terminée\u00a0: rien n’est encore jugé."


def test_report(donnees):
    assert phrase_report(part(donnees, objectif=80, report=2), 2025) == (
        "La part de l’année est de 80 ; 2 s’y ajoutent au titre de 2024 (report)."
    )
    assert "1 s’y ajoute au titre" in phrase_report(part(donnees, report=1), 2025)
    assert phrase_report(part(donnees, report=0), 2025) == ""


def avec_quart(donnees, code, prioritaires, attributions, manque):
    quarts = tuple(
        replace(q, prioritaires=prioritaires, attributions=attributions, manque=manque)
        if q.code == code
        else replace(q, manque=0)
        for q in donnees.quarts
    )
    return replace(donnees, quarts=quarts)


def test_quarters_are_named_with_what_was_due(donnees):
    assert phrase_quarts(avec_quart(donnees, ALS, 13, 56, 1)) == (
        "Quart dû aux publics prioritaires non atteint : Action Logement Services (13 sur 56, il en fallait 14)."
    )
    assert phrase_quarts(avec_quart(donnees, ALS, 14, 56, 0)) == ""


def test_each_quarter_has_its_judge(donnees):
    assert "L. 313-26-2" in phrase_suite_quart(avec_quart(donnees, ALS, 13, 56, 1))
    assert "non réservés" in phrase_suite_quart(avec_quart(donnees, BAILLEUR, 1, 56, 13))
    assert "toutes ses attributions" in phrase_suite_quart(avec_quart(donnees, "84007", 1, 12, 2))
    assert phrase_suite_quart(avec_quart(donnees, ALS, 14, 56, 0)) == ""


def test_the_contradictory_point_rests_on_a_clause(donnees):
    assert "convention : article 8.2" in phrase_suite_objectifs(donnees)
    sans_clause = tuple(replace(c, clause_objectifs="") for c in donnees.conventions)
    assert "ne prévoient pas" in phrase_suite_objectifs(replace(donnees, conventions=sans_clause))
    tenus = tuple(replace(p, ecart=0 if p.ecart is not None else None) for p in donnees.parts)
    assert phrase_suite_objectifs(replace(donnees, parts=tenus)) == ""


def test_state_contingent():
    assert phrase_cent(ControleCent(66, 64, 2, 0, ())) == ""
    assert "1 ménage non prioritaire sans motif" in phrase_cent(ControleCent(66, 63, 2, 1, ()))
    assert phrase_agents(PlafondAgents(14, 14)) == ""
    assert "16 pour 14" in phrase_agents(PlafondAgents(16, 14))
    assert phrase_hors_qpv(ControleHorsQpv(171, 48, 48)) == ""
    assert "44 logements pour un plancher de 48, il en manque 4" in phrase_hors_qpv(
        ControleHorsQpv(171, 44, 48)
    )
    assert phrase_hors_qpv(ControleHorsQpv(171, 0, None)) == ""


def test_long_lists_are_cut():
    assert lister(["a", "b"]) == "a et b"
    assert lister(list("abcde")) == "a, b, c, d et e"
    assert lister(list("abcdef")) == "a, b, c, d et 2 autres"


def test_all_held():
    donnees = exemple()
    tenu = replace(
        donnees,
        parts=tuple(
            p if p.ecart is None else replace(p, objectif_total=p.realise, ecart=0, atteint=True)
            for p in donnees.parts
        ),
        quarts=tuple(replace(q, manque=0) for q in donnees.quarts),
        hors_qpv=replace(donnees.hors_qpv, objectif=0),
        etat_100=replace(donnees.etat_100, manque=0),
        agents=PlafondAgents(3, 14),
    )
    verdict = rendre_verdict(tenu)
    assert verdict.tenu
    assert "Tous les autres objectifs, plafonds et seuils sont tenus." in [
        phrase.texte for paragraphe in verdict.paragraphes for phrase in paragraphe
    ]
    assert not rendre_verdict(donnees).tenu
