"""The reminders that were sent: what keeps them from being sent twice, and says that they were."""

from django.db import models

from bilans.regles.campagne import Seuil
from reservation.acteur import Acteur
from reservation.models import Courriel, Departement, Organisation, PerimetreQuerySet

from .campagnes import NATURES

LIBELLES_SEUIL = {
    Seuil.J_30: "dans les trente jours",
    Seuil.J_7: "dans les sept jours",
    Seuil.J_1: "date passée, tolérée",
    Seuil.RETARD: "en retard",
}


class RappelQuerySet(PerimetreQuerySet):
    """Read by the organisation that received it, and by the State services of the département."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme or acteur.est_service_etat:
            return super().filtre_visibles(acteur)
        if acteur.organisation_id:
            return models.Q(organisation=acteur.organisation_id)
        return None

    def filtre_modifiables(self, acteur: Acteur):
        """The application writes them."""
        return models.Q() if acteur.systeme else None


class Rappel(models.Model):
    """One line of the daily e-mail of one organisation. A date that moves calls for its reminders again (`due`)."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("campagne")
    nature = models.CharField("échéance", max_length=13, choices=NATURES)
    due = models.DateField("dernier jour")
    seuil = models.CharField(
        "seuil", max_length=6, choices=[(str(code), libelle) for code, libelle in LIBELLES_SEUIL.items()]
    )
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    ecrit_le = models.DateTimeField("écrit le")

    objects = RappelQuerySet.as_manager()

    class Meta:
        verbose_name = "rappel"
        verbose_name_plural = "rappels"
        ordering = ["-ecrit_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "annee", "nature", "due", "seuil", "organisation"],
                name="rappel_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_nature_display()}, {self.get_seuil_display()}"


class CourrielDeRappel(models.Model):
    """An e-mail that carries reminders, and which: its own row says whether it left. Gone with an e-mail that lost its reason."""

    hors_perimetre = "lie un rappel, qui est verrouillé, au courriel qui le porte"

    rappel = models.ForeignKey(Rappel, models.CASCADE, related_name="envois")
    courriel = models.ForeignKey(Courriel, models.CASCADE, related_name="+")

    objects = models.Manager()

    class Meta:
        verbose_name = "courriel d’un rappel"
        verbose_name_plural = "courriels des rappels"
        ordering = ["rappel", "courriel"]
        constraints = [
            models.UniqueConstraint(fields=["rappel", "courriel"], name="courriel_de_rappel_unique")
        ]
