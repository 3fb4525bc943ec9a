"""The throw-away data folder of one test run: made before the settings are read, removed when the run ends.

A run that was killed leaves its folder and servers behind; the next run of the same account finds them, by the lock
that their owner no longer holds, and clears them.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from config import serveurs
from config.serveurs import lieux

_PREFIX = f"reservation-tests-{os.geteuid()}-"
_held = []  # open files: their locks live as long as this process


def dossier() -> Path:
    """Return the folder of this run: a new one, or that of the run that started this process."""
    if os.environ.get("RESERVATION_JETABLE") == "1":
        return Path(os.environ["RESERVATION_DATA"])
    racine = Path(tempfile.gettempdir())
    if os.geteuid() == 0 and not lieux.is_traversable(racine):
        racine = Path("/tmp")
    with open(racine / f"{_PREFIX}verrou", "a") as verrou:
        fcntl.flock(verrou, fcntl.LOCK_EX)
        for ancien in racine.glob(f"{_PREFIX}*/vivant"):
            with open(ancien) as fichier, contextlib.suppress(BlockingIOError):
                fcntl.flock(fichier, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(ancien.parent)
        nouveau = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=racine))
        if os.geteuid() == 0:
            nouveau.chmod(0o711)
        vivant = open(nouveau / "vivant", "w")  # noqa: SIM115 (held until the process ends)
        fcntl.flock(vivant, fcntl.LOCK_EX)
        _held.append(vivant)
    atexit.register(_remove_own, nouveau, os.getpid())
    return nouveau


def _remove_own(chemin: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked child runs the same exit functions
        _remove(chemin)


def _remove(chemin: Path) -> None:
    avant = os.environ.get("RESERVATION_DATA")
    os.environ["RESERVATION_DATA"] = str(chemin)
    try:
        serveurs.arreter()
    finally:
        os.environ.pop("RESERVATION_DATA")
        if avant:
            os.environ["RESERVATION_DATA"] = avant
    shutil.rmtree(chemin)
