"""The three tables: every transition passes, everything else is refused, and favourable figures forbid each measure."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.procedures import (
    ETATS,
    FINS,
    TABLE,
    Acte,
    Engagement,
    Etat,
    Lettre,
    Objectif,
    Quart,
    Qui,
    Situation,
    Sorte,
    TransitionRefusee,
    passer,
    possibilites,
    refus,
    stade,
    suites,
)
from bilans.regles.procedures_delais import Mode, Pas, Suite, delai_en_mois, suivre

JOUR = date(2026, 6, 10)
BILAN = Engagement("bilan annuel 2025", "article 7.1", date(2026, 2, 27), date(2026, 2, 28))
ETAT = Objectif("ETAT", "l’État", 233, 224, "article 8.2")
RECUE = suivre(
    Mode.RECOMMANDE,
    [Pas(date(2026, 4, 3), Suite.ENVOI), Pas(date(2026, 4, 9), Suite.RECEPTION)],
    JOUR,
)
PERDUE = suivre(
    Mode.RECOMMANDE, [Pas(date(2026, 4, 3), Suite.ENVOI), Pas(date(2026, 4, 9), Suite.ADRESSE)], JOUR
)
# What makes each act possible, all else being well for it.
PROPICE = {
    Acte.OUVRIR_SANS_CONVENTION: {"acte_en_vigueur": False},
    Acte.CONSTATER_RETOUR: {"suivi": PERDUE},
    Acte.RETIRER_RECEPTION: {"suivi": PERDUE},
    Acte.PRENDRE_ARRETE: {"acte_en_vigueur": False},
    Acte.CONVOQUER: {"reunion": JOUR + timedelta(days=20)},
    Acte.JUGER_JUSTIFIE: {"justifies": 9, "manques_retenus": 0},
    Acte.CLORE: {"decides": 6},
}


def situation(**champs) -> Situation:
    """A late bilan, 9 attributions missing, a quarter not reached, a letter received two months ago and a day."""
    base = Situation(
        jour=JOUR,
        engagements=(BILAN,),
        objectifs=(ETAT,),
        quart=Quart("ALS", "Action Logement Services", 52, 217),
        bilan_valide=True,
        suivi=RECUE,
        delai=delai_en_mois(date(2026, 4, 9)),
        reunion=date(2026, 6, 9),
        justifies=3,
        manques_retenus=6,
        decides=0,
        motif="Erreur de destinataire.",
    )
    return replace(base, **champs)


def propice(t) -> Situation:
    if t.acte == Acte.ETEINDRE:
        if t.sorte == Sorte.MANQUEMENT:
            return situation(
                engagements=(BILAN._replace(rempli_le=date(2026, 5, 21)),),
                acte_en_vigueur=True,
            )
        return situation(
            objectifs=(ETAT._replace(realise=233),), quart=Quart("ALS", "Action Logement Services", 55, 217)
        )
    return situation(**PROPICE.get(t.acte, {}))


@pytest.mark.parametrize("t", TABLE, ids=lambda t: f"{t.sorte}-{t.de}-{t.acte}")
def test_each_transition_passes(t):
    assert passer(t.sorte, t.de, t.acte, Qui.SIGNATAIRE, propice(t)) is t
    assert t.vers in ETATS[t.sorte]


@pytest.mark.parametrize("sorte", Sorte)
def test_everything_that_is_not_in_the_table_is_refused(sorte):
    """Whatever the figures: the most propitious situation of each act is tried from each state, foreign ones too."""
    connues = {(t.sorte, t.de, t.acte) for t in TABLE}
    autres = [cle for cle in product([sorte], [None, *Etat], Acte) if cle not in connues]
    assert len(autres) == 19 * len(Acte) - sum(t.sorte == sorte for t in TABLE)
    for _, de, acte in autres:
        for t in TABLE:
            if t.acte == acte:
                with pytest.raises(TransitionRefusee, match="n’est pas possible"):
                    passer(sorte, de, acte, Qui.SIGNATAIRE, propice(t))


def test_the_table_holds_each_act_of_a_state_once():
    cles = [(t.sorte, t.de, t.acte) for t in TABLE]
    assert len(cles) == len(set(cles))


def test_the_three_never_mix():
    """Only the opening, the end without measure and the receipt have the same name in two procedures."""
    mesures = {
        Sorte.MANQUEMENT: {Acte.METTRE_EN_DEMEURE, Acte.RESILIER, Acte.PRENDRE_ARRETE},
        Sorte.OBJECTIFS: {Acte.CONVOQUER, Acte.REPORTER, Acte.JUGER_INJUSTIFIE, Acte.JUGER_JUSTIFIE},
        Sorte.QUART: {Acte.NOTIFIER},
    }
    for sorte, actes in mesures.items():
        assert {t.sorte for t in TABLE if t.acte in actes} == {sorte}
    lettres = [(t.lettre, t.sorte) for t in TABLE if t.lettre]
    assert {lettre for lettre, _ in lettres} == set(Lettre)
    assert len(dict(lettres)) == len(set(lettres))  # a letter belongs to one procedure


def test_each_state_is_reached_and_each_open_one_can_end():
    for sorte in Sorte:
        lignes = [t for t in TABLE if t.sorte == sorte]
        atteints, voisins = set(), {t.vers for t in lignes if t.de is None}
        while voisins - atteints:
            atteints |= voisins
            voisins = {t.vers for t in lignes if t.de in atteints}
        assert atteints == set(ETATS[sorte])
        for etat in ETATS[sorte]:
            sorties = {t.vers for t in lignes if t.de == etat}
            assert (not sorties) == (etat in FINS), etat
            assert sorties & (FINS | atteints) == sorties


@pytest.mark.parametrize("t", [t for t in TABLE if t.qui == Qui.SIGNATAIRE], ids=lambda t: f"{t.de}-{t.acte}")
def test_what_is_signed_needs_signature(t):
    with pytest.raises(TransitionRefusee, match="rôle de signature"):
        passer(t.sorte, t.de, t.acte, Qui.AGENT, propice(t))


def test_every_letter_is_signed():
    assert all(t.qui == Qui.SIGNATAIRE for t in TABLE if t.lettre)


FAVORABLE = {
    Sorte.MANQUEMENT: {"engagements": (BILAN._replace(rempli_le=date(2026, 6, 10)),)},
    Sorte.OBJECTIFS: {"objectifs": (ETAT._replace(realise=233),)},
    Sorte.QUART: {"quart": Quart("ALS", "Action Logement Services", 55, 217)},
}
MESURES = [
    t
    for t in TABLE
    if t.acte
    in {
        Acte.OUVRIR,
        Acte.METTRE_EN_DEMEURE,
        Acte.RESILIER,
        Acte.CONVOQUER,
        Acte.JUGER_INJUSTIFIE,
        Acte.REPORTER,
        Acte.ATTRIBUER,
        Acte.NOTIFIER,
    }
]


@pytest.mark.parametrize("t", MESURES, ids=lambda t: f"{t.sorte}-{t.acte}")
def test_no_measure_when_the_figures_are_favourable(t):
    with pytest.raises(TransitionRefusee):
        passer(t.sorte, t.de, t.acte, Qui.SIGNATAIRE, replace(propice(t), **FAVORABLE[t.sorte]))


def test_one_dwelling_decides():
    """232 of 233 is missed, 233 is not; 54 of 217 is under the quarter (54.25 → 55), 55 is not."""
    assert ETAT._replace(realise=232).manque == 1 and ETAT._replace(realise=233).manque == 0
    assert ETAT._replace(realise=300).manque == 0
    assert Quart("ALS", "", 54, 217).manque == 1 and Quart("ALS", "", 55, 217).manque == 0
    assert Quart("ALS", "", 0, 0).manque == 0


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_quarter_is_exact(prioritaires, attributions):
    prioritaires = min(prioritaires, attributions)
    manque = Quart("x", "", prioritaires, attributions).manque
    assert 4 * (prioritaires + manque) >= attributions
    assert manque == 0 or 4 * (prioritaires + manque - 1) < attributions


@pytest.mark.parametrize(
    ("jour", "motif"),
    [
        (date(2026, 2, 27), "est attendu le 27 février 2026, toléré jusqu’au 28 février 2026"),
        (date(2026, 2, 28), "toléré jusqu’au 28 février 2026"),
        (date(2026, 3, 1), ""),
    ],
)
def test_late_only_after_the_tolerance(jour, motif):
    ouvrir = next(t for t in TABLE if t.acte == Acte.OUVRIR and t.sorte == Sorte.MANQUEMENT)
    raisons = refus(ouvrir, situation(jour=jour))
    assert (motif in raisons[0]) if motif else raisons == ()
    assert BILAN.retard(jour) == max(0, (jour - date(2026, 2, 27)).days)


@pytest.mark.parametrize(
    ("jour", "possible"),
    [(date(2026, 6, 8), False), (date(2026, 6, 9), False), (date(2026, 6, 10), True)],
)
def test_two_months_to_the_day_before_a_resiliation(jour, possible):
    resilier = next(t for t in TABLE if t.acte == Acte.RESILIER)
    raisons = refus(resilier, situation(jour=jour))
    assert (raisons == ()) == possible
    assert possible or raisons == ("Le délai court jusqu’au 9 juin 2026 inclus.",)


def test_a_bilan_sent_back_lets_the_delay_run_and_one_delivered_stops_the_resiliation():
    resilier = next(t for t in TABLE if t.acte == Acte.RESILIER)
    rendu = BILAN._replace(rempli_le=date(2026, 6, 10))
    assert (
        "Tout ce que la convention demande est remis" in refus(resilier, situation(engagements=(rendu,)))[0]
    )
    assert refus(resilier, situation(engagements=(rendu._replace(rempli_le=None),))) == ()


def test_without_a_clause_nothing_is_possible_and_the_page_says_why():
    ouvrir = next(t for t in TABLE if t.acte == Acte.OUVRIR and t.sorte == Sorte.OBJECTIFS)
    muette = ETAT._replace(clause="")
    assert (
        "La convention de l’État ne porte pas de clause" in refus(ouvrir, situation(objectifs=(muette,)))[0]
    )
    cannes = Objectif("06029", "Cannes", 16, 14, "article 5")
    assert situation(objectifs=(muette, cannes)).manques == (cannes,)


def test_no_convention_goes_straight_to_the_arrete():
    vide = situation(acte_en_vigueur=False)
    ouverte = passer(Sorte.MANQUEMENT, None, Acte.OUVRIR_SANS_CONVENTION, Qui.AGENT, vide).vers
    assert passer(Sorte.MANQUEMENT, ouverte, Acte.PRENDRE_ARRETE, Qui.SIGNATAIRE, vide).vers == Etat.ARRETEE
    with pytest.raises(TransitionRefusee, match="l’arrêté se prend directement"):
        passer(Sorte.MANQUEMENT, None, Acte.OUVRIR, Qui.AGENT, vide)
    with pytest.raises(TransitionRefusee, match="se résilie après une mise en demeure"):
        passer(Sorte.MANQUEMENT, None, Acte.OUVRIR_SANS_CONVENTION, Qui.AGENT, situation())


@pytest.mark.parametrize(
    ("justifies", "retenus", "possible"),
    [(9, 0, False), (3, 6, True), (0, 9, True), (3, 5, False), (4, 6, False), (0, 0, False)],
)
def test_each_missing_dwelling_is_judged_once(justifies, retenus, possible):
    juger = next(t for t in TABLE if t.acte == Acte.JUGER_INJUSTIFIE)
    assert (refus(juger, situation(justifies=justifies, manques_retenus=retenus)) == ()) == possible


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3))
def test_a_measure_while_something_is_undecided_and_an_end_when_nothing_is(retenus, decides, a_imputer):
    s = situation(manques_retenus=retenus, decides=min(decides, retenus), a_imputer=a_imputer)
    possibles = {p.transition.acte for p in possibilites(Sorte.OBJECTIFS, Etat.INJUSTIFIEE, s) if p.possible}
    assert (Acte.REPORTER in possibles) == (Acte.ATTRIBUER in possibles) == (s.decides < retenus)
    assert (Acte.CLORE in possibles) == (s.decides == retenus and not a_imputer)


def test_a_letter_that_reached_nobody_starts_no_clock():
    s = situation(suivi=PERDUE, delai=None)
    possibles = {p.transition.acte: p for p in possibilites(Sorte.MANQUEMENT, Etat.MISE_EN_DEMEURE, s)}
    assert not possibles[Acte.CONSTATER_RECEPTION].possible
    assert possibles[Acte.CONSTATER_RETOUR].possible
    assert refus(next(t for t in TABLE if t.acte == Acte.RESILIER), s) == (
        "Le délai ne court pas encore : la date certaine de réception manque.",
    )


@pytest.mark.parametrize("t", [t for t in TABLE if t.conditions], ids=lambda t: f"{t.sorte}-{t.de}-{t.acte}")
def test_each_condition_can_refuse(t):
    """A condition that never says no would not be one."""
    contraires = [
        situation(),
        Situation(jour=JOUR),
        Situation(jour=JOUR, acte_en_vigueur=False),
        situation(acte_en_vigueur=False, objectifs=()),
        situation(jour=date(2026, 2, 1), reunion=date(2026, 2, 1)),
        situation(suivi=None, delai=None, decides=6, a_imputer=2),
        situation(suivi=PERDUE, quart=None),
    ]
    for condition in t.conditions:
        assert any(condition(s) for s in contraires), condition.__name__


@pytest.mark.parametrize(("sorte", "etat"), [(s, e) for s in Sorte for e in ETATS[s]])
def test_each_state_says_what_comes_if_nobody_does_anything(sorte, etat):
    for s in (situation(), Situation(jour=JOUR)):
        phrases = suites(sorte, etat, s)
        assert all(phrase.endswith(".") and "None" not in phrase for phrase in phrases)
    assert stade(etat)


def test_a_state_of_another_procedure_has_nothing_to_say():
    with pytest.raises(TransitionRefusee, match="n’est pas un stade"):
        suites(Sorte.QUART, Etat.RESILIEE, situation())


def test_the_clock_is_in_the_sentences():
    avant, apres = situation(jour=date(2026, 6, 1)), situation()
    assert "le 9 juin 2026 à minuit" in suites(Sorte.MANQUEMENT, Etat.DELAI, avant)[0]
    assert "expiré depuis le 9 juin 2026" in suites(Sorte.MANQUEMENT, Etat.DELAI, apres)[0]
