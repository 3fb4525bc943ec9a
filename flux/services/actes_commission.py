"""What every act on a commission does: lock it if the actor may change it, write down who did what."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied

from flux.models import Commission, EvenementCommission
from reservation.acteur import Acteur


def verrouiller_commission(acteur: Acteur, commission: Commission) -> Commission:
    """The row as it is now, locked until the end of the transaction, if `acteur` may change it."""
    visibles = Commission.objects.modifiables_par(acteur).filter(pk=commission.pk)
    verrouillee = (
        Commission.objects.filter(pk__in=visibles)
        .select_related("bailleur", "departement")
        .select_for_update(of=("self",))
        .first()
    )
    if verrouillee is None:
        raise PermissionDenied(
            "Cette commission n’est pas de votre périmètre, ou votre rôle ne permet que de lire."
        )
    return verrouillee


def noter(
    acteur: Acteur,
    commission: Commission,
    nature: str,
    *,
    motif: str = "",
    points: Sequence[str] = (),
) -> EvenementCommission:
    """Write down one act on the commission, and who did it."""
    return EvenementCommission.objects.create(
        bailleur_id=commission.bailleur_id,
        departement_id=commission.departement_id,
        commission=commission,
        nature=nature,
        motif=motif,
        points=list(points),
        par_id=acteur.utilisateur_id,
    )
