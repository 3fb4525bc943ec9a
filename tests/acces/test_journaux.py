"""Nothing personal in the logs nor in the addresses: what a day of work by B's people leaves there (level INFO)."""

import io
import json
import logging

import pytest
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from config.exploitation.journaux import LigneJson
from reservation.contexte import NumeroDeRequete
from tests.acces.decor import ANNEE, CANARI
from tests.acces.matrice import MATRICE, envoyer

pytestmark = pytest.mark.django_db

NUMERO = "0061125DEMO0000042"


@pytest.fixture
def journaux(caplog):
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def lignes_json(journaux):
    """What a real site would write meanwhile: text, one JSON object each line."""
    sortie = io.StringIO()
    gestionnaire = logging.StreamHandler(sortie)
    gestionnaire.setFormatter(LigneJson())
    gestionnaire.addFilter(NumeroDeRequete())
    logging.getLogger().addHandler(gestionnaire)
    yield sortie
    logging.getLogger().removeHandler(gestionnaire)


def interdits(decor) -> list[str]:
    gens = decor.cast.gens.values()
    return [CANARI, NUMERO, *(g.courriel for g in gens), *(g.nom for g in gens)]


def test_logs_hold_no_free_text_and_nobody(decor, en_tant_que, journaux, lignes_json):
    """Each line of the matrix by B's manager, on B's objects, on A's (refused) and with what a POST sends."""
    client = en_tant_que("gestionnaire_b")
    for ligne in MATRICE:
        for objets in (decor.b, decor.a):
            url = reverse(ligne.nom, args=ligne.args_de(objets)) + ligne.requete_de(objets)
            with transaction.atomic():
                reponse = envoyer(client, ligne.methode, url, ligne.donnees_de(objets), ligne.entetes)
                reponse.close()
                transaction.set_rollback(True)
            if not client.cookies[settings.SESSION_COOKIE_NAME].value:  # this line signed them out
                client = en_tant_que("gestionnaire_b")
    assert any(
        "Not Found" in message for message in journaux.messages
    )  # the refusals are there: logs are read
    textes = "\n".join(journaux.messages) + journaux.text + lignes_json.getvalue()
    assert [mot for mot in interdits(decor) if mot in textes] == []
    lignes = [json.loads(ligne) for ligne in lignes_json.getvalue().splitlines()]
    demandes = [ligne for ligne in lignes if ligne["journal"] == "acces"]
    assert len({ligne["requete"] for ligne in demandes}) == len(demandes) > len(MATRICE)
    assert {ligne["route"] for ligne in demandes if "organisation" not in ligne} == {
        "etat"
    }  # asks nobody who they are
    assert {ligne["organisation"] for ligne in demandes if "organisation" in ligne} == {
        decor.cast.bailleur_b.pk
    }
    assert all(ligne["route"] and ligne["duree_ms"] >= 0 and ligne["statut"] for ligne in demandes)
    assert not any("/" in ligne["message"] for ligne in lignes if ligne["journal"] == "django.request")


def test_a_numero_unique_is_in_no_address_and_no_log(decor, en_tant_que, journaux):
    client = en_tant_que("gestionnaire_b")
    adresse = reverse("flux:liberation_acte", args=[decor.b.liberation_libre.pk, "attribuer"])
    donnees = {"numero_unique": NUMERO, "date_caleol": f"{ANNEE}-05-02", "statut_emploi": "AUTRE"}
    reponse = client.post(adresse, donnees)
    assert reponse.status_code == 302, reponse.content.decode()
    decor.b.liberation_libre.refresh_from_db()
    assert decor.b.liberation_libre.attributions.get().menage.numero_fin == NUMERO[-4:]
    page = client.get(reponse.url)
    assert NUMERO not in reponse.url and NUMERO not in page.content.decode()
    assert client.get(adresse).status_code == 405  # never in a query string
    assert client.post(adresse, donnees | {"date_caleol": "2999-01-01"}).status_code == 422
    assert NUMERO not in journaux.text
