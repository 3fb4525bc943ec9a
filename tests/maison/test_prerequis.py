"""What the system must offer: said right, and always the same on the same machine."""

import os
import subprocess

from config.serveurs import RACINE

BIBLIOTHEQUES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")


def _demander(dossier, *bibliotheques: str) -> subprocess.CompletedProcess:
    """`outils/prerequis pdf` on a machine whose linker knows these libraries, then thousands of others, by an account
    that installs nothing."""
    (dossier / "ldconfig").write_text(
        "#!/bin/sh\n"
        + "".join(f"echo '{nom} (libc6,x86-64)'\n" for nom in bibliotheques)
        + "exec seq -f 'libautre%g.so' 50000\n"
    )
    (dossier / "id").write_text("#!/bin/sh\necho 1000\n")
    for nom in ("ldconfig", "id"):
        (dossier / nom).chmod(0o755)
    return subprocess.run(
        [RACINE / "outils" / "prerequis", "pdf"],
        env=os.environ | {"PATH": f"{dossier}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )


def test_what_is_there_is_found_whatever_comes_after(tmp_path):
    """A list that is no longer read once the name is found breaks the pipe, and nothing would seem to be there."""
    fin = _demander(tmp_path, *BIBLIOTHEQUES)
    assert (fin.returncode, fin.stderr) == (0, "")


def test_what_is_missing_is_named_with_what_it_prevents(tmp_path):
    fin = _demander(tmp_path, *BIBLIOTHEQUES[:2])
    assert fin.returncode == 1
    assert "aucun bilan PDF" in fin.stderr
    assert fin.stderr.rstrip().endswith("apt-get install libharfbuzz-subset0")
