"""`outils/auditer`: a known vulnerability fails, a silent service is never taken for a clean bill."""

import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config.serveurs import RACINE

AVIS = {"id": "ESSAI-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "faille d’essai", "affected": []}


class ServiceDAvis(BaseHTTPRequestHandler):
    """The protocol of the advisory service (OSV): which of these versions has an advisory, and that advisory."""

    touches: set[str] = set()
    demandes: set[str] = set()

    def do_POST(self):
        demandes = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        noms = [demande["package"]["name"] for demande in demandes]
        type(self).demandes |= set(noms)
        cites = [{"id": AVIS["id"], "modified": AVIS["modified"]}]
        self.repondre({"results": [{"vulns": cites} if nom in self.touches else {} for nom in noms]})

    def do_GET(self):
        self.repondre(AVIS)

    def repondre(self, contenu):
        octets = json.dumps(contenu).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_args):
        pass


@pytest.fixture
def service():
    serveur = HTTPServer(("127.0.0.1", 0), ServiceDAvis)
    ServiceDAvis.touches, ServiceDAvis.demandes = set(), set()
    fil = threading.Thread(target=serveur.serve_forever)
    fil.start()
    yield f"http://127.0.0.1:{serveur.server_port}"
    serveur.shutdown()
    serveur.server_close()
    fil.join()


# uv also asks each index of the lock for withdrawn projects, and that name never resolves: a proxy that refuses at once
# spares the wait. The service of the tests is plain http, and does not pass through it.
SANS_ATTENTE = {"HTTPS_PROXY": "http://127.0.0.1:1", "UV_HTTP_RETRIES": "0"}


def auditer(*arguments):
    return subprocess.run(
        ["outils/auditer", *arguments],
        cwd=RACINE,
        env=os.environ | SANS_ATTENTE,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_locked_package_is_asked_for(service):
    resultat = auditer("--service-url", service)
    assert resultat.returncode == 0, resultat.stderr
    verrouilles = set(re.findall(r'^name = "(.+)"$', (RACINE / "uv.lock").read_text(), re.M))
    assert {"django", "psycopg", "celery", "weasyprint", "pytest"} <= ServiceDAvis.demandes
    assert ServiceDAvis.demandes <= verrouilles and len(ServiceDAvis.demandes) > 0.8 * len(verrouilles)


@pytest.mark.parametrize("options", [[], ["--tolerer-panne"]])
def test_a_known_vulnerability_fails(service, options):
    ServiceDAvis.touches = {"django"}
    resultat = auditer(*options, "--service-url", service)
    assert resultat.returncode == 1
    assert AVIS["id"] in resultat.stdout and "django" in resultat.stdout


def test_a_silent_service_is_said(service):
    ferme = ("--service-url", "http://127.0.0.1:1")
    seul, tolere = auditer(*ferme), auditer("--tolerer-panne", *ferme)
    assert seul.returncode == 2 and tolere.returncode == 0
    for resultat in (seul, tolere):
        assert "rien n’a été vérifié" in resultat.stderr


def test_another_error_is_no_silence(service):
    assert auditer("--tolerer-panne", "--cette-option-n-existe-pas").returncode == 2


def test_continuous_integration_audits():
    assert "make audit AUDIT_ARGS=--tolerer-panne" in (RACINE / ".ci" / "run").read_text()
