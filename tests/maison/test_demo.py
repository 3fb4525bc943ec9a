"""`make demo` as a person lives it: one start that does everything, a second that takes seconds, any kind of stop."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from pypdf import PdfReader

from config import demonstration_unique, serveurs
from config.management.commands.demo import PRODUITS, Command
from reservation.demonstration import COMPTES, MOT_DE_PASSE

READY = "Ctrl-C arrête tout"
# A first start has a minute and a half of real work on two free cores; machines that run tests are not free.
FIRST_START, NEXT_START = 900, 180


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as prise:
        return prise.getsockname()[1]


def _in_the_background() -> None:
    """What a shell without job control does to `make demo &`: Ctrl-C is for others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Demonstration:
    """A running `manage.py demo`; what it says is kept in `paroles`."""

    def __init__(self, port: int):
        self.port = port
        self.paroles = ""
        self.depart = time.monotonic()
        self.popen = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "demo", "--port", str(port)],
            cwd=serveurs.RACINE,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.local"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_in_the_background,
        )
        self.lecture = threading.Thread(target=self._listen)
        self.lecture.start()

    def _listen(self):
        for ligne in self.popen.stdout:
            self.paroles += ligne

    def wait_for(self, mots: str, seconds: float) -> float:
        """Wait until it has said `mots`; return the seconds since it started."""
        assert serveurs.wait_until(lambda: mots in self.paroles or self.popen.poll() is not None, seconds), (
            self.paroles
        )
        assert mots in self.paroles, self.paroles
        return time.monotonic() - self.depart

    def end(self, numero: int) -> int:
        self.popen.send_signal(numero)  # nothing happens when it has ended by itself
        code = self.popen.wait(60)
        self.lecture.join()
        self.popen.stdout.close()
        return code

    def get(self, chemin: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{chemin}", timeout=30) as reponse:
            assert reponse.status == 200
            return reponse.read().decode()


@pytest.fixture
def demonstrations():
    """Starts demonstrations; kills at the end those that a failed test left."""
    lancees = []

    def lancer(port=None):
        lancees.append(Demonstration(port or free_port()))
        return lancees[-1]

    yield lancer
    for demonstration in lancees:
        demonstration.end(signal.SIGKILL)


def children(donnees: Path) -> dict[int, str]:
    """The processes that work for this data folder, servers left out: pid → command line."""
    trouves = {}
    for entree in Path("/proc").iterdir():
        try:
            if f"RESERVATION_DATA={donnees}".encode() in (entree / "environ").read_bytes().split(b"\0"):
                commande = (entree / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if entree.name != str(os.getpid()) and ("celery" in commande or "gunicorn" in commande):
                    trouves[int(entree.name)] = commande
        except OSError:
            continue
    return trouves


def parent(pid: int) -> int:
    """The process that started this one (its name, in parentheses, may hold spaces)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.lent
@pytest.mark.travailleur
def test_a_life(donnees, demonstrations):
    # A new machine: everything is made, by the real processes.
    premiere = demonstrations()
    premiere.wait_for(READY, FIRST_START)
    for compte in COMPTES:
        assert compte.courriel in premiere.paroles
        assert " ".join(compte.a_essayer.split()) in " ".join(premiere.paroles.split())
    assert MOT_DE_PASSE in premiere.paroles
    page = premiere.get("/connexion/")
    assert "Connexion" in page and "le second facteur n’est pas exigé" in page
    assert "flux.recalculer_departement" in (donnees / "journaux" / "worker.log").read_text()
    bilans = sorted((donnees / "bilans").rglob("*.pdf"))
    assert bilans and all(len(PdfReader(bilan).pages) >= 2 for bilan in bilans)

    # Two at once: never on the same data.
    demonstrations().wait_for("Une démonstration tourne déjà", 60)

    # A worker that is killed comes back: the one that was started, not a process of its pool (numbers wrap around).
    (worker,) = (
        pid
        for pid, commande in children(donnees).items()
        if " worker " in commande and parent(pid) == premiere.popen.pid
    )
    os.kill(worker, signal.SIGKILL)
    premiere.wait_for("worker s’était arrêté : il redémarre", 30)

    # A brutal end leaves no process of ours; the servers, which are still there, serve the next start.
    premiere.end(signal.SIGKILL)
    assert serveurs.wait_until(lambda: not children(donnees), 60), children(donnees)
    deuxieme = demonstrations(premiere.port)
    assert deuxieme.wait_for(READY, NEXT_START) < NEXT_START
    assert "Données fictives" not in deuxieme.paroles
    assert "Connexion" in deuxieme.get("/connexion/")

    # Ctrl-C stops everything, servers included, and the next start finds the data.
    assert deuxieme.end(signal.SIGINT) == 0
    assert "Arrêt demandé" in deuxieme.paroles and "Traceback" not in deuxieme.paroles
    assert children(donnees) == {}
    assert serveurs.etat() == serveurs.Etat(postgresql=False, valkey=False)
    troisieme = demonstrations()
    troisieme.wait_for(READY, NEXT_START)
    assert "Données fictives" not in troisieme.paroles

    # `make stop` from elsewhere: the same end, and it is over when the command returns.
    commande = subprocess.run(
        [sys.executable, "manage.py", "serveurs", "arreter"],
        cwd=serveurs.RACINE,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.local"},
        capture_output=True,
        text=True,
    )
    assert commande.returncode == 0 and "Démonstration arrêtée" in commande.stdout, commande
    assert children(donnees) == {}
    assert serveurs.etat() == serveurs.Etat(postgresql=False, valkey=False)
    assert troisieme.popen.wait(10) == 0


def test_nothing_to_end_is_said_at_once(donnees):
    assert demonstration_unique.arreter() is False
    with demonstration_unique.tenir():
        pass
    assert demonstration_unique.arreter() is False


def test_two_never_hold_the_same_data(donnees):
    with (
        demonstration_unique.tenir(),
        pytest.raises(demonstration_unique.DejaEnCours),
        demonstration_unique.tenir(),
    ):
        pytest.fail("tenue deux fois")


def test_one_that_does_not_stop_is_named(donnees, monkeypatch):
    monkeypatch.setattr(demonstration_unique, "DELAI", 0.1)
    monkeypatch.setattr(os, "kill", lambda numero, signal_: recus.append((numero, signal_)))
    recus = []
    with (
        demonstration_unique.tenir(),
        pytest.raises(CommandError, match=re.escape(str(donnees)) + " ne s’arrête pas"),
    ):
        call_command("serveurs", "arreter")
    assert recus == [(os.getpid(), signal.SIGTERM)]


def test_starting_over_removes_what_the_demonstration_made_and_nothing_else(donnees, capsys):
    serveurs.demarrer()
    for nom in PRODUITS:
        if not (donnees / nom).exists():
            (donnees / nom).mkdir() if nom != "demonstration-prete" else (donnees / nom).touch()
    (donnees / "mes-notes.txt").touch()
    cle = serveurs.cle_secrete()
    Command()._erase()
    assert "effacées" in capsys.readouterr().out
    assert serveurs.etat() == serveurs.Etat(postgresql=True, valkey=True)
    assert (donnees / "mes-notes.txt").exists() and serveurs.cle_secrete() == cle
    assert not any((donnees / nom).exists() for nom in set(PRODUITS) - {"postgresql-18", "valkey"})


def test_external_servers_are_never_erased(donnees, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana@serveur/flux")
    with pytest.raises(CommandError, match="n’efface pas"):
        Command()._erase()


def test_a_busy_port_is_named(donnees):
    with (
        socket.create_server(("127.0.0.1", 0)) as prise,
        pytest.raises(CommandError, match=r"Le port \d+ n’est pas libre.*make demo PORT="),
    ):
        Command()._check_port(prise.getsockname()[1])


@pytest.mark.django_db
def test_data_of_another_version_are_told():
    Command()._refuse_other_version()
    MigrationRecorder(connection).record_applied("flux", "0099_venue_d_ailleurs")
    with pytest.raises(CommandError, match="demo-reset"):
        Command()._refuse_other_version()
