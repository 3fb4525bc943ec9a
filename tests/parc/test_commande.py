"""`importer_rpls`: the JSON that scripts read, the return codes, the dry run."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from reservation.models import ImportRpls, Logement, Organisation

from .fabrique import CANNES, CORSE, SIREN_A, SIREN_INCONNU, ecrire, logement, logements, loi

CLES = {"lignes_lues", "acceptees", "rejetees", "ignorees", "erreurs"}


def lancer(*arguments, **options) -> tuple[str, int]:
    """(standard output, return code)."""
    sortie = io.StringIO()
    try:
        call_command("importer_rpls", *map(str, arguments), stdout=sortie, **options)
    except SystemExit as fin:
        return sortie.getvalue(), fin.code
    return sortie.getvalue(), 0


def en_json(*arguments) -> tuple[dict, int]:
    texte, code = lancer(*arguments, "--json")
    return json.loads(texte), code


@pytest.mark.parametrize(("fichier", "lignes"), [(CORSE, 288), (CANNES, 144)])
def test_json_sur_des_lignes_reelles(cast, fichier, lignes):
    rapport, code = en_json(fichier, "--millesime", 2018, "--bailleur", SIREN_A)
    assert code == 0 and set(rapport) >= CLES
    assert (rapport["lignes_lues"], rapport["acceptees"], rapport["rejetees"], rapport["ignorees"]) == (
        lignes + 1,
        lignes,
        0,
        1,
    )
    assert rapport["etat"] == "APPLIQUE" and rapport["famille"] == "OUVERT"
    assert rapport["changements"] == {"nouveaux": lignes, "modifies": 0, "identiques": 0, "disparus": 0}
    assert Logement.objects.count() == lignes


def test_json_des_erreurs(cast, tmp_path):
    lignes = [*logements(5), logement(6, DEPCOM="99999"), logement(7, DEPCOM="98888", CONV="3")]
    rapport, code = en_json(ecrire(tmp_path, loi(lignes)), "--millesime", 2025, "--bailleur", SIREN_A)
    assert code == 0
    assert rapport["lignes_lues"] == rapport["acceptees"] + rapport["rejetees"] + rapport["ignorees"] == 8
    commune, conv = rapport["erreurs"]
    assert (commune["nombre"], conv["nombre"]) == (2, 1)
    assert commune["cause"] == "Code de commune inconnu du code officiel géographique"
    assert [e["ligne"] for e in commune["exemples"]] == [7, 8]
    assert commune["exemples"][0]["valeur"] == "99999" and commune["exemples"][0]["colonne"] == "DEPCOM"


def test_essai_n_ecrit_rien(cast, tmp_path):
    rapport, code = en_json(CORSE, "--millesime", 2018, "--repartir", 3, "--essai")
    assert code == 0 and rapport["essai"] is True
    assert (rapport["acceptees"], rapport["changements"]["nouveaux"]) == (288, 288)
    assert not Logement.objects.exists() and not ImportRpls.objects.exists()
    assert not Organisation.objects.filter(nom__startswith="Bailleur fictif").exists()


def test_repartir(db):
    rapport, code = en_json(CORSE, "--millesime", 2018, "--repartir", 3)
    assert code == 0
    assert sum(b["logements"] for b in rapport["bailleurs"]) == 288
    assert Organisation.objects.filter(fictive=True).count() == len(rapport["bailleurs"]) > 1


def test_creer_bailleurs(cast, tmp_path):
    chemin = ecrire(tmp_path, loi(logements(3, SIRET="00000003300019")))
    rapport, code = en_json(chemin, "--millesime", 2025)
    assert (rapport["etat"], code) == ("REFUSE", 3)
    rapport, code = en_json(chemin, "--millesime", 2025, "--creer-bailleurs")
    assert (rapport["etat"], code) == ("APPLIQUE", 0)
    assert Organisation.objects.filter(siren=SIREN_INCONNU).exists()


def test_le_meme_fichier_deux_fois(cast):
    arguments = (CORSE, "--millesime", 2018, "--bailleur", SIREN_A)
    en_json(*arguments)
    rapport, code = en_json(*arguments)
    assert code == 0 and "déjà enregistré" in rapport["message"]
    assert rapport["changements"] == {"nouveaux": 0, "modifies": 0, "identiques": 288, "disparus": 0}


@pytest.mark.parametrize("essai", [[], ["--essai"]])
@pytest.mark.parametrize(
    ("contenu", "dit"),
    [
        (b"", "vide"),
        (b"\x89PNG" + bytes(50), "image"),
        ("<!doctype html><html></html>", "page web"),
        (loi(logements(3, DEPCOM="99999")), "3 lignes rejetées sur 3"),
        (loi(logements(3, LOCAT="2026")), "ce n’est pas le fichier du millésime 2025"),
    ],
)
def test_fichier_refuse(cast, tmp_path, contenu, dit, essai):
    texte, code = lancer(ecrire(tmp_path, contenu), "--millesime", 2025, "--bailleur", SIREN_A, *essai)
    assert code == 3
    assert dit in texte.strip().split("\n")[-1]


def test_seuil_d_erreurs(cast, tmp_path):
    chemin = ecrire(tmp_path, loi([*logements(8), logement(9, CONV="9"), logement(10, CONV="9")]))
    base = (chemin, "--millesime", 2025, "--bailleur", SIREN_A)
    assert en_json(*base, "--seuil-erreurs", 19)[1] == 3
    assert en_json(*base, "--seuil-erreurs", 20)[1] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("absent.csv", "--millesime", 2018),
        (CORSE, "--millesime", 2018, "--bailleur", "999999999"),
        (CORSE, "--millesime", 1999, "--bailleur", SIREN_A),
        (CORSE, "--millesime", 2018, "--repartir", 0),
        (CORSE,),
        (CORSE, "--millesime", 2018, "--bailleur", SIREN_A, "--repartir", 2),
    ],
)
def test_demande_mal_formee(cast, arguments):
    with pytest.raises(CommandError) as erreur:
        lancer(*arguments)
    assert erreur.value.returncode in (1, 2)
    assert not Logement.objects.exists()


def test_recit(cast):
    texte, _ = lancer(CANNES, "--millesime", 2018, "--bailleur", SIREN_A)
    assert "145 lignes lues = 144 acceptées + 0 rejetées + 1 ignorées" in texte
    assert "Le fichier ouvert ne dit pas l’occupation" in texte
    assert texte.strip().endswith("144 nouveaux logements, 0 modifié et 0 disparu.")
