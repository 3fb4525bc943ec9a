"""An attribution: the decision, the offer made to the household, its answer, the lease."""

from django.db import models
from django.db.models import F, Q

from publics.models import Labellisation, Menage
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

from .commissions import MotifRefus, Passage, StatutEmploi
from .contingents import contingent_de_l_attribution
from .gels import gel_des_attributions
from .liberations import Liberation


class AttributionQuerySet(PerimetreQuerySet):
    """A réservataire reads those of its contingent, whoever the dwelling went to since."""


class Attribution(models.Model):
    """The CALEOL decision to attribute one libération to one household, and what follows: offer, answer, lease.

    Offer → accepted | refused (silence and missing documents are refusals, with their own motives) → lease. Dates:
    `date_caleol` ≤ `offre_le` ≤ `acceptee_le`; `date_caleol` ≤ `date_bail`. A refused attribution stays, and still
    counts as an attribution (PACA 1) until the next rank is served: same CALEOL, so same date, later row.
    `reservataire`: whose contingent it is, as on the day of the CALEOL (`flux.models.contingents`); empty: the
    dwelling was oriented to nobody.
    """

    StatutEmploi = StatutEmploi

    class MotifHorsPrioritaire(models.TextChoices):
        PLS_SANS_CANDIDAT = "PLS_SANS_CANDIDAT", "PLS sans candidat prioritaire"
        REFUS_CANDIDATS_ETAT = "REFUS_CANDIDATS_ETAT", "refus de tous les candidats de l’État"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    liberation = models.ForeignKey(Liberation, models.PROTECT, related_name="attributions")
    passage = models.OneToOneField(Passage, models.PROTECT, related_name="attribution", null=True, blank=True)
    menage = models.ForeignKey(Menage, models.PROTECT, related_name="attributions", null=True, blank=True)
    date_proposition = models.DateField("proposé le", null=True, blank=True)
    date_caleol = models.DateField("attribué en CALEOL le")
    offre_le = models.DateField("offre notifiée le", null=True, blank=True)
    acceptee_le = models.DateField("acceptée par le ménage le", null=True, blank=True)
    refusee_le = models.DateField("refusée par le ménage le", null=True, blank=True)
    motif_refus = models.ForeignKey(MotifRefus, models.PROTECT, related_name="+", null=True, blank=True)
    date_bail = models.DateField("bail signé le", null=True, blank=True)
    statut_emploi = models.CharField(
        "situation d’emploi", max_length=16, choices=StatutEmploi, default=StatutEmploi.AUTRE
    )
    motif_hors_prioritaire = models.CharField(
        "motif consigné (ménage non prioritaire)", max_length=22, choices=MotifHorsPrioritaire, blank=True
    )
    labels_admis = models.ManyToManyField(
        Labellisation,
        blank=True,
        related_name="+",
        verbose_name="labels admis par exception (DDETS) sans être valables à la date de la CALEOL",
    )
    agent = models.BooleanField("agent de l’État", default=False)
    agent_valide_le = models.DateField("agent validé le", null=True, blank=True)
    agent_accord_posterieur = models.BooleanField("accord postérieur du préfet", default=False)
    agent_adapte = models.BooleanField("secteur et typologie conformes à la demande", default=False)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField(auto_now_add=True)
    reservataire = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )

    objects = AttributionQuerySet.as_manager()

    class Meta:
        verbose_name = "attribution"
        ordering = ["-date_caleol", "-pk"]
        triggers = [contingent_de_l_attribution(), *gel_des_attributions()]
        indexes = [
            models.Index(fields=["bailleur", "departement", "date_caleol"], name="attribution_bailleur_date")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["liberation"],
                condition=Q(refusee_le__isnull=True),
                name="attribution_vivante_unique",
                violation_error_message="Ce logement a déjà une attribution en cours.",
            ),
            models.CheckConstraint(
                name="attribution_bail_apres_caleol",
                condition=Q(date_bail__isnull=True) | Q(date_bail__gte=F("date_caleol")),
                violation_error_message="Le bail ne peut pas précéder la CALEOL.",
            ),
            models.CheckConstraint(
                name="attribution_refus_sans_bail",
                condition=Q(refusee_le__isnull=True) | Q(date_bail__isnull=True),
                violation_error_message="Une attribution refusée n’a pas de bail.",
            ),
            models.CheckConstraint(
                name="attribution_offre_apres_caleol",
                condition=Q(offre_le__isnull=True) | Q(offre_le__gte=F("date_caleol")),
                violation_error_message="L’offre suit la CALEOL.",
            ),
            models.CheckConstraint(
                name="attribution_acceptee_apres_offre",
                condition=Q(acceptee_le__isnull=True)
                | Q(offre_le__isnull=False, acceptee_le__gte=F("offre_le")),
                violation_error_message="L’acceptation suit l’offre.",
            ),
            models.CheckConstraint(
                name="attribution_agent_champs",
                condition=Q(agent=True)
                | Q(agent_valide_le__isnull=True, agent_accord_posterieur=False, agent_adapte=False),
                violation_error_message="Seul un agent de l’État porte une validation.",
            ),
        ]
