"""The three procedures of chapter 11: who and what for, the journal of their acts, and what the parties write and sign."""

import pgtrigger
from django.db import models
from django.db.models import Q

from bilans.regles.procedures import TABLE, Etat, Lettre, Sorte
from bilans.regles.procedures import Acte as ActeProcedure
from flux.models import Attribution
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur
from reservation.operations import REFUS

SORTES = [(sorte.value, sorte.libelle) for sorte in Sorte]
ACTES = [(acte.value, acte.libelle) for acte in ActeProcedure]
ETATS = [(etat.value, etat.value) for etat in Etat]
LETTRES = [(lettre.value, lettre.libelle) for lettre in Lettre]
# Once there, nothing more is decided for that year; a procedure dropped or without object may be opened again.
SANS_SUITE = (Etat.ETEINTE.value, Etat.ABANDONNEE.value)
ENTRE_TEMPS = "Cette procédure a changé d’état entre-temps : rechargez la page."


class ProcedureQuerySet(PerimetreQuerySet):
    """Read by its bailleur, its réservataire (a quarter only) and the State; the COPIL reads the list and the state."""

    lisible_par_copil = True

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.est_ddets and acteur.peut_gerer:
            return Q(departement__in=acteur.departements)
        return Q() if acteur.systeme else None


class ActeQuerySet(ProcedureQuerySet):
    """Its acts carry texts, which the COPIL does not read."""

    lisible_par_copil = False


class EcritQuerySet(ActeQuerySet):
    """What a party writes is its own until it signs it; then the others read it and nobody changes it."""

    def filtre_visibles(self, acteur: Acteur):
        filtre = super().filtre_visibles(acteur)
        if filtre is None or acteur.systeme:
            return filtre
        return filtre & (Q(signature__isnull=False) | Q(organisation=acteur.organisation_id))

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if not acteur.peut_gerer:
            return None
        return Q(organisation=acteur.organisation_id, signature__isnull=True)


class Procedure(models.Model):
    """One procedure, of one `sorte`, about one year. Its state is `vers` of its last act, copied here by the database.

    MANQUEMENT and OBJECTIFS are about a bailleur. QUART is about a bailleur (its own part), or about a réservataire in
    the whole département: then `bailleur` is empty.
    """

    sorte = models.CharField("procédure", max_length=10, choices=SORTES)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    annee = models.PositiveSmallIntegerField("année")
    etat = models.CharField("stade", max_length=16, choices=ETATS)
    ouverte_le = models.DateTimeField("ouverte le")
    ouverte_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)

    objects = ProcedureQuerySet.as_manager()

    class Meta:
        verbose_name = "procédure"
        verbose_name_plural = "procédures"
        ordering = ["-annee", "-ouverte_le", "-pk"]
        indexes = [models.Index(fields=["departement", "-annee"], name="procedure_departement")]
        triggers = [
            # Its acts alone change its state; nothing else of it ever changes.
            pgtrigger.Protect(
                name="procedure_par_ses_actes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "pg_trigger_depth() = 0 OR (OLD.sorte, OLD.departement_id, OLD.bailleur_id, OLD.reservataire_id, "
                    "OLD.annee, OLD.ouverte_le) IS DISTINCT FROM (NEW.sorte, NEW.departement_id, NEW.bailleur_id, "
                    "NEW.reservataire_id, NEW.annee, NEW.ouverte_le)"
                ),
            ),
            pgtrigger.Protect(name="procedure_gardee", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["sorte", "departement", "bailleur", "reservataire", "annee"],
                condition=~Q(etat__in=SANS_SUITE),
                nulls_distinct=False,
                name="procedure_une_par_objet",
                violation_error_message="Une procédure est déjà ouverte, ou terminée par une mesure, pour cet objet et cette année.",
            ),
            models.CheckConstraint(
                name="procedure_destinataire",
                condition=(
                    Q(sorte__in=[Sorte.MANQUEMENT.value, Sorte.OBJECTIFS.value])
                    & Q(bailleur__isnull=False, reservataire__isnull=True)
                )
                | Q(sorte=Sorte.QUART.value, bailleur__isnull=False, reservataire__isnull=True)
                | Q(sorte=Sorte.QUART.value, bailleur__isnull=True, reservataire__isnull=False),
                violation_error_message="Une procédure vise un bailleur, ou un réservataire pour le quart de ses attributions.",
            ),
        ]

    def __str__(self) -> str:
        return self.numero

    @property
    def numero(self) -> str:
        return f"{self.sorte[:3]}-{self.annee}-{self.departement_id}-{self.pk}"

    @property
    def regle(self) -> Sorte:
        return Sorte(self.sorte)

    @property
    def destinataire_id(self) -> int:
        """Who answers: the bailleur, or the réservataire."""
        return self.bailleur_id or self.reservataire_id

    @property
    def destinataire(self) -> Organisation:
        return self.bailleur or self.reservataire


class _DeProcedure(models.Model):
    """What a procedure is made of; the columns of its perimeter are copied, so that the database locks each row alone."""

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)

    class Meta:
        abstract = True


_TRANSITIONS = [
    Q(sorte=t.sorte.value, de=t.de.value if t.de else "", acte=t.acte.value, vers=t.vers.value) for t in TABLE
]


def _suite() -> pgtrigger.Trigger:
    """An act follows the one before it: same procedure, next rank, from the state that it left."""
    corps = f"""
    SELECT e.rang, e.vers INTO dernier, etat FROM bilans_etapeprocedure AS e
    WHERE e.procedure_id = NEW.procedure_id ORDER BY e.rang DESC LIMIT 1;
    IF NEW.rang <> coalesce(dernier, 0) + 1 OR NEW.de <> coalesce(etat, '')
        OR NEW.sorte <> (SELECT p.sorte FROM bilans_procedure AS p WHERE p.id = NEW.procedure_id) THEN
        RAISE EXCEPTION USING ERRCODE = '{REFUS}',
        MESSAGE = '{ENTRE_TEMPS}';
    END IF;
    RETURN NEW;
    """
    return pgtrigger.Trigger(
        name="suite",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("dernier", "integer"), ("etat", "text")],
        func=" ".join(corps.split()),
    )


def _etat() -> pgtrigger.Trigger:
    """The procedure stands where its last act led."""
    return pgtrigger.Trigger(
        name="etat",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        func="UPDATE bilans_procedure SET etat = NEW.vers WHERE id = NEW.procedure_id; RETURN NULL;",
    )


class EtapeProcedure(_DeProcedure):
    """One act, never changed.

    `texte`: the reason, or what was decided. `jour`: the certain date (receipt), or the date of effect. `reunion`, `lieu`:
    of an invitation. `delai_jours`: given by a notice, for observations. `chiffres`: the figures as known at that moment.
    `parts`: dwellings per réservataire (`bilans.services.procedures.Part`). `reference`: of the letter or of the arrêté.
    """

    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="etapes")
    rang = models.PositiveSmallIntegerField("rang")
    sorte = models.CharField("procédure", max_length=10, choices=SORTES)
    acte = models.CharField("acte", max_length=22, choices=ACTES)
    de = models.CharField("stade avant", max_length=16, choices=ETATS, blank=True)
    vers = models.CharField("stade après", max_length=16, choices=ETATS)
    le = models.DateTimeField("le")
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    texte = models.TextField("texte", blank=True)
    jour = models.DateField("date certaine ou d’effet", null=True, blank=True)
    reunion = models.DateTimeField("réunion", null=True, blank=True)
    lieu = models.CharField("lieu", max_length=200, blank=True)
    delai_jours = models.PositiveSmallIntegerField("délai d’observations, en jours", null=True, blank=True)
    reference = models.CharField("référence", max_length=60, blank=True)
    parts = models.JSONField("logements par réservataire", default=list, blank=True)
    chiffres = models.JSONField("chiffres connus ce jour", default=dict, blank=True)

    objects = ActeQuerySet.as_manager()

    class Meta:
        verbose_name = "acte d’une procédure"
        verbose_name_plural = "actes d’une procédure"
        ordering = ["procedure", "rang"]
        triggers = [
            _suite(),
            _etat(),
            pgtrigger.Protect(
                name="etape_procedure_inalterable", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["procedure", "rang"],
                name="etape_procedure_rang_unique",
                violation_error_message=ENTRE_TEMPS,
            ),
            models.CheckConstraint(
                name="etape_procedure_transition",
                condition=Q(*_TRANSITIONS, _connector=Q.OR),
                violation_error_message="Cet acte n’est pas possible à ce stade.",
            ),
            models.CheckConstraint(
                name="etape_procedure_reception",
                condition=~Q(
                    acte__in=[
                        ActeProcedure.CONSTATER_RECEPTION.value,
                        ActeProcedure.RECTIFIER_RECEPTION.value,
                    ]
                )
                | Q(jour__isnull=False),
                violation_error_message="Une réception porte sa date certaine.",
            ),
            models.CheckConstraint(
                name="etape_procedure_reunion",
                condition=~Q(acte=ActeProcedure.CONVOQUER.value) | Q(reunion__isnull=False),
                violation_error_message="Une invitation dit quand la réunion a lieu.",
            ),
            models.CheckConstraint(
                name="etape_procedure_motif",
                condition=~Q(acte=ActeProcedure.ABANDONNER.value) | ~Q(texte=""),
                violation_error_message="Un abandon dit pourquoi.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_acte_display()} – {self.le:%d/%m/%Y}"


class ParticipantProcedure(_DeProcedure):
    """Somebody who takes part, by their function; no name is kept. `present`: None before the minutes are signed."""

    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="participants")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    fonction = models.CharField("fonction", max_length=120)
    ajoute_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")
    ajoute_le = models.DateTimeField("inscrit le", auto_now_add=True)

    class ParticipantQuerySet(ActeQuerySet):
        def filtre_modifiables(self, acteur: Acteur):
            if acteur.systeme:
                return Q()
            return Q(organisation=acteur.organisation_id) if acteur.peut_gerer else None

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name = "participant"
        verbose_name_plural = "participants"
        ordering = ["procedure", "organisation", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["procedure", "organisation", "fonction"],
                name="participant_procedure_unique",
                violation_error_message="Cette fonction est déjà inscrite.",
            )
        ]

    def __str__(self) -> str:
        return self.fonction


class SignatureProcedure(_DeProcedure):
    """A party signs what it has written since its last signature: paragraphs and documents, by their hash."""

    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="signatures")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")
    le = models.DateTimeField("signé le")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)

    objects = ActeQuerySet.as_manager()

    class Meta:
        verbose_name = "écrit signé"
        verbose_name_plural = "écrits signés"
        ordering = ["procedure", "pk"]
        triggers = [
            pgtrigger.Protect(name="signature_inalterable", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.organisation} – {self.le:%d/%m/%Y}"


_SIGNE = pgtrigger.Condition("OLD.signature_id IS NOT NULL")


class ParagrapheProcedure(_DeProcedure):
    """A cause, an answer, an observation: one paragraph of one party. `repond_a`: the signed paragraph that it answers."""

    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="paragraphes")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    repond_a = models.ForeignKey("self", models.PROTECT, related_name="reponses", null=True, blank=True)
    texte = models.TextField("texte")
    ecrit_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")
    ecrit_le = models.DateTimeField("écrit le", auto_now_add=True)
    signature = models.ForeignKey(
        SignatureProcedure, models.PROTECT, related_name="paragraphes", null=True, blank=True
    )

    objects = EcritQuerySet.as_manager()

    class Meta:
        verbose_name = "paragraphe"
        verbose_name_plural = "paragraphes"
        ordering = ["procedure", "pk"]
        triggers = [
            pgtrigger.Protect(
                name="paragraphe_signe", operation=pgtrigger.Update | pgtrigger.Delete, condition=_SIGNE
            )
        ]
        constraints = [
            models.CheckConstraint(
                name="paragraphe_ecrit",
                condition=~Q(texte=""),
                violation_error_message="Un paragraphe porte un texte.",
            )
        ]

    def __str__(self) -> str:
        return self.texte[:60]


class PieceProcedure(_DeProcedure):
    """A document that a party attaches; its type is that of its bytes, not of its name."""

    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="pieces")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    paragraphe = models.ForeignKey(
        ParagrapheProcedure, models.PROTECT, related_name="pieces", null=True, blank=True
    )
    nom = models.CharField("nom du fichier", max_length=120)
    type_mime = models.CharField("type", max_length=80)
    octets = models.BinaryField("fichier")
    taille = models.PositiveIntegerField("taille, en octets")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    jointe_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")
    jointe_le = models.DateTimeField("jointe le", auto_now_add=True)
    signature = models.ForeignKey(
        SignatureProcedure, models.PROTECT, related_name="pieces", null=True, blank=True
    )

    objects = EcritQuerySet.as_manager()

    class Meta:
        verbose_name = "document joint"
        verbose_name_plural = "documents joints"
        ordering = ["procedure", "pk"]
        triggers = [
            pgtrigger.Protect(
                name="piece_signee", operation=pgtrigger.Update | pgtrigger.Delete, condition=_SIGNE
            )
        ]

    def __str__(self) -> str:
        return self.nom


class AttributionDuPrefet(_DeProcedure):
    """An attribution that the préfet made under a notice about the quarter, imputed on the contingent that lacked it.

    Those that discharge a debt of objectives are entries of the ledger (`EcritureRegistre`), never lines of this table.
    """

    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="attributions")
    attribution = models.OneToOneField(Attribution, models.PROTECT, related_name="du_prefet")
    jour = models.DateField("inscrite le")
    inscrite_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")

    objects = ActeQuerySet.as_manager()

    class Meta:
        verbose_name = "attribution du préfet"
        verbose_name_plural = "attributions du préfet"
        ordering = ["procedure", "pk"]
        triggers = [
            pgtrigger.Protect(
                name="attribution_du_prefet_inalterable", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.procedure} : {self.attribution}"
