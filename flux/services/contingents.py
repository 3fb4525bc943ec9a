"""Settles whose contingent the candidatures decided by a commission are (`flux.models.contingents`)."""

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When

from flux.models import Commission, Liberation, Passage


def fixer_les_contingents(passages: QuerySet[Passage]) -> None:
    """As the libérations are now, on the day of the CALEOL: called when the decisions become definitive."""
    jour = Commission.objects.filter(pk=OuterRef(OuterRef("commission"))).order_by().values("date")
    contingent = Case(
        When(designation_echouee_le__lte=Subquery(jour), then=F("bailleur")), default=F("reservataire")
    )
    liberation = Liberation.objects.filter(pk=OuterRef("liberation")).order_by()
    passages.order_by().update(reservataire=Subquery(liberation.values(contingent=contingent)))
