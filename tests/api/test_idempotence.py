"""The same request sent twice counts once, whatever happens in between."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from flux.models import Attribution, Liberation
from reservation.models import CleIdempotence
from reservation.services import idempotence
from tests.acces.decor import ANNEE
from tests.personnages import CANNES

pytestmark = pytest.mark.django_db

NEUF = {
    "premiere": True,
    "commune": CANNES,
    "qpv": False,
    "finan": "13",
    "conv": "1",
    "nbpiece": 3,
    "construct": ANNEE,
}


def neuf(reference: str, **autres) -> dict:
    return {"reference": reference, "date": f"{ANNEE}-05-04", **NEUF, **autres}


def avec(reference: str):
    return Liberation.objects.filter(reference=reference)


def test_asked_again_it_answers_again_and_writes_nothing(a):
    premiere = a.post("liberations/", neuf("I-1"), cle="cle-1")
    seconde = a.post("liberations/", neuf("I-1"), cle="cle-1")
    assert premiere.status_code == seconde.status_code == 201
    assert premiere.content == seconde.content
    assert premiere["Location"] == seconde["Location"]
    assert "Idempotent-Replayed" not in premiere and seconde["Idempotent-Replayed"] == "true"
    assert avec("I-1").count() == 1


def test_the_order_of_the_fields_does_not_matter(a):
    a.post("liberations/", neuf("I-1"), cle="cle-1")
    envers = dict(reversed(neuf("I-1").items()))
    assert a.post("liberations/", envers, cle="cle-1")["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("autre", [neuf("I-2"), neuf("I-1", nbpiece=4), {}])
def test_another_request_under_the_same_key_is_refused(a, autre):
    a.post("liberations/", neuf("I-1"), cle="cle-1")
    refus = a.post("liberations/", autre, cle="cle-1")
    assert refus.status_code == 422
    assert refus.json()["type"].endswith("#cle-deja-prise")
    assert Liberation.objects.filter(reference__startswith="I-").count() == 1


def test_another_address_under_the_same_key_is_refused(a):
    faite = a.post("liberations/", neuf("I-1"), cle="cle-1").json()
    refus = a.post(f"liberations/{faite['id']}/annulation/", neuf("I-1"), cle="cle-1")
    assert refus.json()["type"].endswith("#cle-deja-prise")


def test_a_refused_request_keeps_neither_key_nor_trace(a):
    assert a.post("liberations/", neuf("I-1", commune="99999"), cle="cle-1").status_code == 422
    assert not CleIdempotence.objects.filter(cle="cle-1").exists()
    assert a.post("liberations/", neuf("I-1"), cle="cle-1").status_code == 201


def test_keys_belong_to_an_organisation(a, programme):
    assert a.post("liberations/", neuf("I-1"), cle="cle-1").status_code == 201
    chez_b = programme("gestionnaire_b").post("liberations/", neuf("I-1"), cle="cle-1")
    assert chez_b.status_code == 201 and "Idempotent-Replayed" not in chez_b
    assert avec("I-1").count() == 2


def test_keys_are_a_persons(a, programme):
    """A colleague who happens to draw the same key does not read an answer made for another."""
    a.post("liberations/", neuf("I-1"), cle="cle-1")
    assert programme("signataire_a").post("liberations/", neuf("I-1"), cle="cle-1").status_code == 422


def test_a_key_serves_again_after_a_day(a):
    a.post("liberations/", neuf("I-1"), cle="cle-1")
    CleIdempotence.objects.update(expire_le=timezone.now() - timedelta(seconds=1))
    assert a.post("liberations/", neuf("I-2"), cle="cle-1").status_code == 201
    CleIdempotence.objects.update(expire_le=timezone.now() - timedelta(seconds=1))
    assert idempotence.oublier_les_cles() == 1


@pytest.mark.parametrize("cle", ["", " ", "é", "a b", "x" * 129, '""'])
def test_every_post_has_a_key(a, cle):
    refus = a.client.post(
        "/api/v1/liberations/",
        neuf("I-1"),
        content_type="application/json",
        headers=a.entetes(**({"Idempotency-Key": cle} if cle else {})),
    )
    assert refus.status_code == 400
    assert refus.json()["type"].endswith("#cle-absente")
    assert not avec("I-1").exists()


def test_the_quotes_of_a_structured_header_are_not_the_key(a):
    a.post("liberations/", neuf("I-1"), cle='"cle-1"')
    assert a.post("liberations/", neuf("I-1"), cle="cle-1")["Idempotent-Replayed"] == "true"


def test_what_is_kept_holds_no_numero_unique(a, decor):
    numero = "0061125DEMO0000042"
    libre = decor.a.liberation_libre
    corps = {"numero_unique": numero, "date_caleol": f"{ANNEE}-05-20"}
    assert a.post(f"liberations/{libre.pk}/attribution/", corps, cle="cle-1").status_code == 201
    assert a.post(f"liberations/{libre.pk}/attribution/", corps, cle="cle-1").status_code == 201
    assert Attribution.objects.filter(liberation=libre).count() == 1
    with connection.cursor() as curseur:
        curseur.execute("SELECT t::text FROM reservation_cleidempotence AS t")
        [(texte,)] = curseur.fetchall()
    assert numero not in texte and numero[-4:] in texte
