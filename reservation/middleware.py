"""The actor of each request, what its traces say, and what may be kept of the answers."""

from django.utils.cache import patch_vary_headers

from reservation import contexte
from reservation.acteur import Acteur
from reservation.perimetre import agir
from reservation.services.acces import acteur_de
from reservation.services.assistances import acteur_assiste
from reservation.services.jetons import acteur_du_jeton, jeton_de_secret, noter_usage

ADRESSE_API = "/api/"


class ActeurMiddleware:
    """Sets `request.acteur`, on whose behalf everything below is done; somebody not signed in sees no row.

    What is asked with GET or HEAD is only read: the database refuses the rest. A program that shows a token to the
    API (`request.jeton`) acts for the person of the token, whoever the cookies of the request may name.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.jeton = None
        if request.path_info.startswith(ADRESSE_API) and "Authorization" in request.headers:
            request.acteur = self._acteur_du_programme(request)
        else:
            request.acteur = self._acteur(request)
        with agir(request.acteur, lecture_seule=request.method in ("GET", "HEAD", "OPTIONS")):
            return self.get_response(request)

    @staticmethod
    def _acteur_du_programme(request):
        schema, _, secret = request.headers["Authorization"].partition(" ")
        jeton = jeton_de_secret(secret.strip()) if schema.lower() == "bearer" else None
        acteur = acteur_du_jeton(jeton) if jeton else None
        if acteur is None:
            return Acteur()
        noter_usage(jeton)
        request.jeton = jeton
        return acteur

    @staticmethod
    def _acteur(request):
        session = request.session
        return acteur_assiste(request.user, session.get("assistance_id")) or acteur_de(
            request.user, session.get("organisation_id")
        )


class TracesMiddleware:
    """Numbers each request (X-Request-Id, log lines, journal); what a request writes says who wrote it, and why.

    Only requests that may write ask who the actor is: a GET never writes.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with contexte.numeroter(getattr(request, "requete", "")) as requete:
            contexte.pour(request.acteur.organisation_id)
            if request.method in ("GET", "HEAD", "OPTIONS", "TRACE"):
                reponse = self.get_response(request)
            else:
                with contexte.tracer("", request.acteur):
                    reponse = self.get_response(request)
            reponse.headers["X-Request-Id"] = requete
            return reponse

    def process_view(self, request, view_func, view_args, view_kwargs):
        origine = request.resolver_match.view_name
        contexte.situer(f"{origine} (jeton {request.jeton.pk})" if request.jeton else origine)


class PagesPriveesMiddleware:
    """What was answered stays in no cache, neither of a proxy nor of a shared computer: to somebody, it is theirs; to
    nobody, it may hold a form, or the state of the moment.

    Only the answers that say otherwise themselves are left alone; static files do not come here.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        reponse = self.get_response(request)
        if not reponse.has_header("Cache-Control"):
            reponse.headers["Cache-Control"] = "private, no-store"
        if request.path_info.startswith(ADRESSE_API):
            patch_vary_headers(reponse, ["Authorization"])
        return reponse


# What a page of ours never asks of the browser.
FONCTIONS_INTERDITES = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
    "gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "usb",
    "xr-spatial-tracking",
)  # fmt: skip


class EntetesDeSecuriteMiddleware:
    """Headers that Django does not set: no device of the browser, no reading of our answers by another site."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.permissions = ", ".join(f"{fonction}=()" for fonction in FONCTIONS_INTERDITES)

    def __call__(self, request):
        reponse = self.get_response(request)
        reponse.headers.setdefault("Permissions-Policy", self.permissions)
        reponse.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return reponse
