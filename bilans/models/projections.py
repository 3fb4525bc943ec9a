"""What a bailleur sends to its réservataires before the year, and the share that it agrees on with Action Logement."""

from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur


class EnvoiQuerySet(PerimetreQuerySet):
    """Its bailleur, the State, and those to whom it was sent."""

    champ_reservataire = "remises__reservataire"


class EnvoiProjection(models.Model):
    """One version of the projected soustractions of a year, as it was sent; never changed.

    `nombres`: dwellings by category, every category that the acts deduct, zeros included.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    version = models.PositiveSmallIntegerField("version")
    nombres = models.JSONField("logements par catégorie")
    total = models.PositiveIntegerField("logements")
    envoye_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    envoye_le = models.DateTimeField("transmis le")

    objects = EnvoiQuerySet.as_manager()

    class Meta:
        verbose_name = "projection transmise"
        verbose_name_plural = "projections transmises"
        ordering = ["bailleur", "departement", "annee", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "annee", "version"], name="envoi_projection_version_unique"
            )
        ]

    def __str__(self) -> str:
        return f"Projection {self.annee}, version {self.version}"


class RemiseQuerySet(PerimetreQuerySet):
    """A réservataire reads and acknowledges its own; the État is one, through its DDETS."""

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(reservataire=acteur.organisation_id) if acteur.peut_gerer else None


class RemiseProjection(models.Model):
    """One réservataire to whom a version was sent. `comptes`: people who were written to; 0, to be handed otherwise."""

    envoi = models.ForeignKey(EnvoiProjection, models.PROTECT, related_name="remises")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    comptes = models.PositiveSmallIntegerField("personnes prévenues")
    remise_le = models.DateTimeField("transmise le")
    lue_le = models.DateTimeField("accusée le", null=True, blank=True)
    lue_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)

    objects = RemiseQuerySet.as_manager()

    class Meta:
        verbose_name = "remise d’une projection"
        verbose_name_plural = "remises de projections"
        ordering = ["envoi", "reservataire__nom_tri", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["envoi", "reservataire"], name="remise_projection_unique"),
            models.CheckConstraint(
                name="remise_projection_lue",
                condition=Q(lue_le__isnull=True, lue_par__isnull=True) | Q(lue_le__isnull=False),
                violation_error_message="Un accusé porte sa date.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.envoi} – {self.reservataire}"


class PartConvenue(models.Model):
    """The forecast share of ALS for a year: proposed by one, accepted by the other, told to the préfet; versions.

    PROPOSEE → ACCEPTEE, or REMPLACEE by a later version (`acceptee_le` then says whether it was in force).
    """

    class Etat(models.TextChoices):
        PROPOSEE = "PROPOSEE", "proposée"
        ACCEPTEE = "ACCEPTEE", "acceptée"
        REMPLACEE = "REMPLACEE", "remplacée"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    version = models.PositiveSmallIntegerField("version")
    logements = models.PositiveIntegerField("logements")
    observation = models.CharField("observation", max_length=500, blank=True)
    etat = models.CharField("état", max_length=9, choices=Etat, default=Etat.PROPOSEE)
    proposee_pour = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    proposee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    proposee_le = models.DateTimeField("proposée le")
    acceptee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    acceptee_le = models.DateTimeField("acceptée le", null=True, blank=True)
    prefet_informe_le = models.DateTimeField("préfet informé le", null=True, blank=True)

    class PartQuerySet(PerimetreQuerySet):
        def filtre_modifiables(self, acteur: Acteur):
            """The two that agree on it."""
            if acteur.est_reservataire and acteur.peut_gerer:
                return Q(reservataire=acteur.organisation_id)
            return super().filtre_modifiables(acteur)

    objects = PartQuerySet.as_manager()

    class Meta:
        verbose_name = "part prévisionnelle convenue"
        verbose_name_plural = "parts prévisionnelles convenues"
        ordering = ["bailleur", "departement", "annee", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "reservataire", "annee", "version"],
                name="part_convenue_version_unique",
            ),
            *(
                models.UniqueConstraint(
                    fields=["bailleur", "departement", "reservataire", "annee"],
                    condition=Q(etat=etat),
                    name=f"part_convenue_une_{etat.lower()}",
                )
                for etat in ("PROPOSEE", "ACCEPTEE")
            ),
            models.CheckConstraint(
                name="part_convenue_acceptee_date",
                condition=Q(etat="ACCEPTEE", acceptee_le__isnull=False)
                | Q(etat="PROPOSEE", acceptee_le__isnull=True)
                | Q(etat="REMPLACEE"),
                violation_error_message="Une part acceptée porte sa date, et elle seule.",
            ),
        ]

    def __str__(self) -> str:
        return f"Part prévisionnelle {self.annee}, version {self.version}"
