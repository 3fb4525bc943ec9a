"""The ledger of what a bailleur owes a réservataire, dwelling by dwelling (CA, art. 8.2): entries, only ever added."""

import pgtrigger
from django.db import models
from django.db.models import Q

from bilans.regles.registre_dettes import Ecriture, Nature, Poste
from flux.models import Attribution
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

NATURES = [(nature.value, nature.libelle) for nature in Nature]
POSTES = [(poste.value, poste.libelle) for poste in Poste]


class EcritureQuerySet(PerimetreQuerySet):
    """Read as the objective that it makes: its bailleur, the State, its réservataire. Written by the DDETS."""

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.est_ddets and acteur.peut_gerer:
            return Q(departement__in=acteur.departements)
        return Q() if acteur.systeme else None


class EcritureRegistre(models.Model):
    """One entry: `nombre` dwellings of the debt of the year `dette`; see `bilans.regles.registre_dettes`.

    `annee`: year of the objective that it bears on. `attribution`: the one by which the préfet discharges one dwelling.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    nature = models.CharField("écriture", max_length=11, choices=NATURES)
    dette = models.PositiveSmallIntegerField("année de la dette")
    annee = models.PositiveSmallIntegerField("année de l’objectif")
    nombre = models.PositiveIntegerField("logements")
    poste = models.CharField("ce qui est annulé", max_length=10, choices=POSTES, blank=True)
    jour = models.DateField("date")
    fondement = models.CharField("fondement", max_length=300)
    attribution = models.OneToOneField(
        Attribution, models.PROTECT, related_name="decharge", null=True, blank=True
    )
    ecrite_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    ecrite_le = models.DateTimeField("écrite le", auto_now_add=True)

    objects = EcritureQuerySet.as_manager()

    class Meta:
        verbose_name = "écriture du registre"
        verbose_name_plural = "écritures du registre"
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["bailleur", "departement", "reservataire"], name="ecriture_registre_compte")
        ]
        constraints = [
            models.CheckConstraint(
                name="ecriture_registre_fondee",
                condition=~Q(fondement=""),
                violation_error_message="Une écriture dit sur quoi elle se fonde.",
            ),
            models.CheckConstraint(
                name="ecriture_registre_nombre",
                condition=Q(nature="CLOTURE", nombre=0) | (~Q(nature="CLOTURE") & Q(nombre__gte=1)),
                violation_error_message="Une écriture porte sur un logement au moins ; une clôture, sur aucun.",
            ),
            models.CheckConstraint(
                name="ecriture_registre_poste",
                condition=Q(nature="ANNULATION", poste__in=["A_DECIDER", "REPORTES", "ATTRIBUES"])
                | (~Q(nature="ANNULATION") & Q(poste="")),
                violation_error_message="Une annulation dit ce qu’elle annule, et elle seule.",
            ),
            models.CheckConstraint(
                name="ecriture_registre_attribution",
                condition=Q(nature="IMPUTATION", attribution__isnull=False, nombre=1)
                | (~Q(nature="IMPUTATION") & Q(attribution__isnull=True)),
                violation_error_message="Une imputation porte sur une attribution, et elle seule.",
            ),
            models.UniqueConstraint(
                fields=["bailleur", "departement", "reservataire", "dette"],
                condition=Q(nature="OUVERTURE"),
                name="ecriture_registre_une_ouverture",
                violation_error_message="La dette de cette année est déjà ouverte.",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_nature_display()}, {self.dette} : {self.nombre}"

    def en_regle(self) -> Ecriture:
        """The value that the rules replay."""
        return Ecriture(
            Nature(self.nature),
            self.dette,
            self.annee,
            self.nombre,
            self.jour,
            self.fondement,
            Poste(self.poste) if self.poste else None,
        )
