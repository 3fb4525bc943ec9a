"""The assiette of a year, agreed by the bailleur and the État: proposed from the computed flux, accepted by the other.

What is agreed is what the calculation reads that day (millésime, parc, dwellings): a later calculation does not change it,
and is shown beside it when it differs.
"""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from flux.models import AssietteConvenue, CalculFlux, Nature
from flux.services.designations import prevenir
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Organisation, Presence
from reservation.perimetre import agir
from reservation.regles.typographie import accorder
from reservation.services.assistances import exiger_hors_assistance


@agir(Acteur.du_systeme("assiette calculée d’une année"), lecture_seule=True)
def assiette_calculee(bailleur_id: int, departement: str, annee: int) -> CalculFlux | None:
    """The calculation whose assiette is to be agreed: the projected flux of the year in force, with its millésime."""
    return (
        CalculFlux.objects.en_vigueur()
        .filter(
            bailleur=bailleur_id,
            departement=departement,
            annee=annee,
            nature=Nature.PREVISIONNEL,
            millesime__isnull=False,
        )
        .only("millesime", "parc", "soumis")
        .first()
    )


def convient(acteur: Acteur, bailleur_id: int, departement: str) -> bool:
    """Whether `acteur` may engage one of the two parties."""
    if acteur.systeme or acteur.en_assistance or not acteur.peut_gerer:
        return False
    if acteur.est_ddets:
        return departement in acteur.departements
    return acteur.est_bailleur and acteur.organisation_id == bailleur_id


def versions_de(acteur: Acteur, bailleur_id: int, departement: str, annee: int) -> list[AssietteConvenue]:
    """The versions that `acteur` reads, the last first. One query."""
    return list(
        AssietteConvenue.objects.visibles_par(acteur)
        .filter(bailleur=bailleur_id, departement=departement, annee=annee)
        .select_related("proposee_pour", "proposee_par", "acceptee_par")
        .order_by("-version")
    )


def _verrouiller(acteur: Acteur, bailleur_id: int, departement: str) -> Presence:
    """The presence is the lock: two people acting at once are put in order."""
    exiger_hors_assistance(acteur)
    if not convient(acteur, bailleur_id, departement):
        raise PermissionDenied("L’assiette est convenue entre le bailleur et la DDETS du département.")
    presence = (
        Presence.objects.select_for_update(of=("self",))
        .select_related("bailleur", "departement")
        .filter(bailleur=bailleur_id, departement=departement)
        .first()
    )
    if presence is None:
        raise ValidationError("Ce bailleur n’est pas présent dans ce département.")
    return presence


@transaction.atomic
def proposer_assiette(
    acteur: Acteur, bailleur: Organisation, departement: str, annee: int, observation: str = ""
) -> AssietteConvenue:
    """Propose what is computed to the other party: a version, that replaces the proposal under way.

    The assiette agreed before stays until the new one is accepted.
    """
    presence = _verrouiller(acteur, bailleur.pk, departement)
    calcul = assiette_calculee(bailleur.pk, departement, annee)
    if calcul is None:
        raise ValidationError(
            f"L’assiette de {annee} n’est pas calculée : déposez le parc, ou demandez le calcul du flux de {annee}."
        )
    versions = AssietteConvenue.objects.filter(bailleur=bailleur, departement=departement, annee=annee)
    derniere = versions.first()
    calculee = (calcul.millesime, calcul.parc, calcul.soumis)
    if derniere is not None and (derniere.millesime, derniere.parc, derniere.logements) == calculee:
        if derniere.etat == AssietteConvenue.Etat.ACCEPTEE:
            raise ValidationError(f"L’assiette convenue est déjà de {accorder(calcul.soumis, 'logement')}.")
        if derniere.proposee_pour_id != acteur.organisation_id:
            raise ValidationError("L’autre partie propose cette même assiette : acceptez-la.")
        raise ValidationError("Vous proposez déjà cette assiette : l’autre partie doit l’accepter.")
    versions.filter(etat=AssietteConvenue.Etat.PROPOSEE).update(etat=AssietteConvenue.Etat.REMPLACEE)
    assiette = AssietteConvenue.objects.create(
        bailleur=bailleur,
        departement_id=departement,
        annee=annee,
        version=derniere.version + 1 if derniere else 1,
        millesime=calcul.millesime,
        parc=calcul.parc,
        logements=calcul.soumis,
        observation=" ".join(observation.split()),
        proposee_pour_id=acteur.organisation_id,
        proposee_par_id=acteur.utilisateur_id,
        proposee_le=timezone.now(),
    )
    _prevenir_l_autre(acteur, presence, "assiette_proposee", assiette)
    return assiette


@transaction.atomic
def accepter_assiette(acteur: Acteur, assiette: AssietteConvenue) -> AssietteConvenue:
    """The party that did not propose accepts."""
    presence = _verrouiller(acteur, assiette.bailleur_id, assiette.departement_id)
    assiette = AssietteConvenue.objects.select_for_update(of=("self",)).get(pk=assiette.pk)
    if assiette.etat != AssietteConvenue.Etat.PROPOSEE:
        raise ValidationError(
            f"Cette proposition est déjà {assiette.get_etat_display()} : lisez la dernière version."
        )
    if acteur.organisation_id == assiette.proposee_pour_id:
        raise PermissionDenied("Une proposition est acceptée par l’autre partie.")
    AssietteConvenue.objects.filter(
        bailleur=assiette.bailleur_id,
        departement=assiette.departement_id,
        annee=assiette.annee,
        etat=AssietteConvenue.Etat.ACCEPTEE,
    ).update(etat=AssietteConvenue.Etat.REMPLACEE)
    assiette.etat, assiette.acceptee_par_id = AssietteConvenue.Etat.ACCEPTEE, acteur.utilisateur_id
    assiette.acceptee_le = timezone.now()
    assiette.save()
    _prevenir_l_autre(acteur, presence, "assiette_convenue", assiette)
    return assiette


def _prevenir_l_autre(acteur: Acteur, presence: Presence, gabarit: str, assiette: AssietteConvenue) -> None:
    """Write to the party that did not act: the DDETS of the département, or the bailleur."""
    if acteur.est_ddets:
        autre: Organisation | None = presence.bailleur
    else:
        autre = Organisation.objects.filter(
            type=TypeOrganisation.DDETS, departement=presence.departement, fermee_le=None
        ).first()
    if autre is not None:
        prevenir(autre, gabarit, _faits(presence, assiette))


def _faits(presence: Presence, assiette: AssietteConvenue) -> Mapping[str, str]:
    return {
        "bailleur": presence.bailleur.nom,
        "departement": presence.departement.nom,
        "annee": str(assiette.annee),
        "precedente": str(assiette.annee - 1),
        "logements": accorder(assiette.logements, "logement"),
        "millesime": str(assiette.millesime),
    }
