"""Where a webhook may go, what it says, how it is signed, when it is tried again; scopes. No database."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.regles import portees, webhooks


@pytest.mark.parametrize(
    "adresse",
    [
        *(
            "127.0.0.1",
            "127.1.2.3",
            "0.0.0.0",
            "10.0.0.8",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
        ),
        *(
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "ff02::1",
        ),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::"),
        # Those that Python calls global: of a site, or with an IPv4 address inside.
        *("fec0::1", "::127.0.0.1", "::ffff:0:10.0.0.1", "5f00::1", "3fff::1", "192.88.99.1", "192.0.0.8"),
    ],
)
def test_an_address_of_no_internet_is_refused(adresse):
    assert not webhooks.adresse_publique(adresse)
    nom = f"[{adresse}]" if ":" in adresse else adresse
    with pytest.raises(ValueError):
        webhooks.lire_adresse(f"https://{nom}/")


@pytest.mark.parametrize("adresse", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_an_address_of_the_internet_is_taken(adresse):
    assert webhooks.adresse_publique(adresse)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://a.fr/",
            "ftp://a.fr/",
            "https://",
            "https:///x",
            "a.fr",
            "javascript:1",
            "https://localhost/",
        ),
        *(
            "https://u:p@a.fr/",
            "https://a.fr:22/",
            "https://a.fr:99999/",
            "https://a.fr/#x",
            "https://a.fr/\r\nX: y",
        ),
        *("https://127.1/", "https://0x7f.1/", "https://0x7f.0x1/", "https://a.017700000001/"),
        *("https://a.fr\\@b.fr/", "https://é.fr/", "https://a.fr/ x", "https://[::1", "https://interne/"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_a_sentence(url):
    with pytest.raises(ValueError, match=r"^[A-ZL].*\.|https://$"):
        webhooks.lire_adresse(url)


def test_an_address_is_read():
    assert webhooks.lire_adresse("https://a.fr/b?c=d") == ("https", "a.fr", 443, "/b?c=d")
    assert webhooks.lire_adresse("https://a.fr:8443") == ("https", "a.fr", 8443, "/")
    assert webhooks.lire_adresse("http://127.0.0.1:81/x", interne=True) == ("http", "127.0.0.1", 81, "/x")


@given(st.text())
def test_whatever_is_typed_is_read_or_refused(url):
    try:
        webhooks.lire_adresse(url)
    except ValueError as refus:
        assert str(refus)


def test_a_message_is_signed_as_the_standard_says():
    corps = webhooks.composer("bail.creation", datetime(2026, 1, 2, tzinfo=UTC), "attributions", [4, 8])
    assert json.loads(corps) == {
        "type": "bail.creation",
        "timestamp": "2026-01-02T00:00:00+00:00",
        "data": {"ressource": "attributions", "identifiants": [4, 8]},
    }
    secret = webhooks.secret_de(b"k" * 32)
    actuelle, ancienne = webhooks.signer([b"k" * 32, b"a" * 32], "m1", 1767312000, corps).split(" ")
    assert ancienne.startswith("v1,") and ancienne != actuelle
    version, _, signature = actuelle.partition(",")
    # As a receiver does it, from the secret alone.
    cle = base64.b64decode(secret.removeprefix("whsec_"))
    attendue = hmac.new(cle, b"m1.1767312000." + corps, hashlib.sha256).digest()
    assert (version, base64.b64decode(signature)) == ("v1", attendue)


def test_tries_are_further_and_further_apart_then_end():
    attentes = [webhooks.prochain_essai(essai) for essai in range(1, len(webhooks.DELAIS) + 1)]
    assert attentes == sorted(attentes) and attentes[0] == timedelta(minutes=1)
    assert sum(attentes, timedelta()) > timedelta(days=1)
    assert webhooks.prochain_essai(len(webhooks.DELAIS) + 1) is None


def test_scopes_are_completed_and_told():
    assert portees.completer(["liberations:ecrire"]) == ["liberations:lire", "liberations:ecrire"]
    assert portees.lecture_seule(["liberations:lire", "liberations:ecrire"]) == ["liberations:lire"]
    assert portees.libelles(["flux:lire", "labels:lire", "labels:ecrire"]) == [
        "Labels et propositions : lecture et écriture",
        "Flux, parts et objectifs : lecture",
    ]
    assert "flux:ecrire" not in portees.toutes_les_portees()
    for faux in ("flux:ecrire", "inconnue:lire", ""):
        with pytest.raises(ValueError):
            portees.completer([faux])
