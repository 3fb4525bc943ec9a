"""`manage.py produire_bilans`: perimeter, files and their names, the table, the JSON, errors in French."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bilans.models import Bilan, DocumentBilan
from tests.bilans.conftest import remplir

pytestmark = pytest.mark.usefixtures("sans_rendu")


@pytest.fixture
def dossier(tmp_path) -> Path:
    """Beside the files of the application, not among them."""
    return tmp_path / "sortie"


@pytest.fixture
def cast(cast):
    remplir(cast)
    remplir(cast, cast.bailleur_b)
    Bilan.objects.all().delete()
    return cast


def lancer(capsys, sortie: Path, *arguments: str) -> tuple[str, str]:
    call_command("produire_bilans", "--annee", "2025", "--sortie", str(sortie), *arguments)
    lu = capsys.readouterr()
    return lu.out, lu.err


def test_files_are_named_clearly(cast, capsys, dossier):
    sortie = dossier / "bilans" / "2025"
    dit, suivi = lancer(capsys, sortie)
    assert sorted(f.name for f in sortie.iterdir()) == [
        "bilan-2025-06-habitat-essai-a-v1.pdf",
        "bilan-2025-06-habitat-essai-a-v1.xlsx",
        "bilan-2025-06-logis-essai-b-v1.pdf",
        "bilan-2025-06-logis-essai-b-v1.xlsx",
    ]
    assert "[1/2] 06 Habitat Essai A" in suivi
    assert "2 bilans écrits" in suivi and "0 échec" in suivi
    assert (
        "Habitat Essai A" in dit
        and "nouvelle version" in dit
        and "bilan-2025-06-habitat-essai-a-v1.pdf" in dit
    )


def test_again_changes_nothing(cast, capsys, dossier):
    lancer(capsys, dossier)
    avant = {f.name: f.read_bytes() for f in dossier.iterdir()}
    dit, _ = lancer(capsys, dossier)
    assert dit.count("chiffres inchangés") == 2
    assert {f.name: f.read_bytes() for f in dossier.iterdir()} == avant
    assert DocumentBilan.objects.count() == 2


@pytest.mark.parametrize(
    ("arguments", "attendus"),
    [
        (["--bailleur", "000000017"], {"habitat-essai-a"}),
        (["--departement", "06"], {"habitat-essai-a", "logis-essai-b"}),
        (["--departement", "06", "--bailleur", "000000025"], {"logis-essai-b"}),
    ],
)
def test_perimeters(cast, capsys, dossier, arguments, attendus):
    lancer(capsys, dossier, *arguments)
    assert {
        f.stem.removeprefix("bilan-2025-06-").removesuffix("-v1") for f in dossier.glob("*.pdf")
    } == attendus


def test_json(cast, capsys, dossier):
    dit, _ = lancer(capsys, dossier, "--json")
    compte_rendu = json.loads(dit)
    assert compte_rendu["annee"] == 2025
    premier = compte_rendu["bilans"][0]
    document = DocumentBilan.objects.get(bailleur=cast.bailleur_a)
    assert premier == {
        "siren": "000000017",
        "bailleur": "Habitat Essai A",
        "departement": "06",
        "etat": "PRODUITE",
        "message": "",
        "numero": "BIL-2025-06-000000017-v1",
        "version": 1,
        "pages": 7,
        "donnees_au": "2025-12-31",
        "empreinte_donnees": document.empreinte_donnees,
        "empreinte_pdf": document.empreinte_pdf,
        "pdf": "bilan-2025-06-habitat-essai-a-v1.pdf",
        "xlsx": "bilan-2025-06-habitat-essai-a-v1.xlsx",
    }


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--departement", "99"], "Département inconnu\u00a0: 99"),
        (["--bailleur", "123456789"], "Aucun bailleur ne porte le SIREN 123456789."),
        (
            ["--departement", "22"],
            "Aucun bilan de 2025 à produire dans ce périmètre. Calculez d’abord le flux",
        ),
    ],
)
def test_errors(cast, capsys, dossier, arguments, phrase):
    with pytest.raises(CommandError) as refus:
        lancer(capsys, dossier, *arguments)
    assert phrase in str(refus.value)
    assert not list(dossier.glob("*.pdf"))


def test_a_folder_that_is_a_file(cast, capsys, dossier):
    dossier.write_text("x")
    with pytest.raises(CommandError, match="Impossible d’écrire"):
        lancer(capsys, dossier)


def test_one_failure_is_told_and_the_others_are_written(cast, capsys, dossier):
    # Opened by hand for a year that was never observed: it has nothing to state.
    Bilan.objects.create(bailleur=cast.bailleur_a, departement_id="22", annee=2025)
    with pytest.raises(CommandError, match="1 bilan n’a pas pu être produit"):
        lancer(capsys, dossier)
    lu = capsys.readouterr()
    assert "n’a pas encore été calculé" in lu.out
    assert len(list(dossier.glob("*.pdf"))) == 2
