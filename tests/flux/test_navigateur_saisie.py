"""Entering libérations and what follows them, in a real browser, by keyboard alone."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from flux.models import Attribution, Commission, Confirmation, Liberation, Passage
from reservation.models import Logement
from tests.flux.fabriques import ANNEE, actes_paca, attribution, liberation, menage, parc
from tests.flux.test_navigateur import entrer
from tests.pages_vues import sans_violation
from tests.personnages import CANNES, distribuer

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]

FAITS = {
    "commune_id": CANNES,
    "typeconst": "C",
    "nbpiece": 3,
    "surfhab": 64,
    "construct": 1974,
    "finan": "13",
    "conv": "1",
    "mode": "1",
    "typologie": "T3",
    "financement": "PLUS",
    "periode": "1971-90",
    "statut": "CONVENTIONNE",
    "qpv": False,
}


@pytest.fixture
def cast(transactional_db):
    cast = distribuer()
    actes_paca(cast)
    etat = parc(cast.bailleur_a)
    Logement.objects.bulk_create(
        Logement(
            bailleur=cast.bailleur_a,
            departement_id="06",
            millesime=ANNEE,
            import_rpls=etat.import_rpls,
            cle=f"06{rang:08d}",
            ident_rep=f"06{rang:08d}",
            ident_int=f"HDA-{rang}",
            adresse=f"{rang} ALLEE DU MODELE",
            ligne=rang,
            **FAITS,
        )
        for rang in range(2711, 2716)
    )
    return cast


def accessible(page) -> None:
    sans_violation(page)
    deborde = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(deborde) <= 0


def test_declare_one_after_the_other_by_keyboard(page, cast):
    entrer(page, "gestion@a.example")
    page.goto("/liberations/declarer/")
    champ = page.get_by_role("combobox", name="Logement")
    expect(champ).to_be_focused()
    debut = time.monotonic()
    page.keyboard.type("modele 2713", delay=10)
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(champ).to_have_value("HDA-2713")
    faits = page.locator("#faits-du-logement")
    expect(faits).to_contain_text("T3, 64")
    expect(faits).to_contain_text("hors QPV")
    accessible(page)
    page.keyboard.press("Enter")
    page.get_by_text("Libération de HDA-2713 enregistrée").wait_for()
    assert time.monotonic() - debut < 20
    expect(champ).to_be_focused()
    expect(page.get_by_role("row", name="HDA-2713")).to_be_visible()

    # Several answer: the arrows choose; the same dwelling again is asked to be confirmed.
    page.keyboard.type("HDA-27", delay=10)
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(5)
    accessible(page)
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(champ).to_have_value("HDA-2713")
    hier = timezone.localdate() - timedelta(days=1)
    page.get_by_label("Libéré le").fill(hier.isoformat())
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("1 jour d’écart")
    accessible(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Confirmer et enregistrer")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_text("Libération de HDA-2713 enregistrée").wait_for()
    expect(champ).to_be_focused()
    assert Liberation.objects.filter(reference="HDA-2713").count() == 2
    assert Confirmation.objects.get().confirmee_par == cast.gestionnaire_a


def test_enter_before_the_answer_chooses_and_declares_nothing(page, cast):
    """Whoever types faster than the list comes does not declare the dwelling freed today without a look at it."""
    entrer(page, "gestion@a.example")
    page.goto("/liberations/declarer/")
    page.keyboard.type("HDA-2713")
    page.keyboard.press("Enter")
    expect(page.locator("#faits-du-logement")).to_contain_text("T3, 64")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert not Liberation.objects.filter(reference="HDA-2713").exists()
    # Several answer and none is chosen: the first Enter shows one, the second takes it.
    page.keyboard.press("Control+A")
    page.keyboard.type("HDA-27")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(5)
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert not Liberation.objects.filter(reference__startswith="HDA-27").exists()


def test_escape_closes_then_empties(page, cast):
    entrer(page, "gestion@a.example")
    page.goto("/liberations/declarer/")
    champ = page.get_by_role("combobox", name="Logement")
    page.keyboard.type("HDA", delay=10)
    expect(page.get_by_role("listbox")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("5 logements proposés")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(champ).to_have_value("HDA")
    page.keyboard.press("Escape")
    expect(champ).to_have_value("")


@pytest.fixture
def servie(cast) -> Liberation:
    """Attributed to the first of three ranks."""
    jour = timezone.localdate() - timedelta(days=20)
    faite = liberation(cast.bailleur_a, jour - timedelta(days=20), reservataire=cast.ddets_06)
    lieu = {"bailleur": cast.bailleur_a, "departement_id": "06"}
    commission = Commission.objects.create(**lieu, date=jour)
    passages = [
        Passage.objects.create(
            **lieu, commission=commission, liberation=faite, menage=menage(), decision="ATTR_RANG", rang=rang
        )
        for rang in (1, 2, 3)
    ]
    attribution(faite, jour, passage=passages[0], menage=passages[0].menage)
    return faite


@pytest.mark.parametrize("largeur", [1280, 390])
def test_refusal_cascade_and_lease_by_keyboard(page, cast, servie, largeur):
    page.set_viewport_size({"width": largeur, "height": 900})
    entrer(page, "gestion@a.example")
    page.goto(f"/liberations/{servie.pk}/")
    accessible(page)

    def faire(bouton: str, dit: str) -> None:
        page.get_by_role("button", name=bouton, exact=True).focus()
        page.keyboard.press("Enter")
        page.get_by_text(dit).wait_for()

    def ouvrir(resume: str) -> None:
        page.locator("summary", has_text=resume).focus()
        page.keyboard.press("Enter")

    faire("Enregistrer l’offre", "dix jours pour répondre")
    accessible(page)
    ouvrir("Le ménage refuse ou renonce")
    faire("Enregistrer le refus", "Une réponse est à corriger")
    page.erreurs.clear()  # the browser notes the 422
    accessible(page)
    page.locator("#id_refus_motif").focus()
    page.keyboard.type("Loyer")
    faire("Enregistrer le refus", "rang 2, est servie")
    faire("Enregistrer l’offre", "dix jours pour répondre")
    faire("Enregistrer l’acceptation", "Acceptation enregistrée")
    faire("Enregistrer le bail", "Bail enregistré")
    accessible(page)
    rangs = list(Attribution.objects.order_by("pk").values_list("passage__rang", "motif_refus__code"))
    assert rangs == [(1, "M_LOYER"), (2, None)]
    assert Attribution.objects.get(refusee_le=None).date_bail == timezone.localdate()


@pytest.mark.parametrize("largeur", [1280, 390])
def test_list_counters_and_several_lines(page, cast, servie, largeur):
    for rang in range(3):
        liberation(cast.bailleur_a, timezone.localdate() - timedelta(days=rang))
    page.set_viewport_size({"width": largeur, "height": 900})
    entrer(page, "gestion@a.example")
    page.goto("/liberations/")
    accessible(page)
    page.get_by_role("link", name="3 à orienter").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(4)
    if largeur > 800:
        page.get_by_label("Choisir toutes les lignes de la page").focus()
        page.keyboard.press("Space")
    else:
        for boite in page.locator("input[name=id]").all():
            boite.press("Space")
    page.get_by_text("3 lignes choisies").wait_for()
    accessible(page)
    page.get_by_role("button", name="Modifier les lignes choisies").press("Enter")
    page.get_by_text("3 libérations choisies").wait_for()
    accessible(page)
    page.get_by_label("Disponibles à la location le").fill(timezone.localdate().isoformat())
    page.keyboard.press("Enter")
    page.get_by_text("disponibilité enregistrée").wait_for()
    assert "etape=a_orienter" in page.url
    assert Liberation.objects.filter(date_disponibilite=timezone.localdate()).count() == 3
