"""The job with a real Celery worker on a real broker: done after commit, done once, done again after a kill -9."""

import os
import signal
import subprocess
import sys
from datetime import date

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from config import serveurs
from flux import tasks
from flux.models import CalculAFaire, CalculFlux, Recalcul
from flux.services import file_de_calcul, liberations
from flux.services.file_de_calcul import lancer_recalcul, marquer_a_calculer, reprendre
from reservation.acteur import Acteur
from reservation.models import Organisation, Presence
from tests.flux.fabriques import ANNEE, actes_paca, liberation, parc
from tests.personnages import distribuer

SYSTEME = Acteur.du_systeme("essai")
pytestmark = pytest.mark.travailleur


def jusqu_a(condition, secondes: float = 60) -> bool:
    return serveurs.wait_until(condition, seconds=secondes)


def preparer(nombre: int):
    """`nombre` bailleurs of the Alpes-Maritimes, each with its acts and its parc."""
    cast = distribuer()
    for rang in range(nombre):
        bailleur = Organisation.objects.create(
            type="BAILLEUR", nom=f"Bailleur {rang}", siren=f"2{rang:08d}", famille="OPH"
        )
        Presence.objects.create(bailleur=bailleur, departement_id="06")
        actes_paca(cast, bailleur)
        parc(bailleur)
    return cast


def test_one_liberation_moves_one_flux_by_itself(travailleur):
    cast = distribuer()
    actes_paca(cast)
    parc(cast.bailleur_a)
    liberations.enregistrer_liberation(
        cast.acteur("gestionnaire_a"),
        cast.bailleur_a,
        date=date(ANNEE, 5, 4),
        reference="NEUF-1",
        commune="06029",
        finan="13",
        conv="1",
        nbpiece=3,
        construct=2020,
    )
    assert jusqu_a(lambda: CalculFlux.objects.filter(nature="DEFINITIF", flux=1).exists())
    assert jusqu_a(lambda: not CalculAFaire.objects.exists())
    assert CalculFlux.objects.get(nature="DEFINITIF").raison == "Libération du 4 mai 2026 déclarée"


def test_nothing_is_done_before_the_commit(travailleur):
    cast = distribuer()
    actes_paca(cast)
    parc(cast.bailleur_a)
    with transaction.atomic():
        marquer_a_calculer([(cast.bailleur_a.pk, "06")], [ANNEE], "essai")
        assert not jusqu_a(CalculFlux.objects.exists, 2)
    assert jusqu_a(CalculFlux.objects.exists)


def test_the_command_hands_the_work_over_and_waits(travailleur, capsys):
    preparer(6)
    call_command("calculer_flux", "--annee", str(ANNEE), "--region", "93", "--par-la-file")
    dit = capsys.readouterr().err
    assert "Alpes-Maritimes (06)" in dit and "terminé" in dit
    assert Recalcul.objects.get().etat == "TERMINE"
    assert CalculFlux.objects.en_vigueur().filter(bailleur__siren__startswith="2").count() == 12


def test_the_night_looks_at_everything_again(travailleur):
    cast = preparer(2)
    tasks.recalculer_la_nuit.delay()
    assert jusqu_a(lambda: Recalcul.objects.filter(etat="TERMINE").count() == 2)
    assert set(Recalcul.objects.values_list("raison", flat=True)) == {"Recalcul de la nuit"}
    assert CalculFlux.objects.filter(bailleur__siren__startswith="2").exists()
    assert cast.bailleur_a


def lancer_travailleur(journal, **environnement) -> subprocess.Popen:
    """A worker of ours, in its own process group so that the whole of it can be killed."""
    with open(journal, "w") as sortie:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "config",
                "worker",
                "-c",
                "1",
                "-l",
                "INFO",
                "-n",
                "tue@%h",
            ],
            cwd=serveurs.RACINE,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "config.settings.test",
                "RESERVATION_BASE": connection.settings_dict["NAME"],
            }
            | environnement,
            stdout=sortie,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def test_killed_in_the_middle_it_leaves_no_half_and_is_taken_up_again(transactional_db, tmp_path, request):
    """kill -9 while a batch is held open: the versions of the batch are not there, its rows still wait, its locks are
    free; another worker, called again, does it all, and every pair has exactly one version."""
    from config.celery import app

    app.control.purge()
    preparer(30)
    recalcul = lancer_recalcul(SYSTEME, ANNEE, "tout", departements=["06"])
    total = CalculAFaire.objects.count()
    assert total == 32
    journal = tmp_path / "tue.log"
    # The table of the parts is locked from here: the worker computes, then waits in the middle of its writing.
    with transaction.atomic():
        with connection.cursor() as curseur:
            curseur.execute("LOCK TABLE flux_partflux IN SHARE MODE")
        victime = lancer_travailleur(journal)
        request.addfinalizer(victime.wait)
        try:
            assert jusqu_a(_un_travailleur_attend), journal.read_text()
        finally:
            os.killpg(victime.pid, signal.SIGKILL)
    assert jusqu_a(lambda: not _un_travailleur_ecrit(), 30), "PostgreSQL défait ce que le mort écrivait"
    assert not CalculFlux.objects.exists()
    assert CalculAFaire.objects.count() == total
    recalcul.refresh_from_db()
    assert recalcul.etat in ("EN_ATTENTE", "EN_COURS")

    # The message died with the worker (it is late-acknowledged, but only redelivered after hours): the reprise calls.
    app.control.purge()
    assert reprendre(file_de_calcul.timezone.now()) == 1
    relais = lancer_travailleur(tmp_path / "relais.log")
    try:
        assert jusqu_a(lambda: not CalculAFaire.objects.exists(), 90), (tmp_path / "relais.log").read_text()
        assert jusqu_a(lambda: Recalcul.objects.filter(pk=recalcul.pk, etat="TERMINE").exists())
    finally:
        os.killpg(relais.pid, signal.SIGTERM)
        relais.wait(timeout=60)
    assert CalculFlux.objects.filter(bailleur__siren__startswith="2").count() == 60
    assert set(CalculFlux.objects.values_list("version", flat=True)) == {1}
    assert list(recalcul.etapes.values_list("total", "faits", "erreurs")) == [(32, 32, 0)]


def _sessions(condition: str) -> int:
    """Sessions of this database that are writing the parts, under `condition`."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_stat_clear_snapshot()")  # kept until the end of the transaction otherwise
        curseur.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            f"AND query LIKE '%INSERT INTO flux_partflux%' AND {condition}"
        )
        return curseur.fetchone()[0]


def _un_travailleur_attend() -> bool:
    return _sessions("wait_event_type = 'Lock'") > 0


def _un_travailleur_ecrit() -> bool:
    return _sessions("state <> 'idle'") > 0


def test_changes_pouring_in_while_the_worker_works_are_all_there_at_the_end(travailleur):
    """Forty libérations declared one after the other, each in its transaction, while the worker computes."""
    cast = distribuer()
    actes_paca(cast)
    parc(cast.bailleur_a)
    for rang in range(40):
        with transaction.atomic():
            liberation(cast.bailleur_a, date(ANNEE, 1 + rang % 10, 1 + rang // 2))
            marquer_a_calculer([(cast.bailleur_a.pk, "06")], [ANNEE], f"libération {rang}")
    assert jusqu_a(lambda: not CalculAFaire.objects.exists())
    calcul = CalculFlux.objects.en_vigueur().get(nature="DEFINITIF")
    assert calcul.liberations == 40
    versions = list(
        CalculFlux.objects.filter(nature="DEFINITIF").order_by("version").values_list("version", flat=True)
    )
    assert versions == list(range(1, len(versions) + 1))
