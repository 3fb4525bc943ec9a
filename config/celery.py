"""The Celery application; schedules live beside the tasks they start."""

import os
import sys
import time
from contextlib import ExitStack

from celery import Celery
from celery.signals import (
    beat_init,
    before_task_publish,
    heartbeat_sent,
    task_postrun,
    task_prerun,
    worker_init,
    worker_ready,
    worker_shutdown,
)

from reservation.acteur import Acteur
from reservation.perimetre import agir

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("reservation")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def prepare(**_signal):
    """Start what is missing, or refuse to start: an exception alone would be logged by the signal, and passed over."""
    from django.core.exceptions import ImproperlyConfigured

    from config.demarrage import preparer
    from config.serveurs import ServeurIndisponible

    try:
        preparer()
    except (ImproperlyConfigured, ServeurIndisponible) as erreur:
        sys.exit(str(erreur))


@before_task_publish.connect
def joindre_la_requete(headers, **_signal):
    """What a request, or a task, starts bears its number."""
    from reservation.contexte import requete_courante

    if requete := requete_courante():
        headers["requete"] = requete


_en_cours: dict[str, tuple[ExitStack, float]] = {}


@task_prerun.connect
def entrer(task_id, task, **_signal):
    """A task works for the application: it re-reads what it was asked and by whom, and its reason is its name.

    What it writes says so (reservation.contexte).
    """
    from reservation import contexte

    raison = f"tâche {task.name}"
    pile = ExitStack()
    _en_cours[task_id] = pile, time.monotonic()
    pile.enter_context(agir(Acteur.du_systeme(raison)))
    pile.enter_context(contexte.numeroter(getattr(task.request, "requete", None) or ""))
    pile.enter_context(contexte.tracer(raison))


@task_postrun.connect
def sortir(task_id, task, state, **_signal):
    """One log line and one measure for each task, then it is nobody's any more."""
    from config.exploitation import journaux, travailleurs

    pile, debut = _en_cours.pop(task_id, (None, 0.0))
    if pile is None:
        return
    duree = time.monotonic() - debut
    journaux.dire_tache(task_id, task.name, state or "", duree)
    with travailleurs.sans_gener():
        travailleurs.noter_tache(task.name, state or "", duree)
    pile.close()


_travailleurs: list = []  # one at most: this process, when it is a worker


@worker_ready.connect
def paraitre(sender, **_signal):
    from config.exploitation.travailleurs import Travailleur

    _travailleurs[:] = [Travailleur(sender)]
    _travailleurs[0].battre()


@heartbeat_sent.connect
def battre(**_signal):
    for travailleur in _travailleurs:
        travailleur.battre()


@worker_shutdown.connect
def disparaitre(**_signal):
    from config.exploitation import travailleurs

    for travailleur in _travailleurs:
        with travailleurs.sans_gener():
            travailleurs.oublier(travailleur.nom)
