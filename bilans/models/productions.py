"""Requests for documents and their progress: the rows that people watch while the work is done elsewhere."""

from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

from .bilans import Bilan, DocumentBilan


class LotBilans(models.Model):
    """Documents asked together (a département, a région): the progress is that of its productions."""

    annee = models.PositiveSmallIntegerField("année")
    libelle = models.CharField("périmètre", max_length=200)
    departements = models.JSONField("départements", default=list)
    demande_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    demande_le = models.DateTimeField("demandé le", auto_now_add=True)

    class LotQuerySet(PerimetreQuerySet):
        champ_reservataire = None

        def filtre_visibles(self, acteur: Acteur):
            """Who asked, and the State services whose perimeter holds all of it."""
            if acteur.systeme:
                return Q()
            filtre = Q(demande_par=acteur.utilisateur_id) if acteur.utilisateur_id else None
            if acteur.est_service_etat:
                filtre = (filtre or Q()) | Q(departements__contained_by=list(acteur.departements))
            return filtre

        def filtre_modifiables(self, acteur: Acteur):
            return Q() if acteur.systeme else None

    objects = LotQuerySet.as_manager()

    class Meta:
        verbose_name = "lot de bilans"
        verbose_name_plural = "lots de bilans"
        ordering = ["-demande_le", "-pk"]

    def __str__(self) -> str:
        return f"{self.libelle}, {self.annee}"


class ProductionBilan(models.Model):
    """One PDF asked for one bilan: EN_ATTENTE → EN_COURS → PRODUITE (a new version), INCHANGEE or ECHEC.

    At most one is under way for a bilan: asked twice, made once. `message` says in French what went wrong.
    """

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "en attente"
        EN_COURS = "EN_COURS", "en cours"
        PRODUITE = "PRODUITE", "nouvelle version"
        INCHANGEE = "INCHANGEE", "chiffres inchangés"
        ECHEC = "ECHEC", "échec"

    OUVERTS = (Etat.EN_ATTENTE, Etat.EN_COURS)

    bilan = models.ForeignKey(Bilan, models.CASCADE, related_name="productions")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    lot = models.ForeignKey(LotBilans, models.SET_NULL, related_name="productions", null=True, blank=True)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    message = models.TextField("message", blank=True)
    document = models.ForeignKey(DocumentBilan, models.SET_NULL, related_name="+", null=True, blank=True)
    demande_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    demande_le = models.DateTimeField("demandé le", auto_now_add=True)
    commence_le = models.DateTimeField("commencé le", null=True, blank=True)
    termine_le = models.DateTimeField("terminé le", null=True, blank=True)

    class ProductionQuerySet(PerimetreQuerySet):
        champ_reservataire = None

        def filtre_modifiables(self, acteur: Acteur):
            """Only the application brings a production forward."""
            return Q() if acteur.systeme else None

    objects = ProductionQuerySet.as_manager()

    class Meta:
        verbose_name = "production de bilan"
        verbose_name_plural = "productions de bilans"
        ordering = ["-demande_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["bilan"],
                condition=Q(etat__in=["EN_ATTENTE", "EN_COURS"]),
                name="production_bilan_une_en_cours",
                violation_error_message="Ce bilan est déjà en cours de production.",
            ),
            models.CheckConstraint(
                name="production_bilan_terminee_date",
                condition=Q(etat__in=["EN_ATTENTE", "EN_COURS"], termine_le__isnull=True)
                | (~Q(etat__in=["EN_ATTENTE", "EN_COURS"]) & Q(termine_le__isnull=False)),
                violation_error_message="Une production terminée porte sa date, et elle seule.",
            ),
            models.CheckConstraint(
                name="production_bilan_document",
                condition=~Q(etat__in=["EN_ATTENTE", "EN_COURS", "ECHEC"]) | Q(document__isnull=True),
                violation_error_message="Seule une production aboutie a un document.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bilan} : {self.get_etat_display()}"

    @property
    def en_cours(self) -> bool:
        return self.etat in self.OUVERTS

    @property
    def en_echec(self) -> bool:
        return self.etat == self.Etat.ECHEC
