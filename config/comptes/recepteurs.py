"""What follows from an event of the account."""

from allauth.account.models import EmailAddress
from allauth.account.signals import password_reset, user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_reset
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from django.db.models.signals import post_save
from django.dispatch import receiver

from config.comptes import proconnect
from reservation.models import Utilisateur
from reservation.services.habilitations import proposer_acces
from reservation.signaux import adresse_prouvee


@receiver(post_save, sender=Utilisateur)
def oublier_l_ancienne_adresse(sender, instance, update_fields=None, **kwargs):
    """allauth also signs in by the addresses that it noted: one that was replaced must open nothing any more."""
    if update_fields is None or "courriel" in update_fields:
        EmailAddress.objects.filter(user=instance).exclude(email=instance.courriel).delete()


@receiver(password_reset)
def sur_mot_de_passe_oublie(sender, user, **kwargs):
    marquer_l_adresse_prouvee(user)


@receiver(adresse_prouvee)
def sur_invitation_acceptee(sender, utilisateur, **kwargs):
    marquer_l_adresse_prouvee(utilisateur)


def marquer_l_adresse_prouvee(user: Utilisateur) -> None:
    """Whoever followed the link of an e-mail reads that mailbox: a later sign-in by ProConnect finds its account."""
    EmailAddress.objects.update_or_create(
        user=user, email=user.courriel, defaults={"verified": True, "primary": True}
    )


@receiver(authenticator_added)
def fermer_les_autres_sessions(sender, request, user, **kwargs):
    """A session opened earlier with the password alone must not outlive the second factor."""
    end_other_sessions(request, user)


@receiver([authenticator_added, authenticator_reset])
def codes_deja_lus(sender, authenticator, **kwargs):
    """allauth dates the first reading of recovery codes, in the GET that shows them: a GET never writes here, and they
    may be shown again, so they are dated when they are made."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        authenticator.wrap().mark_as_viewed()


@receiver(user_logged_in)
def garder_le_jeton(sender, request, sociallogin=None, **kwargs):
    """The sign-out at ProConnect asks for the token of the sign-in."""
    if sociallogin is not None:
        request.session[proconnect.JETON_EN_SESSION] = sociallogin.state["id_token"]


@receiver(user_logged_in)
def proposer_l_organisation(sender, user, sociallogin=None, **kwargs):
    """Signing in is not being habilitated: the organisation of the SIRET is asked, its administrators decide."""
    if sociallogin is not None:
        proposer_acces(user, proconnect.siret_de(user))
