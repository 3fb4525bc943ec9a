"""What an orientation was worth when it was made, what the réservataire did of it, and the préfet's urgent designations."""

from django.db import models
from django.db.models import F, Q

from publics.models import Menage
from reservation.acteur import Acteur
from reservation.models import (
    Departement,
    Organisation,
    PerimetreQuerySet,
    Utilisateur,
    VersionConvention,
)

from .commissions import CodeMotif, MotifRefus
from .liberations import Liberation


class OrientationQuerySet(PerimetreQuerySet):
    """Its figures are those of every réservataire: read by the bailleur and the State services alone (chapter 2)."""

    champ_reservataire = None


class Orientation(models.Model):
    """One choice of a réservataire for one libération, with the suggestion that the application made at that moment.

    Written once, never changed: a new choice is a new row, the last one is that of the libération. `suggere` is empty
    when nothing was suggested (out of the flux, decided elsewhere and imported). `chiffres`: the lines of the table as
    they were shown, exact shares as fractions. `agents`: oriented to the agents of the État.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    liberation = models.ForeignKey(Liberation, models.PROTECT, related_name="orientations")
    reservataire = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name="réservataire choisi"
    )
    suggere = models.ForeignKey(
        Organisation,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="réservataire suggéré",
    )
    agents = models.BooleanField("pour un agent de l’État", default=False)
    phrase = models.CharField("suggestion expliquée", max_length=600, blank=True)
    chiffres = models.JSONField("chiffres", default=dict, blank=True)
    motif = models.ForeignKey(
        CodeMotif,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="motif du choix",
    )
    date = models.DateField("orientée le")
    faite_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    faite_le = models.DateTimeField("enregistrée le", auto_now_add=True)

    objects = OrientationQuerySet.as_manager()

    class Meta:
        verbose_name = "orientation"
        ordering = ["liberation", "pk"]
        constraints = [
            models.CheckConstraint(
                name="orientation_motif_si_autre",
                condition=Q(motif__isnull=True, suggere__isnull=True)
                | Q(motif__isnull=True, suggere=F("reservataire"))
                | (Q(motif__isnull=False, suggere__isnull=False) & ~Q(suggere=F("reservataire"))),
                violation_error_message="Un autre choix que la suggestion demande un motif, et lui seul.",
            )
        ]

    @property
    def suivie(self) -> bool:
        """Whether the suggestion was followed; False also when there was none."""
        return self.suggere_id is not None and self.suggere_id == self.reservataire_id


class DesignationQuerySet(PerimetreQuerySet):
    """Its réservataire answers it: ALS, a collectivité, an other one, or the DDETS for the État."""

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.peut_gerer and (acteur.est_reservataire or acteur.est_ddets):
            return Q(reservataire=acteur.organisation_id)
        return super().filtre_modifiables(acteur)

    def vivantes(self):
        return self.exclude(etat=Designation.Etat.REMPLACEE)


class Designation(models.Model):
    """The candidates awaited for a libération oriented to a réservataire: EN_ATTENTE → PROPOSEE, or → ECHOUEE.

    In gestion directe the réservataire is told and has until `echeance` (last day, `delai_proposition` days after it
    was told); in gestion déléguée the bailleur designates, and no clock runs. Whatever state it is in, a new choice
    of the bailleur makes it REMPLACEE. The terms are those of the convention on the day, copied.
    """

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "candidats attendus"
        PROPOSEE = "PROPOSEE", "candidats proposés"
        ECHOUEE = "ECHOUEE", "désignation échouée"
        REMPLACEE = "REMPLACEE", "réorientée"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="designations")
    liberation = models.ForeignKey(Liberation, models.PROTECT, related_name="designations")
    version = models.ForeignKey(VersionConvention, models.PROTECT, related_name="+", null=True, blank=True)
    gestion = models.CharField("gestion", max_length=8, choices=VersionConvention.Gestion)
    sans_proposition = models.CharField(
        "sans proposition dans le délai", max_length=18, choices=VersionConvention.SansProposition
    )
    ouverte_le = models.DateField("demandée le")
    delai = models.PositiveSmallIntegerField("délai (jours)", null=True, blank=True)
    echeance = models.DateField("dernier jour pour proposer", null=True, blank=True)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    close_le = models.DateField("échec constaté le", null=True, blank=True)
    motif = models.ForeignKey(MotifRefus, models.PROTECT, related_name="+", null=True, blank=True)

    objects = DesignationQuerySet.as_manager()

    class Meta:
        verbose_name = "désignation"
        ordering = ["echeance", "pk"]
        indexes = [
            models.Index(fields=["reservataire", "etat", "echeance"], name="designation_reservataire"),
            models.Index(fields=["echeance"], condition=Q(etat="EN_ATTENTE"), name="designation_delai"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["liberation"],
                condition=~Q(etat="REMPLACEE"),
                name="designation_vivante_unique",
                violation_error_message="Ce logement a déjà une désignation en cours.",
            ),
            models.CheckConstraint(
                name="designation_echec_date",
                condition=Q(etat="ECHOUEE", close_le__isnull=False)
                | Q(etat="REMPLACEE")
                | Q(etat__in=["EN_ATTENTE", "PROPOSEE"], close_le__isnull=True, motif__isnull=True),
                violation_error_message="Un échec de désignation porte sa date, et lui seul.",
            ),
            models.CheckConstraint(
                name="designation_echeance_si_delai",
                condition=Q(delai__isnull=True, echeance__isnull=True)
                | Q(delai__isnull=False, echeance__gte=F("ouverte_le")),
                violation_error_message="L’échéance vient du délai de la convention.",
            ),
        ]


class CandidatQuerySet(PerimetreQuerySet):
    """Entered by who designates, as `DesignationQuerySet` says."""

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.peut_gerer and (acteur.est_reservataire or acteur.est_ddets):
            return Q(reservataire=acteur.organisation_id)
        return super().filtre_modifiables(acteur)


class Candidat(models.Model):
    """A household proposed for a libération, before any commission examines it (R. 441-3)."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    liberation = models.ForeignKey(Liberation, models.PROTECT, related_name="candidats")
    designation = models.ForeignKey(Designation, models.PROTECT, related_name="candidats")
    menage = models.ForeignKey(Menage, models.PROTECT, related_name="candidatures")
    propose_le = models.DateField("proposé le")
    propose_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)

    objects = CandidatQuerySet.as_manager()

    class Meta:
        verbose_name = "candidat proposé"
        verbose_name_plural = "candidats proposés"
        ordering = ["designation", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["designation", "menage"],
                name="candidat_unique",
                violation_error_message="Ce ménage est déjà proposé pour ce logement.",
            )
        ]


class UrgenceQuerySet(PerimetreQuerySet):
    champ_reservataire = None

    def filtre_modifiables(self, acteur: Acteur):
        return Q() if acteur.systeme else None


class Urgence(models.Model):
    """A désignation préfectorale d'urgence (CA, art. 5): out of the flux, imputed on nobody. Never changed."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    liberation = models.OneToOneField(Liberation, models.PROTECT, related_name="urgence")
    reference = models.CharField("référence de l’acte", max_length=120)
    motif = models.ForeignKey(CodeMotif, models.PROTECT, related_name="+")
    date = models.DateField("désigné le")
    faite_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    faite_le = models.DateTimeField("enregistrée le", auto_now_add=True)

    objects = UrgenceQuerySet.as_manager()

    class Meta:
        verbose_name = "désignation préfectorale d’urgence"
        verbose_name_plural = "désignations préfectorales d’urgence"
        ordering = ["-date", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="urgence_reference",
                condition=~Q(reference=""),
                violation_error_message="Une désignation d’urgence porte la référence de son acte.",
            )
        ]
