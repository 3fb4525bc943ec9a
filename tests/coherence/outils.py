"""Reading the project's own code, for the tests about it."""

import ast
from functools import cache
from pathlib import Path

from config.serveurs import RACINE

# One-way street: each room may use those that follow it, never those before.
ROOMS = ["config", "bilans", "flux", "publics", "reservation"]


def modules(*dossiers: str) -> list[Path]:
    """The Python files of these folders (of every room when none is named), migrations left out."""
    return sorted(
        chemin
        for dossier in dossiers or ROOMS
        for chemin in (RACINE / dossier).rglob("*.py")
        if "migrations" not in chemin.parts
    )


def files_of(sort: str) -> list[Path]:
    """The modules of one floor (`regles`, `services`, `models`…) in every room."""
    return [
        chemin for chemin in modules() if sort in chemin.relative_to(RACINE).parts[1:] or chemin.stem == sort
    ]


@cache
def tree(chemin: Path) -> ast.Module:
    return ast.parse(chemin.read_text(), str(chemin))


def imports(chemin: Path) -> set[str]:
    """Every module that a file imports, wherever in the file, by full name."""
    package = chemin.relative_to(RACINE).with_suffix("").parts
    package = package[:-1]
    trouves = set()
    for noeud in ast.walk(tree(chemin)):
        if isinstance(noeud, ast.Import):
            trouves |= {alias.name for alias in noeud.names}
        elif isinstance(noeud, ast.ImportFrom):
            base = ".".join(package[: len(package) - noeud.level + 1]) if noeud.level else ""
            module = ".".join(filter(None, [base, noeud.module]))
            trouves |= {f"{module}.{alias.name}" for alias in noeud.names}
    return trouves


def place(chemin: Path, noeud: ast.AST | None = None) -> str:
    return f"{chemin.relative_to(RACINE)}:{noeud.lineno}" if noeud else str(chemin.relative_to(RACINE))
