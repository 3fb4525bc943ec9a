"""The acts of a bilan, each with what it froze: submissions, demands and answers, returns, validations, corrections."""

import pgtrigger
from django.db import models
from django.db.models import Q

from bilans.regles.cycle import FIGURES, TRANSITIONS, EtatBilan
from bilans.regles.cycle import ActeBilan as Acte
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur
from reservation.operations import REFUS

from .bilans import Bilan, DocumentBilan

_ETATS = [(etat.value, etat.libelle) for etat in EtatBilan]
_AVEC_TEXTE = sorted({t.acte.value for t in TRANSITIONS if t.texte})
_AVEC_DOCUMENT = sorted({t.acte.value for t in TRANSITIONS if t.fige})


class EtapeQuerySet(PerimetreQuerySet):
    """Its bailleur and the State read them; both write theirs, through the service that knows which are whose."""

    champ_reservataire = None

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.est_ddets and acteur.peut_gerer:
            return Q(departement__in=acteur.departements)
        return super().filtre_modifiables(acteur)

    def versions(self) -> "EtapeQuerySet":
        """Submissions, the last first: each is a version of the bilan."""
        return self.filter(acte=Acte.SOUMETTRE).order_by("-rang")


def _suite() -> pgtrigger.Trigger:
    """An act follows the one before it: same bilan, next rank, from the state that it left."""
    corps = f"""
    SELECT e.rang, e.vers INTO dernier, etat FROM bilans_etapebilan AS e
    WHERE e.bilan_id = NEW.bilan_id ORDER BY e.rang DESC LIMIT 1;
    IF NEW.rang <> coalesce(dernier, 0) + 1 OR NEW.de <> coalesce(etat, '{EtatBilan.PREPARATION}') THEN
        RAISE EXCEPTION USING ERRCODE = '{REFUS}',
        MESSAGE = 'Ce bilan a changé d’état entre-temps : rechargez la page.';
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


class EtapeBilan(models.Model):
    """One act on a bilan, never changed: the state of the bilan is `vers` of the last one (PREPARATION without any).

    `document`: what a submission or a validation froze: figures, text, PDF. `figure`: what a demand bears on (code of
    `bilans.regles.cycle.FIGURES`); `demande`: the demand that an answer answers.
    """

    bilan = models.ForeignKey(Bilan, models.PROTECT, related_name="etapes")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    rang = models.PositiveSmallIntegerField("rang")
    acte = models.CharField("acte", max_length=12, choices=[(a.value, a.libelle) for a in Acte])
    de = models.CharField("état avant", max_length=12, choices=_ETATS)
    vers = models.CharField("état après", max_length=12, choices=_ETATS)
    le = models.DateTimeField("le")
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    texte = models.TextField("texte", blank=True)
    figure = models.CharField(
        "chiffre concerné", max_length=16, choices=[(f.code, f.libelle) for f in FIGURES], blank=True
    )
    demande = models.OneToOneField("self", models.PROTECT, related_name="reponse", null=True, blank=True)
    document = models.ForeignKey(DocumentBilan, models.PROTECT, related_name="etapes", null=True, blank=True)

    objects = EtapeQuerySet.as_manager()

    class Meta:
        verbose_name = "étape d’un bilan"
        verbose_name_plural = "étapes d’un bilan"
        ordering = ["bilan", "rang"]
        triggers = [
            _suite(),
            pgtrigger.Protect(name="etape_inalterable", operation=pgtrigger.Update | pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["bilan", "rang"],
                name="etape_bilan_rang_unique",
                violation_error_message="Ce bilan a changé d’état entre-temps : rechargez la page.",
            ),
            models.CheckConstraint(
                name="etape_bilan_transition",
                condition=Q(
                    *(Q(de=t.de.value, acte=t.acte.value, vers=t.vers.value) for t in TRANSITIONS),
                    _connector=Q.OR,
                ),
                violation_error_message="Cet acte n’est pas possible dans cet état.",
            ),
            models.CheckConstraint(
                name="etape_bilan_texte",
                condition=~Q(acte__in=_AVEC_TEXTE) | ~Q(texte=""),
                violation_error_message="Cet acte porte un texte.",
            ),
            models.CheckConstraint(
                name="etape_bilan_document",
                condition=Q(acte__in=_AVEC_DOCUMENT, document__isnull=False)
                | (~Q(acte__in=_AVEC_DOCUMENT) & Q(document__isnull=True)),
                violation_error_message="Une soumission et une validation portent leur document, et elles seules.",
            ),
            models.CheckConstraint(
                name="etape_bilan_figure",
                condition=(Q(acte=Acte.DEMANDER.value) & ~Q(figure=""))
                | (~Q(acte=Acte.DEMANDER.value) & Q(figure="")),
                violation_error_message="Une demande porte sur un chiffre.",
            ),
            models.CheckConstraint(
                name="etape_bilan_reponse",
                condition=Q(acte=Acte.REPONDRE.value, demande__isnull=False)
                | (~Q(acte=Acte.REPONDRE.value) & Q(demande__isnull=True)),
                violation_error_message="Une réponse répond à une demande.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_acte_display()} – {self.le:%d/%m/%Y}"


class AccuseBilan(models.Model):
    """The receipt of a submission: PDF, hash, hour, service. It says that it arrived, not that it is right."""

    etape = models.OneToOneField(EtapeBilan, models.PROTECT, related_name="accuse")
    bilan = models.ForeignKey(Bilan, models.PROTECT, related_name="accuses")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    numero = models.CharField("numéro", max_length=60)
    octets = models.BinaryField("fichier PDF")
    empreinte = models.CharField("empreinte SHA-256", max_length=64)
    pages = models.PositiveSmallIntegerField("pages")

    objects = EtapeQuerySet.as_manager()

    class Meta:
        verbose_name = "accusé de réception"
        verbose_name_plural = "accusés de réception"
        ordering = ["bilan", "etape"]
        triggers = [
            pgtrigger.Protect(name="accuse_inalterable", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return self.numero


class VersionReservataire(models.Model):
    """What a réservataire receives of a submitted bilan, or of a point d'étape: its own contingent, its own bytes.

    `donnees`: the tree of `bilans.regles.extrait`, frozen; `octets`: the PDF of it, made after the submission (None
    until then) and never again.
    """

    etape = models.ForeignKey(EtapeBilan, models.PROTECT, related_name="envois", null=True, blank=True)
    point = models.ForeignKey(
        "bilans.PointEtape", models.PROTECT, related_name="envois", null=True, blank=True
    )
    bilan = models.ForeignKey(Bilan, models.PROTECT, related_name="envois")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="bilans_recus")
    annee = models.PositiveSmallIntegerField("année")
    version = models.PositiveSmallIntegerField("version")
    donnees = models.JSONField("chiffres")
    empreinte_donnees = models.CharField("empreinte des chiffres", max_length=64)
    envoyee_le = models.DateTimeField("envoyée le")
    octets = models.BinaryField("fichier PDF", null=True)
    empreinte_pdf = models.CharField("empreinte du PDF", max_length=64, blank=True)
    pages = models.PositiveSmallIntegerField("pages", default=0)

    class VersionQuerySet(PerimetreQuerySet):
        def filtre_modifiables(self, acteur: Acteur):
            return Q() if acteur.systeme else None

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = "bilan reçu par un réservataire"
        verbose_name_plural = "bilans reçus par les réservataires"
        ordering = ["-annee", "bilan_id", "reservataire_id", "-version"]
        indexes = [models.Index(fields=["reservataire", "-annee"], name="bilan_recu_reservataire")]
        triggers = [
            # Its PDF is added once; nothing else of it ever changes.
            pgtrigger.Protect(
                name="version_inalterable",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.octets IS NOT NULL OR (OLD.etape_id, OLD.point_id, OLD.bilan_id, OLD.reservataire_id, "
                    "OLD.version, OLD.donnees, OLD.empreinte_donnees, OLD.envoyee_le) IS DISTINCT FROM (NEW.etape_id, "
                    "NEW.point_id, NEW.bilan_id, NEW.reservataire_id, NEW.version, NEW.donnees, NEW.empreinte_donnees, "
                    "NEW.envoyee_le)"
                ),
            ),
            pgtrigger.Protect(name="version_gardee", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(fields=["etape", "reservataire"], name="version_reservataire_unique"),
            models.UniqueConstraint(
                fields=["point", "reservataire"], name="version_reservataire_point_unique"
            ),
            models.CheckConstraint(
                name="version_reservataire_origine",
                condition=Q(etape__isnull=False, point__isnull=True)
                | Q(etape__isnull=True, point__isnull=False),
                violation_error_message="Une version est celle d’un bilan soumis, ou d’un point d’étape.",
            ),
            models.CheckConstraint(
                name="version_reservataire_pdf",
                condition=Q(octets__isnull=True, empreinte_pdf="")
                | (Q(octets__isnull=False) & ~Q(empreinte_pdf="")),
                violation_error_message="Un PDF porte son empreinte.",
            ),
        ]

    def __str__(self) -> str:
        return self.numero

    @property
    def numero(self) -> str:
        genre = "PE" if self.point_id else "BIL"
        return f"{genre}-{self.annee}-{self.departement_id}-{self.bailleur.siren}-v{self.version}-R{self.reservataire_id}"
