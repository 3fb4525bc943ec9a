"""`manage.py calculer_flux`: the perimeter, what it prints, its errors in French, its exit status."""

import json

import pytest
from django.core.management import CommandError, call_command

from flux.management.commands import calculer_flux
from flux.models import CalculFlux, Recalcul, SoustractionPrevisionnelle
from tests.flux.fabriques import ANNEE, actes_paca, parc


@pytest.fixture
def cast(cast):
    for bailleur in (cast.bailleur_a, cast.bailleur_b):
        actes_paca(cast, bailleur)
        parc(bailleur)
    parc(cast.bailleur_a, "22", lots=[{"commune_id": "22278", "anciens": 100, "emmenages": 9}])
    return cast


def lancer(capsys, *arguments: str) -> tuple[str, str]:
    call_command("calculer_flux", "--annee", str(ANNEE), *arguments)
    sortie = capsys.readouterr()
    return sortie.out, sortie.err


def calcules() -> set[tuple[int, str]]:
    return set(CalculFlux.objects.values_list("bailleur", "departement"))


def test_everything(cast, capsys):
    sortie, dit = lancer(capsys)
    assert sortie == ""
    assert "Alpes-Maritimes (06) : 2 bailleurs sur 2, 0 sans changement" in dit
    assert "3 bailleurs × départements" in dit
    assert len(calcules()) == 3
    _, dit = lancer(capsys)
    assert "2 bailleurs sur 2, 2 sans changement" in dit


@pytest.mark.parametrize(
    ("arguments", "attendus"),
    [
        (["--departement", "06"], {("A", "06"), ("B", "06")}),
        (["--departement", "06", "--departement", "22"], {("A", "06"), ("B", "06"), ("A", "22")}),
        (["--region", "93"], {("A", "06"), ("B", "06")}),
        (["--region", "53"], {("A", "22")}),
        (["--bailleur", "000000017"], {("A", "06"), ("A", "22")}),
        (["--bailleur", "000000017", "--departement", "06"], {("A", "06")}),
    ],
)
def test_perimeters(cast, capsys, arguments, attendus):
    lancer(capsys, *arguments)
    noms = {"A": cast.bailleur_a.pk, "B": cast.bailleur_b.pk}
    assert calcules() == {(noms[nom], departement) for nom, departement in attendus}


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--departement", "6"], "Département inconnu\N{NO-BREAK SPACE}: 6"),
        (["--region", "PACA"], "Région inconnue\N{NO-BREAK SPACE}: PACA"),
        (["--bailleur", "123456789"], "Aucun bailleur ne porte le SIREN 123456789"),
        (["--departement", "75"], "Aucun bailleur n’a de parc"),
    ],
)
def test_mistakes_are_said(cast, arguments, phrase):
    with pytest.raises(CommandError, match=phrase):
        call_command("calculer_flux", "--annee", str(ANNEE), *arguments)
    assert not calcules()


def test_json(cast, capsys):
    sortie, _ = lancer(capsys, "--bailleur", "000000017", "--departement", "06", "--json")
    resultat = json.loads(sortie)
    assert (resultat["annee"], resultat["paires"], resultat["erreurs"]) == (ANNEE, 1, [])
    constate, prevu = resultat["calculs"]
    assert (constate["nature"], prevu["nature"]) == ("DEFINITIF", "PREVISIONNEL")
    assert prevu["siren"] == "000000017"
    assert prevu["flux"]["flux"] == 85
    assert [part["reservataire"] for part in prevu["repartition"]] == ["ETAT", "ALS", "06029", "BAILLEUR"]


def test_errors_of_a_bailleur_are_said_and_the_status_is_1(cast, capsys):
    SoustractionPrevisionnelle.objects.create(
        bailleur=cast.bailleur_a, departement_id="06", annee=ANNEE, categorie="RU", nombre=900
    )
    with pytest.raises(SystemExit) as fin:
        lancer(capsys, "--departement", "06")
    dit = capsys.readouterr().err
    assert fin.value.code == 1
    assert "Habitat Essai A (06) : Flux prévisionnel" in dit
    assert "1 en erreur" in dit
    assert Recalcul.objects.get().etat == "ECHEC"
    assert CalculFlux.objects.count() == 3


def test_without_a_worker_it_gives_up_and_says_what_to_do(cast, monkeypatch):
    monkeypatch.setattr(calculer_flux, "SILENCE_MAXIMAL", 0.5)
    with pytest.raises(CommandError, match="Aucun travailleur ne répond"):
        call_command("calculer_flux", "--annee", str(ANNEE), "--par-la-file")
    assert Recalcul.objects.get().etat == "EN_ATTENTE"
