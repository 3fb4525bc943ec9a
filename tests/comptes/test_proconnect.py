"""ProConnect, against a provider that runs in a process of its own: the way in, each refusal, the way out."""

import logging
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.test import Client

from tests.comptes.gestes import activer_application, code_de, dans, entrer, entrer_par_proconnect, partir

pytestmark = pytest.mark.django_db

AGENT = "agent@a.example"
Utilisateur = get_user_model()


def est_entre(client: Client) -> bool:
    return "_auth_user_id" in client.session


def personne(**champs) -> dict:
    """Who signs in at the provider."""
    return {
        "sub": "sub-agent",
        "given_name": "Agent",
        "usual_name": "D’Essai",
        "email": AGENT,
        "siret": "00000001700012",
    } | champs


# --- Switched on by the configuration -----------------------------------------------------------------------------


def test_without_configuration_there_is_nothing(cast):
    assert "ProConnect" not in Client().get("/connexion/").content.decode()
    for adresse in ("/connexion/proconnect/", "/connexion/proconnect/retour/?code=x&state=y"):
        assert Client().get(adresse).status_code == Client().post(adresse).status_code == 404


def test_with_it_there_is_a_button_and_a_page_before_leaving(cast, proconnect):
    assert "S’identifier avec ProConnect" in Client().get("/connexion/").content.decode()
    assert "Vous allez quitter ce site" in Client().get("/connexion/proconnect/").content.decode()
    assert not proconnect.journal("/autorisation")


# --- The way in -----------------------------------------------------------------------------------------------


def test_the_departure_says_what_the_protocol_asks(cast, proconnect):
    adresse, demande = partir(Client())
    assert adresse.startswith(f"{proconnect.adresse}/autorisation?")
    assert demande["response_type"] == "code" and demande["code_challenge_method"] == "S256"
    assert sorted(demande["scope"].split()) == ["email", "given_name", "openid", "siret", "usual_name"]
    assert demande["redirect_uri"] == "http://testserver/connexion/proconnect/retour/"
    assert demande["acr_values"] == "eidas1"
    autre = partir(Client())[1]
    for hasard in ("state", "nonce", "code_challenge"):
        assert len(demande[hasard]) >= 16 and demande[hasard] != autre[hasard]


def test_the_visitor_does_not_choose_the_scopes_nor_the_process(cast, proconnect):
    client, _ = entrer("gestion@a.example")
    reponse = client.post(
        "/connexion/proconnect/?process=connect&scope=admin&auth_params=prompt%3Dnone", {"process": "connect"}
    )
    demande = parse_qs(urlsplit(reponse.context["adresse"]).query)
    assert "admin" not in demande["scope"][0] and "prompt" not in demande
    client.get(proconnect.autoriser(reponse.context["adresse"]))
    assert client.session["_auth_user_id"] != str(cast.gestionnaire_a.pk)
    assert not SocialAccount.objects.filter(user=cast.gestionnaire_a).exists()


def test_a_new_agent_has_an_account_and_no_access(cast, proconnect):
    client, reponse = entrer_par_proconnect(proconnect)
    assert reponse.url == "/compte/sans-acces/"
    agent = Utilisateur.objects.get(courriel=AGENT)
    assert (agent.nom, agent.has_usable_password(), agent.rattachements.count()) == (
        "Agent D’Essai",
        False,
        0,
    )
    page = client.get("/compte/sans-acces/").content.decode()
    assert cast.bailleur_a.nom in page and cast.bailleur_b.nom not in page
    assert client.get("/parc/").status_code == 404
    (compte,) = SocialAccount.objects.all()
    assert (compte.uid, compte.extra_data) == ("sub-agent", {"siret": "00000001700012"})


def test_an_unknown_establishment_is_sent_to_the_ddets(cast, proconnect):
    proconnect.regler(personne=personne(siret="99999999900010"))
    client, _ = entrer_par_proconnect(proconnect)
    assert "Aucune organisation d’ici" in client.get("/compte/sans-acces/").content.decode()


def test_a_member_finds_the_account_again_by_the_address_then_by_the_identifier(cast, proconnect):
    proconnect.regler(personne=personne(email="Gestion@a.example"))
    client, reponse = entrer_par_proconnect(proconnect, next="/flux/")
    assert (reponse.url, client.session["_auth_user_id"]) == ("/flux/", str(cast.gestionnaire_a.pk))
    proconnect.regler(personne=personne(email="autre-adresse@a.example"))
    client, _ = entrer_par_proconnect(proconnect)
    assert client.session["_auth_user_id"] == str(cast.gestionnaire_a.pk)
    assert not Utilisateur.objects.filter(courriel="autre-adresse@a.example").exists()


def test_another_identifier_with_a_linked_address_is_another_login_of_the_same_person(cast, proconnect):
    """The address is what the administration gives: who holds it now is the member, whatever the identifier."""
    proconnect.regler(personne=personne(email="gestion@a.example"))
    entrer_par_proconnect(proconnect)
    proconnect.regler(personne=personne(email="gestion@a.example", sub="sub-nouveau"))
    client, _ = entrer_par_proconnect(proconnect)
    assert client.session["_auth_user_id"] == str(cast.gestionnaire_a.pk)
    assert SocialAccount.objects.filter(user=cast.gestionnaire_a).count() == 2


@pytest.mark.parametrize("prouvee", [True, False])
def test_a_password_put_on_an_unproven_address_is_wiped(cast, proconnect, prouvee):
    EmailAddress.objects.create(
        user=cast.gestionnaire_a, email="gestion@a.example", verified=prouvee, primary=True
    )
    proconnect.regler(personne=personne(email="gestion@a.example"))
    assert est_entre(entrer_par_proconnect(proconnect)[0])
    assert est_entre(entrer("gestion@a.example")[0]) == prouvee


def test_a_closed_account_stays_closed(cast, proconnect):
    proconnect.regler(personne=personne(email="ancien@a.example"))
    client, reponse = entrer_par_proconnect(proconnect)
    assert reponse.url == "/compte/ferme/" and not est_entre(client)
    assert "Ce compte est fermé" in client.get(reponse.url).content.decode()


def test_the_second_factor_is_asked_for_all_the_same(cast, proconnect):
    client, _ = entrer("signature@a.example")
    activer_application(client)
    proconnect.regler(personne=personne(email="signature@a.example"))
    client, reponse = entrer_par_proconnect(proconnect)
    assert reponse.url == "/connexion/second-facteur/" and not est_entre(client)


def test_the_token_of_the_sign_out_outlives_the_second_factor(cast, proconnect):
    client, _ = entrer("signature@a.example")
    secret = activer_application(client)
    proconnect.regler(personne=personne(email="signature@a.example"))
    client, _ = entrer_par_proconnect(proconnect, next="/flux/")
    with dans(minutes=2):
        assert client.post("/connexion/second-facteur/", {"code": code_de(secret)}).url == "/flux/"
        assert client.post("/deconnexion/").context["adresse"].startswith(f"{proconnect.adresse}/sortie?")


def test_an_agent_bound_to_a_second_factor_sets_it_up(cast, proconnect, exiger):
    """Without a password there is nothing to say again: ProConnect has just identified the person."""
    proconnect.regler(personne=personne(email="ddets06@etat.example"))
    client, reponse = entrer_par_proconnect(proconnect)
    assert client.get(reponse.url).url == "/compte/second-facteur/"
    assert client.get("/compte/second-facteur/application/").status_code == 200


@pytest.mark.parametrize("suite", ["https://pirate.example/", "//pirate.example/"])
def test_proconnect_leads_nowhere_else(cast, proconnect, suite):
    proconnect.regler(personne=personne(email="gestion@a.example"))
    assert entrer_par_proconnect(proconnect, next=suite)[1].url == "/"


# --- Refusals -------------------------------------------------------------------------------------------------

REFUS = {
    "clé inconnue (id_token)": {"autre_cle": "id_token"},
    "clé inconnue (userinfo)": {"autre_cle": "userinfo"},
    "sans signature (id_token)": {"sans_signature": "id_token"},
    "sans signature (userinfo)": {"sans_signature": "userinfo"},
    "userinfo en clair": {"userinfo_en_clair": True},
    "autre nonce": {"autre_nonce": True},
    "autre public (id_token)": {"autre_public": "id_token"},
    "autre public (userinfo)": {"autre_public": "userinfo"},
    "autre émetteur (id_token)": {"autre_emetteur": "id_token"},
    "autre émetteur (userinfo)": {"autre_emetteur": "userinfo"},
    "expiré (id_token)": {"expire": "id_token"},
    "expiré (userinfo)": {"expire": "userinfo"},
    "userinfo d’un autre": {"autre_personne": True},
    "niveau insuffisant": {"acr": "eidas0"},
    "sans adresse": {"personne": personne(email="")},
    "adresse non vérifiée": {"personne": personne(email_verified=False)},
}


@pytest.mark.parametrize("reglage", REFUS)
def test_a_spoilt_answer_is_refused(cast, proconnect, caplog, reglage):
    """As a member and as nobody: no session, no account, and a log that names no person and holds no token."""
    for courriel in ("gestion@a.example", AGENT):
        defaut = dict(REFUS[reglage])
        defaut["personne"] = personne(email=courriel) | (
            {k: v for k, v in defaut.get("personne", {}).items() if k == "email_verified" or not v}
        )
        proconnect.regler(**defaut)
        avant = Utilisateur.objects.count()
        with caplog.at_level(logging.DEBUG, "config"):
            client, reponse = entrer_par_proconnect(proconnect)
        assert reponse.status_code == 401
        assert "n’a pas pu vous identifier" in reponse.content.decode()
        assert not est_entre(client) and Utilisateur.objects.count() == avant
        assert not SocialAccount.objects.exists()
    dit = [message for nom, _, message in caplog.record_tuples if nom.startswith("config.")]
    assert dit and not any("@" in message or "eyJ" in message for message in dit)


def test_the_same_provider_unspoilt_lets_in(cast, proconnect):
    """What the refusals above refuse is the defect, not the provider."""
    assert est_entre(entrer_par_proconnect(proconnect)[0])


def test_a_state_of_somebody_else_or_used_already_is_refused(cast, proconnect):
    client = Client()
    retour = proconnect.autoriser(partir(client)[0])
    assert Client().get(retour).status_code == 401, "un autre navigateur"
    assert client.get(retour.replace("state=", "state=x")).status_code == 401
    assert client.get(retour).status_code == 302
    assert Client().get(retour).status_code == client.get(retour).status_code == 401


def test_a_code_of_another_departure_is_refused(cast, proconnect):
    """PKCE: a code that was caught does not serve in another browser."""
    vole = parse_qs(urlsplit(proconnect.autoriser(partir(Client())[0])).query)["code"][0]
    client = Client()
    etat = partir(client)[1]["state"]
    reponse = client.get("/connexion/proconnect/retour/", {"code": vole, "state": etat})
    assert reponse.status_code == 401 and not est_entre(client)


def test_giving_up_at_the_provider(cast, proconnect):
    proconnect.regler(refus=True)
    client, reponse = entrer_par_proconnect(proconnect)
    assert reponse.url == "/connexion/proconnect/annulee/"
    assert "Vous avez abandonné" in client.get(reponse.url).content.decode()


def test_a_provider_that_does_not_answer(cast, proconnect, settings):
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:9/.well-known/openid-configuration"
    reponse = Client().post("/connexion/proconnect/")
    assert reponse.status_code == 401 and "n’a pas pu" in reponse.content.decode()


# --- The way out ----------------------------------------------------------------------------------------------


def test_signing_out_goes_through_the_provider(cast, proconnect):
    client, _ = entrer_par_proconnect(proconnect)
    jeton = client.session["proconnect_id_token"]
    reponse = client.post("/deconnexion/")
    adresse = urlsplit(reponse.context["adresse"])
    demande = {nom: valeurs[0] for nom, valeurs in parse_qs(adresse.query).items()}
    assert adresse.path == "/sortie" and len(demande["state"]) >= 16
    assert demande["id_token_hint"] == jeton
    assert demande["post_logout_redirect_uri"] == "http://testserver/connexion/"
    assert not est_entre(client) and "proconnect_id_token" not in client.session


def test_signing_out_does_not_wait_for_a_provider_that_is_down(cast, proconnect, settings):
    client, _ = entrer_par_proconnect(proconnect)
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:9/.well-known/openid-configuration"
    assert client.post("/deconnexion/").url == "/connexion/"
    assert not est_entre(client)


def test_who_came_with_a_password_leaves_without_the_provider(cast, proconnect):
    client, _ = entrer("gestion@a.example")
    assert client.post("/deconnexion/").url == "/connexion/"
    assert not proconnect.journal("/sortie")
