"""What counted in the past years up to the same day, and in all: what an atterrissage is drawn from."""

from collections.abc import Collection
from datetime import date

from django.db.models import Count, Q, QuerySet

from bilans.regles.atterrissage import AnneePassee
from flux.models import Imputation
from flux.regles.imputation import Titre
from flux.services.cadres import Paire
from reservation.regles.actes import ETAT

from .compte_etat import dater

ANNEES_PASSEES = 3


def saisons(
    imputations: QuerySet[Imputation],
    au_bail: Collection[Paire],
    jour: date,
    constatees: Collection[tuple[int, str, int]],
) -> dict[tuple[int, str, str], list[AnneePassee]]:
    """(bailleur, département, code of réservataire) → its past years among `imputations`, in one query.

    `constatees`: (bailleur, département, year) whose flux was observed here; the others say nothing of a whole year. On the
    contingent of the État a line that nothing justifies is left out, as it is from its objective.
    """
    avant = Q(compte_le__month__lt=jour.month) | Q(compte_le__month=jour.month, compte_le__day__lte=jour.day)
    passees: dict[tuple[int, str, str], list[AnneePassee]] = {}
    for ligne in (
        dater(imputations.filter(annee__range=(jour.year - ANNEES_PASSEES, jour.year - 1)), au_bail)
        .exclude(titre=ETAT.code, detail=Titre.AUTRE, motif_hors_prioritaire="")
        .order_by("annee")
        .values("bailleur", "departement", "titre", "annee")
        .annotate(a_date=Count("pk", filter=avant), total=Count("pk"))
    ):
        lieu = (ligne["bailleur"], ligne["departement"])
        if (*lieu, ligne["annee"]) in constatees:
            passees.setdefault((*lieu, ligne["titre"]), []).append(
                AnneePassee(ligne["annee"], ligne["a_date"], ligne["total"])
            )
    return passees
