"""Child processes: started again when they fall, all stopped at the end, whatever becomes of the parent."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from config import supervision
from config.serveurs import RACINE, wait_until
from config.supervision import Equipe, Processus, ProcessusPerdu


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_fallen_process_starts_again(tmp_path):
    with Equipe() as equipe:
        equipe.add(Processus("dormeur", ["sleep", "60"], tmp_path / "dormeur.log"))
        premier = equipe.processus[0].popen.pid
        assert equipe.look_after() == []
        os.kill(premier, signal.SIGKILL)
        assert wait_until(lambda: equipe.look_after() == ["dormeur"], 5)
        second = equipe.processus[0].popen.pid
        assert alive(second) and second != premier
    assert not alive(second)


def test_a_process_that_keeps_falling_is_given_up_with_its_last_words(tmp_path):
    bavard = Processus("bavard", ["sh", "-c", "echo dernier mot; exit 3"], tmp_path / "bavard.log")
    with (
        Equipe() as equipe,
        pytest.raises(ProcessusPerdu, match="bavard s’arrête sans cesse(.|\n)*dernier mot"),
    ):
        equipe.add(bavard)
        for _ in range(200):
            time.sleep(0.02)
            equipe.look_after()
    assert len(bavard.starts) == 1 + supervision.RESTARTS


def test_one_that_ignores_the_request_is_killed_with_its_children(tmp_path, monkeypatch):
    monkeypatch.setattr(supervision, "STOP_TIMEOUT", 0.5)
    pids = tmp_path / "pids"
    programme = f"trap '' TERM; sleep 60 & echo $$ $! > {pids}; while :; do wait; done"
    with Equipe() as equipe:
        equipe.add(Processus("sourd", ["sh", "-c", programme], tmp_path / "sourd.log"))
        assert wait_until(lambda: pids.exists() and pids.read_text().strip(), 5)
    restants = [int(pid) for pid in pids.read_text().split()]
    # An orphan that was killed is there until the system has collected it.
    assert wait_until(lambda: not any(alive(pid) for pid in restants), 5)


def test_children_die_with_a_killed_parent(tmp_path):
    programme = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from config.supervision import Equipe, Processus
        equipe = Equipe()
        equipe.add(Processus("dormeur", ["sleep", "60"], Path("{tmp_path}/dormeur.log")))
        print(equipe.processus[0].popen.pid, flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", programme], cwd=RACINE, stdout=subprocess.PIPE, text=True
    ) as parent:
        enfant = int(parent.stdout.readline())
        assert alive(enfant)
        parent.kill()
    assert wait_until(lambda: not alive(enfant), 5)
