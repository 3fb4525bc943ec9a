"""The week of a bailleur in the browser, by keyboard alone: notice → orientation → CALEOL → refusal → next rank → lease."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flux.models import Attribution, Commission, Convocation, Liberation, Passage
from tests.flux.test_navigateur import entrer
from tests.flux.test_navigateur_saisie import cast  # noqa: F401 (fixture)
from tests.pages_vues import sans_violation

pytestmark = [pytest.mark.navigateur, pytest.mark.xdist_group("navigateur")]

NUMEROS = ("0061125DEMO0000042", "0061125DEMO0000043", "0061125DEMO0000044")


class Gestionnaire:
    """Somebody who never touches the mouse."""

    def __init__(self, page):
        self.page, self.clavier = page, page.keyboard

    def presser(self, role: str, nom: str) -> None:
        """Go to a button or a link, and press Enter."""
        cible = self.page.get_by_role(role, name=nom).first
        cible.focus()
        self.clavier.press("Enter")

    def ecrire(self, etiquette: str, texte: str) -> None:
        champ = self.page.get_by_role("textbox", name=etiquette).first
        champ.focus()
        champ.fill(texte)

    def lire(self, texte: str) -> None:
        self.page.get_by_text(texte).first.wait_for(timeout=30_000)

    def sans_defaut(self) -> None:
        sans_violation(self.page)


def test_from_notice_to_lease_by_keyboard_alone(page, cast):  # noqa: F811
    moi = Gestionnaire(page)
    aujourd_hui = timezone.localdate()
    libere = aujourd_hui - timedelta(days=12)
    entrer(page, "gestion@a.example")

    # The tenant leaves.
    moi.presser("link", "Déclarer une libération")
    page.wait_for_url("**/declarer/")
    page.get_by_role("combobox", name="Logement").focus()
    moi.clavier.type("HDA-2713", delay=10)
    page.get_by_role("listbox").get_by_role("option").first.wait_for()
    moi.clavier.press("Enter")
    page.get_by_text("T3, 64").first.wait_for()
    moi.ecrire("Libéré le", libere.isoformat())
    moi.ecrire("Préavis reçu le", (libere - timedelta(days=60)).isoformat())
    moi.clavier.press("Enter")
    moi.lire("Libération de HDA-2713 enregistrée")
    liberation = Liberation.objects.get(reference="HDA-2713")

    # The application suggests, the bailleur follows.
    ici = f"/liberations/{liberation.pk}/"
    page.goto(ici)
    moi.lire("suggéré")
    moi.sans_defaut()
    suggere = page.locator("tr.fort input[name=reservataire]").first
    suggere.focus()
    moi.clavier.press("Space")
    moi.presser("button", "Orienter")
    moi.lire("Orientation enregistrée")
    liberation.refresh_from_db()
    assert liberation.reservataire is not None

    # A commission, its agenda, its candidatures, the DDETS convened.
    page.goto("/caleol/planifier/")
    page.locator("#id_departement").focus()
    page.locator("#id_departement").select_option("06")
    for champ, texte in (("date", aujourd_hui.isoformat()), ("heure", "14:00")):
        page.locator(f"#id_{champ}").focus()
        page.locator(f"#id_{champ}").fill(texte)
    moi.ecrire("Lieu", "salle du conseil")
    moi.presser("button", "Planifier")
    page.wait_for_url("**/ordre-du-jour/")
    commission = Commission.objects.get()
    case = page.locator(f"#x{liberation.pk}")
    case.focus()
    moi.clavier.press("Space")
    moi.presser("button", "Mettre à l’ordre du jour")
    moi.lire("1 logement à l’ordre du jour")
    for rang, numero in enumerate(NUMEROS, 1):
        moi.ecrire("Numéro unique", numero)
        moi.clavier.press("Enter")
        page.locator(".candidatures li").nth(rang - 1).wait_for()
    moi.sans_defaut()
    page.goto(f"/caleol/{commission.pk}/convoquer/")
    moi.sans_defaut()
    moi.presser("button", "Convoquer")
    moi.lire("DDETS convoquée")
    assert Convocation.objects.filter(commission=commission).exists()

    # Decisions by their keys, then the act.
    page.goto(f"/caleol/{commission.pk}/")
    page.wait_for_load_state("networkidle")
    premier = Passage.objects.order_by("pk").first()
    page.locator(f"#p{premier.pk}-decision").focus()
    for touche in ("b", "1", "Enter", "2", "Enter", "3", "Enter"):
        moi.clavier.press(touche)
    page.wait_for_function("document.activeElement.id === 'vers-cloture'")
    page.get_by_text("Pour clôturer").wait_for(state="detached")
    moi.clavier.press("Enter")
    page.wait_for_url("**/cloturer/")
    moi.sans_defaut()
    for _ in range(page.locator('input[name="point"]').count()):
        page.locator('input[name="point"]:not(:checked)').first.focus()
        moi.clavier.press("Space")
    moi.presser("button", "Clôturer la commission")
    moi.lire("Commission close")

    # The first refuses, the second is served, accepts and signs.
    page.goto(ici)
    moi.presser("button", "Enregistrer l’offre")
    moi.lire("dix jours pour répondre")
    page.locator("summary", has_text="Le ménage refuse ou renonce").focus()
    moi.clavier.press("Enter")
    page.locator("#id_refus_motif").focus()
    moi.clavier.type("Loyer")
    moi.presser("button", "Enregistrer le refus")
    moi.lire("rang 2, est servie")
    moi.presser("button", "Enregistrer l’offre")
    moi.lire("dix jours pour répondre")
    moi.presser("button", "Enregistrer l’acceptation")
    moi.lire("Acceptation enregistrée")
    moi.presser("button", "Enregistrer le bail")
    moi.lire("Bail enregistré")
    moi.sans_defaut()

    suites = Attribution.objects.order_by("pk").values_list("passage__rang", "date_caleol", "date_bail")
    assert list(suites) == [(1, aujourd_hui, None), (2, aujourd_hui, aujourd_hui)]
    imputation = liberation.imputations.get()
    assert imputation.attribution.passage.rang == 2
