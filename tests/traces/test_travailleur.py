"""What a real worker writes says which task it was, and who asked for it; what a command writes says its name."""

from io import BytesIO, StringIO

import pytest
from django.core.management import call_command

from config import serveurs
from reservation.models import ImportRpls, LigneJournal
from reservation.services import parc
from tests.parc.fabrique import SIRET_A, logement, loi
from tests.personnages import distribuer


def fichier() -> bytes:
    return loi([logement(1, SIRET=SIRET_A), logement(2, SIRET=SIRET_A)]).encode()


@pytest.mark.django_db(transaction=True)
def test_a_task_bears_its_name_and_who_asked(travailleur):
    cast = distribuer()
    acteur = cast.acteur("gestionnaire_a")
    recu = parc.recevoir_fichier(acteur, contenu=BytesIO(fichier()), nom="parc.csv", millesime=2025)
    attendu = ImportRpls.Etat.A_CONFIRMER
    assert serveurs.wait_until(lambda: ImportRpls.objects.get(pk=recu.pk).etat == attendu, seconds=60)
    parc.confirmer(acteur, ImportRpls.objects.get(pk=recu.pk))
    applique = ImportRpls.Etat.APPLIQUE
    assert serveurs.wait_until(lambda: ImportRpls.objects.get(pk=recu.pk).etat == applique, seconds=60)
    lignes = LigneJournal.objects.filter(origine__startswith="tâche")
    par_tache = {
        (ligne.origine, ligne.auteur_id, ligne.organisation_id)
        for ligne in lignes.filter(objet_type="reservation.importrpls")
    }
    assert par_tache == {
        (f"tâche reservation.{nom}_import", cast.gestionnaire_a.pk, cast.bailleur_a.pk)
        for nom in ("analyser", "appliquer")
    }
    etat = lignes.get(objet_type="reservation.etatparc")
    assert (etat.acte, etat.auteur_id) == ("insert", cast.gestionnaire_a.pk)
    assert etat.requete and etat.requete not in ("", "-")


@pytest.mark.django_db
def test_a_command_bears_its_name(tmp_path):
    cast = distribuer()
    chemin = tmp_path / "parc.csv"
    chemin.write_bytes(fichier())
    call_command(
        "importer_rpls", str(chemin), millesime=2025, bailleur=cast.bailleur_a.siren, stdout=StringIO()
    )
    etat = LigneJournal.objects.get(objet_type="reservation.etatparc")
    assert (etat.origine, etat.auteur_id) == ("commande importer_rpls", None)
