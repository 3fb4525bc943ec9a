"""The sandbox: fictitious organisations, in a département that does not exist, where a software is tried out.

It is a tenant like another: nothing of it is in anybody's perimeter but its own, and its département has neither DDETS, nor
région, nor DREAL: no consolidation reaches it. A token of the sandbox (`JetonApi.bac_a_sable`) acts for one of its
organisations in the place of its own. `flux.services.bac_a_sable` opens it and, each night, makes it new: another bailleur,
whose SIREN follows; the one before is closed, for what was written is never erased.
"""

from django.db.models import Q

from reservation.acteur import TypeOrganisation
from reservation.models import Organisation

DEPARTEMENT = "ZZ"
COMMUNE = "ZZ001"
SERIE = "99999"  # how the SIREN of its bailleurs begin: none that exists does
CODE_RESERVATAIRE = "ZZ-RESERVATAIRE"

# Organisations that nobody looks for: one enters by a token of one's own.
LES_SIENNES = Q(fictive=True) & (Q(siren__startswith=SERIE) | Q(code=CODE_RESERVATAIRE))


def bailleurs():
    """Those of the sandbox, the one of today last."""
    return Organisation.objects.filter(
        type=TypeOrganisation.BAILLEUR,
        fictive=True,
        siren__startswith=SERIE,
        presences__departement=DEPARTEMENT,
    ).order_by("siren")


def bailleur_du_jour() -> Organisation | None:
    """The bailleur for which its tokens act today; None: the sandbox was never opened."""
    return bailleurs().filter(fermee_le=None).select_related("region").last()


def reservataire() -> Organisation | None:
    """The réservataire of the sandbox, the same every day."""
    return (
        Organisation.objects.filter(
            type=TypeOrganisation.AUTRE_RESERVATAIRE, fictive=True, code=CODE_RESERVATAIRE, fermee_le=None
        )
        .select_related("region")
        .first()
    )


def organisation_de(organisation: Organisation) -> Organisation | None:
    """Who its sandbox tokens act for: the bailleur, or the réservataire, of the sandbox; None: no sandbox for it."""
    if organisation.type == TypeOrganisation.BAILLEUR:
        return bailleur_du_jour()
    if organisation.type in (
        TypeOrganisation.ACTION_LOGEMENT,
        TypeOrganisation.COLLECTIVITE,
        TypeOrganisation.AUTRE_RESERVATAIRE,
    ):
        return reservataire()
    return None
