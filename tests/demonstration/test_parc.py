"""Drawn parcs: exact counts, published shares, fictitious identities, one seed one parc."""

import re
from pathlib import Path

import polars as pl
import pytest

from bilans.demonstration import parc, scenario, territoires
from bilans.demonstration.tirage import Tirage
from reservation.demonstration import BAILLEURS

from .conftest import TOTAL

pytestmark = pytest.mark.django_db  # the communes are read from it, once

REELS = Path("reservation/donnees/rpls")


def present(logements, millesime=parc.REFERENCE):
    """Dwellings of the parc on 1 January: delivered before, not gone before."""
    return logements.filter(
        (pl.col("locat") < millesime)
        & (pl.col("sortie_annee").is_null() | (pl.col("sortie_annee") >= millesime))
    )


def part(logements, condition):
    return 100 * logements.filter(condition).height / logements.height


def test_the_total_is_exact_at_the_reference_date(parc_06):
    assert present(parc_06).height == TOTAL


def test_it_grows_by_new_dwellings_and_loses_some(parc_06):
    avant, apres = (present(parc_06, parc.REFERENCE + i).height for i in (-1, 1))
    assert avant < TOTAL < apres
    assert parc_06["sortie_annee"].drop_nulls().unique().sort().to_list() == [2023, 2024, 2025]
    assert (parc_06.filter(pl.col("sortie_annee").is_null())["sortie"] == "9").all()
    assert (parc_06.filter(pl.col("sortie_annee").is_not_null())["sortie"] != "9").all()


@pytest.mark.parametrize(
    ("condition", "publie"),
    [
        (pl.col("qpv") == "1", "qpv"),
        (pl.col("typeconst") == "I", "individuel"),
        (pl.col("typeconst") == "E", "etudiant"),
    ],
)
def test_shares_are_those_published(parc_06, condition, publie):
    attendu = getattr(territoires.lire_chiffres()["06"], publie)
    assert part(present(parc_06), condition) == pytest.approx(attendu, abs=0.5)


def test_each_bailleur_has_about_its_weight(parc_06):
    parts = scenario.parts_nommees("06")
    poids = sum(p.poids for p in parts)
    for p in parts:
        sienne = part(parc_06, pl.col("siren") == p.siren)
        assert sienne == pytest.approx(100 * p.poids / poids, abs=5)


def test_the_sem_holds_dwellings_without_apl_convention(parc_06):
    sem = next(b.siren for b in BAILLEURS if b.famille == "SEM")
    sans = parc_06.filter(pl.col("conv") == "2")
    assert 1 < 100 * sans.height / parc_06.height < 6
    assert part(sans, pl.col("siren") == sem) > 25
    assert parc_06.filter((pl.col("siren") == sem) & (pl.col("conv") == "1")).height > 0


def test_a_programme_has_one_bailleur_one_commune_one_convention(parc_06):
    programmes = parc_06.group_by("programme").agg(
        pl.n_unique("siren", "depcom", "construct", "conv", "numconv")
    )
    assert (programmes.drop("programme").max().row(0)) == (1, 1, 1, 1, 1)
    assert 5 < parc_06.height / programmes.height < 40


def test_identities_are_unique_and_say_that_they_are_fictitious(parc_06):
    assert parc_06["ident_rep"].is_unique().all()
    assert parc_06["ident_int"].is_unique().all()
    assert all(re.fullmatch(r"F06\d{7}", ident) for ident in parc_06["ident_rep"])
    assert parc_06["complgeo"].str.contains("-EXEMPLE").all()
    assert parc_06.filter(pl.col("conv") == "1")["numconv"].str.contains("/DEMO/").all()


def test_dates_follow_one_another(parc_06):
    assert (parc_06["construct"] <= parc_06["locat"]).all()
    assert (parc_06["locat"] <= parc_06["patrimoine"]).all()
    assert parc_06["nbpiece"].is_between(1, 9).all()


def test_places_are_those_of_the_departement(parc_06, communes_06):
    lieux = communes_06.filter(pl.col("departement") == "06")
    assert set(parc_06["depcom"]) <= set(lieux["depcom"])
    villes = lieux.filter(pl.col("population") >= parc.POPULATION_QPV)["depcom"].to_list()
    assert parc_06.filter(pl.col("qpv") == "1")["depcom"].is_in(villes).all()


def test_marseille_is_named_by_its_arrondissements(communes_06):
    marseille = communes_06.filter(pl.col("commune") == "13055")
    assert marseille.height == 16
    assert marseille["depcom"].str.starts_with("132").all()
    assert marseille.filter(pl.col("depcom") == "13208")["codepostal"].item() == "13008"


def test_one_seed_one_parc(tirer_06, parc_06):
    assert tirer_06().equals(parc_06)
    assert not tirer_06(graine=2).equals(parc_06)


def test_real_dwellings_keep_their_line_and_get_a_fictitious_landlord():
    parts = scenario.parts_nommees("06")
    logements = parc.lire_parc_reel(REELS / "rpls2018_cannes.csv.gz", {"06": parts}, Tirage(1))
    assert logements.height == 6_374
    assert set(logements["siren"]) == {p.siren for p in parts}
    assert (logements["depcom"].str.slice(0, 3) == "060").all()
    assert (logements["qpv"] == "1").sum() == 2_011
    assert (logements["conv"] == "2").sum() == 198
    assert (
        logements.group_by("numconv")
        .agg(pl.n_unique("siren"))
        .filter((pl.col("numconv") != "") & (pl.col("siren") > 1))
        .is_empty()
    )


def test_national_figures_add_up_to_the_published_total():
    communes = territoires.lire_communes()
    chiffres = territoires.chiffres_nationaux(communes)
    assert sum(c.logements for c in chiffres.values()) == territoires.METROPOLE == 5_210_208
    assert len(chiffres) == 96
    assert sum(chiffres[d].logements for d in scenario.PACA) == 347_610


def test_the_national_story_has_its_six_hundred_bailleurs():
    communes = territoires.lire_communes()
    chiffres = territoires.chiffres_nationaux(communes)
    regions = dict(communes.select("departement", "region").unique().iter_rows())
    organisations, parts = scenario.bailleurs_supplementaires(chiffres, regions, Tirage(1, "bailleurs"))
    assert 550 <= len(organisations) + len(BAILLEURS) <= 650
    assert 1_800 <= sum(len(p) for p in parts.values()) <= 2_200
    assert len({o.siren for o in (*organisations, *BAILLEURS)}) == len(organisations) + len(BAILLEURS)
    assert all("fictive" in o.nom or "fictif" in o.nom for o in organisations)
