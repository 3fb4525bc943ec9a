"""Everything that the API refuses is a problem (RFC 9457) in French: what, where, what was received and expected.

`type` is the address of its paragraph in the documentation. What came in is shown back, shortened; a numéro unique never.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig, ValidationError
from django.db import IntegrityError
from django.http import Http404
from django.utils.functional import Promise
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from reservation.contexte import requete_courante
from reservation.regles.typographie import typographier

TYPE = "application/problem+json"
MONTRE = 80  # characters of a received value that are shown back

# Code → (status, title, what it means and what to do), in the order of the documentation.
CATALOGUE: dict[str, tuple[int, str, str]] = {
    "json-illisible": (
        400,
        "Corps illisible",
        "Le corps n’est pas du JSON en UTF-8, ou n’est pas un objet. Corrigez-le avant de renvoyer.",
    ),
    "champs-refuses": (
        400,
        "Champs refusés",
        "Un champ manque, est inconnu ou n’a pas la forme attendue. « erreurs » nomme chaque champ, ce qui a été "
        "reçu et ce qui était attendu.",
    ),
    "cle-absente": (
        400,
        "Idempotency-Key absente ou mal formée",
        "Chaque POST porte un en-tête Idempotency-Key de 1 à 128 caractères ASCII visibles, un UUID par exemple.",
    ),
    "non-authentifie": (
        401,
        "Accès non reconnu",
        "Le jeton manque, est inconnu, expiré ou révoqué, ou la personne n’a plus d’accès à l’organisation.",
    ),
    "interdit": (403, "Refusé", "Le jeton, ou la personne, peut lire cet objet, non le modifier."),
    "hors-portee": (
        403,
        "Hors des portées de l’accès",
        "Cet accès n’a pas été ouvert pour ces ressources, ou pas pour les écrire. « portees » de « moi » dit les siennes ; "
        "un administrateur en ouvre un autre.",
    ),
    "introuvable": (
        404,
        "Introuvable",
        "Rien ne se trouve à cette adresse dans votre périmètre. L’objet d’un autre répond comme l’objet qui "
        "n’existe pas.",
    ),
    "methode-refusee": (405, "Méthode refusée", "L’en-tête Allow dit ce que cette adresse accepte."),
    "conflit": (
        409,
        "Conflit",
        "Une autre demande a changé ou occupe la même chose au même moment. Relisez, puis renvoyez.",
    ),
    "version-depassee": (
        412,
        "Version dépassée",
        "L’objet a changé depuis la version que nomme If-Match. Relisez-le, puis renvoyez avec son ETag.",
    ),
    "trop-volumineux": (413, "Corps trop volumineux", "Un corps tient en cinq mégaoctets."),
    "format-refuse": (415, "Format refusé", "Le corps s’envoie en Content-Type: application/json."),
    "regle": (
        422,
        "Contraire à une règle",
        "La demande est bien formée, et une règle de gestion l’écarte. « detail » ou « erreurs » dit laquelle.",
    ),
    "cle-deja-prise": (
        422,
        "Idempotency-Key déjà prise",
        "Cette clé a servi à une autre demande dans les dernières vingt-quatre heures. Tirez-en une nouvelle.",
    ),
    "trop-de-demandes": (
        429,
        "Trop de demandes",
        "La limite est atteinte. Attendez le nombre de secondes de l’en-tête Retry-After.",
    ),
    "indisponible": (
        503,
        "Service indisponible",
        "Le site est en maintenance, ou sa base ne répond pas. Rien n’a été écrit : renvoyez la même demande, avec la "
        "même clé, après le nombre de secondes de l’en-tête Retry-After.",
    ),
}


@dataclass(frozen=True, slots=True)
class Erreur:
    """One field: its name, what was received (None: nothing), what was expected, and the sentence."""

    champ: str
    recu: str | None
    attendu: str
    message: str


class Probleme(exceptions.APIException):
    """A refusal by its code in the catalogue."""

    def __init__(self, code: str, detail: str = "", erreurs: Iterable[Erreur] = ()) -> None:
        self.code = code
        self.erreurs = list(erreurs)
        super().__init__(detail or CATALOGUE[code][2])
        self.status_code = CATALOGUE[code][0]


def montrer(valeur: object) -> str:
    """A received value as JSON, short, in characters that any answer can hold."""
    texte = json.dumps(valeur, ensure_ascii=False, default=str)
    texte = texte.encode("utf-8", "backslashreplace").decode()
    return texte if len(texte) <= MONTRE else f"{texte[:MONTRE]}…"


def repondre(
    code: str,
    detail: str | Promise = "",
    erreurs: Iterable[Erreur] = (),
    entetes: dict[str, str] | None = None,
) -> Response:
    """The answer of one problem."""
    statut, titre, sens = CATALOGUE[code]
    corps = {
        "type": f"{settings.SITE_URL}/api/documentation/#{code}",
        "title": typographier(titre),
        "status": statut,
        "detail": typographier(str(detail) or sens),
        "instance": f"urn:uuid:{requete_courante()}" if requete_courante() else "about:blank",
        "erreurs": [asdict(erreur) for erreur in erreurs],
    }
    return Response(corps, status=statut, content_type=TYPE, headers=entetes)


def traiter(exc: Exception, context: dict) -> Response | None:
    """Exception handler of the API: None for what is nobody's refusal, and must be seen as an error of ours.

    A refusal undoes whatever the request had begun to write.
    """
    reponse = _traduire(exc, context)
    if reponse is not None:
        set_rollback()
    return reponse


def _traduire(exc: Exception, context: dict) -> Response | None:
    match exc:
        case Probleme():
            return repondre(exc.code, exc.detail, exc.erreurs)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return repondre(
                "non-authentifie",
                entetes={"WWW-Authenticate": getattr(exc, "auth_header", "") or 'Bearer realm="api"'},
            )
        case exceptions.Throttled():
            attente = math.ceil(exc.wait or 1)
            return repondre("trop-de-demandes", entetes={"Retry-After": str(attente)})
        case exceptions.ParseError():
            return repondre("json-illisible", exc.detail if exc.detail != exc.default_detail else "")
        case exceptions.UnsupportedMediaType():
            return repondre("format-refuse")
        case exceptions.MethodNotAllowed():
            return repondre("methode-refusee")
        case RequestDataTooBig():
            return repondre("trop-volumineux")
        case Http404() | exceptions.NotFound():
            return repondre("introuvable")
        case PermissionDenied() | exceptions.PermissionDenied():
            return repondre("interdit", str(exc))
        case ValidationError():
            return _refus_d_un_service(exc, context["request"])
        case IntegrityError():
            return repondre("conflit")
    return None


def _refus_d_un_service(refus: ValidationError, request) -> Response:
    """What a service refused, beside the field that the program sent when it names one."""
    if not hasattr(refus, "error_dict"):
        return repondre("regle", " ".join(refus.messages))
    envoye = request.data if isinstance(request.data, dict) else {}
    generaux, erreurs = [], []
    for champ, messages in refus.message_dict.items():
        phrases = [typographier(message) for message in messages]
        if champ == NON_FIELD_ERRORS or champ not in envoye:
            generaux += phrases
        else:
            erreurs += [Erreur(champ, montrer(envoye[champ]), phrase, phrase) for phrase in phrases]
    return repondre("regle", " ".join(generaux) or " ".join(e.message for e in erreurs), erreurs)
