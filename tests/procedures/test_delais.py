"""Certain dates and clocks: what starts them, when they end, in Paris."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.procedures_delais import (
    Inscription,
    Mode,
    Pas,
    Suite,
    Suivi,
    SuiviImpossible,
    ajouter_mois,
    delai_en_jours,
    delai_en_mois,
    en_vigueur,
    suivre,
)
from reservation.regles.periodes import jour_a_paris

JOURS = st.dates(date(2020, 1, 1), date(2060, 12, 31))
CE_JOUR = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("recue", "dernier_jour"),
    [
        (date(2026, 4, 9), date(2026, 6, 9)),
        (date(2026, 12, 31), date(2027, 2, 28)),
        (date(2027, 12, 31), date(2028, 2, 29)),
        (date(2027, 12, 29), date(2028, 2, 29)),
        (date(2026, 12, 28), date(2027, 2, 28)),
        (date(2026, 7, 31), date(2026, 9, 30)),
        (date(2026, 6, 30), date(2026, 8, 30)),
        (date(2028, 2, 29), date(2028, 4, 29)),
        (date(2026, 11, 1), date(2027, 1, 1)),
    ],
)
def test_two_months_go_from_date_to_date(recue, dernier_jour):
    assert delai_en_mois(recue).fin == dernier_jour


@given(JOURS, st.integers(0, 30))
def test_months_added_stay_in_the_month_expected(jour, mois):
    fin = ajouter_mois(jour, mois)
    assert (fin.year * 12 + fin.month) - (jour.year * 12 + jour.month) == mois
    assert fin.day == jour.day or (fin + timedelta(days=1)).day == 1 and fin.day < jour.day


@given(JOURS, st.integers(-400, 400))
def test_on_each_day_a_delay_runs_or_has_expired_or_has_not_begun(depart, ecart):
    delai, jour = delai_en_mois(depart), depart + timedelta(days=ecart)
    assert [jour < depart, delai.court(jour), delai.expire(jour)].count(True) == 1
    assert delai.expire(jour) == (jour >= jour_a_paris(delai.expiration))
    assert (delai.jours_restants(jour) == 0) == (jour >= delai.fin)


@given(JOURS, JOURS)
def test_received_later_never_ends_sooner(a, b):
    tot, tard = sorted((a, b))
    assert delai_en_mois(tot).fin <= delai_en_mois(tard).fin


def test_it_expires_at_midnight_of_paris_in_summer_and_in_winter():
    ete, hiver = delai_en_mois(date(2026, 4, 9)), delai_en_mois(date(2026, 11, 9))
    assert ete.expiration == datetime(2026, 6, 9, 22, tzinfo=UTC)
    assert hiver.expiration == datetime(2027, 1, 9, 23, tzinfo=UTC)
    assert not ete.expire(jour_a_paris(datetime(2026, 6, 9, 21, 59, 59, tzinfo=UTC)))
    assert ete.expire(jour_a_paris(datetime(2026, 6, 9, 22, 0, tzinfo=UTC)))


def test_an_instant_without_a_zone_has_no_day():
    with pytest.raises(ValueError, match="sans fuseau"):
        jour_a_paris(datetime(2026, 6, 9, 22))


def test_a_delay_of_the_letter_is_in_days():
    delai = delai_en_jours(date(2026, 5, 26), 15)
    assert delai.fin == date(2026, 6, 10) and delai.jours_restants(date(2026, 6, 1)) == 9


def lettre(*suites: tuple[int, Suite], mode: Mode = Mode.RECOMMANDE) -> Suivi:
    return suivre(mode, [Pas(date(2026, 4, jour), suite) for jour, suite in suites], CE_JOUR)


@pytest.mark.parametrize(
    ("suites", "certaine"),
    [
        ([], None),
        ([(3, Suite.ENVOI)], None),
        ([(3, Suite.ENVOI), (7, Suite.PRESENTATION)], None),
        ([(3, Suite.ENVOI), (7, Suite.PRESENTATION), (9, Suite.RECEPTION)], 9),
        ([(3, Suite.ENVOI), (4, Suite.RECEPTION)], 4),
        ([(3, Suite.ENVOI), (7, Suite.PRESENTATION), (24, Suite.NON_RECLAME)], 7),
        ([(3, Suite.ENVOI), (8, Suite.REFUS)], 8),
        ([(3, Suite.ENVOI), (8, Suite.ADRESSE)], None),
        ([(3, Suite.ENVOI), (7, Suite.PRESENTATION), (8, Suite.ADRESSE)], None),
    ],
)
def test_the_certain_date(suites, certaine):
    suivi = lettre(*suites)
    assert suivi.date_certaine == (date(2026, 4, certaine) if certaine else None)
    assert suivi.a_renvoyer == bool(suites and suites[-1][1] == Suite.ADRESSE)


def test_a_hand_delivery_is_received_or_refused_the_day_it_is_made():
    assert lettre((3, Suite.ENVOI), (3, Suite.RECEPTION), mode=Mode.REMISE).date_certaine == date(2026, 4, 3)
    for suite in (Suite.PRESENTATION, Suite.NON_RECLAME, Suite.ADRESSE):
        with pytest.raises(SuiviImpossible, match="Suites attendues : refusée par le destinataire, reçue"):
            lettre((3, Suite.ENVOI), (4, suite), mode=Mode.REMISE)


@given(st.sampled_from(Mode), st.lists(st.sampled_from(Suite), max_size=5))
def test_only_the_steps_of_the_table_follow_each_other(mode, suites):
    """Whatever is tried, the steps kept begin with the sending and nothing follows an end."""
    suivi = Suivi(mode)
    for suite in suites:
        attendue = suite in suivi.possibles
        try:
            suivi = suivi.avancer(suite, date(2026, 4, 3), CE_JOUR)
        except SuiviImpossible:
            assert not attendue
        else:
            assert attendue
    assert not suivi.pas or suivi.pas[0].suite == Suite.ENVOI
    assert (suivi.date_certaine is None) or not suivi.possibles


def test_nothing_is_received_twice_nor_before_it_was_sent_nor_tomorrow():
    recue = lettre((3, Suite.ENVOI), (9, Suite.RECEPTION))
    with pytest.raises(SuiviImpossible, match="Suites attendues : aucune"):
        recue.avancer(Suite.RECEPTION, date(2026, 4, 10), CE_JOUR)
    with pytest.raises(SuiviImpossible, match="précède celle de la suite déjà inscrite \\(03/04/2026\\)"):
        lettre((3, Suite.ENVOI)).avancer(Suite.RECEPTION, date(2026, 4, 2), CE_JOUR)
    with pytest.raises(SuiviImpossible, match="est à venir"):
        lettre((3, Suite.ENVOI)).avancer(Suite.RECEPTION, date(2026, 7, 1), CE_JOUR)


# --- A journal that is corrected ----------------------------------------------------------------------------------------


def lu(*lignes: Inscription) -> list[tuple]:
    return [tuple(x.pas) for x in en_vigueur(lignes)]


def test_a_correction_stands_where_the_wrong_row_stood():
    envoi, recue = Pas(date(2026, 4, 3), Suite.ENVOI), Pas(date(2026, 4, 9), Suite.RECEPTION)
    juste, encore = Pas(date(2026, 4, 2), Suite.ENVOI), Pas(date(2026, 4, 1), Suite.ENVOI)
    journal = (Inscription(1, envoi), Inscription(2, recue))
    assert lu(*journal) == [envoi, recue]
    assert lu(*journal, Inscription(3, juste, 1)) == [juste, recue]
    assert lu(*journal, Inscription(3, juste, 1), Inscription(4, encore, 3)) == [encore, recue]
    retiree = Inscription(3, recue, 2, retire=True)
    assert lu(*journal, retiree) == [envoi]
    assert lu(*journal, retiree, Inscription(4, recue)) == [envoi, recue]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 99)), max_size=12))
def test_no_row_holds_twice_and_the_last_correction_of_a_place_holds(choix):
    journal: list[Inscription] = []
    for rang, (corrige, retire, lequel) in enumerate(choix, 1):
        valent = en_vigueur(journal)
        cible = valent[lequel % len(valent)].rang if corrige and valent else None
        journal.append(
            Inscription(rang, Pas(CE_JOUR, Suite.ENVOI), cible, retire=retire and cible is not None)
        )
    valent = {x.rang for x in en_vigueur(journal)}
    corriges = {x.corrige for x in journal}
    assert valent == {x.rang for x in journal if x.rang not in corriges and not x.retire}
