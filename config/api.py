"""The API: its addresses, its schema (OpenAPI 3.1), its documentation. The resources are in the api module of each room."""

from functools import lru_cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from bilans.api import BilansRecusVue, BilansVue
from bilans.api_indicateurs import IndicateursVue
from bilans.api_parts import PartsConvenuesVue
from config.documentation_api import lire_schema
from flux.api import AttributionsVue, FluxVue, LiberationsVue, MotifsVue, ObjectifsVue
from flux.api_commissions import CommissionsVue, PassagesVue
from flux.api_rapprochements import EcartsVue, RapprochementsVue
from publics.api import LabelsVue, PropositionsVue
from reservation.api.problemes import CATALOGUE, TYPE
from reservation.api.ressources import LogementsVue, MoiVue, NomenclaturesVue, OrganisationsVue
from reservation.regles.typographie import typographier

# Address, title for people, view, name of its addresses; in the order of the documentation.
RESSOURCES = (
    ("moi", "Son accès", MoiVue, "moi"),
    ("logements", "Logements du parc", LogementsVue, "logement"),
    ("liberations", "Libérations", LiberationsVue, "liberation"),
    ("attributions", "Attributions", AttributionsVue, "attribution"),
    ("commissions", "Commissions", CommissionsVue, "commission"),
    ("passages", "Candidatures", PassagesVue, "passage"),
    ("labels", "Labels", LabelsVue, "label"),
    ("propositions", "Propositions de labels", PropositionsVue, "proposition"),
    ("rapprochements", "Rapprochements", RapprochementsVue, "rapprochement"),
    ("ecarts", "Écarts des rapprochements", EcartsVue, "ecart"),
    ("flux", "Flux annuel et parts", FluxVue, "flux"),
    ("objectifs", "Objectifs", ObjectifsVue, "objectif"),
    ("parts-convenues", "Parts prévisionnelles d’Action Logement", PartsConvenuesVue, "part_convenue"),
    ("bilans", "Bilans", BilansVue, "bilan"),
    ("bilans-recus", "Bilans reçus", BilansRecusVue, "bilan_recu"),
    ("indicateurs", "Indicateurs", IndicateursVue, "indicateur"),
    ("organisations", "Partenaires", OrganisationsVue, "organisation"),
    ("motifs", "Motifs", MotifsVue, "motif"),
    ("nomenclatures", "Nomenclatures", NomenclaturesVue, "nomenclature"),
)


# --- Schema -----------------------------------------------------------------------------------------------------------


class JetonSchema(OpenApiAuthenticationExtension):
    target_class = "reservation.api.authentification.ParJeton"
    name = "jeton"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "Le secret d’un accès API : gef_…"}


class SessionSchema(OpenApiAuthenticationExtension):
    target_class = "reservation.api.authentification.ParSession"
    name = "session"

    def get_security_definition(self, auto_schema):
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "La session du navigateur, pour lire depuis la documentation.",
        }


ERREUR = {
    "type": "object",
    "description": "Un champ refusé.",
    "required": ["champ", "recu", "attendu", "message"],
    "properties": {
        "champ": {"type": "string"},
        "recu": {"type": ["string", "null"], "description": "Ce qui a été reçu, raccourci ; null : rien."},
        "attendu": {"type": "string"},
        "message": {"type": "string"},
    },
}
PROBLEME = {
    "type": "object",
    "description": "Un refus (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "erreurs"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Adresse du paragraphe qui l’explique."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "Numéro de la demande, celui de X-Request-Id."},
        "erreurs": {"type": "array", "items": {"$ref": "#/components/schemas/ErreurDeChamp"}},
    },
}
CLE = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    "description": "Une clé neuve par demande, la même quand on la renvoie : un UUID.",
}
SI_AUTRE = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string", "maxLength": 400},
    "description": "L’ETag d’une lecture d’avant : 304, sans corps, si rien n’a changé.",
}
SI_MEME = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string", "maxLength": 400},
    "description": "L’ETag de l’objet, tel qu’on l’a lu : 412 s’il a changé depuis.",
}
ETAG = {"ETag": {"description": "Version de ce qui est lu.", "schema": {"type": "string"}}}
# What each kind of operation may answer besides its success.
REFUS = {
    "get": (400, 401, 403, 404, 405, 429, 503),
    "post": (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503),
}


def completer(result, generator, request, public):
    """Postprocessing hook: the refusals, the same everywhere, and the key of each POST."""
    composants = result["components"].setdefault("schemas", {})
    composants["ErreurDeChamp"], composants["Probleme"] = ERREUR, PROBLEME
    contenu = {TYPE: {"schema": {"$ref": "#/components/schemas/Probleme"}}}
    titres: dict[int, list[str]] = {}
    for statut, titre, _ in CATALOGUE.values():
        titres.setdefault(statut, []).append(titre)
    for composant in composants.values():
        for champ in composant.get("properties", {}).values():
            if champ.get("format") == "time":  # that of JSON Schema has a time zone; ours is that of Paris
                champ["pattern"] = "^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$"
                del champ["format"]
    for adresse, chemin in result["paths"].items():
        for verbe, operation in chemin.items():
            parametres = operation.setdefault("parameters", [])
            refus = REFUS[verbe]
            if verbe == "post":
                parametres.append(CLE)
                if "{id}" in adresse:
                    parametres.append(SI_MEME)
                    refus = (*refus, 412)
            else:
                parametres.append(SI_AUTRE)
                operation["responses"]["200"]["headers"] = ETAG
                operation["responses"]["304"] = {"description": "Rien n’a changé.", "headers": ETAG}
            for statut in refus:
                operation["responses"][str(statut)] = {
                    "description": ", ou ".join(titres[statut]),
                    "content": contenu,
                }
    return result


@lru_cache(maxsize=1)
def schema_openapi() -> dict:
    """The schema of the API: the same for everybody, made once by each process."""
    return SchemaGenerator().get_schema(request=None, public=True)


# --- Pages ------------------------------------------------------------------------------------------------------------


@login_not_required
@require_safe
def schema(request):
    """The schema, open to all: it says what may be asked, and holds nothing of anybody."""
    return JsonResponse(schema_openapi(), content_type="application/vnd.oai.openapi+json;version=3.1")


@login_not_required
@require_safe
def documentation(request):
    """The same schema for people."""
    return render(
        request,
        "config/api.html",
        {
            "adresse": settings.SITE_URL,
            "rubriques": lire_schema(schema_openapi(), {chemin: titre for chemin, titre, _, _ in RESSOURCES}),
            "problemes": [
                (code, statut, typographier(titre), typographier(sens))
                for code, (statut, titre, sens) in CATALOGUE.items()
            ],
        },
    )


@extend_schema(exclude=True)
class Inconnue(APIView):
    """An address of the API that names nothing answers as the API does."""

    def get(self, request, **kwargs):
        raise Http404

    post = put = patch = delete = get


routeur = SimpleRouter()
for _chemin, _, _vue, _nom in RESSOURCES:
    routeur.register(_chemin, _vue, basename=_nom)

urlpatterns = [
    path("schema/", schema, name="schema"),
    path("documentation/", documentation, name="documentation"),
    path("v1/", include(routeur.urls)),
    re_path(r"^v1/.*$", Inconnue.as_view(), name="inconnue"),
]
