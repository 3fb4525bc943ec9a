"""Pages that belong to no room: home, organisations, help. Sign-in is in config/comptes."""

import sys
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from config.accessibilite import lire_grille
from config.accueil import tableau_d_accueil
from config.exploitation.etat import base_presente
from config.exploitation.middleware import probleme_503
from config.glossaire import TERMES
from config.navigation import plan
from reservation.exports import FORMATS
from reservation.middleware import ADRESSE_API
from reservation.services.acces import organisations_de

# The contact is that of a site that runs: said again each day, for three months.
DUREE_SECURITY_TXT = timedelta(days=90)


def accueil(request):
    """First screen of everyone: where I stand, what waits, the one button I came for."""
    return render(
        request,
        "config/accueil.html",
        {
            "tableau": tableau_d_accueil(
                request.acteur, risque=request.GET.get("risque", ""), choix=request.GET
            ),
            "formats": FORMATS,
        },
    )


@require_POST
def changer_organisation(request):
    """Act for another of one's organisations; a foreign one is a 404."""
    demandee = request.POST.get("organisation", "")
    organisation = get_object_or_404(
        organisations_de(request.user), pk=demandee if demandee.isdecimal() and len(demandee) < 19 else 0
    )
    request.session["organisation_id"] = organisation.pk
    return redirect("accueil")


@login_not_required
def aide(request):
    return render(request, "config/aide.html")


@login_not_required
def glossaire(request):
    return render(request, "config/glossaire.html", {"termes": TERMES})


@login_not_required
def accessibilite(request):
    """The declaration of accessibility, made from the audit grid."""
    return render(
        request,
        "config/accessibilite.html",
        {
            "grille": lire_grille(),
            "entite": settings.RESPONSABLE_TRAITEMENT,
            "contact": settings.ACCESSIBILITE_CONTACT,
        },
    )


@login_not_required
def accessibilite_grille(request):
    return render(request, "config/accessibilite_grille.html", {"grille": lire_grille()})


@login_not_required
def plan_du_site(request):
    """Every room of whoever asks, by group, and the pages that are everybody's."""
    return render(request, "config/plan_du_site.html", {"groupes": plan(request.acteur)})


@login_not_required
@require_safe
def security_txt(request):
    """Where to report a vulnerability (RFC 9116); a site that names nobody has no such file."""
    if not settings.SECURITY_TXT_CONTACT:
        raise Http404
    expire = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + DUREE_SECURITY_TXT
    lignes = [
        f"Contact: {settings.SECURITY_TXT_CONTACT}",
        f"Expires: {expire:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: fr, en",
        f"Canonical: {request.build_absolute_uri()}",
    ]
    return HttpResponse("\n".join(lignes) + "\n", content_type="text/plain; charset=utf-8")


REESSAYER = 30  # seconds: a database that restarts


def erreur_500(request):
    """Neither the database nor the session is asked: the actor, when it is known, says whether somebody assists.

    A database that does not answer is a 503: nothing is wrong with the request, it may be sent again. The API says it its way.
    """
    base_absente = isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)) and not base_presente()
    if request.path_info.startswith(ADRESSE_API) and base_absente:
        reponse = probleme_503(
            "La base de données ne répond pas. Renvoyez la demande dans un moment.", request
        )
    else:
        acteur = getattr(request, "acteur", None)
        contexte = {
            "en_assistance": acteur is not None and acteur.en_assistance,
            "requete": getattr(request, "requete", ""),
        }
        page = render_to_string("503.html" if base_absente else "500.html", contexte)
        reponse = HttpResponse(page, status=503 if base_absente else 500)
    if base_absente:
        reponse.headers["Retry-After"] = str(REESSAYER)
    return reponse
