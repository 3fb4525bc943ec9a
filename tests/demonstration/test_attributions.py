"""From libérations to leases: possible dates, one live attribution, ranks without gap, rates that are kept."""

from dataclasses import asdict

import polars as pl
import pytest

from bilans.demonstration import attributions, occupation, scenario
from bilans.demonstration.tirage import Tirage
from publics.regles.groupes import TypeLabel
from publics.services.menages import empreinte_numero

pytestmark = pytest.mark.django_db  # the communes are read from it, once

ETAT, ALS, CANNES, DEPARTEMENT = 100, 101, 102, 103
CLE = "cle-de-l-essai"


@pytest.fixture(scope="module")
def evenements(vie_06):
    lignes = occupation.liberations(vie_06, (2024, 2025, 2026), scenario.AUJOURDHUI, Tirage(1, "lib"))
    ids = {p.siren: rang for rang, p in enumerate(scenario.parts_nommees("06"), 1)}
    return lignes.select(
        "date",
        "bail_prevu",
        "premiere",
        "annulee",
        "finan",
        "conv",
        "nbpiece",
        bailleur_id=pl.col("siren").replace_strict(ids, return_dtype=pl.Int64),
        departement_id="departement",
        commune_id="depcom",
        cle_logement="ident_rep",
        reference="ident_int",
        adresse=pl.lit("1 RUE DE L EXEMPLE"),
        qpv=pl.col("qpv") == "1",
        typologie=pl.lit("T3"),
        financement=pl.when(pl.col("finan") == "14").then(pl.lit("PLS")).otherwise(pl.lit("PLUS")),
        periode=pl.lit("P"),
        statut_logement=pl.lit("CONVENTIONNE"),
        dans_assiette=pl.lit(True),
    )


@pytest.fixture(scope="module")
def monde():
    cles = ["azur", "littoral", "sem", "toit", "temoin"]
    droits = [
        (bailleur, "06", annee, reservataire, nature, points, rang, commune)
        for bailleur in range(1, 6)
        for annee in (2024, 2025, 2026)
        for reservataire, nature, points, rang, commune in (
            (ETAT, "ETAT", 28.63, 0, None),
            (ALS, "ALS", 21.37, 1, None),
            (CANNES, "COLLECTIVITE", 10.0, 2, "06029"),
            (DEPARTEMENT, "COLLECTIVITE", 4.0, 2, None),
        )
    ]
    return attributions.Monde(
        droits=pl.DataFrame(
            droits,
            schema={
                "bailleur_id": pl.Int64,
                "departement_id": pl.String,
                "annee": pl.Int32,
                "reservataire_id": pl.Int64,
                "nature": pl.String,
                "points": pl.Float64,
                "rang": pl.Int32,
                "commune_id": pl.String,
            },
            orient="row",
        ),
        comportements=pl.DataFrame(
            [{"bailleur_id": i, **asdict(scenario.COMPORTEMENTS[c])} for i, c in enumerate(cles, 1)]
        ),
        motifs={"CALEOL": [1, 2, 3], "MENAGE": [4, 5], "SILENCE": [6]},
        cle=CLE.encode(),
        jour=scenario.AUJOURDHUI,
    )


@pytest.fixture(scope="module")
def lot(evenements, monde):
    return attributions.derouler(evenements, monde, Tirage(1, "flux"))


def flux_de(lot, annee, bailleur=None):
    lignes = lot.liberations.filter(
        (pl.col("usage") == "FLUX")
        & pl.col("annulee_le").is_null()
        & ~pl.col("premiere")
        & (pl.col("date").dt.year() == annee)
    )
    return lignes if bailleur is None else lignes.filter(pl.col("bailleur_id") == bailleur)


def test_every_liberation_is_there_once(lot, evenements):
    assert lot.liberations.height == evenements.height
    assert lot.liberations.select("bailleur_id", "cle_logement", "date").is_unique().all()


def test_dates_follow_one_another(lot):
    libs, attr = lot.liberations, lot.attributions
    assert (libs["date_preavis"] <= libs["date"]).all()
    assert (libs["orientee_le"] <= scenario.AUJOURDHUI).all()
    assert (attr["date_caleol"] <= scenario.AUJOURDHUI).all()
    assert (attr["date_proposition"] < attr["date_caleol"]).all()
    assert (attr["date_bail"] > attr["date_caleol"]).all()
    assert (attr["refusee_le"] > attr["date_caleol"]).all()
    ensemble = attr.join(libs.select("orientee_le", liberation_id="id"), on="liberation_id")
    assert (ensemble["orientee_le"] < ensemble["date_proposition"]).all()


def test_one_attribution_lives_and_the_refused_have_no_lease(lot):
    vivantes = lot.attributions.filter(pl.col("refusee_le").is_null())
    assert vivantes["liberation_id"].is_unique().all()
    refusees = lot.attributions.filter(pl.col("refusee_le").is_not_null())
    assert refusees.height and refusees["date_bail"].null_count() == refusees.height
    assert (refusees["motif_refus_id"].is_in([4, 5, 6])).all()
    assert lot.attributions.select("liberation_id", "date_caleol").is_unique().all()


def test_offers_follow_the_decision_and_are_answered(lot):
    """Every step of an offer is to be seen: to notify, under way, past its ten days, accepted, refused, silent."""
    a = lot.attributions
    assert (a["offre_le"].drop_nulls() >= a.filter(pl.col("offre_le").is_not_null())["date_caleol"]).all()
    acceptees = a.filter(pl.col("acceptee_le").is_not_null())
    assert (acceptees["acceptee_le"] >= acceptees["offre_le"]).all()
    assert acceptees["refusee_le"].is_null().all()
    for champ in ("refusee_le", "date_bail"):
        finies = a.filter(pl.col(champ).is_not_null())
        assert (finies[champ] >= finies["offre_le"]).all() and finies["offre_le"].is_not_null().all()
    muets = a.filter(pl.col("motif_refus_id") == 6)
    assert muets.height and ((muets["refusee_le"] - muets["offre_le"]).dt.total_days() > 10).all()
    vivantes = a.filter(pl.col("refusee_le").is_null() & pl.col("date_bail").is_null())
    attente = vivantes.filter(pl.col("acceptee_le").is_null() & pl.col("offre_le").is_not_null())
    assert vivantes["acceptee_le"].is_not_null().any() and vivantes["offre_le"].is_null().any()
    assert attente.height


def test_between_a_tenth_and_a_third_of_the_attributions_are_refused(lot):
    part = lot.attributions["refusee_le"].count() / lot.attributions.height
    assert 0.1 < part < 0.33


def test_what_waits_waits_and_what_is_cancelled_stops(lot):
    attribuees = set(lot.attributions["liberation_id"])
    annulees = lot.liberations.filter(pl.col("annulee_le").is_not_null())
    assert annulees.height and not attribuees & set(annulees["id"])
    assert (annulees["motif_annulation"] != "").all()
    en_attente = lot.liberations.filter(
        (pl.col("usage") == "FLUX") & pl.col("reservataire_id").is_null() & pl.col("annulee_le").is_null()
    )
    assert en_attente.height and not attribuees & set(en_attente["id"])
    assert (en_attente["date"].dt.year() == scenario.AUJOURDHUI.year).all()
    assert (lot.liberations["reservataire_id"].is_null() == lot.liberations["orientee_le"].is_null()).all()


@pytest.mark.parametrize("annee", [2024, 2025])
def test_the_main_bailleur_gives_the_state_what_it_owes(lot, annee):
    flux = flux_de(lot, annee, bailleur=1)
    etat = flux.filter(pl.col("reservataire_id") == ETAT).height
    voulu = 28.63 * scenario.COMPORTEMENTS["azur"].etat / 100
    assert abs(etat - voulu * flux.height) <= 4


def test_the_bad_pupil_gives_less(lot):
    etats = {
        bailleur: sum(
            flux_de(lot, a, bailleur).filter(pl.col("reservataire_id") == ETAT).height for a in (2024, 2025)
        )
        / sum(flux_de(lot, a, bailleur).height for a in (2024, 2025))
        for bailleur in (1, 2)
    }
    assert etats[2] < 0.9 * etats[1]


def test_a_commune_receives_on_its_territory_only(lot):
    cannes = lot.liberations.filter(pl.col("reservataire_id") == CANNES)
    assert cannes.height and (cannes["commune_id"] == "06029").all()
    ailleurs = lot.liberations.filter(pl.col("reservataire_id") == DEPARTEMENT)
    assert ailleurs["commune_id"].n_unique() > 3


def test_designations_fail_where_the_story_says_so(lot):
    echecs = lot.liberations.filter(pl.col("designation_echouee_le").is_not_null())
    assert echecs["reservataire_id"].is_in([ALS, CANNES, DEPARTEMENT]).all()
    par_bailleur = dict(echecs.group_by("bailleur_id").len().iter_rows())
    assert par_bailleur.get(2, 0) > 3 * par_bailleur.get(1, 0) / 2
    assert (echecs["designation_echouee_le"] >= echecs["orientee_le"]).all()


def test_ranks_have_no_gap_and_refusals_have_a_motive(lot):
    classes = lot.passages.filter(pl.col("rang").is_not_null())
    assert (classes["decision"] == "ATTR_RANG").all()
    rangs = classes.group_by("commission_id", "liberation_id").agg(
        pl.col("rang").sort(), attendus=pl.int_range(1, pl.len() + 1)
    )
    assert all(a == b for a, b in rangs.select("rang", "attendus").iter_rows())
    refus = lot.passages.filter(pl.col("decision") == "NON_ATTR")
    assert refus["motif_id"].null_count() == 0
    assert lot.passages.select("commission_id", "liberation_id", "menage_id").is_unique().all()


def test_most_dwellings_have_three_candidates(lot):
    nombres = lot.passages.group_by("commission_id", "liberation_id").len()["len"]
    assert (nombres >= 3).mean() > 0.7 and 2.5 < nombres.mean() < 3.6


def test_each_attribution_is_the_passage_served(lot):
    servis = lot.passages.join(lot.attributions, left_on="id", right_on="passage_id", suffix="_a")
    assert servis.height == lot.attributions.height
    assert (servis["liberation_id"] == servis["liberation_id_a"]).all()
    assert (servis["menage_id"] == servis["menage_id_a"]).all()
    assert servis["rang"].fill_null(1).eq(1).all()
    assert servis["decision"].is_in(["ATTR", "ATTR_RANG", "ATTR_COND"]).all()


def test_commissions_sit_from_tuesday_to_thursday_in_a_rhythm(lot):
    assert lot.commissions["date"].dt.weekday().is_between(2, 4).all()
    assert lot.commissions.select("bailleur_id", "date").is_unique().all()
    jours = lot.commissions.group_by("bailleur_id").agg(pl.col("date").dt.weekday().n_unique())
    assert (jours["date"] == 1).all()


def test_labels_are_known_and_rather_on_those_served(lot):
    assert set(lot.labels["categorie_id"]) <= set(TypeLabel)
    servis = set(lot.attributions["menage_id"])
    labellises = set(lot.labels["menage_id"])
    autres = set(lot.menages["id"]) - servis
    assert len(labellises & servis) / len(servis) > len(labellises & autres) / len(autres)
    assert lot.labels.filter(pl.col("fin") < pl.col("debut")).is_empty()


def test_agents_are_employees_of_the_state_within_its_ceiling(lot):
    agents = lot.attributions.filter("agent")
    oriente = agents.join(lot.liberations.select("reservataire_id", liberation_id="id"), on="liberation_id")
    assert agents.height and (oriente["reservataire_id"] == ETAT).all()
    assert (agents["statut_emploi"] == "SALARIE").all()
    assert agents.height < 0.05 * lot.attributions.height + 5
    autres = lot.attributions.filter(~pl.col("agent"))
    assert autres["agent_valide_le"].null_count() == autres.height
    assert not autres["agent_accord_posterieur"].any() and not autres["agent_adapte"].any()


def test_logged_reasons_are_for_the_state_and_for_no_label(lot):
    motives = lot.attributions.filter(pl.col("motif_hors_prioritaire") != "")
    assert motives.height
    labellises = set(lot.labels["menage_id"]) - set(
        lot.labels.join(lot.labels_admis, left_on="id", right_on="labellisation_id")["menage_id"]
    )
    assert len(set(motives["menage_id"]) & labellises) <= 2  # a late label does not count


def test_households_are_hashed_numbers_that_say_demo(lot):
    assert lot.menages["numero_hache"].is_unique().all()
    premier = lot.menages.row(0, named=True)
    passage = lot.passages.filter(pl.col("menage_id") == premier["id"]).row(0, named=True)
    caleol = lot.commissions.filter(pl.col("id") == passage["commission_id"])["date"].item()
    numero = f"006{caleol:%m%y}DEMO{premier['id']:07d}"
    assert len(numero) == 18
    assert premier["numero_hache"] == empreinte_numero(numero, CLE)
    assert premier["numero_fin"] == numero[-4:]


def test_one_seed_one_story(lot, evenements, monde):
    encore = attributions.derouler(evenements, monde, Tirage(1, "flux"))
    for nom in ("liberations", "commissions", "menages", "labels", "passages", "attributions"):
        assert getattr(encore, nom).equals(getattr(lot, nom)), nom
    autre = attributions.derouler(evenements, monde, Tirage(2, "flux"))
    assert not autre.attributions.equals(lot.attributions)
