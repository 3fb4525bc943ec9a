"""The dates of a campaign that somebody changed; what nobody changed is in `bilans.regles.campagne`."""

from django.db import models
from django.db.models import F, Q

from bilans.regles.campagne import TITRES, Echeance, NatureEcheance
from reservation.models import Departement, Region, Utilisateur

NATURES = [(str(nature), titre) for nature, titre in TITRES.items()]


class EcheanceCampagne(models.Model):
    """One date of campaign `annee` in a département, or in a whole région where no département says otherwise.

    `due`: last day, until midnight in Paris. `tolerance`: last day on which nobody is late. `suivie` False: not held.
    """

    hors_perimetre = (
        "dates d’un territoire, connues de tous ses partenaires ; écrites par la DDETS ou la DREAL"
    )

    annee = models.PositiveSmallIntegerField("année")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", null=True, blank=True)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", null=True, blank=True)
    nature = models.CharField("échéance", max_length=13, choices=NATURES)
    due = models.DateField("dernier jour")
    tolerance = models.DateField("toléré jusqu’au")
    raison = models.CharField("raison", max_length=300)
    suivie = models.BooleanField("tenue cette année", default=True)
    modifiee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    modifiee_le = models.DateTimeField("modifiée le", auto_now=True)

    objects = models.Manager()

    class Meta:
        verbose_name = "échéance de campagne"
        verbose_name_plural = "échéances de campagne"
        ordering = ["annee", "due", "nature"]
        constraints = [
            models.CheckConstraint(
                name="echeance_campagne_un_territoire",
                condition=Q(departement__isnull=False, region__isnull=True)
                | Q(departement__isnull=True, region__isnull=False),
                violation_error_message="Une échéance vaut pour un département, ou pour une région.",
            ),
            models.CheckConstraint(
                name="echeance_campagne_tolerance",
                condition=Q(tolerance__gte=F("due")),
                violation_error_message="La tolérance précède l’échéance.",
            ),
            models.CheckConstraint(
                name="echeance_campagne_raison",
                condition=~Q(raison=""),
                violation_error_message="Une échéance dit sa raison.",
            ),
            models.UniqueConstraint(
                fields=["annee", "departement", "nature"],
                condition=Q(departement__isnull=False),
                name="echeance_campagne_departement_unique",
            ),
            models.UniqueConstraint(
                fields=["annee", "region", "nature"],
                condition=Q(region__isnull=False),
                name="echeance_campagne_region_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_nature_display()}, campagne {self.annee}"

    @property
    def echeance(self) -> Echeance:
        """As the rules read it."""
        return Echeance(
            NatureEcheance(self.nature), self.annee, self.due, self.tolerance, self.raison, self.suivie
        )
