"""Who must sign in with two factors, and who does not do it yet."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Q, QuerySet

from reservation.acteur import Role, TypeOrganisation
from reservation.models import Rattachement, Utilisateur

ROLES_EXPOSES = (Role.SIGNATURE, Role.ADMINISTRATION)


def facteurs_de(utilisateur: Utilisateur) -> QuerySet[Authenticator]:
    """Second factors proper: recovery codes replace a lost one, they are not one."""
    return Authenticator.objects.filter(
        user=utilisateur, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    )


def est_exige(utilisateur: Utilisateur) -> bool:
    """Support, every member of a DDETS, and whoever signs or grants access in any of their organisations."""
    if not settings.SECOND_FACTEUR_OBLIGATOIRE:
        return False
    if utilisateur.is_staff:
        return True
    exposes = Q(role__in=ROLES_EXPOSES) | Q(organisation__type=TypeOrganisation.DDETS)
    return Rattachement.objects.actifs().filter(exposes, utilisateur=utilisateur).exists()


def manque(utilisateur: Utilisateur) -> bool:
    """Whether this person must still set up a second factor before anything else."""
    return est_exige(utilisateur) and not facteurs_de(utilisateur).exists()
