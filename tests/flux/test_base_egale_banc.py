"""The database path and the test bench give the same figures on the same bailleur-year: one set of rules."""

import copy
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings

from flux.banc_essai.execution import executer
from flux.banc_essai.lecture import lire_scenario
from flux.banc_essai.resultat import en_json
from flux.banc_essai.scenario import Scenario
from flux.models import Imputation, Nature, PartFlux
from flux.services.calculs import calculer
from flux.services.imputations import imputer
from reservation.regles.actes import acte_regissant
from reservation.regles.periodes import annee_civile
from tests.banc_essai.generateur import fichiers
from tests.flux.chargement import Charge, charger

CAS = Path(__file__).resolve().parents[2] / "flux" / "banc_essai" / "cas"

pytestmark = pytest.mark.django_db


def lire(brut: dict) -> Scenario:
    scenario, erreurs = lire_scenario(brut)
    assert not erreurs
    return scenario


def comparer(scenario: Scenario) -> Charge:
    """Load, impute, compute; every figure and every imputation of the year must be the bench's."""
    charge = charger(scenario)
    imputer(paires=[charge.paire])
    calcul = calculer(*charge.paire, scenario.annee, Nature(scenario.nature.value), "essai")
    execution = executer(scenario)
    attendu = en_json(scenario.titre, execution.resultat, execution.imputations)
    _retirer_inactifs(attendu, scenario)
    obtenu = {cle: calcul.resultat[cle] for cle in attendu if cle not in ("titre", "imputations")}
    assert obtenu == {cle: attendu[cle] for cle in obtenu}
    assert (calcul.parc, calcul.soumis, calcul.flux) == (
        attendu["assiette"]["parc"],
        attendu["assiette"]["soumis"],
        attendu["flux"]["flux"],
    )
    parts = PartFlux.objects.filter(calcul=calcul).order_by("rang")
    assert [(p.code, str(p.part_exacte), p.objectif, p.report, p.objectif_total) for p in parts] == [
        (p["reservataire"], p["part_exacte"], p["objectif"], p["report"], p["objectif_total"])
        for p in attendu["repartition"]
    ]
    assert [(p.code, p.realise) for p in parts] == [
        (r["reservataire"], r["realise"]) for r in attendu["realise"]
    ]
    _comparer_imputations(scenario, attendu["imputations"])
    return charge


def _retirer_inactifs(attendu: dict, scenario: Scenario) -> None:
    """The bench lists every réservataire of its file; the database those with an act in the year, or on whom
    something of the year counts."""
    an = annee_civile(scenario.annee)
    listes = {"ETAT", "ALS", "BAILLEUR"} | {
        acte.reservataire.code for acte in scenario.actes if acte.periode.commune_avec(an)
    }
    listes |= {
        ligne["reservataire"]
        for ligne in attendu["realise"]
        if any(ligne[cle] for cle in ("attributions", "baux", "echecs", "realise", "ecart"))
    }
    for cle in ("repartition", "realise", "quarts"):
        attendu[cle] = [ligne for ligne in attendu[cle] if ligne["reservataire"] in listes]


def _comparer_imputations(scenario: Scenario, attendues: dict[str, list[str]]) -> None:
    """Rows of the year: all those of the bench that have an event in it, and no other."""
    lignes = {
        ligne.liberation.reference: [ligne.titre, ligne.detail]
        for ligne in Imputation.objects.filter(annee=scenario.annee).select_related("liberation")
    }
    assert lignes.items() <= attendues.items()
    evenements = set()
    for attribution in scenario.attributions:
        siennes = [
            a
            for a in scenario.attributions
            if a.liberation == attribution.liberation and a.date_caleol.year <= scenario.annee
        ]
        derniere = max(siennes, key=lambda a: a.date_caleol, default=None)
        if derniere and scenario.annee in {
            derniere.date_caleol.year,
            derniere.faits.date_bail and derniere.faits.date_bail.year,
        }:
            evenements.add(attribution.liberation)
    assert lignes.keys() == attendues.keys() & evenements


@pytest.mark.parametrize("chemin", sorted(CAS.glob("*.json")), ids=lambda chemin: chemin.stem)
def test_cas_livres(chemin):
    brut = json.loads(chemin.read_text())
    # What the bench reads and nobody signs: agents over the whole rate of the État.
    for acte in brut["conventions"]:
        if "taux_agents" in acte:
            acte["taux_agents"] = str(min(Decimal(acte["taux_agents"]), Decimal(acte["taux"])))
    comparer(lire(brut))


def _admis_en_base(scenario: Scenario) -> bool:
    """The bench reads what nobody signs: agents over the whole rate, a projection without any act of the État."""
    agents_dans_taux = all(acte.taux_agents <= acte.taux for acte in scenario.actes)
    return agents_dans_taux and (
        scenario.nature == Nature.DEFINITIF or acte_regissant(scenario.actes, scenario.annee) is not None
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(fichiers())
def test_annees_tirees_au_sort(brut):
    brut = copy.deepcopy(brut)
    if brut["nature"] == "PREVISIONNEL":  # the application keeps six decimals of a rate of rotation
        brut["taux_rotation"] = str(Decimal(brut["taux_rotation"]).quantize(Decimal("0.000001")))
    scenario, erreurs = lire_scenario(brut)
    assume(not erreurs)
    assume(_admis_en_base(scenario))
    with transaction.atomic():
        try:
            comparer(scenario)
        finally:
            transaction.set_rollback(True)
