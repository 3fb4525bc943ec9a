"""Addresses of the account, in French. The names in English are those that allauth asks for."""

from allauth.account import views as comptes
from allauth.mfa.base import views as second_facteur
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as application
from allauth.mfa.webauthn import views as cles
from allauth.socialaccount.views import login_cancelled
from django.urls import path, re_path

from config.comptes import proconnect, vues
from reservation import convertisseurs  # noqa: F401 (identifiant)

connexion = vues.Connexion.as_view()
deconnexion = vues.Deconnexion.as_view()

urlpatterns = [
    path("connexion/", connexion, name="connexion"),
    path("connexion/", connexion, name="account_login"),
    path("connexion/second-facteur/", vues.SecondFacteurDemande.as_view(), name="mfa_authenticate"),
    path("connexion/cle/", cles.login_webauthn, name="mfa_login_webauthn"),
    path("connexion/proconnect/", proconnect.depart, name="proconnect"),
    path("connexion/proconnect/retour/", proconnect.retour, name="proconnect_retour"),
    path("connexion/proconnect/annulee/", login_cancelled, name="socialaccount_login_cancelled"),
    path("deconnexion/", deconnexion, name="deconnexion"),
    path("deconnexion/", deconnexion, name="account_logout"),
    path("compte/", vues.compte, name="compte"),
    path("compte/sans-acces/", vues.sans_acces, name="sans_acces"),
    path("compte/ferme/", comptes.account_inactive, name="account_inactive"),
    path("compte/ouvrir/", comptes.signup, name="account_signup"),
    path("compte/confirmer/", comptes.reauthenticate, name="account_reauthenticate"),
    path("compte/confirmer/code/", second_facteur.reauthenticate, name="mfa_reauthenticate"),
    path("compte/confirmer/cle/", cles.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("compte/mot-de-passe/", comptes.password_change, name="account_change_password"),
    path("compte/mot-de-passe/choisir/", comptes.password_set, name="account_set_password"),
    path("compte/mot-de-passe/oublie/", comptes.password_reset, name="account_reset_password"),
    path(
        "compte/mot-de-passe/oublie/envoye/", comptes.password_reset_done, name="account_reset_password_done"
    ),
    path(
        "compte/mot-de-passe/nouveau/fait/",
        comptes.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^compte/mot-de-passe/nouveau/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        comptes.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("compte/second-facteur/", vues.SecondFacteur.as_view(), name="mfa_index"),
    path("compte/second-facteur/application/", application.activate_totp, name="mfa_activate_totp"),
    path(
        "compte/second-facteur/application/retirer/", application.deactivate_totp, name="mfa_deactivate_totp"
    ),
    path("compte/second-facteur/cles/", cles.list_webauthn, name="mfa_list_webauthn"),
    path("compte/second-facteur/cles/ajouter/", cles.add_webauthn, name="mfa_add_webauthn"),
    path(
        "compte/second-facteur/cles/<identifiant:pk>/renommer/", cles.edit_webauthn, name="mfa_edit_webauthn"
    ),
    path(
        "compte/second-facteur/cles/<identifiant:pk>/retirer/",
        vues.RetirerCle.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("compte/second-facteur/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "compte/second-facteur/codes/refaire/",
        codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "compte/second-facteur/codes/telecharger/",
        vues.TelechargerCodes.as_view(),
        name="mfa_download_recovery_codes",
    ),
    path("compte/sessions/", vues.Sessions.as_view(), name="usersessions_list"),
]
