"""SQL of the pages, at the scale of the demonstration and of the country: how many queries, how long.

Pages are opened as people do: by account, the lists of the menu then the first object of each list. Time is that
of PostgreSQL seen from the application, median of several visits; rendering is not counted.
"""

import re
import time
from html import unescape

from .enfant import executer
from .mesure import Contexte, Mesure, mediane, nombre_fr

BASES = ("nationale", "demo")
OBJECTIF_MS = 20.0
VISITES = 5
COMPTES = ("gestionnaire", "ddets06", "action-logement", "dreal")
LISTES = ("/", "/parc/", "/imports/", "/conventions/", "/liberations/", "/flux/", "/bilans/")


def mesurer(contexte: Contexte) -> list[Mesure]:
    """One measure per page (milliseconds of SQL at the national scale), and the median growth from demo."""
    national = relever(contexte)
    demo = executer("pages", "relever", contexte, contexte.bases["demo"])
    mesures, croissances = [], []
    for nom, page in national.items():
        petite = demo.get(nom)
        detail = f"{page['requetes']} requêtes"
        if petite and petite["ms"]:
            croissance = page["ms"] / petite["ms"]
            croissances.append(croissance)
            detail += (
                f" ; démonstration : {petite['requetes']} requêtes, {nombre_fr(petite['ms'])} ms ; "
                f"rapport {nombre_fr(croissance)}"
            )
        mesures.append(Mesure(f"page_{nom}_sql_ms", page["libelle"], page["ms"], OBJECTIF_MS, detail, " ms"))
    if croissances:
        mesures.append(
            Mesure(
                "pages_nationale_sur_demo",
                "SQL d’une page, nationale ÷ démonstration (médiane)",
                mediane(croissances),
                detail=f"{len(croissances)} pages, parc 90 fois plus grand",
            )
        )
    return mesures


def relever(contexte: Contexte) -> dict[str, dict]:
    """Name of the page → its label, its number of queries, its milliseconds of SQL."""
    from allauth.mfa.models import Authenticator
    from django.conf import settings
    from django.test import Client

    from reservation.models import Utilisateur

    settings.ALLOWED_HOSTS = ["localhost"]
    releves = {}
    for compte in COMPTES:
        client = Client(SERVER_NAME="localhost")
        personne = Utilisateur.objects.get(courriel=f"{compte}@demo.example")
        # What a real site requires of some of them; looking for it is part of each page.
        Authenticator.objects.get_or_create(
            user=personne, type=Authenticator.Type.TOTP, defaults={"data": {}}
        )
        client.force_login(personne)
        for liste in LISTES:
            adresses = [liste]
            reponse = client.get(liste)
            if reponse.status_code != 200:
                continue
            if objet := premier_objet(reponse.content.decode(), liste):
                adresses.append(objet)
            for rang, adresse in enumerate(adresses):
                nom = f"{(liste.strip('/') or 'accueil')}{'_objet' if rang else ''}_{compte}"
                releves[nom] = _visiter(client, adresse, 1 if contexte.rapide else VISITES) | {
                    "libelle": f"{liste}{'…' if rang else ''}, {compte}"
                }
    return releves


def premier_objet(html: str, liste: str) -> str | None:
    """The first link of a list that leads to one of its objects (a path below, with a number or an identity)."""
    if liste == "/":
        return None
    for adresse in re.findall(r'<a[^>]+href="([^"#]+)"', html):
        chemin = adresse.partition("?")[0]
        if chemin.startswith(liste) and re.search(r"\d", chemin.removeprefix(liste)):
            return unescape(adresse)
    return None


def _visiter(client, adresse: str, visites: int) -> dict:
    """Open a page once to warm it, then `visites` times."""
    from django.db import connection

    durees, requetes = [], []

    def chronometrer(execute, sql, params, many, context):
        debut = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            instants.append(time.perf_counter() - debut)

    client.get(adresse)
    for _ in range(visites):
        instants: list[float] = []
        with connection.execute_wrapper(chronometrer):
            reponse = client.get(adresse)
        if reponse.status_code != 200:
            raise RuntimeError(f"{adresse}: {reponse.status_code}")
        durees.append(1000 * sum(instants))
        requetes.append(len(instants))
    return {"ms": mediane(durees), "requetes": mediane(requetes)}
