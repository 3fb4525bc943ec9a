"""One attribution, one title: order of the tests, the agents' three conditions, what gave way."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.regles.annuel import Destination
from flux.regles.imputation import (
    Agent,
    FaitsAttribution,
    Imputation,
    StatutDemandeur,
    Titre,
    attribution_qui_compte,
    decrire_imputation,
    est_agent,
    expliquer_imputation,
    imputer,
    titre_du_contingent,
)
from publics.regles.groupes import Label, TypeLabel
from reservation.regles.actes import ALS, BAILLEUR, ETAT, Nature, Soustraction

from .fabriques import CAF, CANNES_COMMUNE

CALEOL = date(2025, 3, 10)
PROPOSITION = date(2025, 3, 1)
BAIL = date(2025, 4, 1)
DALO = Label("DALO", date(2025, 1, 1))
VIOLENCES = Label("VIOLENCES", date(2025, 1, 1))
LETTRE_C = Label("L441_1_C", date(2025, 1, 1))
VALIDE = Agent(date(2025, 2, 1), False, True)


def faits(**champs) -> FaitsAttribution:
    return FaitsAttribution(CALEOL, **champs)


def impute(reservataire, echouee=False, destination=Destination.FLUX, usage="FLUX", **champs):
    return imputer(destination, usage, reservataire, echouee, faits(**champs))


@pytest.mark.parametrize(
    ("reservataire", "champs", "attendu"),
    [
        (ETAT, {}, ("ETAT", "AUTRE")),
        (ETAT, {"labels": [DALO]}, ("ETAT", "PRIORITE_1")),
        (ETAT, {"labels": [LETTRE_C, VIOLENCES]}, ("ETAT", "PRIORITE_2")),
        (ETAT, {"labels": [LETTRE_C]}, ("ETAT", "PRIORITE_3")),
        (ETAT, {"labels": [DALO], "agent": VALIDE, "date_bail": BAIL}, ("ETAT", "AGENT")),
        (ETAT, {"labels": [DALO], "agent": VALIDE}, ("ETAT", "PRIORITE_1")),
        (ALS, {"labels": [DALO], "statut": "SALARIE"}, ("ALS", "PRIORITAIRE")),
        (ALS, {"labels": [DALO], "statut": "DEMANDEUR_EMPLOI"}, ("ALS", "PRIORITAIRE")),
        (ALS, {"labels": [DALO], "statut": "AUTRE"}, ("ALS", "AUTRE")),
        (ALS, {"statut": "SALARIE"}, ("ALS", "AUTRE")),
        (ALS, {"agent": VALIDE, "date_bail": BAIL}, ("ALS", "AUTRE")),
        (CANNES_COMMUNE, {"labels": [LETTRE_C]}, ("06029", "PRIORITAIRE")),
        (CANNES_COMMUNE, {}, ("06029", "AUTRE")),
        (CAF, {"labels": [LETTRE_C]}, ("CAF", "PRIORITAIRE")),
        (BAILLEUR, {"labels": [LETTRE_C]}, ("BAILLEUR", "PRIORITAIRE")),
        (None, {"labels": [LETTRE_C]}, ("BAILLEUR", "PRIORITAIRE")),
        (None, {}, ("BAILLEUR", "AUTRE")),
    ],
)
def test_title_by_contingent(reservataire, champs, attendu):
    assert impute(reservataire, **champs) == attendu


def test_a_failed_designation_goes_to_the_bailleur():
    assert impute(ETAT, True, labels=[DALO]) == ("BAILLEUR", "PRIORITAIRE")
    assert impute(ETAT, True, agent=VALIDE, date_bail=BAIL) == ("BAILLEUR", "AUTRE")


def test_what_leaves_the_flux_leaves_it_whatever_the_labels():
    assert impute(ETAT, destination=Destination.SOUSTRACTION, usage="RU", labels=[DALO]) == (
        "SOUSTRACTION",
        "RU",
    )
    hors_flux = ("HORS_FLUX", "PREMIERE_MISE_EN_LOCATION")
    assert impute(ETAT, destination=Destination.HORS_FLUX, usage="RU", labels=[DALO]) == hors_flux
    assert impute(ETAT, destination=Destination.NULLE_PART, labels=[DALO]) is None


@pytest.mark.parametrize(
    ("agent", "proposition", "bail", "compte"),
    [
        (Agent(PROPOSITION, False, True), PROPOSITION, BAIL, True),  # validated on the day of the proposition
        (Agent(date(2025, 3, 2), False, True), PROPOSITION, BAIL, False),  # the day after
        (Agent(CALEOL, False, True), None, BAIL, True),  # no proposition: the CALEOL
        (Agent(date(2025, 3, 11), False, True), None, BAIL, False),
        (Agent(CALEOL, False, True), PROPOSITION, BAIL, False),  # the proposition wins over the CALEOL
        (Agent(None, False, True), PROPOSITION, BAIL, False),
        (Agent(None, True, True), PROPOSITION, BAIL, True),  # granted afterwards
        (Agent(date(2025, 12, 1), True, True), PROPOSITION, BAIL, True),
        (Agent(PROPOSITION, True, False), PROPOSITION, BAIL, False),  # does not fit
        (Agent(PROPOSITION, True, True), PROPOSITION, None, False),  # no lease
        (Agent(PROPOSITION, False, True), PROPOSITION, date(2026, 1, 15), True),  # lease after the year
        (None, PROPOSITION, BAIL, False),
    ],
)
def test_three_conditions_make_an_agent(agent, proposition, bail, compte):
    dossier = faits(agent=agent, date_proposition=proposition, date_bail=bail)
    assert est_agent(dossier) is compte
    assert (titre_du_contingent(Nature.ETAT, dossier) == Titre.AGENT) is compte


def test_the_last_attribution_of_the_year_or_before_counts():
    dates = [date(2024, 12, 1), date(2025, 6, 1), date(2025, 12, 31), date(2026, 1, 1)]
    assert attribution_qui_compte(reversed(dates), 2025, lambda d: d) == date(2025, 12, 31)
    assert attribution_qui_compte(dates[:1], 2025, lambda d: d) == date(2024, 12, 1)
    assert attribution_qui_compte(dates[3:], 2025, lambda d: d) is None
    assert attribution_qui_compte([], 2025, lambda d: d) is None


def explique(reservataire, echouee=False, destination=Destination.FLUX, usage="FLUX", **champs):
    return expliquer_imputation(destination, usage, reservataire, echouee, faits(**champs))


def test_titles_that_gave_way_are_told_with_what_they_gave_way_to():
    explication = explique(ETAT, destination=Destination.SOUSTRACTION, usage="RU", labels=[DALO])
    assert [(e.imputation, e.raison) for e in explication.titres_ecartes] == [
        (("ETAT", "PRIORITE_1"), "une soustraction l’emporte sur tout autre titre")
    ]
    explication = explique(ETAT, agent=VALIDE, date_bail=BAIL, labels=[DALO, LETTRE_C])
    assert [e.imputation for e in explication.titres_ecartes] == [
        ("ETAT", "PRIORITE_1"),
        ("ETAT", "PRIORITE_3"),
    ]
    explication = explique(ETAT, labels=[DALO, LETTRE_C])
    assert [(e.imputation, e.raison) for e in explication.titres_ecartes] == [
        (("ETAT", "PRIORITE_3"), "un meilleur groupe l’emporte")
    ]
    explication = explique(ALS, echouee=True, labels=[DALO], statut=StatutDemandeur.SALARIE)
    assert [(e.imputation, e.raison) for e in explication.titres_ecartes] == [
        (("ALS", "PRIORITAIRE"), "la désignation du réservataire a échoué")
    ]
    explication = explique(ETAT, destination=Destination.HORS_FLUX, usage="RU", labels=[DALO])
    assert [e.imputation for e in explication.titres_ecartes] == [
        ("SOUSTRACTION", "RU"),
        ("ETAT", "PRIORITE_1"),
    ]
    assert explique(CAF, labels=[DALO]).titres_ecartes == ()
    assert explique(ETAT, destination=Destination.NULLE_PART) is None


def test_facts_are_told_with_their_articles():
    trop_tard = Agent(date(2025, 3, 5), False, False)
    explication = explique(
        ETAT, agent=trop_tard, date_proposition=PROPOSITION, labels=[Label("DALO", date(2025, 3, 11))]
    )
    etapes = {e.code: e for e in explication.etapes}
    assert etapes["imputation.labels"].valeur == "sans effet"
    assert etapes["imputation.agent"].valeur == "non compté"
    for manque in ("adapté", "bail", "validé le 5 mars 2025, après la proposition"):
        assert manque in etapes["imputation.agent"].detail
    assert etapes["imputation.titre"].affichage == "ETAT, autre"
    assert all(e.article for e in explication.etapes)


def test_an_use_that_the_convention_keeps_in_the_flux_is_told():
    etapes = {e.code: e for e in explique(None, usage="VENTE").etapes}
    assert "la convention ne les soustrait pas" in etapes["imputation.destination"].detail
    assert "aucun réservataire" in etapes["imputation.contingent"].detail


def test_imputations_are_described():
    assert decrire_imputation(Imputation("ETAT", "PRIORITE_1")) == "ETAT, prioritaire, groupe 1"
    assert decrire_imputation(Imputation("SOUSTRACTION", "ORCOD")) == "soustraction, relogements ORCOD"
    assert (
        decrire_imputation(Imputation("HORS_FLUX", "PREMIERE_MISE_EN_LOCATION"))
        == "hors flux, première mise en location"
    )


jours = st.dates(date(2025, 1, 1), date(2025, 12, 31))
dossiers = st.builds(
    FaitsAttribution,
    jours,
    st.none() | jours,
    st.none() | jours,
    st.sampled_from(list(StatutDemandeur)),
    st.lists(
        st.builds(Label, st.sampled_from(list(TypeLabel)), jours, st.none() | jours, st.booleans()),
        max_size=3,
    ),
    st.none() | st.builds(Agent, st.none() | jours, st.booleans(), st.booleans()),
)


@given(
    st.sampled_from(list(Destination)),
    st.sampled_from(list(Soustraction)),
    st.sampled_from([None, ETAT, ALS, CANNES_COMMUNE, CAF, BAILLEUR]),
    st.booleans(),
    dossiers,
)
def test_one_title_always_explained_never_its_own_rival(destination, usage, reservataire, echouee, dossier):
    imputation = imputer(destination, usage, reservataire, echouee, dossier)
    explication = expliquer_imputation(destination, usage, reservataire, echouee, dossier)
    if destination == Destination.NULLE_PART:
        assert imputation is None and explication is None
        return
    assert explication.imputation == imputation
    rivaux = [ecarte.imputation for ecarte in explication.titres_ecartes]
    assert imputation not in rivaux and len(rivaux) == len(set(rivaux))
    assert explication.etapes[-1].affichage == decrire_imputation(imputation)
