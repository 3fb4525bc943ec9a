"""The control files (ANCOLS): asked in one click, made by a task, downloaded, checked by anybody."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from bilans.models import DossierControle, Procedure
from bilans.services import dossiers_controle as services
from flux.services.lecture import presences_visibles
from reservation.views.porte import ouvrir


@require_safe
def liste(request):
    """The files asked, and the bailleurs for which one may be."""
    if not request.acteur.est_service_etat:
        raise Http404("Ces dossiers sont ceux des services de l’État.")
    dossiers = (
        DossierControle.objects.visibles_par(request.acteur)
        .select_related("bailleur", "reservataire", "departement", "procedure", "demande_par")
        .defer("octets")[:100]
    )
    return render(
        request,
        "bilans/dossiers/liste.html",
        {
            "fil": [("Bilans", reverse("bilans:liste")), ("Lettres", reverse("bilans:lettres"))],
            "dossiers": dossiers,
            "presences": presences_visibles(request.acteur)
            if request.acteur.est_ddets and request.acteur.peut_gerer
            else [],
            "en_cours": any(d.etat == DossierControle.Etat.EN_ATTENTE for d in dossiers),
        },
    )


@require_POST
def demander(request, bailleur: int, departement: str):
    """One click: the file of a bailleur in a département."""
    presence = get_object_or_404(
        presences_visibles(request.acteur).select_related("bailleur", "departement"),
        bailleur=bailleur,
        departement=departement,
    )
    if not request.acteur.est_ddets:
        raise PermissionDenied("Un dossier de contrôle est demandé par la DDETS du département.")
    return _demander(request, presence.bailleur, presence.departement)


@require_POST
def demander_procedure(request, pk: int):
    """One click: the file of one procedure, about a bailleur or about a réservataire."""
    procedure = ouvrir(
        Procedure.objects.select_related("bailleur", "reservataire", "departement"), request.acteur, pk=pk
    )
    return _demander(request, procedure.bailleur, procedure.departement, procedure)


def _demander(request, bailleur, departement, procedure=None):
    try:
        services.demander(request.acteur, bailleur, departement, procedure)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    else:
        messages.success(
            request, "Le dossier se prépare. Il est prêt en moins d’une minute : rechargez la page."
        )
    return redirect("bilans:dossiers")


@require_safe
def fichier(request, pk: int):
    dossier = ouvrir(
        DossierControle.objects.select_related("bailleur", "reservataire"), request.acteur, pk=pk
    )
    if dossier.octets is None:
        raise Http404("Ce dossier n’est pas encore prêt.")
    nom = f"dossier-{dossier.departement_id}-{dossier.objet.siren or dossier.objet.pk}-{dossier.pk}.zip"
    return HttpResponse(
        bytes(dossier.octets),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{nom}"'},
    )


urlpatterns = [
    path("lettres/dossiers/", liste, name="dossiers"),
    path(
        "lettres/dossiers/<identifiant:bailleur>/<departement:departement>/",
        demander,
        name="dossier_demander",
    ),
    path("lettres/dossiers/procedure/<identifiant:pk>/", demander_procedure, name="dossier_procedure"),
    path("lettres/dossiers/<identifiant:pk>.zip", fichier, name="dossier_zip"),
]
