"""Webhooks from the act to the message: written with the act, told to who may see, signed, tried again, suspended."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from flux.models import Attribution, Liberation
from reservation.acteur import Acteur
from reservation.models import (
    AbonnementWebhook,
    Annonce,
    Courriel,
    EvenementAcces,
    LivraisonWebhook,
    Organisation,
)
from reservation.perimetre import agir
from reservation.regles import webhooks as regles
from reservation.regles.webhooks import SUJETS
from reservation.services import envoi_http, webhooks
from tests.acces.decor import ANNEE

pytestmark = pytest.mark.django_db
SYSTEME = Acteur.du_systeme("essai des webhooks")
Etat = LivraisonWebhook.Etat


@pytest.fixture(autouse=True)
def _rien_de_plus_ancien(decor):
    """What the decor told, and who was told, is of no interest here."""
    Annonce.objects.all().delete()
    AbonnementWebhook.objects.update(suspendu_le=timezone.now(), suspendu_pour="décor")


@pytest.fixture
def recepteur(settings):
    """A software that listens on this machine: `recepteur.statuts` to answer, `recepteur.recus` received."""
    settings.WEBHOOKS_RESEAU_INTERNE = True

    class Reception(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            corps = self.rfile.read(int(self.headers["Content-Length"]))
            serveur.recus.append((self.path, dict(self.headers), corps))
            statut = serveur.statuts.pop(0) if serveur.statuts else 204
            self.send_response(statut)
            if statut == 302:
                self.send_header("Location", f"{serveur.url}ailleurs")
            self.end_headers()

        def log_message(self, *_):
            """Silent."""

    serveur = http.server.HTTPServer(("127.0.0.1", 0), Reception)
    serveur.recus, serveur.statuts = [], []
    serveur.url = f"http://127.0.0.1:{serveur.server_port}/"
    fil = threading.Thread(target=serveur.serve_forever, daemon=True)
    fil.start()
    yield serveur
    serveur.shutdown()
    serveur.server_close()
    fil.join()


def abonner(organisation: Organisation, url: str = "https://logiciel.example/recu", sujets=tuple(SUJETS)):
    return webhooks.abonner(
        Acteur.du_systeme("essai"), organisation, nom=f"logiciel de {organisation}", url=url, sujets=sujets
    )


def messages(abonnement: AbonnementWebhook) -> dict[str, list[int]]:
    return dict(LivraisonWebhook.objects.filter(abonnement=abonnement).values_list("type", "identifiants"))


def test_an_act_is_told_to_who_sees_it_and_to_nobody_else(a, decor):
    cast = decor.cast
    du_bailleur, de_l_autre = abonner(cast.bailleur_a), abonner(cast.bailleur_b)
    d_als, de_la_ddets, de_cannes = abonner(cast.als), abonner(cast.ddets_06), abonner(cast.commune_cannes)
    limite = abonner(cast.bailleur_a, sujets=["bail"])

    libre = a.post("liberations/", {"reference": "A-2", "date": f"{ANNEE}-05-04"}).json()["id"]
    assert webhooks.diffuser() == 2
    assert messages(du_bailleur) == messages(de_la_ddets) == {"liberation.creation": [libre]}
    assert messages(d_als) == messages(de_l_autre) == messages(limite) == messages(de_cannes) == {}
    assert not Annonce.objects.exists() and webhooks.diffuser() == 0

    a.post(
        f"liberations/{libre}/orientation/",
        {"reservataire": cast.als.pk, "date": f"{ANNEE}-05-06", "motif": "O_ACCORD"},
    )
    webhooks.diffuser()
    assert messages(d_als) == {"liberation.modification": [libre], "orientation.creation": [libre]}

    faite = a.post(
        f"liberations/{libre}/attribution/",
        {"numero_unique": "0061125DEMO0000042", "date_caleol": f"{ANNEE}-05-20"},
    ).json()["id"]
    a.post(f"attributions/{faite}/bail/", {"date": f"{ANNEE}-06-02"})
    webhooks.diffuser()
    for lecteur in (d_als, du_bailleur, de_la_ddets):
        assert messages(lecteur)["attribution.creation"] == [faite] == messages(lecteur)["bail.creation"]
    assert messages(limite) == {"bail.creation": [faite]}
    assert messages(de_l_autre) == messages(de_cannes) == {}

    LivraisonWebhook.objects.filter(abonnement=limite).delete()
    Attribution.objects.filter(pk=faite).update(date_proposition=f"{ANNEE}-05-10")
    webhooks.diffuser()
    assert messages(limite) == {}  # the lease was told


def test_what_is_undone_is_not_told(a, decor):
    abonnement = abonner(decor.cast.bailleur_a)
    with pytest.raises(RuntimeError), transaction.atomic():
        a.post("liberations/", {"reference": "A-2", "date": f"{ANNEE}-05-04"})
        assert Annonce.objects.exists()
        raise RuntimeError
    assert webhooks.diffuser() == 0 and messages(abonnement) == {}


def test_a_lot_costs_the_same_whatever_it_holds(decor, django_assert_max_num_queries):
    abonnement = abonner(decor.cast.bailleur_a, sujets=["liberation"])
    siennes = Liberation.objects.filter(bailleur=decor.cast.bailleur_a)
    siennes.update(adresse="une autre")
    assert Annonce.objects.count() == 1
    with django_assert_max_num_queries(16):
        assert webhooks.diffuser() == 1
    assert messages(abonnement) == {"liberation.modification": sorted(siennes.values_list("pk", flat=True))}
    assert siennes.count() > 1
    assert webhooks._dans([(5, 8), (1, 3), (4, 4), (20, 21)]).deconstruct()[1] == (
        ("pk__range", (1, 8)),
        ("pk__range", (20, 21)),
    )


def test_a_message_is_signed_and_says_nothing_of_anybody(a, decor, recepteur):
    abonnement = abonner(decor.cast.bailleur_a, f"{recepteur.url}recu?x=1")
    libre = a.post("liberations/", {"reference": "A-2", "date": f"{ANNEE}-05-04"}).json()
    webhooks.diffuser()
    livraison = LivraisonWebhook.objects.get(abonnement=abonnement)
    webhooks.remettre(livraison.pk)
    livraison.refresh_from_db()
    assert (livraison.etat, livraison.statut, livraison.essais) == (Etat.REMISE, 204, 1)
    [(chemin, entetes, corps)] = recepteur.recus
    assert chemin == "/recu?x=1"
    assert json.loads(corps) == {
        "type": "liberation.creation",
        "timestamp": livraison.cree_le.isoformat(),
        "data": {"ressource": "liberations", "identifiants": [libre["id"]]},
    }
    cle = base64.b64decode(abonnement.secret.removeprefix("whsec_"))
    signe = f"{entetes['webhook-id']}.{entetes['webhook-timestamp']}.".encode() + corps
    attendue = base64.b64encode(hmac.new(cle, signe, hashlib.sha256).digest()).decode()
    assert entetes["webhook-signature"] == f"v1,{attendue}"
    assert entetes["webhook-id"] == str(livraison.message)
    # Kept nowhere.
    with connection.cursor() as curseur:
        curseur.execute("SELECT t::text FROM reservation_abonnementwebhook AS t")
        lu = "".join(ligne for (ligne,) in curseur.fetchall())
    assert abonnement.secret not in lu and abonnement.cles[0].hex() not in lu
    # Delivered once; sent again on demand, under the same identifier.
    assert webhooks.remettre(livraison.pk) is None
    webhooks.rejouer(SYSTEME, livraison)
    webhooks.remettre(livraison.pk)
    assert [e["webhook-id"] for _, e, _ in recepteur.recus] == [str(livraison.message)] * 2


def test_the_site_changes_its_key_and_the_receivers_keep_their_secret(decor, settings):
    """While the former key is kept, both sign; once it is dropped, each webhook needs another secret."""
    abonnement = abonner(decor.cast.bailleur_a)
    avant = abonnement.secret
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "une clé nouvelle" * 4, [settings.SECRET_KEY]
    assert abonnement.secret != avant
    assert regles.secret_de(abonnement.cles[1]) == avant
    signatures = regles.signer(abonnement.cles, "m", 1, b"{}").split()
    assert regles.signer([base64.b64decode(avant.removeprefix("whsec_"))], "m", 1, b"{}") == signatures[1]
    settings.SECRET_KEY_FALLBACKS = []
    assert len(abonnement.cles) == 1


def test_it_is_tried_again_then_given_up(a, decor, recepteur):
    abonnement = abonner(decor.cast.bailleur_a, recepteur.url)
    livraison = webhooks.essayer(SYSTEME, abonnement)
    recepteur.statuts += [302, 500, 404, 429, 400, 503, 500, 500]
    maintenant = timezone.now()
    for essai in range(1, len(regles.DELAIS) + 2):
        lue = webhooks.remettre(livraison.pk, maintenant)
        assert lue.essais == essai
        assert webhooks.remettre(livraison.pk, maintenant) is None
        maintenant += timedelta(days=2)
    assert lue.etat == Etat.ECHEC and lue.erreur == "Réponse 500"
    assert len(recepteur.recus) == len(regles.DELAIS) + 1  # the redirection led nowhere
    assert {json.loads(corps)["type"] for _, _, corps in recepteur.recus} == {"essai"}
    abonnement.refresh_from_db()
    assert abonnement.echecs_de_suite == 8 and not abonnement.suspendu_le


def test_too_many_failures_suspend_and_tell_the_administrators(a, decor, recepteur):
    abonnement = abonner(decor.cast.bailleur_a, recepteur.url)
    AbonnementWebhook.objects.filter(pk=abonnement.pk).update(
        echecs_de_suite=regles.ECHECS_AVANT_SUSPENSION - 1
    )
    attente = webhooks.essayer(SYSTEME, abonnement)
    recepteur.statuts += [500, 204, 410]
    webhooks.remettre(attente.pk)
    abonnement.refresh_from_db()
    assert abonnement.suspendu_le and "20 essais" in abonnement.suspendu_pour
    [courriel] = Courriel.objects.filter(gabarit="webhook_suspendu")
    assert courriel.destinataire == decor.cast.administrateur_a.courriel
    assert reverse("reservation:webhook", args=[abonnement.pk]) in courriel.corps_texte
    # Nothing leaves, nothing is lost of what waited; then it goes again.
    assert webhooks.remettre(attente.pk, timezone.now() + timedelta(days=1)) is None
    webhooks.reprendre_abonnement(SYSTEME, abonnement)
    assert webhooks.remettre(attente.pk, timezone.now() + timedelta(days=1)).etat == Etat.REMISE
    abonnement.refresh_from_db()
    assert abonnement.echecs_de_suite == 0
    webhooks.remettre(webhooks.essayer(SYSTEME, abonnement).pk)
    abonnement.refresh_from_db()
    assert "410" in abonnement.suspendu_pour
    webhooks.fermer(SYSTEME, abonnement)
    with pytest.raises(ValidationError, match="fermé"):
        webhooks.reprendre_abonnement(SYSTEME, abonnement)


def test_a_worker_that_dies_leaves_a_message_whose_time_comes_again(decor, monkeypatch):
    livraison = webhooks.essayer(SYSTEME, abonner(decor.cast.bailleur_a))
    monkeypatch.setattr(webhooks, "poster", lambda *_: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        webhooks.remettre(livraison.pk)
    assert webhooks.remettre(livraison.pk) is None and webhooks.reprendre() == 0
    assert webhooks.reprendre(timezone.now() + webhooks.BAIL_DE_REMISE) == 1


def test_a_name_that_leads_inside_is_refused_when_it_is_sent(decor, monkeypatch, settings):
    """The name was on the Internet when it was given; it is not any more (DNS rebinding)."""
    abonnement = abonner(decor.cast.bailleur_a, "https://logiciel.example/")
    reponses = [[(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("169.254.169.254", 443))]]
    monkeypatch.setattr(envoi_http.socket, "getaddrinfo", lambda *_, **__: reponses[0])
    monkeypatch.setattr(envoi_http.socket, "create_connection", lambda *_: pytest.fail("connexion ouverte"))
    lue = webhooks.remettre(webhooks.essayer(SYSTEME, abonnement).pk)
    assert lue.statut is None and "pas sur Internet" in lue.erreur
    # One look-up, and the very address that was checked.
    reponses[0] = reponses[0][:1]
    jointes = []
    monkeypatch.setattr(
        envoi_http.socket, "create_connection", lambda adresse, *_: jointes.append(adresse) or _fermee()
    )
    lue = webhooks.remettre(webhooks.essayer(SYSTEME, abonnement).pk)
    assert jointes == [("93.184.216.34", 443)] and "Pas de réponse" in lue.erreur
    for url in ("http://127.0.0.1:8000/", "https://10.0.0.1/", "https://localhost/", "https://[::1]/"):
        with pytest.raises(ValidationError):
            abonner(decor.cast.bailleur_a, url)


def _fermee():
    raise ConnectionRefusedError


def test_only_the_administrators_at_home(decor):
    cast = decor.cast
    donnees = {"nom": "x", "url": "https://a.example/", "sujets": ["bail"]}
    for personne in ("gestionnaire_a", "administrateur_ddets_06", "gestionnaire_b"):
        with pytest.raises(PermissionDenied):
            webhooks.abonner(cast.acteur(personne), cast.bailleur_a, **donnees)
        assert not AbonnementWebhook.objects.visibles_par(cast.acteur(personne)).filter(
            organisation=cast.bailleur_a
        )
        if personne != "gestionnaire_a":  # the database too
            with agir(cast.acteur(personne)):
                assert not AbonnementWebhook.objects.filter(organisation=cast.bailleur_a).exists()
                assert not LivraisonWebhook.objects.filter(organisation=cast.bailleur_a).exists()
    administrateur = cast.acteur("administrateur_a")
    abonnements = [webhooks.abonner(administrateur, cast.bailleur_a, **donnees) for _ in range(9)]
    with pytest.raises(ValidationError, match="10 abonnements"):
        webhooks.abonner(administrateur, cast.bailleur_a, **donnees)
    webhooks.fermer(administrateur, abonnements[0])
    with pytest.raises(ValidationError) as refus:
        webhooks.abonner(administrateur, cast.bailleur_a, nom="x", url="https://a.example/", sujets=["x"])
    assert set(refus.value.message_dict) == {"sujets"}


def test_from_the_page_to_the_journal(decor, client):
    cast = decor.cast
    client.force_login(cast.administrateur_a)
    assert (
        "Webhooks"
        in client.get(reverse("reservation:organisation_acces", args=[cast.bailleur_a.pk])).content.decode()
    )
    adresse = reverse("reservation:webhook_creer", args=[cast.bailleur_a.pk])
    refus = client.post(adresse, {"nom": "x", "url": "http://a.example/", "sujets": ["bail"]})
    assert refus.status_code == 422 and "https://" in refus.content.decode()
    page = client.post(
        adresse, {"nom": "Paie", "url": "https://a.example/w", "sujets": ["bail", "label"]}
    ).content.decode()
    abonnement = AbonnementWebhook.objects.get(nom="Paie")
    assert abonnement.secret in page
    ici = reverse("reservation:webhook", args=[abonnement.pk])
    client.post(f"{ici}essai/")
    page = client.get(ici).content.decode()
    assert "Baux signés" in page and "essai" in page and abonnement.secret not in page
    LivraisonWebhook.objects.filter(abonnement=abonnement).update(etat=Etat.ECHEC, erreur="Réponse 500")
    page = client.get(f"{ici}?etat=ECHEC").content.decode()
    assert "Renvoyer" in page and "Réponse 500" in page
    [livraison] = abonnement.livraisons.all()
    assert client.post(reverse("reservation:livraison_rejouer", args=[livraison.pk])).status_code == 302
    livraison.refresh_from_db()
    assert livraison.etat == Etat.A_REMETTRE
    assert "Paie" in client.get(reverse("reservation:webhooks", args=[cast.bailleur_a.pk])).content.decode()
    # Another secret: shown once, and the former one signs nothing any more.
    ancien = abonnement.secret
    page = client.post(f"{ici}secret/").content.decode()
    abonnement.refresh_from_db()
    assert abonnement.secret in page and abonnement.secret != ancien and ancien not in page
    assert client.get(f"{ici}secret/").status_code == 405
    note = EvenementAcces.objects.filter(organisation=cast.bailleur_a).latest("pk")
    assert (note.detail, note.par_id) == ("webhook Paie", cast.administrateur_a.pk)
    client.post(f"{ici}fermer/")
    livraison.refresh_from_db()
    assert livraison.etat == Etat.ECHEC
    assert "Envoyer un essai" not in client.get(ici).content.decode()


def test_old_messages_are_forgotten(decor):
    abonnement = abonner(decor.cast.bailleur_a)
    vieux, recent = (webhooks.essayer(SYSTEME, abonnement) for _ in range(2))
    LivraisonWebhook.objects.update(etat=Etat.ECHEC, erreur="x")
    LivraisonWebhook.objects.filter(pk=vieux.pk).update(cree_le=timezone.now() - timedelta(days=31))
    assert webhooks.oublier() == 1
    assert LivraisonWebhook.objects.filter(pk=recent.pk).exists()
