"""The second factor and ProConnect in the real Chromium: keys by its virtual authenticator, pages by axe."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator

from tests.comptes.gestes import code_de
from tests.pages_vues import sans_violation
from tests.personnages import MOT_DE_PASSE, distribuer

pytestmark = [
    pytest.mark.navigateur,
    pytest.mark.xdist_group("navigateur"),
    pytest.mark.django_db(transaction=True),
]
SIGNATAIRE = "signature@a.example"
LARGEURS = (390, 1280)


@pytest.fixture
def cast(transactional_db):
    return distribuer()


def entrer(page, courriel: str) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse électronique").fill(courriel)
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.endswith("/connexion/"))


def confirmer(page) -> None:
    page.get_by_label("Mot de passe").fill(MOT_DE_PASSE)
    page.get_by_role("button", name="Confirmer").click()


def sans_defaut(page) -> None:
    """At both widths, the wide one last: nothing that axe can see, and nothing wider than the screen."""
    for largeur in LARGEURS:
        page.set_viewport_size({"width": largeur, "height": 900})
        sans_violation(page)
        depassement = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert depassement <= 0, (page.url, largeur, depassement)


def code_frais(secret: str) -> str:
    """A code that lives long enough to be typed, and that has not served: that of the period which begins."""
    time.sleep(30.5 - time.time() % 30)
    return code_de(secret)


@pytest.fixture
def cle_virtuelle(page):
    """A device that holds passkeys and recognises its owner, as the development tools of Chromium imitate it."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    identifiant = cdp.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )["authenticatorId"]

    def reconnaitre(oui: bool) -> None:
        cdp.send("WebAuthn.setUserVerified", {"authenticatorId": identifiant, "isUserVerified": oui})

    return reconnaitre


def test_an_application_then_its_code_then_a_recovery_code(page, cast, exiger):
    entrer(page, SIGNATAIRE)
    assert page.url.endswith("/compte/second-facteur/")
    sans_defaut(page)
    page.get_by_role("link", name="Ajouter une application").click()
    sans_defaut(page)
    confirmer(page)
    carre = page.get_by_role("img", name="Carré à photographier")
    assert carre.evaluate("image => image.complete && image.naturalWidth > 0"), "la CSP laisse voir le carré"
    sans_defaut(page)
    secret = page.locator(".cle-a-saisir").inner_text()
    page.get_by_label("Code affiché par l’application").fill("000000")
    page.get_by_role("button", name="Activer").click()
    assert "n’est pas le bon" in page.locator("main").inner_text()
    sans_defaut(page)
    page.get_by_label("Code affiché par l’application").fill(code_de(secret))
    page.get_by_role("button", name="Activer").click()
    page.get_by_role("heading", name="Codes de secours").wait_for()
    sans_defaut(page)
    codes = page.locator(".codes-de-secours code").all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_role("link", name="C’est noté").click()
    sans_defaut(page)

    page.get_by_role("button", name="Se déconnecter").click()
    entrer(page, SIGNATAIRE)
    assert page.url.endswith("/connexion/second-facteur/")
    sans_defaut(page)
    page.get_by_label("Code").fill(code_frais(secret))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Où en est").wait_for()

    page.get_by_role("button", name="Se déconnecter").click()
    entrer(page, SIGNATAIRE)
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Où en est").wait_for()

    page.get_by_role("button", name="Se déconnecter").click()
    entrer(page, SIGNATAIRE)
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    page.get_by_text("a déjà servi").first.wait_for()
    assert page.url.endswith("/connexion/second-facteur/")


def test_a_passkey_as_second_factor_then_alone(page, cast, exiger, cle_virtuelle):
    entrer(page, SIGNATAIRE)
    page.get_by_role("link", name="Ajouter une clé d’accès").click()
    confirmer(page)
    page.get_by_label("Nom de la clé").fill("Poste du bureau")
    page.get_by_text("Me connecter avec cette clé seule").click()
    sans_defaut(page)
    page.get_by_role("button", name="Ajouter la clé").click()
    page.get_by_role("heading", name="Codes de secours").wait_for()
    assert Authenticator.objects.get(type="webauthn").user == cast.signataire_a
    page.goto("/compte/second-facteur/")
    assert "Poste du bureau" in page.locator("main").inner_text()
    sans_defaut(page)
    page.goto("/compte/second-facteur/cles/")
    sans_defaut(page)

    # After the password.
    page.get_by_role("button", name="Se déconnecter").click()
    entrer(page, SIGNATAIRE)
    sans_defaut(page)
    page.get_by_role("button", name="Utiliser ma clé d’accès").click()
    page.get_by_role("heading", name="Où en est").wait_for()

    # Instead of the password; the device that does not recognise its owner gives nothing.
    page.get_by_role("button", name="Se déconnecter").click()
    cle_virtuelle(False)
    page.get_by_role("button", name="Utiliser une clé d’accès").click()
    page.get_by_text("La clé d’accès n’a pas répondu").wait_for()
    assert page.url.endswith("/connexion/")
    cle_virtuelle(True)
    page.get_by_role("button", name="Utiliser une clé d’accès").click()
    page.get_by_role("heading", name="Où en est").wait_for()

    # To say again who one is.
    page.goto("/compte/second-facteur/codes/")
    page.get_by_role("link", name="Avec une clé d’accès").click()
    sans_defaut(page)
    page.get_by_role("button", name="Utiliser ma clé d’accès").click()
    page.get_by_role("heading", name="Codes de secours").wait_for()
    cle = Authenticator.objects.get(type="webauthn").pk
    for adresse in (f"cles/{cle}/renommer/", f"cles/{cle}/retirer/", "codes/refaire/"):
        page.goto(f"/compte/second-facteur/{adresse}")
        sans_defaut(page)


def test_proconnect_there_and_back(page, cast, proconnect):
    proconnect.regler(page=True)
    page.goto("/connexion/")
    sans_defaut(page)
    page.get_by_role("button", name="S’identifier avec ProConnect").click()
    page.get_by_role("heading", name="Fournisseur d’essai").wait_for()
    assert page.url.startswith(proconnect.adresse)
    page.get_by_role("link", name="Continuer").click()
    page.get_by_role("heading", name="Votre compte n’a pas encore d’accès").wait_for()
    assert cast.bailleur_a.nom in page.locator("main").inner_text()
    sans_defaut(page)
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url(re.compile(r"/connexion/\?state="))
    assert proconnect.journal("/sortie"), "la session du fournisseur aussi est fermée"
    page.goto("/compte/")
    assert "/connexion/" in page.url


def test_refusals_are_accessible_too(page, cast, proconnect):
    """A wrong password, a spoilt answer of the provider, too many attempts."""
    page.goto("/connexion/")
    page.get_by_label("Adresse électronique").fill("gestion@a.example")
    page.get_by_label("Mot de passe").fill("faux")
    page.keyboard.press("Enter")
    page.get_by_text("inconnu").first.wait_for()
    sans_defaut(page)
    proconnect.regler(autre_nonce=True)
    page.get_by_role("button", name="S’identifier avec ProConnect").click()
    page.get_by_role("heading", name="ProConnect n’a pas pu vous identifier").wait_for()
    sans_defaut(page)
    for _ in range(6):
        page.goto("/compte/mot-de-passe/oublie/")
        page.get_by_label("Adresse électronique").fill("gestion@a.example")
        page.keyboard.press("Enter")
        page.wait_for_load_state("networkidle")
    assert "Trop d’essais à la suite" in page.locator("main").inner_text()
    sans_defaut(page)
    page.erreurs[:] = [erreur for erreur in page.erreurs if "401" not in erreur and "429" not in erreur]
