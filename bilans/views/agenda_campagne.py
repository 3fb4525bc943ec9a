"""The calendar of the campaigns of an organisation: a secret address that its own calendar software reads, without signing in."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from bilans.services import campagnes
from flux.services import agendas


@login_not_required
@require_safe
def calendrier(request: HttpRequest, secret: str) -> HttpResponse:
    """The feed. An address that was taken back, or never was, opens nothing, and does not say which."""
    if trop := ratelimit.consume_or_429(request, action="agenda", limit_get=True):
        return trop
    texte = campagnes.calendrier_du_secret(secret)
    if texte is None:
        raise Http404
    return HttpResponse(
        texte,
        content_type="text/calendar; charset=utf-8",
        headers={
            "Content-Disposition": 'inline; filename="campagnes.ics"',
            "Cache-Control": "private, max-age=900",
            "X-Robots-Tag": "noindex",
        },
    )


@require_POST
def renouveler(request: HttpRequest) -> HttpResponse:
    """Make the secret address, or another one in its place."""
    agendas.renouveler_adresse(request.acteur, agendas.Sujet.CAMPAGNE)
    messages.success(
        request, "Adresse d’agenda créée. La précédente, s’il y en avait une, n’ouvre plus rien."
    )
    return redirect("bilans:campagnes")


@require_POST
def retirer(request: HttpRequest) -> HttpResponse:
    agendas.retirer_adresse(request.acteur, agendas.Sujet.CAMPAGNE)
    messages.success(request, "Adresse d’agenda retirée : elle n’ouvre plus rien.")
    return redirect("bilans:campagnes")


urlpatterns = [
    path("campagnes/agenda/renouveler/", renouveler, name="agenda_renouveler"),
    path("campagnes/agenda/retirer/", retirer, name="agenda_retirer"),
    path("campagnes/agenda/<slug:secret>.ics", calendrier, name="agenda"),
]
