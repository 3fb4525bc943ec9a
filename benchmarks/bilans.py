"""Bilans as PDFs: what they cost over a bare rendering of the same markup, and what the second core brings.

Processor seconds for the first, so that a busy machine changes nothing; wall-clock seconds for the second.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from .mesure import Contexte, Mesure, chrono, dire, mediane, nombre_fr

BASES = ("demo",)
BILANS = 5
ATTENTE = 900


def mesurer(contexte: Contexte) -> list[Mesure]:
    """Ratio to a bare WeasyPrint, seconds per bilan and per core, two processes of the worker over one."""
    from bilans.models import Bilan
    from bilans.services.productions import ouvrir_bilans
    from reservation.acteur import Acteur

    ouvrir_bilans(Acteur.du_systeme("mesure"), contexte.annee)
    nombre = 2 if contexte.rapide else BILANS
    bilans = list(
        Bilan.objects.filter(annee=contexte.annee)
        .select_related("bailleur", "departement")
        .order_by("departement", "bailleur__siren")[:nombre]
    )
    return [*_contre_weasyprint(bilans), _deux_coeurs(contexte, bilans)]


def _contre_weasyprint(bilans) -> list[Mesure]:
    """Figures read, composed, rendered, against the rendering alone of the same markup by a plain WeasyPrint."""
    from reservation.documents.moteur import FEUILLE
    from reservation.documents.polices import DOSSIER

    _produire(bilans[0])  # fonts, templates and classes are loaded once per worker
    notres, nus, lectures = [], [], []
    pages = 0
    for bilan in bilans:
        debut = time.process_time()
        contenu, lecture, rendu = _produire(bilan)
        notres.append(time.process_time() - debut)
        lectures.append(lecture)
        pages += rendu.pages
        debut = time.process_time()
        octets = _nu(contenu, FEUILLE, DOSSIER)
        nus.append(time.process_time() - debut)
        assert octets.startswith(b"%PDF")
        dire(f"    {bilan} : {notres[-1]:.1f} s, WeasyPrint seul {nus[-1]:.1f} s")
    total, nu = sum(notres), sum(nus)
    return [
        Mesure(
            "bilan_pdf",
            "Bilan en PDF ÷ WeasyPrint seul",
            total / nu,
            1.15,
            f"{nombre_fr(total)} s pour {nombre_fr(nu)} s, {len(bilans)} bilans, {pages} pages, "
            f"dont {nombre_fr(sum(lectures))} s de lecture et de composition",
        ),
        Mesure(
            "bilan_secondes",
            "Secondes par bilan et par cœur",
            mediane(notres),
            None,
            f"{nombre_fr(total / pages)} s par page",
            " s",
        ),
    ]


def _produire(bilan):
    """(markup, seconds of reading and composing, PDF)."""
    from bilans.documents import pdf
    from bilans.documents.composition import composer_bilan
    from bilans.regles.donnees import empreinte
    from bilans.services.documents import reference_de
    from bilans.services.donnees_bilan import lire_donnees
    from reservation.documents.pdf import rendre_balisage

    debut = time.process_time()
    donnees = lire_donnees(bilan)
    document = composer_bilan(donnees, reference_de(bilan, 1, empreinte(donnees)))
    contenu = pdf.balisage(document)
    lecture = time.process_time() - debut
    return contenu, lecture, rendre_balisage(contenu, pdf.identifiant(document))


def _nu(contenu: str, feuille: Path, polices: Path) -> bytes:
    """What the documentation of WeasyPrint shows: the markup, the sheet as it is written, one call."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    configuration = FontConfiguration()
    base = f"{polices.as_uri()}/"
    style = CSS(string=feuille.read_text(), base_url=base, font_config=configuration)
    return HTML(string=f"<!DOCTYPE html>{contenu}", base_url=base).write_pdf(
        stylesheets=[style], font_config=configuration, pdf_variant="pdf/ua-1"
    )


def _deux_coeurs(contexte: Contexte, bilans) -> Mesure:
    """The same batch through the queue, with one process of the worker then with two."""
    durees = {}
    for processus in (1, 2):
        durees[processus] = _lot(contexte, bilans, processus)
        dire(f"    lot de {len(bilans)} bilans, {processus} processus : {durees[processus]:.1f} s")
    return Mesure(
        "bilan_deux_coeurs",
        "Lot par le travailleur, deux processus ÷ un",
        durees[2] / durees[1],
        0.65,
        f"{nombre_fr(durees[2])} s pour {nombre_fr(durees[1])} s, {len(bilans)} bilans",
    )


def _lot(contexte: Contexte, bilans, processus: int) -> float:
    """Seconds between the request and the last document, by a warm worker that has nothing else to do."""
    from bilans.models import DocumentBilan, ProductionBilan
    from bilans.services import productions
    from bilans.tasks import produire_bilan
    from config.celery import app
    from reservation.acteur import Acteur

    ProductionBilan.objects.all().delete()
    DocumentBilan.objects.filter(bilan__in=bilans).delete()
    app.control.purge()
    journal = contexte.dossier / f"travailleur-{processus}.log"
    with journal.open("w") as sortie:
        travailleur = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", str(processus), "-l", "INFO"],
            env=os.environ,
            stdout=sortie,
            stderr=subprocess.STDOUT,
        )
    try:
        _attendre(lambda: " ready." in journal.read_text(), travailleur, journal)
        # A production that does not exist: each process loads the application before the clock starts.
        for _ in range(2 * processus):
            produire_bilan.delay(0)
        time.sleep(5)
        with chrono() as duree:
            for bilan in bilans:
                productions.demander_production(Acteur.du_systeme("mesure"), bilan)
            _attendre(
                lambda: not ProductionBilan.objects.filter(etat__in=ProductionBilan.OUVERTS).exists(),
                travailleur,
                journal,
            )
        assert DocumentBilan.objects.filter(bilan__in=bilans).count() == len(bilans), journal.read_text()
        return duree.secondes
    finally:
        travailleur.terminate()
        travailleur.wait(timeout=60)


def _attendre(condition, travailleur, journal: Path) -> None:
    fin = time.monotonic() + ATTENTE
    while not condition():
        if travailleur.poll() is not None or time.monotonic() > fin:
            raise RuntimeError(f"Le travailleur n’a pas répondu : {journal.read_text()[-2000:]}")
        time.sleep(0.1)
