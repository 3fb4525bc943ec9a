"""Names: ASCII identifiers; what is public among rules and services says what it does."""

import ast

import pytest

from config.serveurs import RACINE
from tests.coherence.outils import ROOMS, files_of, modules, place, tree


def test_identifiers_are_ascii():
    fautes = []
    for chemin in modules(*ROOMS, "tests"):
        for noeud in ast.walk(tree(chemin)):
            nom = getattr(noeud, "name", None) or getattr(noeud, "id", None) or getattr(noeud, "arg", None)
            if isinstance(nom, str) and not nom.isascii():
                fautes.append(f"{place(chemin, noeud)} : {nom}")
    assert not fautes


@pytest.mark.parametrize("sort", ["regles", "services"])
def test_public_functions_have_a_docstring(sort):
    fautes = [
        f"{place(chemin, noeud)} : {noeud.name}"
        for chemin in files_of(sort)
        for noeud in tree(chemin).body
        if isinstance(noeud, ast.FunctionDef | ast.ClassDef)
        and not noeud.name.startswith("_")
        and not ast.get_docstring(noeud)
    ]
    assert not fautes


def test_every_app_has_its_label():
    assert {chemin.parent.name for chemin in RACINE.glob("*/apps.py")} == set(ROOMS)
