"""Keep a few child processes running, and leave none behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

RESTARTS = 3
RESTART_WINDOW = 60  # seconds
STOP_TIMEOUT = 20  # seconds: a worker ends its task, gunicorn its requests
_PR_SET_PDEATHSIG = 1


class ProcessusPerdu(RuntimeError):
    """A process keeps ending; the message is in French and holds the end of its log."""


@dataclass
class Processus:
    """One child: its name, its command, the file of its output."""

    nom: str
    command: list[str]
    journal: Path
    environment: dict[str, str] = field(default_factory=dict)
    popen: subprocess.Popen | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        with open(self.journal, "a") as sortie:
            self.popen = subprocess.Popen(
                self.command,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=sortie,
                stderr=sortie,
                # A session of its own: Ctrl-C reaches the parent alone, which then stops the children in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self.starts.append(time.monotonic())

    def signal(self, numero: int) -> None:
        """Send a signal to the process and to those that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, numero)


def _die_with_parent() -> None:
    """In the child, before its program: the kernel stops it should the parent die without a word (kill -9)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Equipe:
    """The children of this process. Use as a context: leaving it stops them all, in reverse order of start."""

    def __init__(self):
        self.processus: list[Processus] = []

    def __enter__(self) -> "Equipe":
        return self

    def __exit__(self, *_exception) -> None:
        self.stop()

    def add(self, processus: Processus) -> None:
        self.processus.append(processus)
        processus.start()

    def look_after(self) -> list[str]:
        """Start again those that ended; return their names. Raises `ProcessusPerdu` when one keeps ending."""
        tombes = [p for p in self.processus if p.popen.poll() is not None]
        for processus in tombes:
            recents = [t for t in processus.starts if time.monotonic() - t < RESTART_WINDOW]
            if len(recents) > RESTARTS:
                fin = processus.journal.read_text(errors="replace")[-2000:]
                raise ProcessusPerdu(
                    f"{processus.nom} s’arrête sans cesse ; fin de son journal ({processus.journal}) :\n{fin}"
                )
            processus.start()
        return [p.nom for p in tombes]

    def stop(self) -> None:
        """Ask each to end, wait, and kill the groups of those that did not."""
        for processus in reversed(self.processus):
            if processus.popen.poll() is None:
                processus.popen.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for processus in reversed(self.processus):
            with contextlib.suppress(subprocess.TimeoutExpired):
                processus.popen.wait(max(0.0, deadline - time.monotonic()))
            processus.signal(signal.SIGKILL)
            processus.popen.wait()
        self.processus.clear()
