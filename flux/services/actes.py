"""What every act on a freed dwelling does, whatever its verb.

It locks the libération, checks the right and the rule, saves, imputes again and asks for the calculation of the years
that it moves, in one transaction. What it refuses is a `ValidationError` with a French sentence.
"""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models

from flux.models import Attribution, CodeMotif, Imputation, Liberation
from reservation.acteur import Acteur
from reservation.regles.typographie import typographier

from .file_de_calcul import marquer_a_calculer
from .imputations import imputer


def verrouiller(acteur: Acteur, liberation: Liberation) -> Liberation:
    """The row as it is now, locked until the end of the transaction, if `acteur` may change it."""
    lignes = Liberation.objects.filter(
        pk__in=Liberation.objects.modifiables_par(acteur).filter(pk=liberation.pk)
    )
    verrouillee = lignes.select_for_update(of=("self",)).first()
    if verrouillee is None:
        raise PermissionDenied(
            "Cette libération n’est pas de votre périmètre, ou votre rôle ne permet que de lire."
        )
    return verrouillee


def verrouiller_ensemble(acteur: Acteur, cles: Collection[int]) -> list[Liberation]:
    """The rows of `cles` as they are now, locked in one order, if `acteur` may change every one of them."""
    lignes = Liberation.objects.filter(
        pk__in=Liberation.objects.modifiables_par(acteur).filter(pk__in=cles).values("pk")
    )
    verrouillees = list(lignes.order_by("pk").select_for_update(of=("self",)))
    if len(verrouillees) != len({*cles}):
        raise PermissionDenied(
            "Une de ces libérations n’est pas de votre périmètre, ou votre rôle ne permet que de lire."
        )
    return verrouillees


def exiger(condition: bool, phrase: str) -> None:
    """Raises `ValidationError` with this sentence when the rule does not hold."""
    if not condition:
        raise ValidationError(typographier(phrase))


def exiger_motif(motif: CodeMotif, acte: str) -> None:
    """The coded reason is one of those of this act."""
    exiger(motif.acte == acte, f"« {motif.libelle} » n’est pas un motif de cet acte.")


def enregistrer(objet: models.Model) -> None:
    """Save after every check of the model and of its constraints.

    Not the household: it comes from a number that the bailleur typed, and is not visible before this very row is.
    """
    objet.full_clean(exclude={"menage"})
    objet.save()


def conclure(liberation: Liberation, raison: str, annees: Collection[int] = ()) -> None:
    """Impute again, and ask for the calculation of the years in which this libération counts, or counted.

    `annees`: years of what was taken off already, and that nothing shows any more.
    """
    conclure_ensemble([liberation], raison, annees)


def conclure_ensemble(liberations: Collection[Liberation], raison: str, annees: Collection[int] = ()) -> None:
    """`conclure` for several at once, in the same few queries whatever their number."""
    cles = [liberation.pk for liberation in liberations]
    touchees = {liberation.date.year for liberation in liberations} | {*annees}
    touchees |= {*Imputation.objects.filter(liberation__in=cles).order_by().values_list("annee", flat=True)}
    for dates in (
        Attribution.objects.filter(liberation__in=cles).order_by().values_list("date_caleol", "date_bail")
    ):
        touchees |= {jour.year for jour in dates if jour}
    imputer(liberations=cles)
    paires = {(liberation.bailleur_id, liberation.departement_id) for liberation in liberations}
    marquer_a_calculer(paires, touchees, raison)
