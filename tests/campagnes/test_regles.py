"""What is late, due or done, and which reminder is called for: boundaries, leap years, changes of hour. No database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.campagne import (
    Echeance,
    Etat,
    NatureEcheance,
    Seuil,
    bornes,
    campagnes_ouvertes,
    echeances_par_defaut,
    est_du,
    prochaine,
    seuil_atteint,
    situer,
    superposer,
)
from reservation.regles.periodes import PARIS, fin_du_jour, jour_a_paris
from tests import proprietes  # noqa: F401 (how Hypothesis runs here)

SECONDE = timedelta(seconds=1)


def a_paris(texte: str) -> datetime:
    return datetime.fromisoformat(texte).replace(tzinfo=PARIS)


def de(annee: int, nature: NatureEcheance = NatureEcheance.BILAN) -> Echeance:
    return next(e for e in echeances_par_defaut(annee) if e.nature == nature)


# --- The dates that ship ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("annee", [2024, 2025, 2026, 2027, 2028])
def test_dates_of_the_chapter_leap_years_included(annee):
    dues = {e.nature: (e.due, e.tolerance) for e in echeances_par_defaut(annee)}
    n = NatureEcheance
    assert dues[n.PROJECTION] == (date(annee - 1, 12, 30), date(annee - 1, 12, 31))
    assert dues[n.PART_ALS] == (date(annee, 1, 30), date(annee, 1, 31))
    assert dues[n.BILAN] == (date(annee, 2, 27), date(annee, 2, 28))
    assert dues[n.CORRECTION] == (date(annee, 3, 31), date(annee, 3, 31))
    assert set(dues) == set(n)
    debut, fin = bornes(annee)
    assert all(debut <= due <= tolerance <= fin for due, tolerance in dues.values())


def test_each_date_says_what_and_why():
    for echeance in echeances_par_defaut(2026):
        assert echeance.raison and echeance.titre
        assert echeance.objet.endswith(".")
    assert "2025" in de(2026).objet and "2026" in de(2026).objet
    assert not de(2026, NatureEcheance.POINT_ETAPE_2).suivie


def test_tolerance_before_the_date_is_refused():
    with pytest.raises(ValueError, match="précède"):
        Echeance(NatureEcheance.BILAN, 2026, date(2026, 2, 27), date(2026, 2, 26), "essai")


def test_the_departement_wins_over_the_region_and_the_region_over_what_ships():
    region = Echeance(NatureEcheance.BILAN, 2026, date(2026, 3, 1), date(2026, 3, 2), "région")
    departement = Echeance(NatureEcheance.BILAN, 2026, date(2026, 3, 15), date(2026, 3, 15), "département")
    defauts = echeances_par_defaut(2026)
    for niveaux, attendue in (
        ((defauts,), de(2026)),
        ((defauts, [region]), region),
        ((defauts, [region], [departement]), departement),
        ((defauts, [], [departement]), departement),
    ):
        retenues = superposer(*niveaux)
        assert [e for e in retenues if e.nature == NatureEcheance.BILAN] == [attendue]
        assert [e.due for e in retenues] == sorted(e.due for e in retenues)
        assert len(retenues) == len(NatureEcheance)


@pytest.mark.parametrize(
    ("jour", "ouvertes"),
    [
        (date(2026, 9, 30), (2026,)),
        (date(2026, 10, 1), (2026, 2027)),
        (date(2027, 3, 31), (2026, 2027)),
        (date(2027, 4, 1), (2027,)),
    ],
)
def test_a_campaign_opens_in_october_and_closes_at_the_end_of_the_next_march(jour, ouvertes):
    assert campagnes_ouvertes(jour) == ouvertes


@pytest.mark.parametrize(
    ("nature", "debut", "fin", "signe_le", "du"),
    [
        (NatureEcheance.PROJECTION, "2026-01-01", "2028-12-31", "2025-11-15", True),
        (NatureEcheance.PROJECTION, "2026-01-02", "2028-12-31", "2025-11-15", False),  # begins after the day
        (NatureEcheance.PROJECTION, "2024-01-01", "2025-12-31", "2023-11-15", False),  # ended the day before
        (NatureEcheance.PROJECTION, "2026-01-01", "2028-12-31", "2025-12-30", True),  # signed on the very day
        (
            NatureEcheance.PROJECTION,
            "2026-01-01",
            "2028-12-31",
            "2025-12-31",
            False,
        ),  # signed too late for it
        (NatureEcheance.BILAN, "2024-01-01", "2025-12-31", "2023-11-15", True),  # the bilan of 2025
        (NatureEcheance.BILAN, "2024-01-01", "2025-12-30", "2023-11-15", False),
        (NatureEcheance.BILAN, "2026-01-01", "2028-12-31", "2025-11-15", False),  # nothing of 2025
        (NatureEcheance.POINT_ETAPE_1, "2026-06-30", "2028-12-31", "2026-06-30", True),
        (NatureEcheance.POINT_ETAPE_2, "2026-01-01", "2026-12-31", "2026-01-01", True),
        (NatureEcheance.POINT_ETAPE_2, "2026-01-01", "2026-12-30", "2026-01-01", False),
    ],
)
def test_an_act_owes_what_bears_on_its_time(nature, debut, fin, signe_le, du):
    jours = [date.fromisoformat(jour) for jour in (debut, fin, signe_le)]
    assert est_du(de(2026, nature), *jours) is du


# --- Late, due, done ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "etat", "jours"),
    [
        ("2026-01-27T23:59:59", Etat.A_VENIR, 31),
        ("2026-01-28T00:00:00", Etat.PROCHE, 30),
        ("2026-02-27T23:59:59.999999", Etat.PROCHE, 0),
        ("2026-02-28T00:00:00", Etat.TOLEREE, -1),
        ("2026-02-28T23:59:59.999999", Etat.TOLEREE, -1),
        ("2026-03-01T00:00:00", Etat.EN_RETARD, -2),
    ],
)
def test_bilan_not_delivered(moment, etat, jours):
    situation = situer(de(2026), None, a_paris(moment))
    assert (situation.etat, situation.jours) == (etat, jours)
    assert situation.en_retard == (etat == Etat.EN_RETARD)


@pytest.mark.parametrize(
    ("rendu", "etat"),
    [
        ("2026-02-27T23:59:59.999999", Etat.FAITE),
        ("2026-02-28T00:00:00", Etat.FAITE_TOLEREE),
        ("2026-02-28T23:59:59.999999", Etat.FAITE_TOLEREE),
        ("2026-03-01T00:00:00", Etat.FAITE_EN_RETARD),
    ],
)
def test_bilan_delivered(rendu, etat):
    situation = situer(de(2026), a_paris(rendu), a_paris("2026-06-01T12:00:00"))
    assert situation.etat == etat
    assert situation.faite and not situation.attend


def test_a_leap_day_is_late():
    assert situer(de(2028), None, a_paris("2028-02-28T23:59:59")).etat == Etat.TOLEREE
    assert situer(de(2028), None, a_paris("2028-02-29T00:00:00")).etat == Etat.EN_RETARD


def test_midnight_is_that_of_paris_in_winter_and_in_summer():
    assert situer(
        de(2026), datetime(2026, 2, 27, 22, 59, 59, tzinfo=UTC), a_paris("2026-04-01T00:00:00")
    ).etat == (Etat.FAITE)
    assert situer(
        de(2026), datetime(2026, 2, 27, 23, 0, tzinfo=UTC), a_paris("2026-04-01T00:00:00")
    ).etat == (Etat.FAITE_TOLEREE)
    point = de(2026, NatureEcheance.POINT_ETAPE_1)
    assert situer(
        point, datetime(2026, 7, 31, 21, 59, 59, tzinfo=UTC), a_paris("2026-12-01T00:00:00")
    ).etat == (Etat.FAITE)
    assert situer(point, datetime(2026, 7, 31, 22, 0, tzinfo=UTC), a_paris("2026-12-01T00:00:00")).etat == (
        Etat.FAITE_TOLEREE
    )


@pytest.mark.parametrize(
    ("jour", "heures"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 2, 27), 24)]
)
def test_a_day_of_the_change_of_hour_ends_at_its_own_midnight(jour, heures):
    duree = fin_du_jour(jour).astimezone(UTC) - fin_du_jour(jour - timedelta(days=1)).astimezone(UTC)
    assert duree == timedelta(hours=heures)
    avant = fin_du_jour(jour).astimezone(UTC) - SECONDE
    assert (jour_a_paris(avant), jour_a_paris(avant + SECONDE)) == (jour, jour + timedelta(days=1))
    echeance = Echeance(NatureEcheance.CORRECTION, 2026, jour, jour, "essai")
    assert situer(echeance, None, avant).etat == Etat.PROCHE
    assert situer(echeance, None, avant + SECONDE).etat == Etat.EN_RETARD


def test_a_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="fuseau"):
        situer(de(2026), None, datetime(2026, 2, 27))


def test_what_is_not_held_is_never_late_but_may_be_done():
    second = de(2026, NatureEcheance.POINT_ETAPE_2)
    plus_tard = a_paris("2027-12-01T00:00:00")
    assert situer(second, None, plus_tard).etat == Etat.NON_SUIVIE
    assert situer(second, a_paris("2027-01-10T09:00:00"), plus_tard).etat == Etat.FAITE


def test_a_fact_to_come_is_not_known():
    situation = situer(de(2026), a_paris("2026-02-20T10:00:00"), a_paris("2026-02-20T09:59:59"))
    assert (situation.etat, situation.fait_le) == (Etat.PROCHE, None)


@pytest.mark.parametrize(
    ("moment", "texte"),
    [
        ("2026-01-28T08:00:00", "dans 30 jours"),
        ("2026-02-26T08:00:00", "demain"),
        ("2026-02-27T23:59:59", "aujourd’hui, avant minuit"),
        ("2026-02-28T08:00:00", "dernier jour toléré"),
        ("2026-03-03T08:00:00", "passé depuis 4 jours"),
    ],
)
def test_countdown(moment, texte):
    assert situer(de(2026), None, a_paris(moment)).compte_a_rebours == texte


def test_countdown_of_a_long_tolerance():
    point = de(2026, NatureEcheance.POINT_ETAPE_1)
    assert situer(point, None, a_paris("2026-08-01T08:00:00")).compte_a_rebours == "toléré encore 30 jours"


def test_next_date_stays_until_its_tolerance_and_leaves_out_what_is_not_held():
    echeances = echeances_par_defaut(2026)
    assert prochaine(echeances, date(2026, 2, 28)) == de(2026)
    assert prochaine(echeances, date(2026, 3, 1)) == de(2026, NatureEcheance.CORRECTION)
    assert prochaine(echeances, date(2026, 9, 1)) is None


# --- Reminders ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jour", "seuil"),
    [
        ("2026-01-27", None),
        ("2026-01-28", Seuil.J_30),
        ("2026-02-19", Seuil.J_30),
        ("2026-02-20", Seuil.J_7),
        ("2026-02-27", Seuil.J_7),
        ("2026-02-28", Seuil.J_1),
        ("2026-03-01", Seuil.RETARD),
        ("2026-03-07", Seuil.RETARD),
        ("2026-03-08", None),
        ("2027-02-20", None),
    ],
)
def test_reminders_of_the_bilan_day_by_day(jour, seuil):
    for heure in ("00:00:00", "23:59:59"):
        assert seuil_atteint(situer(de(2026), None, a_paris(f"{jour}T{heure}"))) == seuil


def test_without_tolerance_the_day_after_is_late():
    correction = de(2026, NatureEcheance.CORRECTION)
    assert seuil_atteint(situer(correction, None, a_paris("2026-04-01T06:00:00"))) == Seuil.RETARD


JOURS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
MOMENTS = st.datetimes(datetime(2019, 1, 1), datetime(2041, 1, 1), timezones=st.sampled_from([UTC, PARIS]))


@st.composite
def echeances(draw) -> Echeance:
    due = draw(JOURS)
    return Echeance(
        draw(st.sampled_from(NatureEcheance)),
        due.year,
        due,
        due + timedelta(days=draw(st.integers(0, 90))),
        "essai",
        suivie=draw(st.booleans()),
    )


@given(echeances(), MOMENTS, MOMENTS)
def test_done_is_never_late_nor_reminded_and_stays_so(echeance, fait_le, maintenant):
    situation = situer(echeance, fait_le, maintenant)
    assert situation.faite == (fait_le <= maintenant)
    if situation.faite:
        assert not situation.attend and seuil_atteint(situation) is None
        plus_tard = situer(echeance, fait_le, maintenant + timedelta(days=400))
        assert plus_tard.etat == situation.etat
        assert (situation.etat == Etat.FAITE) == (fait_le < fin_du_jour(echeance.due))
        assert (situation.etat == Etat.FAITE_EN_RETARD) == (fait_le >= fin_du_jour(echeance.tolerance))


@given(echeances(), MOMENTS)
def test_late_begins_at_the_midnight_that_ends_the_tolerance(echeance, maintenant):
    en_retard = situer(echeance, None, maintenant).en_retard
    assert en_retard == (echeance.suivie and maintenant >= fin_du_jour(echeance.tolerance))


@given(echeances())
def test_nobody_is_told_of_lateness_within_the_tolerance_and_thresholds_come_once_in_order(echeance):
    depart = echeance.due - timedelta(days=40)
    vus = []
    for ecart in range((echeance.tolerance - depart).days + 20):
        midi = fin_du_jour(depart + timedelta(days=ecart)) - timedelta(hours=12)
        seuil = seuil_atteint(situer(echeance, None, midi))
        assert seuil != Seuil.RETARD or jour_a_paris(midi) > echeance.tolerance
        if seuil is not None and (not vus or vus[-1] != seuil):
            vus.append(seuil)
    if not echeance.suivie:
        assert vus == []
    elif echeance.tolerance == echeance.due:
        assert vus == [Seuil.J_30, Seuil.J_7, Seuil.RETARD]
    else:
        assert vus == [Seuil.J_30, Seuil.J_7, Seuil.J_1, Seuil.RETARD]
