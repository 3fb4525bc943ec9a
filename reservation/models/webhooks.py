"""Webhooks: who asked to be told, what is to be told (written with what it tells), and what became of each message."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from reservation.acteur import Acteur, Role
from reservation.regles.webhooks import SUJETS, secret_de

from .base import PerimetreQuerySet
from .organisations import Organisation, Utilisateur


class AbonnementQuerySet(PerimetreQuerySet):
    """Read and changed by the administrators of its organisation, at home; nobody else knows of it."""

    champ_organisation = "organisation"

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if acteur.organisation_id is None or Role.ADMINISTRATION not in acteur.roles:
            return None
        return Q(**{self.champ_organisation: acteur.organisation_id})

    def filtre_modifiables(self, acteur: Acteur):
        return Q()

    def en_service(self):
        """Those that are told what happens now."""
        return self.filter(ferme_le=None, suspendu_le=None, organisation__fermee_le=None)


class AbonnementWebhook(models.Model):
    """An address of an organisation's software, told what changed in what the organisation may see.

    In service → suspended (by hand, or after too many failures) → in service again; closed, for good.
    The secret that signs is made from `tirage` and the key of the site: it is kept nowhere, and shown once. While a former
    key of the site is kept (SECRET_KEY_FALLBACKS), messages are signed with what it made too.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="webhooks")
    nom = models.CharField("nom", max_length=80)
    url = models.CharField("adresse", max_length=300)
    sujets = ArrayField(models.CharField(max_length=16), verbose_name="sujets")
    tirage = models.CharField(max_length=64)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField("créé le", default=timezone.now)
    echecs_de_suite = models.PositiveSmallIntegerField("essais manqués de suite", default=0)
    suspendu_le = models.DateTimeField("suspendu le", null=True, blank=True)
    suspendu_pour = models.CharField("raison de la suspension", max_length=120, blank=True)
    ferme_le = models.DateTimeField("fermé le", null=True, blank=True)

    objects = AbonnementQuerySet.as_manager()

    class Meta:
        verbose_name = "abonnement webhook"
        verbose_name_plural = "abonnements webhook"
        ordering = ["nom", "pk"]
        constraints = [
            models.CheckConstraint(name="abonnement_webhook_nomme", condition=~Q(nom="")),
            models.CheckConstraint(
                name="abonnement_webhook_sujets",
                condition=Q(sujets__len__gt=0, sujets__contained_by=list(SUJETS)),
                violation_error_message="Choisissez au moins un sujet.",
            ),
            models.CheckConstraint(
                name="abonnement_webhook_suspension_dite",
                condition=Q(suspendu_le=None, suspendu_pour="")
                | (Q(suspendu_le__isnull=False) & ~Q(suspendu_pour="")),
            ),
        ]

    def __str__(self) -> str:
        return self.nom

    @property
    def cles(self) -> list[bytes]:
        """32 bytes each: what signs, the present one first."""
        return [
            salted_hmac("reservation.webhook", self.tirage, secret=cle, algorithm="sha256").digest()
            for cle in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        ]

    @property
    def secret(self) -> str:
        return secret_de(self.cles[0])

    @property
    def etat(self) -> str:
        """In words, for the pages."""
        if self.ferme_le:
            return "fermé"
        return "suspendu" if self.suspendu_le else "en service"

    @property
    def libelles(self) -> list[str]:
        return [SUJETS[sujet].libelle for sujet in SUJETS if sujet in self.sujets]


class Annonce(models.Model):
    """The outbox: rows `premiere` to `derniere` of `source` were written by one statement, in its own transaction.

    Written by triggers (`reservation_annoncer`), erased by whoever has made the messages: a crash in between loses nothing.
    One row per statement, however many rows it writes: an import pays for one.
    """

    hors_perimetre = "deux numéros de lignes, sans rien de ce qu’elles disent ; lue par l’application seule"

    source = models.CharField("source", max_length=60)
    premiere = models.BigIntegerField("première ligne")
    derniere = models.BigIntegerField("dernière ligne")
    le = models.DateTimeField("le", db_default=Now())

    objects = models.Manager()

    class Meta:
        verbose_name = "annonce"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.source} {self.premiere}-{self.derniere}"


class LivraisonQuerySet(AbonnementQuerySet):
    """As its subscription."""


class LivraisonWebhook(models.Model):
    """One message to one address: A_REMETTRE → REMISE, or after the last of the tries → ECHEC, from where it is sent again.

    `message`: its identifier, the same at each try. `type`: "liberation.creation". `identifiants`: at most a hundred,
    all of which the organisation could see when the message was made.
    """

    class Etat(models.TextChoices):
        A_REMETTRE = "A_REMETTRE", "à remettre"
        REMISE = "REMISE", "remise"
        ECHEC = "ECHEC", "non remise"

    message = models.UUIDField("message", default=uuid.uuid4, unique=True)
    abonnement = models.ForeignKey(
        AbonnementWebhook, models.PROTECT, related_name="livraisons", db_index=False
    )
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    type = models.CharField("type", max_length=40)
    ressource = models.CharField("ressource", max_length=40, blank=True)
    identifiants = ArrayField(models.BigIntegerField(), verbose_name="identifiants", default=list)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.A_REMETTRE)
    essais = models.PositiveSmallIntegerField("essais", default=0)
    prochain_essai_le = models.DateTimeField("prochain essai le", default=timezone.now)
    statut = models.PositiveSmallIntegerField("réponse HTTP", null=True, blank=True)
    erreur = models.CharField("dernière erreur", max_length=200, blank=True)
    cree_le = models.DateTimeField("écrite le", default=timezone.now)
    remise_le = models.DateTimeField("remise le", null=True, blank=True)

    objects = LivraisonQuerySet.as_manager()

    class Meta:
        verbose_name = "livraison webhook"
        verbose_name_plural = "livraisons webhook"
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["prochain_essai_le"], condition=Q(etat="A_REMETTRE"), name="livraison_a_remettre"
            ),
            models.Index(fields=["abonnement", "-id"], name="livraison_abonnement"),
        ]
        constraints = [
            models.CheckConstraint(
                name="livraison_webhook_remise_datee",
                condition=Q(etat="REMISE", remise_le__isnull=False)
                | (~Q(etat="REMISE") & Q(remise_le__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.get_etat_display()})"
