"""The journal of everything that was done, and the assistance that acts in somebody's place."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from reservation.acteur import Acteur, Role
from reservation.traces import types_caches

from .base import PerimetreQuerySet
from .organisations import Organisation, Utilisateur
from .territoires import Departement


class LigneJournalQuerySet(PerimetreQuerySet):
    """Read by administrators: what their people did, and what others did on what is theirs; all of it by support."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme or acteur.support:
            return Q()
        if Role.ADMINISTRATION not in acteur.roles or acteur.organisation_id is None:
            return None
        siens = Q(organisation=acteur.organisation_id) | Q(proprietaire=acteur.organisation_id)
        if acteur.est_bailleur:
            siens |= Q(bailleur=acteur.organisation_id)
        elif acteur.est_ddets:
            siens |= Q(departement__in=acteur.departements)
        elif acteur.est_reservataire:
            siens |= Q(reservataire=acteur.organisation_id, confidentiel=False)
        return siens & ~Q(objet_type__in=types_caches(acteur))

    def filtre_modifiables(self, acteur: Acteur):
        """Nobody writes it but the triggers (`reservation.traces`), and nobody rewrites it."""
        return None


def _vers(modele, **options):
    """A reference that outlives what it names, and costs no check: the row it names may be gone."""
    return models.ForeignKey(
        modele, models.DO_NOTHING, related_name="+", null=True, db_constraint=False, db_index=False, **options
    )


class LigneJournal(models.Model):
    """One act on one row: what, by whom, for which organisation, why, in which request; never changed, never erased.

    Written by the trigger of each event table. `objet_type`, `evenement_id`: the row and its state after the act;
    `genre`, `cle`: the object of whose Historique it is part. `proprietaire`, `personne`: the organisation and the
    person that it is about. `confidentiel`: a draft, which réservataires and COPIL do not read.
    """

    class Acte(models.TextChoices):
        CREATION = "insert", "création"
        MODIFICATION = "update", "modification"
        SUPPRESSION = "delete", "suppression"

    le = models.DateTimeField("le")
    acte = models.CharField("acte", max_length=6, choices=Acte)
    objet_type = models.CharField("objet", max_length=60)
    objet_id = models.CharField(max_length=40)
    evenement_id = models.BigIntegerField()
    designation = models.CharField("désignation", max_length=300, blank=True)
    genre = models.CharField(max_length=20)
    cle = models.CharField(max_length=40)
    bailleur = _vers(Organisation)
    departement = _vers(Departement)
    reservataire = _vers(Organisation)
    proprietaire = _vers(Organisation)
    personne = _vers(Utilisateur)
    confidentiel = models.BooleanField(default=False)
    requete = models.CharField("requête", max_length=36, blank=True)
    auteur = _vers(Utilisateur)
    organisation = _vers(Organisation)
    assistant = _vers(Utilisateur)
    origine = models.CharField("origine", max_length=120, blank=True)
    motif = models.CharField("motif", max_length=300, blank=True)

    objects = LigneJournalQuerySet.as_manager()

    class Meta:
        verbose_name = "ligne du journal"
        verbose_name_plural = "lignes du journal"
        ordering = ["-pk"]
        # What is written in bulk (imports, computations) has neither author nor organisation: it pays for no index.
        indexes = [
            models.Index(fields=["genre", "cle", "id"], name="journal_objet"),
            models.Index(fields=["bailleur", "id"], name="journal_bailleur"),
            models.Index(fields=["departement", "id"], name="journal_departement"),
            *(
                models.Index(
                    fields=[champ, "id"], name=f"journal_{champ}", condition=Q(**{f"{champ}__isnull": False})
                )
                for champ in ("organisation", "reservataire", "proprietaire")
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.get_acte_display()} – {self.objet_type} {self.objet_id}"


class AssistanceQuerySet(models.QuerySet):
    def en_cours(self, instant):
        """Those that run at `instant`."""
        return self.filter(finie_le__isnull=True, commencee_le__lte=instant, expire_le__gt=instant)


class Assistance(models.Model):
    """Support staff acting in somebody's place, for a reason, for one hour at most; what is done bears both names."""

    hors_perimetre = "lue avant que l’acteur soit connu : c’est elle qui le dit"

    assistant = models.ForeignKey(Utilisateur, models.PROTECT, related_name="assistances")
    utilisateur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="assistances_recues")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    motif = models.CharField("motif", max_length=300)
    commencee_le = models.DateTimeField("commencée le")
    expire_le = models.DateTimeField("expire le")
    finie_le = models.DateTimeField("finie le", null=True, blank=True)

    objects = AssistanceQuerySet.as_manager()

    class Meta:
        verbose_name = "assistance"
        ordering = ["-commencee_le", "-pk"]
        constraints = [
            models.CheckConstraint(name="assistance_motivee", condition=~Q(motif="")),
            models.CheckConstraint(
                name="assistance_autre_personne", condition=~Q(assistant=F("utilisateur"))
            ),
            models.CheckConstraint(name="assistance_periode", condition=Q(expire_le__gt=F("commencee_le"))),
            models.UniqueConstraint(
                fields=["assistant"], condition=Q(finie_le__isnull=True), name="assistance_une_a_la_fois"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assistant} – {self.utilisateur}"
