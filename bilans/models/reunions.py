"""Meetings of the regional COPIL: agenda, what is said and decided, the minutes, the actions that organisations owe.

The DREAL that holds a meeting writes it (`organisation`); the members of the COPIL read it from the day it is convened. No
name is kept: a participant is an organisation, and functions.
"""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from bilans.regles.campagne import Seuil
from bilans.regles.reunions import (
    AVEC_MOTIF,
    LIBELLES,
    S_ORDONNE,
    SE_PREPARE,
    EtatReunion,
    Rubrique,
    SituationAction,
    situer_action,
)
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Departement, Organisation, PerimetreQuerySet, Region, Utilisateur
from reservation.operations import REFUS

ETATS = [(etat.value, LIBELLES[etat]) for etat in EtatReunion]
ACTES = [
    ("PREPARER", "préparée"),
    ("CONVOQUER", "membres convoqués"),
    ("INFORMER", "membres prévenus d’un changement"),
    ("OUVRIR", "ouverte"),
    ("CLORE", "close"),
    ("ENVOYER", "compte rendu envoyé"),
    ("ROUVRIR", "rouverte"),
    ("ANNULER", "annulée"),
]
RUBRIQUES = [
    ("LIBRE", "point libre"),
    ("ACTIONS", "actions"),
    ("OBJECTIFS", "objectifs"),
    ("QUART", "quart des attributions"),
    ("PROCEDURES", "procédures"),
    ("PRIORITAIRES", "ménages prioritaires"),
]


def _regions(acteur: Acteur):
    return Departement.objects.filter(pk__in=acteur.departements).values("region")


class ReunionQuerySet(PerimetreQuerySet):
    """Of the DREAL that holds it; read by the members of the COPIL of the région once it is convened."""

    vers_reunion = ""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        la = self.vers_reunion
        if acteur.est_dreal:
            return Q(**{f"{la}organisation": acteur.organisation_id})
        publiee = Q(**{f"{la}publiee_le__isnull": False})
        if acteur.est_action_logement:
            return publiee
        if acteur.est_copil or acteur.est_service_etat:
            return publiee & Q(**{f"{la}region__in": _regions(acteur)})
        return None

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if acteur.est_dreal and acteur.peut_gerer:
            return Q(**{f"{self.vers_reunion}organisation": acteur.organisation_id})
        return None


class DeLaReunionQuerySet(ReunionQuerySet):
    vers_reunion = "reunion__"


class DecisionQuerySet(DeLaReunionQuerySet):
    """What is being noted is the DREAL's until the meeting is closed."""

    def filtre_visibles(self, acteur: Acteur):
        filtre = super().filtre_visibles(acteur)
        if filtre is None or acteur.systeme or acteur.est_dreal:
            return filtre
        return filtre & Q(reunion__etat=EtatReunion.CLOSE.value)


class Reunion(models.Model):
    """One meeting. Hours are those of Paris. `publiee_le`: since when its members read it. `sequence`: of its calendar entry."""

    Etat = EtatReunion

    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name="région")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name="DREAL qui la tient"
    )
    objet = models.CharField("objet", max_length=200)
    date = models.DateField("date")
    heure = models.TimeField("heure")
    heure_fin = models.TimeField("heure de fin", null=True, blank=True)
    lieu = models.CharField("lieu", max_length=200)
    etat = models.CharField("état", max_length=11, choices=ETATS, default="PREPARATION")
    sequence = models.PositiveSmallIntegerField("version de l’invitation", default=0)
    publiee_le = models.DateTimeField("connue des membres depuis le", null=True, blank=True)
    ouverte_le = models.DateTimeField("ouverte le", null=True, blank=True)
    close_le = models.DateTimeField("close le", null=True, blank=True)

    objects = ReunionQuerySet.as_manager()

    class Meta:
        verbose_name = "réunion du comité de pilotage"
        verbose_name_plural = "réunions du comité de pilotage"
        ordering = ["-date", "-heure", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="reunion_heures",
                condition=Q(heure_fin__isnull=True) | Q(heure_fin__gt=F("heure")),
                violation_error_message="La fin de la réunion suit son début.",
            ),
            models.CheckConstraint(
                name="reunion_close_datee",
                condition=Q(etat="CLOSE", close_le__isnull=False)
                | (~Q(etat="CLOSE") & Q(close_le__isnull=True)),
                violation_error_message="Seule une réunion close porte la date de sa clôture.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.objet}, {self.date:%d/%m/%Y}"

    @property
    def se_prepare(self) -> bool:
        return EtatReunion(self.etat) in SE_PREPARE

    @property
    def s_ordonne(self) -> bool:
        """Whether its agenda may still change."""
        return EtatReunion(self.etat) in S_ORDONNE


class InviteReunion(models.Model):
    """A member of the COPIL, convened, then there or not. `fonctions`: of those who came, no name."""

    class Presence(models.TextChoices):
        INCONNUE = "", "non notée"
        PRESENT = "PRESENT", "présent"
        EXCUSE = "EXCUSE", "excusé"
        ABSENT = "ABSENT", "absent"

    reunion = models.ForeignKey(Reunion, models.PROTECT, related_name="invites")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    presence = models.CharField("présence", max_length=7, choices=Presence, blank=True, default="")
    fonctions = models.CharField("fonctions des personnes présentes", max_length=200, blank=True)

    objects = DeLaReunionQuerySet.as_manager()

    class Meta:
        verbose_name = "membre convoqué"
        verbose_name_plural = "membres convoqués"
        ordering = ["reunion", "organisation__nom_tri", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["reunion", "organisation"], name="invite_reunion_unique")
        ]

    def __str__(self) -> str:
        return str(self.organisation)


def _close() -> list[pgtrigger.Trigger]:
    """What a closed meeting says does not change: it is reopened first, with a reason."""
    declencheurs = []
    for quand, ligne in (("modif", "NEW"), ("retrait", "OLD")):
        corps = f"""
        IF (SELECT r.etat FROM bilans_reunion AS r WHERE r.id = {ligne}.reunion_id) = 'CLOSE' THEN
            RAISE EXCEPTION USING ERRCODE = '{REFUS}',
            MESSAGE = 'Cette réunion est close : rouvrez-la, avec un motif, pour corriger son compte rendu.';
        END IF;
        RETURN {ligne};
        """
        declencheurs.append(
            pgtrigger.Trigger(
                name=f"gel_reunion_{quand}",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete if ligne == "OLD" else pgtrigger.Insert | pgtrigger.Update,
                func=" ".join(corps.split()),
            )
        )
    return declencheurs


class PointReunion(models.Model):
    """An item of the agenda. `texte`: what is said of it beforehand; `notes`: what was said. `revision`: of the notes, and who wrote it."""

    reunion = models.ForeignKey(Reunion, models.PROTECT, related_name="points")
    rang = models.PositiveSmallIntegerField("rang")
    rubrique = models.CharField("rubrique", max_length=12, choices=RUBRIQUES, default=Rubrique.LIBRE.value)
    titre = models.CharField("titre", max_length=200)
    texte = models.TextField("présentation", blank=True)
    duree = models.PositiveSmallIntegerField("durée, en minutes", null=True, blank=True)
    notes = models.TextField("ce qui s’est dit", blank=True)
    revision = models.PositiveIntegerField("version des notes", default=0)
    notees_par = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="notes écrites par"
    )

    objects = DeLaReunionQuerySet.as_manager()

    class Meta:
        verbose_name = "point de l’ordre du jour"
        verbose_name_plural = "points de l’ordre du jour"
        ordering = ["reunion", "rang", "pk"]
        triggers = _close()

    def __str__(self) -> str:
        return f"{self.rang}. {self.titre}"


class DecisionReunion(models.Model):
    """One decision, under an item of the agenda."""

    reunion = models.ForeignKey(Reunion, models.PROTECT, related_name="decisions")
    point = models.ForeignKey(PointReunion, models.PROTECT, related_name="decisions")
    texte = models.TextField("décision")

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = "décision"
        verbose_name_plural = "décisions"
        ordering = ["reunion", "point__rang", "pk"]
        triggers = _close()
        constraints = [
            models.CheckConstraint(
                name="decision_reunion_ecrite",
                condition=~Q(texte=""),
                violation_error_message="Une décision porte un texte.",
            )
        ]

    def __str__(self) -> str:
        return self.texte[:60]


class ActionQuerySet(PerimetreQuerySet):
    """Of the DREAL; once published, of the organisation that owes it, and read by the members of the COPIL."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if not acteur.organisation_id:
            return None
        publiee = Q(publiee_le__isnull=False)
        due = publiee & Q(organisation=acteur.organisation_id)
        if acteur.est_dreal:
            return due | Q(comite=acteur.organisation_id)
        if acteur.est_action_logement:
            return publiee
        if acteur.est_copil or acteur.est_service_etat:
            return due | (publiee & Q(region__in=_regions(acteur)))
        return due

    def filtre_modifiables(self, acteur: Acteur):
        """Those that it may say done: its own, and those of its meetings for the DREAL."""
        if acteur.systeme:
            return Q()
        if not (acteur.organisation_id and acteur.peut_gerer):
            return None
        return Q(organisation=acteur.organisation_id) | Q(comite=acteur.organisation_id)

    def ouvertes(self):
        return self.filter(publiee_le__isnull=False, realisee_le=None, abandonnee_le=None)


class ActionReunion(models.Model):
    """What an organisation owes after a meeting. `publiee_le`: since it owes it, the first closing.

    `comite`, `region`, `seance`: of the meeting, copied, because whoever owes an action does not read the meeting.
    `realisee_le`: the day it was done, as it says; `dite_le`: when that was said. `rappel`: the last reminder sent for `echeance`.
    """

    reunion = models.ForeignKey(Reunion, models.PROTECT, related_name="actions")
    point = models.ForeignKey(PointReunion, models.PROTECT, related_name="actions")
    comite = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name="DREAL qui tient le comité"
    )
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name="région")
    seance = models.DateField("réunion du")
    libelle = models.CharField("action", max_length=300)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name="organisation responsable"
    )
    echeance = models.DateField("échéance")
    publiee_le = models.DateTimeField("confiée le", null=True, blank=True)
    realisee_le = models.DateField("faite le", null=True, blank=True)
    dite_le = models.DateTimeField("dite faite le", null=True, blank=True)
    dite_par = models.ForeignKey(
        Utilisateur, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="dite faite par"
    )
    commentaire = models.CharField("commentaire", max_length=500, blank=True)
    abandonnee_le = models.DateTimeField("abandonnée le", null=True, blank=True)
    motif = models.CharField("motif de l’abandon", max_length=300, blank=True)
    rappel = models.CharField(
        "dernier rappel", max_length=6, choices=[(s.value, s.value) for s in Seuil], blank=True
    )

    objects = ActionQuerySet.as_manager()

    class Meta:
        verbose_name = "action du comité de pilotage"
        verbose_name_plural = "actions du comité de pilotage"
        ordering = ["echeance", "pk"]
        indexes = [models.Index(fields=["organisation", "echeance"], name="action_reunion_due")]
        constraints = [
            models.CheckConstraint(
                name="action_reunion_faite",
                condition=Q(realisee_le__isnull=True, dite_le__isnull=True)
                | Q(realisee_le__isnull=False, dite_le__isnull=False, publiee_le__isnull=False),
                violation_error_message="Une action faite dit quand, et a été confiée.",
            ),
            models.CheckConstraint(
                name="action_reunion_abandon",
                condition=Q(abandonnee_le__isnull=True) | (~Q(motif="") & Q(realisee_le__isnull=True)),
                violation_error_message="Un abandon dit pourquoi, et ne porte pas sur une action faite.",
            ),
        ]

    def __str__(self) -> str:
        return self.libelle

    def situer(self, jour) -> SituationAction:
        return situer_action(
            self.echeance,
            jour,
            faite=self.realisee_le is not None,
            abandonnee=self.abandonnee_le is not None,
        )


class EvenementReunion(models.Model):
    """One act on a meeting, never rewritten. `motif`: to reopen and to cancel."""

    reunion = models.ForeignKey(Reunion, models.PROTECT, related_name="evenements")
    acte = models.CharField("acte", max_length=9, choices=ACTES)
    motif = models.CharField("motif", max_length=300, blank=True)
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    le = models.DateTimeField("le", auto_now_add=True)

    objects = DeLaReunionQuerySet.as_manager()

    class Meta:
        verbose_name = "acte sur une réunion"
        verbose_name_plural = "actes sur les réunions"
        ordering = ["le", "pk"]
        triggers = [pgtrigger.Protect(name="evenement_reunion_inalterable", operation=pgtrigger.Update)]
        constraints = [
            models.CheckConstraint(
                name="evenement_reunion_motive",
                condition=~Q(acte__in=sorted(acte.value for acte in AVEC_MOTIF)) | ~Q(motif=""),
                violation_error_message="Rouvrir ou annuler une réunion demande un motif.",
            )
        ]

    def __str__(self) -> str:
        return self.get_acte_display()


class CompteRendu(models.Model):
    """The minutes of one closing: bytes and hash kept, never made again. A closing after a reopening is a new version."""

    reunion = models.ForeignKey(Reunion, models.PROTECT, related_name="comptes_rendus")
    version = models.PositiveSmallIntegerField("version")
    octets = models.BinaryField("fichier PDF")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    pages = models.PositiveSmallIntegerField("pages")
    produit_le = models.DateTimeField("produit le", auto_now_add=True)

    objects = DeLaReunionQuerySet.as_manager()

    class Meta:
        verbose_name = "compte rendu"
        verbose_name_plural = "comptes rendus"
        ordering = ["reunion", "-version"]
        triggers = [pgtrigger.Protect(name="compte_rendu_inalterable", operation=pgtrigger.Update)]
        constraints = [
            models.UniqueConstraint(fields=["reunion", "version"], name="compte_rendu_version_unique")
        ]

    def __str__(self) -> str:
        return numero_de_compte_rendu(self.reunion, self.version)


def numero_de_compte_rendu(reunion: Reunion, version: int) -> str:
    """ "COPIL-93-2026-10-08-12-v1": the région, the day, the meeting, the version."""
    return f"COPIL-{reunion.region_id}-{reunion.date:%Y-%m-%d}-{reunion.pk}-v{version}"


# Members of the COPIL of a région, besides ALS which has no territory: those who are convened.
TYPES_MEMBRES = (
    TypeOrganisation.DREAL,
    TypeOrganisation.UNION_HLM,
    TypeOrganisation.ACTION_LOGEMENT,
    TypeOrganisation.DDETS,
)
