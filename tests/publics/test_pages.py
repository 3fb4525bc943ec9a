"""Data-protection pages: what everybody reads, what the register says, from the rules that the purge applies."""

import csv
import io
from datetime import date

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from publics.models import RapportPurge
from publics.regles.registre import TRAITEMENTS
from reservation.models import Utilisateur
from reservation.regles.typographie import typographier
from reservation.services.conservation import purgeurs

pytestmark = pytest.mark.django_db

PAGE = "/donnees-personnelles/"


@pytest.fixture
def administrateur(cast, client):
    client.force_login(cast.administrateur_a)
    return client


def test_every_retention_rule_is_said_and_every_processing_has_its_rules(administrateur):
    texte = administrateur.get(PAGE).content.decode()
    assert len(purgeurs()) >= 5
    for purgeur in purgeurs():
        assert purgeur.regle.donnees in texte
        assert purgeur.regle.duree in texte
    codes = {purgeur.regle.code for purgeur in purgeurs()}
    cites = [code for traitement in TRAITEMENTS for code in traitement.conservation]
    assert set(cites) <= codes and len(cites) == len(set(cites))
    # Traces, and the line of an API access, last as long as the acts that they prove: there is nothing of a person in
    # them that a purge would erase.
    assert [t.code for t in TRAITEMENTS if not t.conservation] == ["ACCES_API", "TRACES"]


def test_nobody_is_invented(administrateur, settings):
    for adresse in (PAGE, reverse("publics:registre")):
        texte = administrateur.get(adresse).content.decode()
        assert "Non renseigné" in texte and "RESPONSABLE_TRAITEMENT" in texte and "CONTACT_DPO" in texte
    settings.RESPONSABLE_TRAITEMENT, settings.CONTACT_DPO = "Ministère d’essai", "dpo@essai.example"
    for adresse in (PAGE, reverse("publics:registre")):
        texte = administrateur.get(adresse).content.decode()
        assert "Ministère d’essai" in texte and "dpo@essai.example" in texte and "Non renseigné" not in texte


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_register_is_exported_as_it_is_shown(administrateur, settings, format_):
    settings.RESPONSABLE_TRAITEMENT = "=1+1"
    reponse = administrateur.get(reverse("publics:registre_export", args=[format_]))
    octets = b"".join(reponse.streaming_content)
    if format_ == "csv":
        lignes = list(csv.reader(io.StringIO(octets.decode("utf-8-sig")), delimiter=";"))
    else:
        lignes = CalamineWorkbook.from_filelike(io.BytesIO(octets)).get_sheet_by_index(0).to_python()
    titres, *fiches = lignes
    assert [fiche[0] for fiche in fiches] == [typographier(t.nom) for t in TRAITEMENTS]
    assert len(titres) == 10 and all(all(cellule for cellule in fiche) for fiche in fiches)
    assert {fiche[1] for fiche in fiches} == {"'=1+1" if format_ == "csv" else "=1+1"}
    assert "non renseigné" in fiches[0][2]
    assert administrateur.get(reverse("publics:registre_export", args=["pdf"])).status_code == 404


def test_purges_are_shown_to_the_support_only(administrateur, cast):
    RapportPurge.objects.create(
        jour=date(2026, 11, 1),
        lancee_par="essai",
        lignes=[{"code": "MENAGES", "donnees": "Empreintes", "echus": 12, "purges": 7}],
    )
    assert "Purges appliquées" not in administrateur.get(reverse("publics:registre")).content.decode()
    Utilisateur.objects.filter(pk=cast.lecteur_a.pk).update(is_staff=True)
    administrateur.force_login(cast.lecteur_a)
    texte = administrateur.get(reverse("publics:registre")).content.decode()
    assert "7 lignes purgées" in texte.replace("\xa0", " ") and "interrompue" in texte


def test_foot_of_the_page_leads_there(administrateur, client):
    assert f'href="{PAGE}"' in administrateur.get("/aide/").content.decode()
    administrateur.logout()
    assert f'href="{PAGE}"' not in client.get("/aide/").content.decode()
