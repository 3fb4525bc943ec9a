"""A convention, an arrêté or an avenant as a PDF, from its page: a draft under its watermark, or ready to sign."""

import re

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from reservation.documents.convention import composer_acte, rendre_acte
from reservation.models import Convention, VersionConvention
from reservation.services.conventions import verifier

from .porte import ouvrir


@require_safe
def acte_pdf(request: HttpRequest, pk: int, rang: int) -> HttpResponse:
    """The version `rang`. A draft that the rules refuse keeps its watermark: it cannot be signed; `?projet=1` asks for it."""
    convention = ouvrir(
        Convention.objects.select_related("bailleur", "reservataire", "departement"), request.acteur, pk=pk
    )
    versions = list(
        VersionConvention.objects.visibles_par(request.acteur)
        .filter(convention=convention)
        .select_related("bailleur", "reservataire", "departement")
        .prefetch_related("communes")
        .order_by("rang")
    )
    for version in versions:
        version.convention = convention
    voulue = next((v for v in versions if v.rang == rang), None)
    if voulue is None:
        raise Http404("Cette version n’existe pas.")
    projet = request.GET.get("projet") == "1"
    if not projet and voulue.signee_le is None and (not voulue.taux or verifier(voulue).erreurs):
        raise PermissionDenied(
            "Cet acte n’est pas prêt à signer : corrigez d’abord ce que la vérification refuse."
        )
    pdf = rendre_acte(composer_acte(versions, rang, projet=projet))
    nom = re.sub(r"[^A-Za-z0-9]+", "-", convention.numero).strip("-") or str(convention.pk)
    suffixe = f"-avenant-{rang}" if rang else ""
    return HttpResponse(
        pdf.octets,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{nom}{suffixe}{"-projet" if projet else ""}.pdf"'
        },
    )


urlpatterns = [path("conventions/<int:pk>/acte-<int:rang>.pdf", acte_pdf, name="acte_pdf")]
