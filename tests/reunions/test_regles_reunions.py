"""The rules of the meetings: every transition, the boundary of each date."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.campagne import Seuil
from bilans.regles.reunions import (
    AVEC_MOTIF,
    PERMANENTS,
    TABLE,
    ActeReunion,
    EtatAction,
    EtatReunion,
    Rubrique,
    TransitionImpossible,
    ce_qui_manque,
    passer,
    points_a_proposer,
    rappel_du,
    situer_action,
)

JOUR = date(2026, 11, 15)


@pytest.mark.parametrize("etat", EtatReunion)
@pytest.mark.parametrize("acte", ActeReunion)
def test_only_what_the_table_holds_is_possible(etat, acte):
    if (etat, acte) in TABLE:
        assert passer(etat, acte, "erreur de date") == TABLE[etat, acte]
        if acte in AVEC_MOTIF:
            with pytest.raises(TransitionImpossible, match="motif"):
                passer(etat, acte, "  ")
    else:
        with pytest.raises(TransitionImpossible, match="n’est pas possible"):
            passer(etat, acte, "m")


def test_a_closed_meeting_is_changed_only_by_reopening_it():
    sorties = {acte: vers for (de, acte), vers in TABLE.items() if de == EtatReunion.CLOSE}
    assert sorties == {
        ActeReunion.ENVOYER: EtatReunion.CLOSE,
        ActeReunion.ROUVRIR: EtatReunion.OUVERTE,
    }
    assert not [vers for (de, _), vers in TABLE.items() if de == EtatReunion.ANNULEE]


@pytest.mark.parametrize(
    ("jours", "etat", "dit", "seuil"),
    [
        (31, EtatAction.OUVERTE, "dans 31 jours", None),
        (30, EtatAction.PROCHE, "dans 30 jours", Seuil.J_30),
        (8, EtatAction.PROCHE, "dans 8 jours", Seuil.J_30),
        (7, EtatAction.PROCHE, "dans 7 jours", Seuil.J_7),
        (1, EtatAction.PROCHE, "demain", Seuil.J_7),
        (0, EtatAction.PROCHE, "aujourd’hui", Seuil.J_7),
        (-1, EtatAction.EN_RETARD, "en retard de 1 jour", Seuil.RETARD),
        (-7, EtatAction.EN_RETARD, "en retard de 7 jours", Seuil.RETARD),
        (-8, EtatAction.EN_RETARD, "en retard de 8 jours", None),
    ],
)
def test_when_an_action_is_near_then_late(jours, etat, dit, seuil):
    situation = situer_action(JOUR + timedelta(days=jours), JOUR)
    assert (situation.etat, situation.compte_a_rebours.replace("\u00a0", " ")) == (etat, dit)
    assert rappel_du(situation) == seuil


@given(st.integers(-500, 500), st.booleans())
def test_what_is_over_is_never_late_nor_reminded(jours, faite):
    situation = situer_action(JOUR + timedelta(days=jours), JOUR, faite=faite, abandonnee=not faite)
    assert situation.etat == (EtatAction.FAITE if faite else EtatAction.ABANDONNEE)
    assert not situation.ouverte and not situation.compte_a_rebours and rappel_du(situation) is None


def test_the_agenda_proposed_has_each_standing_item_once():
    assert [p.rubrique for p in points_a_proposer(frozenset(), 0)] == [p.rubrique for p in PERMANENTS]
    avec = points_a_proposer(frozenset({Rubrique.QUART}), 2)
    assert avec[0].rubrique == Rubrique.ACTIONS and "2\u00a0actions" in avec[0].texte.replace(" ", "\u00a0")
    assert Rubrique.QUART not in {p.rubrique for p in avec}
    tous = frozenset(Rubrique)
    assert points_a_proposer(tous, 4) == []


def test_what_is_said_before_closing():
    assert ce_qui_manque(3, 0, 0) == []
    vide, sans, inconnues = ce_qui_manque(0, 1, 2)
    assert (
        "vide" in vide
        and "1 point" in sans.replace("\u00a0", " ")
        and "2 membres" in inconnues.replace("\u00a0", " ")
    )
