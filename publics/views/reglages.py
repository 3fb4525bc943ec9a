"""Priorities of a département: what holds, what is prepared, the models, the preview, the date."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from publics.forms import FormulaireReglage
from publics.models import CategorieLabel, ReglagePriorite
from publics.services import reglages as services
from publics.views.labels import ECRITURE, exiger_entree, peut_decider, reporter
from reservation.models import Departement


def _departement(request: HttpRequest, code: str) -> Departement:
    """A setting is known of all the partners of its département; its DDETS alone writes it."""
    exiger_entree(request)
    departement = get_object_or_404(Departement, pk=code)
    if request.acteur.est_service_etat and code not in request.acteur.departements:
        raise Http404
    return departement


def _exiger_ecriture(request: HttpRequest, code: str) -> None:
    if not (peut_decider(request.acteur) and code in request.acteur.departements):
        raise PermissionDenied(
            "Les priorités d’un département se règlent à sa DDETS, avec le rôle de gestion."
        )


@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """What holds today, what is prepared, what held before."""
    departement = _departement(request, code)
    jour = timezone.localdate()
    reglage = services.reglage_le(code, jour)
    categories = list(CategorieLabel.objects.order_by("rang"))
    cases = {c.pk: [case for case, pour in reglage.cases.items() if pour == c.pk] for c in categories}
    return render(
        request,
        "publics/reglages/page.html",
        {
            "departement": departement,
            "reglage": reglage,
            "ordre": services.decrire_ordre(reglage.criteres),
            "lignes": [
                (
                    c,
                    reglage.groupes[c.pk],
                    ", ".join(sorted(cases[c.pk], key=lambda case: (len(case), case))),
                )
                for c in categories
            ],
            "prepares": ReglagePriorite.objects.filter(departement=code, debut__gt=jour).order_by("debut"),
            "anciens": ReglagePriorite.objects.filter(departement=code, debut__lte=jour).order_by("-debut"),
            "modeles": services.modeles().values(),
            "ecrit": peut_decider(request.acteur) and code in request.acteur.departements,
        },
    )


@require_http_methods(ECRITURE)
def modifier(request: HttpRequest, code: str) -> HttpResponse:
    """Start from what holds or from a model, read what it changes, then date it."""
    departement = _departement(request, code)
    _exiger_ecriture(request, code)
    jour = timezone.localdate()
    actuel = services.reglage_le(code, jour)
    nom = request.POST.get("modele") if request.method == "POST" else request.GET.get("modele")
    modele = services.modeles().get(nom or "")
    depart = services.reglage_du_modele(nom) if modele else actuel
    form = FormulaireReglage(
        request.POST if request.method == "POST" else None,
        reglage=depart,
        initial={"debut": jour + timedelta(days=1)},
    )
    changements = services.comparer(actuel, depart) if modele else None
    if request.method == "POST" and form.is_valid():
        debut = form.cleaned_data["debut"]
        reglage = form.reglage()
        changements = services.comparer(services.reglage_le(code, debut), reglage)
        if "appliquer" in request.POST:
            try:
                services.appliquer(request.acteur, departement, reglage, debut)
            except ValidationError as erreur:
                reporter(form, erreur)
            else:
                messages.success(
                    request, f"Réglage enregistré : il vaut pour les CALEOL à partir du {debut:%d/%m/%Y}."
                )
                return redirect("publics:reglages", code)
    return render(
        request,
        "publics/reglages/modifier.html",
        {
            "departement": departement,
            "form": form,
            "modele": modele,
            "changements": changements,
            "fil": [("Labels", "/labels/"), ("Priorités du département", f"/labels/priorites/{code}/")],
        },
        status=422 if form.errors else 200,
    )


@require_POST
def abandonner(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    _departement(request, code)
    _exiger_ecriture(request, code)
    reglage = get_object_or_404(ReglagePriorite, pk=pk, departement=code)
    try:
        services.abandonner(request.acteur, reglage)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    else:
        messages.success(request, "Réglage abandonné.")
    return redirect("publics:reglages", code)


urlpatterns = [
    path("labels/priorites/<str:code>/", page, name="reglages"),
    path("labels/priorites/<str:code>/modifier/", modifier, name="reglages_modifier"),
    path("labels/priorites/<str:code>/<identifiant:pk>/abandonner/", abandonner, name="reglage_abandonner"),
]
