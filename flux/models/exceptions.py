"""Two acts that depart from the ordinary course, with their reason: a label admitted after the CALEOL, a dwelling taken back."""

from django.db import models

from reservation.acteur import Acteur
from reservation.models import (
    Departement,
    Organisation,
    PerimetreQuerySet,
    Utilisateur,
    VersionConvention,
)

from .attributions import Attribution
from .commissions import CodeMotif
from .liberations import Liberation


class ExceptionLabelQuerySet(PerimetreQuerySet):
    """The DDETS of the département decides, the bailleur reads: nothing of it says the ground of the label."""

    champ_reservataire = None

    def filtre_modifiables(self, acteur: Acteur):
        return models.Q() if acteur.systeme else None


class ExceptionLabel(models.Model):
    """A label that began after the CALEOL, admitted for one attribution by the DDETS, or no longer (PACA, art. 3).

    One row per decision, never changed: `Attribution.labels_admis` holds what is in force. The decision outlives the
    attribution and the label, which a correction or the purge may take away: it keeps their dates, and no key holds
    them.
    """

    class Nature(models.TextChoices):
        ADMISSION = "ADMISSION", "admis par exception"
        RETRAIT = "RETRAIT", "exception retirée"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    liberation = models.ForeignKey(Liberation, models.PROTECT, related_name="exceptions_label")
    attribution = models.ForeignKey(Attribution, models.DO_NOTHING, related_name="+", db_constraint=False)
    label_id = models.BigIntegerField("label")
    nature = models.CharField("décision", max_length=9, choices=Nature)
    motif = models.ForeignKey(CodeMotif, models.PROTECT, related_name="+")
    date_caleol = models.DateField("attribué en CALEOL le")
    label_depuis = models.DateField("label valable à partir du")
    faite_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    faite_le = models.DateTimeField("décidé le", auto_now_add=True)

    objects = ExceptionLabelQuerySet.as_manager()

    class Meta:
        verbose_name = "exception pour un label"
        verbose_name_plural = "exceptions pour un label"
        ordering = ["liberation", "pk"]
        constraints = [
            models.CheckConstraint(
                name="exception_label_posterieur",
                condition=models.Q(label_depuis__gt=models.F("date_caleol")),
                violation_error_message="Seul un label postérieur à la CALEOL s’admet par exception.",
            )
        ]

    def __str__(self) -> str:
        return self.get_nature_display()


class ReprisePourUnTour(models.Model):
    """The bailleur takes a dwelling back from a réservataire for one letting, or gives it back; never changed.

    `reservataire`: whose right it was, and whose share is still to be filled. `version`: the text that allows it.
    `reference`: kept here, since its réservataire does not read the libération any more.
    """

    class Nature(models.TextChoices):
        REPRISE = "REPRISE", "repris pour un tour"
        RETOUR = "RETOUR", "rendu au réservataire"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    liberation = models.ForeignKey(Liberation, models.PROTECT, related_name="reprises")
    version = models.ForeignKey(VersionConvention, models.PROTECT, related_name="+")
    reference = models.CharField("référence du logement", max_length=120)
    nature = models.CharField("acte", max_length=7, choices=Nature)
    motif = models.ForeignKey(CodeMotif, models.PROTECT, related_name="+")
    date = models.DateField("repris ou rendu le")
    faite_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    faite_le = models.DateTimeField("enregistré le", auto_now_add=True)

    objects = PerimetreQuerySet.as_manager()

    class Meta:
        verbose_name = "reprise pour un tour"
        verbose_name_plural = "reprises pour un tour"
        ordering = ["liberation", "pk"]

    def __str__(self) -> str:
        return self.get_nature_display()
