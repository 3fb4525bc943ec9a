"""First lettings of a programme: the concertation with all the réservataires, and the distribution agreed (R. 441-5-3)."""

from django.db import models
from django.db.models import Q

from reservation.models import Commune, Departement, Organisation, PerimetreQuerySet, Utilisateur

from .liberations import Liberation


class ProgrammeQuerySet(PerimetreQuerySet):
    """The record is the bailleur's, read by the State; each réservataire receives the document.

    A réservataire that was consulted sees the programme itself, through its own line (`Consultation`).
    """

    champ_reservataire = "consultations__reservataire"


class LogementDeProgrammeQuerySet(PerimetreQuerySet):
    champ_reservataire = None


class ConsultationQuerySet(PerimetreQuerySet):
    """Read and written with the record; a réservataire reads its own line, and what it needs of the programme in it."""


class Programme(models.Model):
    """Dwellings let for the first time together. CONCERTATION → ARRETEE, once the parts add up to `logements`."""

    class Etat(models.TextChoices):
        CONCERTATION = "CONCERTATION", "concertation en cours"
        ARRETEE = "ARRETEE", "répartition arrêtée"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="programmes")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    commune = models.ForeignKey(Commune, models.PROTECT, related_name="+")
    nom = models.CharField("nom du programme", max_length=120)
    reference = models.CharField("référence de l’opération", max_length=60)
    livraison = models.DateField("livraison prévue le")
    logements = models.PositiveIntegerField("logements")
    non_reserves = models.PositiveIntegerField("logements non réservés (bailleur)", default=0)
    etat = models.CharField("état", max_length=12, choices=Etat, default=Etat.CONCERTATION)
    arretee_le = models.DateField("répartition arrêtée le", null=True, blank=True)
    arretee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField(auto_now_add=True)

    objects = ProgrammeQuerySet.as_manager()

    class Meta:
        verbose_name = "programme"
        ordering = ["-livraison", "nom", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "reference"],
                name="programme_reference_unique",
                violation_error_message="Un programme porte déjà cette référence.",
            ),
            models.CheckConstraint(
                name="programme_logements",
                condition=Q(logements__gte=1),
                violation_error_message="Un programme a au moins un logement.",
            ),
            models.CheckConstraint(
                name="programme_arrete_date",
                condition=Q(etat="ARRETEE", arretee_le__isnull=False)
                | Q(etat="CONCERTATION", arretee_le__isnull=True, arretee_par__isnull=True),
                violation_error_message="Une répartition arrêtée porte sa date, et elle seule.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom


class Consultation(models.Model):
    """One réservataire in the concertation of a programme: asked when, answered what, and what was agreed for it."""

    class Reponse(models.TextChoices):
        ATTENDUE = "ATTENDUE", "réponse attendue"
        ACCORD = "ACCORD", "accord"
        RESERVES = "RESERVES", "accord avec réserves"
        DESACCORD = "DESACCORD", "désaccord"
        SANS_REPONSE = "SANS_REPONSE", "sans réponse"

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="consultations")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    consulte_le = models.DateField("consulté le")
    reponse = models.CharField("réponse", max_length=12, choices=Reponse, default=Reponse.ATTENDUE)
    repondu_le = models.DateField("répondu le", null=True, blank=True)
    logements = models.PositiveIntegerField("logements convenus, droits pour un tour", default=0)

    objects = ConsultationQuerySet.as_manager()

    class Meta:
        verbose_name = "consultation"
        ordering = ["programme", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "reservataire"],
                name="consultation_unique",
                violation_error_message="Ce réservataire est déjà consulté pour ce programme.",
            ),
            models.CheckConstraint(
                name="consultation_reponse_datee",
                condition=Q(reponse__in=["ATTENDUE", "SANS_REPONSE"], repondu_le__isnull=True)
                | Q(reponse__in=["ACCORD", "RESERVES", "DESACCORD"], repondu_le__isnull=False),
                violation_error_message="Une réponse porte sa date, et elle seule.",
            ),
        ]


class LogementDeProgramme(models.Model):
    """A première mise en location that is one of the dwellings of a programme."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="livraisons")
    liberation = models.OneToOneField(Liberation, models.CASCADE, related_name="livraison")

    objects = LogementDeProgrammeQuerySet.as_manager()

    class Meta:
        verbose_name = "logement d’un programme"
        verbose_name_plural = "logements d’un programme"
        ordering = ["programme", "pk"]
