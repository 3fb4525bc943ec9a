"""What a bilan gives besides its submission: the points d'étape of the year, and what the COPIL reads once validated."""

import pgtrigger
from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

from .bilans import Bilan, DocumentBilan
from .cycle import EtapeBilan


class PointQuerySet(PerimetreQuerySet):
    """Its bailleur and the State read it; the bailleur sends it."""

    champ_reservataire = None


class PointEtape(models.Model):
    """The state of a year that is not over, sent to the DDETS: one document, numbered in its half-year, never changed.

    Nothing is closed by it. `semestre`: 1 or 2.
    """

    bilan = models.ForeignKey(Bilan, models.PROTECT, related_name="points")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    semestre = models.PositiveSmallIntegerField("semestre")
    version = models.PositiveSmallIntegerField("version")
    document = models.OneToOneField(DocumentBilan, models.PROTECT, related_name="point")
    observation = models.TextField("observation", blank=True)
    le = models.DateTimeField("transmis le")
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")

    objects = PointQuerySet.as_manager()

    class Meta:
        verbose_name = "point d’étape"
        verbose_name_plural = "points d’étape"
        ordering = ["bilan", "-semestre", "-version"]
        triggers = [
            pgtrigger.Protect(name="point_inalterable", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["bilan", "semestre", "version"],
                name="point_etape_version_unique",
                violation_error_message="Ce point d’étape vient d’être transmis : rechargez la page.",
            ),
            models.CheckConstraint(
                name="point_etape_semestre",
                condition=Q(semestre__in=[1, 2]),
                violation_error_message="Un semestre est le premier ou le second.",
            ),
        ]

    def __str__(self) -> str:
        return f"Point d’étape, semestre {self.semestre}, version {self.version}"


class VersionCopil(models.Model):
    """What the COPIL reads of a validated bilan: counts, small ones hidden; frozen when the DDETS validates.

    `donnees`: the tree of `bilans.regles.cycle_copil`; `octets`: the PDF of it, made after the validation and never again.
    """

    etape = models.OneToOneField(EtapeBilan, models.PROTECT, related_name="copil")
    bilan = models.ForeignKey(Bilan, models.PROTECT, related_name="copils")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    annee = models.PositiveSmallIntegerField("année")
    version = models.PositiveSmallIntegerField("version")
    donnees = models.JSONField("chiffres")
    empreinte_donnees = models.CharField("empreinte des chiffres", max_length=64)
    validee_le = models.DateTimeField("validée le")
    octets = models.BinaryField("fichier PDF", null=True)
    empreinte_pdf = models.CharField("empreinte du PDF", max_length=64, blank=True)
    pages = models.PositiveSmallIntegerField("pages", default=0)

    class CopilQuerySet(PerimetreQuerySet):
        champ_reservataire = None
        lisible_par_copil = True

        def filtre_modifiables(self, acteur: Acteur):
            return Q() if acteur.systeme else None

    objects = CopilQuerySet.as_manager()

    class Meta:
        verbose_name = "bilan lu par le COPIL"
        verbose_name_plural = "bilans lus par le COPIL"
        ordering = ["-annee", "departement", "bailleur", "-version"]
        triggers = [
            # Its PDF is added once; nothing else of it ever changes.
            pgtrigger.Protect(
                name="copil_inalterable",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.octets IS NOT NULL OR (OLD.etape_id, OLD.bilan_id, OLD.annee, OLD.version, OLD.donnees, "
                    "OLD.empreinte_donnees, OLD.validee_le) IS DISTINCT FROM (NEW.etape_id, NEW.bilan_id, NEW.annee, "
                    "NEW.version, NEW.donnees, NEW.empreinte_donnees, NEW.validee_le)"
                ),
            ),
            pgtrigger.Protect(name="copil_garde", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.CheckConstraint(
                name="version_copil_pdf",
                condition=Q(octets__isnull=True, empreinte_pdf="")
                | (Q(octets__isnull=False) & ~Q(empreinte_pdf="")),
                violation_error_message="Un PDF porte son empreinte.",
            ),
        ]

    def __str__(self) -> str:
        return self.numero

    @property
    def numero(self) -> str:
        return f"BIL-{self.annee}-{self.departement_id}-{self.bailleur.siren}-v{self.version}-COPIL"
