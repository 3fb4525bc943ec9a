"""The assiette on which a bailleur and the État agree for a year, once its last bilan is received (chapter 10)."""

from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur


class AssietteConvenue(models.Model):
    """Dwellings subject to gestion en flux in `annee`, read in `millesime`: proposed by one party, accepted by the other.

    PROPOSEE → ACCEPTEE, or REMPLACEE by a later version (`acceptee_le` then says whether it was in force).
    """

    class Etat(models.TextChoices):
        PROPOSEE = "PROPOSEE", "proposée"
        ACCEPTEE = "ACCEPTEE", "convenue"
        REMPLACEE = "REMPLACEE", "remplacée"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    version = models.PositiveSmallIntegerField("version")
    millesime = models.PositiveSmallIntegerField("millésime RPLS")
    parc = models.PositiveIntegerField("parc")
    logements = models.PositiveIntegerField("assiette")
    observation = models.CharField("observation", max_length=500, blank=True)
    etat = models.CharField("état", max_length=9, choices=Etat, default=Etat.PROPOSEE)
    proposee_pour = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    proposee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    proposee_le = models.DateTimeField("proposée le")
    acceptee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    acceptee_le = models.DateTimeField("convenue le", null=True, blank=True)

    class AssietteQuerySet(PerimetreQuerySet):
        """The two that agree on it."""

        champ_reservataire = None

        def filtre_modifiables(self, acteur: Acteur):
            if acteur.est_ddets and acteur.peut_gerer:
                return Q(departement__in=acteur.departements)
            return super().filtre_modifiables(acteur)

    objects = AssietteQuerySet.as_manager()

    class Meta:
        verbose_name = "assiette convenue"
        verbose_name_plural = "assiettes convenues"
        ordering = ["bailleur", "departement", "annee", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "annee", "version"],
                name="assiette_convenue_version_unique",
            ),
            *(
                models.UniqueConstraint(
                    fields=["bailleur", "departement", "annee"],
                    condition=Q(etat=etat),
                    name=f"assiette_convenue_une_{etat.lower()}",
                )
                for etat in ("PROPOSEE", "ACCEPTEE")
            ),
            models.CheckConstraint(
                name="assiette_convenue_date",
                condition=Q(etat="ACCEPTEE", acceptee_le__isnull=False)
                | Q(etat="PROPOSEE", acceptee_le__isnull=True)
                | Q(etat="REMPLACEE"),
                violation_error_message="Une assiette convenue porte sa date, et elle seule.",
            ),
        ]

    def __str__(self) -> str:
        return f"Assiette {self.annee}, version {self.version}"
