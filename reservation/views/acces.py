"""« Mon organisation » and « Mes accès »: who works for whom, with which roles, until when."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from reservation import convertisseurs  # noqa: F401 (registers the converters of the addresses)
from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.forms.acces import (
    FormulaireCompte,
    FormulaireDecision,
    FormulaireDemande,
    FormulaireFin,
    FormulaireInvitation,
    FormulaireRenouvellement,
    FormulaireRoles,
)
from reservation.models import (
    Courriel,
    DemandeAcces,
    EvenementAcces,
    Invitation,
    JetonApi,
    Organisation,
)
from reservation.services import habilitations
from reservation.services.habilitations import AccesPersonne
from reservation.views.porte import ouvrir, ouvrir_pour_ecrire

lire_ou_ecrire = require_http_methods(["GET", "HEAD", "POST"])
DERNIERS_ACTES = 20


def _saisie(request: HttpRequest) -> QueryDict | None:
    """What was typed, even nothing at all; None while the form is only shown."""
    return request.POST if request.method == "POST" else None


def _fil(organisation: Organisation) -> list[tuple[str, str]]:
    return [(organisation.nom, reverse("reservation:organisation_acces", args=[organisation.pk]))]


def _retour(organisation: Organisation) -> HttpResponse:
    return redirect("reservation:organisation_acces", organisation.pk)


# --- The organisation -----------------------------------------------------------------------------------------------


@require_GET
def mon_organisation(request: HttpRequest) -> HttpResponse:
    """The organisation that one acts for."""
    if not request.acteur.organisation_id:
        return redirect("reservation:mes_acces")
    return _page(request, request.acteur.organisation_id)


@require_GET
def organisation_acces(request: HttpRequest, pk: int) -> HttpResponse:
    """The same page for an organisation under one's responsibility (DDETS, DREAL)."""
    return _page(request, pk)


def _page(request: HttpRequest, pk: int) -> HttpResponse:
    acteur = request.acteur
    organisation = ouvrir(
        Organisation.objects.select_related("departement", "region", "absorbee_par"), acteur, pk=pk
    )
    administre = Organisation.objects.modifiables_par(acteur).filter(pk=pk).exists()
    chez_soi = pk == acteur.organisation_id
    if not (chez_soi or administre):
        raise PermissionDenied("Seuls ses membres et ses responsables voient qui travaille ici.")
    personnes = habilitations.personnes_de(organisation)
    contexte = {
        "organisation": organisation,
        "anciens_noms": organisation.anciens_noms.all(),
        "administre": administre,
        "chez_soi": chez_soi,
        "peut_fusionner": administre
        and (acteur.est_ddets or acteur.est_dreal)
        and organisation.type == TypeOrganisation.BAILLEUR
        and organisation.fermee_le is None,
        "personnes": personnes,
        "administrateurs": sum("ADMINISTRATION" in p.roles for p in personnes),
        "a_confirmer": sum(p.a_confirmer for p in personnes),
    }
    responsable = acteur.est_ddets or acteur.est_dreal
    contexte["fil"] = [("Organisations", reverse("reservation:organisations"))] if responsable else []
    if administre:
        contexte |= _pour_administrer(acteur, organisation)
    return render(request, "reservation/acces/organisation.html", contexte)


def _pour_administrer(acteur: Acteur, organisation: Organisation) -> dict:
    invitations = list(
        Invitation.objects.visibles_par(acteur)
        .filter(organisation=organisation)
        .en_attente()
        .select_related("invitee_par")
    )
    # The last e-mail of each invitation says whether it arrived.
    courriels = {
        courriel.invitation_id: courriel
        for courriel in Courriel.objects.filter(invitation__in=invitations).order_by("ecrit_le", "pk")
    }
    return {
        "invitations": [(invitation, courriels.get(invitation.pk)) for invitation in invitations],
        "demandes": list(
            DemandeAcces.objects.visibles_par(acteur)
            .filter(organisation=organisation, etat=DemandeAcces.Etat.EN_ATTENTE)
            .select_related("utilisateur")
        ),
        "actes": EvenementAcces.objects.visibles_par(acteur)
        .filter(organisation=organisation)
        .select_related("utilisateur", "par", "pour")[:DERNIERS_ACTES],
    }


@lire_ou_ecrire
def inviter(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = ouvrir_pour_ecrire(Organisation.objects, request.acteur, pk=pk)
    premiers = pk != request.acteur.organisation_id
    proposes = [Role.LECTURE] if organisation.fermee_le else [Role.ADMINISTRATION] if premiers else list(Role)
    form = FormulaireInvitation(_saisie(request), proposes=proposes)
    if form.is_valid():
        try:
            invitation = habilitations.inviter(request.acteur, organisation, **form.cleaned_data)
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            messages.success(request, f"L’invitation part à {invitation.courriel}.")
            return _retour(organisation)
    contexte = {"form": form, "organisation": organisation, "premiers": premiers, "fil": _fil(organisation)}
    return render(request, "reservation/acces/inviter.html", contexte, status=422 if form.errors else 200)


@require_POST
def invitation_renvoyer(request: HttpRequest, pk: int) -> HttpResponse:
    return _sur_invitation(
        request,
        pk,
        habilitations.renvoyer_invitation,
        "L’invitation repart ; l’ancien lien ne vaut plus rien.",
    )


@require_POST
def invitation_retirer(request: HttpRequest, pk: int) -> HttpResponse:
    return _sur_invitation(
        request,
        pk,
        habilitations.revoquer_invitation,
        "L’invitation est retirée ; son lien ne vaut plus rien.",
    )


def _sur_invitation(request: HttpRequest, pk: int, verbe, annonce: str) -> HttpResponse:
    invitation = ouvrir_pour_ecrire(Invitation.objects.select_related("organisation"), request.acteur, pk=pk)
    try:
        verbe(request.acteur, invitation)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(request, annonce)
    return _retour(invitation.organisation)


@lire_ou_ecrire
def demande_acces(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide: accept with roles, or refuse with a reason."""
    demande = ouvrir_pour_ecrire(
        DemandeAcces.objects.select_related("organisation", "utilisateur", "decidee_par"),
        request.acteur,
        pk=pk,
    )
    form = FormulaireDecision(_saisie(request), refus="refuser" in request.POST)
    if form.is_valid():
        try:
            if "refuser" in request.POST:
                habilitations.refuser_demande(request.acteur, demande, form.cleaned_data["motif"])
                annonce = "La demande est refusée ; la personne en est avertie."
            else:
                habilitations.accepter_demande(request.acteur, demande, form.cleaned_data["roles"])
                annonce = "L’accès est donné ; la personne en est avertie."
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            messages.success(request, annonce)
            return _retour(demande.organisation)
    contexte = {
        "form": form,
        "demande": demande,
        "organisation": demande.organisation,
        "fil": _fil(demande.organisation),
    }
    return render(request, "reservation/acces/demande.html", contexte, status=422 if form.errors else 200)


@lire_ou_ecrire
def acces_personne(request: HttpRequest, pk: int, personne: int) -> HttpResponse:
    """Roles of one person, and the end of their access."""
    organisation = ouvrir_pour_ecrire(Organisation.objects, request.acteur, pk=pk)
    acces = _acces_ou_404(organisation, personne)
    chez_soi = pk == request.acteur.organisation_id
    finit = "terminer" in request.POST
    roles = FormulaireRoles(
        _saisie(request) if not finit else None, initial={"roles": acces.roles}, prefix="r"
    )
    fin = FormulaireFin(_saisie(request) if finit else None, prefix="f")
    form = fin if finit else roles
    if form.is_valid():
        try:
            if finit:
                habilitations.terminer_acces(
                    request.acteur, acces.utilisateur, organisation, form.cleaned_data["motif"]
                )
                annonce = f"L’accès de {acces.utilisateur.nom} est terminé."
            else:
                habilitations.changer_roles(
                    request.acteur, acces.utilisateur, organisation, form.cleaned_data["roles"]
                )
                annonce = f"Les rôles de {acces.utilisateur.nom} sont changés."
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            messages.success(request, annonce)
            return redirect("accueil") if _parti(request) else _retour(organisation)
    contexte = {
        "acces": acces,
        "organisation": organisation,
        "chez_soi": chez_soi,
        "form": form,
        "roles": roles,
        "fin": fin,
        "fil": _fil(organisation),
    }
    return render(request, "reservation/acces/personne.html", contexte, status=422 if form.errors else 200)


def _acces_ou_404(organisation: Organisation, personne: int) -> AccesPersonne:
    for acces in habilitations.personnes_de(organisation):
        if acces.utilisateur.pk == personne:
            return acces
    raise Http404


def _parti(request: HttpRequest) -> bool:
    """Whether somebody just ended their own access to the organisation that they act for."""
    return not any(
        acces.organisation.pk == request.acteur.organisation_id
        for acces in habilitations.acces_de(request.user)
    )


@lire_ou_ecrire
def renouvellement(request: HttpRequest, pk: int) -> HttpResponse:
    """The yearly campaign: each access that ends soon is confirmed or ended."""
    organisation = ouvrir_pour_ecrire(Organisation.objects, request.acteur, pk=pk)
    acces = [a for a in habilitations.personnes_de(organisation) if a.a_confirmer]
    form = FormulaireRenouvellement(_saisie(request), acces=acces)
    if form.is_valid():
        for a, reponse in form.reponses:
            try:
                if reponse == "CONFIRMER":
                    habilitations.renouveler(request.acteur, a.utilisateur, organisation)
                else:
                    habilitations.terminer_acces(request.acteur, a.utilisateur, organisation)
            except ValidationError as erreur:
                form.add_error(f"personne-{a.utilisateur.pk}", erreur.messages)
        if not form.errors:
            messages.success(request, "Vos réponses sont enregistrées.")
            return _retour(organisation)
    contexte = {"form": form, "organisation": organisation, "acces": acces, "fil": _fil(organisation)}
    return render(
        request, "reservation/acces/renouvellement.html", contexte, status=422 if form.errors else 200
    )


# --- My accesses ----------------------------------------------------------------------------------------------------


@require_GET
def mes_acces(request: HttpRequest) -> HttpResponse:
    """Where I may act, with which roles, until when; the switch between them; what I asked for."""
    contexte = {
        "mes_acces": habilitations.acces_de(request.user),
        "demandes": request.user.demandes_acces.select_related("organisation")[:10],
        "jetons": JetonApi.objects.visibles_par(request.acteur)
        .en_vigueur()
        .filter(utilisateur=request.user)
        .select_related("organisation"),
    }
    return render(request, "reservation/acces/mes_acces.html", contexte)


@require_GET
def demander_acces(request: HttpRequest) -> HttpResponse:
    """Look for an organisation by its name, SIREN or SIRET."""
    recherche = request.GET.get("q", "")[:150]
    contexte = {
        "recherche": recherche,
        "organisations": habilitations.chercher_organisations(recherche),
    }
    return render(request, "reservation/acces/demander.html", contexte)


@lire_ou_ecrire
def demander_acces_a(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for an access to one organisation; the names of organisations are no secret, their pages are."""
    organisation = get_object_or_404(Organisation, pk=pk, fermee_le=None)
    form = FormulaireDemande(_saisie(request))
    if form.is_valid():
        try:
            habilitations.demander_acces(request.user, organisation, form.cleaned_data["message"])
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            messages.success(
                request, "Votre demande est enregistrée. Vous recevrez la décision par courriel."
            )
            return redirect("reservation:mes_acces")
    contexte = {"form": form, "organisation": organisation}
    return render(request, "reservation/acces/demander_a.html", contexte, status=422 if form.errors else 200)


@require_POST
def demande_retirer(request: HttpRequest, pk: int) -> HttpResponse:
    demande = get_object_or_404(
        DemandeAcces.objects.select_related("organisation"), pk=pk, utilisateur=request.user
    )
    try:
        habilitations.retirer_demande(request.user, demande)
    except ValidationError as erreur:
        messages.error(request, erreur.messages[0])
    else:
        messages.success(request, "Votre demande est retirée.")
    return redirect("reservation:mes_acces")


@lire_ou_ecrire
def quitter(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave an organisation, what it means being said first."""
    acces = next((a for a in habilitations.acces_de(request.user) if a.organisation.pk == pk), None)
    if acces is None:
        raise Http404
    erreur = ""
    if request.method == "POST":
        try:
            habilitations.quitter(request.acteur, request.user, acces.organisation)
        except ValidationError as refus:
            erreur = refus.messages[0]
        else:
            messages.success(request, f"Vous avez quitté {acces.organisation.nom}.")
            return redirect("reservation:mes_acces")
    return render(
        request,
        "reservation/acces/quitter.html",
        {"acces": acces, "erreur": erreur},
        status=409 if erreur else 200,
    )


# --- Accepting an invitation ---------------------------------------------------------------------------------------


@never_cache
@sensitive_post_parameters("mot_de_passe", "confirmation")
@login_not_required
@lire_ou_ecrire
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept: with the account of the invited address once signed in, or by opening it."""
    recue = habilitations.invitation_par_secret(secret)
    connecte = request.user.is_authenticated
    if recue is None or (connecte and request.user.courriel != recue.courriel):
        return render(request, "reservation/acces/invitation_perdue.html", status=404)
    if connecte:
        return _accepter_connecte(request, recue, secret)
    if habilitations.compte_de(recue) is not None:
        return redirect_to_login(request.path)
    form = FormulaireCompte(_saisie(request))
    if form.is_valid():
        try:
            habilitations.accepter_en_ouvrant_un_compte(
                secret, nom=form.cleaned_data["nom"], mot_de_passe=form.cleaned_data["mot_de_passe"]
            )
        except ValidationError as erreur:
            form.reporter(erreur)
        else:
            messages.success(request, "Votre compte est ouvert : connectez-vous.")
            return redirect(settings.LOGIN_URL)
    contexte = {"form": form, "invitation": recue}
    return render(
        request, "reservation/acces/invitation_compte.html", contexte, status=422 if form.errors else 200
    )


def _accepter_connecte(request: HttpRequest, recue: Invitation, secret: str) -> HttpResponse:
    if request.method == "POST":
        habilitations.accepter_invitation(request.user, secret)
        request.session["organisation_id"] = recue.organisation_id
        messages.success(request, f"Vous travaillez désormais aussi pour {recue.organisation.nom}.")
        return redirect("accueil")
    return render(request, "reservation/acces/invitation.html", {"invitation": recue})


urlpatterns = [
    path("mon-organisation/", mon_organisation, name="mon_organisation"),
    path("organisations/<identifiant:pk>/", organisation_acces, name="organisation_acces"),
    path("organisations/<identifiant:pk>/inviter/", inviter, name="inviter"),
    path("organisations/<identifiant:pk>/renouvellement/", renouvellement, name="renouvellement"),
    path(
        "organisations/<identifiant:pk>/personnes/<identifiant:personne>/",
        acces_personne,
        name="acces_personne",
    ),
    path("invitations/<identifiant:pk>/renvoyer/", invitation_renvoyer, name="invitation_renvoyer"),
    path("invitations/<identifiant:pk>/retirer/", invitation_retirer, name="invitation_retirer"),
    path("invitations/<str:secret>/", invitation, name="invitation"),
    path("demandes-acces/<identifiant:pk>/", demande_acces, name="demande_acces"),
    path("demandes-acces/<identifiant:pk>/retirer/", demande_retirer, name="demande_retirer"),
    path("mes-acces/", mes_acces, name="mes_acces"),
    path("mes-acces/demander/", demander_acces, name="demander_acces"),
    path("mes-acces/demander/<identifiant:pk>/", demander_acces_a, name="demander_acces_a"),
    path("mes-acces/quitter/<identifiant:pk>/", quitter, name="quitter"),
]
