"""Territories of the Code officiel géographique (COG), millésime 2026. Reference data: nobody's, readable by all."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .base import cle_de_tri


class Territoire(models.Model):
    """A place with an INSEE code and a French name; `nom_tri` sorts and searches without case or accents."""

    hors_perimetre = "code officiel géographique, commun à tous"

    nom = models.CharField("nom", max_length=120)
    nom_tri = models.CharField("clé de tri", max_length=120, editable=False, db_index=True)

    class Meta:
        abstract = True
        ordering = ["nom_tri"]

    def __str__(self) -> str:
        return self.nom

    def save(self, *args, **kwargs) -> None:
        self.nom_tri = cle_de_tri(self.nom)
        super().save(*args, **kwargs)


class Region(Territoire):
    code = models.CharField("code", max_length=2, primary_key=True)

    class Meta(Territoire.Meta):
        verbose_name = "région"


class Departement(Territoire):
    code = models.CharField("code", max_length=3, primary_key=True)
    region = models.ForeignKey(
        Region, models.PROTECT, related_name="departements", verbose_name="région", null=True, blank=True
    )

    class Meta(Territoire.Meta):
        verbose_name = "département"


class Epci(Territoire):
    code = models.CharField("SIREN", max_length=9, primary_key=True)
    type = models.CharField("type", max_length=6)

    class Meta(Territoire.Meta):
        verbose_name = "EPCI"
        verbose_name_plural = "EPCI"


class Commune(Territoire):
    """A commune of today. Arrondissements municipaux and former communes lead to it through `PassageCommune`.

    Indexes are counted: each one is paid for 35 000 times whenever the tests reload the territories, and
    Django would add a second one, for LIKE, to every foreign key that is a text.
    """

    code = models.CharField("code INSEE", max_length=5, primary_key=True)
    nom_tri = models.CharField("clé de tri", max_length=120, editable=False)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="communes", db_index=False)
    epci = models.ForeignKey(
        Epci, models.PROTECT, related_name="communes", null=True, blank=True, db_index=False
    )
    codes_postaux = ArrayField(models.CharField(max_length=5), default=list, verbose_name="codes postaux")
    population = models.PositiveIntegerField("population municipale", null=True, blank=True)

    class Meta(Territoire.Meta):
        verbose_name = "commune"
        indexes = [
            models.Index(fields=["nom_tri"], name="commune_nom_prefixe", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["departement", "nom_tri"], name="commune_departement_nom"),
            models.Index(fields=["epci"], name="commune_epci"),
        ]


class Referentiel(models.Model):
    """A set of reference data as it was last loaded: which edition, from which bytes, when.

    The fingerprint makes loading free when nothing changed, and leaves alone what an administrator edited since.
    """

    hors_perimetre = "éditions des références, communes à tous"

    code = models.CharField("code", max_length=30, primary_key=True)
    libelle = models.CharField("libellé", max_length=120)
    version = models.CharField("version", max_length=30)
    empreinte = models.CharField("empreinte", max_length=64)
    charge_le = models.DateTimeField("chargé le", auto_now=True)

    class Meta:
        verbose_name = "référentiel"
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.libelle}, {self.version}"


class PassageCommune(models.Model):
    """A code met in files that is not a commune of today, and the commune that answers for it."""

    hors_perimetre = "code officiel géographique, commun à tous"

    class Nature(models.TextChoices):
        ARRONDISSEMENT = "ARRONDISSEMENT", "arrondissement municipal"
        DELEGUEE = "DELEGUEE", "commune déléguée"
        ASSOCIEE = "ASSOCIEE", "commune associée"
        SUPPRIMEE = "SUPPRIMEE", "commune supprimée"

    ancien_code = models.CharField("ancien code", max_length=5, primary_key=True)
    ancien_nom = models.CharField("ancien nom", max_length=120, blank=True)
    commune = models.ForeignKey(Commune, models.PROTECT, related_name="passages")
    nature = models.CharField("nature", max_length=14, choices=Nature)

    class Meta:
        verbose_name = "passage de commune"
        verbose_name_plural = "passages de communes"
        ordering = ["ancien_code"]

    def __str__(self) -> str:
        return f"{self.ancien_code} → {self.commune_id}"
