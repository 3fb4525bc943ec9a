"""« Accès API » of an organisation: which programs act for whom, until when; the secret, shown once to its person."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reservation import convertisseurs  # noqa: F401 (registers the converters of the addresses)
from reservation.forms.jetons import FormulaireJeton
from reservation.models import JetonApi, Organisation
from reservation.services import jetons as services
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

REVOQUES_MONTRES = 20


def _fil(organisation: Organisation) -> list[tuple[str, str]]:
    return [(organisation.nom, reverse("reservation:organisation_acces", args=[organisation.pk]))]


@require_GET
def jetons(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = ouvrir_pour_ecrire(Organisation.objects, request.acteur, pk=pk)
    siens = (
        JetonApi.objects.visibles_par(request.acteur)
        .filter(organisation=organisation)
        .select_related("utilisateur", "cree_par", "revoque_par")
    )
    en_vigueur = list(siens.en_vigueur())
    finis = list(siens.exclude(pk__in=[j.pk for j in en_vigueur])[:REVOQUES_MONTRES])
    usages = services.lire_usages([*en_vigueur, *finis])
    for jeton in (*en_vigueur, *finis):
        jeton.dernier_usage = usages.get(jeton.pk)
    return render(
        request,
        "reservation/jetons/liste.html",
        {
            "organisation": organisation,
            "chez_soi": organisation.pk == request.acteur.organisation_id,
            "en_vigueur": en_vigueur,
            "finis": finis,
            "fil": _fil(organisation),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def jeton_creer(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = ouvrir_pour_ecrire(Organisation.objects, request.acteur, pk=pk)
    if organisation.pk != request.acteur.organisation_id:
        raise PermissionDenied("Un accès API s’ouvre dans l’organisation, par ses administrateurs.")
    form = FormulaireJeton(request.POST if request.method == "POST" else None, organisation=organisation)
    if form.is_valid():
        donnees = form.cleaned_data
        try:
            jeton = services.ouvrir_jeton(
                request.acteur,
                organisation,
                donnees["personne"],
                nom=donnees["nom"],
                role=donnees["role"],
                fin=donnees["fin"],
                portees=donnees["portees"],
                bac_a_sable=donnees.get("bac_a_sable", False),
            )
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            suite = "affichez son secret depuis « Mes accès »"
            if jeton.utilisateur_id != request.acteur.utilisateur_id:
                suite = f"{jeton.utilisateur.nom} reçoit un courriel pour en afficher le secret"
            messages.success(request, f"L’accès API est ouvert ; {suite}.")
            return redirect("reservation:jetons", organisation.pk)
    contexte = {
        "form": form,
        "organisation": organisation,
        "fil": [*_fil(organisation), ("Accès API", reverse("reservation:jetons", args=[organisation.pk]))],
    }
    return render(request, "reservation/jetons/creer.html", contexte, status=422 if form.errors else 200)


@require_POST
def jeton_revoquer(request: HttpRequest, pk: int) -> HttpResponse:
    jeton = ouvrir_pour_ecrire(
        JetonApi.objects.select_related("organisation", "utilisateur"), request.acteur, pk=pk
    )
    try:
        services.revoquer_jeton(request.acteur, jeton)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(
            request, f"L’accès API de « {jeton.nom} » est révoqué ; son secret ne vaut plus rien."
        )
    if request.acteur.peut_administrer:
        return redirect("reservation:jetons", jeton.organisation_id)
    return redirect("reservation:mes_acces")


@require_POST
def jeton_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer to the POST is the only place where the secret ever is."""
    jeton = ouvrir(JetonApi.objects.select_related("organisation"), request.acteur, pk=pk)
    try:
        secret = services.tirer_secret(request.acteur, jeton)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
        return redirect("reservation:mes_acces")
    return render(request, "reservation/jetons/secret.html", {"jeton": jeton, "secret": secret})


urlpatterns = [
    path("organisations/<identifiant:pk>/acces-api/", jetons, name="jetons"),
    path("organisations/<identifiant:pk>/acces-api/ouvrir/", jeton_creer, name="jeton_creer"),
    path("acces-api/<identifiant:pk>/revoquer/", jeton_revoquer, name="jeton_revoquer"),
    path("acces-api/<identifiant:pk>/secret/", jeton_secret, name="jeton_secret"),
]
