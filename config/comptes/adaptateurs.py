"""What the house decides where allauth asks: who may open an account, what is said, where one lands."""

import base64
import hashlib
import logging

from allauth.account import app_settings as reglages_des_comptes
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context as demande_en_cours
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.urls import reverse

from config.comptes import second_facteur
from reservation.models import Courriel, Utilisateur
from reservation.services.acces import organisations_de
from reservation.services.courriels import ecrire_compose, enregistrer_lien

journal = logging.getLogger(__name__)

INCONNU = "Adresse ou mot de passe inconnu. Vérifiez la saisie, majuscules comprises."
MOT_DE_PASSE_OUBLIE = "account/email/password_reset_key"
TROP_D_ESSAIS = "Trop d’essais. Attendez cinq minutes, puis recommencez."


class AdaptateurComptes(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": INCONNU,
        "too_many_login_attempts": TROP_D_ESSAIS,
        "rate_limited": TROP_D_ESSAIS,
        "enter_current_password": "Le mot de passe actuel n’est pas celui-là.",
        "incorrect_password": "Le mot de passe n’est pas celui-là.",
        "incorrect_code": "Ce code n’est pas le bon, ou il a déjà servi.",
        "invalid_password_reset": "Ce lien n’est plus valable.",
    }

    def is_open_for_signup(self, request) -> bool:
        """Accounts come from an invitation or from ProConnect, never from a form open to all."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """As every e-mail of the site: a row with its state, sent after the commit and tried again. Never a secret in it:
        the link of a forgotten password is made at the moment of sending."""
        contexte = {"request": demande_en_cours.request, "email": email} | context
        if template_prefix == MOT_DE_PASSE_OUBLIE:
            contexte |= {"password_reset_url": Courriel.MARQUE_LIEN, "uid": "", "key": ""}
        message = self.render_mail(template_prefix, email, contexte)
        ecrire_compose(template_prefix, email, objet=str(message.subject), texte=message.body)

    def authenticate(self, request, **credentials):
        """A closed account is answered like an unknown one, even with its right password."""
        utilisateur = super().authenticate(request, **credentials)
        return utilisateur if utilisateur is not None and utilisateur.is_active else None

    def get_login_redirect_url(self, request) -> str:
        """Whoever is signed in without being habilitated is told so, and what to do; support begins by whom it helps."""
        if not organisations_de(request.user).exists():
            return reverse("reservation:assistance" if request.user.is_staff else "sans_acces")
        return super().get_login_redirect_url(request)

    def get_signup_redirect_url(self, request) -> str:
        return reverse("sans_acces")

    def get_password_change_redirect_url(self, request) -> str:
        return reverse("compte")

    def get_reauthentication_methods(self, user) -> list[dict]:
        libelles = {
            "reauthenticate": "Avec le mot de passe",
            "mfa_reauthenticate": "Avec un code de l’application ou de secours",
            "mfa_reauthenticate:webauthn": "Avec une clé d’accès",
        }
        return [
            methode | {"description": libelles[methode["id"]]}
            for methode in super().get_reauthentication_methods(user)
        ]


def lien_de_mot_de_passe(courriel: Courriel) -> str:
    """The address that lets the owner of this mailbox choose a new password; never stored."""
    utilisateur = Utilisateur.objects.get(courriel__iexact=courriel.destinataire, is_active=True)
    cle = reglages_des_comptes.PASSWORD_RESET_TOKEN_GENERATOR().make_token(utilisateur)
    chemin = reverse(
        "account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(utilisateur), "key": cle}
    )
    return f"{settings.SITE_URL}{chemin}"


enregistrer_lien(MOT_DE_PASSE_OUBLIE, lien_de_mot_de_passe)


class AdaptateurSecondFacteur(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "Ce code n’est pas le bon, ou il a déjà servi.",
        "cannot_delete_authenticator": (
            "Votre rôle exige un second facteur : ajoutez-en un autre avant de retirer celui-ci."
        ),
        "cannot_generate_recovery_codes": "Les codes de secours accompagnent un second facteur : ajoutez-en un.",
    }

    def encrypt(self, text: str) -> str:
        """A stolen copy of the database gives no second factor."""
        return _coffre().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _coffre().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        autres = second_facteur.facteurs_de(authenticator.user).exclude(pk=authenticator.pk)
        return autres.exists() or not second_facteur.est_exige(authenticator.user)

    def generate_authenticator_name(self, user, type) -> str:
        rang = Authenticator.objects.filter(user=user, type=type).count() + 1
        return f"Clé {rang}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": settings.SITE_NOM}


def _coffre() -> MultiFernet:
    """The present key writes, those that it replaced still read."""
    cles = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"second-facteur:{cle}".encode()).digest()))
            for cle in cles
        ]
    )


class AdaptateurProConnect(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request, sociallogin) -> bool:
        """An agent that ProConnect vouches for has an account; it opens nothing until somebody grants access."""
        return True

    def populate_user(self, request, sociallogin, data):
        utilisateur = sociallogin.user
        utilisateur.courriel = data["email"]
        longueur = utilisateur._meta.get_field("nom").max_length
        utilisateur.nom = (data["name"] or data["email"])[:longueur]
        return utilisateur

    def on_authentication_error(self, request, provider, error=None, exception=None, extra_context=None):
        """The reason is for the operator; nothing personal, nor any token, goes to the log."""
        journal.warning("ProConnect : connexion refusée (%s, %s)", error, type(exception).__name__)
