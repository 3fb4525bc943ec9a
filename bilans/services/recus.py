"""The bilans that a réservataire received."""

from django.db.models import F, OuterRef, QuerySet, Subquery

from bilans.models import VersionReservataire
from reservation.acteur import Acteur


def derniers_recus(acteur: Acteur) -> QuerySet[VersionReservataire]:
    """What a réservataire received: of each bilan, the last version."""
    versions = VersionReservataire.objects.filter(
        bilan=OuterRef("bilan"), reservataire=OuterRef("reservataire")
    )
    return (
        VersionReservataire.objects.visibles_par(acteur)
        .filter(pk=Subquery(versions.order_by("-version", "-pk").values("pk")[:1]))
        .select_related("bailleur", "departement")
        .defer("octets", "donnees")
        .order_by("-annee", F("departement__nom_tri"), "bailleur__nom_tri", "pk")
    )
