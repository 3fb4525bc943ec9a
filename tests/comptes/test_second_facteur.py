"""Two factors: whom they bind, what stays open meanwhile, and that a second factor is really asked for."""

import json
from datetime import date

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as reglages
from django.core.management import CommandError, call_command
from django.test import Client

from config.comptes.adaptateurs import TROP_D_ESSAIS
from config.comptes.middleware import PHRASE
from reservation.acteur import Role
from reservation.models import Rattachement
from tests.comptes.gestes import activer_application, code_de, confirmer, dans, entrer, facteurs
from tests.personnages import MOT_DE_PASSE

pytestmark = pytest.mark.django_db

SIGNATAIRE = "signature@a.example"
MISE_EN_PLACE = "/compte/second-facteur/"
TENUS = ("signataire_a", "administrateur_a", "agent_ddets_06", "lecteur_ddets_06", "agent_ddets_22")
LIBRES = (
    "gestionnaire_a",
    "lecteur_a",
    "agent_sgc_06",
    "charge_als",
    "agent_cannes",
    "agent_caf",
    "charge_dreal",
    "charge_union",
    "operateur",
    "sans_organisation",
)


def connecter(utilisateur) -> Client:
    client = Client()
    client.force_login(utilisateur)
    return client


# --- Whom it binds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nom", TENUS)
def test_exposed_roles_go_nowhere_without_it(cast, exiger, nom):
    client = connecter(cast.gens[nom])
    for adresse in (
        "/",
        "/flux/",
        "/organisations/",
        "/compte/",
        "/compte/sessions/",
        "/compte/mot-de-passe/",
    ):
        reponse = client.get(adresse)
        assert (reponse.status_code, reponse.url) == (302, MISE_EN_PLACE), adresse
    assert client.post("/flux/recalculer/").status_code in (302, 404)
    assert "pour continuer" in client.get(MISE_EN_PLACE).content.decode()


@pytest.mark.parametrize("nom", LIBRES)
def test_other_roles_are_free(cast, exiger, nom):
    assert connecter(cast.gens[nom]).get("/").status_code == 200


def test_support_is_bound(cast, exiger):
    cast.lecteur_a.is_staff = True
    cast.lecteur_a.save()
    assert connecter(cast.lecteur_a).get("/").url == MISE_EN_PLACE


def test_one_exposed_role_in_any_organisation_is_enough(cast, exiger):
    role = Rattachement.objects.create(
        utilisateur=cast.gestionnaire_a, organisation=cast.bailleur_b, role=Role.SIGNATURE
    )
    client = connecter(cast.gestionnaire_a)
    assert client.get("/").url == MISE_EN_PLACE
    role.debut, role.fin = date(2024, 1, 1), date(2024, 12, 31)
    role.save()
    assert client.get("/").status_code == 200, "un rôle échu ne tient plus"


def test_what_is_open_to_all_and_the_set_up_stay_open(cast, exiger):
    client = connecter(cast.signataire_a)
    for adresse in (
        "/aide/",
        "/aide/glossaire/",
        "/accessibilite/",
        "/sante/",
        MISE_EN_PLACE,
        "/compte/confirmer/",
    ):
        assert client.get(adresse).status_code == 200, adresse
    assert client.post("/deconnexion/").url == "/connexion/"


@pytest.mark.parametrize("entetes", [{"HX-Request": "true"}, {"Accept": "application/json"}])
def test_a_fragment_or_a_program_is_told_in_a_sentence(cast, exiger, entetes):
    reponse = connecter(cast.signataire_a).get("/flux/", headers=entetes)
    assert (reponse.status_code, reponse.content.decode()) == (403, PHRASE)


def test_the_demonstration_says_that_it_does_without(cast):
    assert not reglages.SECOND_FACTEUR_OBLIGATOIRE
    page = connecter(cast.signataire_a).get("/")
    assert (
        page.status_code == 200 and "le second facteur n’est pas exigé sur ce site" in page.content.decode()
    )


def test_a_real_site_does_not_say_it(cast, exiger):
    assert "n’est pas exigé" not in connecter(cast.lecteur_a).get("/").content.decode()


# --- Setting it up --------------------------------------------------------------------------------------------


def test_the_password_is_said_again_before(cast):
    client, _ = entrer(SIGNATAIRE)
    for suite in ("application/", "cles/ajouter/"):
        assert client.get(MISE_EN_PLACE + suite).url.startswith("/compte/confirmer/")
    assert client.post("/compte/confirmer/", {"password": "faux"}).status_code == 200
    assert client.get(f"{MISE_EN_PLACE}application/").status_code == 302
    confirmer(client)
    assert client.get(f"{MISE_EN_PLACE}application/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_an_application_opens_the_way(cast, exiger, mailoutbox):
    client, reponse = entrer(SIGNATAIRE)
    assert client.get(reponse.url).url == MISE_EN_PLACE
    activer_application(client)
    assert facteurs(cast.signataire_a) == {"totp", "recovery_codes"}
    assert client.get("/").status_code == 200
    (avis,) = mailoutbox
    assert avis.subject == "[Gestion en flux] Second facteur ajouté" and avis.to == [SIGNATAIRE]
    dit = avis.body.replace(reglages.SITE_URL, "")
    assert "127.0.0.1" not in dit and "Signataire" not in dit


def test_a_wrong_code_sets_nothing_up(cast):
    client, _ = entrer(SIGNATAIRE)
    confirmer(client)
    client.get(f"{MISE_EN_PLACE}application/")
    assert client.post(f"{MISE_EN_PLACE}application/", {"code": "000000"}).status_code == 200
    assert facteurs(cast.signataire_a) == set()


@pytest.mark.django_db(transaction=True)
def test_sessions_of_the_password_alone_are_closed(cast):
    ailleurs, _ = entrer(SIGNATAIRE)
    client, _ = entrer(SIGNATAIRE)
    activer_application(client)
    assert ailleurs.get("/compte/").status_code == 302
    assert client.get("/compte/").status_code == 200


def test_secrets_are_not_readable_in_the_database(cast, settings):
    client, _ = entrer(SIGNATAIRE)
    secret = activer_application(client)
    codes = client.get(f"{MISE_EN_PLACE}codes/").context["unused_codes"]
    ecrit = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in ecrit and not any(code in ecrit for code in codes)
    # The key is replaced: the former one still reads.
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "une-autre-cle" * 5, [settings.SECRET_KEY]
    application = Authenticator.objects.get(user=cast.signataire_a, type="totp")
    assert application.wrap().validate_code(code_de(secret))


@pytest.mark.django_db(transaction=True)
def test_reading_the_recovery_codes_writes_nothing(cast):
    client, _ = entrer(SIGNATAIRE)
    activer_application(client)
    avant = list(Authenticator.objects.order_by("pk").values())
    for chemin in ("codes/", "codes/telecharger/"):
        assert client.get(f"{MISE_EN_PLACE}{chemin}").status_code == 200
    assert list(Authenticator.objects.order_by("pk").values()) == avant


# --- Being asked for it ---------------------------------------------------------------------------------------


@pytest.fixture
def protege(cast, exiger):
    """Somebody with an application, signed out; its secret. The code of the set-up is behind."""
    client, _ = entrer(SIGNATAIRE)
    secret = activer_application(client)
    codes = client.get(f"{MISE_EN_PLACE}codes/").context["unused_codes"]
    with dans(minutes=2):
        yield secret, codes


def test_the_password_alone_opens_nothing(protege):
    client, reponse = entrer(SIGNATAIRE)
    assert reponse.url == "/connexion/second-facteur/"
    for adresse in ("/", "/flux/", "/compte/", MISE_EN_PLACE):
        assert client.get(adresse).url.startswith("/connexion/"), adresse


def test_the_code_of_the_application_completes_the_sign_in(protege):
    secret, _ = protege
    client, _ = entrer(SIGNATAIRE, next="/flux/")
    assert client.post("/connexion/second-facteur/", {"code": "000000"}).status_code == 200
    assert client.post("/connexion/second-facteur/", {"code": code_de(secret)}).url == "/flux/"
    assert client.get("/flux/").status_code == 200


@pytest.mark.parametrize("periodes", [-2, 2])
def test_a_code_of_another_time_is_refused(protege, periodes):
    client, _ = entrer(SIGNATAIRE)
    code = code_de(protege[0], periodes)
    assert client.post("/connexion/second-facteur/", {"code": code}).status_code == 200


def test_a_code_that_was_read_over_the_shoulder_is_refused(protege):
    code = code_de(protege[0])
    entre, _ = entrer(SIGNATAIRE)
    assert entre.post("/connexion/second-facteur/", {"code": code}).status_code == 302
    voleur, _ = entrer(SIGNATAIRE)
    assert voleur.post("/connexion/second-facteur/", {"code": code}).status_code == 200
    assert "_auth_user_id" not in voleur.session


def test_a_recovery_code_serves_once(protege):
    _, codes = protege
    assert len(codes) == 10
    premier, _ = entrer(SIGNATAIRE)
    assert premier.post("/connexion/second-facteur/", {"code": codes[0]}).url == "/"
    second, _ = entrer(SIGNATAIRE)
    assert second.post("/connexion/second-facteur/", {"code": codes[0]}).status_code == 200
    assert second.post("/connexion/second-facteur/", {"code": codes[1]}).url == "/"


def test_codes_are_not_tried_for_ever(protege):
    client, _ = entrer(SIGNATAIRE)
    for _ in range(5):
        client.post("/connexion/second-facteur/", {"code": "000000"})
    reponse = client.post("/connexion/second-facteur/", {"code": code_de(protege[0])})
    assert TROP_D_ESSAIS in reponse.content.decode()
    autre, _ = entrer(SIGNATAIRE)
    assert TROP_D_ESSAIS in autre.post("/connexion/second-facteur/", {"code": "000000"}).content.decode()


def test_a_new_password_does_not_do_without(protege, mailoutbox):
    Client().post("/compte/mot-de-passe/oublie/", {"email": SIGNATAIRE})
    adresse = next(mot for mot in mailoutbox[-1].body.split() if "/nouveau/" in mot)
    client = Client()
    suite = client.get("/" + adresse.split("/", 3)[3]).url
    nouveau = "un-autre-mot-de-passe-2026"
    client.post(suite, {"password1": nouveau, "password2": nouveau})
    assert entrer(SIGNATAIRE, nouveau)[1].url == "/connexion/second-facteur/"


# --- Taking it away -------------------------------------------------------------------------------------------


def cle(utilisateur, nom: str) -> Authenticator:
    """A key as the database holds it; the ceremony itself is played in the browser."""
    return Authenticator.objects.create(
        user=utilisateur, type="webauthn", data={"name": nom, "credential": {"clientExtensionResults": {}}}
    )


def test_the_last_one_stays_where_it_is_required(cast, exiger):
    client, _ = entrer(SIGNATAIRE)
    activer_application(client)
    page = client.post(f"{MISE_EN_PLACE}application/retirer/")
    assert "Votre rôle exige un second facteur" in page.content.decode()
    assert "totp" in facteurs(cast.signataire_a)
    ajoutee = cle(cast.signataire_a, "Clé du bureau")
    assert client.post(f"{MISE_EN_PLACE}application/retirer/").status_code == 302
    assert facteurs(cast.signataire_a) == {"webauthn", "recovery_codes"}
    client.post(f"{MISE_EN_PLACE}cles/{ajoutee.pk}/retirer/")
    assert "webauthn" in facteurs(cast.signataire_a)


def test_it_goes_where_it_is_not_required(cast, exiger):
    client, _ = entrer("gestion@a.example")
    activer_application(client)
    assert client.post(f"{MISE_EN_PLACE}application/retirer/").status_code == 302
    assert facteurs(cast.gestionnaire_a) == set(), "les codes de secours partent avec le dernier"
    ajoutee = cle(cast.gestionnaire_a, "Clé du bureau")
    assert client.post(f"{MISE_EN_PLACE}cles/{ajoutee.pk}/retirer/").status_code == 302
    assert facteurs(cast.gestionnaire_a) == set()


def test_somebody_else_s_key_does_not_exist(cast):
    etrangere = cle(cast.gestionnaire_b, "Clé de B")
    client, _ = entrer("gestion@a.example")
    confirmer(client)
    for acte in ("renommer", "retirer"):
        adresse = f"{MISE_EN_PLACE}cles/{etrangere.pk}/{acte}/"
        assert client.get(adresse).status_code == client.post(adresse, {"name": "x"}).status_code == 404
    assert "Clé de B" not in client.get(f"{MISE_EN_PLACE}cles/").content.decode()
    assert facteurs(cast.gestionnaire_b) == {"webauthn"}


def test_new_recovery_codes_replace_the_former(cast):
    client, _ = entrer(SIGNATAIRE)
    activer_application(client)
    anciens = client.get(f"{MISE_EN_PLACE}codes/").context["unused_codes"]
    client.post(f"{MISE_EN_PLACE}codes/refaire/")
    nouveaux = client.get(f"{MISE_EN_PLACE}codes/").context["unused_codes"]
    assert not set(anciens) & set(nouveaux)
    fichier = client.get(f"{MISE_EN_PLACE}codes/telecharger/")
    assert fichier["Content-Disposition"] == 'attachment; filename="codes-de-secours.txt"'
    assert all(code in fichier.content.decode() for code in nouveaux)
    assert "no-store" in fichier["Cache-Control"]


def test_codes_are_shown_to_who_says_the_password_again(cast):
    client, _ = entrer(SIGNATAIRE)
    activer_application(client)
    with dans(minutes=16):
        assert client.get(f"{MISE_EN_PLACE}codes/").url.startswith("/compte/confirmer/")
        assert client.post("/compte/confirmer/", {"password": MOT_DE_PASSE}).status_code == 302
        assert client.get(f"{MISE_EN_PLACE}codes/").status_code == 200


# --- Lost -----------------------------------------------------------------------------------------------------


def test_support_removes_the_factors_of_who_lost_them(cast, capsys):
    client, _ = entrer(SIGNATAIRE)
    activer_application(client)
    call_command("retirer_facteurs", "Signature@a.example")
    assert "rien n’est fait" in capsys.readouterr().out
    assert facteurs(cast.signataire_a) and client.get("/compte/").status_code == 200
    call_command("retirer_facteurs", "Signature@a.example", "--confirmer")
    assert not facteurs(cast.signataire_a) and client.get("/compte/").status_code == 302
    with pytest.raises(CommandError, match="Aucun compte"):
        call_command("retirer_facteurs", "personne@a.example")
