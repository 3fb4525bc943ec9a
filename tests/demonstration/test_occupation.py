"""The life of the dwellings: published rates, the season, one history for RPLS and for the libérations."""

from datetime import date

import polars as pl
import pytest

from bilans.demonstration import occupation, scenario, territoires
from bilans.demonstration.tirage import Tirage

pytestmark = pytest.mark.django_db  # the communes are read from it, once

MILLESIMES = (2024, 2025, 2026)


@pytest.fixture(scope="module")
def evenements(vie_06):
    return occupation.liberations(vie_06, (2024, 2025, 2026), scenario.AUJOURDHUI, Tirage(1, "06", "lib"))


@pytest.fixture(scope="module", params=MILLESIMES)
def situation(request, vie_06):
    return request.param, occupation.situation(vie_06, request.param)


def offerts(logements):
    return logements.filter(pl.col("mode").is_in(["1", "2"]))


def test_rates_are_those_published_for_the_departement(situation):
    millesime, logements = situation
    publies = territoires.lire_chiffres()["06"]
    parc = logements.filter(pl.col("sortiepatrim") == "9")
    loues = offerts(parc)
    anciens = loues.filter(pl.col("locat") < millesime - 1)
    emmenages = anciens.filter(pl.col("bail").dt.year() >= millesime - 1)
    assert 100 * loues.height / parc.height == pytest.approx(publies.loues_ou_proposes, abs=1)
    assert 100 * (loues["mode"] == "2").sum() / loues.height == pytest.approx(publies.vacance, abs=0.8)
    assert 100 * emmenages.height / anciens.height == pytest.approx(publies.mobilite, abs=1.2)


def test_codes_of_occupation_agree(situation):
    millesime, logements = situation
    premier = date(millesime, 1, 1)
    loues = logements.filter(pl.col("mode") == "1")
    assert loues["bail"].null_count() == 0 and (loues["bail"] < premier).all()
    assert (loues["remloc"] <= loues["bail"]).all()
    autres = logements.filter(pl.col("mode") != "1")
    assert autres["bail"].null_count() == autres.height
    vides = logements.filter(pl.col("mode") == "2")
    assert vides["remloc"].null_count() == 0 and (vides["remloc"] < premier).all()
    partis = logements.filter(pl.col("sortiepatrim") != "9")
    assert (partis["mode"] == "9").all() and (partis["sortie_annee"] == millesime - 1).all()
    assert (logements["locat"] < millesime).all()


def test_summer_frees_more_dwellings_than_winter(evenements):
    relocations = evenements.filter(~pl.col("premiere") & (pl.col("date") < date(2026, 1, 1)))
    par_mois = dict(relocations.group_by(pl.col("date").dt.month()).len().iter_rows())
    ete, hiver = (sum(par_mois[m] for m in mois) for mois in ((6, 7, 8), (11, 12, 1)))
    assert ete > 1.4 * hiver


def test_every_year_frees_about_the_published_rate(vie_06, evenements):
    publie = territoires.lire_chiffres()["06"].mobilite
    for annee in (2024, 2025):
        annuels = evenements.filter(
            (pl.col("date").dt.year() == annee) & ~pl.col("premiere") & ~pl.col("annulee")
        )
        loues = vie_06.filter(pl.col("mode_base") == "1").height
        assert 100 * annuels.height / loues == pytest.approx(publie, abs=1.3)


def test_the_lease_of_rpls_is_the_one_that_follows_the_liberation(vie_06, evenements):
    """A dwelling freed and let again in 2025 carries that lease in the millésime 2026."""
    situation = occupation.situation(vie_06, 2026).select("ident_rep", "mode", "bail", "remloc")
    derniers = (
        evenements.filter(~pl.col("annulee") & (pl.col("date") < date(2026, 1, 1)))
        .sort("date")
        .group_by("ident_rep", maintain_order=True)
        .last()
        .select("ident_rep", "date", "bail_prevu")
        .join(situation.filter(pl.col("mode") != "9"), on="ident_rep")
    )
    reloues = derniers.filter(pl.col("bail_prevu") < date(2026, 1, 1))
    assert reloues.height > 100
    assert (reloues["bail"] == reloues["bail_prevu"]).all() and (reloues["mode"] == "1").all()
    vides = derniers.filter(pl.col("bail_prevu") >= date(2026, 1, 1))
    assert (vides["mode"] == "2").all() and (vides["remloc"] == vides["date"]).all()


def test_events_are_possible(evenements):
    assert (evenements["date"] <= scenario.AUJOURDHUI).all()
    assert (evenements["bail_prevu"] > evenements["date"]).all()
    assert evenements.select("ident_rep", "date").is_unique().all()
    apres_sortie = evenements.filter(pl.col("sortie_annee") <= pl.col("date").dt.year())
    assert apres_sortie.is_empty()
    premieres = evenements.filter("premiere")
    assert premieres.height and (premieres["locat"] == premieres["date"].dt.year()).all()
    assert 0 < evenements["annulee"].sum() < 0.05 * evenements.height


def test_what_was_freed_the_year_before_comes_if_it_is_let_in_the_first_year(evenements):
    anciens = evenements.filter(pl.col("date") < date(2024, 1, 1))
    assert anciens.height and (anciens["bail_prevu"] >= date(2024, 1, 1)).all()
