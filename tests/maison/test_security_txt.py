"""/.well-known/security.txt (RFC 9116): what the site declares, and nothing when it declares nobody."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

ADRESSE = "/.well-known/security.txt"

pytestmark = pytest.mark.django_db


def test_absent_when_nobody_is_named(client, settings):
    settings.SECURITY_TXT_CONTACT = ""
    assert client.get(ADRESSE).status_code == 404


def test_says_whom_to_write_to_and_until_when(client, settings):
    settings.SECURITY_TXT_CONTACT = "mailto:securite@essai.example"
    reponse = client.get(ADRESSE)
    assert reponse.headers["Content-Type"] == "text/plain; charset=utf-8"
    champs = dict(ligne.split(": ", 1) for ligne in reponse.content.decode().splitlines())
    assert champs["Contact"] == "mailto:securite@essai.example"
    assert champs["Canonical"].endswith(ADRESSE)
    expire = datetime.fromisoformat(champs["Expires"])
    assert timezone.now() < expire < timezone.now() + timedelta(days=365)
    assert client.post(ADRESSE).status_code == 405
