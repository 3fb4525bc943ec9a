"""The embedded servers: one start for many processes, and a start after anything that can happen to them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis
from django.db import connection

from config import serveurs
from config.serveurs import lieux, postgresql, valkey
from manage import needs_servers


def manage(*arguments, **environment) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=serveurs.RACINE,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.local"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def postmasters(dossier: Path) -> list[int]:
    """The processes of the cluster that no other process of the cluster started."""
    pids = lieux.pids_working_in(dossier / "postgresql-18")
    return [pid for pid in pids if int(Path(f"/proc/{pid}/stat").read_text().split()[3]) not in pids]


def sql(requete: str):
    base = serveurs.base_de_donnees()
    with psycopg.connect(
        host=base["HOST"], port=base["PORT"], user=base["USER"], dbname=base["NAME"], autocommit=True
    ) as connexion:
        curseur = connexion.execute(requete)
        return curseur.fetchone() if curseur.description else None


def queue() -> redis.Redis:
    return redis.Redis(unix_socket_path=serveurs.courtier_et_cache()[0].split("//")[1].split("?")[0])


@pytest.mark.django_db
def test_the_role_cannot_escape_row_level_security():
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles "
            "WHERE rolname = current_user"
        )
        assert curseur.fetchone() == ("reservation", False, False, False, True)


@pytest.mark.django_db
def test_the_role_owns_its_database_and_its_schema():
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
        assert curseur.fetchone() == ("reservation",)
        curseur.execute("CREATE TABLE public.preuve (); DROP TABLE public.preuve")


@pytest.mark.django_db
def test_lower_case_knows_accents():
    with connection.cursor() as curseur:
        curseur.execute("SELECT lower('ÉTANG-SALÉ'), current_setting('server_version_num')::int / 10000")
        assert curseur.fetchone() == ("étang-salé", 18)


def test_start_then_stop(donnees):
    assert serveurs.etat() == serveurs.Etat(postgresql=False, valkey=False)
    serveurs.demarrer()
    assert serveurs.etat() == serveurs.Etat(postgresql=True, valkey=True)
    before = time.monotonic()
    serveurs.demarrer()
    assert time.monotonic() - before < 0.5
    assert sql("SELECT current_user, current_database()") == ("reservation", "reservation")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql("CREATE ROLE intrus SUPERUSER")

    serveurs.arreter()
    assert serveurs.etat() == serveurs.Etat(postgresql=False, valkey=False)
    assert postmasters(donnees) == []
    serveurs.arreter()


def test_many_processes_start_one_server(donnees):
    departs = [manage("serveurs", "demarrer") for _ in range(4)]
    sorties = [depart.communicate(timeout=120)[0] for depart in departs]
    assert [depart.returncode for depart in departs] == [0] * 4, sorties
    assert len(postmasters(donnees)) == 1


def test_data_and_queue_survive_a_kill(donnees):
    serveurs.demarrer()
    sql("CREATE TABLE temoin AS SELECT 42 AS valeur")
    queue().rpush("file", "tâche")
    time.sleep(1.1)  # the journal of Valkey reaches the disk every second
    for pid in (*postmasters(donnees), *lieux.pids_working_in(donnees / "valkey")):
        os.kill(pid, signal.SIGKILL)
    assert serveurs.wait_until(lambda: serveurs.etat() == serveurs.Etat(postgresql=False, valkey=False), 10)

    serveurs.demarrer()
    assert sql("SELECT valeur FROM temoin") == (42,)
    assert queue().lrange("file", 0, -1) == ["tâche".encode()]


def test_a_pid_taken_by_another_program_does_not_prevent_a_start(donnees):
    """After a power cut, the number in postmaster.pid may be that of anything: PostgreSQL alone would give up."""
    serveurs.demarrer()
    pid_file = donnees / "postgresql-18" / "postmaster.pid"
    contenu = pid_file.read_text().splitlines()
    serveurs.arreter()
    compte = postgresql.account()
    autre_compte = {"user": compte.uid, "group": compte.gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "120"], cwd="/", **autre_compte) as autre:
        pid_file.write_text("\n".join([str(autre.pid), *contenu[1:]]) + "\n")
        if os.geteuid() == 0:
            os.chown(pid_file, compte.uid, compte.gid)
        try:
            serveurs.demarrer()
            assert serveurs.etat().postgresql is True
            assert autre.poll() is None
        finally:
            autre.kill()


def test_an_interrupted_creation_is_taken_up_again(donnees):
    """A kill during initdb leaves a draft; a kill before the role exists leaves a cluster without its mark."""
    brouillon = donnees / "postgresql-18.nouveau"
    brouillon.mkdir()
    (brouillon / "PG_VERSION").write_text("18\n")
    serveurs.demarrer()
    assert not brouillon.exists()
    (donnees / "postgresql-18" / "reservation.pret").unlink()
    assert serveurs.etat().postgresql is False
    serveurs.demarrer()
    assert serveurs.etat().postgresql is True


def test_a_server_that_cannot_start_says_why(donnees):
    """Known at once, from its log: nobody waits a minute for a server that has ended."""
    serveurs.demarrer()
    serveurs.arreter()
    with open(donnees / "postgresql-18" / "postgresql.auto.conf", "a") as fichier:
        fichier.write("max_connections = beaucoup\n")
    before = time.monotonic()
    with pytest.raises(serveurs.ServeurIndisponible, match='PostgreSQL n’a pas démarré(.|\n)*"beaucoup"'):
        serveurs.demarrer()
    assert time.monotonic() - before < lieux.START_TIMEOUT / 2


def test_a_broker_that_reads_its_journal_is_waited_for(donnees, monkeypatch):
    """It does not answer yet, but it is there: a second one on the same files would ruin them."""
    (donnees / "valkey").mkdir(mode=0o700)
    monkeypatch.setattr(valkey, "START_TIMEOUT", 0.3)
    with subprocess.Popen(["sleep", "60"], cwd=donnees / "valkey") as occupant:
        try:
            with pytest.raises(serveurs.ServeurIndisponible, match="Valkey n’a pas démarré"):
                serveurs.demarrer()
            assert lieux.pids_working_in(donnees / "valkey") == [occupant.pid]
        finally:
            occupant.kill()


def test_a_long_path_gets_its_sockets_elsewhere(donnees, monkeypatch):
    profond = donnees / ("dossier-au-nom-interminable-" * 4) / 'd\'une "autre", époque'
    monkeypatch.setenv("RESERVATION_DATA", str(profond))
    prises = Path(serveurs.base_de_donnees()["HOST"])
    assert not prises.is_relative_to(profond) and len(os.fsencode(prises)) < 80
    serveurs.demarrer()
    assert sql("SELECT 1") == (1,)
    serveurs.arreter()
    assert not prises.exists()


def test_sockets_never_go_into_a_folder_of_somebody_else(donnees, monkeypatch):
    monkeypatch.setenv("RESERVATION_DATA", str(donnees / ("x" * 120)))
    prises = Path(serveurs.base_de_donnees()["HOST"]).parent
    prises.symlink_to(donnees)
    try:
        with pytest.raises(serveurs.ServeurIndisponible, match="n’appartient pas"):
            serveurs.demarrer()
    finally:
        prises.unlink()


def test_root_is_told_when_the_servers_account_cannot_reach_the_data(donnees, monkeypatch):
    ferme = donnees / "ferme"
    ferme.mkdir(mode=0o700)
    monkeypatch.setenv("RESERVATION_DATA", str(ferme / "donnees"))
    monkeypatch.setattr(postgresql, "is_root", lambda: True)
    with pytest.raises(serveurs.ServeurIndisponible, match="« nobody », qui ne peut pas entrer"):
        serveurs.demarrer()


def test_folders_made_on_the_way_stay_open_to_the_servers_account(donnees, monkeypatch):
    monkeypatch.setattr(lieux, "is_root", lambda: True)
    monkeypatch.setenv("RESERVATION_DATA", str(donnees / "a" / "b" / "c"))
    umask = os.umask(0o077)
    try:
        assert lieux.is_traversable(serveurs.dossier())
    finally:
        os.umask(umask)


def test_programs_are_copied_when_the_servers_account_cannot_reach_them(donnees, monkeypatch):
    """The environment of root often sits under /root, which is closed to everybody else."""
    monkeypatch.setattr(postgresql, "is_root", lambda: True)
    real = lieux.is_traversable
    monkeypatch.setattr(postgresql, "is_traversable", lambda c: "site-packages" not in c.parts and real(c))
    umask = os.umask(0o077)
    try:
        programmes = postgresql.programs()
    finally:
        os.umask(umask)
    assert programmes.is_relative_to(donnees)
    version = subprocess.run(
        [programmes / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    assert "18." in version.stdout
    assert lieux.is_traversable(programmes / "postgres")


def test_default_folder(donnees, monkeypatch, tmp_path):
    """Beside the code; elsewhere when root's server could not enter it, or when a user could not write it."""
    monkeypatch.delenv("RESERVATION_DATA")
    monkeypatch.setattr(lieux, "RACINE", donnees)
    assert serveurs.dossier() == donnees / "donnees-locales"

    ferme = tmp_path / "ferme"
    ferme.mkdir(mode=0o700)
    monkeypatch.setattr(lieux, "RACINE", ferme)
    monkeypatch.setattr(lieux, "is_root", lambda: True)
    assert lieux.default_dir().parent == Path("/var/lib/gestion-en-flux")

    monkeypatch.setattr(lieux, "is_root", lambda: False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert lieux.default_dir().parent == tmp_path / ".local/share/gestion-en-flux"


def test_secret_key_is_drawn_once(donnees):
    cle = serveurs.cle_secrete()
    assert len(cle) > 64
    assert serveurs.cle_secrete() == cle
    assert (donnees / "cle-secrete").stat().st_mode & 0o777 == 0o600
    assert [f.name for f in donnees.iterdir()] == ["cle-secrete"]


@pytest.mark.parametrize(
    ("url", "attendu"),
    [
        (
            "postgresql://ana:mot%40passe@base.interne:5433/flux?sslmode=require",
            ("flux", "ana", "mot@passe", "base.interne", "5433", {"sslmode": "require"}),
        ),
        ("postgres://ana@/flux?host=/run/postgresql", ("flux", "ana", "", "/run/postgresql", "", {})),
    ],
)
def test_database_url(monkeypatch, url, attendu):
    monkeypatch.setenv("DATABASE_URL", url)
    base = serveurs.base_de_donnees()
    assert tuple(base[nom] for nom in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")) == attendu


@pytest.mark.parametrize("url", ["mysql://ana@serveur/flux", "postgresql://ana@serveur/", "flux"])
def test_database_url_refused(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(serveurs.ServeurIndisponible, match="DATABASE_URL doit s’écrire"):
        serveurs.base_de_donnees()


def test_redis_url_keeps_the_cache_apart_from_the_queue(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:mot@serveur:6380/3")
    assert serveurs.courtier_et_cache() == ("redis://:mot@serveur:6380/3", "redis://:mot@serveur:6380/4")
    monkeypatch.setenv("REDIS_URL", "rediss://serveur")
    assert serveurs.courtier_et_cache() == ("rediss://serveur/0?ssl_cert_reqs=required", "rediss://serveur/1")
    monkeypatch.setenv("REDIS_URL", "http://serveur")
    with pytest.raises(serveurs.ServeurIndisponible, match="REDIS_URL doit s’écrire"):
        serveurs.courtier_et_cache()


def test_external_servers_replace_the_embedded_ones(donnees, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana@serveur/flux")
    serveurs.demarrer()
    assert serveurs.etat() == serveurs.Etat(postgresql=None, valkey=True)
    assert postmasters(donnees) == []
    serveurs.arreter()
    monkeypatch.setenv("REDIS_URL", "redis://serveur")
    serveurs.demarrer()
    assert serveurs.etat() == serveurs.Etat(postgresql=None, valkey=None)


@pytest.mark.parametrize(
    ("arguments", "attendu"),
    [
        ([], False),
        (["--version"], False),
        (["check"], False),
        (["banc_essai", "cas.json"], False),
        (["migrate", "--help"], False),
        (["migrate"], True),
        (["shell", "-c", "1"], True),
        (["demo"], True),
    ],
)
def test_which_commands_start_servers(arguments, attendu):
    assert needs_servers(arguments) is attendu


def test_command_serveurs(donnees):
    """`check` starts nothing; `serveurs` shows, starts and stops."""
    controle = manage("check")
    sortie, _ = controle.communicate(timeout=60)
    assert controle.returncode == 0, sortie
    assert serveurs.etat() == serveurs.Etat(postgresql=False, valkey=False)
    for action, mot in (("etat", "arrêté"), ("demarrer", "en marche"), ("arreter", "arrêté")):
        sortie, _ = manage("serveurs", action).communicate(timeout=60)
        assert f"PostgreSQL {mot}" in sortie and f"Valkey     {mot}" in sortie


def test_a_killed_run_is_cleared_by_the_next(donnees, monkeypatch):
    """Two runs: one alive (it holds its lock), one killed with its servers on. A third clears only the second."""
    programme = (
        "from tests import serveurs_jetables as j; from config import serveurs as s; import os, sys, time\n"
    )
    programme += (
        "os.environ['RESERVATION_DATA'] = str(j.dossier()); os.environ['RESERVATION_JETABLE'] = '1'\n"
    )
    tenir = programme + "s.demarrer(); print(s.dossier(), flush=True); time.sleep(120)"

    def lancer(source):
        return subprocess.Popen(
            [sys.executable, "-c", source],
            cwd=serveurs.RACINE,
            env=os.environ | {"TMPDIR": str(donnees)},
            stdout=subprocess.PIPE,
            text=True,
        )

    with lancer(tenir) as vivant, lancer(tenir) as tue:
        try:
            garde, oublie = Path(vivant.stdout.readline().strip()), Path(tue.stdout.readline().strip())
            tue.kill()
            tue.wait()
            assert len(postmasters(oublie)) == 1
            troisieme = lancer(programme + "print(s.dossier())")
            propre = Path(troisieme.communicate(timeout=60)[0].strip())
            assert not propre.exists()  # removed when its own run ended
            assert not oublie.exists() and postmasters(oublie) == []
            assert garde.exists() and len(postmasters(garde)) == 1
        finally:
            vivant.kill()
    lancer(programme).communicate(timeout=60)
    assert not garde.exists() and postmasters(garde) == []
