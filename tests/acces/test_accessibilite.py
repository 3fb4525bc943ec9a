"""Every page of the access matrix in real Chromium: axe, structure, reflow; the main ones enlarged and by keyboard.

A page is looked at once, as whoever sees the most of it; again only where its markup has something that no page before
had (another persona's buttons, a form sent back with its errors). Colours come from classes: the contrast of a page
all of whose markup was seen before is not measured again.
"""

import pytest
from django.db import transaction
from django.urls import reverse

from tests.acces.examen import LARGE, Vitrine, en_clair, forme
from tests.acces.matrice import ANONYME, MATRICE, Ligne, envoyer

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.navigateur,
    pytest.mark.lent,
    pytest.mark.xdist_group("accessibilite"),
]

# Whoever sees the most, by kind of organisation.
TEMOINS = (
    ("gestionnaire_a", "administrateur_a"),
    ("agent_ddets_06", "administrateur_ddets_06"),
    ("charge_als", "agent_cannes"),
    ("charge_dreal",),
    ("sans_organisation", ANONYME),
)
DEUX_PREMIERS = 2
# Two addresses of the same page, or the same page under another name.
MEME_TITRE = (
    {"account_login", "connexion"},
    {"reservation:mon_organisation", "reservation:organisation_acces"},
    {"reservation:parc", "reservation:parc_detail"},
)
ECHOUE = 422
# The pages that each role opens first, or where it works.
PRINCIPALES = {
    ANONYME: ("connexion",),
    "gestionnaire_a": (
        "accueil",
        "flux:liberations",
        "flux:liberation_creer",
        "flux:liberation",
        "flux:commission_ordre_du_jour",
        "bilans:bilan",
    ),
    "agent_ddets_06": ("accueil", "publics:labels", "bilans:procedure"),
    "charge_als": ("accueil",),
    "agent_cannes": ("flux:liste",),
    "charge_dreal": ("bilans:indicateurs",),
}


def _piece(ligne: Ligne) -> str:
    return ligne.nom.partition(":")[0] if ":" in ligne.nom else "config"


# What the API answers to a program is no page; its documentation is one.
LIGNES = [ligne for ligne in MATRICE if _piece(ligne) != "api" or ligne.nom == "api:documentation"]
PIECES = sorted({_piece(ligne) for ligne in LIGNES})


def _regardees(ligne: Ligne) -> list[str]:
    """The personas to whom the line shows a page: one per kind; two kinds are enough where not everybody may come.

    Of what is sent, the form that comes back with its errors, or else the page that answers.
    """
    code = ECHOUE if ligne.methode != "GET" and ECHOUE in ligne.attendus.values() else 200
    gens = [
        next(p for p in temoins if ligne.attendu(p) == code)
        for temoins in TEMOINS
        if any(ligne.attendu(p) == code for p in temoins)
    ]
    if not gens and code in ligne.attendus.values():  # somebody else alone
        gens = [next(p for p, attendu in ligne.attendus.items() if attendu == code)]
    if ligne.methode != "GET" or _piece(ligne) == "api":
        return gens[:1]
    return gens if ligne.sinon == code else gens[:DEUX_PREMIERS]


def _lire(client, ligne: Ligne, objets) -> tuple[str, str]:
    """Address and markup; empty when the answer is not a whole page. What it wrote is undone."""
    url = reverse(ligne.nom, args=ligne.args_de(objets)) + ligne.requete_de(objets)
    with transaction.atomic():
        reponse = envoyer(client, ligne.methode, url, ligne.donnees_de(objets), ligne.entetes)
        page = not reponse.streaming and "html" in reponse.headers.get("Content-Type", "")
        html = reponse.content.decode() if page else ""
        reponse.close()
        transaction.set_rollback(True)
    return url, html if "<html" in html else ""


@pytest.fixture(scope="module")
def vitrine(navigateur):
    vitrine = Vitrine(navigateur)
    yield vitrine
    vitrine.fermer()


@pytest.fixture(scope="module")
def deja_vu() -> set[str]:
    return set()


@pytest.mark.parametrize("piece", PIECES)
def test_no_page_has_a_violation(decor, en_tant_que, vitrine, deja_vu, piece, capsys):
    fautes, regardees, titres = [], 0, {}
    for ligne in LIGNES:
        if _piece(ligne) != piece:
            continue
        pages = []
        for qui in _regardees(ligne):
            url, html = _lire(en_tant_que(qui), ligne, decor.a)
            if not html:
                break  # a file, a fragment, the answer to a program: for everybody
            pages.append((qui, url, html))
        pages.sort(key=lambda page: -len(page[2]))
        for rang, (qui, url, html) in enumerate(pages):
            neuf = forme(html) - deja_vu
            if not neuf and (rang or ligne.methode != "GET"):
                continue
            deja_vu |= neuf
            regardees += 1
            vitrine.montrer(html, url)
            fautes += [f"{ligne}, {qui} : {faute}" for faute in vitrine.examiner(bool(neuf))]
            if ligne.methode == "GET":
                titres.setdefault(vitrine.page.title(), set()).add(ligne.nom)
    fautes += [
        f"un titre pour plusieurs pages : {titre}, {sorted(noms)}"
        for titre, noms in titres.items()
        if len(noms) > 1 and noms not in MEME_TITRE
    ]
    with capsys.disabled():
        print(f"\nAccessibilité, {piece} : {regardees} pages")
    assert not fautes, en_clair(fautes)


@pytest.mark.parametrize("qui", PRINCIPALES)
def test_the_main_pages_are_used_by_keyboard_and_enlarged(decor, en_tant_que, vitrine, qui):
    fautes = []
    for nom in PRINCIPALES[qui]:
        ligne = next(x for x in MATRICE if x.nom == nom and x.methode == "GET" and x.attendu(qui) == 200)
        url, html = _lire(en_tant_que(qui), ligne, decor.a)
        vitrine.montrer(html, url, LARGE)
        arrets, trouvees = vitrine.parcourir_au_clavier()
        assert arrets[0]["texte"] == "Contenu", nom  # the first stop leads past the header
        vitrine.page.locator(".fr-skiplinks a").first.press("Enter")
        if vitrine.page.evaluate("document.activeElement.id") != "contenu":
            trouvees.append("le lien d’évitement ne mène pas au contenu")
        fautes += [f"{nom} : {faute}" for faute in trouvees + vitrine.lisible()]
    assert not fautes, en_clair(fautes)


FAUTIVE = """<!DOCTYPE html><html lang="fr"><head><title>Sans site</title></head><body><header></header>
<main><button style="outline:none">Z</button><h1>A</h1><h3>B</h3><img src="/static/img/icone.svg"><input name="x" style="width:60rem">
<table><tr><th>C</th></tr></table><p id="a">D</p><p id="a" style="overflow:hidden;width:2rem;white-space:nowrap">Phrase coupée</p>
<a href="#a" tabindex="2" style="outline:none">E</a></main></body></html>"""


def test_the_examiners_see_what_is_wrong(vitrine):
    vitrine.montrer(FAUTIVE, "/", LARGE)
    _, clavier = vitrine.parcourir_au_clavier()
    lues = "\n".join(vitrine.examiner() + clavier + vitrine.coupures())
    for attendu in (
        "axe, heading-order",
        "axe, image-alt",
        "axe, label",
        "titre de page sans sujet",
        "image sans alternative",
        "tableau sans titre",
        "en-tête de tableau sans portée",
        "identifiant en double",
        "ordre de tabulation forcé",
        "déborde à 320 px",
        "focus invisible",
        "texte coupé",
    ):
        assert attendu in lues, attendu
