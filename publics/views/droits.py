"""Rights of persons, and what answers for them: one household by its number, the readings, for the DPO."""

import json
from collections.abc import Sequence

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from publics.forms import FormulaireMenage
from publics.models import LectureSensible
from publics.services import droits as services
from reservation.acteur import Role

PAR_PAGE = 50


def _fil():
    return [("Données personnelles", reverse("publics:donnees_personnelles"))]


@sensitive_post_parameters("numero_unique")
@require_http_methods(["GET", "HEAD", "POST"])
def menage(request: HttpRequest) -> HttpResponse:
    """What is kept of one person, shown or downloaded; the number travels in the body of a form, never in an address."""
    if not services.peut_repondre(request.acteur):
        raise Http404
    form = FormulaireMenage(request.POST if request.method == "POST" else None)
    fin, donnees, cherche = "", [], False
    if request.method == "POST" and form.is_valid():
        cherche = True
        fin, donnees = services.retrouver(
            request.acteur, form.cleaned_data["numero_unique"], reverse("publics:droits_menage")
        )
        if donnees and "exporter" in request.POST:
            return _export(fin, donnees)
    return render(
        request,
        "publics/droits/menage.html",
        {
            "form": form,
            "donnees": donnees,
            "cherche": cherche,
            "numero": form.cleaned_data["numero_unique"] if cherche else "",
            "fil": _fil(),
        },
        status=422 if form.errors else 200,
    )


def _export(fin: str, donnees: Sequence[services.Donnee]) -> HttpResponse:
    """The same rows as a file that a machine reads (RGPD, art. 15-3)."""
    corps = {
        "demande_se_terminant_par": fin,
        "etabli_le": timezone.localdate().isoformat(),
        "donnees": [{"rubrique": d.rubrique, "titre": d.titre, **dict(d.champs)} for d in donnees],
    }
    reponse = HttpResponse(
        json.dumps(corps, ensure_ascii=False, indent=1), content_type="application/json; charset=utf-8"
    )
    reponse["Content-Disposition"] = 'attachment; filename="donnees-de-la-personne.json"'
    return reponse


@require_safe
def lectures(request: HttpRequest) -> HttpResponse:
    """The journal of readings, for those who answer for them."""
    if Role.ADMINISTRATION not in request.acteur.roles:
        raise Http404
    lignes = LectureSensible.objects.visibles_par(request.acteur).select_related(
        "utilisateur", "organisation"
    )
    page = Paginator(lignes, PAR_PAGE).get_page(request.GET.get("page"))
    return render(request, "publics/droits/lectures.html", {"page": page, "fil": _fil()})


urlpatterns = [
    path("donnees-personnelles/personne/", menage, name="droits_menage"),
    path("donnees-personnelles/lectures/", lectures, name="lectures"),
]
