"""Screenshots of the guide, made on a running demonstration: `python docs/guide/captures.py [http://127.0.0.1:8000]`.

Writes docs/guide/images/*.png. Every name and figure on them is fictitious.
"""

import os
import sys
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

import django

django.setup()

from PIL import Image  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from reservation.demonstration import MOT_DE_PASSE  # noqa: E402

IMAGES = Path(__file__).parent / "images"
LARGE, ETROIT = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def entrer(page: Page, courriel: str) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse électronique").fill(courriel)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda adresse: "/connexion/" not in adresse)


def photographier(page: Page, nom: str, *, entiere: bool = False) -> None:
    """A PNG of 256 colours: a page of text looks the same, and weighs a third."""
    page.wait_for_load_state("networkidle")
    octets = page.screenshot(full_page=entiere)
    image = Image.open(BytesIO(octets)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(IMAGES / f"{nom}.png", optimize=True)
    sys.stdout.write(f"{nom}.png\n")


def menu(page: Page, libelle: str) -> None:
    """Open a room by the main menu, whose groups are closed until somebody asks."""
    lien = page.locator("#navigation").locator(f"a:text-is('{libelle}')")
    if not lien.is_visible():
        page.locator(f"#navigation .fr-nav__item:has(a:text-is('{libelle}')) > button").click()
    lien.click()
    page.wait_for_load_state("networkidle")


def bailleur(page: Page) -> None:
    entrer(page, "gestionnaire@demo.example")
    photographier(page, "accueil-bailleur")
    menu(page, "Parc")
    page.locator("main tbody a").first.click()
    photographier(page, "parc", entiere=True)
    page.locator("main table tbody a").first.click()
    photographier(page, "logements")
    page.locator("main tbody th a").first.click()
    photographier(page, "logement")
    menu(page, "Imports")
    photographier(page, "imports")
    menu(page, "Libérations")
    photographier(page, "liberations")
    page.get_by_role("link", name="Déclarer une libération").click()
    references = chercher(page, "06-F")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#faits-du-logement dl").wait_for()
    photographier(page, "declarer", entiere=True)
    semaine(page)
    deposer(page, references)
    menu(page, "Flux")
    photographier(page, "flux-liste")
    page.locator("main tbody a").first.click()
    photographier(page, "flux")
    photographier(page, "flux-entier", entiere=True)
    menu(page, "Bilans")
    photographier(page, "bilans")
    page.locator("main tbody a").first.click()
    photographier(page, "bilan")
    menu(page, "Banc d’essai")
    page.locator("main tbody th a").first.click()
    photographier(page, "banc-essai", entiere=True)


def chercher(page: Page, texte: str) -> list[str]:
    """Type in the field of the dwelling; the references that answer."""
    page.wait_for_load_state("networkidle")
    page.get_by_role("combobox", name="Logement").focus()
    page.keyboard.type(texte)
    propositions = page.get_by_role("listbox").get_by_role("option")
    propositions.first.wait_for()
    page.wait_for_load_state("networkidle")
    return [option.get_attribute("data-valeur") for option in propositions.all()]


def semaine(page: Page) -> None:
    """From a freed dwelling to its lease."""
    for etape, nom in (
        ("etape=a_orienter", "orientation"),
        ("etape=candidats", "candidats"),
        ("etape=a_offrir", "offre"),
        ("suite=bail", "histoire"),
    ):
        page.goto(f"/liberations/?{etape}")
        page.locator("main table tbody th a").first.click()
        photographier(page, nom, entiere=True)
    menu(page, "Orientations")
    page.locator("main table tbody a").first.click()
    photographier(page, "orientations")
    menu(page, "CALEOL")
    photographier(page, "commissions")
    page.get_by_role("row", name="convoquée").last.get_by_role("link").first.click()
    photographier(page, "commission", entiere=True)
    menu(page, "CALEOL")
    page.get_by_role("row", name="en préparation").first.get_by_role("link").first.click()
    commission = page.url
    page.goto(f"{commission}ordre-du-jour/")
    photographier(page, "ordre-du-jour")
    page.goto(f"{commission}convoquer/")
    photographier(page, "convoquer")
    suites(page)


def suites(page: Page) -> None:
    """A silence serves the next rank; the act is taken back, and the demonstration is as it was."""
    page.goto("/liberations/?etape=retard")
    page.locator("main table tbody th a").first.click()
    page.get_by_role("button", name="Constater le silence").click()
    page.get_by_text("est servie").wait_for()
    photographier(page, "cascade", entiere=True)
    page.locator("summary", has_text="Revenir sur le dernier acte").click()
    page.get_by_label("Motif").last.select_option(index=1)
    page.get_by_role("button", name="Revenir en arrière").click()
    page.get_by_text("Repris").first.wait_for()


def deposer(page: Page, references: list[str]) -> None:
    """A spreadsheet with what goes wrong in one; it is given up after the photograph."""
    menu(page, "Dépôts de tableaux")
    page.get_by_role("link", name="Déposer un tableau").first.click()
    lignes = [
        "Suivi des logements;;;;",
        "Réf. logement;Date libération;Congé reçu le;Hors flux;N° opération",
        f"{references[0]};02/11/2026;14/08/2026;;",
        f"{references[1]};30/02/2026;;;",
        f"{references[2]};5 novembre 2026;;mutation interne;MUT-26-118",
        f"{references[3]};06/11/2026;;RU;",
        "HDA-9052;09/11/2026;;;",
        f"{references[4]};03/06/2019;;;",
    ]
    octets = "\r\n".join(lignes).encode("cp1252")
    page.get_by_label("Tableau", exact=False).first.set_input_files(
        {"name": "suivi de novembre.csv", "mimeType": "text/csv", "buffer": octets}
    )
    page.get_by_role("button", name="Déposer et lire le tableau").click()
    page.get_by_role("heading", name="Rapport de dépôt").wait_for(timeout=60_000)
    photographier(page, "depot", entiere=True)
    page.get_by_role("button", name="Abandonner ce dépôt").click()
    page.get_by_text("Ce dépôt a été abandonné").wait_for()


def reservataire(page: Page) -> None:
    """A dwelling to fill, on the side of Action Logement."""
    entrer(page, "action-logement@demo.example")
    page.goto("/logements-a-pourvoir/")
    page.locator("main table tbody a").first.click()
    photographier(page, "a-pourvoir", entiere=True)


def ddets(page: Page) -> None:
    entrer(page, "ddets06@demo.example")
    photographier(page, "accueil-ddets")
    menu(page, "Rapprochements")
    photographier(page, "rapprochements")
    page.locator("main tbody th a").first.click()
    photographier(page, "rapprochement", entiere=True)
    page.locator(".ecarts tbody th a").first.click()
    photographier(page, "rapprochement-ligne", entiere=True)
    menu(page, "Conventions")
    photographier(page, "conventions")
    page.locator("main tbody a").first.click()
    photographier(page, "convention", entiere=True)
    priorites(page)


def priorites(page: Page) -> None:
    """The indicators, and the households that fit a dwelling oriented to the État."""
    menu(page, "Indicateurs")
    photographier(page, "indicateurs", entiere=True)
    page.goto("/logements-a-pourvoir/")
    logements = page.locator("main table tbody a")
    if logements.count():  # none waits on some days of the demonstration: the image there is stays
        logements.first.click()
        page.get_by_role("link", name="Voir les candidats possibles").click()
        photographier(page, "candidats-possibles")


def fevrier(page: Page) -> None:
    """What February asks of the DDETS: the procedures, their letters, the control files."""
    entrer(page, "ddets06@demo.example")
    page.goto("/procedures/")
    page.get_by_role("row", name="deux mois courent").get_by_role("link").first.click()
    photographier(page, "procedure")
    page.locator("#lettres + ul a").first.click()
    photographier(page, "lettre", entiere=True)
    page.goto("/lettres/dossiers/")
    pret = page.locator("main th a[href$='.zip']")
    if not pret.count():
        page.get_by_role("button", name="Préparer").first.click()
    for _ in range(30):
        if pret.count():
            break
        page.wait_for_timeout(2_000)
        page.reload()
    photographier(page, "dossiers")


def bilan_de_l_annee(page: Page) -> None:
    """The same, on the side of the bailleur: its campaign, and the life of its bilan."""
    entrer(page, "signataire@demo.example")
    page.goto("/campagnes/")
    page.locator("main tbody a").nth(1).click()
    photographier(page, "campagne")
    page.goto("/bilans/")
    page.get_by_role("row", name="complément demandé").get_by_role("link").first.click()
    page.get_by_role("link", name="Suivi").first.click()
    photographier(page, "suivi")


def labels(page: Page) -> None:
    entrer(page, "ddets06@demo.example")
    menu(page, "Labels")
    page.locator("main table tbody th a").first.click()
    photographier(page, "label", entiere=True)
    for adresse, nom in (
        ("/labels/propositions/", "labels-propositions"),
        ("/labels/comed/", "labels-comed"),
        ("/labels/priorites/06/", "labels-priorites"),
        ("/agents-de-l-etat/", "agents"),
    ):
        page.goto(adresse)
        photographier(page, nom)


def proposer(page: Page) -> None:
    entrer(page, "gestionnaire@demo.example")
    page.goto("/labels/saisir/")
    photographier(page, "label-proposer")


def telephone(page: Page) -> None:
    entrer(page, "gestionnaire@demo.example")
    photographier(page, "accueil-telephone")


def principal(adresse: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
        )
        suites = (
            (bailleur, LARGE),
            (reservataire, LARGE),
            (ddets, LARGE),
            (fevrier, LARGE),
            (bilan_de_l_annee, LARGE),
            (labels, LARGE),
            (proposer, LARGE),
            (telephone, ETROIT),
        )
        for suite, ecran in suites:
            contexte = chromium.new_context(
                base_url=adresse, viewport=ecran, locale="fr-FR", timezone_id="Europe/Paris"
            )
            suite(contexte.new_page())
            contexte.close()
        chromium.close()


if __name__ == "__main__":
    principal(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
