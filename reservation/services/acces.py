"""From a person to an actor: which organisation, which roles, which perimeter."""

from django.db.models import F

from reservation.acteur import Acteur, Role, TypeOrganisation
from reservation.models import Organisation, Rattachement


def organisations_de(utilisateur):
    """Organisations in which `utilisateur` has a rattachement in force, by name."""
    actifs = Rattachement.objects.actifs().filter(utilisateur=utilisateur)
    return Organisation.objects.filter(rattachements__in=actifs).distinct().order_by("nom_tri", "pk")


def acteur_de(utilisateur, organisation_id: int | None = None) -> Acteur:
    """The actor for `utilisateur` in the organisation asked for, else in the first of theirs, a closed one last.

    Somebody without any rattachement in force is an actor who sees nothing.
    """
    if not utilisateur.is_authenticated:
        return Acteur()
    rattachements = list(
        Rattachement.objects.actifs()
        .filter(utilisateur=utilisateur)
        .select_related("organisation__region")
        .order_by(
            F("organisation__fermee_le").asc(nulls_first=True),
            "organisation__nom_tri",
            "organisation_id",
            "role",
        )
    )
    choisis = [r for r in rattachements if r.organisation_id == organisation_id] or [
        r for r in rattachements if r.organisation_id == rattachements[0].organisation_id
    ]
    if not choisis:
        return Acteur(utilisateur_id=utilisateur.pk, support=utilisateur.is_staff)
    organisation = choisis[0].organisation
    return Acteur(
        utilisateur_id=utilisateur.pk,
        organisation_id=organisation.pk,
        type_organisation=TypeOrganisation(organisation.type),
        roles=frozenset(Role(r.role) for r in choisis),
        departements=organisation.departements_du_perimetre,
        support=utilisateur.is_staff,
        a_le_choix=len({r.organisation_id for r in rattachements}) > 1,
    )


def gere_encore(utilisateur_id: int | None, organisation_id: int) -> bool:
    """Whether this person may manage for this organisation now: asked again when a work that they agreed to begins."""
    return (
        Rattachement.objects.actifs()
        .filter(
            utilisateur=utilisateur_id,
            utilisateur__is_active=True,
            organisation=organisation_id,
            role__in=(Role.GESTION, Role.SIGNATURE),
        )
        .exists()
    )
