"""Whatever is sent, the answer is a problem in French and never a breakdown; nothing is written."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flux.models import Attribution, Liberation
from reservation.api.limites import LimiteEcriture, LimiteLecture, LimiteRefus
from reservation.api.problemes import CATALOGUE
from reservation.models import CleIdempotence
from tests.acces.decor import ANNEE

pytestmark = pytest.mark.django_db

CODES = {f"#{code}" for code in CATALOGUE}
PATIENT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
VALEURS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["A-2", f"{ANNEE}-05-04", "FLUX", "\0", "\ud800", "0061125DEMO0000042", "1e999", "NaN"]
    ),
    lambda dedans: st.lists(dedans, max_size=3) | st.dictionaries(st.text(), dedans, max_size=3),
    max_leaves=6,
)
CHAMPS = st.sampled_from(
    ["reference", "date", "date_preavis", "usage", "preuve", "premiere", "commune", "qpv", "finan", "conv",
     "nbpiece", "construct", "numero_unique", "date_caleol", "statut_emploi", "motif_hors_prioritaire", "agent",
     "agent_valide_le", "agent_adapte", "reservataire", "motif", "adresse"]
)  # fmt: skip
CORPS = st.dictionaries(CHAMPS | st.text(max_size=8), VALEURS, max_size=8)


def est_un_probleme(reponse) -> bool:
    assert reponse["Content-Type"] == "application/problem+json", (reponse.status_code, reponse.content)
    corps = reponse.json()
    assert corps["status"] == reponse.status_code < 500
    assert "#" + corps["type"].partition("#")[2] in CODES
    return True


@pytest.fixture
def sans_limite(monkeypatch):
    for limite in (LimiteLecture, LimiteEcriture, LimiteRefus):
        monkeypatch.setattr(limite, "allow_request", lambda *args: True)


@PATIENT
@given(corps=CORPS)
@pytest.mark.parametrize("verbe", ["", "annulation/", "orientation/", "echec/", "attribution/"])
def test_any_object_is_answered(a, decor, sans_limite, verbe, corps):
    ici = f"{decor.a.liberation_libre.pk}/{verbe}" if verbe else ""
    reponse = a.post(f"liberations/{ici}", json.dumps(corps))
    assert reponse.status_code in (200, 201) or est_un_probleme(reponse)


@PATIENT
@given(octets=st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_answered(a, decor, sans_limite, octets):
    avant = Liberation.objects.count()
    assert est_un_probleme(a.post("liberations/", octets))
    assert Liberation.objects.count() == avant


@PATIENT
@given(
    parametres=st.dictionaries(
        st.sampled_from(["annee", "depuis", "reference", "usage", "reservataire", "orientee", "limite", "curseur",
                         "bailleur", "departement", "commune", "qpv", "x"]),
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
        | st.integers().map(str)
        | st.sampled_from(["true", f"{ANNEE}-01-01", "\0", "99999999999999999999"]),
        max_size=3,
    )
)  # fmt: skip
@pytest.mark.parametrize("liste", ["liberations", "attributions", "logements", "flux"])
def test_any_query_is_answered(a, decor, sans_limite, liste, parametres):
    reponse = a.get(f"{liste}/", **parametres)
    assert reponse.status_code == 200 or est_un_probleme(reponse)


@pytest.mark.parametrize(
    "corps",
    [
        b"",
        b"{",
        b"[]",
        b'"texte"',
        b"null",
        b"1",
        b"NaN",
        b'{"reference": NaN}',
        b"\xff\xfe{\x00}\x00",
        b'{"reference": "\xe9"}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 10_000,
    ],
    ids=lambda corps: repr(corps[:12]),
)
def test_unreadable_bodies(a, corps):
    reponse = a.post("liberations/", corps)
    assert est_un_probleme(reponse) and reponse.status_code == 400
    assert not CleIdempotence.objects.exists()


@pytest.mark.parametrize("jeu", ["utf-16", "hex", "rot13", "base64", "inconnu"])
def test_another_charset_is_read_as_utf8(a, jeu):
    entetes = a.entetes(**{"Idempotency-Key": "cle"})
    type_ = f"application/json; charset={jeu}"
    reponse = a.client.generic("POST", "/api/v1/liberations/", b"{}", type_, headers=entetes)
    assert reponse.status_code == 400 and reponse.json()["type"].endswith("#champs-refuses")


@pytest.mark.parametrize(
    "type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_only_json_is_read(a, type_):
    reponse = a.post("liberations/", b"reference=A-2", type_=type_)
    assert est_un_probleme(reponse) and reponse.status_code == 415


def test_a_body_too_large_is_refused(a, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    reponse = a.post("liberations/", {"reference": "x" * 200})
    assert est_un_probleme(reponse) and reponse.status_code == 413


@pytest.mark.parametrize("methode", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused(a, decor, methode):
    reponse = getattr(a.client, methode)(
        f"/api/v1/liberations/{decor.a.liberation_als.pk}/", headers=a.entetes()
    )
    assert est_un_probleme(reponse) and reponse.status_code == 405
    assert "GET" in reponse["Allow"]


@pytest.mark.parametrize(
    "adresse",
    ["", "inconnu/", "liberations/abc/", "liberations/0/", "liberations/" + "9" * 30 + "/", "liberations"],
)
def test_unknown_addresses(a, adresse):
    reponse = a.get(adresse)
    assert est_un_probleme(reponse) and reponse.status_code == 404


def test_whatever_is_accepted_is_answered_in_json(a):
    for accepte in ("text/html", "application/xml", "application/problem+json", "x"):
        reponse = a.client.get("/api/v1/moi/", headers=a.entetes(Accept=accepte))
        assert reponse["Content-Type"] == "application/json"


def test_a_get_writes_nothing(a, decor):
    """Asked of the database, on each kind of resource; the token too is only read."""
    for adresse in ("moi/", "liberations/", f"bilans/{decor.a.bilan.pk}/pdf/", "logements/"):
        with CaptureQueriesContext(connection) as requetes:
            a.get(adresse).close()
        lisent = ("SELECT", "SAVEPOINT", "RELEASE")
        autres = [r["sql"] for r in requetes if not r["sql"].lstrip("( ").startswith(lisent)]
        assert autres == [], adresse


# --- Limits -------------------------------------------------------------------------------------------------------


def limiter(monkeypatch, classe, taux: str) -> None:
    monkeypatch.setattr(classe, "rate", taux, raising=False)


def test_too_many_readings_wait(a, programme, monkeypatch):
    limiter(monkeypatch, LimiteLecture, "3/min")
    assert [a.get("moi/").status_code for _ in range(4)] == [200, 200, 200, 429]
    reponse = a.get("moi/")
    assert est_un_probleme(reponse)
    assert 1 <= int(reponse["Retry-After"]) <= 60
    assert programme("signataire_a").get("moi/").status_code == 200  # counted for each token


def test_too_many_writings_wait_and_reading_goes_on(a, decor, monkeypatch):
    limiter(monkeypatch, LimiteEcriture, "2/min")
    statuts = [a.post("liberations/", {}).status_code for _ in range(3)]
    assert statuts == [400, 400, 429]
    assert a.get("moi/").status_code == 200


def test_guesses_are_limited_by_address(client, monkeypatch):
    limiter(monkeypatch, LimiteRefus, "3/min")
    statuts = [
        client.get("/api/v1/moi/", headers={"Authorization": f"Bearer gef_{n}", "X-Forwarded-For": f"10.0.0.{n}"})
        .status_code
        for n in range(5)
    ]  # fmt: skip
    assert statuts == [401, 401, 401, 429, 429]
    assert client.get("/api/v1/moi/").status_code == 429


def test_nothing_was_attributed_on_the_way(decor):
    """The decor of the module is as it was: each test undid what it did."""
    assert Attribution.objects.filter(liberation=decor.a.liberation_libre).count() == 0
