"""What a merger of bailleurs makes follow of the reconciliations: runs of the year and after, decisions on what follows."""

from collections.abc import Collection
from datetime import date

import pgtrigger

from flux.models import (
    CorrectionRapprochement,
    EcartRapprochement,
    EvenementEcart,
    LigneRapprochement,
    Rapprochement,
)
from reservation.models import Organisation


def suivre_la_fusion(
    absorbe: Organisation, absorbant: Organisation, effet: date, liberations: Collection[int]
) -> None:
    """Inside the transaction of the merger. A run that both have stays where it was: the next one of the absorbing
    bailleur reads everything that follows, decisions included."""
    CorrectionRapprochement.objects.filter(attribution__liberation__in=liberations).update(bailleur=absorbant)
    deja = set(
        Rapprochement.objects.filter(bailleur=absorbant, fin__gte=effet).values_list(
            "departement", "debut", "fin"
        )
    )
    suivent = [
        pk
        for pk, *cle in Rapprochement.objects.filter(bailleur=absorbe, fin__gte=effet)
        .order_by("pk")
        .values_list("pk", "departement", "debut", "fin")
        if tuple(cle) not in deja
    ]
    Rapprochement.objects.filter(pk__in=suivent).update(bailleur=absorbant)
    LigneRapprochement.objects.filter(rapprochement__in=suivent).update(bailleur=absorbant)
    EcartRapprochement.objects.filter(rapprochement__in=suivent).update(bailleur=absorbant)
    with pgtrigger.ignore("flux.EvenementEcart:evenement_ecart_inalterable"):
        EvenementEcart.objects.filter(ecart__rapprochement__in=suivent).update(bailleur=absorbant)
