"""Calendars that a DDETS or a bailleur subscribes to: a secret address, the commissions of its perimeter, no person."""

import hashlib
import secrets
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from flux.models import AbonnementAgenda, Commission, Convocation
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Organisation
from reservation.perimetre import agir
from reservation.regles.agenda import Methode, ecrire_calendrier

from .convocations import evenement_de

# How long a past commission stays in a calendar.
GARDE = timedelta(days=120)


Sujet = AbonnementAgenda.Sujet


def _exiger_abonne(acteur: Acteur, sujet: Sujet) -> None:
    if sujet == Sujet.CAMPAGNE:
        if not (acteur.peut_gerer and acteur.organisation_id):
            raise PermissionDenied("S’abonner à l’agenda demande le rôle de gestion.")
    elif not ((acteur.est_bailleur or acteur.est_ddets) and acteur.peut_gerer and acteur.organisation_id):
        raise PermissionDenied("Les bailleurs et les DDETS s’abonnent à l’agenda de leurs commissions.")


def abonnement_de(acteur: Acteur, sujet: Sujet = Sujet.CALEOL) -> AbonnementAgenda | None:
    """The address in force of the organisation of `acteur`, for those who may manage."""
    if not acteur.peut_gerer:
        return None
    return AbonnementAgenda.objects.visibles_par(acteur).en_vigueur().filter(sujet=sujet).first()


@transaction.atomic
def renouveler_adresse(acteur: Acteur, sujet: Sujet = Sujet.CALEOL) -> AbonnementAgenda:
    """A new secret address; the one in force, if any, opens nothing any more."""
    _exiger_abonne(acteur, sujet)
    Organisation.objects.select_for_update().get(pk=acteur.organisation_id)
    _retirer(acteur, sujet)
    abonnement = AbonnementAgenda(
        sujet=sujet,
        organisation_id=acteur.organisation_id,
        tirage=secrets.token_urlsafe(32),
        cree_par_id=acteur.utilisateur_id,
    )
    abonnement.secret_hache = hacher(abonnement.secret)
    abonnement.save()
    return abonnement


@transaction.atomic
def retirer_adresse(acteur: Acteur, sujet: Sujet = Sujet.CALEOL) -> None:
    """Nobody reads the calendar any more until another address is made."""
    _exiger_abonne(acteur, sujet)
    _retirer(acteur, sujet)


def _retirer(acteur: Acteur, sujet: Sujet) -> None:
    AbonnementAgenda.objects.filter(organisation=acteur.organisation_id, sujet=sujet, retire_le=None).update(
        retire_le=timezone.now(), retire_par=acteur.utilisateur_id
    )


def hacher(secret: str) -> str:
    """What is kept of a secret, for looking up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def abonnement_du_secret(secret: str, sujet: Sujet) -> AbonnementAgenda | None:
    """What a secret opens, on this subject and no other; None when it opens nothing."""
    return (
        AbonnementAgenda.objects.en_vigueur()
        .filter(secret_hache=hacher(secret), sujet=sujet)
        .select_related("organisation", "cree_par")
        .first()
    )


@agir(Acteur.du_systeme("agenda partagé"), lecture_seule=True)
def calendrier_du_secret(secret: str) -> str | None:
    """The calendar that a secret opens; None when it opens nothing.

    The bailleur sees all its commissions; the DDETS those to which it was convened, those that were cancelled since.
    """
    abonnement = abonnement_du_secret(secret, Sujet.CALEOL)
    if abonnement is None:
        return None
    organisation = abonnement.organisation
    commissions = (
        Commission.objects.filter(
            heure__isnull=False, date__gte=timezone.localdate() - GARDE, **_perimetre(organisation)
        )
        .annotate(logements=Count("lignes"))
        .select_related("bailleur", "departement")
        .order_by("date", "pk")
    )
    if organisation.type == TypeOrganisation.DDETS:
        commissions = commissions.filter(pk__in=Convocation.objects.values("commission"))
    return ecrire_calendrier(
        [evenement_de(commission, commission.logements) for commission in commissions],
        Methode.PUBLIER,
        nom=f"CALEOL, {organisation.nom}",
    )


def _perimetre(organisation: Organisation) -> dict:
    if organisation.type == TypeOrganisation.BAILLEUR:
        return {"bailleur": organisation}
    return {"departement": organisation.departement_id}
