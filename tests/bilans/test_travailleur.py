"""Bilans made by a real Celery worker: asked from a page or a command, done once, kept."""

import io

import pypdf
import pytest
from django.core.management import call_command

from bilans.models import Bilan, DocumentBilan, ProductionBilan
from bilans.services import exportations, productions
from config import serveurs
from tests.bilans.conftest import remplir
from tests.personnages import distribuer

pytestmark = [pytest.mark.travailleur, pytest.mark.lent]


def test_asked_by_a_person_made_by_the_worker(travailleur):
    cast = distribuer()
    bilan = remplir(cast)
    demandee = productions.demander_production(cast.acteur("agent_ddets_06"), bilan)
    assert serveurs.wait_until(
        lambda: ProductionBilan.objects.filter(pk=demandee.pk, etat="PRODUITE").exists(), seconds=120
    )
    document = DocumentBilan.objects.get()
    texte = pypdf.PdfReader(io.BytesIO(exportations.lire_pdf(document))).pages[0].extract_text()
    assert "Habitat Essai A, Alpes-Maritimes (06)" in texte
    assert document.empreinte_donnees[:32] in texte


def test_a_batch_through_the_queue(travailleur, tmp_path, capsys):
    cast = distribuer()
    remplir(cast)
    remplir(cast, cast.bailleur_b)
    Bilan.objects.all().delete()
    call_command("produire_bilans", "--annee", "2025", "--sortie", str(tmp_path), "--par-la-file")
    assert "2 sur 2" in capsys.readouterr().err
    pdf = sorted(tmp_path.glob("*.pdf"))
    assert [f.name for f in pdf] == [
        "bilan-2025-06-habitat-essai-a-v1.pdf",
        "bilan-2025-06-logis-essai-b-v1.pdf",
    ]
    assert all(f.read_bytes().startswith(b"%PDF-1.7") for f in pdf)
