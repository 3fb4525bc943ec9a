"""The fixture `travailleur` is a real worker, on the database and the queue of its test alone."""

import time

import pytest
from django.utils import timezone

from config import serveurs
from config.celery import app
from config.exploitation import maintenance, travailleurs
from config.exploitation.maintenance import Maintenance
from flux.tasks import recalculer_departement
from reservation import contexte
from reservation.models import Courriel
from reservation.tasks import reprendre_les_courriels


@pytest.mark.travailleur
def test_a_worker_does_the_tasks_of_this_test_says_that_it_lives_and_leaves_for_a_maintenance(
    travailleur, tmp_path
):
    journal = tmp_path / "travailleur.log"
    with travailleurs.courtier() as client:
        client.delete(travailleurs.FAITES, travailleurs.CASES, travailleurs.SOMMES)
    assert app.control.ping(timeout=10)

    # Two queues, one worker; a task bears the number of the request that started it.
    with contexte.numeroter("0123456789abcdef"):
        recalculer_departement.delay("06", 2026)
    reprendre_les_courriels.delay()
    assert serveurs.wait_until(lambda: len(mesurees()) == 2, 30), journal.read_text()
    assert mesurees()["flux.recalculer_departement"].nombres == {"reussie": 1}
    assert "flux.recalculer_departement, SUCCESS, requête 0123456789abcdef" in journal.read_text()
    with travailleurs.courtier() as client:
        assert travailleurs.vivants(client) == 1

    courriel = Courriel.objects.create(
        gabarit="essai",
        destinataire="x@essai.example",
        objet="essai",
        corps_texte="texte",
        corps_html="texte",
        prochain_essai_le=timezone.now(),
    )
    maintenance.ecrire(Maintenance("Essai.", timezone.now()))
    assert serveurs.wait_until(lambda: "Canceling queue courriels" in journal.read_text(), 20)
    time.sleep(2)  # what it was asking of the broker lasts one second
    reprendre_les_courriels.delay()
    with travailleurs.courtier() as client:
        assert not serveurs.wait_until(lambda: travailleurs.profondeurs(client)["courriels"] == 0, 3)
    courriel.refresh_from_db()
    assert courriel.etat == Courriel.Etat.EN_ATTENTE
    maintenance.finir()
    assert serveurs.wait_until(lambda: envoye(courriel), 20), journal.read_text()
    assert travailleur.poll() is None


def mesurees() -> dict:
    with travailleurs.courtier() as client:
        return travailleurs.lire_taches(client)


def envoye(courriel: Courriel) -> bool:
    courriel.refresh_from_db()
    return courriel.etat == Courriel.Etat.ENVOYE
