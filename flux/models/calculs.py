"""The yearly calculation: its inputs, its dated versions, its requests and their progress."""

from django.db import models
from django.db.models import F, Q

from reservation.acteur import Acteur
from reservation.models import (
    Departement,
    NatureSoustraction,
    Organisation,
    PerimetreQuerySet,
    Utilisateur,
)


class Nature(models.TextChoices):
    PREVISIONNEL = "PREVISIONNEL", "prévisionnel"
    DEFINITIF = "DEFINITIF", "définitif"


class SoustractionPrevisionnelle(models.Model):
    """Soustractions that the bailleur foresees for a year, per category, entered before 31 December N−1."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    categorie = models.CharField("catégorie", max_length=20, choices=NatureSoustraction)
    nombre = models.PositiveIntegerField("logements")
    saisi_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    saisi_le = models.DateTimeField(auto_now=True)

    class SoustractionQuerySet(PerimetreQuerySet):
        champ_reservataire = None

    objects = SoustractionQuerySet.as_manager()

    class Meta:
        verbose_name = "soustraction prévisionnelle"
        verbose_name_plural = "soustractions prévisionnelles"
        ordering = ["annee", "categorie"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "annee", "categorie"],
                name="soustraction_previsionnelle_unique",
            )
        ]


class ReportObjectif(models.Model):
    """What a year's objective inherits from the year before (CA 8.2): dwellings, per réservataire."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année dont l’objectif est augmenté")
    nombre = models.PositiveIntegerField("logements")
    motif = models.CharField("motif", max_length=300)

    objects = PerimetreQuerySet.as_manager()

    class Meta:
        verbose_name = "report d’objectif"
        verbose_name_plural = "reports d’objectif"
        ordering = ["annee", "reservataire"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "reservataire", "annee"], name="report_objectif_unique"
            )
        ]


class CalculFluxQuerySet(PerimetreQuerySet):
    """The flux of a bailleur is read by it, the State, the réservataires that have a convention, the COPIL."""

    champ_reservataire = None
    lisible_par_copil = True

    def filtre_visibles(self, acteur: Acteur):
        if acteur.est_reservataire:
            return Q(parts__reservataire=acteur.organisation_id)
        return super().filtre_visibles(acteur)

    def filtre_modifiables(self, acteur: Acteur):
        """Nobody edits a calculation; it may be asked again by its bailleur and the DDETS."""
        if acteur.est_ddets and acteur.peut_gerer:
            return Q(departement__in=acteur.departements)
        return super().filtre_modifiables(acteur)

    def en_vigueur(self):
        return self.filter(en_vigueur=True)


class CalculFlux(models.Model):
    """One dated version of the annual flux of a bailleur in a département; never edited, superseded.

    `entrees`: what it was computed from (millésime, state of the parc, conventions' versions, counts).
    `resultat`: the result of the rules, shaped as the bench's. `etapes`: the steps with their articles.
    `empreinte` is the hash of `entrees`: same inputs, no new version.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="calculs")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    nature = models.CharField("nature", max_length=12, choices=Nature)
    version = models.PositiveIntegerField("version")
    en_vigueur = models.BooleanField("en vigueur", default=True)
    millesime = models.PositiveSmallIntegerField("millésime RPLS", null=True)
    calcule_le = models.DateTimeField("calculé le")
    empreinte = models.CharField("empreinte des entrées", max_length=64)
    raison = models.CharField("raison du calcul", max_length=200, blank=True)
    parc = models.PositiveIntegerField("parc")
    soumis = models.PositiveIntegerField("assiette")
    liberations = models.PositiveIntegerField("libérations")
    soustractions = models.PositiveIntegerField("soustractions")
    flux = models.PositiveIntegerField("flux annuel")
    entrees = models.JSONField("entrées")
    resultat = models.JSONField("résultat")
    etapes = models.JSONField("étapes")
    avertissements = models.JSONField("avertissements", default=list)

    objects = CalculFluxQuerySet.as_manager()

    class Meta:
        verbose_name = "calcul du flux"
        verbose_name_plural = "calculs du flux"
        ordering = ["-annee", "nature", "bailleur", "departement", "-version"]
        indexes = [models.Index(fields=["departement", "annee", "nature"], name="calcul_departement_annee")]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "annee", "nature", "version"], name="calcul_version_unique"
            ),
            models.UniqueConstraint(
                fields=["bailleur", "departement", "annee", "nature"],
                condition=Q(en_vigueur=True),
                name="calcul_un_en_vigueur",
            ),
            models.CheckConstraint(
                name="calcul_flux_difference", condition=Q(flux=F("liberations") - F("soustractions"))
            ),
        ]

    def __str__(self) -> str:
        return f"Flux {self.annee} {self.get_nature_display()}, version {self.version}"


class PartFluxQuerySet(PerimetreQuerySet):
    lisible_par_copil = True


class PartFlux(models.Model):
    """The share of one réservataire in one calculation: exact part, whole dwellings, report, realised.

    `reservataire` is empty for the État without act and for ALS without convention; `code` always says who.
    """

    calcul = models.ForeignKey(CalculFlux, models.CASCADE, related_name="parts")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(
        Organisation, models.PROTECT, related_name="parts", null=True, blank=True
    )
    code = models.CharField("code", max_length=20)
    rang = models.PositiveSmallIntegerField("rang")
    part_exacte = models.DecimalField("part exacte", max_digits=14, decimal_places=4)
    objectif = models.PositiveIntegerField("part en logements")
    report = models.PositiveIntegerField("report")
    objectif_total = models.PositiveIntegerField("objectif")
    realise = models.PositiveIntegerField("réalisé", default=0)

    objects = PartFluxQuerySet.as_manager()

    class Meta:
        verbose_name = "part du flux"
        verbose_name_plural = "parts du flux"
        ordering = ["calcul", "rang"]
        constraints = [models.UniqueConstraint(fields=["calcul", "code"], name="part_unique")]


class Recalcul(models.Model):
    """A request to recompute, and its progress: the row that people watch while the job runs.

    It does not own the work: the queue (`CalculAFaire`) does, and one computation answers every request made
    before it. What is left of a request = the rows of its perimeter that wait since `demande_le` or before.
    """

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "en attente"
        EN_COURS = "EN_COURS", "en cours"
        TERMINE = "TERMINE", "terminé"
        ECHEC = "ECHEC", "terminé avec des erreurs"

    annee = models.PositiveSmallIntegerField("année")
    libelle = models.CharField("périmètre", max_length=200)
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    departements = models.JSONField("départements", default=list)
    raison = models.CharField("raison", max_length=200)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    demande_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    demande_le = models.DateTimeField("demandé le")
    commence_le = models.DateTimeField(null=True, blank=True)
    termine_le = models.DateTimeField(null=True, blank=True)

    class RecalculQuerySet(PerimetreQuerySet):
        champ_reservataire = None

        def filtre_visibles(self, acteur: Acteur):
            if acteur.est_service_etat:
                return Q(departements__contained_by=list(acteur.departements))
            return super().filtre_visibles(acteur)

    objects = RecalculQuerySet.as_manager()

    class Meta:
        verbose_name = "recalcul"
        ordering = ["-demande_le", "-pk"]

    def __str__(self) -> str:
        return self.libelle


class CalculAFaire(models.Model):
    """One bailleur × département × year whose inputs changed: the queue of the job, in the database.

    One row however often it is asked (coalescing). `marque` rises with each change: a worker deletes the row
    only if it still has the mark it read, so that a change during the calculation is not lost. `imputer`: the
    acts, the flags or the parc changed, statuses and imputations are to be looked at again before computing.
    `depuis`: since when it waits; whatever was asked after that moment waits for this row (see `Recalcul`).
    A row with `erreur` waits for nobody: it shows what went wrong until something changes or the night comes.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    marque = models.PositiveBigIntegerField(default=1)
    imputer = models.BooleanField(default=False)
    raison = models.CharField("raison", max_length=200)
    erreur = models.TextField("erreur", blank=True)
    depuis = models.DateTimeField("depuis")

    class CalculAFaireQuerySet(PerimetreQuerySet):
        champ_reservataire = None

    objects = CalculAFaireQuerySet.as_manager()

    class Meta:
        verbose_name = "calcul à faire"
        verbose_name_plural = "calculs à faire"
        ordering = ["depuis", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["bailleur", "departement", "annee"], name="calcul_a_faire_unique")
        ]


class EtapeRecalcul(models.Model):
    """Progress of one recalcul in one département: how many bailleurs to do, done, in error."""

    recalcul = models.ForeignKey(Recalcul, models.CASCADE, related_name="etapes")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    total = models.PositiveIntegerField(default=0)
    faits = models.PositiveIntegerField(default=0)
    inchanges = models.PositiveIntegerField(default=0)
    erreurs = models.PositiveIntegerField(default=0)
    termine_le = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["departement"]
        constraints = [
            models.UniqueConstraint(fields=["recalcul", "departement"], name="etape_recalcul_unique"),
            models.CheckConstraint(
                name="etape_recalcul_compte", condition=Q(faits__lte=F("total"), inchanges__lte=F("faits"))
            ),
        ]
