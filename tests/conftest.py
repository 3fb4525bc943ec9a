"""The house of the tests: throw-away servers, a real worker, a real browser, and the guards of `garde_fous`."""

import copy
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from config import serveurs
from reservation.acteur import Acteur
from reservation.perimetre import agir
from tests import garde_fous, remise_a_neuf
from tests.decor_du_processus import decor_du_processus

_monde = ExitStack()
CHROMIUM = Path("/usr/bin/chromium")
ATTENTE = 30_000  # milliseconds before a wait is a failure, on the slowest machine: measures nothing
VARIABLES_DES_SERVEURS = (
    "RESERVATION_JETABLE",
    "RESERVATION_BASE",
    "DATABASE_URL",
    "REDIS_URL",
    "DJANGO_SETTINGS_MODULE",
)


def pytest_configure():
    garde_fous.forbid_network()
    # What a test does itself, outside the requests and tasks that it starts, is done by the application.
    _monde.enter_context(agir(Acteur.du_systeme("essais")))


def pytest_unconfigure():
    _monde.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        remise_a_neuf.observer()
    remise_a_neuf.installer()
    yield
    decor_du_processus.demonter()
    with django_db_blocker.unblock():
        remise_a_neuf.fermer_les_autres_sessions()


@pytest.fixture(scope="session", autouse=True)
def _stricter_than_production():
    garde_fous.shuffle_unordered_querysets()
    garde_fous.forbid_untagged_documents()


@pytest.fixture(autouse=True)
def _undefined_variables_fail():
    """Said again for each test: one that changes DEBUG, say, has Django make its template engine anew."""
    garde_fous.forbid_undefined_variables()


@pytest.fixture(autouse=True)
def _same_luck_each_time(request):
    garde_fous.luck.seed(request.node.nodeid)


@pytest.fixture(autouse=True)
def _attempts_counted_afresh():
    """The limits of the sign-in are counted in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Start the servers of the run, once a test asks for the database; each parallel process has its own database."""
    serveurs.demarrer()


def pytest_collection_modifyitems(items):
    """The tests of the decor first, so that each process makes it once; they work in savepoints of their own: one that
    is not marked would write into what the others read."""
    sans_marque = [
        item.nodeid
        for item in items
        if "decor" in item.fixturenames and not item.get_closest_marker("django_db")
    ]
    if sans_marque:
        raise pytest.UsageError("« decor » sans la marque django_db : " + ", ".join(sans_marque))
    items.sort(key=lambda item: "decor" not in item.fixturenames)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """After the last test of the decor, the database is empty again."""
    if "decor" not in item.fixturenames:
        decor_du_processus.demonter()


@pytest.fixture(autouse=True)
def _files_of_the_test(request, settings, tmp_path):
    """The files of the decor outlive a test, as its rows do."""
    partages = "decor" in request.fixturenames
    settings.MEDIA_ROOT = request.getfixturevalue("fichiers_du_decor") if partages else tmp_path / "fichiers"


@pytest.fixture(scope="module")
def decor_monte(django_db_setup, django_db_blocker, tmp_path_factory):
    return decor_du_processus.monter(django_db_blocker, tmp_path_factory)


@pytest.fixture(scope="module")
def fichiers_du_decor(decor_monte, tmp_path_factory):
    return shutil.copytree(decor_monte.fichiers, tmp_path_factory.mktemp("fichiers") / "decor")


@pytest.fixture(scope="module")
def decor(decor_monte):
    """The decor, as if it had been made for this module alone. Each test then works in a savepoint (`django_db`)."""
    with transaction.atomic():
        yield copy.deepcopy(decor_monte.objets)
        transaction.set_rollback(True)


@pytest.fixture
def donnees(monkeypatch):
    """A data folder of its own, with durable servers, as a user has it; short, and open to the servers' account."""
    dossier = Path(tempfile.mkdtemp(prefix="essai-", dir="/tmp"))
    dossier.chmod(0o711)
    for nom in VARIABLES_DES_SERVEURS:
        monkeypatch.delenv(nom, raising=False)
    monkeypatch.setenv("RESERVATION_DATA", str(dossier))
    yield dossier
    serveurs.arreter()
    shutil.rmtree(dossier)


@pytest.fixture
def travailleur(transactional_db, settings, tmp_path):
    """A real Celery worker (two processes) on the database, the queue and the files of this test."""
    from config.celery import app

    app.control.purge()
    journal = tmp_path / "travailleur.log"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "RESERVATION_BASE": connection.settings_dict["NAME"],
        "RESERVATION_FICHIERS": str(settings.MEDIA_ROOT),
    }
    with open(journal, "w") as sortie:
        processus = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "config",
                "worker",
                "-c",
                "2",
                "-l",
                "INFO",
                "-n",
                "test@%h",
            ],
            cwd=serveurs.RACINE,
            env=environment,
            stdout=sortie,
            stderr=subprocess.STDOUT,
        )
    try:
        pret = serveurs.wait_until(
            lambda: processus.poll() is not None or " ready." in journal.read_text(), seconds=60
        )
        assert pret and processus.poll() is None, journal.read_text()
        yield processus
    finally:
        processus.terminate()
        try:
            processus.wait(timeout=60)
        except subprocess.TimeoutExpired:
            processus.kill()  # said by the failure of this test alone, not by those that come after
            processus.wait()
            raise


@pytest.fixture(scope="session")
def navigateur():
    """Debian's Chromium; a machine without it fails these tests, it does not skip them."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=ATTENTE)
    if not CHROMIUM.exists():
        pytest.fail("Chromium manque : lancez outils/prerequis navigateur.")
    # Playwright runs an event loop in this thread, in which Django refuses queries unless told otherwise.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            ],
        )
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(navigateur, live_server):
    """A page of the live site; an error in its console (a script, a file not found, the CSP) fails the test.

    `page.erreurs` holds them; a test that provokes one on purpose takes it out.
    """
    contexte = navigateur.new_context(
        base_url=live_server.url,
        locale="fr-FR",
        timezone_id="Europe/Paris",
        viewport={"width": 1280, "height": 900},
    )
    contexte.set_default_timeout(ATTENTE)
    contexte.set_default_navigation_timeout(60_000)
    page = contexte.new_page()
    page.erreurs = []
    page.on("console", lambda message: page.erreurs.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda erreur: page.erreurs.append(erreur.stack or str(erreur)))
    yield page
    contexte.close()
    assert not page.erreurs, "\n".join(page.erreurs)
