"""The canary: `CANARI` is in every free text of bailleur B, and in no answer that a stranger to B can obtain.

Every line of the matrix is walked by each persona who may read nothing of B, on their own object, on B's, and on one
that nobody has; then every form and every filter is sent with B's ids. What is searched is what a person gets: the
body, decoded (XLSX, CSV, PDF), the headers, the file name, the cookies (messages), the e-mails sent.
"""

import base64
import io
import re
import zipfile
from urllib.parse import unquote

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse
from pypdf import PdfReader

from bilans.models import Bilan, DocumentBilan
from flux.models import CalculFlux, Liberation
from publics.models import Labellisation, Menage
from reservation.models import Convention, Drapeau, ImportRpls, Logement
from tests.acces.decor import CANARI, Objets
from tests.acces.matrice import ETAT_06, MATRICE, PERSONNAGES, Ligne, envoyer

pytestmark = pytest.mark.django_db

# Who may read something of B: its own people, the State of its département, those who hold an act with B or follow it.
LIT_B = {
    "gestionnaire_b": "ses lignes",
    **dict.fromkeys(ETAT_06, "le département de B"),
    "charge_als": "titulaire d’une convention de B",
    "agent_cannes": "titulaire d’une convention de B",
    "charge_dreal": "COPIL de la région de B",
    "charge_union": "COPIL de la région de B",
}
ETRANGERS = tuple(p for p in PERSONNAGES if p not in LIT_B)
# Whoever has the link of an invitation is the person invited: its secret is what is checked, not who comes.
AVEC_SECRET = {"reservation:invitation"}
INEXISTANT = 2_000_000_000
MARQUES = (CANARI, CANARI.lower(), "canari 7391", "canari-7391")


def lisible(octets: bytes, type_: str) -> str:
    """What a person reads in a file: pages as they are, the text of a PDF, the cells of a workbook."""
    if octets.startswith(b"%PDF"):
        lu = PdfReader(io.BytesIO(octets))
        return "\n".join(page.extract_text() for page in lu.pages) + str(lu.metadata)
    if octets.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            return "\n".join(archive.read(nom).decode("utf-8", "replace") + nom for nom in archive.namelist())
    return octets.decode("utf-8" if "utf-8" in type_.lower() else "latin-1", "replace")


def cookies_en_clair(reponse) -> str:
    """Cookies as they are, and decoded: the messages of a page travel in one."""
    textes = []
    for nom, biscuit in reponse.cookies.items():
        if nom == "csrftoken":  # drawn anew for each answer
            continue
        textes.append(unquote(biscuit.value))
        for morceau in re.findall(r"[\w-]{12,}", biscuit.value):
            try:
                textes.append(
                    base64.urlsafe_b64decode(morceau + "=" * (-len(morceau) % 4)).decode("utf-8", "replace")
                )
            except ValueError:
                continue
    return "\n".join(textes)


def tout_ce_qui_sort(client, methode: str, url: str, donnees=None, entetes=None) -> tuple[int, str]:
    """Status, and everything that leaves; a page that redirects is followed once, for the message that it shows."""
    mail.outbox.clear()
    textes = []
    with transaction.atomic():
        reponse = envoyer(client, methode, url, donnees, entetes)
        statut = reponse.status_code
        for rang in range(2):
            octets = b"".join(reponse.streaming_content) if reponse.streaming else reponse.content
            reponse.close()
            textes.append(lisible(octets, reponse.headers.get("Content-Type", "")))
            textes.append(unquote(str(reponse.headers)) + cookies_en_clair(reponse))
            suite = reponse.headers.get("Location", "")
            if rang or not suite.startswith("/"):
                break
            reponse = client.get(suite)
        textes += [f"{courriel.subject}\n{courriel.body}" for courriel in mail.outbox]
        transaction.set_rollback(True)
    return statut, "\n".join(textes)


def chercher(texte: str, ou: str) -> None:
    for marque in MARQUES:
        if marque in texte:
            debut = texte.index(marque)
            pytest.fail(f"{ou} : …{texte[max(0, debut - 120) : debut + 60]}…")


def adresses(ligne: Ligne, decor) -> list[tuple[str, Objets]]:
    """The line on A's object, on B's, and on nobody's."""
    lieux = []
    for objets in (decor.a, decor.b):
        if objets is decor.b and ligne.nom in AVEC_SECRET:
            continue
        lieux.append((reverse(ligne.nom, args=ligne.args_de(objets)) + ligne.requete_de(objets), objets))
    if ligne.args:
        sien, etranger = ligne.args_de(decor.a), ligne.args_de(decor.b)
        inconnus = [INEXISTANT if a != b else a for a, b in zip(sien, etranger, strict=True)]
        lieux.append((reverse(ligne.nom, args=inconnus), decor.b))
    return lieux


def test_the_canary_is_everywhere_in_b(decor):
    """Else the search below would prove nothing. Every free text of B that the decor can fill holds it."""
    bailleur = decor.b.bailleur
    for modele, champs in {
        ImportRpls: ("nom_fichier",),
        Logement: ("adresse", "programme", "ident_int"),
        Drapeau: ("motif",),
        Convention: ("numero",),
        Liberation: ("adresse", "reference"),
        CalculFlux: ("raison",),
        Bilan: ("appreciation",),
    }.items():
        for champ in champs:
            assert modele.objects.filter(bailleur=bailleur, **{f"{champ}__contains": CANARI}).exists(), (
                modele,
                champ,
            )
    assert DocumentBilan.objects.filter(bailleur=bailleur).exists()
    assert Labellisation.objects.filter(saisie_par=bailleur).exists()
    assert Menage.objects.filter(attributions__bailleur=bailleur, numero_fin=CANARI[-4:]).exists()


def test_its_own_people_meet_the_canary(decor, en_tant_que):
    """The search sees it, in every kind of answer, when it is there."""
    client = en_tant_que("gestionnaire_b")
    vus = set()
    for ligne in MATRICE:
        if ligne.methode != "GET" or not ligne.designe:
            continue
        url = reverse(ligne.nom, args=ligne.args_de(decor.b)) + ligne.requete_de(decor.b)
        statut, texte = tout_ce_qui_sort(client, "GET", url, entetes=ligne.entetes)
        if statut == 200 and any(marque in texte for marque in MARQUES):
            vus.add(ligne.nom)
    assert vus >= {
        "bilans:bilan",
        "bilans:pdf",
        "bilans:xlsx",
        "reservation:import_rpls",
        "reservation:import_rpls_rejets",
        "reservation:logement",
        "reservation:logements_export",
        "reservation:convention",
        "flux:liberation",
        "flux:detail",
        "flux:rapprochement",
        "flux:rapprochement_export",
        "flux:rapprochement_fiche",
    }


@pytest.mark.parametrize("personnage", ETRANGERS)
def test_no_answer_holds_the_canary(decor, en_tant_que, personnage):
    client = en_tant_que(personnage)
    for ligne in MATRICE:
        for url, objets in adresses(ligne, decor):
            _, texte = tout_ce_qui_sort(client, ligne.methode, url, ligne.donnees_de(objets), ligne.entetes)
            chercher(texte.replace(url, "").replace(unquote(url), ""), f"{personnage}, {ligne.methode} {url}")


RECHERCHES = {
    "flux:liberations": ("q", "commune", "bailleur", "reservataire"),
    "flux:liste": ("q", "bailleur", "departement", "commune"),
    "flux:logements_proposes": ("reference",),
    "reservation:logements": ("q", "programme", "adresse"),
    "reservation:conventions": ("q", "bailleur", "reservataire"),
    "reservation:imports": ("q",),
    "bilans:liste": ("q", "bailleur", "departement"),
    "api:liberation-list": ("reference",),
    "api:logement-list": ("reference",),
}


# One of each perimeter: the roles of an organisation change what may be written, not what is found.
CHERCHEURS = ("gestionnaire_a", "agent_ddets_22", "agent_caf", "operateur")


@pytest.mark.parametrize("nom", RECHERCHES)
def test_searches_find_nothing_of_b(decor, en_tant_que, nom):
    """Asked for by its words or by its ids, B is not found: the answer is that of a word that nobody wrote."""
    for personnage in CHERCHEURS:
        client = en_tant_que(personnage)
        for parametre in RECHERCHES[nom]:
            reponses = []
            for valeur in (CANARI, CANARI[:-1] + "0"):
                url = f"{reverse(nom)}?{parametre}={valeur}"
                statut, texte = tout_ce_qui_sort(client, "GET", url)
                reponses.append((statut, _sans_jetons(texte.replace(valeur, "?"))))
            assert reponses[0] == reponses[1], (personnage, parametre)
        ids = "&".join(f"{parametre}={decor.b.bailleur.pk}" for parametre in RECHERCHES[nom])
        for entetes in ({}, {"HX-Request": "true"}):
            _, texte = tout_ce_qui_sort(client, "GET", f"{reverse(nom)}?{ids}", entetes=entetes)
            chercher(texte, f"{personnage}, {nom}?{ids}")


def _sans_jetons(texte: str) -> str:
    """What is drawn anew for each answer: the token of the forms, the number of the request."""
    return re.sub(r"""(csrfmiddlewaretoken" value="|'X-Request-Id': '|"urn:uuid:)[\w-]+""", r"\1", texte)
