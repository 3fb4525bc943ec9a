"""One demonstration at a time for a data folder: who holds it, and how another process ends it.

The lock is the kernel's: it goes with the process that holds it, whatever killed that one. The number written in the
file is only trusted while the lock is held.
"""

import contextlib
import fcntl
import os
import signal

from config import serveurs

# A worker that finishes its task, then a clean stop of PostgreSQL: seconds; the rest is for a machine under load.
DELAI = 120


class DejaEnCours(RuntimeError):
    """Another process holds the demonstration of this data folder."""


class NeSArretePas(RuntimeError):
    """The demonstration was told to stop, and still holds its data after `DELAI` seconds."""


@contextlib.contextmanager
def tenir():
    """Hold the data folder for this process; raise `DejaEnCours` when another one has it."""
    with _ouvrir() as verrou:
        if not _prendre(verrou):
            raise DejaEnCours
        verrou.truncate(0)
        verrou.write(str(os.getpid()))
        verrou.flush()
        yield


def arreter() -> bool:
    """Tell the demonstration of this data folder to stop as Ctrl-C does, and wait until it has; False when none runs.

    Raises `NeSArretePas` after `DELAI` seconds.
    """
    with _ouvrir() as verrou:
        if _prendre(verrou):
            return False
        verrou.seek(0)
        if numero := verrou.read().strip():
            with contextlib.suppress(ProcessLookupError):  # ended since
                os.kill(int(numero), signal.SIGTERM)
        if not serveurs.wait_until(lambda: _prendre(verrou), DELAI):
            raise NeSArretePas
        return True


def _ouvrir():
    return open(serveurs.dossier() / "demonstration.verrou", "a+")


def _prendre(verrou) -> bool:
    try:
        fcntl.flock(verrou, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
