"""The calendar of a DDETS or of a bailleur: a secret address that its own calendar software reads, without signing in."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from flux.services import agendas


@login_not_required
@require_safe
def calendrier(request: HttpRequest, secret: str) -> HttpResponse:
    """The feed. An address that was taken back, or never was, opens nothing, and does not say which."""
    if trop := ratelimit.consume_or_429(request, action="agenda", limit_get=True):
        return trop
    texte = agendas.calendrier_du_secret(secret)
    if texte is None:
        raise Http404
    reponse = HttpResponse(texte, content_type="text/calendar; charset=utf-8")
    reponse.headers["Content-Disposition"] = 'inline; filename="caleol.ics"'
    reponse.headers["Cache-Control"] = "private, max-age=900"
    reponse.headers["X-Robots-Tag"] = "noindex"
    return reponse


@require_POST
def renouveler(request: HttpRequest) -> HttpResponse:
    """Make the secret address, or another one in its place."""
    agendas.renouveler_adresse(request.acteur)
    messages.success(
        request, "Adresse d’agenda créée. La précédente, s’il y en avait une, n’ouvre plus rien."
    )
    return redirect("flux:commissions")


@require_POST
def retirer(request: HttpRequest) -> HttpResponse:
    agendas.retirer_adresse(request.acteur)
    messages.success(request, "Adresse d’agenda retirée : elle n’ouvre plus rien.")
    return redirect("flux:commissions")


urlpatterns = [
    path("agenda/renouveler/", renouveler, name="agenda_renouveler"),
    path("agenda/retirer/", retirer, name="agenda_retirer"),
    path("agenda/<slug:secret>.ics", calendrier, name="agenda"),
]
