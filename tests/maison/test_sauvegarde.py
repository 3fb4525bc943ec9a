"""The drill: copy a site that runs, lose it, put it back, find the same figures; and everything that is refused."""

import json
import os
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from bilans.models import Bilan
from bilans.services.donnees_bilan import lire_donnees
from config.exploitation import sauvegardes
from config.exploitation.sauvegardes import SauvegardeImpossible
from config.serveurs.postgresql import adresse_du_compte_serveur
from flux.models import CalculFlux, PartFlux
from reservation.models import LigneJournal
from tests.bilans.conftest import ANNEE, FEVRIER, remplir
from tests.personnages import distribuer


@pytest.fixture
def base_neuve(transactional_db):
    """An empty database beside that of the tests, which the site uses from `prendre()` on; dropped at the end."""
    ancienne, nom = connection.settings_dict["NAME"], f"restauree_{os.getpid()}"

    def prendre():
        connection.close()
        connection.settings_dict["NAME"] = nom

    with psycopg.connect(adresse_du_compte_serveur(), autocommit=True) as serveur:
        serveur.execute(f"CREATE DATABASE {nom} OWNER reservation")
        try:
            yield prendre
        finally:
            connection.close()
            connection.settings_dict["NAME"] = ancienne
            serveur.execute(f"DROP DATABASE {nom} WITH (FORCE)")


def lire_chiffres() -> tuple:
    """What a préfecture would read: the flux of the bailleur, its shares, its bilan."""
    bilan = Bilan.objects.get(annee=ANNEE)
    calculs = list(CalculFlux.objects.order_by("pk").values())
    parts = list(PartFlux.objects.order_by("pk").values())
    assert calculs and parts
    return calculs, parts, lire_donnees(bilan, FEVRIER)


def vues_par_le_serveur() -> dict:
    """The tables as the server's own account sees them, whom no policy binds."""
    with psycopg.connect(adresse_du_compte_serveur(connection.settings_dict["NAME"])) as session:
        return sauvegardes.empreintes_des_tables(session)


def executer(ordre: str) -> None:
    with psycopg.connect(adresse_du_compte_serveur(connection.settings_dict["NAME"])) as session:
        session.execute("SET session_replication_role = replica")  # a disaster asks no trigger
        session.execute(ordre)


def test_copied_lost_and_put_back(base_neuve, settings, tmp_path, capsys):
    remplir(distribuer())
    racine = Path(settings.MEDIA_ROOT)
    (racine / "bilans/2025").mkdir(parents=True)
    (racine / "bilans/2025/un.pdf").write_bytes(b"%PDF-1.7 un")
    (racine / "maintenance.json").write_text("{}")  # is of this moment, and not of the site
    (racine / ".brouillon").write_text("ni fini, ni nommé")
    dossier = tmp_path / "sauvegarde"
    avant, tables = lire_chiffres(), vues_par_le_serveur()

    call_command("sauvegarder", dossier)
    assert "SECRET_KEY et CLE_NUMERO_UNIQUE" in capsys.readouterr().out
    manifeste = json.loads((dossier / "manifeste.json").read_text())
    assert list(manifeste["fichiers"]) == ["bilans/2025/un.pdf"]
    # The application's role, which row-level security binds, has copied every row.
    assert {nom: tuple(v) for nom, v in manifeste["tables"].items()} == tables
    assert tables["flux_liberation"][0] > 5 and tables["reservation_lignejournal"][0] > 5
    for cle in (settings.SECRET_KEY, settings.CLE_NUMERO_UNIQUE):
        assert (
            cle.encode()
            not in (dossier / "base.dump").read_bytes() + (dossier / "manifeste.json").read_bytes()
        )
    with pytest.raises(CommandError, match="existe déjà"):
        call_command("sauvegarder", dossier)

    # Everything is lost: an empty database, an empty folder, on a machine that only has the programme.
    base_neuve()
    settings.MEDIA_ROOT = tmp_path / "autre"
    call_command("restaurer", dossier)
    assert "chaque table est celle de la sauvegarde" in capsys.readouterr().out
    assert lire_chiffres() == avant
    assert vues_par_le_serveur() == tables
    assert (tmp_path / "autre/bilans/2025/un.pdf").read_bytes() == b"%PDF-1.7 un"
    assert [p.name for p in (tmp_path / "autre").iterdir()] == ["bilans"]
    with (
        psycopg.connect(sauvegardes._adresse(), options=sauvegardes.SYSTEME) as session,
        pytest.raises(psycopg.Error, match="journal|trace"),  # the triggers came back too
    ):
        session.execute("UPDATE reservation_lignejournal SET motif = 'récrit'")

    # A site that holds something is not overwritten by mistake; a mistake in it is undone on demand.
    with pytest.raises(CommandError, match="la base n’est pas vide et .* a des fichiers"):
        call_command("restaurer", dossier)
    executer("UPDATE flux_partflux SET objectif = objectif + 1")
    executer("DELETE FROM flux_attribution; CREATE TABLE intruse (x int)")
    (tmp_path / "autre/bilans/2025/un.pdf").write_bytes(b"autre chose")
    with (
        psycopg.connect(adresse_du_compte_serveur(connection.settings_dict["NAME"])),
        pytest.raises(CommandError, match="session.* arrêtez web, workers et beat"),
    ):
        call_command("restaurer", dossier, "--ecraser")
    call_command("restaurer", dossier, "--ecraser")
    assert lire_chiffres() == avant
    assert vues_par_le_serveur() == tables
    assert (tmp_path / "autre/bilans/2025/un.pdf").read_bytes() == b"%PDF-1.7 un"
    (a_part,) = (tmp_path / "autre").glob(".avant-restauration-*")
    assert (a_part / "bilans/2025/un.pdf").read_bytes() == b"autre chose"
    assert LigneJournal.objects.exists()

    # A restore that fails in the middle leaves what was there.
    bon = (dossier / "manifeste.json").read_text()
    (dossier / "base.dump").write_bytes((dossier / "base.dump").read_bytes()[:-2000])
    manifeste["base"] = sauvegardes._decrire(dossier / "base.dump")
    (dossier / "manifeste.json").write_text(json.dumps(manifeste))
    with pytest.raises(CommandError, match="a échoué"):
        call_command("restaurer", dossier, "--ecraser")
    assert vues_par_le_serveur() == tables
    (dossier / "manifeste.json").write_text(bon)
    with pytest.raises(CommandError, match="incomplète ou abîmée : base.dump"):
        call_command("restaurer", dossier, "--ecraser")

    # A policy that could hide a row from the application: nothing is copied, rather than a part without a word.
    executer("ALTER POLICY lire ON flux_liberation USING (bailleur_id = 1)")
    with pytest.raises(CommandError, match="toutes les lignes de : flux_liberation"):
        call_command("sauvegarder", tmp_path / "seconde")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["autre", "fichiers", "sauvegarde"]


def manifeste(dossier: Path, **valeurs) -> Path:
    """A folder that is a backup as far as its manifest and hashes go."""
    dossier.mkdir()
    (dossier / "base.dump").write_bytes(b"PGDMP")
    contenu = {
        "format": 1,
        "base": sauvegardes._decrire(dossier / "base.dump"),
        "fichiers": {},
        "fait_le": "2026-01-01T00:00:00+00:00",
        "migrations": {},
    }
    (dossier / "manifeste.json").write_text(json.dumps(contenu | valeurs))
    return dossier


@pytest.mark.parametrize(
    ("valeurs", "phrase"),
    [
        ({"format": 2}, "format de sauvegarde inconnu"),
        ({"fichiers": {"parti.pdf": [3, "0" * 64]}}, "abîmée : fichiers/parti.pdf"),
        ({"base": [5, "0" * 64]}, "abîmée : base.dump"),
        ({"migrations": {"flux": ["9999_demain"]}}, "flux.9999_demain sont inconnues ici"),
    ],
)
def test_what_is_not_a_backup_of_this_programme(tmp_path, valeurs, phrase):
    with pytest.raises(SauvegardeImpossible, match=phrase):
        sauvegardes.restaurer(manifeste(tmp_path / "s", **valeurs))


def test_a_backup_is_read_again_without_restoring(tmp_path, capsys):
    call_command("restaurer", manifeste(tmp_path / "s"), "--verifier")
    assert "chaque empreinte est bonne" in capsys.readouterr().out
    with pytest.raises(CommandError, match="n’est pas une sauvegarde"):
        call_command("restaurer", tmp_path, "--verifier")
