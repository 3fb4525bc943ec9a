"""The repository: nothing unfinished, no address of a registry, documents that tell the truth."""

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from config.serveurs import RACINE
from tests.coherence.outils import ROOMS

MARKS = re.compile(
    r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b|pytest\.mark\.(skip|xfail)|[Ll]orem ipsum"
)
DOCUMENTS = sorted([RACINE / "README.md", *(RACINE / "docs").rglob("*.md")])


def tracked(*ends: str) -> list[Path]:
    """The files of the repository: git's list, new ones included."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=RACINE, capture_output=True, check=True,
    )  # fmt: skip
    chemins = [RACINE / nom for nom in listing.stdout.decode().split("\0") if nom.endswith(ends)]
    return [chemin for chemin in chemins if chemin.is_file()]


def test_nothing_is_left_unfinished():
    fautes = [
        f"{chemin.relative_to(RACINE)}:{n} {ligne.strip()[:80]}"
        for chemin in tracked(".py", ".html", ".sh", "Makefile", "Dockerfile", "run")
        if chemin != Path(__file__)
        for n, ligne in enumerate(chemin.read_text().splitlines(), 1)
        if MARKS.search(ligne)
    ]
    assert not fautes


@pytest.mark.parametrize("ligne", ["# TODO: later", "@pytest.mark.skip", "raise NotImplementedError"])
def test_the_unfinished_would_be_seen(ligne):
    assert MARKS.search(ligne)


def test_the_lock_names_no_registry():
    hotes = set(re.findall(r"https?://([^/\"]+)", (RACINE / "uv.lock").read_text()))
    assert hotes == {"index.invalid", "fichiers.invalid"}


def test_every_locked_file_has_a_hash():
    lignes = [ligne for ligne in (RACINE / "uv.lock").read_text().splitlines() if "fichiers.invalid" in ligne]
    assert lignes and all('hash = "sha256:' in ligne for ligne in lignes)


def test_documents_name_commands_that_exist():
    commandes = {nom for nom, app in get_commands().items()}
    gestes = set(re.findall(r"^([a-z-]+):", (RACINE / "Makefile").read_text(), re.M))
    fautes = []
    for document in DOCUMENTS:
        texte = document.read_text()
        for code in re.findall(r"`([^`\n]+)`|```\w*\n(.*?)```", texte, re.S):
            extrait = code[0] or code[1]
            fautes += [
                f"{document.name} : manage.py {nom}"
                for nom in re.findall(r"manage\.py +([a-z_]+)", extrait)
                if nom not in commandes
            ]
            fautes += [
                f"{document.name} : make {nom}"
                for nom in re.findall(r"(?:^|[\s;&])make +([a-z-]+)", extrait)
                if nom not in gestes
            ]
    assert not fautes


def test_documents_name_files_that_exist():
    racines = (*ROOMS, "tests", "docs", "outils", "docker", "benchmarks", "templates", "static")
    fautes = []
    for document in DOCUMENTS:
        texte = document.read_text()
        cites = re.findall(rf"`((?:{'|'.join(racines)})/[\w./-]+)`", texte)
        fautes += [f"{document.name} : {c}" for c in cites if not (RACINE / c).exists()]
        liens = [lien.split("#")[0] for lien in re.findall(r"\]\(([^)\s]+)\)", texte) if "://" not in lien]
        fautes += [
            f"{document.name} : {lien}" for lien in liens if lien and not (document.parent / lien).exists()
        ]
    assert not fautes
