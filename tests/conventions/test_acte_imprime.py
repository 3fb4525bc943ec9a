"""An act on paper: what is signed says what is computed, a draft wears its watermark, a refused act is not ready to sign."""

import io
from datetime import date
from decimal import Decimal

import pypdf
import pytest
from django.urls import reverse

from reservation.documents.convention import composer_acte, rendre_acte
from reservation.models import Convention, VersionConvention
from reservation.services.conventions import ajouter_avenant
from reservation.services.lecture_conventions import rediger
from tests.conventions.fabrique import SYSTEME, brouillon, signee

pytestmark = pytest.mark.django_db


def lu(octets: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(octets)).pages
    return plat(" ".join(" ".join(page.extract_text().split()) for page in pages))


def plat(texte: str) -> str:
    """One space is a space; the raised "er" of "1er" is one word again."""
    return " ".join(texte.replace("\u00a0", " ").replace("\u202f", " ").replace("1 er ", "1er ").split())


def versions(convention: Convention) -> list[VersionConvention]:
    return list(
        convention.versions.select_related("bailleur", "reservataire", "departement", "convention")
        .prefetch_related("communes")
        .order_by("rang")
    )


def demander(client, personne, convention, rang=0, requete=""):
    client.force_login(personne)
    return client.get(reverse("reservation:acte_pdf", args=[convention.pk, rang]) + requete)


@pytest.mark.parametrize("modele", [Convention.Modele.PACA, Convention.Modele.COTES_D_ARMOR])
def test_every_sentence_of_the_page_is_on_paper(client, cast, modele):
    convention = brouillon(cast, cast.ddets_06, modele=modele)
    reponse = demander(client, cast.agent_ddets_06, convention)
    assert reponse.status_code == 200 and reponse["Content-Type"] == "application/pdf"
    texte = lu(reponse.content)
    (version,) = versions(convention)
    for article in rediger(version.convention, version):
        for alinea in article.alineas:
            assert plat(alinea.texte) in texte, alinea.texte
    assert "PROJET" not in texte and "en deux exemplaires originaux" in texte
    assert convention.bailleur.nom in texte and "l’État, représenté par le préfet" in texte
    assert ("convention-cadre" in texte) == (modele == Convention.Modele.PACA)
    xmp = pypdf.PdfReader(io.BytesIO(reponse.content)).trailer["/Root"]["/Metadata"].get_object().get_data()
    assert b"pdfaid:part" in xmp


def test_the_draft_wears_its_watermark(client, cast):
    convention = brouillon(cast, cast.ddets_06)
    reponse = demander(client, cast.lecteur_a, convention, requete="?projet=1")
    assert lu(reponse.content).count("PROJET") >= 2
    assert "projet.pdf" in reponse["Content-Disposition"]


def test_an_act_that_the_rules_refuse_is_not_ready(client, cast):
    signee(cast, cast.ddets_06)
    sans_taux = brouillon(cast, cast.als, bailleur=cast.bailleur_b)
    for convention in (brouillon(cast, cast.als, "70.01"), sans_taux):
        assert demander(client, cast.agent_ddets_06, convention).status_code == 403
        assert demander(client, cast.agent_ddets_06, convention, requete="?projet=1").status_code == 200


def test_an_avenant_says_what_it_changes(client, cast):
    convention = signee(cast, cast.ddets_06)
    ajouter_avenant(
        SYSTEME, convention, effet=date(2026, 7, 1), objet="Taux ramené à 28 points", taux=Decimal(28)
    )
    texte = lu(demander(client, cast.agent_ddets_06, convention, 1).content)
    assert "Avenant n° 1" in texte and "Taux ramené à 28 points" in texte and "28 points" in texte
    assert "Annexe. La convention, avenant 1 compris" in texte
    assert demander(client, cast.agent_ddets_06, convention, 2).status_code == 404
    assert demander(client, cast.gestionnaire_b, convention, 0).status_code == 404


def test_a_reservataire_does_not_read_an_avenant_being_prepared(client, cast):
    convention = signee(cast, cast.als, taux="20")
    ajouter_avenant(SYSTEME, convention, effet=date(2026, 7, 1), objet="Secret", gestion="DIRECTE")
    assert demander(client, cast.charge_als, convention, 0).status_code == 200
    assert demander(client, cast.charge_als, convention, 1, "?projet=1").status_code == 404


def test_twice_the_same_bytes(cast):
    lues = versions(brouillon(cast, cast.ddets_06))
    assert len({rendre_acte(composer_acte(lues, 0, projet=False)).empreinte for _ in range(2)}) == 1
