"""Walks the access matrix, and checks that no URL is missing from it."""

import re

import pytest
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.acces.decor import CANARI, Objets
from tests.acces.matrice import MATRICE, PERSONNAGES, Ligne, envoyer

pytestmark = pytest.mark.django_db

INEXISTANT = 2_000_000_000


def _demander(client, ligne: Ligne, objets: Objets, args: tuple | None = None):
    """The answer and its text; whatever it wrote is undone, so that each persona finds the same decor."""
    url = reverse(ligne.nom, args=ligne.args_de(objets) if args is None else args) + ligne.requete_de(objets)
    ecritures = []
    with transaction.atomic(), connection.execute_wrapper(_noter_les_ecritures(ecritures)):
        reponse = envoyer(client, ligne.methode, url, ligne.donnees_de(objets), ligne.entetes)
        contenu = b"".join(reponse.streaming_content) if reponse.streaming else reponse.content
        reponse.close()
        transaction.set_rollback(True)
    assert ligne.methode != "GET" or not ecritures, ecritures
    return reponse, contenu.decode("latin-1")


def _noter_les_ecritures(ecritures: list[str]):
    """A GET never writes (sessions, which Django keeps for itself, excepted)."""

    def noter(execute, sql, params, many, context):
        if (
            sql.lstrip("( \n").startswith(("INSERT", "UPDATE", "DELETE", "MERGE"))
            and "django_session" not in sql
        ):
            ecritures.append(sql)
        return execute(sql, params, many, context)

    return noter


def _sans_jeton(contenu: str) -> str:
    """The page without what is drawn anew for each answer: the token of its forms, the number of the request."""
    return re.sub(r'(name="csrfmiddlewaretoken" value="|"urn:uuid:)\w+', r"\1", contenu)


@pytest.mark.parametrize("ligne", MATRICE, ids=str)
def test_each_persona_gets_the_expected_status(decor, en_tant_que, ligne):
    obtenus = {
        personnage: _demander(en_tant_que(personnage), ligne, decor.a)[0].status_code
        for personnage in PERSONNAGES
    }
    assert obtenus == {personnage: ligne.attendu(personnage) for personnage in PERSONNAGES}


@pytest.mark.parametrize("ligne", [ligne for ligne in MATRICE if ligne.designe], ids=str)
def test_foreign_and_unknown_objects_do_not_exist(decor, en_tant_que, ligne):
    """A's manager on B's object: 404, as for an object that nobody has; and nothing of B in the answer."""
    args, etrangers = ligne.args_de(decor.a), ligne.args_de(decor.b)
    if (args, ligne.requete_de(decor.a), ligne.donnees_de(decor.a)) == (
        etrangers,
        ligne.requete_de(decor.b),
        ligne.donnees_de(decor.b),
    ):
        pytest.skip("L’adresse ne désigne aucun objet d’un bailleur.")
    client = en_tant_que("gestionnaire_a")
    etranger, contenu = _demander(client, ligne, decor.b)
    assert etranger.status_code == 404
    assert CANARI not in contenu
    inconnus = tuple(
        INEXISTANT if etranger != sien else sien for sien, etranger in zip(args, etrangers, strict=True)
    )
    if inconnus != args:
        inconnu, contenu_inconnu = _demander(client, ligne, decor.b, inconnus)
        assert inconnu.status_code == 404
        assert _sans_jeton(contenu) == _sans_jeton(contenu_inconnu)


def _noms(resolveur: URLResolver, prefixe: str = "") -> set[str]:
    noms = set()
    for motif in resolveur.url_patterns:
        if isinstance(motif, URLResolver):
            espace = f"{prefixe}{motif.namespace}:" if motif.namespace else prefixe
            noms |= _noms(motif, espace)
        elif isinstance(motif, URLPattern):
            noms.add(f"{prefixe}{motif.name}")
    return noms


def test_no_url_is_missing(capsys):
    noms = _noms(get_resolver())
    lignes = {ligne.nom for ligne in MATRICE}
    assert noms - lignes == set(), "Adresses absentes de la matrice"
    assert lignes - noms == set(), "Lignes de la matrice sans adresse"
    with capsys.disabled():
        print(f"\nMatrice des accès : {len(MATRICE)} routes × {len(PERSONNAGES)} personnages")
