"""Simulations on the database: the figures of the year without a change, those of the real calculation with one, and
nothing written but simulations."""

import json
from decimal import Decimal
from fractions import Fraction as F
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from flux.banc_essai.lecture import lire_scenario
from flux.models import CalculFlux, Liberation, Nature, PartageSimulation, Simulation, VersionSimulation
from flux.regles.simulation import Changements, SimulationImpossible
from flux.services import simulations
from flux.services.calculs import calculer
from flux.services.imputations import imputer
from flux.services.rejeu import REJEU
from flux.services.statuts import reevaluer_statuts
from reservation.models import Courriel, Presence, VersionConvention
from reservation.perimetre import agir, tables_de_locataires
from reservation.regles.typographie import decimales
from tests.acces.conftest import cles_de_session, en_tant_que
from tests.flux.chargement import Charge, charger

__all__ = ["cles_de_session", "en_tant_que"]

pytestmark = pytest.mark.django_db

CAS = Path(__file__).resolve().parents[2] / "flux" / "banc_essai" / "cas"
SIENNES = {"flux_simulation", "flux_versionsimulation", "flux_partagesimulation"}
# What follows a simulation and is nobody's figure: its events, the lines of the journal, the e-mail of a sharing.
SUITES = {
    *("flux_tracesimulation", "flux_tracepartagesimulation", "reservation_lignejournal"),
    *("reservation_courriel", "reservation_tracecourriel"),
}


def monter(nom: str) -> Charge:
    brut = json.loads((CAS / nom).read_text())
    for acte in brut["conventions"]:  # what the bench reads and nobody signs
        if "taux_agents" in acte:
            acte["taux_agents"] = str(min(Decimal(acte["taux_agents"]), Decimal(acte["taux"])))
    scenario, erreurs = lire_scenario(brut)
    assert not erreurs
    charge = charger(scenario)
    imputer(paires=[charge.paire])
    return charge


def reel(charge: Charge) -> CalculFlux:
    return calculer(*charge.paire, charge.annee, Nature.DEFINITIF, "essai")


def depart(charge: Charge) -> simulations.Depart:
    return simulations.preparer(
        Presence.objects.get(bailleur=charge.bailleur, departement=charge.departement)
    )


def parts(annee: dict, cote: str) -> list[tuple]:
    return [
        (ligne["code"], F(ligne[cote]["exacte"]), ligne[cote]["objectif"], ligne[cote]["realise"])
        for ligne in annee["lignes"]
    ]


def parts_du_calcul(calcul: CalculFlux) -> list[tuple]:
    return [
        (r["reservataire"], r["part_exacte"], r["objectif"], s["realise"])
        for r, s in zip(calcul.resultat["repartition"], calcul.resultat["realise"], strict=True)
    ]


def arrondies(lignes: list[tuple]) -> list[tuple]:
    return [(code, decimales(exacte, 4), n, r) for code, exacte, n, r in lignes]


# --- The same figures -----------------------------------------------------------------------------------------


def _cas_definitifs() -> list[str]:
    return [c.name for c in sorted(CAS.glob("*.json")) if json.loads(c.read_text())["nature"] == "DEFINITIF"]


@pytest.mark.parametrize("nom", _cas_definitifs())
def test_without_a_change_it_gives_the_figures_of_the_real_calculation(nom):
    charge = monter(nom)
    calcul = reel(charge)
    (annee,) = simulations.calculer_simulation(depart(charge), Changements()).resultat["annees"]
    assert annee["a_jour"] and annee["calcul"]["version"] == calcul.version
    assert parts(annee, "avant") == parts(annee, "apres")
    assert arrondies(parts(annee, "apres")) == parts_du_calcul(calcul)
    assert (annee["apres"]["flux"], annee["apres"]["soumis"]) == (calcul.flux, calcul.soumis)
    assert annee["apres"]["hors_qpv"] == calcul.resultat["hors_qpv"]
    assert annee["apres"]["agents_max"] == calcul.resultat["agents_max"]


REELS = {
    "taux": (Changements(taux={"ETAT": F(25)}), {"ETAT": {"taux": 25}}),
    "premieres": (
        Changements(premieres_mises_en_location=True),
        {"ETAT": {"premieres_mises_en_location": True}},
    ),
    "hors_flux": (
        Changements(premieres_mises_en_location=False),
        {"ETAT": {"premieres_mises_en_location": False}},
    ),
    "pli": (Changements(pli=False), {"ETAT": {"exclut_pli": False}}),
    "pli_exclu": (Changements(pli=True), {"ETAT": {"exclut_pli": True}}),
    "echec": (
        Changements(echec_consomme={"ALS": True, "ETAT": True}),
        {"ALS": {"echec_consomme": True}, "ETAT": {"echec_consomme": True}},
    ),
    "sans_echec": (Changements(echec_consomme={"ALS": False}), {"ALS": {"echec_consomme": False}}),
    "sans_retrocession": (
        Changements(retrocession=F(0)),
        {"ETAT": {"retrocession_taux": None, "retrocession_debut": None, "retrocession_fin": None}},
    ),
    "sans_plancher": (Changements(plancher_hors_qpv=F(0)), {"ETAT": {"plancher_hors_qpv": None}}),
}


def test_with_a_change_it_gives_what_the_signed_act_would_have_given():
    """Simulated, then really signed, imputed and calculated: the same figures. Every third dwelling is a PLI."""
    charge = monter("paca-complexe-80.json")
    pli = sorted(ligne.pk for ligne in charge.liberations.values())[::3]
    Liberation.objects.filter(pk__in=pli).update(finan="16")
    reevaluer_statuts([charge.paire], charge.annee)
    imputer(paires=[charge.paire])
    avant = parts_du_calcul(reel(charge))
    differents = set()
    for nom, (changements, champs) in REELS.items():
        (annee,) = simulations.calculer_simulation(depart(charge), changements).resultat["annees"]
        assert arrondies(parts(annee, "avant")) == avant, nom
        with transaction.atomic():
            for code, valeurs in champs.items():
                titulaire = {"ETAT": "DDETS", "ALS": "ACTION_LOGEMENT"}[code]
                VersionConvention.objects.filter(
                    bailleur=charge.bailleur, reservataire__type=titulaire
                ).update(**valeurs)
            reevaluer_statuts([charge.paire], charge.annee)
            imputer(paires=[charge.paire])
            calcul = reel(charge)
            transaction.set_rollback(True)
        assert arrondies(parts(annee, "apres")) == parts_du_calcul(calcul), nom
        assert annee["apres"]["flux"] == calcul.flux, nom
        assert annee["apres"]["hors_qpv"] == calcul.resultat["hors_qpv"], nom
        assert sum(n for _, _, n, _ in parts(annee, "apres")) == calcul.flux, nom
        if parts(annee, "apres") != parts(annee, "avant") or annee["apres"] != annee["avant"]:
            differents.add(nom)
    # Else the comparison above would prove nothing of what it names.
    assert differents >= {"taux", "premieres", "sans_retrocession", "sans_plancher"}
    assert differents & {"pli", "pli_exclu"} and differents & {"echec", "sans_echec"}


# --- Nothing is written ---------------------------------------------------------------------------------------


def empreintes() -> dict[str, str]:
    """Every table of tenants but the simulations', with the traces and the queue: its rows, hashed."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ "
            "'^(reservation|publics|flux|bilans)_'"
        )
        tables = {table for (table,) in curseur}
        assert tables_de_locataires() <= tables
        lues = {}
        for table in sorted(tables - SIENNES - SUITES):
            curseur.execute(
                f"SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY t::text), '')) FROM {table} t"
            )
            (lues[table],) = curseur.fetchone()
    return lues


TOUT = Changements(
    taux={"ETAT": F(28), "ALS": F(21), "06029": F(3)},
    taux_agents=F(2),
    derogation=F(33),
    retrocession=F(1),
    plancher_hors_qpv=F(20),
    pli=False,
    residences_services=False,
    vente_demolition=True,
    locales=frozenset({"ELAN_109"}),
    premieres_mises_en_location=True,
    echec_consomme={"ALS": True},
    echelle="COMMUNE",
)


def presence_de(objets) -> Presence:
    return Presence.objects.get(bailleur=objets.bailleur, departement="06")


def test_a_simulation_from_end_to_end_touches_no_other_table(decor):
    acteur = decor.cast.acteur("gestionnaire_a")
    avant = empreintes()
    with agir(acteur):
        version = simulations.enregistrer(
            acteur, simulations.preparer(presence_de(decor.a)), TOUT, titre="tout", note="note"
        )
        simulation = version.simulation
        simulations.partager(acteur, simulation, decor.cast.commune_cannes.pk)
        simulations.recalculer(acteur, simulation)
        simulations.ne_plus_partager(acteur, simulation, decor.cast.commune_cannes.pk)
        simulations.supprimer(acteur, simulation)
    assert empreintes() == avant
    assert not Simulation.objects.filter(titre="tout").exists()


def test_while_it_computes_the_database_refuses_any_writing(decor):
    with REJEU():
        assert Liberation.objects.filter(bailleur=decor.a.bailleur).exists()
        assert not Liberation.objects.filter(bailleur=decor.a.bailleur).update(reference="écrite")
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Simulation.objects.create(
                bailleur=decor.a.bailleur,
                departement_id="06",
                proprietaire=decor.a.bailleur,
                titre="écrite",
                creee_le=decor.a.simulation.creee_le,
                calculee_le=decor.a.simulation.creee_le,
            )


def test_a_result_is_kept_as_it_was_computed(decor):
    acteur, simulation = decor.cast.acteur("gestionnaire_a"), decor.a.simulation
    with agir(acteur):
        assert VersionSimulation.objects.filter(simulation=simulation).update(resultat={}) == 0
        assert simulations.recalculer(acteur, simulation)[1] is False
    kept = simulation.versions.get()
    Liberation.objects.filter(bailleur=decor.a.bailleur, annulee_le=None).update(qpv=True)
    with agir(acteur):
        version, nouvelle = simulations.recalculer(acteur, simulation)
    assert nouvelle and version.rang == 2 and version.empreinte != kept.empreinte
    assert simulation.versions.get(rang=1).resultat == kept.resultat


# --- Who may, and what each reads -----------------------------------------------------------------------------


def test_only_the_two_that_negotiate_make_one(decor):
    cast, presence = decor.cast, presence_de(decor.a)
    for nom in (
        "lecteur_a",
        "gestionnaire_b",
        "agent_ddets_22",
        "agent_sgc_06",
        "charge_als",
        "charge_dreal",
    ):
        acteur = cast.acteur(nom)
        with agir(acteur), pytest.raises(PermissionDenied):
            simulations.enregistrer(acteur, simulations.preparer(presence), Changements(), titre="non")
    for nom in ("charge_als", "lecteur_a", "agent_ddets_06"):
        acteur = cast.acteur(nom)
        with agir(acteur), pytest.raises(PermissionDenied):
            simulations.partager(acteur, decor.a.simulation, cast.ddets_06.pk)


def test_it_is_shared_with_the_parties_to_the_acts_and_nobody_else(decor):
    cast, simulation, acteur = decor.cast, decor.a.simulation, decor.cast.acteur("gestionnaire_a")
    with agir(acteur):
        for refusee in (cast.bailleur_b, cast.ddets_22, cast.autre_caf, cast.dreal_paca, cast.bailleur_a):
            with pytest.raises(ValidationError, match="partie aux actes"):
                simulations.partager(acteur, simulation, refusee.pk)
        for acceptee in (cast.ddets_06, cast.commune_cannes, cast.prefecture_06):
            simulations.partager(acteur, simulation, acceptee.pk)
        with pytest.raises(ValidationError, match="déjà partagée"), transaction.atomic():
            simulations.partager(acteur, simulation, cast.ddets_06.pk)
    for nom, lit in (("agent_ddets_06", True), ("agent_cannes", True), ("agent_ddets_22", False)):
        lecteur = cast.acteur(nom)
        with agir(lecteur):
            # The queryset and the second lock say the same.
            assert Simulation.objects.visibles_par(lecteur).filter(pk=simulation.pk).exists() is lit
            assert Simulation.objects.filter(pk=simulation.pk).exists() is lit
            assert VersionSimulation.objects.filter(simulation=simulation).exists() is lit
            assert PartageSimulation.objects.filter(simulation=simulation).count() == (1 if lit else 0)
    with agir(acteur):
        simulations.ne_plus_partager(acteur, simulation, cast.commune_cannes.pk)
    with agir(cast.acteur("agent_cannes")):
        assert not Simulation.objects.filter(pk=simulation.pk).exists()


def test_each_reads_what_it_may_read_of_the_flux(decor):
    """Chapter 2: all for the bailleur and the State; its share and the flux for ALS; its share for a commune."""
    with agir(decor.cast.acteur("gestionnaire_a")):
        resultat = simulations.calculer_simulation(simulations.preparer(presence_de(decor.a)), TOUT).resultat
    lues = {
        nom: simulations.lire(decor.cast.acteur(nom), resultat)
        for nom in ("gestionnaire_a", "agent_ddets_06", "charge_als", "agent_cannes", "agent_caf")
    }
    codes = {nom: {ligne.code for a in lue.annees for ligne in a.lignes} for nom, lue in lues.items()}
    tous = {"ETAT", "ALS", "06029", "BAILLEUR"}
    assert codes == {
        "gestionnaire_a": tous,
        "agent_ddets_06": tous,
        "charge_als": {"ALS"},
        "agent_cannes": {"06029"},
        "agent_caf": set(),
    }
    als, cannes = lues["charge_als"], lues["agent_cannes"]
    assert {c["code"] for c in als.changements} == {"ALS", "REGIME"}
    assert {c["code"] for c in cannes.changements} == {"06029"}
    assert als.autres_changements and cannes.autres_changements
    for annee in als.annees:
        assert annee.avant.keys() == set(simulations.DU_FLUX) and annee.total is None and not annee.communes
    for annee in cannes.annees:
        assert annee.avant is annee.apres is annee.total is annee.sources["liberations"] is None
        (ligne,) = annee.lignes
        assert ligne.gain_points is None and "point" not in ligne.phrase


def test_an_impossible_act_is_refused_and_nothing_is_kept(decor):
    acteur, nombre = decor.cast.acteur("gestionnaire_a"), Simulation.objects.count()
    with (
        agir(acteur),
        pytest.raises(SimulationImpossible, match="points du flux sur la commune 06029"),
    ):
        simulations.enregistrer(
            acteur,
            simulations.preparer(presence_de(decor.a)),
            Changements(taux={"06029": F(60)}),
            titre="trop",
        )
    assert Simulation.objects.count() == nombre


def test_changes_survive_their_storage():
    forme = json.loads(json.dumps(simulations.changements_en_json(TOUT)))
    assert simulations.changements_de_json(forme) == TOUT
    assert simulations.changements_de_json(simulations.changements_en_json(Changements())) == Changements()


# --- Pages ----------------------------------------------------------------------------------------------------


def test_the_atelier_from_a_draft_act_to_the_shared_page(decor, en_tant_que):
    """The draft of the CAF: simulated, kept, shared with ALS, read by it without what is not its own."""
    client, paire = en_tant_que("gestionnaire_a"), (decor.a.bailleur.pk, "06")
    atelier = reverse("flux:simulation_atelier", args=paire)
    page = client.get(f"{atelier}?convention={decor.a.brouillon.pk}&rang=0").content.decode()
    assert "CAF (essai)" in page and 'value="2,00"' in page
    saisie = {
        "convention": decor.a.brouillon.pk,
        "rang": 0,
        "taux-AUTRE": "",
        "taux-CAF06": "2",
        "taux-ALS": "22,5",
    }
    fragment = client.post(reverse("flux:simulation_apercu", args=paire), saisie).content.decode()
    assert "Taux, CAF (essai)" in fragment and "aucun acte" in fragment
    fautif = client.post(atelier, saisie | {"geste": "enregistrer", "taux-ALS": "91"})
    assert fautif.status_code == 422 and "Indiquez" not in fautif.content.decode().split("Titre")[0]
    garde = client.post(
        atelier, saisie | {"geste": "enregistrer", "titre": "Avenant essayé", "note": "ensemble"}
    )
    simulation = Simulation.objects.get(titre="Avenant essayé")
    assert garde.status_code == 302 and simulation.acte == "convention brouillon-A"
    client.post(
        reverse("flux:simulation_partager", args=[simulation.pk]), {"organisation": decor.cast.als.pk}
    )
    adresse = reverse("flux:simulation", args=[simulation.pk])
    courriels = Courriel.objects.filter(gabarit="simulation_partagee", corps_texte__contains=adresse)
    assert {c.organisation for c in courriels} == {decor.cast.als}
    assert decor.cast.charge_als.courriel in {c.destinataire for c in courriels}
    # Its figures lead to as many lines, for who reads lines.
    recue = client.get(reverse("flux:simulation", args=[simulation.pk]))
    for lue in recue.context["lecture"].annees:
        liens = recue.context["liens"][lue.annee]
        for cle, nombre in (("liberations", lue.sources["liberations"]), ("assiette", lue.avant["soumis"])):
            if cle in liens:
                assert f'href="{liens[cle]}"'.replace("&", "&amp;") in recue.content.decode(), cle
                assert client.get(liens[cle]).context["page"].paginator.count == nombre, (lue.annee, cle)
        assert client.get(liens.get("calcul", adresse)).status_code == 200
    assert {"liberations", "assiette", "calcul"} <= liens.keys()
    recue = en_tant_que("charge_als").get(reverse("flux:simulation", args=[simulation.pk]))
    assert recue.context["liens"][lue.annee].keys() <= {"calcul"}
    lue = recue.content.decode()
    assert "Avenant essayé" in lue and "22,50" in lue
    for cache in ("CAF", "Cannes", "brouillon-A", "Bailleur (non réservé)"):
        assert cache not in lue, cache


def test_pages_ask_a_constant_number_of_queries(decor, en_tant_que, django_assert_max_num_queries):
    acteur = decor.cast.acteur("gestionnaire_a")
    client = en_tant_que("gestionnaire_a")
    liste = reverse("flux:simulations")
    client.get(liste)
    with connection.execute_wrapper(compteur := Compteur()):
        client.get(liste)
    with agir(acteur):
        for rang in range(5):
            simulations.enregistrer(
                acteur,
                simulations.preparer(presence_de(decor.a)),
                Changements(taux={"ALS": F(rang)}),
                titre=f"n° {rang}",
            )
    with connection.execute_wrapper(apres := Compteur()):
        client.get(liste)
    assert apres.nombre == compteur.nombre
    with django_assert_max_num_queries(70):
        client.post(reverse("flux:simulation_apercu", args=[decor.a.bailleur.pk, "06"]), {"taux-ALS": "12"})


class Compteur:
    nombre = 0

    def __call__(self, executer, sql, params, many, contexte):
        self.nombre += 1
        return executer(sql, params, many, contexte)


def test_an_old_simulation_is_forgotten(decor):
    from datetime import date

    from flux.services.oubli import _purger_simulations, _simulations

    assert _simulations(date(2025, 1, 1)).count() == 0
    tard = date(2040, 1, 1)
    attendues = Simulation.objects.count()
    assert _simulations(tard).count() == _purger_simulations(tard, 1000) == attendues > 0
    assert not PartageSimulation.objects.exists() and not VersionSimulation.objects.exists()
