"""CALEOL: the commissions, the candidatures that they examine, and the motives of a refusal."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from publics.models import Menage
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur
from reservation.regles.periodes import PARIS

from .contingents import contingent_du_passage
from .liberations import Liberation

# Situation that L. 313-26-2 asks of a household housed by Action Logement Services.
StatutEmploi = models.TextChoices(
    "StatutEmploi",
    {
        "SALARIE": ("SALARIE", "salarié"),
        "DEMANDEUR_EMPLOI": ("DEMANDEUR_EMPLOI", "demandeur d’emploi"),
        "AUTRE": ("AUTRE", "autre"),
    },
)


class DeLaCommissionQuerySet(PerimetreQuerySet):
    """Commissions and what is kept of them: their bailleur and the State; a réservataire reads its own passages."""

    champ_reservataire = None


class Commission(models.Model):
    """A CALEOL of one bailleur: a meeting (day, hour, place), or a dematerialised window of about a day (L. 441-2).

    PREPARATION → CONVOQUEE (the DDETS was convened, CA 5.3) → CLOSE → back to where it was, with a reason.
    An open one may become ANNULEE, with a reason. Each passage leaves an `EvenementCommission`.
    Hours are those of Paris. `date_fin`, `heure_fin`: end of the window, or the foreseen end of the meeting (hour alone).
    `sequence`: version of its calendar entry. `close_le` is empty for one whose decisions came from another tool.
    """

    class Etat(models.TextChoices):
        PREPARATION = "PREPARATION", "en préparation"
        CONVOQUEE = "CONVOQUEE", "convoquée"
        CLOSE = "CLOSE", "close"
        ANNULEE = "ANNULEE", "annulée"

    OUVERTES = (Etat.PREPARATION, Etat.CONVOQUEE)

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="commissions")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    date = models.DateField("date")
    heure = models.TimeField("heure", null=True, blank=True)
    dematerialisee = models.BooleanField("dématérialisée", default=False)
    date_fin = models.DateField("se termine le", null=True, blank=True)
    heure_fin = models.TimeField("heure de fin", null=True, blank=True)
    lieu = models.CharField("lieu", max_length=200, blank=True)
    etat = models.CharField(
        "état", max_length=11, choices=Etat, default=Etat.PREPARATION, db_default=Etat.PREPARATION
    )
    sequence = models.PositiveSmallIntegerField("version de l’invitation", default=0, db_default=0)
    close_le = models.DateTimeField("close le", null=True, blank=True)
    close_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)

    objects = DeLaCommissionQuerySet.as_manager()

    class Meta:
        verbose_name = "commission (CALEOL)"
        verbose_name_plural = "commissions (CALEOL)"
        ordering = ["-date", "-pk"]
        indexes = [models.Index(fields=["bailleur", "departement", "date"], name="commission_bailleur_date")]
        constraints = [
            models.CheckConstraint(
                name="commission_fenetre",
                condition=Q(date_fin__isnull=True)
                | Q(
                    dematerialisee=True,
                    heure__isnull=False,
                    heure_fin__isnull=False,
                    date_fin__gte=models.F("date"),
                ),
                violation_error_message="Une fenêtre dématérialisée a un début puis une fin.",
            ),
            models.CheckConstraint(
                name="commission_close_datee",
                condition=Q(close_le__isnull=True, close_par__isnull=True) | Q(etat="CLOSE"),
                violation_error_message="Seule une commission close porte la date de sa clôture.",
            ),
        ]

    def __str__(self) -> str:
        return f"CALEOL du {self.date:%d/%m/%Y}"

    @property
    def ouverte(self) -> bool:
        return self.etat in self.OUVERTES

    @property
    def debut(self) -> datetime | None:
        """When it begins; None when the hour is not known."""
        return datetime.combine(self.date, self.heure, PARIS) if self.heure else None

    @property
    def fin(self) -> datetime | None:
        return datetime.combine(self.date_fin or self.date, self.heure_fin, PARIS) if self.heure_fin else None


class EvenementCommission(models.Model):
    """One row for each passage of a commission from a state to another, and for each convocation; never rewritten.

    `points`: what the person was told and confirmed when closing. `motif`: mandatory to reopen and to cancel.
    """

    class Nature(models.TextChoices):
        CREATION = "CREATION", "planifiée"
        CONVOCATION = "CONVOCATION", "DDETS convoquée"
        MISE_A_JOUR = "MISE_A_JOUR", "DDETS informée d’un changement"
        CLOTURE = "CLOTURE", "close"
        REOUVERTURE = "REOUVERTURE", "rouverte"
        ANNULATION = "ANNULATION", "annulée"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    commission = models.ForeignKey(Commission, models.PROTECT, related_name="evenements")
    nature = models.CharField("acte", max_length=12, choices=Nature)
    motif = models.CharField("motif", max_length=300, blank=True)
    points = models.JSONField("points confirmés", default=list, blank=True)
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    le = models.DateTimeField("le", auto_now_add=True)

    objects = DeLaCommissionQuerySet.as_manager()

    class Meta:
        verbose_name = "acte sur une commission"
        verbose_name_plural = "actes sur les commissions"
        ordering = ["le", "pk"]
        constraints = [
            models.CheckConstraint(
                name="evenement_commission_motive",
                condition=~Q(nature__in=["REOUVERTURE", "ANNULATION"]) | ~Q(motif=""),
                violation_error_message="Rouvrir ou annuler une commission demande un motif.",
            )
        ]

    def __str__(self) -> str:
        return self.get_nature_display()


class MotifRefus(models.Model):
    """Editable motives of non-attribution and of refusal: code, label, whose."""

    hors_perimetre = "nomenclature commune à tous"

    class Porteur(models.TextChoices):
        CALEOL = "CALEOL", "commission"
        MENAGE = "MENAGE", "ménage"
        RESERVATAIRE = "RESERVATAIRE", "réservataire"

    code = models.CharField("code", max_length=20, unique=True)
    libelle = models.CharField("libellé", max_length=120)
    porteur = models.CharField("porteur", max_length=12, choices=Porteur)
    actif = models.BooleanField("proposé à la saisie", default=True)
    rang = models.PositiveSmallIntegerField("rang", default=0)

    class Meta:
        verbose_name = "motif de refus"
        verbose_name_plural = "motifs de refus"
        ordering = ["porteur", "rang", "libelle"]

    def __str__(self) -> str:
        return self.libelle


class CodeMotif(models.Model):
    """Editable codes of what a person must account for in an act: code, label, which act."""

    hors_perimetre = "nomenclature commune à tous"

    class Acte(models.TextChoices):
        ORIENTATION = "ORIENTATION", "orienter autrement que suggéré"
        ANNULATION = "ANNULATION", "annuler une libération"
        CANDIDATURES = "CANDIDATURES", "présenter moins de trois candidatures"
        PIECE = "PIECE", "attribuer sous condition : pièce attendue"
        URGENCE = "URGENCE", "désigner d’urgence (préfet)"
        CORRECTION = "CORRECTION", "revenir sur le dernier acte"
        EXCEPTION = "EXCEPTION", "admettre un label postérieur à la CALEOL"
        REPRISE = "REPRISE", "reprendre un logement pour un tour"

    code = models.CharField("code", max_length=24, unique=True)
    libelle = models.CharField("libellé", max_length=160)
    acte = models.CharField("acte", max_length=12, choices=Acte)
    actif = models.BooleanField("proposé à la saisie", default=True)
    rang = models.PositiveSmallIntegerField("rang", default=0)

    class Meta:
        verbose_name = "motif d’un acte"
        verbose_name_plural = "motifs des actes"
        ordering = ["acte", "rang", "libelle"]

    def __str__(self) -> str:
        return self.libelle


class PassageQuerySet(PerimetreQuerySet):
    """A réservataire reads those that were its own when the commission decided, whoever the dwelling went to since."""


class Passage(models.Model):
    """One candidature examined by one CALEOL for one libération, with one decision (R. 441-3).

    `decision` is empty while the commission is prepared. A decision c waits for one document until `condition_echeance`.
    `definitif` False: entered in the grid of an open commission, complete or not, with ranks that may still be tied; the
    closing makes all of them definitive, and only then do the constraints of a decision hold.
    `revision` rises each time the line is entered; `modifie_par`: who did so last.
    What the household declares (work, agent of the État) goes with it to the attribution.
    `reservataire`: whose contingent it is, as on the day of the CALEOL (`flux.models.contingents`); a later orientation
    does not change it.
    """

    class Decision(models.TextChoices):
        ATTRIBUTION = "ATTR", "a – attribution"
        ATTRIBUTION_RANG = "ATTR_RANG", "b – attribution avec rang"
        ATTRIBUTION_CONDITION = "ATTR_COND", "c – attribution sous condition suspensive"
        NON_ATTRIBUTION = "NON_ATTR", "d – non-attribution"
        IRRECEVABLE = "IRRECEV", "e – irrecevabilité"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    commission = models.ForeignKey(Commission, models.PROTECT, related_name="passages")
    liberation = models.ForeignKey(Liberation, models.PROTECT, related_name="passages")
    menage = models.ForeignKey(Menage, models.PROTECT, related_name="passages")
    date_proposition = models.DateField("proposé le", null=True, blank=True)
    decision = models.CharField("décision", max_length=9, choices=Decision, blank=True)
    rang = models.PositiveSmallIntegerField("rang", null=True, blank=True)
    motif = models.ForeignKey(MotifRefus, models.PROTECT, related_name="+", null=True, blank=True)
    condition_piece = models.ForeignKey(
        CodeMotif, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="pièce attendue"
    )
    condition_echeance = models.DateField("à produire au plus tard le", null=True, blank=True)
    condition_levee_le = models.DateField("condition levée le", null=True, blank=True)
    statut_emploi = models.CharField(
        "situation d’emploi", max_length=16, choices=StatutEmploi, default="AUTRE", db_default="AUTRE"
    )
    agent = models.BooleanField("agent de l’État", default=False, db_default=False)
    agent_valide_le = models.DateField("agent validé le", null=True, blank=True)
    agent_adapte = models.BooleanField(
        "secteur et typologie conformes à la demande", default=False, db_default=False
    )
    definitif = models.BooleanField("décision définitive", default=True, db_default=True)
    revision = models.PositiveIntegerField("version de la ligne", default=0, db_default=0)
    modifie_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    reservataire = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )

    objects = PassageQuerySet.as_manager()

    class Meta:
        verbose_name = "passage en CALEOL"
        verbose_name_plural = "passages en CALEOL"
        ordering = ["commission", "liberation", "rang", "pk"]
        triggers = [contingent_du_passage()]
        constraints = [
            models.UniqueConstraint(
                fields=["commission", "liberation", "menage"],
                name="passage_unique",
                violation_error_message="Ce ménage est déjà examiné pour ce logement dans cette commission.",
            ),
            models.UniqueConstraint(
                fields=["commission", "liberation", "rang"],
                condition=Q(rang__isnull=False, definitif=True),
                name="passage_rang_unique",
                violation_error_message="Deux candidats ne peuvent pas avoir le même rang.",
            ),
            models.CheckConstraint(
                name="passage_rang_si_classement",
                condition=Q(decision="ATTR_RANG", rang__isnull=False, rang__gte=1)
                | (~Q(decision="ATTR_RANG") & Q(rang__isnull=True))
                | Q(decision="ATTR_RANG", definitif=False),
                violation_error_message="Une attribution avec rang a un rang ; les autres décisions n’en ont pas.",
            ),
            models.CheckConstraint(
                name="passage_motif_si_refus",
                condition=Q(decision="NON_ATTR", motif__isnull=False)
                | ~Q(decision="NON_ATTR")
                | Q(definitif=False),
                violation_error_message="Une non-attribution demande un motif.",
            ),
            models.CheckConstraint(
                name="passage_condition_si_suspensive",
                condition=Q(decision="ATTR_COND")
                | Q(
                    condition_piece__isnull=True,
                    condition_echeance__isnull=True,
                    condition_levee_le__isnull=True,
                ),
                violation_error_message="Seule une attribution sous condition attend une pièce.",
            ),
            models.CheckConstraint(
                name="passage_condition_complete",
                condition=Q(condition_piece__isnull=False, condition_echeance__isnull=False)
                | Q(definitif=False, condition_levee_le__isnull=True)
                | Q(
                    condition_piece__isnull=True,
                    condition_echeance__isnull=True,
                    condition_levee_le__isnull=True,
                ),
                violation_error_message="Une condition suspensive nomme sa pièce et son échéance.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.menage} – {self.get_decision_display() or 'pas de décision'}"


class LigneOrdreDuJour(models.Model):
    """A freed dwelling on the agenda of a commission. `motif_candidatures`: why there are fewer than three (R. 441-3)."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    commission = models.ForeignKey(Commission, models.PROTECT, related_name="lignes")
    liberation = models.ForeignKey(Liberation, models.PROTECT, related_name="lignes_ordre_du_jour")
    rang = models.PositiveSmallIntegerField("rang à l’ordre du jour")
    motif_candidatures = models.ForeignKey(
        CodeMotif,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="motif de moins de trois candidatures",
    )

    objects = DeLaCommissionQuerySet.as_manager()

    class Meta:
        verbose_name = "ligne de l’ordre du jour"
        verbose_name_plural = "lignes de l’ordre du jour"
        ordering = ["commission", "rang", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["commission", "liberation"],
                name="ligne_ordre_du_jour_unique",
                violation_error_message="Ce logement est déjà à l’ordre du jour de cette commission.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.rang}. {self.liberation}"


class ProcesVerbal(models.Model):
    """The procès-verbal of a closing: bytes and hash kept, never made again. A closing after a reopening is a new version."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    commission = models.ForeignKey(Commission, models.PROTECT, related_name="proces_verbaux")
    version = models.PositiveSmallIntegerField("version")
    octets = models.BinaryField("fichier PDF")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    pages = models.PositiveSmallIntegerField("pages")
    produit_le = models.DateTimeField("produit le", auto_now_add=True)

    objects = DeLaCommissionQuerySet.as_manager()

    class Meta:
        verbose_name = "procès-verbal"
        verbose_name_plural = "procès-verbaux"
        ordering = ["commission", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["commission", "version"], name="proces_verbal_version_unique")
        ]

    def __str__(self) -> str:
        return self.numero

    @property
    def numero(self) -> str:
        return numero_de_proces_verbal(self.commission, self.version)


def numero_de_proces_verbal(commission: Commission, version: int) -> str:
    """ "PV-2026-10-08-06-000000042-1874-v1": the day, the département, the bailleur, the commission, the version."""
    return (
        f"PV-{commission.date:%Y-%m-%d}-{commission.departement_id}-{commission.bailleur.siren}-"
        f"{commission.pk}-v{version}"
    )
