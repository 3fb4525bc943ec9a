"""The tree read from the database: figures of the calculation, tables counted beside them, totals proved."""

import copy
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, assume, given, settings

from bilans.models import Bilan
from bilans.regles.coherence import verifier
from bilans.regles.donnees import DonneesBilan, depuis_json, empreinte, en_json
from bilans.services.donnees_bilan import CalculAbsent, CalculPerime, lire_donnees
from flux.banc_essai.lecture import lire_scenario
from flux.models import CalculAFaire, CalculFlux, Liberation, Nature
from flux.services.calculs import calculer
from flux.services.file_de_calcul import marquer_a_calculer
from flux.services.imputations import imputer
from reservation.models import VersionConvention
from tests.banc_essai.generateur import fichiers
from tests.bilans.conftest import FEVRIER, calculer_tout
from tests.flux.chargement import Charge, charger
from tests.flux.fabriques import attribution, liberation, menage

CAS = Path(__file__).resolve().parents[2] / "flux" / "banc_essai" / "cas"
DEFINITIFS = [
    chemin
    for chemin in sorted(CAS.glob("*.json"))
    if json.loads(chemin.read_text())["nature"] == "DEFINITIF"
    # Its rate has five decimals, the database keeps the four that an act may have.
    and chemin.name != "bord-quatre-decimales-pair-bas.json"
]

pytestmark = pytest.mark.django_db


def preparer(brut: dict) -> Charge | None:
    """The scenario in the database, imputed and computed; None when it is no observed year that a database holds."""
    scenario, erreurs = lire_scenario(brut)
    if erreurs or scenario.nature != Nature.DEFINITIF or any(a.taux_agents > a.taux for a in scenario.actes):
        return None
    charge = charger(scenario)
    imputer(paires=[charge.paire])
    calculer(*charge.paire, charge.annee, Nature.DEFINITIF, "essai")
    return charge


def bilan_de(charge: Charge) -> Bilan:
    return Bilan.objects.create(
        bailleur=charge.bailleur, departement_id=charge.departement, annee=charge.annee
    )


@pytest.mark.parametrize("chemin", DEFINITIFS, ids=lambda chemin: chemin.stem)
def test_every_total_agrees_on_the_shipped_cases(chemin):
    charge = preparer(json.loads(chemin.read_text()))
    donnees = lire_donnees(bilan_de(charge), date(charge.annee + 1, 2, 20))
    assert verifier(donnees) == ()
    assert not donnees.situation.provisoire
    assert depuis_json(json.loads(json.dumps(en_json(donnees)))) == donnees


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=25,
    deadline=None,
)
@given(fichiers())
def test_every_total_agrees_on_drawn_years(brut):
    with transaction.atomic():
        charge = preparer(copy.deepcopy(brut))
        if charge:
            assert verifier(lire_donnees(bilan_de(charge), date(charge.annee + 1, 2, 20))) == ()
        transaction.set_rollback(True)
    assume(charge is not None)


# --- One bailleur-year, read by hand (see conftest) ---------------------------------------------------------


@pytest.fixture
def donnees(bilan) -> DonneesBilan:
    return lire_donnees(bilan, FEVRIER)


def cellules(donnees: DonneesBilan, dimension: str) -> dict[tuple[str, str], tuple[int, int]]:
    croise = next(c for c in donnees.croises if c.dimension == dimension)
    return {(c.classe, c.reservataire): (c.proposes, c.attribues) for c in croise.cellules}


def test_identity(donnees, bilan):
    assert donnees.bailleur.nom == "Habitat Essai A"
    assert donnees.bailleur.famille == "office public de l’habitat"
    assert (donnees.situation.donnees_au, donnees.situation.provisoire) == (date(2025, 12, 31), False)
    assert [f.sigle for f in donnees.reservataires] == ["État", "ALS", "Cannes", "Bailleur"]
    assert [(c.reservataire, c.rang) for c in donnees.conventions] == [("ETAT", 0), ("ALS", 0), ("06029", 0)]


def test_shares_are_those_of_the_calculation(donnees, bilan):
    resultat = CalculFlux.objects.get(annee=2025, nature=Nature.DEFINITIF, en_vigueur=True).resultat
    assert [(p.code, str(p.exacte), p.objectif) for p in donnees.parts] == [
        (ligne["reservataire"], ligne["part_exacte"], ligne["objectif"]) for ligne in resultat["repartition"]
    ]
    etat, als = donnees.part("ETAT"), donnees.part("ALS")
    assert [(t.net, t.acte, t.retrocede) for t in etat.taux] == [
        (Decimal("28.63"), Decimal(30), Decimal("-1.37"))
    ]
    assert [(t.net, t.retrocede) for t in als.taux] == [(Decimal("28.37"), Decimal("1.37"))]
    assert donnees.part("BAILLEUR").taux == ()
    assert etat.calcul == ("28,63 × 5",)


def test_bridge_from_flux_to_attributions(donnees):
    pont = donnees.pont
    assert (pont.flux, pont.orientes, pont.a_orienter) == (5, 1, 0)
    assert (pont.liberes_attribues, pont.anterieurs, pont.attributions) == (4, 1, 5)


def test_proposed_and_attributed(donnees):
    assert cellules(donnees, "typologie") == {
        ("T2", "ETAT"): (1, 1),
        ("T3", "ETAT"): (1, 2),  # the dwelling of 2024 was proposed in 2024, and attributed in 2025
        ("T3", "ALS"): (1, 0),  # its designation failed…
        ("T3", "BAILLEUR"): (2, 2),  # … it was proposed again to the bailleur; the other was never oriented
        ("T3", "06029"): (1, 0),
    }
    assert cellules(donnees, "financement")["PLAI", "BAILLEUR"] == (1, 1)
    assert cellules(donnees, "localisation")["true", "ETAT"] == (0, 1)
    assert cellules(donnees, "commune")["06004", "ETAT"] == (1, 1)


def test_operations(donnees):
    operations = {o.code: o for o in donnees.operations}
    assert operations["RELOCATION"].total == 5
    assert (operations["MUTATION"].hors_contingent, operations["MUTATION"].total) == (1, 1)
    premiere = operations["PREMIERE_HORS_FLUX"]
    assert [(c.reservataire, c.nombre) for c in premiere.par_reservataire] == [("ALS", 1)]
    assert [(p.code, p.total) for p in donnees.premieres] == [("PLUS", 1)]


def test_soustractions_have_their_projection_and_their_place(donnees):
    mutation = next(s for s in donnees.flux.soustractions if s.code == "MUTATION")
    assert (mutation.prevu, mutation.realise, mutation.qpv, mutation.deduite) == (3, 1, 1, True)
    assert [(c.libelle, c.nombre) for c in mutation.affectation] == [("Cannes", 1)]
    urgence = next(s for s in donnees.flux.soustractions if s.code == "URGENCE_PREFECTORALE")
    assert (urgence.prevu, urgence.deduite) == (None, False)


def test_contingent_of_the_state(donnees):
    lignes = {ligne.titre: ligne for ligne in donnees.etat}
    assert (lignes["AGENT"].total, lignes["PRIORITE_1"].total, lignes["PRIORITE_2"].total) == (1, 1, 1)
    assert (lignes["PRIORITE_1"].dalo, lignes["PRIORITE_1"].qpv) == (1, 1)
    assert donnees.agents.loges == 1
    assert {(s.code, s.dalo) for s in donnees.suites if s.dalo} == {("ETAT", 1)}


def test_the_quarter_of_the_bailleur_holds_failed_designations(donnees):
    quart = next(q for q in donnees.quarts if q.code == "BAILLEUR")
    assert (quart.attributions, quart.echecs, quart.manque) == (2, 1, 1)


def test_commissions_and_refusals(donnees):
    c = donnees.caleol
    assert (c.seances, c.dossiers) == (1, 3)
    assert [compte.nombre for compte in c.decisions] == [0, 1, 0, 1, 1]
    assert sum(compte.nombre for compte in c.refus_commission) == 2
    assert (c.total_prononcees, c.total_refus) == (8, 1)
    assert [(r.total, [(x.reservataire, x.nombre) for x in r.par_contingent]) for r in c.refus_menages] == [
        (1, [("ETAT", 1)])
    ]


def test_lines(donnees):
    assert len(donnees.attributions) == 7
    par_imputation = {ligne.imputation: ligne for ligne in donnees.attributions}
    agent = par_imputation["Agent de l’État"]
    assert agent.observation == "Agent validé le 15/03/2025"
    assert (agent.commune, agent.date_bail) == ("Antibes", date(2025, 5, 1))
    assert par_imputation["Prioritaire, groupe 1"].dalo
    soustraite = par_imputation["Soustraction\u00a0: mutations dans le parc du bailleur"]
    assert soustraite.contingent == "SOUSTRACTION"
    assert soustraite.dalo, "le ménage est DALO, l’attribution n’en compte pas moins hors flux"
    assert not soustraite.prioritaire
    assert "Désignation échouée le 01/06/2025" in {x.observation for x in donnees.attributions}
    assert [x.date_caleol for x in donnees.attributions] == sorted(
        x.date_caleol for x in donnees.attributions
    )


def test_only_the_last_four_characters_of_a_household(donnees):
    assert all(len(ligne.menage) == 4 for ligne in donnees.attributions)
    assert "000000000000" not in json.dumps(en_json(donnees))


def test_a_label_after_the_caleol_is_no_dalo_unless_admitted(bilan):
    tardif = menage("06", ("DALO", date(2025, 9, 1)))
    jour = date(2025, 8, 1)
    attribuee = attribution(liberation(bilan.bailleur, jour), date(2025, 8, 20), menage=tardif)
    calculer_tout(bilan.bailleur)
    lue = lire_donnees(bilan, FEVRIER)
    assert sum(ligne.dalo for ligne in lue.attributions if ligne.contingent == "BAILLEUR") == 0
    attribuee.labels_admis.add(tardif.labels.get())
    calculer_tout(bilan.bailleur)
    lue = lire_donnees(bilan, FEVRIER)
    assert sum(ligne.dalo for ligne in lue.attributions if ligne.contingent == "BAILLEUR") == 1


def test_a_dwelling_oriented_before_it_is_free_is_proposed_when_it_is(bilan, cast):
    avant = sum(p for p, _ in cellules(lire_donnees(bilan, FEVRIER), "typologie").values())
    liberation(bilan.bailleur, date(2025, 1, 10), reservataire=cast.ddets_06, orientee_le=date(2024, 12, 15))
    liberation(bilan.bailleur, date(2026, 1, 10), reservataire=cast.ddets_06, orientee_le=date(2025, 12, 15))
    calculer_tout(bilan.bailleur)
    apres = sum(p for p, _ in cellules(lire_donnees(bilan, FEVRIER), "typologie").values())
    assert apres == avant + 1


def test_what_is_cancelled_or_out_of_the_assiette_is_nowhere(bilan):
    avant = empreinte(lire_donnees(bilan, FEVRIER))
    annulee = liberation(
        bilan.bailleur, date(2025, 3, 3), annulee_le=date(2025, 3, 5), motif_annulation="le locataire reste"
    )
    hors = liberation(bilan.bailleur, date(2025, 3, 3), dans_assiette=False, statut_logement="PLI")
    attribution(hors, date(2025, 4, 3), menage=menage("06"))
    assert Liberation.objects.filter(pk__in=[annulee.pk, hors.pk]).count() == 2
    calculer_tout(bilan.bailleur)
    assert empreinte(lire_donnees(bilan, FEVRIER)) == avant


def test_another_bailleur_is_not_read(bilan, cast):
    avant = empreinte(lire_donnees(bilan, FEVRIER))
    etrangere = liberation(cast.bailleur_b, date(2025, 3, 3), reservataire=cast.ddets_06)
    attribution(etrangere, date(2025, 4, 3), menage=menage("06"))
    imputer(paires=[(cast.bailleur_b.pk, "06")])
    assert empreinte(lire_donnees(bilan, FEVRIER)) == avant


# --- When it may be stated ----------------------------------------------------------------------------------


def test_no_calculation_no_bilan(cast):
    bilan = Bilan.objects.create(bailleur=cast.bailleur_a, departement_id="06", annee=2025)
    with pytest.raises(CalculAbsent, match="n’a pas encore été calculé"):
        lire_donnees(bilan, FEVRIER)


def test_a_flux_to_be_computed_again_waits(bilan):
    marquer_a_calculer({(bilan.bailleur_id, "06")}, [2025], "essai", appeler=False)
    with pytest.raises(CalculPerime, match="recalcul"):
        lire_donnees(bilan, FEVRIER)
    CalculAFaire.objects.all().delete()
    assert lire_donnees(bilan, FEVRIER)


def test_a_projection_that_cannot_be_made_stops_no_bilan(bilan):
    """The queue keeps a row in error for the projected flux; the observed one is that of what is known now."""
    marquer_a_calculer({(bilan.bailleur_id, "06")}, [2025], "essai", appeler=False)
    CalculAFaire.objects.update(erreur="Flux prévisionnel : aucun taux de rotation n’est connu.")
    assert lire_donnees(bilan, FEVRIER).flux.flux == 5


def test_an_observed_flux_in_error_is_told(bilan):
    liberation(bilan.bailleur, date(2025, 8, 8))
    marquer_a_calculer({(bilan.bailleur_id, "06")}, [2025], "essai", appeler=False)
    CalculAFaire.objects.update(erreur="Flux définitif : les parts réservées dépassent le flux.")
    with pytest.raises(CalculAbsent, match="n’a pas pu être recalculé. Flux définitif : les parts"):
        lire_donnees(bilan, FEVRIER)


def test_conventions_changed_since_the_calculation_wait(bilan):
    VersionConvention.objects.filter(bailleur=bilan.bailleur, reservataire__type="ACTION_LOGEMENT").update(
        taux=Decimal(19)
    )
    with pytest.raises(CalculPerime, match="a changé depuis son calcul"):
        lire_donnees(bilan, FEVRIER)


def test_a_year_in_progress_is_provisional(bilan):
    situation = lire_donnees(bilan, date(2025, 11, 20)).situation
    assert (situation.donnees_au, situation.provisoire) == (date(2025, 11, 20), True)


def test_same_rows_same_fingerprint(bilan):
    assert empreinte(lire_donnees(bilan, FEVRIER)) == empreinte(lire_donnees(bilan, date(2026, 6, 1)))


def compter(bilan) -> int:
    with CaptureQueriesContext(
        connection,
    ) as requetes:
        lire_donnees(bilan, FEVRIER)
    return len(requetes)


def test_the_number_of_queries_depends_on_nothing(bilan, cast):
    compter(bilan)  # the bailleur and the département of the row are read once
    petit = compter(bilan)
    for rang in range(12):
        jour = date(2025, 1 + rang, 3)
        libre = liberation(bilan.bailleur, jour, reservataire=[cast.ddets_06, cast.als, None][rang % 3])
        attribution(libre, date(2025, 12, 20), menage=menage("06", ("DALO", date(2024, 1, 1))))
    calculer_tout(bilan.bailleur)
    assert compter(bilan) == petit <= 40
