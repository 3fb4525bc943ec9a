"""Documents are numbered, kept, made again only when figures change; asked for by who may, one row per request."""

from datetime import date, timedelta

import pytest
from celery.exceptions import Retry
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from bilans import tasks
from bilans.documents.pdf import Pdf
from bilans.models import Bilan, DocumentBilan, LotBilans, ProductionBilan
from bilans.regles.donnees import depuis_json, empreinte
from bilans.services import documents, donnees_bilan, exportations, productions
from bilans.services.documents import produire_document
from bilans.services.donnees_bilan import CalculPerime, lire_donnees
from flux.models import CalculAFaire
from flux.services import file_de_calcul
from flux.services.file_de_calcul import marquer_a_calculer
from reservation.acteur import Acteur
from tests.bilans.conftest import FEVRIER, calculer_tout, remplir
from tests.flux.fabriques import attribution, liberation, menage

SYSTEME = Acteur.du_systeme("essai")
Etat = ProductionBilan.Etat

pytestmark = pytest.mark.usefixtures("sans_rendu")


@pytest.fixture
def envois(monkeypatch):
    """Keys of the tasks sent to the worker."""
    cles = []
    monkeypatch.setattr(tasks.produire_bilan, "delay", cles.append)
    return cles


# --- Versions -----------------------------------------------------------------------------------------------


def test_first_document(bilan):
    produit = produire_document(SYSTEME, bilan, FEVRIER)
    document = produit.document
    assert produit.nouveau
    assert document.numero == "BIL-2025-06-000000017-v1"
    assert (document.version, document.pages, document.donnees_au) == (1, 7, date(2025, 12, 31))
    assert document.empreinte_donnees == empreinte(lire_donnees(bilan, FEVRIER))
    assert exportations.lire_pdf(document).startswith(b"%PDF BIL-2025-06-000000017-v1")
    document.refresh_from_db()
    assert empreinte(depuis_json(document.donnees)) == document.empreinte_donnees


def test_same_figures_keep_version_and_bytes(bilan, sans_rendu):
    premier = produire_document(SYSTEME, bilan, FEVRIER)
    second = produire_document(SYSTEME, bilan, date(2026, 6, 1))
    assert not second.nouveau
    assert second.document.pk == premier.document.pk
    assert sans_rendu.appels == 1
    assert DocumentBilan.objects.count() == 1


def test_other_figures_make_a_version_and_keep_the_first(bilan):
    premier = produire_document(SYSTEME, bilan, FEVRIER).document
    octets = exportations.lire_pdf(premier)
    ajoutee = liberation(bilan.bailleur, date(2025, 8, 1))
    attribution(ajoutee, date(2025, 9, 1), menage=menage("06"))
    calculer_tout(bilan.bailleur)
    second = produire_document(SYSTEME, bilan, FEVRIER)
    assert second.nouveau
    assert second.document.version == 2
    assert second.document.empreinte_donnees != premier.empreinte_donnees
    assert exportations.lire_pdf(DocumentBilan.objects.get(version=1)) == octets


def test_the_words_of_the_bailleur_make_a_version(bilan, cast):
    produire_document(SYSTEME, bilan, FEVRIER)
    productions.rediger_appreciation(cast.acteur("gestionnaire_a"), bilan, "Un écart de deux logements.")
    bilan.refresh_from_db()
    assert produire_document(SYSTEME, bilan, FEVRIER).document.version == 2


def test_a_version_made_meanwhile_is_not_overwritten(bilan, monkeypatch):
    """Another worker keeps version 1 while this one draws its own: its number is in the bytes, it starts again."""
    numeros = []

    def rendre(document):
        numeros.append(document.reference.split(" ")[0])
        if len(numeros) == 1:
            DocumentBilan.objects.create(
                bilan=bilan,
                bailleur=bilan.bailleur,
                departement=bilan.departement,
                version=1,
                donnees_au=date(2025, 6, 30),
                donnees={},
                empreinte_donnees="1" * 64,
                fichier="autre.pdf",
                empreinte_pdf="1" * 64,
                pages=1,
            )
        return Pdf(b"%PDF", 1)

    monkeypatch.setattr(documents, "rendre", rendre)
    produit = produire_document(SYSTEME, bilan, FEVRIER)
    assert produit.document.version == 2
    assert numeros == ["BIL-2025-06-000000017-v1", "BIL-2025-06-000000017-v2"]


def test_the_workbook_comes_from_the_frozen_figures(bilan, monkeypatch):
    document = produire_document(SYSTEME, bilan, FEVRIER).document
    avant = exportations.lire_classeur(document)
    bilan.bailleur.nom = "Autre nom"
    bilan.bailleur.save()
    attribution(liberation(bilan.bailleur, date(2025, 8, 1)), date(2025, 9, 1), menage=menage("06"))
    calculer_tout(bilan.bailleur)
    assert exportations.lire_classeur(DocumentBilan.objects.get(pk=document.pk)) == avant


# --- Who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("qui", ["gestionnaire_a", "signataire_a", "agent_ddets_06"])
def test_who_may_produce(bilan, cast, qui, envois):
    assert produire_document(cast.acteur(qui), bilan, FEVRIER).nouveau
    assert productions.demander_production(cast.acteur(qui), bilan).etat == Etat.EN_ATTENTE


@pytest.mark.parametrize(
    "qui",
    [
        "lecteur_a",
        "administrateur_a",
        "gestionnaire_b",
        "lecteur_ddets_06",
        "agent_ddets_22",
        "agent_sgc_06",
        "charge_als",
        "agent_cannes",
        "charge_dreal",
        "sans_organisation",
    ],
)
def test_who_may_not(bilan, cast, qui, envois):
    acteur = cast.acteur(qui)
    with pytest.raises(PermissionDenied):
        produire_document(acteur, bilan, FEVRIER)
    with pytest.raises(PermissionDenied):
        productions.demander_production(acteur, bilan)
    with pytest.raises((PermissionDenied, ValidationError)):
        productions.demander_lot(acteur, 2025)
    assert not ProductionBilan.objects.exists()
    assert envois == []


@pytest.mark.parametrize(
    ("qui", "admis"),
    [("gestionnaire_a", True), ("agent_ddets_06", False), ("lecteur_a", False), ("gestionnaire_b", False)],
)
def test_only_the_bailleur_writes_its_appreciation(bilan, cast, qui, admis):
    if admis:
        productions.rediger_appreciation(cast.acteur(qui), bilan, "  Texte.  ")
    else:
        with pytest.raises(PermissionDenied):
            productions.rediger_appreciation(cast.acteur(qui), bilan, "Texte.")
    bilan.refresh_from_db()
    assert bilan.appreciation == ("Texte." if admis else "")


def test_opening_the_bilans_of_ones_perimeter(cast):
    remplir(cast)
    remplir(cast, cast.bailleur_b)
    Bilan.objects.all().delete()
    assert productions.ouvrir_bilans(cast.acteur("gestionnaire_b")) == 1
    assert Bilan.objects.get().bailleur == cast.bailleur_b
    assert productions.ouvrir_bilans(cast.acteur("agent_ddets_06")) == 1
    assert productions.ouvrir_bilans(cast.acteur("agent_ddets_06")) == 0
    assert productions.ouvrir_bilans(cast.acteur("agent_ddets_22")) == 0
    for qui in ("lecteur_a", "agent_sgc_06", "charge_als", "charge_dreal"):
        with pytest.raises(PermissionDenied):
            productions.ouvrir_bilans(cast.acteur(qui))


def test_the_night_opens_them_all(cast):
    remplir(cast)
    Bilan.objects.all().delete()
    tasks.ouvrir_la_nuit()
    assert Bilan.objects.get().annee == 2025


# --- Rows and tasks -----------------------------------------------------------------------------------------


def test_a_task_is_sent_after_commit_only(bilan, envois, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        demandee = productions.demander_production(SYSTEME, bilan)
        assert envois == []
    assert envois == [demandee.pk]


def test_asked_twice_made_once(bilan, cast, envois, sans_rendu):
    premiere = productions.demander_production(cast.acteur("gestionnaire_a"), bilan)
    seconde = productions.demander_production(cast.acteur("agent_ddets_06"), bilan)
    assert premiere.pk == seconde.pk
    assert productions.executer(premiere.pk).etat == Etat.PRODUITE
    assert productions.executer(premiere.pk) is None
    assert sans_rendu.appels == 1


def test_a_row_says_what_became_of_it(bilan, envois):
    premiere = productions.demander_production(SYSTEME, bilan)
    productions.executer(premiere.pk)
    premiere.refresh_from_db()
    assert (premiere.etat, premiere.document.version) == (Etat.PRODUITE, 1)
    assert premiere.commence_le <= premiere.termine_le
    seconde = productions.demander_production(SYSTEME, bilan)
    assert seconde.pk != premiere.pk
    productions.executer(seconde.pk)
    seconde.refresh_from_db()
    assert (seconde.etat, seconde.document_id) == (Etat.INCHANGEE, premiere.document_id)


def test_the_queue_of_the_flux_is_emptied_first(bilan, envois):
    marquer_a_calculer({(bilan.bailleur_id, "06")}, [2025], "essai", appeler=False)
    demandee = productions.demander_production(SYSTEME, bilan)
    assert productions.executer(demandee.pk).etat == Etat.PRODUITE
    assert not CalculAFaire.objects.exists()


def test_what_cannot_be_made_says_why(cast, envois):
    bilan = Bilan.objects.create(bailleur=cast.bailleur_a, departement_id="06", annee=2024)
    demandee = productions.demander_production(SYSTEME, bilan)
    productions.executer(demandee.pk)
    demandee.refresh_from_db()
    assert demandee.etat == Etat.ECHEC
    assert "n’a pas encore été calculé" in demandee.message


def test_totals_that_disagree_are_not_printed(bilan, envois, monkeypatch, caplog):
    oublieuse = donnees_bilan.IMPUTATIONS.replace("GROUP BY", "AND NOT i.qpv GROUP BY")
    monkeypatch.setattr(donnees_bilan, "IMPUTATIONS", oublieuse)
    demandee = productions.demander_production(SYSTEME, bilan)
    productions.executer(demandee.pk)
    demandee.refresh_from_db()
    assert demandee.etat == Etat.ECHEC
    assert "Des totaux ne concordent pas" in demandee.message
    assert not DocumentBilan.objects.exists()


def test_a_bug_is_seen_and_stops_nobody_else(bilan, envois, monkeypatch, caplog):
    monkeypatch.setattr(documents, "rendre", lambda document: 1 / 0)
    demandee = productions.demander_production(SYSTEME, bilan)
    productions.executer(demandee.pk)
    demandee.refresh_from_db()
    assert (demandee.etat, demandee.message) == (Etat.ECHEC, "Erreur du programme (ZeroDivisionError).")
    assert "ZeroDivisionError" in caplog.text


def test_a_task_waits_for_the_flux_then_gives_up(bilan, envois, monkeypatch):
    def perime(*arguments):
        raise CalculPerime("Le flux de 2025 est en cours de recalcul.")

    monkeypatch.setattr(file_de_calcul, "traiter", lambda *a: None)
    monkeypatch.setattr(productions, "produire_document", perime)
    demandee = productions.demander_production(SYSTEME, bilan)
    with pytest.raises(Retry):
        tasks.produire_bilan.apply(args=[demandee.pk], throw=True, retries=0).get()
    demandee.refresh_from_db()
    assert demandee.etat == Etat.EN_COURS
    tasks.produire_bilan.apply(args=[demandee.pk], retries=tasks.ESSAIS)
    demandee.refresh_from_db()
    assert (demandee.etat, demandee.message) == (Etat.ECHEC, "Le flux de 2025 est en cours de recalcul.")


def test_lost_messages_are_sent_again(bilan, envois, django_capture_on_commit_callbacks):
    demandee = productions.demander_production(SYSTEME, bilan)
    hier = timezone.now() - timedelta(days=1)
    ProductionBilan.objects.update(demande_le=hier, commence_le=hier, etat=Etat.EN_COURS)
    envois.clear()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.reprendre_les_productions()
    assert envois == [demandee.pk]
    productions.executer(demandee.pk)
    envois.clear()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.reprendre_les_productions()
    assert envois == []


# --- Lots ---------------------------------------------------------------------------------------------------


def test_a_lot_and_its_progress(cast, envois, django_capture_on_commit_callbacks):
    remplir(cast)
    remplir(cast, cast.bailleur_b)
    with django_capture_on_commit_callbacks(execute=True):
        lot = productions.demander_lot(cast.acteur("agent_ddets_06"), 2025)
    assert (lot.libelle, lot.departements) == ("Alpes-Maritimes", ["06"])
    assert len(envois) == 2
    assert (productions.avancement(lot).faits, productions.avancement(lot).fini) == (0, False)
    for cle in envois:
        productions.executer(cle)
    fini = productions.avancement(lot)
    assert (fini.total, fini.faits, fini.inchanges, fini.echecs, fini.fini) == (2, 2, 0, 0, True)
    second = productions.demander_lot(SYSTEME, 2025, appeler=False)
    for production in second.productions.all():
        productions.executer(production.pk)
    assert productions.avancement(second).texte == "2 sur 2, dont 2 inchangés, 0 échec"


def test_a_lot_takes_only_what_one_may_produce(cast, envois):
    remplir(cast)
    remplir(cast, cast.bailleur_b)
    lot = productions.demander_lot(cast.acteur("gestionnaire_a"), 2025)
    assert {p.bailleur_id for p in lot.productions.all()} == {cast.bailleur_a.pk}


def test_an_empty_lot_is_refused(cast):
    with pytest.raises(ValidationError, match="Aucun bilan de 2020"):
        productions.demander_lot(SYSTEME, 2020)
    assert not LotBilans.objects.exists()
