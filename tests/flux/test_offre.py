"""The ten days of an offer, and the soft checks: rules at their boundaries."""

from datetime import date, timedelta

import pytest

from flux.regles.controles import (
    Controle,
    anomalies_de_la_declaration,
    anomalies_du_bail,
    restent_a_confirmer,
)
from flux.regles.offre import (
    EtatOffre,
    condition_expiree,
    dernier_jour_pour_repondre,
    silence_vaut_refus,
    situation_offre,
)

OFFRE = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("jours", "etat", "mots"),
    [
        (0, EtatOffre.EN_COURS, "encore 10 jours"),
        (9, EtatOffre.EN_COURS, "encore 1 jour."),
        (10, EtatOffre.EN_COURS, "c’est le dernier jour"),
        (11, EtatOffre.SILENCE, "sans réponse depuis 1 jour"),
        (40, EtatOffre.SILENCE, "sans réponse depuis 30 jours"),
    ],
)
def test_the_clock(jours, etat, mots):
    situation = situation_offre(
        offre_le=OFFRE, acceptee_le=None, refusee_le=None, date_bail=None, jour=OFFRE + timedelta(jours)
    )
    assert (situation.etat, situation.limite) == (etat, date(2026, 3, 11))
    assert mots in situation.phrase


def test_the_day_of_the_notification_is_not_counted():
    assert dernier_jour_pour_repondre(OFFRE) == date(2026, 3, 11)
    assert not silence_vaut_refus(OFFRE, date(2026, 3, 11))
    assert silence_vaut_refus(OFFRE, date(2026, 3, 12))
    assert not silence_vaut_refus(OFFRE, date(2026, 3, 12), delai=15)
    assert dernier_jour_pour_repondre(date(2027, 12, 25)) == date(2028, 1, 4)


@pytest.mark.parametrize(
    ("faits", "etat"),
    [
        ({}, EtatOffre.A_NOTIFIER),
        ({"offre_le": OFFRE, "acceptee_le": OFFRE}, EtatOffre.ACCEPTEE),
        ({"date_bail": OFFRE}, EtatOffre.BAIL),
        ({"offre_le": OFFRE, "refusee_le": OFFRE}, EtatOffre.REFUSEE),
    ],
)
def test_one_state_at_a_time(faits, etat):
    vide = dict.fromkeys(("offre_le", "acceptee_le", "refusee_le", "date_bail"))
    situation = situation_offre(**vide | faits, jour=date(2027, 1, 1))
    assert (situation.etat, situation.limite, situation.phrase) == (etat, None, "")


def test_condition():
    assert not condition_expiree(OFFRE, None, OFFRE)
    assert condition_expiree(OFFRE, None, OFFRE + timedelta(1))
    assert not condition_expiree(OFFRE, OFFRE, OFFRE + timedelta(1))


def codes(**faits) -> list[str]:
    defauts = {"jour": date(2026, 5, 4), "aujourd_hui": date(2026, 5, 10)}
    return [anomalie.controle for anomalie in anomalies_de_la_declaration(**defauts | faits)]


@pytest.mark.parametrize(
    ("faits", "attendus"),
    [
        ({}, []),
        ({"autres": [date(2026, 3, 24)]}, [Controle.DEUX_FOIS]),
        ({"autres": [date(2025, 12, 31)]}, []),
        ({"jour": date(2026, 11, 9)}, []),
        ({"jour": date(2026, 11, 10)}, [Controle.AVENIR]),
        ({"jour": date(2025, 12, 31)}, [Controle.ANNEE_PASSEE]),
        ({"date_preavis": date(2025, 5, 4)}, []),
        ({"date_preavis": date(2025, 5, 3)}, [Controle.PREAVIS]),
        ({"date_disponibilite": date(2026, 5, 4)}, []),
        ({"date_disponibilite": date(2026, 5, 3)}, [Controle.DISPONIBLE_AVANT]),
        ({"date_disponibilite": date(2027, 5, 4)}, []),
        ({"date_disponibilite": date(2027, 5, 5)}, [Controle.DISPONIBLE_TARD]),
        ({"premiere": True, "mise_en_location": 2026}, []),
        ({"premiere": True, "mise_en_location": 1974}, [Controle.DEJA_LOUE]),
        ({"mise_en_location": 1974}, []),
        ({"bail": date(2026, 5, 4)}, []),
        ({"bail": date(2026, 6, 1)}, [Controle.BAIL_RECENT]),
    ],
)
def test_what_is_odd_in_a_declaration(faits, attendus):
    assert codes(**faits) == attendus


def test_it_says_how_often_and_how_far():
    (anomalie,) = anomalies_de_la_declaration(
        jour=date(2026, 5, 4), aujourd_hui=date(2026, 5, 4), autres=[date(2026, 3, 24), date(2026, 1, 2)]
    )
    assert "2 janvier 2026 et 24 mars 2026" in anomalie.phrase
    assert "41 jours d’écart" in anomalie.phrase and "3 fois" in anomalie.phrase


def test_a_token_confirms_one_sentence():
    premiere, *_ = anomalies_du_bail(date_caleol=date(2026, 1, 1), date_bail=date(2026, 6, 1))
    autre, *_ = anomalies_du_bail(date_caleol=date(2026, 1, 1), date_bail=date(2026, 7, 1))
    assert restent_a_confirmer([premiere], [premiere.jeton]) == []
    assert restent_a_confirmer([premiere], [autre.jeton]) == [premiere]
    assert restent_a_confirmer([premiere], []) == [premiere]
    assert anomalies_du_bail(date_caleol=date(2026, 1, 1), date_bail=date(2026, 5, 1)) == []
