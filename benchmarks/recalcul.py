"""The annual flux computed again: the whole country against one SQL aggregate and one pandas script, then one pair.

The job runs as it does on a site, by a Celery worker of two processes; PostgreSQL may use as many for the SQL
statement. Everything is taken as changed: each pair gets two new versions, with their parts, their steps and their
explanations, which the baselines do not make. Afterwards the base is put back as it was.
"""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date

from .mesure import Contexte, Mesure, chrono, dire, mediane, nombre_fr

BASES = ("nationale",)
ATTENTE = 1800
PASSAGES = 3
ESSAIS = 7


def mesurer(contexte: Contexte) -> list[Mesure]:
    """National recompute ÷ the baselines; without any change; one libération in the largest and smallest parcs."""
    from django.db import connection

    from . import reperes

    with connection.cursor() as curseur:
        curseur.execute("VACUUM ANALYZE")
    sql, trouve = _repeter(lambda: reperes.agreger(contexte.annee))
    _verifier(reperes.comparer(contexte.annee, trouve), "SQL")
    agregat, _ = _repeter(lambda: reperes.agreger(contexte.annee, reperes.PARC_AGREGAT))
    with chrono() as pandas:
        trouve = reperes.analyser(contexte.annee)
    _verifier(reperes.comparer(contexte.annee, trouve), "pandas")
    with _travailleur(contexte), _comme_avant(contexte.annee):
        tout, paires = _recalculer(contexte.annee, tout_change=True)
        _attendre_la_file()
        rien, _ = _recalculer(contexte.annee, tout_change=False)
    detail = f"{nombre_fr(tout)} s pour {nombre_fr(paires, 0)} bailleurs × départements"
    return [
        Mesure(
            "recalcul_national",
            "Recalcul national ÷ un agrégat SQL (logements et libérations)",
            tout / sql,
            1.5,
            f"{detail}, SQL {nombre_fr(sql)} s",
        ),
        Mesure(
            "recalcul_pandas",
            "Recalcul national ÷ le script pandas d’un analyste",
            tout / pandas.secondes,
            0.2,
            f"{detail}, pandas {nombre_fr(pandas.secondes)} s",
        ),
        Mesure(
            "recalcul_agregat",
            "Recalcul national ÷ le même SQL sur l’agrégat du parc",
            tout / agregat,
            None,
            f"SQL {nombre_fr(agregat)} s",
        ),
        Mesure(
            "recalcul_inchange",
            "Recalcul national sans aucun changement",
            rien,
            None,
            "aucune version écrite",
            " s",
        ),
        *_une_liberation(contexte),
    ]


def _repeter(geste):
    """(median seconds, last answer) of `geste`, once warm."""
    geste()
    durees, reponse = [], None
    for _ in range(PASSAGES):
        with chrono() as duree:
            reponse = geste()
        durees.append(duree.secondes)
    return mediane(durees), reponse


def _verifier(ecarts: int, nom: str) -> None:
    if ecarts:
        raise AssertionError(f"Le repère {nom} trouve un autre flux pour {ecarts} bailleurs × départements.")


# --- The whole country ------------------------------------------------------------------------------------------


@contextmanager
def _travailleur(contexte: Contexte):
    """A real worker of two processes, warm."""
    from config.celery import app

    app.control.purge()
    journal = contexte.dossier / "travailleur.log"
    with open(journal, "w") as sortie:
        processus = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "2", "-l", "INFO"],
            stdout=sortie,
            stderr=subprocess.STDOUT,
            env=os.environ,
        )
    try:
        limite = time.monotonic() + 120
        while " ready." not in journal.read_text():
            if processus.poll() is not None or time.monotonic() > limite:
                raise RuntimeError(journal.read_text())
            time.sleep(0.2)
        yield
    finally:
        processus.terminate()
        processus.wait(timeout=120)


@contextmanager
def _comme_avant(annee: int):
    """Puts the live versions back, whatever the measure wrote."""
    from django.db import connection

    from flux.models import Recalcul

    with connection.cursor() as curseur:
        curseur.execute(
            "CREATE TEMPORARY TABLE avant AS SELECT id, empreinte FROM flux_calculflux WHERE annee >= %s AND en_vigueur",
            [annee],
        )
        curseur.execute("SELECT max(id) FROM flux_calculflux")
        dernier = curseur.fetchone()[0]
    try:
        yield
    finally:
        with connection.cursor() as curseur:
            curseur.execute("DELETE FROM flux_partflux WHERE calcul_id > %s", [dernier])
            curseur.execute("DELETE FROM flux_calculflux WHERE id > %s", [dernier])
            curseur.execute(
                "UPDATE flux_calculflux c SET en_vigueur = true, empreinte = avant.empreinte FROM avant "
                "WHERE avant.id = c.id"
            )
        Recalcul.objects.filter(raison="mesure").delete()


def _recalculer(annee: int, *, tout_change: bool) -> tuple[float, int]:
    """(seconds from the request to the end of the last département, pairs)."""
    from django.db import connection

    from flux.models import CalculFlux, Recalcul
    from flux.services.file_de_calcul import lancer_recalcul
    from reservation.acteur import Acteur

    if tout_change:
        CalculFlux.objects.en_vigueur().filter(annee=annee).update(empreinte="")
        with connection.cursor() as curseur:
            curseur.execute("VACUUM flux_calculflux")
    recalcul = lancer_recalcul(Acteur.du_systeme("mesure"), annee, "mesure", imputer=False)
    limite = time.monotonic() + ATTENTE
    while recalcul.etat in (Recalcul.Etat.EN_ATTENTE, Recalcul.Etat.EN_COURS):
        if time.monotonic() > limite:
            raise RuntimeError("Le travailleur n’a pas fini à temps.")
        time.sleep(0.1)
        recalcul.refresh_from_db()
    etapes = list(recalcul.etapes.all())
    total, inchanges = sum(e.total for e in etapes), sum(e.inchanges for e in etapes)
    if recalcul.etat != Recalcul.Etat.TERMINE or inchanges != (0 if tout_change else total):
        raise AssertionError(f"{recalcul.etat} : {inchanges} calculs inchangés sur {total}")
    secondes = (recalcul.termine_le - recalcul.demande_le).total_seconds()
    dire(f"    {total} bailleurs × départements en {secondes:.1f} s")
    return secondes, total


def _attendre_la_file() -> None:
    """Until the worker has done what the first run asked for besides: a year that changes moves the next one."""
    from flux.models import CalculAFaire

    limite = time.monotonic() + ATTENTE
    while CalculAFaire.objects.filter(erreur="").exists():
        if time.monotonic() > limite:
            raise RuntimeError("Le travailleur n’a pas vidé sa file à temps.")
        time.sleep(0.5)


# --- One libération -----------------------------------------------------------------------------------------------


def _une_liberation(contexte: Contexte) -> list[Mesure]:
    """From the declaration to the new version, in the largest parcs and in the smallest ones."""
    from reservation.models import EtatParc

    millesime = contexte.annee
    etats = list(
        EtatParc.objects.filter(millesime=millesime, logements__gt=0)
        .select_related("bailleur")
        .order_by("-logements")
    )
    nombre = min(3, len(etats) // 2)
    grands = [_declarer_et_calculer(etat, contexte.annee) for etat in etats[:nombre]]
    petits = [_declarer_et_calculer(etat, contexte.annee) for etat in etats[-nombre:]]
    rapport_des_parcs = etats[nombre // 2].logements / etats[-1 - nombre // 2].logements
    return [
        Mesure(
            "recalcul_une_liberation",
            "Recalcul après une libération : plus grands parcs ÷ plus petits",
            mediane(grands) / mediane(petits),
            2,
            f"{nombre_fr(1000 * mediane(grands), 0)} ms et {nombre_fr(1000 * mediane(petits), 0)} ms, "
            f"pour des parcs {nombre_fr(rapport_des_parcs, 0)} fois plus grands",
        )
    ]


def _declarer_et_calculer(etat, annee: int) -> float:
    """Median seconds of the calculation that one new libération asks for; nothing is kept."""
    from django.db import transaction

    from flux.models import CalculFlux
    from flux.services.file_de_calcul import traiter
    from flux.services.liberations import enregistrer_liberation
    from reservation.acteur import Acteur
    from reservation.models import Logement

    logements = Logement.objects.filter(
        bailleur=etat.bailleur,
        departement=etat.departement_id,
        millesime=etat.millesime,
        statut="CONVENTIONNE",
    ).order_by("pk")[:ESSAIS]
    durees = []
    with transaction.atomic():
        for rang, logement in enumerate(logements):
            enregistrer_liberation(
                Acteur.du_systeme("mesure"),
                etat.bailleur,
                date=date(annee, 12, 1 + rang),
                reference=f"MESURE-{rang}",
                logement=logement,
            )
            with chrono() as duree:
                fait = traiter(etat.departement_id, annee)
            assert fait.nouveaux == 1, fait
            durees.append(duree.secondes)
        assert CalculFlux.objects.filter(bailleur=etat.bailleur, annee=annee).exists()
        transaction.set_rollback(True)
    return mediane(durees)
