"""What programs hold: an API token of one person in one organisation, and the keys that make a request count once."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from reservation.acteur import Acteur, Role
from reservation.regles.portees import libelles, toutes_les_portees

from .acces import AccesQuerySet
from .base import PerimetreQuerySet
from .organisations import LIBELLES_ROLE, Organisation, Utilisateur

ROLES_JETON = (Role.LECTURE, Role.GESTION)
DUREE_MAX = timedelta(days=365)


class JetonQuerySet(AccesQuerySet):
    """Read and ended by its holder and by the administrators of its organisation; nobody else knows of it."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(utilisateur=acteur.utilisateur_id, organisation=acteur.organisation_id) | Q(
            organisation__in=Organisation.objects.modifiables_par(acteur)
        )

    def filtre_modifiables(self, acteur: Acteur):
        return self.filtre_visibles(acteur)

    def en_vigueur(self, jour=None):
        """Tokens that nobody ended and whose last day is not past; the access of the holder is another question."""
        return self.filter(revoque_le__isnull=True, fin__gte=jour or timezone.localdate())

    def eteindre(self, par_id: int | None = None) -> int:
        """End for good those still in force: an access given back later revives none."""
        return self.filter(revoque_le__isnull=True).update(revoque_le=timezone.now(), revoque_par_id=par_id)


class JetonApi(models.Model):
    """A program acts for one person in one organisation: opened by an administrator → secret drawn by the person → ended.

    Only the hash of the secret is kept, with its last four characters to recognise it. The person draws it, not the
    administrator: what the program does bears the person's name. Never more than reading or managing.
    """

    hors_perimetre = (
        "lu avant que l’acteur soit connu : c’est lui qui le dit ; les pages passent par visibles_par"
    )

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="jetons")
    utilisateur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="jetons")
    nom = models.CharField("logiciel", max_length=80)
    role = models.CharField("rôle", max_length=14, choices=[(str(r), LIBELLES_ROLE[r]) for r in ROLES_JETON])
    # The defaults are the database's too: a version of the site that does not know them goes on writing.
    portees = ArrayField(
        models.CharField(max_length=24),
        verbose_name="portées",
        default=toutes_les_portees,
        db_default=toutes_les_portees(),
    )
    bac_a_sable = models.BooleanField("bac à sable", default=False, db_default=False)
    debut = models.DateField("ouvert le", default=timezone.localdate)
    fin = models.DateField("valable jusqu’au (inclus)")
    secret_hache = models.CharField(max_length=64, unique=True, null=True, blank=True)
    repere = models.CharField("quatre derniers caractères", max_length=4, blank=True)
    tire_le = models.DateTimeField("secret remis le", null=True, blank=True)
    usage_le = models.DateField("dernier usage", null=True, blank=True)
    rappel = models.PositiveSmallIntegerField("dernier rappel (jours)", null=True, blank=True)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    revoque_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    revoque_le = models.DateTimeField("révoqué le", null=True, blank=True)

    objects = JetonQuerySet.as_manager()

    class Meta:
        verbose_name = "accès API"
        verbose_name_plural = "accès API"
        ordering = ["-debut", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="jeton_api_role",
                condition=Q(role__in=[str(role) for role in ROLES_JETON]),
                violation_error_message="Un accès API lit ou gère ; il ne signe ni n’administre.",
            ),
            models.CheckConstraint(
                name="jeton_api_periode",
                condition=Q(fin__gte=F("debut"), fin__lte=F("debut") + DUREE_MAX),
                violation_error_message="Un accès API dure un an au plus.",
            ),
            models.CheckConstraint(
                name="jeton_api_portees",
                condition=Q(portees__len__gt=0, portees__contained_by=toutes_les_portees()),
                violation_error_message="Un accès API a au moins une portée.",
            ),
            models.CheckConstraint(name="jeton_api_nomme", condition=~Q(nom="")),
            models.CheckConstraint(
                name="jeton_api_secret_remis",
                condition=Q(secret_hache__isnull=True, tire_le__isnull=True, repere="")
                | Q(secret_hache__isnull=False, tire_le__isnull=False),
                violation_error_message="Un secret remis porte sa date.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom

    @property
    def libelles_portees(self) -> list[str]:
        return libelles(self.portees)

    @property
    def expire(self) -> bool:
        return self.fin < timezone.localdate()

    @property
    def etat(self) -> str:
        """In words, for the pages."""
        if self.revoque_le:
            return "révoqué"
        if self.expire:
            return "expiré"
        return "en service" if self.secret_hache else "secret à remettre"


class CleQuerySet(PerimetreQuerySet):
    """The answers kept for an organisation are its own."""

    def filtre_visibles(self, acteur: Acteur):
        return Q() if acteur.systeme else Q(organisation=acteur.organisation_id)

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme or acteur.peut_gerer:
            return self.filtre_visibles(acteur)
        return None


class CleIdempotence(models.Model):
    """A key that a program chose for one request, and the answer given: asked again, the answer comes again, alone.

    Written in the transaction of the act itself; only what succeeded is kept, for a day. `empreinte`: keyed hash of
    who, where and what (a body may hold a numéro unique, which is never kept).
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    cle = models.CharField("clé", max_length=128)
    empreinte = models.CharField("empreinte de la demande", max_length=64)
    statut = models.PositiveSmallIntegerField("statut de la réponse", null=True)
    corps = models.TextField("corps de la réponse", blank=True)
    emplacement = models.CharField("adresse de l’objet créé", max_length=200, blank=True)
    expire_le = models.DateTimeField("gardée jusqu’au", db_index=True)

    objects = CleQuerySet.as_manager()

    class Meta:
        verbose_name = "clé d’idempotence"
        verbose_name_plural = "clés d’idempotence"
        ordering = ["-expire_le", "-pk"]
        constraints = [models.UniqueConstraint(fields=["organisation", "cle"], name="cle_idempotence_unique")]

    def __str__(self) -> str:
        return self.cle
