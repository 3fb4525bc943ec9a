"""Labels of households: the ground of one, shown on demand and written down."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_POST

from publics.models import Labellisation
from publics.services.lectures import lire_motif
from reservation.views.porte import ouvrir


@require_POST
def motif(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a household is a priority: asked for with a button (a reading is written), never by following a link."""
    label = ouvrir(Labellisation.objects.select_related("categorie", "preuve"), request.acteur, pk=pk)
    depuis = request.htmx.current_url or request.headers.get("Referer") or request.path
    lu = lire_motif(request.acteur, label, urlsplit(depuis).path)
    gabarit = "publics/labellisations/_motif.html" if request.htmx else "publics/labellisations/motif.html"
    return render(request, gabarit, {"motif": lu})


urlpatterns = [path("labellisations/<identifiant:pk>/motif/", motif, name="motif_label")]
