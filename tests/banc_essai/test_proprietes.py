"""Properties of whole files: two readings agree, what must not matter does not, broken files only make faults."""

import json
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flux.banc_essai import CAS_LIVRES, examiner

from . import oracle
from .generateur import SOUSTRACTIONS, fichiers, fichiers_casses

CAS = {chemin.stem: json.loads(chemin.read_text()) for chemin in sorted(CAS_LIVRES.glob("*.json"))}


def calculer(fichier: dict) -> dict:
    """The result of a file through its bytes, as the command does."""
    examen = examiner(json.dumps(fichier).encode())
    assert examen.valide, [str(erreur) for erreur in examen.erreurs]
    return examen.resultat


def par_code(lignes: list[dict]) -> dict[str, dict]:
    return {ligne["reservataire"]: ligne for ligne in lignes}


def test_the_oracle_reads_the_shipped_cases_as_they_are_expected():
    for nom, cas in CAS.items():
        attendu = cas["attendu"]
        assert oracle.lire(cas) == {"titre": cas["titre"], **attendu}, nom


@settings(max_examples=150)
@given(fichiers())
def test_two_readings_of_the_format_agree(fichier):
    assert calculer(fichier) == oracle.lire(fichier)


@settings(max_examples=30)
@given(fichiers())
def test_every_file_can_be_explained_and_expects_its_own_result(fichier):
    resultat = calculer(fichier)
    examen = examiner({**fichier, "attendu": json.loads(json.dumps(resultat))})
    assert examen.conforme is True
    codes = [etape.code for etape in examen.etapes]
    assert len(codes) == len(set(codes)) and all(etape.article for etape in examen.etapes)
    assert {cle: list(e.imputation) for cle, e in examen.explications.items()} == resultat["imputations"]


@settings(max_examples=50)
@given(fichiers("DEFINITIF"), st.randoms(use_true_random=False))
def test_order_changes_nothing(fichier, hasard):
    attendu = calculer(fichier)
    for cle in ("liberations", "attributions", "parc", "conventions"):
        hasard.shuffle(fichier[cle])
    assert calculer(fichier) == attendu


@settings(max_examples=50)
@given(fichiers())
def test_grouping_the_parc_changes_nothing(fichier):
    attendu = calculer(fichier)
    fichier["parc"] = [
        {**lot, "nombre": nombre}
        for lot in fichier["parc"]
        for nombre in (lot["nombre"] // 2, lot["nombre"] - lot["nombre"] // 2)
    ]
    assert calculer(fichier) == attendu


@settings(max_examples=50)
@given(fichiers(), st.sampled_from(SOUSTRACTIONS))
def test_one_more_soustraction_raises_nobodys_exact_share(fichier, soustraction):
    avant = par_code(calculer(fichier)["repartition"])
    for acte in fichier["conventions"]:
        if acte["reservataire"] == "ETAT":
            acte["soustractions"].append(soustraction)
    examen = examiner(fichier)
    assume(examen.valide)  # a projected flux may become negative
    for ligne in examen.resultat["repartition"]:
        assert float(ligne["part_exacte"]) <= float(avant[ligne["reservataire"]]["part_exacte"])


@settings(max_examples=50)
@given(fichiers())
def test_totals_agree(fichier):
    resultat = calculer(fichier)
    assiette, flux = resultat["assiette"], resultat["flux"]
    assert assiette["parc"] == sum(lot["nombre"] for lot in fichier["parc"])
    assert assiette["parc"] == sum(assiette["dans"].values()) + sum(assiette["hors"].values())
    assert flux["liberations"] == flux["flux"] + sum(flux["soustractions"].values())
    assert sum(ligne["objectif"] for ligne in resultat["repartition"]) == flux["flux"]
    etat = par_code(resultat["repartition"])["ETAT"]
    assert etat["objectif"] <= float(etat["part_exacte"]) + 0.0001
    assert resultat["agents_max"] * 20 <= flux["flux"]
    ids = {liberation["id"] for liberation in fichier["liberations"]}
    assert (
        set(resultat["imputations"])
        <= {attribution["liberation"] for attribution in fichier["attributions"]}
        <= ids
    )


PETITS_CAS = [cas for nom, cas in CAS.items() if nom.startswith("bord-")]
depart = st.sampled_from(PETITS_CAS) | fichiers()


@settings(max_examples=250)
@given(depart.flatmap(fichiers_casses))
def test_a_broken_file_is_refused_or_computed_never_a_crash(fichier):
    examen = examiner(json.dumps(fichier).encode())
    assert examen.valide is (examen.resultat is not None)
    for erreur in examen.erreurs:
        assert erreur.probleme and str(erreur)
    if examen.valide:
        sans_attendu = {cle: valeur for cle, valeur in fichier.items() if cle != "attendu"}
        assert examen.resultat == oracle.lire(sans_attendu)


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda texte: texte.encode("utf-8", "replace")))
def test_any_bytes_are_a_fault_or_a_result(octets):
    assert not examiner(octets).valide


@settings(max_examples=60)
@given(st.integers(0, 4000), st.integers(0, 255))
def test_one_byte_changed_never_crashes(place, octet):
    contenu = bytearray((Path(CAS_LIVRES) / "bord-a-cheval-bail.json").read_bytes())
    contenu[place % len(contenu)] = octet
    examen = examiner(bytes(contenu))
    assert examen.valide is (examen.resultat is not None)
