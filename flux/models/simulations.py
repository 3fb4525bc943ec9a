"""What-if: a convention or an avenant under negotiation, replayed on past years. Reads real figures, changes none."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur


class SimulationQuerySet(PerimetreQuerySet):
    """Who made it, and the organisations it was shared with; nobody else, whatever its perimeter."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if acteur.organisation_id is None:
            return None
        return Q(proprietaire=acteur.organisation_id) | Q(
            pk__in=PartageSimulation.objects.filter(organisation=acteur.organisation_id)
            .order_by()
            .values("simulation_id")
        )

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if (acteur.est_bailleur or acteur.est_ddets) and acteur.peut_gerer:
            return Q(proprietaire=acteur.organisation_id)
        return None


class Simulation(models.Model):
    """One question put to the past: a pair, what would change, and why it is asked. Its results are its versions.

    `acte`: the name of the act that it started from, if it did.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    proprietaire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    acte = models.CharField("acte dont elle part", max_length=200, blank=True)
    titre = models.CharField("titre", max_length=120)
    note = models.TextField("note", max_length=2000, blank=True)
    creee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    creee_le = models.DateTimeField("créée le")
    calculee_le = models.DateTimeField("dernier calcul le")

    objects = SimulationQuerySet.as_manager()

    class Meta:
        verbose_name = "simulation"
        ordering = ["-calculee_le", "-pk"]

    def __str__(self) -> str:
        return self.titre


class DeSimulationQuerySet(PerimetreQuerySet):
    """What belongs to a simulation is read by whoever reads it."""

    def filtre_visibles(self, acteur: Acteur):
        return Q(simulation__in=Simulation.objects.visibles_par(acteur).order_by().values("pk"))

    def filtre_modifiables(self, acteur: Acteur):
        return Q() if acteur.systeme else None


class VersionSimulation(models.Model):
    """A result as it was computed; never changed. `entrees`: what it read; `empreinte`: their hash with the changes.

    `resultat`: every réservataire of every year. What of it a reader may see is `services.simulations.lire`.
    """

    simulation = models.ForeignKey(Simulation, models.CASCADE, related_name="versions")
    proprietaire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    rang = models.PositiveSmallIntegerField("version")
    annees = ArrayField(models.PositiveSmallIntegerField(), verbose_name="années rejouées")
    changements = models.JSONField("changements")
    entrees = models.JSONField("entrées")
    resultat = models.JSONField("résultat")
    empreinte = models.CharField("empreinte des entrées", max_length=64)
    calculee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    calculee_le = models.DateTimeField("calculée le")

    objects = DeSimulationQuerySet.as_manager()

    class Meta:
        verbose_name = "version d’une simulation"
        verbose_name_plural = "versions d’une simulation"
        ordering = ["simulation", "-rang"]
        constraints = [
            models.UniqueConstraint(fields=["simulation", "rang"], name="version_simulation_unique")
        ]

    def __str__(self) -> str:
        return f"{self.simulation}, version {self.rang}"


class PartageQuerySet(PerimetreQuerySet):
    """Who shares knows with whom; each organisation knows of its own share only."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if acteur.organisation_id is None:
            return None
        return Q(proprietaire=acteur.organisation_id) | Q(organisation=acteur.organisation_id)

    def filtre_modifiables(self, acteur: Acteur):
        return Q() if acteur.systeme else None


class PartageSimulation(models.Model):
    """One organisation, party to the acts, that may read a simulation: its own part of it (table of chapter 2)."""

    simulation = models.ForeignKey(Simulation, models.CASCADE, related_name="partages")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    proprietaire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    partagee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    partagee_le = models.DateTimeField("partagée le")

    objects = PartageQuerySet.as_manager()

    class Meta:
        verbose_name = "partage d’une simulation"
        verbose_name_plural = "partages d’une simulation"
        ordering = ["simulation", "organisation__nom_tri", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["simulation", "organisation"],
                name="partage_simulation_unique",
                violation_error_message="Cette simulation est déjà partagée avec cette organisation.",
            ),
            models.CheckConstraint(
                name="partage_simulation_autrui", condition=~Q(organisation=models.F("proprietaire"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.simulation} – {self.organisation}"
