"""The labelled households that fit a freed dwelling: a list in the order of the département, and one person who designates."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from flux.models import Designation, Liberation
from flux.services import designations
from flux.services.candidats_possibles import (
    candidats_possibles,
    designation_lisible,
    proposer_possible,
)
from publics.regles.groupes import Critere
from reservation import convertisseurs  # noqa: F401 (registers the converters of the paths below)
from reservation.views.porte import ouvrir

PAR_PAGE = 50


class _Pages(Paginator):
    """The page that the query already cut, and the number of all that fit."""

    def __init__(self, total: int) -> None:
        super().__init__(range(total), PAR_PAGE)


def _ouvrir(request, pk: int) -> tuple[Liberation, Designation]:
    liberation = ouvrir(Liberation.objects.select_related("commune", "bailleur"), request.acteur, pk=pk)
    designation = designation_lisible(request.acteur, liberation)
    if designation is None:
        raise Http404
    designation.liberation = liberation
    return liberation, designation


def _page_demandee(request) -> int:
    recu = request.GET.get("page", "")
    return int(recu) if recu.isascii() and recu.isdecimal() and 1 <= len(recu) <= 5 else 1


@require_safe
def liste(request, pk: int):
    liberation, designation = _ouvrir(request, pk)
    jour = timezone.localdate()
    numero = max(1, _page_demandee(request))
    lus = candidats_possibles(
        request.acteur, designation, jour, debut=(numero - 1) * PAR_PAGE, nombre=PAR_PAGE
    )
    if numero > 1 and not lus.candidats:  # fewer now than when the link was made
        return redirect("flux:candidats_possibles", pk)
    return render(
        request,
        "flux/candidats_possibles/liste.html",
        {
            "fil": [("Libérations", reverse("flux:liberations"))]
            if request.acteur.est_bailleur or request.acteur.est_service_etat
            else [("Logements à pourvoir", reverse("flux:liste_a_pourvoir"))],
            "liberation": liberation,
            "designation": designation,
            "lus": lus,
            "page": _Pages(lus.total).get_page(numero),
            "ordre": [Critere(critere).libelle for critere in lus.reglage.criteres],
            "designe": designations.peut_designer(request.acteur, designation),
            "restreinte": not request.acteur.est_ddets,
            "jour": jour,
        },
    )


@require_POST
def proposer(request, pk: int, menage: int):
    """One household, one act, one person: the same service as when its numéro unique is typed."""
    liberation, designation = _ouvrir(request, pk)
    if not designations.peut_designer(request.acteur, designation):
        raise PermissionDenied("Votre rôle permet de lire cette liste, non de désigner.")
    try:
        proposer_possible(request.acteur, designation, menage, timezone.localdate())
    except PermissionDenied:
        raise Http404 from None
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    else:
        messages.success(request, "Candidat proposé.")
    return redirect("flux:candidats_possibles", liberation.pk)


urlpatterns = [
    path("liberations/<identifiant:pk>/candidats/", liste, name="candidats_possibles"),
    path(
        "liberations/<identifiant:pk>/candidats/<identifiant:menage>/proposer/",
        proposer,
        name="candidat_possible_proposer",
    ),
]
