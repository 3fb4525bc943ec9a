"""The DDETS admits a label that came after the CALEOL, or no longer: what it changes is said before it is done."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods

from flux.forms_orientation import FormulaireException
from flux.models import Attribution, CodeMotif, ExceptionLabel, Liberation
from flux.services import exceptions
from flux.services.imputations import prevoir_exception
from flux.views.actes import reporter
from flux.views.titres import nommer_titre
from reservation.acteur import Acteur
from reservation.regles.typographie import typographier
from reservation.views.porte import ouvrir


def exceptions_de(acteur: Acteur, liberation: Liberation) -> list[ExceptionLabel]:
    """Every decision of the DDETS on this libération, for those who may read them."""
    return list(
        ExceptionLabel.objects.visibles_par(acteur)
        .filter(liberation=liberation)
        .select_related("motif", "faite_par")
    )


def labels_a_decider(
    acteur: Acteur, liberation: Liberation, attributions: list[Attribution]
) -> list[dict[str, Any]]:
    """Labels that came after the CALEOL, on which this actor may decide: with the attribution, admitted or not."""
    if acteur.systeme or not exceptions.peut_decider(acteur, liberation):
        return []
    admis = set(
        Attribution.labels_admis.through.objects.filter(attribution__in=attributions).values_list(
            "attribution_id", "labellisation_id"
        )
    )
    menages = {a.menage_id for a in attributions if a.menage_id}
    tous = list(exceptions.labels_des_menages(acteur, menages)) if menages else []
    return [
        {"attribution": a, "label": label, "admis": (a.pk, label.pk) in admis}
        for a in attributions
        for label in tous
        if label.menage_id == a.menage_id and label.debut > a.date_caleol
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def exception(request: HttpRequest, pk: int, label: int) -> HttpResponse:
    """Admit a label for an attribution; where it is admitted already, take the exception back."""
    attribution = ouvrir(
        Attribution.objects.select_related("liberation__commune", "liberation__bailleur", "menage"),
        request.acteur,
        pk=pk,
    )
    if not exceptions.peut_decider(request.acteur, attribution):
        raise PermissionDenied("Seule la DDETS du département admet un label, avec le rôle de gestion.")
    vise = get_object_or_404(exceptions.labels_posterieurs(request.acteur, attribution), pk=label)
    admis = attribution.labels_admis.filter(pk=vise.pk).exists()
    form = FormulaireException(
        request.POST if request.method == "POST" else None,
        acte=CodeMotif.Acte.CORRECTION if admis else CodeMotif.Acte.EXCEPTION,
    )
    if request.method == "POST" and form.is_valid():
        acte = exceptions.retirer_exception if admis else exceptions.admettre_label
        try:
            acte(request.acteur, attribution, vise, motif=form.cleaned_data["motif"])
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            fait = "Exception retirée" if admis else "Label admis par exception"
            messages.success(request, typographier(f"{fait} : l’imputation est recalculée."))
            return redirect("flux:liberation", attribution.liberation_id)
    return render(
        request,
        "flux/exceptions/exception.html",
        {
            "attribution": attribution,
            "liberation": attribution.liberation,
            "label": vise,
            "admis": admis,
            "effets": _effets(attribution, vise.pk, not admis),
            "form": form,
        },
        status=422 if form.errors else 200,
    )


def _effets(attribution: Attribution, label: int, admis: bool) -> list[dict[str, Any]]:
    """Year, title now, title afterwards: in the names that people know."""
    liberation = attribution.liberation
    return [
        {
            "annee": annee,
            "avant": nommer_titre(avant, liberation.reservataire),
            "apres": nommer_titre(apres, liberation.reservataire),
            "change": avant != apres,
        }
        for annee, (avant, apres) in prevoir_exception(attribution, label, admis).items()
    ]


urlpatterns = [
    path("attributions/<int:pk>/labels/<int:label>/exception/", exception, name="exception_label"),
]
