"""What the préfet answers when a self-declared agent of the État is attributed a dwelling (CA, art. 5-2)."""

from django.db import models
from django.db.models import Q

from publics.models import MotifLabel
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

from .attributions import Attribution


class DecisionAgentQuerySet(PerimetreQuerySet):
    """Read by the bailleur and by the State; decided by the State."""

    champ_reservataire = None

    def filtre_modifiables(self, acteur: Acteur):
        return Q() if acteur.systeme or (acteur.est_service_etat and acteur.peut_gerer) else None


class DecisionAgent(models.Model):
    """Granted or not, even after the CALEOL. It prevails over the validation that the bailleur declared."""

    attribution = models.OneToOneField(Attribution, models.CASCADE, related_name="decision_agent")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    accordee = models.BooleanField("priorité accordée")
    motif = models.ForeignKey(MotifLabel, models.PROTECT, related_name="+", null=True, blank=True)
    decidee_le = models.DateField("décidé le")
    decidee_par = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name="décidé par")
    auteur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)

    objects = DecisionAgentQuerySet.as_manager()

    class Meta:
        verbose_name = "décision sur un agent attributaire"
        verbose_name_plural = "décisions sur les agents attributaires"
        ordering = ["-decidee_le", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="decision_agent_motif",
                condition=Q(accordee=True, motif__isnull=True) | Q(accordee=False, motif__isnull=False),
                violation_error_message="Un refus porte un motif.",
            )
        ]
