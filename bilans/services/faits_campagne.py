"""What was done of a campaign, and when: the only thing that the dates are told of the rest of the application.

A nature that is not in `FAITS` is shown with its date, and nothing more: what the application does not record is never
called late, and nobody is reminded of it.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from django.db.models import Min

from bilans.models import EnvoiProjection, EtapeBilan, PartConvenue, PointEtape
from bilans.regles.campagne import NatureEcheance
from bilans.regles.cycle import ActeBilan, EtatBilan

Cle = tuple[int, str, int]  # bailleur, département, campaign
# Where a bilan waits for its bailleur, once it was submitted.
CHEZ_LE_BAILLEUR = (EtatBilan.COMPLEMENT, EtatBilan.RENVOYE, EtatBilan.CORRECTION)


def _premiers(lignes, champ: str) -> dict[Cle, datetime]:
    """When it was first done: a later version does not make anybody late."""
    return {
        (bailleur, departement, annee): le
        for bailleur, departement, annee, le in lignes.order_by()
        .values_list("bailleur", "departement", "annee")
        .annotate(le=Min(champ))
    }


def projections_transmises(bailleurs: Collection[int], annees: Collection[int]) -> dict[Cle, datetime]:
    """When each bailleur first sent what it foresees to its réservataires."""
    envois = EnvoiProjection.objects.filter(bailleur__in=bailleurs, annee__in=annees)
    return _premiers(envois, "envoye_le")


def parts_convenues(bailleurs: Collection[int], annees: Collection[int]) -> dict[Cle, datetime]:
    """When each bailleur and ALS first agreed."""
    parts = PartConvenue.objects.filter(bailleur__in=bailleurs, annee__in=annees, acceptee_le__isnull=False)
    return _premiers(parts, "acceptee_le")


def bilans_soumis(bailleurs: Collection[int], annees: Collection[int]) -> dict[Cle, datetime]:
    """When each bailleur first submitted the bilan of the year before the campaign: sent to everybody in one act."""
    soumis = (
        EtapeBilan.objects.filter(
            bailleur__in=bailleurs, acte=ActeBilan.SOUMETTRE, bilan__annee__in=[annee - 1 for annee in annees]
        )
        .order_by()
        .values_list("bailleur", "departement", "bilan__annee")
        .annotate(premier=Min("le"))
    )
    return {(bailleur, departement, annee + 1): le for bailleur, departement, annee, le in soumis}


def _demandes(
    bailleurs: Collection[int], annees: Collection[int]
) -> dict[Cle, tuple[datetime, datetime | None]]:
    """Bilans that the DDETS sent back, or asked something of: when it last did, when they were submitted since."""
    demandes: dict[Cle, tuple[datetime, datetime | None]] = {}
    for bailleur, departement, annee, vers, le in (
        EtapeBilan.objects.filter(bailleur__in=bailleurs, bilan__annee__in=[annee - 1 for annee in annees])
        .order_by("bilan", "rang")
        .values_list("bailleur", "departement", "bilan__annee", "vers", "le")
    ):
        cle = (bailleur, departement, annee + 1)
        if vers in CHEZ_LE_BAILLEUR:
            demandes[cle] = (le, None)
        elif vers == EtatBilan.SOUMIS and cle in demandes:
            demandes[cle] = (demandes[cle][0], demandes[cle][1] or le)
    return demandes


def corrections_remises(bailleurs: Collection[int], annees: Collection[int]) -> dict[Cle, datetime]:
    """When a bilan that the DDETS had sent back, or asked something of, was submitted again."""
    return {cle: le for cle, (_, le) in _demandes(bailleurs, annees).items() if le}


def corrections_demandees(bailleurs: Collection[int], annees: Collection[int]) -> dict[Cle, datetime]:
    """When the DDETS last asked: nobody owes a correction that was not asked for, nor one asked after the date."""
    return {cle: le for cle, (le, _) in _demandes(bailleurs, annees).items()}


def _points_transmis(
    bailleurs: Collection[int], annees: Collection[int], semestre: int
) -> dict[Cle, datetime]:
    points = (
        PointEtape.objects.filter(bailleur__in=bailleurs, bilan__annee__in=annees, semestre=semestre)
        .order_by()
        .values_list("bailleur", "departement", "bilan__annee")
        .annotate(premier=Min("le"))
    )
    return {(bailleur, departement, annee): le for bailleur, departement, annee, le in points}


def premiers_points_d_etape(bailleurs: Collection[int], annees: Collection[int]) -> dict[Cle, datetime]:
    """When each bailleur first sent the point d'étape of the first half-year."""
    return _points_transmis(bailleurs, annees, 1)


def seconds_points_d_etape(bailleurs: Collection[int], annees: Collection[int]) -> dict[Cle, datetime]:
    """When each bailleur first sent the point d'étape of the second half-year."""
    return _points_transmis(bailleurs, annees, 2)


# nature → (bailleurs, campaigns) → when it was first done, by bailleur, département and campaign.
FAITS: dict[NatureEcheance, Callable[[Collection[int], Collection[int]], dict[Cle, datetime]]] = {
    NatureEcheance.PROJECTION: projections_transmises,
    NatureEcheance.PART_ALS: parts_convenues,
    NatureEcheance.BILAN: bilans_soumis,
    NatureEcheance.CORRECTION: corrections_remises,
    NatureEcheance.POINT_ETAPE_1: premiers_points_d_etape,
    NatureEcheance.POINT_ETAPE_2: seconds_points_d_etape,
}
# Owed only by those of whom it was asked, and when; the other natures are owed by all.
DEMANDES: dict[NatureEcheance, Callable[[Collection[int], Collection[int]], dict[Cle, datetime]]] = {
    NatureEcheance.CORRECTION: corrections_demandees,
}


def propositions_en_attente(bailleurs: Collection[int], annees: Collection[int]) -> dict[Cle, int]:
    """Who proposed the share of ALS that waits for an answer: that organisation has done its part."""
    return {
        (bailleur, departement, annee): proposant
        for bailleur, departement, annee, proposant in PartConvenue.objects.filter(
            bailleur__in=bailleurs, annee__in=annees, etat=PartConvenue.Etat.PROPOSEE
        )
        .order_by()
        .values_list("bailleur", "departement", "annee", "proposee_pour")
    }
