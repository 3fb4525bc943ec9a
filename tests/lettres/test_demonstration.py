"""The letters of the demonstration: whole, at the dates of the acts that they notify."""

import io
from datetime import date

import pypdf
import pytest

from bilans.demonstration.lettres import notifier
from bilans.models import Lettre
from bilans.regles.procedures_delais import Suite

pytestmark = pytest.mark.django_db


def test_each_act_whose_facts_allow_it_has_its_letter(cast, procedure):
    organisations = {"ddets-06": cast.ddets_06}
    assert notifier(organisations) == 1
    assert notifier(organisations) == 0  # once
    lettre = Lettre.objects.get()
    assert (lettre.numero, lettre.jour, lettre.date_certaine) == (
        "MED-06-2026-001",
        date(2026, 4, 7),
        date(2026, 4, 9),
    )
    assert [etape.suite for etape in lettre.etapes.order_by("rang")] == [Suite.ENVOI, Suite.RECEPTION]
    texte = pypdf.PdfReader(io.BytesIO(bytes(lettre.octets))).pages[0].extract_text()
    assert "démonstration" in texte and "PROJET" not in texte
