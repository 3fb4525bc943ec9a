"""Support in somebody's place: begin, with a reason; quit, from the banner of every page."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from reservation.forms.assistance import FormulaireAssistance
from reservation.models import Assistance
from reservation.services.assistances import commencer_assistance, finir_assistance

DERNIERES = 20


@require_http_methods(["GET", "HEAD", "POST"])
def commencer(request: HttpRequest) -> HttpResponse:
    if not request.user.is_staff:
        raise PermissionDenied("Cette page est celle de l’assistance.")
    formulaire = FormulaireAssistance(request.POST or None)
    if request.method == "POST" and request.acteur.en_assistance:
        # What begins would be written down as done by the person helped now.
        formulaire.add_error(None, "Une assistance est en cours : quittez-la d’abord.")
    elif request.method == "POST" and formulaire.is_valid():
        try:
            assistance = commencer_assistance(
                request.user,
                formulaire.utilisateur,
                formulaire.cleaned_data["organisation"],
                formulaire.cleaned_data["motif"],
            )
        except ValidationError as erreur:
            formulaire.add_error(None, erreur)
        else:
            request.session["assistance_id"] = assistance.pk
            return redirect("accueil")
    return render(
        request,
        "reservation/traces/assistance.html",
        {
            "form": formulaire,
            "dernieres": Assistance.objects.filter(assistant=request.user).select_related(
                "utilisateur", "organisation"
            )[:DERNIERES],
        },
        status=422 if formulaire.errors else 200,
    )


@require_POST
def quitter(request: HttpRequest) -> HttpResponse:
    if not request.user.is_staff:
        raise PermissionDenied("Cette page est celle de l’assistance.")
    finir_assistance(request.user)
    request.session.pop("assistance_id", None)
    return redirect("reservation:assistance")


urlpatterns = [
    path("assistance/", commencer, name="assistance"),
    path("assistance/quitter/", quitter, name="assistance_quitter"),
]
