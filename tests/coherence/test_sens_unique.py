"""Who may know whom: rooms in one direction, rules that know nobody, services without a request."""

import ast
import sys

from tests.coherence.outils import ROOMS, files_of, imports, modules, place, tree

# Web and work queue: what a rule, a model or a service may not know.
CLOCKS = {"today", "now", "utcnow", "localdate", "localtime"}


def test_rooms_import_in_one_direction():
    fautes = []
    for rang, room in enumerate(ROOMS):
        above = ROOMS[:rang]
        for chemin in modules(room):
            fautes += [
                f"{place(chemin)} → {module}" for module in imports(chemin) if module.split(".")[0] in above
            ]
    assert not fautes


def test_no_room_imports_tests_or_benchmarks():
    fautes = [
        f"{place(chemin)} → {module}"
        for chemin in modules()
        for module in imports(chemin)
        if module.split(".")[0] in ("tests", "benchmarks") and place(chemin) != "config/settings/test.py"
    ]
    assert not fautes


def test_rules_know_only_the_standard_library_and_other_rules():
    fautes = [
        f"{place(chemin)} → {module}"
        for chemin in files_of("regles")
        for module in imports(chemin)
        if module.split(".")[0] not in sys.stdlib_module_names and ".regles" not in module
    ]
    assert not fautes


def test_rules_have_no_clock_no_luck_no_file_and_no_float():
    """A rule is a function of its arguments; a rate or a number of dwellings is never a float."""
    fautes = []
    for chemin in files_of("regles"):
        fautes += [
            f"{place(chemin)} : {module}"
            for module in imports(chemin)
            if module.split(".")[0] in ("time", "random", "os", "pathlib", "socket")
        ]
        for noeud in ast.walk(tree(chemin)):
            if isinstance(noeud, ast.Constant) and isinstance(noeud.value, float):
                fautes.append(f"{place(chemin, noeud)} : {noeud.value}")
            if (
                isinstance(noeud, ast.Call)
                and isinstance(noeud.func, ast.Name)
                and noeud.func.id in ("float", "open")
            ):
                fautes.append(f"{place(chemin, noeud)} : {noeud.func.id}()")
            if isinstance(noeud, ast.Attribute) and noeud.attr in CLOCKS:
                fautes.append(f"{place(chemin, noeud)} : {noeud.attr}")
    assert not fautes


def test_models_know_neither_services_nor_views():
    fautes = [
        f"{place(chemin)} → {module}"
        for chemin in files_of("models")
        for module in imports(chemin)
        if {"services", "views", "forms", "tasks"} & set(module.split(".")[1:])
    ]
    assert not fautes


def test_services_take_an_actor_and_never_a_request():
    fautes = []
    for chemin in files_of("services"):
        fautes += [
            f"{place(chemin)} → {module}"
            for module in imports(chemin)
            if {"views", "forms"} & set(module.split(".")[1:])
            or module.startswith(("django.http", "django.shortcuts"))
        ]
        for noeud in ast.walk(tree(chemin)):
            if isinstance(noeud, ast.arg) and noeud.arg == "request":
                fautes.append(f"{place(chemin, noeud)} : request")
    assert not fautes


def test_tasks_take_plain_values():
    """A message in the queue is JSON: a task takes identifiers, and reads the rows again under lock."""
    fautes = []
    for chemin in files_of("tasks"):
        for noeud in ast.walk(tree(chemin)):
            if isinstance(noeud, ast.FunctionDef) and noeud.decorator_list:
                fautes += [
                    f"{place(chemin, argument)} : {argument.arg}"
                    for argument in [*noeud.args.args, *noeud.args.kwonlyargs]
                    if argument.arg in ("request", "acteur", "utilisateur", "user")
                ]
    assert not fautes
