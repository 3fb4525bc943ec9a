"""A horrible workbook handed in, mended in the page and recorded, in a real browser with a real worker."""

from datetime import date

import pytest
from django.urls import reverse

from flux.models import Depot, EvenementExterne, Liberation
from reservation.acteur import Role
from reservation.models import Rattachement
from tests.flux.fabriques import actes_paca
from tests.flux.tableaux import csv, horrible, logements, numero
from tests.flux.test_navigateur import entrer
from tests.pages_vues import sans_violation
from tests.personnages import distribuer

pytestmark = [pytest.mark.navigateur]
TRAVAIL = 60_000  # ms


@pytest.fixture
def cast(transactional_db):
    cast = distribuer()
    actes_paca(cast)
    cast.references = logements(cast.bailleur_a)
    return cast


def sans_defaut(page) -> None:
    """Nothing that axe sees, nothing wider than the screen."""
    sans_violation(page)
    deborde = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(deborde) <= 0, page.url


@pytest.mark.travailleur
@pytest.mark.xdist_group("travailleur")
def test_handed_in_mended_in_the_page_and_recorded(page, cast, travailleur):
    entrer(page, "gestion@a.example")
    page.goto(reverse("flux:depot_nouveau"))
    fichier = {
        "name": "suivi T3.xlsx",
        "mimeType": "application/octet-stream",
        "buffer": horrible(cast.references),
    }
    page.get_by_label("Tableau", exact=False).first.set_input_files(fichier)
    page.get_by_role("button", name="Déposer et lire le tableau").click()
    page.get_by_role("heading", name="Rapport de dépôt").wait_for(timeout=TRAVAIL)
    assert page.get_by_text("B10").first.is_visible()
    sans_defaut(page)

    def corriger(ligne: int, valeurs: dict[str, str]) -> None:
        carte = page.locator(f"#l{ligne}")
        for titre, valeur in valeurs.items():
            champ = carte.get_by_label(titre)
            if champ.evaluate("e => e.tagName") == "SELECT":
                champ.select_option(valeur)
            else:
                champ.fill(valeur)
        carte.get_by_role("button", name="Corriger").focus()
        page.keyboard.press("Enter")
        page.get_by_text(f"Ligne {ligne} relue").wait_for()

    corriger(10, {"Libéré le": "28/02/2026"})
    corriger(11, {"Référence du logement": cast.references[8]})
    corriger(13, {"Préavis reçu le": "19/01/2026", "Justificatif": "RU-1"})
    corriger(16, {"Réservataire": "Action Logement Services"})
    # The last one contradicts another line: the whole line is opened.
    page.locator("#l18").get_by_role("link", name="Toute la ligne").click()
    sans_defaut(page)
    page.get_by_label("Référence du logement").fill(cast.references[9])
    page.get_by_role("button", name="Corriger et relire").click()
    page.get_by_text("Ligne 18 relue").wait_for()
    page.locator("#l19").get_by_role("button", name="Confirmer").click()
    page.get_by_text("Confirmé.").wait_for()
    assert page.get_by_role("heading", name="Première façon").count() == 0
    page.get_by_role("button", name="Enregistrer 10 lignes").click()
    page.get_by_role("heading", name="Dépôt enregistré").wait_for(timeout=TRAVAIL)
    sans_defaut(page)
    assert Liberation.objects.count() == 10 and not Depot.objects.get().fichier


@pytest.mark.travailleur
@pytest.mark.xdist_group("travailleur")
def test_an_extract_is_handed_in_mapped_and_recorded(page, cast, travailleur):
    Rattachement.objects.create(
        utilisateur=cast.gestionnaire_a,
        organisation=cast.bailleur_a,
        role=Role.ADMINISTRATION,
        debut=date(2024, 1, 1),
    )
    page.set_viewport_size({"width": 390, "height": 900})
    entrer(page, "gestion@a.example")
    page.goto(reverse("flux:depot_nouveau"))
    lignes = [
        [numero(1), "PPRIOR", "12/05/2026", "06", "Untel"],
        [numero(2), "CTG 17", "13/05/2026", "06", "Untel"],
        [numero(3), "PPRIOR", "32/05/2026", "06", "Untel"],
    ]
    octets = csv(
        ["NUR", "Type réservataire", "Date d'attribution", "Département", "Nom du demandeur"], lignes
    )
    page.get_by_label("Tableau", exact=False).first.set_input_files(
        {"name": "sne.csv", "mimeType": "text/csv", "buffer": octets}
    )
    page.get_by_label("Ce que contient le tableau").select_option("SNE")
    page.get_by_role("button", name="Déposer et lire le tableau").click()
    page.get_by_role("heading", name="Rapport de dépôt").wait_for(timeout=TRAVAIL)
    assert page.get_by_text("jamais lues ni gardées").is_visible() and page.get_by_text("CTG 17").is_visible()
    sans_defaut(page)
    page.get_by_role("link", name="Associer les valeurs").click()
    sans_defaut(page)
    page.get_by_label("contingent ou réservataire : CTG 17").select_option("ETAT_PRIORITAIRE")
    page.get_by_role("button", name="Associer", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_text("1 valeur associée").wait_for()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("#l4").get_by_label("Attribué le").fill("14/05/2026")
    page.locator("#l4").get_by_role("button", name="Corriger").click()
    page.get_by_text("Ligne 4 relue").wait_for()
    sans_defaut(page)
    page.get_by_role("button", name="Enregistrer 3 lignes").click()
    page.get_by_role("heading", name="Dépôt enregistré").wait_for(timeout=TRAVAIL)
    sans_defaut(page)
    evenements = EvenementExterne.objects.all()
    assert {e.contingent for e in evenements} == {"ETAT_PRIORITAIRE"} and len(evenements) == 3
