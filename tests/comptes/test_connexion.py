"""Sign-in by password: nothing tells which addresses are known, attempts are counted, and one lands here."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.comptes.adaptateurs import INCONNU, TROP_D_ESSAIS
from config.comptes.vues import navigateur_en_clair
from reservation.models import Courriel
from tests.comptes.gestes import dans, entrer
from tests.personnages import MOT_DE_PASSE

pytestmark = pytest.mark.django_db

CONNU, INCONNUE, FERMEE = "gestion@a.example", "absent@a.example", "ancien@a.example"


def sans_jeton(reponse, courriel: str = "@") -> str:
    """The page, without what differs at each showing: the token of the form, the address that was typed."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", reponse.content.decode())
    return page.replace(courriel, "…")


def est_entre(client: Client) -> bool:
    return "_auth_user_id" in client.session


# --- Coming in ------------------------------------------------------------------------------------------------


def test_a_member_comes_in_and_lands_home(cast):
    client, reponse = entrer(CONNU)
    assert (reponse.status_code, reponse.url) == (302, "/")
    assert est_entre(client)
    assert client.session.get_expire_at_browser_close()
    assert client.session.get_expiry_age() <= 12 * 3600


def test_case_of_the_address_does_not_matter(cast):
    assert est_entre(entrer("Gestion@A.example")[0])


def test_somebody_without_organisation_is_told_what_to_do(cast):
    client, reponse = entrer("seul@seul.example")
    assert reponse.url == "/compte/sans-acces/"
    assert "n’a pas encore d’accès" in client.get(reponse.url).content.decode()


def test_support_without_organisation_begins_by_whom_it_helps(cast):
    get_user_model().objects.filter(courriel="seul@seul.example").update(is_staff=True)
    _, reponse = entrer("seul@seul.example")
    assert reponse.url == "/assistance/"


def test_who_has_an_organisation_has_no_business_there(cast):
    client, _ = entrer(CONNU)
    assert client.get("/compte/sans-acces/").url == "/"


@pytest.mark.parametrize(
    ("courriel", "mot_de_passe"), [(CONNU, "faux"), (INCONNUE, MOT_DE_PASSE), (FERMEE, MOT_DE_PASSE)]
)
def test_others_stay_out(cast, courriel, mot_de_passe):
    client, reponse = entrer(courriel, mot_de_passe)
    assert reponse.status_code == 200
    assert INCONNU in reponse.content.decode()
    assert not est_entre(client)


@pytest.mark.parametrize(
    "suite",
    [
        "https://pirate.example/",
        "//pirate.example/",
        "///pirate.example",
        r"/\pirate.example",
        "javascript:alert(1)",
        "http:pirate.example",
        "https://testserver@pirate.example/",
    ],
)
def test_the_page_asked_for_is_one_of_ours(cast, suite):
    for reponse in (
        Client().post("/connexion/", {"login": CONNU, "password": MOT_DE_PASSE, "next": suite}),
        Client().post(f"/connexion/?next={suite}", {"login": CONNU, "password": MOT_DE_PASSE}),
        Client().post("/deconnexion/", {"next": suite}),
    ):
        assert reponse.url in ("/", "/connexion/")


def test_the_page_asked_for_is_given(cast):
    assert entrer(CONNU, next="/flux/")[1].url == "/flux/"


def test_a_visit_does_not_sign_out(cast):
    client, _ = entrer(CONNU)
    assert client.get("/deconnexion/").status_code == 405 and est_entre(client)
    assert client.post("/deconnexion/").url == "/connexion/" and not est_entre(client)


def test_nobody_opens_an_account_alone(cast):
    avant = get_user_model().objects.count()
    page = Client().post(
        "/compte/ouvrir/", {"email": "nouveau@a.example", "password1": "un-mot-de-passe-assez-long"}
    )
    assert "Un compte ne s’ouvre pas seul" in page.content.decode()
    assert get_user_model().objects.count() == avant


# --- Guessing -------------------------------------------------------------------------------------------------


def test_sign_in_answers_the_same_bytes_for_all(cast):
    pages = {
        sans_jeton(entrer(courriel, mot_de_passe)[1], courriel)
        for courriel, mot_de_passe in ((CONNU, "faux"), (INCONNUE, "faux"), (FERMEE, MOT_DE_PASSE))
    }
    assert len(pages) == 1


def test_the_forgotten_password_answers_the_same_bytes_for_all(cast, mailoutbox):
    reponses = [
        Client().post("/compte/mot-de-passe/oublie/", {"email": courriel}, follow=True)
        for courriel in (CONNU, INCONNUE, FERMEE)
    ]
    assert {reponse.redirect_chain[0] for reponse in reponses} == {
        ("/compte/mot-de-passe/oublie/envoye/", 302)
    }
    assert len({sans_jeton(reponse) for reponse in reponses}) == 1
    # One e-mail each, so that the time of sending says nothing either; a link for the open account only.
    assert [courriel.to for courriel in mailoutbox] == [[CONNU], [INCONNUE], [FERMEE]]
    assert ["/compte/mot-de-passe/nouveau/" in courriel.body for courriel in mailoutbox] == [
        True,
        False,
        False,
    ]


def test_a_stranger_pays_for_a_hash_too(cast, monkeypatch):
    """An unknown address takes the time of a known one: a password is hashed in both cases."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    haches = []
    vrai = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda self, *args: haches.append(args) or vrai(self, *args)
    )
    couts = []
    for courriel in (CONNU, INCONNUE):
        haches.clear()
        entrer(courriel, "faux")
        couts.append(len(haches))
    assert couts == [1, 1]


@pytest.mark.parametrize("courriel", [CONNU, INCONNUE])
def test_five_failures_lock_an_account_for_five_minutes(cast, courriel):
    """Whether the account exists or not, or is tried with its right password afterwards."""
    for _ in range(5):
        assert INCONNU in entrer(courriel, "faux")[1].content.decode()
    client, reponse = entrer(courriel)
    assert TROP_D_ESSAIS in reponse.content.decode() and not est_entre(client)
    assert est_entre(entrer("lecture@a.example")[0]), "un autre compte du même bureau"
    with dans(minutes=5.1):
        assert est_entre(entrer(courriel)[0]) == (courriel == CONNU)


def test_one_machine_does_not_try_every_account(cast):
    """Twenty failures in a minute from one address of the network, one per account."""
    for n in range(20):
        entrer(f"personne{n}@a.example", "faux")
    assert TROP_D_ESSAIS in entrer(CONNU)[1].content.decode()


def test_a_header_of_the_visitor_does_not_give_another_address(cast):
    for n in range(20):
        Client(headers={"X-Forwarded-For": f"192.0.2.{n}"}).post(
            "/connexion/", {"login": f"personne{n}@a.example", "password": "faux"}
        )
    assert TROP_D_ESSAIS in entrer(CONNU)[1].content.decode()


@pytest.mark.parametrize(("vu", "entre"), [("198.51.100.7", False), ("198.51.100.8", True)])
def test_behind_the_proxy_the_address_is_the_one_it_saw(cast, settings, vu, entre):
    """What the visitor wrote before it in the header counts for nothing."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for n in range(20):
        Client(headers={"X-Forwarded-For": f"192.0.2.{n}, 198.51.100.7"}).post(
            "/connexion/", {"login": f"personne{n}@a.example", "password": "faux"}
        )
    client, _ = entrer(CONNU, client=Client(headers={"X-Forwarded-For": vu}))
    assert est_entre(client) == entre


def test_too_many_requests_are_answered_by_a_page_of_ours(cast):
    for _ in range(5):
        Client().post("/compte/mot-de-passe/oublie/", {"email": CONNU})
    reponse = Client().post("/compte/mot-de-passe/oublie/", {"email": CONNU})
    assert reponse.status_code == 429
    assert "Trop d’essais à la suite" in reponse.content.decode()


# --- Another password -----------------------------------------------------------------------------------------


def lien(mailoutbox) -> str:
    return re.search(r"https?://[^/]+(/compte/mot-de-passe/nouveau/\S+)", mailoutbox[-1].body).group(1)


def test_a_forgotten_password_is_replaced_once(cast, mailoutbox):
    ouverte, _ = entrer(CONNU)
    client = Client()
    client.post("/compte/mot-de-passe/oublie/", {"email": CONNU})
    adresse = lien(mailoutbox)
    suite = client.get(adresse)
    assert suite.status_code == 302 and "set-password" in suite.url, "la clé quitte l’adresse"
    nouveau = "un-autre-mot-de-passe-2026"
    faite = client.post(suite.url, {"password1": nouveau, "password2": nouveau}, follow=True)
    assert "Votre mot de passe est changé" in faite.content.decode()
    assert not est_entre(client), "le lien ne connecte pas"
    assert ouverte.get("/compte/").status_code == 302, "les autres sessions sont fermées"
    assert not est_entre(entrer(CONNU)[0]) and est_entre(entrer(CONNU, nouveau)[0])
    assert "Ce lien n’est plus valable" in Client().get(adresse).content.decode()
    assert EmailAddress.objects.get(user=cast.gestionnaire_a).verified
    assert mailoutbox[-1].subject == "[Gestion en flux] Votre mot de passe a changé"


def test_reading_the_link_writes_nothing_and_another_address_ends_it(cast, mailoutbox):
    """Programs that check e-mails open links too."""
    Client().post("/compte/mot-de-passe/oublie/", {"email": CONNU})
    adresse = lien(mailoutbox)
    uid = adresse.split("/")[-2].split("-")[0]
    EmailAddress.objects.all().delete()
    with CaptureQueriesContext(connection) as lues:
        for lue in (adresse, f"/compte/mot-de-passe/nouveau/{uid}-abc-def/"):
            Client().get(lue)
    ecrites = [q["sql"] for q in lues if re.match("INSERT|UPDATE|DELETE", q["sql"])]
    assert len(lues) and not [sql for sql in ecrites if "django_session" not in sql]
    cast.gestionnaire_a.courriel = "ailleurs@a.example"
    cast.gestionnaire_a.save()
    assert "Ce lien n’est plus valable" in Client().get(adresse).content.decode()


def test_a_link_lasts_an_hour(cast, mailoutbox):
    Client().post("/compte/mot-de-passe/oublie/", {"email": CONNU})
    adresse = lien(mailoutbox)
    with dans(minutes=61):
        assert "Ce lien n’est plus valable" in Client().get(adresse).content.decode()


def test_every_e_mail_of_the_account_is_a_row_without_its_secret(cast, mailoutbox):
    Client().post("/compte/mot-de-passe/oublie/", {"email": CONNU})
    ecrit = Courriel.objects.get()
    assert (ecrit.gabarit, ecrit.etat) == ("account/email/password_reset_key", "EN_ATTENTE")
    assert Courriel.MARQUE_LIEN in ecrit.corps_texte and Courriel.MARQUE_LIEN in ecrit.corps_html
    cle = lien(mailoutbox)
    ecrit.refresh_from_db()
    assert ecrit.etat == "ENVOYE" and cle not in ecrit.corps_texte + ecrit.corps_html
    [message] = mailoutbox
    assert cle in message.alternatives[0][0] and Courriel.MARQUE_LIEN not in message.body
    # Signed as every e-mail of the site, whatever name the request came by.
    assert message.body.count("Bonjour,") == message.alternatives[0][0].count("Bonjour,") == 1
    assert message.body.endswith(
        f"{settings.SITE_NOM}\n{settings.SITE_URL}\n"
        "Ce message est envoyé automatiquement : ne répondez pas à cette adresse.\n"
    )
    assert "testserver" not in message.body + message.alternatives[0][0]


def test_a_weak_password_is_refused(cast, mailoutbox):
    client = Client()
    client.post("/compte/mot-de-passe/oublie/", {"email": CONNU})
    adresse = client.get(lien(mailoutbox)).url
    for faible in ("court", "1qaz2wsx3edc", "gestion@a.example"):
        assert client.post(adresse, {"password1": faible, "password2": faible}).status_code == 200
    assert est_entre(entrer(CONNU)[0])


def test_a_password_is_changed_with_the_present_one(cast, mailoutbox):
    client, _ = entrer(CONNU)
    autre, _ = entrer(CONNU)
    nouveau = "un-autre-mot-de-passe-2026"
    champs = {"password1": nouveau, "password2": nouveau}
    assert client.post("/compte/mot-de-passe/", {"oldpassword": "faux", **champs}).status_code == 200
    assert client.post("/compte/mot-de-passe/", {"oldpassword": MOT_DE_PASSE, **champs}).url == "/compte/"
    assert est_entre(client) and client.get("/compte/").status_code == 200
    assert autre.get("/compte/").status_code == 302
    corps = mailoutbox[-1].body
    assert "vient d’être changé" in corps
    dit = corps.replace(settings.SITE_URL, "")
    assert "127.0.0.1" not in dit and "Gestionnaire A" not in dit, "rien de plus que nécessaire"


def test_an_address_that_was_replaced_opens_nothing(cast, mailoutbox):
    personne = cast.gestionnaire_a
    Client().post("/compte/mot-de-passe/oublie/", {"email": CONNU})  # allauth notes the address
    personne.courriel = "nouvelle@a.example"
    personne.save()
    assert not est_entre(entrer(CONNU)[0])
    assert est_entre(entrer("nouvelle@a.example")[0])
    Client().post("/compte/mot-de-passe/oublie/", {"email": CONNU})
    assert mailoutbox[-1].subject == "[Gestion en flux] Pas de compte à cette adresse"


# --- Open sessions --------------------------------------------------------------------------------------------


FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Safari/604.1"
)


def test_the_other_sessions_are_seen_and_really_closed(cast):
    ici, _ = entrer(CONNU, client=Client(headers={"User-Agent": FIREFOX}))
    ailleurs, _ = entrer(CONNU, client=Client(headers={"User-Agent": IPHONE}))
    etranger, _ = entrer("gestion@b.example", client=Client(headers={"User-Agent": EDGE}))
    page = ici.get("/compte/sessions/").content.decode()
    assert "Firefox, Windows" in page and "Safari, iPhone" in page and "Edge" not in page
    assert ici.post("/compte/sessions/").status_code == 302
    assert ailleurs.get("/compte/").status_code == 302
    assert ici.get("/compte/").status_code == 200 and etranger.get("/compte/").status_code == 200
    assert "Aucune autre session" in ici.get("/compte/sessions/").content.decode()


def test_one_session_is_closed_alone_and_only_ones_own(cast):
    ici, ailleurs, tablette = (entrer(CONNU)[0] for _ in range(3))
    etranger, _ = entrer("gestion@b.example")
    cles = {
        c: UserSession.objects.get(session_key=c.session.session_key).pk for c in (ici, ailleurs, etranger)
    }
    page = ici.get("/compte/sessions/").content.decode()
    assert f'value="{cles[ailleurs]}"' in page and f'value="{cles[ici]}"' not in page
    for refusee in (cles[etranger], cles[ici], "x", ""):
        assert ici.post("/compte/sessions/", {"session": refusee}).status_code == 302
    assert all(c.get("/compte/").status_code == 200 for c in (ici, ailleurs, tablette, etranger))
    assert ici.post("/compte/sessions/", {"session": cles[ailleurs]}).status_code == 302
    assert ailleurs.get("/compte/").status_code == 302
    assert all(c.get("/compte/").status_code == 200 for c in (ici, tablette, etranger))


@pytest.mark.parametrize(
    ("dit", "attendu"), [(EDGE, "Edge, Windows"), ("<script>", "Non reconnu"), ("curl (Linux)", "Linux")]
)
def test_browsers_are_called_by_their_name(dit, attendu):
    assert navigateur_en_clair(dit) == attendu
