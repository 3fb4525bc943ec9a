"""The command: stdout, stderr, exit codes, and no database."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from flux.banc_essai import CAS_LIVRES

from .test_cas import INVALIDES

RACINE = Path(__file__).parent.parent.parent
JUSTE = CAS_LIVRES / "bord-dix-pile-trois.json"
FAUX = INVALIDES / "mode-inconnu.json"


def lancer(*fichiers: Path | str) -> tuple[int, list, list[str]]:
    sortie, erreurs = StringIO(), StringIO()
    code = 0
    try:
        call_command("banc_essai", *map(str, fichiers), stdout=sortie, stderr=erreurs)
    except SystemExit as fin:
        code = fin.code
    return code, json.loads(sortie.getvalue() or "null"), erreurs.getvalue().splitlines()


@pytest.fixture
def different(tmp_path) -> Path:
    cas = json.loads(JUSTE.read_text())
    cas["attendu"]["agents_max"] = 1
    cas["attendu"]["repartition"][0]["objectif"] = 4
    chemin = tmp_path / "different.json"
    chemin.write_text(json.dumps(cas))
    return chemin


def test_all_the_shipped_cases_hold():
    code, resultats, erreurs = lancer(*sorted(CAS_LIVRES.glob("*.json")))
    assert (code, len(resultats), erreurs) == (0, 12, [])


def test_a_file_without_attendu_is_only_computed(tmp_path):
    cas = json.loads(JUSTE.read_text())
    del cas["attendu"]
    (tmp_path / "cas.json").write_text(json.dumps(cas))
    code, resultats, erreurs = lancer(tmp_path / "cas.json")
    assert (code, erreurs) == (0, []) and resultats[0]["titre"] == "dix-pile-trois"


def test_a_difference_is_named_with_file_path_expected_and_computed(different):
    code, resultats, erreurs = lancer(different, JUSTE)
    assert code == 1 and len(resultats) == 2
    assert erreurs == [
        f"{different}\u00a0: repartition[0].objectif\u00a0: attendu 4, calculé 3",
        f"{different}\u00a0: agents_max\u00a0: attendu 1, calculé 0",
    ]


def test_an_invalid_file_wins_and_the_valid_ones_are_still_printed(different):
    code, resultats, erreurs = lancer(JUSTE, FAUX, different)
    assert code == 2
    assert [resultat["titre"] for resultat in resultats] == ["dix-pile-trois", "dix-pile-trois"]
    assert sum("calculé" in erreur for erreur in erreurs) == 2
    (faute,) = [erreur for erreur in erreurs if str(FAUX) in erreur]
    assert "parc[0].mode" in faute and "«\u00a07\u00a0»" in faute and "attendu" in faute


@pytest.mark.parametrize(
    ("nom", "contenu", "fragment"),
    [
        ("absent.json", None, "n’existe pas"),
        ("vide.json", b"", "JSON invalide"),
        ("image.json", b"\x89PNG\r\n\x1a\n", "mal encodé"),
        ("liste.json", b"[]", "une liste"),
    ],
)
def test_a_file_that_is_no_scenario(tmp_path, nom, contenu, fragment):
    if contenu is not None:
        (tmp_path / nom).write_bytes(contenu)
    code, resultats, (erreur,) = lancer(tmp_path / nom)
    assert (code, resultats) == (2, [])
    assert str(tmp_path / nom) in erreur and fragment in erreur and "attendu" in erreur


def test_a_folder_is_no_scenario(tmp_path):
    code, resultats, (erreur,) = lancer(tmp_path)
    assert (code, resultats) == (2, []) and "dossier" in erreur


def test_no_file_at_all():
    code, resultats, (erreur,) = lancer()
    assert (code, resultats) == (2, None) and "aucun fichier" in erreur


@pytest.mark.parametrize("langue", ["C.UTF-8", "C", "fr_FR.ISO-8859-1"])
def test_from_the_shell_without_any_server(tmp_path, langue):
    """A real process: a database address where nobody listens, a folder that no server used, any locale."""
    cas = {**json.loads(JUSTE.read_text()), "titre": "Île-d’Œuf"}
    (tmp_path / "cas.json").write_text(json.dumps(cas))
    environnement = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "DATABASE_URL": "postgres://personne@127.0.0.1:1/nulle-part",
        "RESERVATION_DATA": str(tmp_path / "donnees"),
        "LC_ALL": langue,
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    commande = [sys.executable, "manage.py", "banc_essai", str(tmp_path / "cas.json"), str(FAUX)]
    fin = subprocess.run(commande, cwd=RACINE, env=environnement, capture_output=True, timeout=120)
    assert fin.returncode == 2, fin.stderr.decode(errors="replace")
    (resultat,) = json.loads(fin.stdout)
    assert resultat["titre"] == "Île-d’Œuf" and resultat["repartition"][0]["objectif"] == 3
    assert b"parc[0].mode" in fin.stderr and b"Traceback" not in fin.stderr
