"""A process killed in the middle of an import, and a real worker that takes up what is left."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection

from config import serveurs
from reservation.acteur import Acteur
from reservation.models import ImportRpls, Logement
from reservation.services import parc
from reservation.services.parc.verrous import est_tenu
from tests.personnages import distribuer

from .fabrique import ecrire, logements, loi

SYSTEME = Acteur.du_systeme("essai")
Etat = ImportRpls.Etat

# Stops for ever where `argv[2]` says, once the file named `argv[3]` says that it is there.
PROGRAMME = """
import sys, time, django
from pathlib import Path
django.setup()
from reservation.acteur import Acteur
from reservation.perimetre import agir
from reservation.services import parc
from reservation.services.parc import application, imports

def dormir(*_arguments, **_options):
    Path(sys.argv[3]).touch()
    time.sleep(300)

with agir(Acteur.du_systeme("essai")):
    if sys.argv[2] == "lecture":
        imports._comparer = dormir
        parc.analyser(int(sys.argv[1]))
    else:
        application.rafraichir_l_agregat = dormir  # the dwellings are written, the transaction is open
        parc.appliquer(int(sys.argv[1]))
"""


def lancer_et_tuer(import_id: int, moment: str, temoin) -> None:
    environnement = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "RESERVATION_BASE": connection.settings_dict["NAME"],
        "RESERVATION_FICHIERS": str(settings.MEDIA_ROOT),
    }
    processus = subprocess.Popen(
        [sys.executable, "-c", PROGRAMME, str(import_id), moment, str(temoin)],
        cwd=serveurs.RACINE,
        env=environnement,
    )
    try:
        assert serveurs.wait_until(lambda: temoin.exists() or processus.poll() is not None, seconds=60)
        assert processus.poll() is None
        assert est_tenu(import_id)
    finally:
        processus.send_signal(signal.SIGKILL)
        processus.wait(timeout=30)
    assert serveurs.wait_until(lambda: not est_tenu(import_id), seconds=30)


def recevoir(tmp_path, nombre: int, bailleur) -> ImportRpls:
    with open(ecrire(tmp_path, loi(logements(nombre))), "rb") as contenu:
        return parc.recevoir_fichier(
            SYSTEME, contenu=contenu, nom="rpls.csv", millesime=2025, bailleur=bailleur, differer=False
        )


@pytest.mark.django_db(transaction=True)
@pytest.mark.lent
def test_tue_pendant_l_ecriture_le_parc_reste_puis_l_import_se_reprend(tmp_path):
    bailleur = distribuer().bailleur_a
    chemin = ecrire(tmp_path, loi(logements(5)), "avant.csv")
    assert parc.importer(SYSTEME, chemin, millesime=2025, bailleur=bailleur).etat == Etat.APPLIQUE
    avant = sorted(Logement.objects.values_list("cle", "import_rpls_id"))

    import_rpls = parc.analyser(recevoir(tmp_path, 50, bailleur).pk)
    parc.confirmer(SYSTEME, import_rpls, differer=False)
    lancer_et_tuer(import_rpls.pk, "ecriture", tmp_path / "temoin")
    import_rpls.refresh_from_db()
    assert import_rpls.etat == Etat.EN_APPLICATION
    assert import_rpls.etape == "Calcul des statuts et des totaux"
    assert sorted(Logement.objects.values_list("cle", "import_rpls_id")) == avant

    assert parc.appliquer(import_rpls.pk).etat == Etat.APPLIQUE
    assert Logement.objects.count() == 50


@pytest.mark.django_db(transaction=True)
@pytest.mark.lent
def test_tue_pendant_la_lecture_l_import_se_relit(tmp_path):
    import_rpls = recevoir(tmp_path, 20, distribuer().bailleur_a)
    lancer_et_tuer(import_rpls.pk, "lecture", tmp_path / "temoin")
    import_rpls.refresh_from_db()
    assert import_rpls.etat == Etat.EN_ANALYSE
    assert parc.analyser(import_rpls.pk).etat == Etat.A_CONFIRMER
    assert not Logement.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.travailleur
@pytest.mark.lent
def test_un_vrai_travailleur_lit_puis_ecrit(travailleur, tmp_path):
    cast = distribuer()
    acteur = cast.acteur("gestionnaire_a")
    with open(ecrire(tmp_path, loi(logements(30))), "rb") as contenu:
        import_rpls = parc.recevoir_fichier(acteur, contenu=contenu, nom="rpls.csv", millesime=2025)
    assert attendre(import_rpls, Etat.A_CONFIRMER)
    parc.confirmer(acteur, import_rpls)
    assert attendre(import_rpls, Etat.APPLIQUE)
    assert Logement.objects.filter(bailleur=cast.bailleur_a).count() == 30


def attendre(import_rpls: ImportRpls, etat: str) -> bool:
    for _ in range(300):
        import_rpls.refresh_from_db()
        if import_rpls.etat == etat:
            return True
        time.sleep(0.1)
    return False
