"""What was purged, when: the proof that the retention rules are applied."""

from django.db import models
from django.db.models import F, Q


class RapportPurge(models.Model):
    """One purge that was applied. Without `terminee_le`, it was interrupted: the next one goes on from there.

    `lignes`: for each rule, its code, its words, how many were due and how many were purged. Nothing personal.
    """

    hors_perimetre = "comptes d’une purge, sans rien d’une personne ni d’un organisme"

    jour = models.DateField("échéances au")
    commencee_le = models.DateTimeField("commencée le", auto_now_add=True)
    terminee_le = models.DateTimeField("terminée le", null=True, blank=True)
    lancee_par = models.CharField("lancée par", max_length=120)
    lignes = models.JSONField("lignes", default=list)

    class Meta:
        verbose_name = "rapport de purge"
        verbose_name_plural = "rapports de purge"
        ordering = ["-commencee_le", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="purge_terminee_apres",
                condition=Q(terminee_le__isnull=True) | Q(terminee_le__gte=F("commencee_le")),
                violation_error_message="Une purge se termine après avoir commencé.",
            )
        ]

    def __str__(self) -> str:
        return f"Purge du {self.jour:%d/%m/%Y}"

    @property
    def total(self) -> int:
        return sum(ligne["purges"] for ligne in self.lignes)
