"""`python -m benchmarks.enfant MODULE FONCTION CONTEXTE SORTIE`: one measure in a process and on a base of its own.

The base is the RESERVATION_DATA of the environment; the memory and the caches measured are those of this measure.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from .mesure import Contexte, Mesure, dire

RACINE = Path(__file__).resolve().parent.parent


def executer(module: str, fonction: str, contexte: Contexte, base: Path):
    """Call `benchmarks.<module>.<fonction>(contexte)` in a new process on `base`; return what it returns."""
    with tempfile.TemporaryDirectory(prefix="mesure-", dir=base) as dossier:
        os.chmod(dossier, 0o755)  # the server of PostgreSQL reads the files of a raw COPY
        entree, sortie = Path(dossier, "contexte.json"), Path(dossier, "sortie.json")
        entree.write_text(json.dumps(asdict(replace(contexte, dossier=Path(dossier))), default=str))
        subprocess.run(
            [sys.executable, "-m", "benchmarks.enfant", module, fonction, entree, sortie],
            cwd=RACINE,
            env=os.environ | {"RESERVATION_DATA": str(base)},
            check=True,
        )
        rendu = json.loads(sortie.read_text())
    return [Mesure(**m) for m in rendu["mesures"]] if "mesures" in rendu else rendu["valeur"]


def main(module: str, fonction: str, entree: str, sortie: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    import django

    django.setup()
    from config.demarrage import preparer

    preparer()
    champs = json.loads(Path(entree).read_text())
    contexte = Contexte(
        **champs
        | {
            "dossier": Path(champs["dossier"]),
            "bases": {nom: Path(base) for nom, base in champs["bases"].items()},
        }
    )
    dire(f"  {module}…")
    from reservation.acteur import Acteur
    from reservation.perimetre import agir

    with agir(Acteur.du_systeme("mesure")):
        valeur = getattr(importlib.import_module(f"benchmarks.{module}"), fonction)(contexte)
    mesures = isinstance(valeur, list) and all(isinstance(v, Mesure) for v in valeur)
    rendu = {"mesures": [asdict(m) for m in valeur]} if mesures else {"valeur": valeur}
    Path(sortie).write_text(json.dumps(rendu))


if __name__ == "__main__":
    main(*sys.argv[1:])
