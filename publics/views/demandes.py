"""What a household asks, sizes and places: corrected by who may enter a label for it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from publics.forms import FormulaireDemande
from publics.models import DemandeMenage, Labellisation, Menage
from publics.services import labels as services
from publics.views.labels import ECRITURE, exiger_entree, reporter
from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.views.edition import Edition
from reservation.views.porte import ouvrir


@require_http_methods(ECRITURE)
def modifier(request: HttpRequest, pk: int) -> HttpResponse:
    """The household is the object; that it asks nothing is a request like another."""
    exiger_entree(request)
    acteur = request.acteur
    menage = ouvrir(Menage.objects.select_related("departement"), acteur, pk=pk)
    if not services.peut_noter_la_demande(acteur):
        raise PermissionDenied("La demande d’un ménage se modifie avec le rôle de gestion.")
    connue = DemandeMenage.objects.visibles_par(acteur).filter(menage=menage).first()
    edition = Edition(request, "menage", menage.pk)
    departement = services.departement_de_la_demande(acteur, menage)
    form = FormulaireDemande(
        request.POST if request.method == "POST" else None, demande=connue, departement=departement
    )
    retour = _retour(acteur, menage)
    if request.method == "POST" and form.is_valid():
        try:
            with edition.seul():
                services.enregistrer_demande(acteur, menage, departement, form.demande())
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            messages.success(request, f"Demande {menage} modifiée.")
            return redirect(retour)
    return render(
        request,
        "publics/labels/demande.html",
        {
            "menage": menage,
            "connue": connue,
            "form": form,
            "edition": edition,
            "retour": retour,
            "fil": [("Labels", reverse("publics:labels")), (f"Demande {menage}", retour)],
        },
        status=422 if form.errors else 200,
    )


def _retour(acteur, menage: Menage) -> str:
    """The last label of the household that the actor reads, else the list."""
    label = Labellisation.objects.visibles_par(acteur).filter(menage=menage).order_by("-debut", "-pk").first()
    return reverse("publics:label", args=[label.pk]) if label else reverse("publics:labels")


urlpatterns = [path("labels/menages/<identifiant:pk>/demande/", modifier, name="demande")]
