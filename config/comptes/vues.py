"""Pages of the account: those of allauth, where the house shows or refuses more than they do."""

from allauth.account.views import LoginView, LogoutView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView, IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import DownloadRecoveryCodesView
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.shortcuts import redirect, render

from config.comptes import proconnect, second_facteur
from reservation.models import DemandeAcces

Type = Authenticator.Type


class Connexion(LoginView):
    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**kwargs) | {"proconnect": proconnect.est_configure()}


class Deconnexion(LogoutView):
    """A visit does not sign out. Who came through ProConnect leaves ProConnect too."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        adresse = proconnect.adresse_de_deconnexion(request)  # before the session is emptied
        reponse = super().post(request, *args, **kwargs)
        return proconnect.passer(request, adresse) if adresse else reponse


class SecondFacteurDemande(AuthenticateView):
    """Second step of the sign-in."""

    def get_context_data(self, **kwargs) -> dict:
        types = set(second_facteur.facteurs_de(self.stage.login.user).values_list("type", flat=True))
        return super().get_context_data(**kwargs) | {"a_une_cle": Type.WEBAUTHN in types}


class SecondFacteur(IndexView):
    """The second factors of a person, and whether their role requires one."""

    def get_context_data(self, **kwargs) -> dict:
        contexte = super().get_context_data(**kwargs)
        facteurs = contexte["authenticators"]
        codes = facteurs.get(Type.RECOVERY_CODES)
        return contexte | {
            "application": facteurs.get(Type.TOTP),
            "cles": facteurs.get(Type.WEBAUTHN, []),
            "codes": codes,
            "codes_restants": len(codes.get_unused_codes()) if codes else 0,
            "exige": second_facteur.est_exige(self.request.user),
        }


class RetirerCle(RemoveWebAuthnView):
    """Like the application, the last key of somebody who must have a second factor stays."""

    def form_valid(self, form):
        adaptateur = get_adapter()
        if not adaptateur.can_delete_authenticator(self.object):
            messages.error(self.request, adaptateur.error_messages["cannot_delete_authenticator"])
            return redirect("mfa_list_webauthn")
        return super().form_valid(form)


class TelechargerCodes(DownloadRecoveryCodesView):
    def render_to_response(self, context, **response_kwargs):
        reponse = super().render_to_response(context, **response_kwargs)
        reponse["Content-Disposition"] = 'attachment; filename="codes-de-secours.txt"'
        return reponse


# What a browser calls itself, most telling word first: Edge also says Chrome, and Chrome says Safari.
NAVIGATEURS = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrom": "Chrome", "Safari/": "Safari"}
SYSTEMES = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


class Sessions(ListUserSessionsView):
    """Open sessions, each with the name of its browser that a person recognises; close one of them, or all the others."""

    def post(self, request, *args, **kwargs):
        if "session" not in request.POST:
            return super().post(request, *args, **kwargs)
        for session in UserSession.objects.filter(user=request.user):
            if str(session.pk) == request.POST["session"] and not session.is_current():
                session.end()
                messages.info(request, "La session est fermée.")
        return redirect("usersessions_list")

    def get_context_data(self, **kwargs) -> dict:
        contexte = super().get_context_data(**kwargs)
        for session in contexte["sessions"]:
            session.navigateur = navigateur_en_clair(session.user_agent)
        return contexte


def navigateur_en_clair(dit: str) -> str:
    """« Firefox, Windows »; what is not recognised is said to be so, whatever it calls itself."""
    trouves = [
        next((nom for signe, nom in signes.items() if signe in dit), None)
        for signes in (NAVIGATEURS, SYSTEMES)
    ]
    return ", ".join(filter(None, trouves)) or "Non reconnu"


def compte(request):
    """What one may change of one's own account."""
    return render(
        request,
        "comptes/compte.html",
        {
            "facteurs": second_facteur.facteurs_de(request.user).count(),
            "exige": second_facteur.est_exige(request.user),
        },
    )


def sans_acces(request):
    """Signed in, not habilitated: which organisation this may be about, and who grants the access."""
    if request.acteur.organisation_id:
        return redirect("accueil")
    demandes = DemandeAcces.objects.filter(
        utilisateur=request.user, etat=DemandeAcces.Etat.EN_ATTENTE
    ).select_related("organisation")
    return render(
        request,
        "comptes/sans_acces.html",
        {"siret": proconnect.siret_de(request.user), "demandes": demandes.order_by("pk")},
    )
