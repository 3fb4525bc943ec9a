"""What makes a production site refuse to start, and that nothing else does."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from config import serveurs, verifications

GOOD_KEY = "x9Kq2LmN7pRt4VwZ1bCd5FgH8jJk3MnP6qSt0UvX-yAz_BcDeFgHiJkLmNoPqRsTuVw"


@pytest.fixture
def environnement(django_db_setup, tmp_path):
    """The variables of a right production site, on the database server of this run."""
    prise = serveurs.base_de_donnees()["HOST"]
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "SECRET_KEY": GOOD_KEY,
        "CLE_NUMERO_UNIQUE": GOOD_KEY[::-1],
        "ALLOWED_HOSTS": "flux.prefecture.test, autre.prefecture.test",
        "DATABASE_URL": f"postgresql://reservation@/reservation?host={prise}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_HOST": "relais.prefecture.test",
        "EMAIL_FROM": "ne-pas-repondre@prefecture.test",
        "MEDIA_ROOT": str(tmp_path / "fichiers"),
        "STATIC_ROOT": str(tmp_path / "statiques"),
    }


def run(environnement, *command):
    return subprocess.run(
        [sys.executable, *command],
        cwd=serveurs.RACINE,
        env=environnement,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


def test_check_deploy_is_clean(environnement):
    controle = run(
        environnement,
        *("-W", "error", "manage.py", "check", "--deploy", "--database", "default"),
        "--fail-level=INFO",
    )
    assert controle.returncode == 0, controle.stdout
    assert "no issues" in controle.stdout


@pytest.mark.parametrize(
    "nom",
    [
        "SECRET_KEY",
        "CLE_NUMERO_UNIQUE",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "REDIS_URL",
        "MEDIA_ROOT",
        "EMAIL_HOST",
        "EMAIL_FROM",
    ],
)
def test_every_variable_is_required(environnement, nom):
    del environnement[nom]
    demarrage = run(environnement, "manage.py", "migrate", "--check")
    assert demarrage.returncode == 1
    assert f"La variable {nom} est obligatoire en production" in demarrage.stdout
    assert "Traceback" not in demarrage.stdout


COOKIES = """
import django; django.setup()
from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse
from django.test import RequestFactory
from django.contrib.sessions.middleware import SessionMiddleware
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message

def page(request):
    get_token(request)
    reponse = HttpResponse()
    CookieStorage(request)._store([Message(constants.INFO, "essai")], reponse)
    reponse.set_cookie(settings.SESSION_COOKIE_NAME, "x", secure=settings.SESSION_COOKIE_SECURE,
        httponly=settings.SESSION_COOKIE_HTTPONLY, samesite=settings.SESSION_COOKIE_SAMESITE)
    return reponse

request = RequestFactory().get("/", secure=True)
for biscuit in CsrfViewMiddleware(page)(request).cookies.values():
    print(biscuit.key, bool(biscuit["secure"]), bool(biscuit["httponly"]), biscuit["samesite"] or "-")
"""


def test_every_cookie_is_secure_http_only_and_same_site(environnement):
    """The session's, the token's, and the one in which messages may travel."""
    ecrits = run(environnement, "-W", "error", "-c", COOKIES)
    assert ecrits.returncode == 0, ecrits.stdout
    assert sorted(ecrits.stdout.split("\n")) == [
        "",
        "csrftoken True True Lax",
        "messages True True Lax",
        "sessionid True True Lax",
    ]


@pytest.fixture
def sane(settings):
    settings.DEBUG, settings.SECRET_KEY, settings.ALLOWED_HOSTS = False, GOOD_KEY, ["flux.prefecture.test"]
    settings.CLE_NUMERO_UNIQUE, settings.CLES_NUMERO_UNIQUE_ANCIENNES = GOOD_KEY[::-1], []
    settings.SECOND_FACTEUR_OBLIGATOIRE = True
    return settings


def proconnect(secret: str, decouverte: str) -> dict:
    return {"openid_connect": {"APPS": [{"secret": secret, "settings": {"server_url": decouverte}}]}}


@pytest.mark.parametrize(
    ("reglage", "valeur", "attendu"),
    [
        ("SECRET_KEY", GOOD_KEY[:49], "production.E001"),
        ("SECRET_KEY", GOOD_KEY[:50], None),
        ("SECRET_KEY", "0123456789abcde" * 5, "production.E001"),
        ("SECRET_KEY", "0123456789abcdef" * 5, None),
        ("SECRET_KEY", f"django-insecure-{GOOD_KEY}", "production.E002"),
        ("SECRET_KEY", f"{GOOD_KEY}-a-Remplacer", "production.E002"),
        ("DEBUG", True, "production.E003"),
        ("ALLOWED_HOSTS", [], "production.E004"),
        ("ALLOWED_HOSTS", ["flux.prefecture.test", "*"], "production.E004"),
        ("CLE_NUMERO_UNIQUE", GOOD_KEY[:49], "production.E020"),
        ("CLE_NUMERO_UNIQUE", GOOD_KEY[:50], None),
        ("CLE_NUMERO_UNIQUE", "0123456789abcde" * 5, "production.E020"),
        ("CLES_NUMERO_UNIQUE_ANCIENNES", ["une autre"], None),
        ("CLES_NUMERO_UNIQUE_ANCIENNES", ["une autre", GOOD_KEY[::-1]], "production.E021"),
        ("CLES_NUMERO_UNIQUE_ANCIENNES", list("abcd"), None),
        ("CLES_NUMERO_UNIQUE_ANCIENNES", list("abcde"), "production.E022"),
        ("SECURITY_TXT_CONTACT", "https://essai.example/securite", None),
        ("SECURITY_TXT_CONTACT", "mailto:securite@essai.example", None),
        ("SECURITY_TXT_CONTACT", "securite@essai.example", "production.E023"),
        ("SECURITY_TXT_CONTACT", "https://essai.example\nExpires: 2099-01-01", "production.E023"),
        ("METRIQUES_JETON", GOOD_KEY[:31], "production.E024"),
        ("METRIQUES_JETON", GOOD_KEY[:32], None),
        ("METRIQUES_RESEAUX", ["10.0.3.0/24", "127.0.0.1", "fd00::/8"], None),
        ("METRIQUES_RESEAUX", ["10.0.3.1/24"], "production.E025"),
        ("METRIQUES_RESEAUX", ["0.0.0.0/0"], "production.E025"),
        ("SECOND_FACTEUR_OBLIGATOIRE", False, "production.E007"),
        ("SOCIALACCOUNT_PROVIDERS", proconnect("secret", "https://proconnect.test/"), None),
        ("SOCIALACCOUNT_PROVIDERS", proconnect("", "https://proconnect.test/"), "production.E008"),
        ("SOCIALACCOUNT_PROVIDERS", proconnect("secret", "http://proconnect.test/"), "production.E008"),
        ("SOCIALACCOUNT_PROVIDERS", proconnect("secret", ""), "production.E008"),
    ],
)
def test_settings_that_are_refused(sane, reglage, valeur, attendu):
    setattr(sane, reglage, valeur)
    erreurs = [
        erreur.id
        for controle in (
            verifications.verifier_secret,
            verifications.verifier_debogage,
            verifications.verifier_hotes,
            verifications.verifier_cles_des_numeros,
            verifications.verifier_security_txt,
            verifications.verifier_metriques,
            verifications.verifier_second_facteur,
            verifications.verifier_proconnect,
        )
        for erreur in controle(None)
    ]
    assert erreurs == ([attendu] if attendu else [])


@pytest.mark.parametrize(
    ("creation", "attendu"),
    [
        ("CREATE ROLE {role} LOGIN SUPERUSER", "« {role} » de la base est superutilisateur"),
        ("CREATE ROLE {role} LOGIN BYPASSRLS", "« {role} » de la base est BYPASSRLS"),
        (
            "CREATE ROLE {role} LOGIN IN ROLE postgres",
            "est superutilisateur, en tant que membre de « postgres »",
        ),
        ("CREATE ROLE {role} LOGIN", None),
    ],
)
def test_roles_that_escape_row_level_security(environnement, creation, attendu):
    role = f"role_d_essai_{os.getpid()}"
    prise = serveurs.base_de_donnees()["HOST"]
    environnement["DATABASE_URL"] = f"postgresql://{role}@/reservation?host={prise}"
    with psycopg.connect(host=prise, user="postgres", dbname="postgres", autocommit=True) as serveur:
        serveur.execute(creation.format(role=role))
        try:
            demarrage = run(environnement, "-c", "import config.wsgi")
        finally:
            serveur.execute(f"DROP ROLE {role}")
    if attendu is None:
        assert demarrage.returncode == 0, demarrage.stdout
    else:
        assert demarrage.returncode == 1
        assert attendu.format(role=role) in demarrage.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import config.wsgi"],
        ["manage.py", "shell", "-c", "print('démarré')"],
        ["-m", "celery", "-A", "config", "worker", "--pool", "solo"],
        ["-m", "celery", "-A", "config", "beat"],
    ],
    ids=["web", "commande", "worker", "beat"],
)
def test_every_entry_point_refuses_and_says_everything_at_once(environnement, command):
    environnement |= {
        "SECRET_KEY": "faible",
        "DEBUG": "1",
        "DATABASE_URL": "postgresql://ana@127.0.0.1:1/flux",
    }
    demarrage = run(environnement, *command)
    assert demarrage.returncode != 0
    assert "Le site refuse de démarrer" in demarrage.stdout
    for code in ("production.E001", "production.E003", "production.E005"):
        assert code in demarrage.stdout
    assert "démarré" not in demarrage.stdout


@pytest.mark.django_db
def test_refusal_is_an_error_of_configuration(settings):
    settings.DEBUG = True
    with pytest.raises(ImproperlyConfigured, match="DEBUG est actif"):
        verifications.exiger_reglages_surs()


@pytest.mark.lent
def test_the_site_as_the_image_runs_it(environnement):
    """Collected files, gunicorn, the health page without TLS, everything else sent to https with its headers."""
    assert run(environnement, "manage.py", "migrate", "--noinput").returncode == 0
    collecte = run(environnement, "manage.py", "collectstatic", "--noinput")
    assert collecte.returncode == 0, collecte.stdout
    port = "8931"
    environnement |= {"BIND": f"127.0.0.1:{port}", "METRIQUES_JETON": GOOD_KEY}
    site = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"],
        cwd=serveurs.RACINE,
        env=environnement,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert serveurs.wait_until(
            lambda: site.poll() is not None or run(environnement, "docker/sante.py").returncode == 0, 60
        )
        assert site.poll() is None
        assert run(environnement | {"ALLOWED_HOSTS": "inconnu.test"}, "docker/sante.py").returncode == 1

        def get(chemin, **entetes):
            demande = urllib.request.Request(
                f"http://127.0.0.1:{port}{chemin}", headers={"Host": "flux.prefecture.test", **entetes}
            )
            opener = urllib.request.build_opener(NoRedirect)
            try:
                reponse = opener.open(demande, timeout=20)
            except urllib.error.HTTPError as refus:
                reponse = refus
            with reponse:
                return reponse.status, reponse.headers, reponse.read().decode()

        statut, entetes, _ = get("/connexion/")
        assert (statut, entetes["Location"]) == (301, "https://flux.prefecture.test/connexion/")
        statut, entetes, page = get("/connexion/", **{"X-Forwarded-Proto": "https"})
        assert statut == 200
        assert entetes["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert "unsafe" not in entetes["Content-Security-Policy"]
        assert "camera=()" in entetes["Permissions-Policy"] and "=*" not in entetes["Permissions-Policy"]
        assert (
            entetes["Cross-Origin-Opener-Policy"] == entetes["Cross-Origin-Resource-Policy"] == "same-origin"
        )
        assert entetes["X-Frame-Options"] == "DENY" and entetes["Referrer-Policy"] == "same-origin"
        assert "Secure" in entetes["Set-Cookie"] and "HttpOnly" in entetes["Set-Cookie"]
        style = next(mot for mot in page.split('"') if mot.endswith(".css"))
        _, entetes, _ = get(style, **{"X-Forwarded-Proto": "https"})
        assert entetes["Cache-Control"].endswith("immutable")

        # Asked from inside, without TLS: a broker that does not answer closes the site, the process lives.
        assert get("/sante/prete/")[0] == 503
        assert get("/metriques/")[0] == 404
        par = {"Authorization": f"Bearer {GOOD_KEY}"}
        statut, _, lues = get("/metriques/", **par)
        assert statut == 200 and "flux_courtier_disponible 0.0" in lues
        # Both processes of gunicorn are added up: every page asked above, whichever answered.
        for _ in range(6):
            get("/aide/glossaire/", **{"X-Forwarded-Proto": "https"})
        _, _, lues = get("/metriques/", **par)
        assert 'flux_requetes_total{methode="GET",route="glossaire",statut="200"} 6.0' in lues
        statut, entetes, _ = get("/parc/SECRET-D-UNE-ADRESSE", **{"X-Forwarded-Proto": "https"})
        assert statut == 404
    finally:
        site.terminate()
        sortie, _ = site.communicate(timeout=30)
    assert "Traceback" not in sortie, sortie
    # One JSON object each, gunicorn's included; an address that names nothing, or holds a secret, is nowhere.
    lignes = [json.loads(ligne) for ligne in sortie.splitlines()]
    refus = [ligne for ligne in lignes if ligne["requete"] == entetes["X-Request-Id"]]
    assert {ligne["journal"] for ligne in refus} == {"acces", "django.request"}
    assert next(ligne for ligne in refus if ligne["journal"] == "acces")["statut"] == 404
    assert "SECRET-D-UNE-ADRESSE" not in sortie and "127.0.0.1" not in "".join(
        ligne["message"] for ligne in lignes if ligne["journal"] != "gunicorn.error"
    )


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None
