"""Support staff in somebody's place: to see what they see and do what they may manage, never to sign for them.

The session stays that of the staff: their password and their second factor are never those of the person helped.
Only `request.acteur` changes. Each trace bears both.
"""

from dataclasses import replace
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from reservation import contexte
from reservation.acteur import Acteur, Role
from reservation.models import Assistance, Organisation, Rattachement, Utilisateur

from .acces import acteur_de

DUREE = timedelta(hours=1)


def exiger_hors_assistance(acteur: Acteur) -> None:
    """Refuse what only the person may do: sign, decide, send to another organisation, read a ground, give access."""
    if acteur.en_assistance:
        raise PermissionDenied(
            "Une assistance ne signe pas, ne décide pas, n’envoie rien, ne lit aucun motif de label et ne donne pas d’accès."
        )


@transaction.atomic
def commencer_assistance(
    assistant: Utilisateur, utilisateur: Utilisateur, organisation: Organisation, motif: str
) -> Assistance:
    """Begin to act in the place of `utilisateur` for `organisation`; an assistance under way ends first."""
    if not (assistant.is_active and assistant.is_staff):
        raise PermissionDenied("Seule l’assistance agit à la place d’une autre personne.")
    if utilisateur.is_staff or utilisateur.is_superuser or utilisateur.pk == assistant.pk:
        raise PermissionDenied("Un compte de l’assistance ne peut pas être pris.")
    if not motif.strip():
        raise ValidationError({"motif": "Le motif est obligatoire : la personne le lira."})
    if not Rattachement.objects.actifs().filter(utilisateur=utilisateur, organisation=organisation).exists():
        raise ValidationError("Cette personne n’a pas d’accès en cours dans cette organisation.")
    contexte.motiver(motif)
    # The row of the staff is the lock: two assistances of one person are put in order.
    Utilisateur.objects.select_for_update().get(pk=assistant.pk)
    maintenant = timezone.now()
    Assistance.objects.filter(assistant=assistant, finie_le__isnull=True).update(finie_le=maintenant)
    return Assistance.objects.create(
        assistant=assistant,
        utilisateur=utilisateur,
        organisation=organisation,
        motif=motif.strip(),
        commencee_le=maintenant,
        expire_le=maintenant + DUREE,
    )


def finir_assistance(assistant: Utilisateur) -> int:
    """End what is under way; how many that was (none, when it expired and was closed already)."""
    return Assistance.objects.filter(assistant=assistant, finie_le__isnull=True).update(
        finie_le=timezone.now()
    )


def assistance_en_cours(assistant, assistance_id: int | None) -> Assistance | None:
    """The assistance that the session names, while it runs and both people may."""
    if assistance_id is None or not assistant.is_authenticated or not assistant.is_staff:
        return None
    return (
        Assistance.objects.en_cours(timezone.now())
        .filter(pk=assistance_id, assistant=assistant, utilisateur__is_staff=False)
        .select_related("utilisateur", "organisation")
        .first()
    )


def acteur_assiste(assistant, assistance_id: int | None) -> Acteur | None:
    """The actor of an assistance under way: the person's perimeter, their management at most."""
    assistance = assistance_en_cours(assistant, assistance_id)
    if assistance is None:
        return None
    acteur = acteur_de(assistance.utilisateur, assistance.organisation_id)
    if acteur.organisation_id != assistance.organisation_id:
        return None  # the access ended since
    roles = {Role.LECTURE, Role.GESTION} if acteur.peut_gerer else {Role.LECTURE}
    return replace(
        acteur,
        roles=frozenset(roles),
        support=False,
        assistant_id=assistance.assistant_id,
        motif=assistance.motif,
    )
