"""The schema is valid OpenAPI 3.1, says the truth about the answers, and can be read by a person."""

import os
import re
import time
from collections import Counter

import pytest
import schemathesis
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.api import RESSOURCES, schema_openapi
from reservation.api.problemes import CATALOGUE
from reservation.perimetre import agir
from tests.acces.decor import ANNEE, CANARI
from tests.acces.test_canari import ETRANGERS, INEXISTANT, MARQUES, lisible

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def schema():
    return schema_openapi()


def valideur(schema: dict, chemin: str, verbe: str, statut: int) -> Draft202012Validator:
    """What checks one answer against the schema."""
    registre = Registry().with_resource("urn:api", Resource(schema, DRAFT202012))
    [contenu] = schema["paths"][chemin][verbe]["responses"][str(statut)]["content"].values()
    pointeur = chemin.replace("~", "~0").replace("/", "~1")
    [type_] = schema["paths"][chemin][verbe]["responses"][str(statut)]["content"]
    assert contenu
    return Draft202012Validator(
        {
            "$ref": f"urn:api#/paths/{pointeur}/{verbe}/responses/{statut}/content/{type_.replace('/', '~1')}/schema"
        },
        registry=registre,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def test_the_schema_is_valid_and_without_warning(schema, capsys):
    validate_schema(schema)
    assert schema["openapi"] == "3.1.0"
    reset_generator_stats()
    schema_openapi.__wrapped__()
    assert not GENERATOR_STATS
    assert capsys.readouterr().err == ""


def test_it_names_every_address(schema):
    chemins = {chemin.split("/")[3] for chemin in schema["paths"]}
    assert chemins == {nom for nom, *_ in RESSOURCES}
    for chemin, verbes in schema["paths"].items():
        for verbe, operation in verbes.items():
            assert operation["summary"] and operation["description"], chemin
            assert set(operation["responses"]) >= {"400", "401", "403", "404", "429"}
            cles = [p["name"] for p in operation.get("parameters", []) if p["in"] == "header"]
            ecrit = ["Idempotency-Key", "If-Match"] if "{id}" in chemin else ["Idempotency-Key"]
            assert cles == (ecrit if verbe == "post" else ["If-None-Match"])
            assert (
                "412" in operation["responses"]
                if "If-Match" in cles
                else "304" in operation["responses"] or verbe == "post"
            )
    ids = [o["operationId"] for verbes in schema["paths"].values() for o in verbes.values()]
    assert len(ids) == len(set(ids))


def test_answers_are_those_of_the_schema(a, programme, decor, schema):
    """Each GET by its bailleur, by the DDETS and by a réservataire, against the schema of its answer."""
    cles = {
        "liberations": decor.a.liberation_als.pk,
        "attributions": decor.a.attribution.pk,
        "commissions": decor.a.commission.pk,
        "passages": decor.a.passage.pk,
        "logements": decor.a.logement.pk,
        "flux": decor.a.calcul.pk,
        "objectifs": decor.a.calcul.parts.get(code="ETAT").pk,
        "parts-convenues": decor.a.part.pk,
        "bilans": decor.a.bilan_soumis.pk,
        "bilans-recus": decor.a.bilan_recu.pk,
        "organisations": decor.a.bailleur.pk,
        "labels": decor.a.label_propose.pk,
        "propositions": decor.a.proposition.pk,
        "rapprochements": decor.a.rapprochement.pk,
        "ecarts": decor.a.ecart.pk,
    }
    lus = set()
    for lecteur in (a, programme("agent_ddets_06"), programme("charge_als")):
        for chemin, verbes in schema["paths"].items():
            if "get" not in verbes or chemin.endswith("/pdf/"):
                continue
            adresse = chemin.removeprefix("/api/v1/")
            adresse = adresse.replace("{id}", str(cles.get(adresse.split("/")[0])))
            reponse = lecteur.get(adresse)
            valideur(schema, chemin, "get", reponse.status_code).validate(reponse.json())
            if reponse.status_code == 200:
                lus.add(chemin)
    assert len(lus) == len([c for c, v in schema["paths"].items() if "get" in v and not c.endswith("/pdf/")])


def test_acts_and_refusals_are_those_of_the_schema(a, decor, schema):
    chemin = "/api/v1/liberations/"
    for corps, statut in (
        ({"reference": "A-2", "date": f"{ANNEE}-05-04"}, 201),
        ({"reference": "A-2", "date": f"{ANNEE}-05-04"}, 422),
        ({"reference": 3, "inconnu": 1}, 400),
    ):
        reponse = a.post("liberations/", corps)
        assert reponse.status_code == statut
        valideur(schema, chemin, "post", statut).validate(reponse.json())
    attribution = a.post(
        f"liberations/{decor.a.liberation_libre.pk}/attribution/",
        {"numero_unique": "0061125DEMO0000042", "date_caleol": f"{ANNEE}-05-20"},
    )
    valideur(schema, "/api/v1/liberations/{id}/attribution/", "post", 201).validate(attribution.json())
    absent = a.get("liberations/2000000000/")
    valideur(schema, "/api/v1/liberations/{id}/", "get", 404).validate(absent.json())


def test_nothing_secret_leaves(schema):
    """No answer has a field for a numéro unique: it is only sent."""
    for nom, composant in schema["components"]["schemas"].items():
        champs = composant.get("properties", {})
        if "numero_unique" in champs:
            assert nom in ("DeclarationAttribution", "Candidature", "DemandeDeLabel")
            assert champs["numero_unique"]["writeOnly"] is True


def test_it_is_served_and_read_by_people(client, schema):
    servi = client.get("/api/schema/")
    assert servi.json() == schema
    page = client.get("/api/documentation/").content.decode()
    for chemin in schema["paths"]:
        assert f"<code>{chemin}</code>" in page
    for code in CATALOGUE:
        assert f'id="{code}"' in page
    assert "Voir la réponse" not in page  # for whoever is signed in
    assert not re.search(r"<script(?![^>]*src=\"/static/)", page)
    assert "documentation" in client.get("/aide/").content.decode()


def test_a_signed_in_reader_follows_the_links(client, decor):
    client.force_login(decor.cast.gestionnaire_a)
    page = client.get("/api/documentation/").content.decode()
    liens = re.findall(r'href="(/api/v1/[^"]+)"', page)
    assert {lien.split("/")[3] for lien in liens} == {nom for nom, *_ in RESSOURCES}
    assert {client.get(lien).status_code for lien in liens} == {200}


def test_the_type_of_a_problem_is_an_anchor_of_the_page(a, client):
    type_ = a.get("liberations/0/").json()["type"]
    assert f'id="{type_.partition("#")[2]}"' in client.get("/api/documentation/").content.decode()


# --- What nobody would think of sending (schemathesis) ---------------------------------------------------------------


CAS = int(os.environ.get("EPREUVE_CAS", "2"))  # of each operation, in each mode
# Who sends them: a bailleur in both modes; those who read another's lines, what the schema admits, half as many.
MODES = {
    "gestionnaire_a": ((GenerationMode.POSITIVE, CAS), (GenerationMode.NEGATIVE, CAS)),
    "charge_als": ((GenerationMode.POSITIVE, max(1, CAS // 2)),),
    "agent_cannes": ((GenerationMode.POSITIVE, max(1, CAS // 2)),),
}


CONTROLES = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


# First word of an address → the object of the decor that its id names.
OBJETS = {
    "liberations": "liberation_libre",
    "attributions": "attribution",
    "commissions": "commission",
    "passages": "candidature",
    "logements": "logement",
    "flux": "calcul",
    "objectifs": "objectif",
    "parts-convenues": "part",
    "bilans": "bilan_soumis",
    "bilans-recus": "bilan_recu",
    "organisations": "bailleur",
    "labels": "label_propose",
    "propositions": "proposition",
    "rapprochements": "rapprochement",
    "ecarts": "ecart",
}


def objet_de(objets, adresse: str):
    nom = OBJETS[adresse.split("/")[3]]
    return objets.calcul.parts.order_by("rang").first() if nom == "objectif" else getattr(objets, nom)


def est_lu(acteur, objet) -> bool:
    """Whether `acteur` may read `objet`; a person of the same organisation, or whoever the application shows it to."""
    with agir(acteur):
        return type(objet).objects.visibles_par(acteur).filter(pk=objet.pk).exists()


@pytest.fixture
def eprouver(decor, programme):
    """`eprouver("gestionnaire_a", **options)` → how many answers of each status."""

    def faire(personnage: str, role: str = "GESTION") -> Counter:
        secret = programme(personnage, role).secret
        # The token travels as the header of each case; the schema's own security would send one that opens nothing.
        decrit = {k: v for k, v in schema_openapi().items() if k != "security"}
        schema = schemathesis.openapi.from_dict(_sans_securite(decrit))
        schema.app = _application
        vus: Counter = Counter()
        refus = []
        for resultat in schema.get_all_operations():
            operation = resultat.ok()
            try:
                _eprouver(operation, decor, personnage, secret, vus)
            except (
                Exception,
                BaseExceptionGroup,
            ) as faute:  # every operation is tried, and all that is found is told at once
                details = "\n".join(str(f) for f in getattr(faute, "exceptions", [faute]))
                refus.append(f"{operation.label} : {type(faute).__name__} {details}"[:3000])
        assert not refus, f"{len(refus)} :\n" + "\n\n".join(refus)
        return vus

    return faire


_django = WSGIHandler()


def _application(environ, start_response):
    """The site as a server runs it: the answer is closed once it has been sent."""
    reponse = _django(environ, start_response)
    try:
        return [b"".join(reponse)]
    finally:
        reponse.close()


def _sans_securite(schema: dict) -> dict:
    chemins = {
        adresse: {verbe: {k: v for k, v in op.items() if k != "security"} for verbe, op in verbes.items()}
        for adresse, verbes in schema["paths"].items()
    }
    composants = {k: v for k, v in schema["components"].items() if k != "securitySchemes"}
    return schema | {"paths": chemins, "components": composants}


def _eprouver(operation, decor, personnage: str, secret: str, vus: Counter) -> None:
    cles, cachees = [INEXISTANT], set()
    if "{id}" in operation.path:
        objets = [objet_de(siens, operation.path) for siens in (decor.a, decor.b)]
        acteur = decor.cast.acteur(personnage)
        cachees = {objet.pk for objet in objets if not est_lu(acteur, objet)}
        cles = [*(objet.pk for objet in objets), INEXISTANT, None]
    for mode, combien in MODES[personnage]:

        @seed(7391)
        @settings(
            max_examples=combien,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            cas=operation.as_strategy(mode),
            cle=st.sampled_from(cles),
            version=st.sampled_from([True, False, False]),
        )
        def essai(cas, cle, version):
            if not version:  # a version drawn at random would refuse nearly all acts before they are read
                cas.headers = {nom: v for nom, v in (cas.headers or {}).items() if nom != "If-Match"}
            if "{id}" in operation.path and cle is not None:
                cas.path_parameters = {"id": cle}
            cache.clear()  # the limits are another test's
            cas.headers = {**(cas.headers or {}), "Authorization": f"Bearer {secret}"}
            with transaction.atomic():
                reponse = cas.call()
                transaction.set_rollback(True)
            vus[reponse.status_code] += 1
            cas.validate_response(reponse, checks=list(CONTROLES))
            dit = lisible(reponse.content, (reponse.headers.get("content-type") or [""])[0])
            dit += str(reponse.headers)
            if cle in cachees:
                assert reponse.status_code >= 400, f"{cle} n’est pas à {personnage}"
            # What was sent may come back; nothing of what was sent holds the canary.
            if personnage in ETRANGERS:
                assert not [marque for marque in MARQUES if marque in dit.lower() or marque in dit], CANARI

        essai()


@pytest.mark.parametrize("personnage", MODES)
def test_no_undocumented_answer_and_no_leak(eprouver, personnage):
    """Through WSGI, on the decor, each case in its savepoint, with a fixed seed; `make eprouver-api` sends thousands more.

    For each answer: no 5xx; a status and a content type that the schema documents; body and headers as it says; an object
    that the reader does not see refuses everything; for a stranger to bailleur B, nothing of it, whose every text is the
    canary.
    """
    debut = time.monotonic()
    vus = eprouver(personnage)
    assert {200, 404} <= vus.keys() and not [statut for statut in vus if statut >= 500]
    print(f"épreuve : {sum(vus.values())} cas, {dict(sorted(vus.items()))}, {time.monotonic() - debut:.0f} s")
