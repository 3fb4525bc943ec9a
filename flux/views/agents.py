"""Agents of the État who were attributed a dwelling: the three conditions, and the préfet's answer."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from flux.models import Attribution
from flux.services import agents as services
from publics.forms import motifs
from publics.models import MotifLabel
from reservation.forms.champs import ChampObjet
from reservation.views.porte import ouvrir

PAR_PAGE = 50


class FormulaireReponse(forms.Form):
    """Grant, or refuse with a coded reason."""

    motif = ChampObjet(label="Motif du refus", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["motif"].proposer(motifs(MotifLabel.Acte.AGENT))


def _annee(request: HttpRequest) -> int | None:
    texte = request.GET.get("annee", "")
    return int(texte) if texte.isascii() and texte.isdecimal() and len(texte) == 4 else None


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Attributions to self-declared agents, those that wait for an answer first if asked for."""
    if not (request.acteur.est_bailleur or request.acteur.est_service_etat):
        raise Http404
    attente = services.a_signaler(request.acteur)
    lignes = (
        attente if request.GET.get("quoi") == "attente" else services.attributions_d_agents(request.acteur)
    )
    annee = _annee(request)
    if annee:
        lignes = lignes.filter(date_caleol__year=annee)
    page = Paginator(
        lignes.select_related("liberation__commune", "bailleur", "menage").order_by("-date_caleol", "-pk"),
        PAR_PAGE,
    ).get_page(request.GET.get("page"))
    return render(
        request,
        "flux/agents/liste.html",
        {
            "page": page,
            "suivis": services.suivre(page.object_list),
            "en_attente": attente.count(),
            "quoi": request.GET.get("quoi", ""),
            "annee": annee or "",
            "base_page": "".join(
                f"{nom}={valeur}&"
                for nom, valeur in (
                    ("quoi", "attente" if request.GET.get("quoi") == "attente" else ""),
                    ("annee", annee),
                )
                if valeur
            ),
            "repond": request.acteur.est_service_etat and request.acteur.peut_gerer,
            "form": FormulaireReponse(auto_id=False),
            "jour": timezone.localdate(),
        },
    )


@require_POST
def repondre(request: HttpRequest, pk: int) -> HttpResponse:
    """The préfet's answer, even after the CALEOL."""
    attribution = ouvrir(Attribution.objects.filter(agent=True), request.acteur, pk=pk)
    if not (request.acteur.est_service_etat and request.acteur.peut_gerer):
        raise PermissionDenied("La priorité d’un agent s’accorde à la DDETS ou à la préfecture (SGC).")
    form = FormulaireReponse(request.POST)
    refuse = "refuser" in request.POST
    if not form.is_valid() or refuse and not form.cleaned_data["motif"]:
        messages.error(request, "Un refus porte un motif : choisissez-le dans la liste, puis refusez.")
        return redirect("flux:agents")
    try:
        services.decider(request.acteur, attribution, motif=form.cleaned_data["motif"] if refuse else None)
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    else:
        messages.success(
            request,
            "Priorité refusée : l’attribution ne compte pas au titre des agents."
            if refuse
            else "Priorité accordée : l’attribution compte au titre des agents dès que le bail est signé et le logement conforme.",
        )
    return redirect("flux:agents")


urlpatterns = [
    path("agents-de-l-etat/", liste, name="agents"),
    path("agents-de-l-etat/<identifiant:pk>/repondre/", repondre, name="agent_repondre"),
]
