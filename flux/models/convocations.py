"""What is sent to those who are convened to a commission, and the calendars that they subscribe to."""

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.crypto import salted_hmac

from reservation.acteur import Acteur, Role
from reservation.models import (
    Courriel,
    Departement,
    Organisation,
    PerimetreQuerySet,
    Rattachement,
    Utilisateur,
)

from .commissions import Commission, DeLaCommissionQuerySet


class Convocation(models.Model):
    """One person of the DDETS told of a commission: the e-mail that carries the invitation and the agenda (CA 5.3).

    `sequence`: the version of the calendar entry that was sent. Whether it arrived is said by the e-mail, as long as
    it is kept (the retention rule erases it; that the DDETS was convened, and when, stays).
    """

    class Nature(models.TextChoices):
        CONVOCATION = "CONVOCATION", "convocation"
        MISE_A_JOUR = "MISE_A_JOUR", "mise à jour"
        ANNULATION = "ANNULATION", "annulation"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    commission = models.ForeignKey(Commission, models.PROTECT, related_name="convocations")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name="organisation convoquée"
    )
    nature = models.CharField("nature", max_length=11, choices=Nature)
    sequence = models.PositiveSmallIntegerField("version de l’invitation")
    courriel = models.OneToOneField(
        Courriel, models.SET_NULL, related_name="convocation", null=True, blank=True
    )
    ecrite_le = models.DateTimeField("écrite le", auto_now_add=True)

    objects = DeLaCommissionQuerySet.as_manager()

    class Meta:
        verbose_name = "convocation"
        ordering = ["commission", "sequence", "pk"]

    def __str__(self) -> str:
        return f"{self.get_nature_display()} – {self.organisation}"


class AbonnementQuerySet(PerimetreQuerySet):
    """Read and renewed by those who manage the organisation: the address opens the calendar to whoever has it."""

    def en_vigueur(self):
        """Those that open something: neither taken back nor renewed, and whose maker manages the organisation still.

        By the very access that made it: one that ended, or whose role changed, ends the address for good, even if the
        person is given an access again.
        """
        de_son_auteur = Rattachement.objects.actifs().filter(
            utilisateur=OuterRef("cree_par"),
            utilisateur__is_active=True,
            organisation=OuterRef("organisation"),
            role__in=(Role.GESTION, Role.SIGNATURE),
            debut__lte=OuterRef("jour_de_creation"),
        )
        datees = self.alias(jour_de_creation=TruncDate("cree_le"))
        return datees.filter(Exists(de_son_auteur), retire_le=None, organisation__fermee_le=None)

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(organisation=acteur.organisation_id) if acteur.organisation_id else None

    def filtre_modifiables(self, acteur: Acteur):
        return Q() if acteur.peut_gerer else None


class AbonnementAgenda(models.Model):
    """The secret address of one calendar of an organisation, its commissions or its campaigns; renewed or taken back, it opens nothing any more.

    Nor does it once the access of `cree_par`, under which it was made, has ended.

    The secret is made from `tirage` and the key of the site; only its hash is kept, for looking up.
    """

    class Sujet(models.TextChoices):
        CALEOL = "CALEOL", "commissions"
        CAMPAGNE = "CAMPAGNE", "dates des campagnes"

    sujet = models.CharField(
        "sujet", max_length=8, choices=Sujet, default=Sujet.CALEOL, db_default=Sujet.CALEOL
    )
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="abonnements_agenda")
    tirage = models.CharField(max_length=64)
    secret_hache = models.CharField(max_length=64, unique=True)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField("créée le", default=timezone.now)
    retire_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    retire_le = models.DateTimeField("retirée le", null=True, blank=True)

    objects = AbonnementQuerySet.as_manager()

    class Meta:
        verbose_name = "adresse d’agenda"
        verbose_name_plural = "adresses d’agenda"
        ordering = ["organisation", "-cree_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "sujet"],
                condition=Q(retire_le__isnull=True),
                name="abonnement_agenda_un_a_la_fois",
                violation_error_message="Cette organisation a déjà une adresse d’agenda : renouvelez-la.",
            )
        ]

    def __str__(self) -> str:
        return f"Agenda de {self.organisation}"

    @property
    def secret(self) -> str:
        """What the address carries: made again from the draw and the key of the site, kept nowhere."""
        return salted_hmac("flux.agenda", self.tirage, algorithm="sha256").hexdigest()
