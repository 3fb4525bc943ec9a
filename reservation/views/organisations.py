"""Organisations under the responsibility of a DDETS or a DREAL: list, creation, change of name, merger."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from reservation import convertisseurs  # noqa: F401 (registers the converters of the addresses)
from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.forms.acces import FormulaireFusion, FormulaireNom, FormulaireOrganisation
from reservation.models import Organisation, Rattachement, cle_de_tri
from reservation.services.fusions import effet_propose, fusionner_bailleurs, preparer_fusion
from reservation.services.organisations import (
    DoublonsPossibles,
    creer_organisation,
    renommer,
    types_possibles,
)
from reservation.views.acces import lire_ou_ecrire
from reservation.views.porte import ouvrir_pour_ecrire

PAR_PAGE = 50


def _exiger_responsable(acteur: Acteur) -> None:
    if not types_possibles(acteur):
        raise PermissionDenied(
            "Seuls les administrateurs d’une DDETS ou d’une DREAL gèrent les organisations."
        )


@require_GET
def liste(request: HttpRequest) -> HttpResponse:
    """Organisations of the perimeter; those without an administrator wait for their first one."""
    acteur = request.acteur
    _exiger_responsable(acteur)
    recherche = request.GET.get("q", "")[:150]
    actifs = Rattachement.objects.actifs()
    lignes = (
        Organisation.objects.modifiables_par(acteur)
        .annotate(
            personnes=Count("rattachements__utilisateur", Q(rattachements__in=actifs), distinct=True),
            administrateurs=Count(
                "rattachements__utilisateur",
                Q(rattachements__in=actifs.filter(role=Role.ADMINISTRATION)),
                distinct=True,
            ),
        )
        .order_by("nom_tri", "pk")
    )
    if cle := cle_de_tri(recherche):
        lignes = lignes.filter(Q(nom_tri__contains=cle) | Q(siren=cle.replace(" ", "")))
    page = Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page"))
    contexte = {
        "page": page,
        "recherche": recherche,
        "base_page": f"{urlencode({'q': recherche})}&" if recherche else "",
    }
    return render(request, "reservation/acces/organisations.html", contexte)


@lire_ou_ecrire
def creer(request: HttpRequest) -> HttpResponse:
    acteur = request.acteur
    _exiger_responsable(acteur)
    form = FormulaireOrganisation(request.POST if request.method == "POST" else None, acteur=acteur)
    doublons = []
    if form.is_valid():
        try:
            creee = creer_organisation(acteur, **form.cleaned_data)
        except DoublonsPossibles as erreur:
            doublons = erreur.organisations
            form.add_error("confirmer", erreur.messages)
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            messages.success(request, f"{creee.nom} est créée. Invitez son premier administrateur.")
            return redirect("reservation:inviter", creee.pk)
    contexte = {
        "form": form,
        "doublons": doublons,
        "fil": [("Organisations", reverse("reservation:organisations"))],
    }
    return render(
        request, "reservation/acces/organisation_creer.html", contexte, status=422 if form.errors else 200
    )


@lire_ou_ecrire
def changer_nom(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = ouvrir_pour_ecrire(Organisation.objects, request.acteur, pk=pk)
    form = FormulaireNom(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            renommer(request.acteur, organisation, **form.cleaned_data)
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            messages.success(request, "Le nom est changé ; l’ancien reste dans l’histoire.")
            return redirect("reservation:organisation_acces", pk)
    contexte = {
        "form": form,
        "organisation": organisation,
        "fil": [(organisation.nom, reverse("reservation:organisation_acces", args=[pk]))],
    }
    return render(
        request, "reservation/acces/organisation_nom.html", contexte, status=422 if form.errors else 200
    )


@lire_ou_ecrire
def fusion(request: HttpRequest, pk: int) -> HttpResponse:
    """A bailleur is absorbed by another from a chosen day: choice, what would follow and what stands in the way, act."""
    acteur = request.acteur
    absorbe = ouvrir_pour_ecrire(Organisation.objects, acteur, pk=pk)
    _exiger_responsable(acteur)
    if absorbe.type != TypeOrganisation.BAILLEUR or absorbe.fermee_le:
        raise Http404
    form = FormulaireFusion(
        request.POST if request.method == "POST" else None,
        absorbants=Organisation.objects.modifiables_par(acteur)
        .bailleurs()
        .filter(fermee_le=None)
        .exclude(pk=pk)
        .order_by("nom_tri", "pk"),
        initial={"effet": effet_propose()},
    )
    contexte = {
        "form": form,
        "absorbe": absorbe,
        "prevue": None,
        "fil": [(absorbe.nom, reverse("reservation:organisation_acces", args=[pk]))],
    }
    if form.is_valid():
        absorbant, effet = form.cleaned_data["absorbant"], form.cleaned_data["effet"]
        try:
            if "confirmer" in request.POST:
                fusionner_bailleurs(acteur, absorbe, absorbant, effet)
                messages.success(request, f"{absorbe.nom} est absorbé par {absorbant.nom}.")
                return redirect("reservation:organisation_acces", absorbant.pk)
            if "modifier" not in request.POST:
                contexte["prevue"] = preparer_fusion(acteur, absorbe, absorbant, effet)
        except ValidationError as erreur:
            form.reporter(erreur)
    return render(request, "reservation/acces/fusion.html", contexte, status=422 if form.errors else 200)


urlpatterns = [
    path("organisations/", liste, name="organisations"),
    path("organisations/creer/", creer, name="organisation_creer"),
    path("organisations/<identifiant:pk>/fusion/", fusion, name="fusion"),
    path("organisations/<identifiant:pk>/nom/", changer_nom, name="organisation_nom"),
]
