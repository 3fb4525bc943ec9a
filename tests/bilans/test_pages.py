"""The pages: who sees what, what an empty list says, files, and what may be asked from them."""

import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from bilans import tasks
from bilans.models import Bilan, LotBilans, ProductionBilan
from bilans.services import productions
from bilans.services.documents import produire_document
from flux.services.file_de_calcul import marquer_a_calculer
from reservation.acteur import Acteur
from tests.bilans.conftest import FEVRIER, calculer_tout, remplir
from tests.flux.fabriques import attribution, liberation, menage

SYSTEME = Acteur.du_systeme("essai")

pytestmark = pytest.mark.usefixtures("sans_rendu")


@pytest.fixture(autouse=True)
def envois(monkeypatch):
    cles = []
    monkeypatch.setattr(tasks.produire_bilan, "delay", cles.append)
    return cles


@pytest.fixture
def document(bilan):
    return produire_document(SYSTEME, bilan, FEVRIER).document


def entrer(client, cast, qui: str):
    client.force_login(cast.gens[qui])
    return client


def lire(client, url: str, attendu: int = 200) -> str:
    reponse = client.get(url)
    assert reponse.status_code == attendu, url
    return reponse.content.decode()


# --- List ---------------------------------------------------------------------------------------------------


def test_the_list_of_a_bailleur(client, cast, document):
    remplir(cast, cast.bailleur_b)
    page = lire(entrer(client, cast, "gestionnaire_a"), "/bilans/")
    assert "Bilan 2025" in page
    assert "Logis Essai B" not in page
    assert "version 1, 7 pages" in page
    assert reverse("bilans:pdf", args=[document.pk]) in page


def test_the_list_of_a_ddets(client, cast, bilan):
    remplir(cast, cast.bailleur_b)
    page = lire(entrer(client, cast, "agent_ddets_06"), "/bilans/")
    assert "Habitat Essai A" in page and "Logis Essai B" in page
    assert "2 pour 1" in page and "✓" in page
    assert "Aucun bilan ne répond" in lire(entrer(client, cast, "agent_ddets_22"), "/bilans/")


@pytest.mark.parametrize(
    ("qui", "phrase"),
    [
        ("charge_als", "dès qu’il vous l’aura transmis"),
        ("agent_cannes", "dès qu’il vous l’aura transmis"),
        ("charge_dreal", "dès que la DDETS les aura validés"),
        ("charge_union", "dès que la DDETS les aura validés"),
    ],
)
def test_who_receives_none_yet_is_told_when(client, cast, document, qui, phrase):
    page = lire(entrer(client, cast, qui), "/bilans/")
    assert phrase in page
    assert "Habitat Essai A" not in page


@pytest.mark.parametrize(
    ("requete", "nombre"),
    [
        ("", 2),
        ("?annee=2025", 1),
        ("?annee=2024", 1),
        ("?departement=06", 2),
        ("?etat=sans", 1),
        ("?etat=avec", 1),
        ("?etat=cours", 0),
        ("?q=essai", 2),
        ("?q=éssai", 2),
        ("?q=autre", 0),
    ],
)
def test_filters(client, cast, document, requete, nombre):
    Bilan.objects.create(bailleur=cast.bailleur_a, departement_id="06", annee=2024)
    page = lire(entrer(client, cast, "agent_ddets_06"), f"/bilans/{requete}")
    assert page.count('<tr><th scope="row">') == nombre


def test_the_list_asks_the_same_number_of_queries(client, cast, bilan):
    entrer(client, cast, "agent_ddets_06")

    def compter() -> int:
        with CaptureQueriesContext(connection) as requetes:
            lire(client, "/bilans/")
        return len(requetes)

    compter()
    petit = compter()
    for annee in range(2010, 2024):
        Bilan.objects.create(bailleur=cast.bailleur_a, departement_id="06", annee=annee)
    assert compter() == petit


def test_opening_is_offered_when_there_is_something_to_open(client, cast, bilan):
    entrer(client, cast, "gestionnaire_a")
    assert "Ouvrir" not in lire(client, "/bilans/")
    Bilan.objects.all().delete()
    assert "Ouvrir 1 bilan" in lire(client, "/bilans/")
    reponse = client.post(reverse("bilans:ouvrir"), follow=True)
    assert "1 bilan ouvert" in reponse.content.decode()
    assert Bilan.objects.filter(bailleur=cast.bailleur_a, annee=2025).exists()


# --- One bilan ----------------------------------------------------------------------------------------------


def test_the_page_says_what_the_pdf_says(client, cast, bilan):
    page = lire(entrer(client, cast, "gestionnaire_a"), f"/bilans/{bilan.pk}/")
    assert "L’objectif de l’État est dépassé" in page
    for rang in range(1, 15):
        assert f"Tableau\u00a0{rang}." in page
    assert page.count("<caption>") >= 16
    assert page.count("<title>") > 5
    assert "document non produit" in page
    assert "Produire le PDF" in page
    assert " style=" not in page
    assert "<svg" in page


@pytest.mark.parametrize(
    ("qui", "attendu", "bouton"),
    [
        ("gestionnaire_a", 200, True),
        ("signataire_a", 200, True),
        ("lecteur_a", 200, False),
        ("agent_ddets_06", 200, True),
        ("agent_sgc_06", 200, False),
        ("gestionnaire_b", 404, False),
        ("agent_ddets_22", 404, False),
        ("charge_als", 404, False),
        ("agent_cannes", 404, False),
        ("charge_dreal", 404, False),
        ("operateur", 404, False),
        ("sans_organisation", 404, False),
    ],
)
def test_who_opens_it(client, cast, bilan, qui, attendu, bouton):
    page = lire(entrer(client, cast, qui), f"/bilans/{bilan.pk}/", attendu)
    assert ("Produire le PDF" in page) == bouton


def test_the_page_knows_the_document_of_its_figures(client, cast, document):
    entrer(client, cast, "gestionnaire_a")
    url = f"/bilans/{document.bilan_id}/"
    page = lire(client, url)
    assert "porte ces chiffres" in page
    assert "BIL-2025-06-000000017-v1, version 1" in page
    assert "Produire le PDF" not in page
    attribution(liberation(document.bailleur, date(2025, 8, 1)), date(2025, 9, 1), menage=menage("06"))
    calculer_tout(document.bailleur)
    page = lire(client, url)
    assert "Les chiffres ont changé depuis le PDF version 1" in page
    assert "Produire le PDF" in page


def test_a_flux_to_compute_again_is_said(client, cast, document):
    marquer_a_calculer({(document.bailleur_id, "06")}, [2025], "essai", appeler=False)
    page = lire(entrer(client, cast, "gestionnaire_a"), f"/bilans/{document.bilan_id}/")
    assert "en cours de recalcul" in page
    assert "Verdict" not in page
    assert reverse("bilans:pdf", args=[document.pk]) in page, "le document déjà produit reste lisible"


def test_a_year_not_observed_says_so(client, cast):
    vide = Bilan.objects.create(bailleur=cast.bailleur_a, departement_id="06", annee=2020)
    page = lire(entrer(client, cast, "gestionnaire_a"), f"/bilans/{vide.pk}/")
    assert "Le flux constaté de 2020 n’a pas encore été calculé" in page


def test_reading_writes_nothing(client, cast, bilan):
    entrer(client, cast, "gestionnaire_a")
    for url in ("/bilans/", f"/bilans/{bilan.pk}/", f"/bilans/{bilan.pk}/production/"):
        with CaptureQueriesContext(connection) as requetes:
            lire(client, url)
        ecritures = [r["sql"] for r in requetes if r["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
        assert ecritures == []


# --- Asking for the PDF -------------------------------------------------------------------------------------


def test_asking_for_the_pdf(client, cast, bilan, envois, django_capture_on_commit_callbacks):
    entrer(client, cast, "gestionnaire_a")
    with django_capture_on_commit_callbacks(execute=True):
        reponse = client.post(reverse("bilans:produire", args=[bilan.pk]))
    assert reponse.url == f"/bilans/{bilan.pk}/"
    (cle,) = envois
    fragment = lire(client, f"/bilans/{bilan.pk}/production/")
    assert "PDF en attente" in fragment and "hx-get" in fragment
    productions.executer(cle)
    fragment = lire(client, f"/bilans/{bilan.pk}/production/")
    assert "Le PDF est prêt, version 1" in fragment and "hx-get" not in fragment


def test_a_failure_is_shown(client, cast, bilan):
    demandee = productions.demander_production(SYSTEME, bilan)
    productions.abandonner(demandee.pk, "Le flux est en cours de recalcul.")
    page = lire(entrer(client, cast, "gestionnaire_a"), f"/bilans/{bilan.pk}/")
    assert "Le PDF n’a pas pu être produit." in page
    assert "Le flux est en cours de recalcul." in page


def test_a_get_asks_for_nothing(client, cast, bilan):
    entrer(client, cast, "gestionnaire_a")
    for nom in ("produire", "appreciation"):
        assert client.get(reverse(f"bilans:{nom}", args=[bilan.pk])).status_code == 405
    assert not ProductionBilan.objects.exists()


@pytest.mark.parametrize(
    ("qui", "attendu"),
    [("lecteur_a", 403), ("agent_sgc_06", 403), ("gestionnaire_b", 404), ("charge_als", 404)],
)
def test_who_may_not_ask(client, cast, bilan, qui, attendu):
    entrer(client, cast, qui)
    assert client.post(reverse("bilans:produire", args=[bilan.pk])).status_code == attendu
    donnees = {"appreciation": "x"}
    assert client.post(reverse("bilans:appreciation", args=[bilan.pk]), donnees).status_code == attendu
    assert not ProductionBilan.objects.exists()


def test_a_lot_from_the_list(client, cast, bilan, envois, django_capture_on_commit_callbacks):
    remplir(cast, cast.bailleur_b)
    entrer(client, cast, "agent_ddets_06")
    assert "Produire les PDF de 2025" in lire(client, "/bilans/?annee=2025")
    assert "Produire les PDF" not in lire(client, "/bilans/")
    with django_capture_on_commit_callbacks(execute=True):
        reponse = client.post(reverse("bilans:produire_lot"), {"annee": "2025", "departement": "06"})
    lot = LotBilans.objects.get()
    assert reponse.url == f"/bilans/lots/{lot.pk}/"
    assert len(envois) == 2
    page = lire(client, reponse.url)
    assert "0 bilan fait sur 2" in page and "hx-get" in page
    for cle in envois:
        productions.executer(cle)
    page = lire(client, reponse.url)
    assert "2 bilans faits sur 2" in page and "hx-get" not in page
    assert "PDF, version 1" in page
    entrer(client, cast, "gestionnaire_a")
    assert client.get(reponse.url).status_code == 404


@pytest.mark.parametrize(("donnees", "attendu"), [({}, 404), ({"annee": "x"}, 404), ({"annee": "2020"}, 302)])
def test_a_lot_of_nothing(client, cast, bilan, donnees, attendu):
    entrer(client, cast, "agent_ddets_06")
    assert client.post(reverse("bilans:produire_lot"), donnees).status_code == attendu
    assert not LotBilans.objects.exists()


# --- Appreciation -------------------------------------------------------------------------------------------


def test_the_bailleur_writes_and_the_state_reads(client, cast, bilan):
    entrer(client, cast, "gestionnaire_a")
    assert "Écrire ou corriger l’appréciation" in lire(client, f"/bilans/{bilan.pk}/")
    texte = "# Écarts et raisons\n\n- Deux désignations reçues hors délai <b>!</b>"
    assert (
        client.post(reverse("bilans:appreciation", args=[bilan.pk]), {"appreciation": texte}).status_code
        == 302
    )
    page = lire(client, f"/bilans/{bilan.pk}/")
    assert "<h3>Écarts et raisons</h3>" in page
    assert "<b>!</b>" not in page
    page = lire(entrer(client, cast, "agent_ddets_06"), f"/bilans/{bilan.pk}/")
    assert "Deux désignations reçues hors délai" in page
    assert "Écrire ou corriger" not in page


def test_a_text_too_long_is_refused_where_it_was_typed(client, cast, bilan):
    entrer(client, cast, "gestionnaire_a")
    reponse = client.post(reverse("bilans:appreciation", args=[bilan.pk]), {"appreciation": "x" * 20_001})
    assert reponse.status_code == 422
    assert "Une réponse est à corriger" in reponse.content.decode()
    bilan.refresh_from_db()
    assert bilan.appreciation == ""


# --- Files --------------------------------------------------------------------------------------------------


def test_files(client, cast, document):
    entrer(client, cast, "agent_ddets_06")
    pdf = client.get(reverse("bilans:pdf", args=[document.pk]))
    assert pdf["Content-Type"] == "application/pdf"
    assert 'filename="BIL-2025-06-000000017-v1.pdf"' in pdf["Content-Disposition"]
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")
    xlsx = client.get(reverse("bilans:xlsx", args=[document.pk]))
    assert 'filename="BIL-2025-06-000000017-v1.xlsx"' in xlsx["Content-Disposition"]
    livre = CalamineWorkbook.from_filelike(io.BytesIO(xlsx.content))
    assert len(livre.get_sheet_by_name("Attributions").to_python()) == 8


@pytest.mark.parametrize(
    "qui", ["gestionnaire_b", "agent_ddets_22", "charge_als", "agent_cannes", "charge_dreal"]
)
@pytest.mark.parametrize("nom", ["pdf", "xlsx"])
def test_files_are_not_for_others(client, cast, document, qui, nom):
    entrer(client, cast, qui)
    assert client.get(reverse(f"bilans:{nom}", args=[document.pk])).status_code == 404
