"""The life of an access: asked for, offered, decided; and the journal of who did what."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from reservation.acteur import Acteur

from .base import PerimetreQuerySet
from .organisations import LIBELLES_ROLE, Organisation, Utilisateur

CHOIX_ROLES = [(str(code), libelle) for code, libelle in LIBELLES_ROLE.items()]


def libelles_des_roles(roles) -> list[str]:
    """Labels of role codes, from the least to the most."""
    return [libelle for code, libelle in LIBELLES_ROLE.items() if code in set(roles)]


class AccesQuerySet(PerimetreQuerySet):
    """Accesses of an organisation: read by its people, written by its administrators and those above it."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if not acteur.organisation_id:
            return None
        return Q(organisation=acteur.organisation_id) | Q(
            organisation__in=Organisation.objects.modifiables_par(acteur)
        )

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(organisation__in=Organisation.objects.modifiables_par(acteur))


class InvitationQuerySet(AccesQuerySet):
    def en_attente(self):
        """Neither accepted nor taken back; its date may be over, it can then be sent again."""
        return self.filter(acceptee_le__isnull=True, revoquee_le__isnull=True)


class Invitation(models.Model):
    """Somebody is invited by e-mail into an organisation: waits → accepted, or taken back; useless after its date.

    The secret of the link is made from `tirage` and the key of the site; only its hash is kept, for looking up.
    """

    hors_perimetre = "lue par qui n’a pas encore d’accès ; les pages passent par visibles_par"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="invitations")
    courriel = models.EmailField("adresse électronique")
    roles = ArrayField(models.CharField(max_length=14, choices=CHOIX_ROLES), verbose_name="rôles")
    tirage = models.CharField(max_length=64)
    secret_hache = models.CharField(max_length=64, unique=True)
    invitee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    invitee_le = models.DateTimeField("invitée le", default=timezone.now)
    expire_le = models.DateTimeField("expire le")
    acceptee_par = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="invitations_acceptees", null=True, blank=True
    )
    acceptee_le = models.DateTimeField("acceptée le", null=True, blank=True)
    revoquee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    revoquee_le = models.DateTimeField("retirée le", null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = "invitation"
        ordering = ["-invitee_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "courriel"],
                condition=Q(acceptee_le__isnull=True, revoquee_le__isnull=True),
                name="invitation_en_attente_unique",
                violation_error_message="Une invitation attend déjà à cette adresse : renvoyez-la ou retirez-la.",
            ),
            models.CheckConstraint(
                name="invitation_une_fin",
                condition=Q(acceptee_le__isnull=True) | Q(revoquee_le__isnull=True),
                violation_error_message="Une invitation est acceptée ou retirée, non les deux.",
            ),
            models.CheckConstraint(
                name="invitation_acceptee_par_quelqu_un",
                condition=Q(acceptee_le__isnull=True, acceptee_par__isnull=True)
                | Q(acceptee_le__isnull=False, acceptee_par__isnull=False),
                violation_error_message="Une invitation acceptée dit par qui.",
            ),
            models.CheckConstraint(
                name="invitation_roles", condition=Q(roles__len__gt=0), violation_error_message="Aucun rôle."
            ),
        ]

    def __str__(self) -> str:
        return f"{self.courriel} – {self.organisation}"

    @property
    def secret(self) -> str:
        """What the link carries: made again from the draw and the key of the site, kept nowhere."""
        return salted_hmac("reservation.invitation", self.tirage, algorithm="sha256").hexdigest()

    @property
    def expiree(self) -> bool:
        return self.expire_le <= timezone.now()

    @property
    def libelles(self) -> list[str]:
        return libelles_des_roles(self.roles)


class DemandeAcces(models.Model):
    """A person asks to work for an organisation: EN_ATTENTE → ACCEPTEE | REFUSEE (with a reason) | RETIREE."""

    hors_perimetre = "écrite par qui n’a pas encore d’accès ; les pages passent par visibles_par"

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "en attente de décision"
        ACCEPTEE = "ACCEPTEE", "acceptée"
        REFUSEE = "REFUSEE", "refusée"
        RETIREE = "RETIREE", "retirée"

    class Origine(models.TextChoices):
        SAISIE = "SAISIE", "demandée par la personne"
        SIRET = "SIRET", "proposée d’après le SIRET"

    utilisateur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="demandes_acces")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="demandes_acces")
    origine = models.CharField("origine", max_length=6, choices=Origine, default=Origine.SAISIE)
    message = models.CharField("fonction et motif", max_length=300, blank=True)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    demandee_le = models.DateTimeField("demandée le", auto_now_add=True)
    decidee_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    decidee_le = models.DateTimeField("décidée le", null=True, blank=True)
    motif = models.CharField("motif du refus", max_length=300, blank=True)

    class DemandeQuerySet(AccesQuerySet):
        def filtre_visibles(self, acteur: Acteur):
            """The person who asks sees their own request; colleagues without the role see none."""
            if acteur.systeme:
                return Q()
            return Q(utilisateur=acteur.utilisateur_id) | Q(
                organisation__in=Organisation.objects.modifiables_par(acteur)
            )

    objects = DemandeQuerySet.as_manager()

    class Meta:
        verbose_name = "demande d’accès"
        verbose_name_plural = "demandes d’accès"
        ordering = ["-demandee_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["utilisateur", "organisation"],
                condition=Q(etat="EN_ATTENTE"),
                name="demande_acces_une_a_la_fois",
                violation_error_message="Votre demande pour cette organisation attend déjà une décision.",
            ),
            models.CheckConstraint(
                name="demande_acces_decision_datee",
                condition=Q(etat="EN_ATTENTE", decidee_le__isnull=True)
                | (~Q(etat="EN_ATTENTE") & Q(decidee_le__isnull=False)),
                violation_error_message="Une demande décidée porte la date de la décision.",
            ),
            models.CheckConstraint(
                name="demande_acces_refus_motive",
                condition=(Q(etat="REFUSEE") & ~Q(motif="")) | (~Q(etat="REFUSEE") & Q(motif="")),
                violation_error_message="Un refus dit pourquoi.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.utilisateur} → {self.organisation}"


class EvenementAcces(models.Model):
    """One row per act on an access or on an organisation: who, for which organisation, about whom, when, why."""

    hors_perimetre = (
        "accès aux organisations, décidés au-delà d’un périmètre ; les pages passent par visibles_par"
    )

    class Nature(models.TextChoices):
        INVITATION = "INVITATION", "invitation envoyée"
        RELANCE = "RELANCE", "invitation renvoyée"
        REVOCATION = "REVOCATION", "invitation retirée"
        ACCEPTATION = "ACCEPTATION", "invitation acceptée"
        DEMANDE = "DEMANDE", "accès demandé"
        DEMANDE_ACCEPTEE = "DEMANDE_ACCEPTEE", "demande acceptée"
        DEMANDE_REFUSEE = "DEMANDE_REFUSEE", "demande refusée"
        DEMANDE_RETIREE = "DEMANDE_RETIREE", "demande retirée"
        ROLES = "ROLES", "rôles modifiés"
        FIN = "FIN", "accès terminé"
        DEPART = "DEPART", "départ"
        RENOUVELLEMENT = "RENOUVELLEMENT", "accès confirmé"
        EXPIRATION = "EXPIRATION", "accès non confirmé, terminé"
        SOMMEIL = "SOMMEIL", "compte inutilisé, personne avertie"
        FERMETURE = "FERMETURE", "compte inutilisé, fermé"
        CREATION = "CREATION", "organisation créée"
        NOM = "NOM", "changement de nom"
        FUSION = "FUSION", "fusion"
        API_OUVERT = "API_OUVERT", "accès API ouvert"
        API_SECRET = "API_SECRET", "secret d’un accès API remis"
        API_REVOQUE = "API_REVOQUE", "accès API révoqué"

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="evenements_acces", null=True, blank=True
    )
    utilisateur = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="evenements_acces", null=True, blank=True
    )
    nature = models.CharField("acte", max_length=16, choices=Nature)
    detail = models.CharField("détail", max_length=300, blank=True)
    commentaire = models.CharField("commentaire", max_length=300, blank=True)
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    pour = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    le = models.DateTimeField("le", auto_now_add=True)

    class EvenementQuerySet(AccesQuerySet):
        def filtre_visibles(self, acteur: Acteur):
            """The journal is for administrators."""
            return self.filtre_modifiables(acteur)

    objects = EvenementQuerySet.as_manager()

    class Meta:
        verbose_name = "acte sur un accès"
        verbose_name_plural = "actes sur les accès"
        ordering = ["-le", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_nature_display()} – {self.organisation}"


class NomOrganisation(models.Model):
    """A name that an organisation had: `jusqu_au` is its last day. The name of today is on the organisation."""

    hors_perimetre = "noms que partagent les partenaires d’un territoire"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="anciens_noms")
    nom = models.CharField("nom", max_length=150)
    depuis = models.DateField("depuis le", null=True, blank=True)
    jusqu_au = models.DateField("jusqu’au (inclus)")

    class Meta:
        verbose_name = "ancien nom"
        verbose_name_plural = "anciens noms"
        ordering = ["organisation", "-jusqu_au"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "jusqu_au"], name="nom_organisation_unique"),
            models.CheckConstraint(
                name="nom_organisation_periode",
                condition=Q(depuis__isnull=True) | Q(jusqu_au__gte=F("depuis")),
                violation_error_message="Le dernier jour d’un nom ne peut pas précéder le premier.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom
