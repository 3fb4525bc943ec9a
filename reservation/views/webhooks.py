"""« Webhooks » of an organisation: which addresses are told what changes, and what became of each message."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reservation import convertisseurs  # noqa: F401 (registers the converters of the addresses)
from reservation.forms.webhooks import FormulaireWebhook
from reservation.models import AbonnementWebhook, LivraisonWebhook, Organisation
from reservation.services import webhooks as services
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

LIVRAISONS_MONTREES = 100


def _chez_soi(request: HttpRequest, pk: int) -> Organisation:
    """The organisation, for its own administrators."""
    organisation = ouvrir(Organisation.objects, request.acteur, pk=pk)
    if organisation.pk != request.acteur.organisation_id or not request.acteur.peut_administrer:
        raise PermissionDenied("Les webhooks se règlent dans l’organisation, par ses administrateurs.")
    return organisation


def _fil(organisation: Organisation) -> list[tuple[str, str]]:
    return [(organisation.nom, reverse("reservation:organisation_acces", args=[organisation.pk]))]


def _fil_webhooks(organisation: Organisation) -> list[tuple[str, str]]:
    return [*_fil(organisation), ("Webhooks", reverse("reservation:webhooks", args=[organisation.pk]))]


@require_GET
def webhooks(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = _chez_soi(request, pk)
    abonnements = (
        AbonnementWebhook.objects.visibles_par(request.acteur)
        .filter(organisation=organisation)
        .annotate(
            derniere=Max("livraisons__remise_le"),
            en_attente=Count("livraisons", filter=Q(livraisons__etat=LivraisonWebhook.Etat.A_REMETTRE)),
        )
        .order_by("ferme_le", "nom", "pk")
    )
    return render(
        request,
        "reservation/webhooks/liste.html",
        {"organisation": organisation, "abonnements": list(abonnements), "fil": _fil(organisation)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_creer(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer to the POST is the only place where the secret is, until another is drawn."""
    organisation = _chez_soi(request, pk)
    form = FormulaireWebhook(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            abonnement = services.abonner(request.acteur, organisation, **form.cleaned_data)
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            contexte = {"abonnement": abonnement, "fil": _fil_webhooks(organisation)}
            return render(request, "reservation/webhooks/secret.html", contexte)
    contexte = {"form": form, "organisation": organisation, "fil": _fil_webhooks(organisation)}
    return render(request, "reservation/webhooks/creer.html", contexte, status=422 if form.errors else 200)


@require_POST
def webhook_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Another secret; the answer is the only place where it ever is."""
    abonnement = ouvrir_pour_ecrire(
        AbonnementWebhook.objects.select_related("organisation"), request.acteur, pk=pk
    )
    try:
        abonnement = services.renouveler_secret(request.acteur, abonnement)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
        return redirect("reservation:webhook", pk)
    contexte = {"abonnement": abonnement, "fil": _fil_webhooks(abonnement.organisation)}
    return render(request, "reservation/webhooks/secret.html", contexte)


@require_GET
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    abonnement = ouvrir(AbonnementWebhook.objects.select_related("organisation"), request.acteur, pk=pk)
    livraisons = LivraisonWebhook.objects.visibles_par(request.acteur).filter(abonnement=abonnement)
    seulement = request.GET.get("etat", "")
    if seulement in LivraisonWebhook.Etat.values:
        livraisons = livraisons.filter(etat=seulement)
    return render(
        request,
        "reservation/webhooks/detail.html",
        {
            "abonnement": abonnement,
            "livraisons": list(livraisons.order_by("-pk")[:LIVRAISONS_MONTREES]),
            "montrees": LIVRAISONS_MONTREES,
            "etats": [("", "Tous"), *LivraisonWebhook.Etat.choices],
            "seulement": seulement,
            "fil": _fil_webhooks(abonnement.organisation),
        },
    )


# Verb of the page → what it does, and what it says.
ACTES = {
    "suspendre": (services.suspendre, "« {} » est suspendu : plus rien ne part."),
    "reprendre": (services.reprendre_abonnement, "« {} » est en service ; ce qui attendait part."),
    "fermer": (services.fermer, "« {} » est fermé ; son secret ne signe plus rien."),
    "essai": (services.essayer, "Un message d’essai part vers « {} » ; sa réponse se lit ci-dessous."),
}


@require_POST
def webhook_acte(request: HttpRequest, pk: int, acte: str) -> HttpResponse:
    abonnement = ouvrir_pour_ecrire(
        AbonnementWebhook.objects.select_related("organisation"), request.acteur, pk=pk
    )
    faire, phrase = ACTES[acte]
    try:
        faire(request.acteur, abonnement)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(request, phrase.format(abonnement.nom))
    return redirect("reservation:webhook", abonnement.pk)


@require_POST
def livraison_rejouer(request: HttpRequest, pk: int) -> HttpResponse:
    livraison = ouvrir_pour_ecrire(
        LivraisonWebhook.objects.select_related("abonnement__organisation"), request.acteur, pk=pk
    )
    try:
        services.rejouer(request.acteur, livraison)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(request, "Le message part à nouveau, sous le même identifiant.")
    return redirect("reservation:webhook", livraison.abonnement_id)


urlpatterns = [
    path("organisations/<identifiant:pk>/webhooks/", webhooks, name="webhooks"),
    path("organisations/<identifiant:pk>/webhooks/ajouter/", webhook_creer, name="webhook_creer"),
    path("webhooks/<identifiant:pk>/", webhook, name="webhook"),
    path("webhooks/<identifiant:pk>/secret/", webhook_secret, name="webhook_secret"),
    *(
        path(f"webhooks/<identifiant:pk>/{acte}/", webhook_acte, {"acte": acte}, name=f"webhook_{acte}")
        for acte in ACTES
    ),
    path("webhooks/livraisons/<identifiant:pk>/rejouer/", livraison_rejouer, name="livraison_rejouer"),
]
