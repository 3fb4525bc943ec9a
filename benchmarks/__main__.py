"""`python -m benchmarks`: fills its own databases, runs the measures, prints them, writes docs/performance.md."""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from .enfant import RACINE, executer
from .mesure import Contexte, Mesure, dire, lignes_machine, machine, tableau

DOCUMENT = RACINE / "docs" / "performance.md"
DEBUT, FIN = "<!-- mesures -->", "<!-- fin des mesures -->"
MODULES = {
    "import_rpls": "Import du RPLS",
    "recalcul": "Recalcul du flux",
    "bilans": "Bilans en PDF",
    "pages": "Pages",
    "depot": "Dépôt d’un tableau",
    "extraits": "Extractions du SNE",
    "rapprochement": "Rapprochement avec le SNE",
    "verrou": "Second verrou",
    "candidats": "Candidats possibles",
}
# Role of a base → scale of its data; None: migrated and empty.
ECHELLES = {"vide": None, "demo": "demo", "nationale": "nationale"}
ECHELLES_RAPIDES = {"vide": None, "demo": "essai", "nationale": "essai"}


def main(arguments: Sequence[str] | None = None) -> int:
    analyseur = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Mesure les performances du projet."
    )
    analyseur.add_argument("--seulement", nargs="+", choices=MODULES, default=list(MODULES), metavar="MESURE")
    analyseur.add_argument("--rapide", action="store_true", help="petites tailles : vérifie que tout tourne")
    analyseur.add_argument("--sortie", type=Path, help="document à écrire (docs/performance.md par défaut)")
    analyseur.add_argument("--effacer", action="store_true", help="efface les bases de mesure à la fin")
    options = analyseur.parse_args(arguments)

    from config import serveurs

    dossier = serveurs.dossier() / "mesures"
    modules = {nom: importlib.import_module(f"benchmarks.{nom}") for nom in options.seulement}
    roles = sorted({role for module in modules.values() for role in module.BASES})
    bases = {}
    for role in roles:
        if emplacement(dossier, role, options.rapide) not in bases.values():
            preparer_base(dossier, role, options.rapide)
        bases[role] = emplacement(dossier, role, options.rapide)
    contexte = Contexte(dossier, bases, options.rapide)
    resultats = {}
    try:
        for nom, module in modules.items():
            resultats[nom] = executer(nom, "mesurer", contexte, bases[module.BASES[0]])
            dire("\n".join(lignes_machine(resultats[nom])))
    finally:
        for base in set(bases.values()):
            gerer(base, "serveurs", "arreter")
    toutes = [mesure for mesures in resultats.values() for mesure in mesures]
    print("\n".join(tableau(toutes)))
    if options.sortie or not options.rapide:
        ecrire(options.sortie or DOCUMENT, machine(), resultats)
    if options.effacer:
        shutil.rmtree(dossier)
    print()
    print("\n".join(lignes_machine(toutes)))
    return 0


def emplacement(dossier: Path, role: str, rapide: bool) -> Path:
    """Where the base of this role is. Small, the demonstration and the country are the same data: one serves both."""
    return dossier / (f"{ECHELLES_RAPIDES[role] or role}-rapide" if rapide else role)


def preparer_base(dossier: Path, role: str, rapide: bool) -> Path:
    """A RESERVATION_DATA of its own, migrated and filled; what is there already is kept."""
    echelle = (ECHELLES_RAPIDES if rapide else ECHELLES)[role]
    base = emplacement(dossier, role, rapide)
    dire(f"Données : {role}…")
    base.mkdir(parents=True, exist_ok=True)
    gerer(base, "migrate", "--verbosity", "0")
    if echelle:
        gerer(base, "peupler", "--echelle", echelle, "--calculer")
    return base


def gerer(base: Path, *arguments: str) -> None:
    """Run `manage.py` on one of the bases; its words go to the standard error."""
    subprocess.run(
        [sys.executable, RACINE / "manage.py", *arguments],
        env=os.environ | {"RESERVATION_DATA": str(base)},
        stdout=sys.stderr,
        check=True,
    )


def ecrire(document: Path, conditions: Iterable[tuple[str, str]], resultats: dict[str, list[Mesure]]) -> None:
    """Replace the part of the document between its two marks; the words around it are kept.

    A module that was not run keeps the table of its last run.
    """
    texte = (
        document.read_text(encoding="utf-8") if document.exists() else f"# Performances\n\n{DEBUT}\n{FIN}\n"
    )
    avant, reste = texte.split(DEBUT, 1)
    anciens, apres = reste.split(FIN, 1)
    sections = dict(decouper(anciens))
    conditions = list(conditions)
    for nom, mesures in resultats.items():
        etat = " ; ".join(f"{libelle} {valeur}" for libelle, valeur in conditions)
        sections[MODULES[nom]] = "\n".join(["", f"{etat}.", "", *tableau(mesures), ""])
    corps = "\n".join(f"## {titre}\n{sections[titre]}" for titre in MODULES.values() if titre in sections)
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(f"{avant}{DEBUT}\n\n{corps}\n{FIN}{apres}", encoding="utf-8")


def decouper(corps: str) -> Iterable[tuple[str, str]]:
    """(title, text) of each second-level section."""
    for section in corps.split("## ")[1:]:
        titre, _, texte = section.partition("\n")
        yield titre, texte.rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(main())
