"""Where the data are, under which account, and who works there."""

import contextlib
import hashlib
import os
import pwd
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RACINE = Path(__file__).resolve().parent.parent.parent

SOCKET_PATH_MAX = 107
LONGEST_SOCKET = "postgresql/.s.PGSQL.5432"
START_TIMEOUT = 60  # seconds


class ServeurIndisponible(RuntimeError):
    """An embedded server cannot be used; the message is a French sentence that says what to do."""


@dataclass(frozen=True)
class Compte:
    """An account of the operating system."""

    uid: int
    gid: int
    nom: str


def dossier() -> Path:
    """Return the folder that holds database, broker, files and secret (`RESERVATION_DATA`), made when missing."""
    demande = os.environ.get("RESERVATION_DATA")
    chemin = Path(demande).expanduser().resolve() if demande else default_dir()
    make_dir(chemin, shared=is_root())
    return chemin


def default_dir() -> Path:
    """Prefer `donnees-locales/` beside the code; elsewhere when the server's account could not reach or write it."""
    local = RACINE / "donnees-locales"
    empreinte = hashlib.sha256(os.fsencode(RACINE)).hexdigest()[:12]
    if is_root():
        return local if is_traversable(RACINE) else Path("/var/lib/gestion-en-flux") / empreinte
    if os.access(local if local.exists() else RACINE, os.W_OK):
        return local
    return Path.home() / ".local/share/gestion-en-flux" / empreinte


def dossier_des_prises() -> Path:
    """Return the folder of the sockets: inside the data, or under /tmp when their path would be too long.

    Derived from the data folder alone (never from the session, whose XDG_RUNTIME_DIR a worker does not share), so
    that every process finds the same one. The owner is checked: /tmp belongs to everybody.
    """
    chemin = dossier() / "prises"
    if len(os.fsencode(chemin / LONGEST_SOCKET)) > SOCKET_PATH_MAX:
        empreinte = hashlib.sha256(os.fsencode(dossier())).hexdigest()[:16]
        chemin = Path("/tmp") / f"reservation-{os.geteuid()}-{empreinte}"
    return chemin


def jetable() -> bool:
    """Tell whether the data may be lost (tests): the servers then spare the disk."""
    return os.environ.get("RESERVATION_JETABLE") == "1"


def is_root() -> bool:
    return os.geteuid() == 0


def own_account() -> Compte:
    uid = os.geteuid()
    try:
        nom = pwd.getpwuid(uid).pw_name
    except KeyError as erreur:
        raise ServeurIndisponible(
            f"Le compte n° {uid} n’a pas de nom sur cette machine, ce que PostgreSQL refuse : créez-le (useradd), "
            "ou indiquez un serveur avec DATABASE_URL et REDIS_URL."
        ) from erreur
    return Compte(uid, os.getegid(), nom)


def is_traversable(chemin: Path) -> bool:
    """Tell whether any account may walk down to `chemin` (which need not exist yet)."""
    existants = [c for c in (chemin, *chemin.parents) if c.exists()]
    return all(c.stat().st_mode & 0o001 for c in existants)


def make_dir(chemin: Path, *, shared: bool = False, owner: Compte | None = None) -> None:
    """Make a folder: crossed by others when `shared`, private otherwise. One that exists keeps its mode, but must
    be a real folder of the expected account."""
    if not chemin.exists() and not chemin.is_symlink():
        if not chemin.parent.exists():
            make_dir(chemin.parent, shared=shared)
        with contextlib.suppress(FileExistsError):
            chemin.mkdir(mode=0o700)
            if shared:
                chemin.chmod(0o711)
            if owner and owner.uid != os.geteuid():
                os.chown(chemin, owner.uid, owner.gid)
    if owner:
        check_owner(chemin, owner)
    elif chemin.parent == Path("/tmp"):
        check_owner(chemin, own_account())


def check_owner(chemin: Path, compte: Compte) -> None:
    infos = chemin.lstat()
    if chemin.is_symlink() or not chemin.is_dir() or infos.st_uid != compte.uid:
        raise ServeurIndisponible(
            f"{chemin} n’appartient pas au compte « {compte.nom} » : ce dossier a servi à un autre compte. "
            "Reprenez ce compte, ou choisissez un autre dossier avec RESERVATION_DATA."
        )


def pids_working_in(dossier_vise: Path) -> list[int]:
    """Return the processes whose working folder is `dossier_vise` (both servers sit in their data)."""
    trouves = []
    for entree in Path("/proc").iterdir():
        if entree.name.isdecimal():
            with contextlib.suppress(OSError):
                if os.readlink(entree / "cwd") == str(dossier_vise):
                    trouves.append(int(entree.name))
    return trouves


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Ask `condition` until it is true; False when it still is not after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def tail(fichier: Path) -> str:
    """Return the end of a log, for an error message."""
    try:
        return fichier.read_text(errors="replace")[-2000:]
    except OSError:
        return "(journal absent)"
