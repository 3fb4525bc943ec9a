"""A control file can be checked by anybody: whole it passes, and whatever is touched is named."""

import io
import zipfile

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from bilans.documents.dossier_zip import MANIFESTE, assembler, verifier

FICHIERS = {"lettres/MED-22-2026-004.pdf": b"%PDF-1.7 " + b"x" * 400, "dossier.xlsx": b"PK classeur"}
ENTIER = assembler(FICHIERS, {"objet": "Armor Exemple Habitat, Côtes-d’Armor"})


def refaire(changer) -> bytes:
    """The same archive, after `changer` (path → bytes)."""
    with zipfile.ZipFile(io.BytesIO(ENTIER)) as archive:
        contenu = {nom: archive.read(nom) for nom in archive.namelist()}
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w") as archive:
        for nom, octets in changer(contenu).items():
            archive.writestr(nom, octets)
    return sortie.getvalue()


def test_a_whole_file_passes_and_is_made_the_same_twice():
    verification = verifier(ENTIER)
    assert verification.anomalies == () and verification.fichiers == 2
    assert verification.manifeste["objet"].startswith("Armor")
    assert (
        assembler(dict(reversed(FICHIERS.items())), {"objet": "Armor Exemple Habitat, Côtes-d’Armor"})
        == ENTIER
    )


@pytest.mark.parametrize(
    ("changer", "anomalie"),
    [
        (lambda c: c | {"dossier.xlsx": b"PK autre"}, "dossier.xlsx : modifié"),
        (lambda c: {n: o for n, o in c.items() if n != "dossier.xlsx"}, "dossier.xlsx : absent"),
        (lambda c: c | {"ajout.pdf": b"x"}, "ajout.pdf : ajouté"),
        (lambda c: {n: o for n, o in c.items() if n != MANIFESTE}, "manifest.json manque"),
        (lambda c: c | {MANIFESTE: b"[]"}, "manifest.json manque"),
        (lambda c: c | {MANIFESTE: c[MANIFESTE].replace(b"controle/1", b"controle/9")}, "Format inconnu"),
    ],
)
def test_what_is_touched_is_named(changer, anomalie):
    (trouvee,) = verifier(refaire(changer)).anomalies
    assert trouvee.startswith(anomalie)


@given(st.integers(0, len(ENTIER) - 1), st.integers(1, 255))
def test_no_byte_of_a_file_changes_unseen(rang, masque):
    """One byte anywhere: either an anomaly, or the files read are still those of the manifest."""
    abime = bytearray(ENTIER)
    abime[rang] ^= masque
    try:
        verification = verifier(bytes(abime))
    except (UnicodeDecodeError, RuntimeError):
        pytest.fail("La vérification s’est arrêtée sur un fichier abîmé.")
    if not verification.anomalies:
        with zipfile.ZipFile(io.BytesIO(bytes(abime))) as archive:
            assert {nom: archive.read(nom) for nom in FICHIERS} == FICHIERS


def test_the_command_says_it(tmp_path, capsys):
    bon, mauvais = tmp_path / "bon.zip", tmp_path / "mauvais.zip"
    bon.write_bytes(ENTIER)
    mauvais.write_bytes(refaire(lambda c: c | {"dossier.xlsx": b"PK autre"}))
    call_command("verifier_dossier", str(bon), empreinte=verifier(ENTIER).empreinte)
    assert "Dossier entier : 2 fichiers" in capsys.readouterr().out
    with pytest.raises(CommandError, match="altéré : 1 anomalie"):
        call_command("verifier_dossier", str(mauvais))
    assert "dossier.xlsx : modifié" in capsys.readouterr().err
    with pytest.raises(CommandError, match="altéré"):
        call_command("verifier_dossier", str(bon), empreinte="0" * 64)
    with pytest.raises(CommandError, match="ne se lit pas"):
        call_command("verifier_dossier", str(tmp_path / "absent.zip"))
