"""Acts of the demonstration: valid by the rules, told like those that people sign, loaded once."""

from datetime import date

import polars as pl
import pytest

from bilans.demonstration import conventions, scenario
from reservation.acteur import TypeOrganisation
from reservation.demonstration import BAILLEURS, creer_organisations
from reservation.models import Convention, Derogation, EvenementConvention, Organisation, VersionConvention
from reservation.regles import actes as regles
from reservation.regles.periodes import annee_civile
from reservation.regles.validite import verifier_actes
from reservation.services.conventions import actes_par_paire, verifier

pytestmark = pytest.mark.django_db
ANNEES = (2024, 2025, 2026)
DEPARTEMENTS = scenario.ECHELLES["demo"].departements


@pytest.fixture
def organisations():
    creees = creer_organisations()
    conventions.signer_les_actes(creees, conventions.paires_nommees(DEPARTEMENTS), ANNEES)
    return creees


def taux(organisations, cle, departement, annee, mois=7):
    actes = actes_par_paire(annee)[organisations[cle].pk, departement]
    return {
        d.reservataire.code: float(d.points)
        for acte in actes
        for d in regles.droits(acte, date(annee, mois, 1))
    }


@pytest.mark.parametrize("annee", ANNEES)
def test_the_rules_accept_every_act_beside_the_others(organisations, annee):
    for paire, actes in actes_par_paire(annee).items():
        assert not verifier_actes(actes, annee_civile(annee)), paire


def test_every_pair_has_an_act_of_the_state_each_year(organisations):
    paires = {(organisations[cle].pk, code) for cle, code in conventions.paires_nommees(DEPARTEMENTS)}
    for annee in ANNEES:
        etat = {
            paire
            for paire, actes in actes_par_paire(annee).items()
            if any(a.reservataire == regles.ETAT for a in actes)
        }
        assert etat == paires


def test_paca_gives_back_its_points_from_2025_and_armor_never(organisations):
    assert taux(organisations, "toit", "06", 2024)["ETAT"] == 30
    assert taux(organisations, "toit", "06", 2025)["ETAT"] == pytest.approx(28.63)
    assert taux(organisations, "bretagne", "22", 2025) == {"ETAT": 30, "ALS": 20, "200069409": 8}


def test_one_bailleur_has_no_convention_with_als_and_als_the_points_given_back(organisations):
    prototype = organisations["prototype"]
    assert not Convention.objects.filter(
        bailleur=prototype, reservataire__type=TypeOrganisation.ACTION_LOGEMENT
    ).exists()


def test_what_happened_to_the_acts_went_through_the_services(organisations):
    derogation = Derogation.objects.get()
    assert (derogation.bailleur, derogation.taux) == (organisations["azur"], 33)
    assert taux(organisations, "azur", "06", 2026)["ETAT"] == pytest.approx(33 - 1.37)
    assert taux(organisations, "azur", "06", 2026)["06029"] == 12
    assert taux(organisations, "azur", "06", 2025)["06029"] == 10
    assert taux(organisations, "ventoux", "84", 2025, 3)["ALS"] == 20
    assert taux(organisations, "ventoux", "84", 2025, 9)["ALS"] == 22
    natures = EvenementConvention.Nature
    assert EvenementConvention.objects.filter(nature=natures.DEROGATION).count() == 1
    assert EvenementConvention.objects.filter(nature=natures.SIGNATURE_AVENANT).count() == 3


def test_something_waits_for_a_signature(organisations):
    projet = Convention.objects.get(etat=Convention.Etat.BROUILLON)
    assert (projet.bailleur, projet.departement_id) == (organisations["armor"], "22")
    assert not verifier(projet.versions.get()).erreurs
    avenant = VersionConvention.objects.get(rang__gt=0, signee_le=None)
    assert avenant.bailleur == organisations["azur"]


def test_an_arrete_replaces_a_convention_somewhere(organisations):
    arrete = Convention.objects.get(nature=Convention.Nature.ARRETE)
    assert (arrete.bailleur, arrete.reservataire.type) == (organisations["temoin"], TypeOrganisation.DDETS)


def test_a_loaded_act_has_the_history_of_a_signed_one(organisations):
    for convention in Convention.objects.exclude(etat=Convention.Etat.BROUILLON):
        natures = [e.nature for e in convention.evenements.all()][:2]
        assert natures == ["CREATION", "SIGNATURE"]
        assert convention.signataires.strip() and convention.signee_le < convention.debut


def test_communes_reserve_on_their_territory_in_the_departement(organisations):
    versions = VersionConvention.objects.filter(reservataire=organisations["cannes-epci"])
    assert versions.count() == 2
    for version in versions.prefetch_related("communes"):
        assert {c.departement_id for c in version.communes.all()} == {"06"} and version.communes.count() > 1
    assert not VersionConvention.objects.filter(
        reservataire=organisations["dept-06"], communes__isnull=False
    ).exists()


def test_a_second_time_changes_nothing(organisations):
    avant = Convention.objects.count()
    assert conventions.signer_les_actes(organisations, conventions.paires_nommees(DEPARTEMENTS), ANNEES) == 0
    assert creer_organisations().keys() == organisations.keys()
    assert Convention.objects.count() == avant
    assert Organisation.objects.filter(type=TypeOrganisation.BAILLEUR).count() == len(BAILLEURS)


def test_rates_are_read_as_shares_of_the_middle_of_the_year(organisations):
    droits = conventions.lire_droits(ANNEES, list(organisations.values()))
    azur = droits.filter((droits["bailleur_id"] == organisations["azur"].pk) & (droits["annee"] == 2026))
    azur = azur.filter(azur["departement_id"] == "06")
    entiers = azur.filter(azur["commune_id"].is_null()).group_by("nature").agg(pl.sum("points"))
    lus = dict(entiers.iter_rows())
    assert lus == {"ETAT": pytest.approx(31.63), "ALS": pytest.approx(21.37), "COLLECTIVITE": 4}
    # Cannes has its own points and those of its EPCI, one row for each réservataire.
    cannes = azur.filter(azur["commune_id"] == "06029")["points"].sort().to_list()
    assert cannes == [5, 12]
