"""Class boundaries of the bilan (chapter 12): reference data that an administrator edits, not constants."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Classe(models.Model):
    hors_perimetre = "nomenclature commune à tous"
    code = models.CharField("code", max_length=8, unique=True)
    libelle = models.CharField("libellé", max_length=60)
    rang = models.PositiveSmallIntegerField("rang", unique=True)

    class Meta:
        abstract = True
        ordering = ["rang"]

    def __str__(self) -> str:
        return self.libelle


class ClasseTypologie(Classe):
    """Number of main rooms, from `pieces_min` to `pieces_max` included (open when empty)."""

    pieces_min = models.PositiveSmallIntegerField("de (pièces)")
    pieces_max = models.PositiveSmallIntegerField("à (pièces)", null=True, blank=True)

    class Meta(Classe.Meta):
        verbose_name = "classe de typologie"
        verbose_name_plural = "classes de typologie"


class ClassePeriode(Classe):
    """Years of construction, bounds included (open when empty)."""

    annee_min = models.PositiveSmallIntegerField("de (année)", null=True, blank=True)
    annee_max = models.PositiveSmallIntegerField("à (année)", null=True, blank=True)

    class Meta(Classe.Meta):
        verbose_name = "classe de période de construction"
        verbose_name_plural = "classes de période de construction"


class ClasseFinancement(Classe):
    """A group of (FINAN, CONV) pairs; `finans` holds codes such as "13", or "17/1" when CONV matters."""

    finans = ArrayField(
        models.CharField(max_length=4), default=list, verbose_name="codes FINAN ou FINAN/CONV"
    )
    par_defaut = models.BooleanField("reçoit ce qu’aucune classe ne nomme", default=False)

    class Meta(Classe.Meta):
        verbose_name = "classe de financement"
        verbose_name_plural = "classes de financement"
        constraints = [
            models.UniqueConstraint(
                fields=["par_defaut"],
                condition=Q(par_defaut=True),
                name="classe_financement_un_defaut",
                violation_error_message="Une seule classe reçoit les financements non nommés.",
            )
        ]
