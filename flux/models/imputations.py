"""The one title under which an attributed libération counts."""

from django.db import models

from reservation.models import Departement, Organisation, PerimetreQuerySet, VersionConvention

from .attributions import Attribution
from .gels import gel_des_imputations
from .liberations import Liberation


class ImputationQuerySet(PerimetreQuerySet):
    """Two questions, two dates (chapter 4): never count the rows of a year without saying which event counts."""

    def attribuees_en(self, annee: int) -> "ImputationQuerySet":
        """One row per attribution made in `annee` (CALEOL date): réalisé, 25 % and 100 % tests, tables of the bilan."""
        return self.filter(annee=annee, date_caleol__year=annee)

    def baux_signes_en(self, annee: int) -> "ImputationQuerySet":
        """One row per lease signed in `annee`, whenever the CALEOL was: agents, and conventions that count leases."""
        return self.filter(annee=annee, date_bail__year=annee)


class Imputation(models.Model):
    """The one title under which an attributed libération counts in the bilan of `annee` (chapter 9; CA 7.1).

    One row per libération and year, so that nothing counts twice in a bilan and no later event reopens an
    earlier one: the row of N is carried by the last attribution made by 31 December N, under the régime of N.
    It exists for the year of the CALEOL, and for the year of the lease when that is another one (an agent, or
    a convention that counts leases); `attribuees_en` and `baux_signes_en` say which rows answer which question.
    `titre` and `detail` are those of the bench (["ETAT", "PRIORITE_1"]); for a réservataire `titre` is its code.
    `explication`: the facts used, frozen with the row; `flux.services.imputations.expliquer` puts them in words.
    """

    liberation = models.ForeignKey(Liberation, models.CASCADE, related_name="imputations", db_index=False)
    annee = models.PositiveSmallIntegerField("exercice")
    attribution = models.ForeignKey(Attribution, models.CASCADE, related_name="imputations")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", db_index=False)
    reservataire = models.ForeignKey(
        Organisation, models.PROTECT, related_name="imputations", null=True, blank=True
    )
    titre = models.CharField("titre", max_length=20)
    detail = models.CharField("détail", max_length=28)
    qpv = models.BooleanField("en QPV")
    date_caleol = models.DateField("CALEOL")
    date_bail = models.DateField("bail", null=True)
    motif_hors_prioritaire = models.CharField(max_length=22, blank=True)
    version = models.ForeignKey(
        VersionConvention, models.PROTECT, related_name="+", null=True, db_index=False
    )
    explication = models.JSONField("explication", default=dict)
    calculee_le = models.DateTimeField("calculée le", auto_now=True)

    objects = ImputationQuerySet.as_manager()

    class Meta:
        verbose_name = "imputation"
        ordering = ["annee", "pk"]
        triggers = gel_des_imputations()
        indexes = [
            models.Index(fields=["departement", "annee", "bailleur"], name="imputation_departement_annee")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["liberation", "annee"],
                name="imputation_unique",
                violation_error_message="Une attribution n’a qu’une imputation par exercice.",
            )
        ]
