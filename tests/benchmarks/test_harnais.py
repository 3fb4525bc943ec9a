"""The bench: what a measure says, how the document is kept, and one true run at a very small size."""

import os
import subprocess
import sys

import pytest

from benchmarks.__main__ import DEBUT, FIN, MODULES, decouper, ecrire
from benchmarks.mesure import Mesure, lignes_machine, machine, mediane, nombre_fr, tableau
from benchmarks.pages import premier_objet
from config.serveurs import RACINE

TENUE = Mesure("a", "Première", 1.5, 2.0, "3 s ÷ 2 s")
MANQUEE = Mesure("b", "Seconde", 25.25, 20.0, unite=" ms")
SANS_OBJECTIF = Mesure("c", "Troisième", 1234.5)


def test_one_line_per_measure_separated_by_tabs():
    assert lignes_machine([TENUE, MANQUEE, SANS_OBJECTIF]) == [
        "a\t1.5000\t2",
        "b\t25.2500\t20",
        "c\t1234.5000\t",
    ]


def test_the_table_says_which_goals_are_met():
    lignes = tableau([TENUE, MANQUEE, SANS_OBJECTIF])[2:]
    assert lignes == [
        "| Première | ✓ 1,50 | ≤ 2,00 | 3 s ÷ 2 s |",
        "| Seconde | ▲ 25,25 ms | ≤ 20,00 ms |  |",
        "| Troisième | 1\u202f234,50 | – |  |",
    ]


def test_a_goal_just_reached_is_met():
    assert Mesure("d", "", 2.0, 2.0).tenu and not Mesure("d", "", 2.0001, 2.0).tenu


@pytest.mark.parametrize(("valeurs", "milieu"), [([3], 3), ([3, 1, 2], 2), ([4, 1, 2, 3], 2)])
def test_median(valeurs, milieu):
    assert mediane(valeurs) == milieu


def test_numbers_are_written_in_french():
    assert nombre_fr(1234.5) == "1\u202f234,50"
    assert nombre_fr(7, 0) == "7"


def test_the_machine_is_described_without_being_named():
    texte = " ".join(valeur for _, valeur in machine())
    assert os.uname().nodename not in texte
    assert dict(machine())["cœurs"] == str(os.cpu_count())


def test_the_document_keeps_its_words_and_the_sections_not_run(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text(f"# Titre\n\nAvant.\n\n{DEBUT}\n{FIN}\n\nAprès.\n")
    ecrire(document, [("Le", "22/11/2026")], {"pages": [TENUE]})
    ecrire(document, [("Le", "23/11/2026")], {"import_rpls": [MANQUEE]})
    texte = document.read_text()
    assert texte.startswith("# Titre\n\nAvant.") and texte.endswith(f"{FIN}\n\nAprès.\n")
    assert texte.index(MODULES["import_rpls"]) < texte.index(MODULES["pages"])
    assert "Première" in texte and "Seconde" in texte and "22/11/2026" in texte
    ecrire(document, [("Le", "24/11/2026")], {"pages": [SANS_OBJECTIF]})
    assert "Première" not in document.read_text() and "Seconde" in document.read_text()


def test_sections_are_cut_at_their_titles():
    assert dict(decouper("\n## A\nun\n\n## B\ndeux\n")) == {"A": "un\n", "B": "deux\n"}


def test_the_first_object_of_a_list_is_a_path_below_it():
    html = '<a href="/parc/">x</a><a class="y" href="/parc/exporter/">z</a><a href="/parc/12/">u</a><a href="/parc/13/">'
    assert premier_objet(html, "/parc/") == "/parc/12/"
    assert premier_objet(html, "/flux/") is None
    liens = '<a href="/flux/export.csv?annee=2026&amp;q=">x</a><a href="/flux/1/06/?a=2026&amp;n=b">y</a>'
    assert premier_objet(liens, "/flux/") == "/flux/1/06/?a=2026&n=b"
    assert premier_objet(html, "/") is None


@pytest.mark.lent
@pytest.mark.xdist_group("mesures")
def test_the_bench_runs_from_end_to_end(donnees):
    """Two very small départements, every measure, in databases of its own."""
    document = donnees / "performance.md"
    fini = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--rapide", "--sortie", document, "--effacer"],
        cwd=RACINE,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.local"},
        capture_output=True,
        text=True,
    )
    assert fini.returncode == 0, fini.stderr
    lignes = fini.stdout.split("\n\n")[-1].splitlines()
    noms = [ligne.split("\t")[0] for ligne in lignes]
    assert all(len(ligne.split("\t")) == 3 for ligne in lignes) and len(noms) == len(set(noms)) > 10
    assert all(titre in document.read_text() for titre in MODULES.values())
    assert not (donnees / "mesures").exists()
