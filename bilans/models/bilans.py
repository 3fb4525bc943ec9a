"""The bilan of a bailleur in a département for a year, and the documents made of it."""

import pgtrigger
from django.db import models

from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet


class BilanQuerySet(PerimetreQuerySet):
    """Its bailleur and the State read it; the réservataires and the COPIL read those sent or validated (later)."""

    champ_reservataire = None

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.est_ddets and acteur.peut_gerer:
            return models.Q(departement__in=acteur.departements)
        return super().filtre_modifiables(acteur)


class Bilan(models.Model):
    """The yearly statement due in February (R. 441-5-1), built from the lines of the year."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="bilans")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    appreciation = models.TextField("appréciation du bailleur", blank=True)

    objects = BilanQuerySet.as_manager()

    class Meta:
        verbose_name = "bilan annuel"
        verbose_name_plural = "bilans annuels"
        ordering = ["-annee", "departement", "bailleur"]
        constraints = [
            models.UniqueConstraint(fields=["bailleur", "departement", "annee"], name="bilan_unique")
        ]

    def __str__(self) -> str:
        return f"Bilan {self.annee} – {self.bailleur} ({self.departement_id})"


class DocumentBilan(models.Model):
    """A PDF that was produced, with the figures it shows: numbered, hashed, its bytes kept.

    `empreinte_donnees` is printed in the document; `empreinte_pdf` is that of the file itself.
    Same figures, same document: a new version is made only when `empreinte_donnees` changes.
    """

    bilan = models.ForeignKey(Bilan, models.PROTECT, related_name="documents")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField("version")
    donnees_au = models.DateField("données au")
    donnees = models.JSONField("chiffres du document")
    empreinte_donnees = models.CharField("empreinte des données", max_length=64)
    fichier = models.FileField("fichier", upload_to="bilans/%Y/", max_length=255)
    empreinte_pdf = models.CharField("empreinte du PDF", max_length=64)
    pages = models.PositiveSmallIntegerField("pages")
    produit_le = models.DateTimeField("produit le", auto_now_add=True)

    objects = BilanQuerySet.as_manager()

    class Meta:
        verbose_name = "document de bilan"
        verbose_name_plural = "documents de bilan"
        ordering = ["bilan", "-version"]
        triggers = [pgtrigger.Protect(name="document_inalterable", operation=pgtrigger.Update)]
        constraints = [
            models.UniqueConstraint(fields=["bilan", "version"], name="document_bilan_version_unique")
        ]

    @property
    def numero(self) -> str:
        return f"BIL-{self.bilan.annee}-{self.departement_id}-{self.bailleur.siren}-v{self.version}"
