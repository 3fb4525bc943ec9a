"""Letters: the templates of a DDETS, each letter with its bytes, and what became of it once signed."""

from collections.abc import Mapping

import pgtrigger
from django.db import models
from django.db.models import Q

from bilans.regles.courriers import Modele
from bilans.regles.procedures import Lettre as Nature
from bilans.regles.procedures_delais import Inscription, Mode, Pas, Suite
from reservation.acteur import Acteur
from reservation.models import Convention, Departement, Organisation, PerimetreQuerySet, Utilisateur

NATURES = [(nature.value, nature.libelle) for nature in Nature]
MODES = [(mode.value, mode.libelle) for mode in Mode]
SUITES = [(suite.value, suite.libelle) for suite in Suite]


class DuServiceQuerySet(PerimetreQuerySet):
    """Read by the services of the State of the département, written by its DDETS."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(departement__in=acteur.departements) if acteur.est_service_etat else None

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.est_ddets and acteur.peut_gerer:
            return Q(departement__in=acteur.departements)
        return Q() if acteur.systeme else None


class GabaritLettre(models.Model):
    """One version of the text of one letter in a département, never changed; the last one is used.

    Without any, the letter is written from the template of the house (`bilans.regles.courriers.MODELES`), version 0.
    """

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    nature = models.CharField("lettre", max_length=20, choices=NATURES)
    version = models.PositiveSmallIntegerField("version")
    objet = models.CharField("objet", max_length=200)
    corps = models.TextField("texte")
    mentions = models.TextField("mentions")
    raison = models.CharField("ce qui change", max_length=300)
    ecrit_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    ecrit_le = models.DateTimeField("écrit le", auto_now_add=True)

    objects = DuServiceQuerySet.as_manager()

    class Meta:
        verbose_name = "modèle de lettre"
        verbose_name_plural = "modèles de lettre"
        ordering = ["departement", "nature", "-version"]
        triggers = [
            pgtrigger.Protect(name="gabarit_inalterable", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["departement", "nature", "version"],
                name="gabarit_lettre_version_unique",
                violation_error_message="Ce modèle a changé entre-temps : rechargez la page.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_nature_display()}, version {self.version}"

    @property
    def modele(self) -> Modele:
        return Modele(Nature(self.nature), self.objet, self.corps, self.mentions)


class LettreQuerySet(PerimetreQuerySet):
    """The State reads and writes; the addressee reads what was sent to it, from the day it was sent."""

    def filtre_visibles(self, acteur: Acteur):
        filtre = super().filtre_visibles(acteur)
        if filtre is None or acteur.systeme or acteur.est_service_etat:
            return filtre
        return filtre & Q(envoyee_le__isnull=False)

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.est_ddets and acteur.peut_gerer:
            return Q(departement__in=acteur.departements)
        return Q() if acteur.systeme else None

    def sans_octets(self) -> "LettreQuerySet":
        """Lists need no bytes."""
        return self.defer("octets")


_FIGES = (
    *(
        "bailleur_id",
        "reservataire_id",
        "departement_id",
        "procedure_id",
        "acte_id",
        "convention_id",
        "nature",
    ),
    *("gabarit_id", "numero", "annee", "objet", "saisies", "mode", "signee_le", "jour", "signataire_id"),
    *("signataire_nom", "organisation_id", "delegation", "faits", "constat", "octets", "empreinte"),
    *("pages", "sceau"),
)


def _figes(ligne: str) -> str:
    return ", ".join(f"{ligne}.{colonne}" for colonne in _FIGES)


class Lettre(models.Model):
    """One letter to one addressee: its bailleur or its réservataire, never both.

    A draft until `signee_le`; then its words, its figures (`faits`, `constat`: as known on `jour`) and its bytes never
    change. `saisies`: what an agent typed. `sceau`: name of the certificate that sealed the file, empty without one.
    The last three fields repeat the journal (`EtapeLettre`), for lists and clocks.
    """

    bailleur = models.ForeignKey(
        Organisation, models.PROTECT, related_name="lettres_recues", null=True, blank=True
    )
    reservataire = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="réservataire"
    )
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    procedure = models.ForeignKey(
        "bilans.Procedure", models.PROTECT, related_name="lettres", null=True, blank=True
    )
    acte = models.ForeignKey(
        "bilans.EtapeProcedure",
        models.PROTECT,
        related_name="lettres",
        null=True,
        blank=True,
        verbose_name="acte que la lettre notifie",
    )
    convention = models.ForeignKey(Convention, models.PROTECT, related_name="+", null=True, blank=True)
    nature = models.CharField("lettre", max_length=20, choices=NATURES)
    gabarit = models.ForeignKey(GabaritLettre, models.PROTECT, related_name="lettres", null=True, blank=True)
    numero = models.CharField("numéro", max_length=40, unique=True)
    annee = models.PositiveSmallIntegerField("année de la procédure")
    objet = models.CharField("objet", max_length=400, blank=True)
    saisies = models.JSONField("ce qui est écrit", default=dict)
    mode = models.CharField("mode d’envoi", max_length=12, choices=MODES, default=Mode.RECOMMANDE)
    ecrite_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    ecrite_le = models.DateTimeField("écrite le", auto_now_add=True)
    signee_le = models.DateTimeField("signée le", null=True, blank=True)
    jour = models.DateField("date de la lettre", null=True, blank=True)
    signataire = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    signataire_nom = models.CharField("signataire", max_length=200, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    delegation = models.CharField("délégation", max_length=300, blank=True)
    faits = models.JSONField("faits de ce jour", default=dict)
    constat = models.JSONField("chiffres de ce jour", default=dict)
    octets = models.BinaryField("fichier PDF", null=True)
    empreinte = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    pages = models.PositiveSmallIntegerField("pages", default=0)
    sceau = models.CharField("cachet électronique", max_length=300, blank=True)
    envoyee_le = models.DateField("envoyée le", null=True, blank=True)
    suite = models.CharField("suite", max_length=12, choices=SUITES, blank=True)
    date_certaine = models.DateField("date certaine de réception", null=True, blank=True)

    objects = LettreQuerySet.as_manager()

    class Meta:
        verbose_name = "lettre"
        ordering = ["-ecrite_le", "-pk"]
        indexes = [models.Index(fields=["departement", "-ecrite_le"], name="lettre_departement")]
        triggers = [
            pgtrigger.Protect(
                name="gel_lettre_signee",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    f"OLD.signee_le IS NOT NULL AND ({_figes('OLD')}) IS DISTINCT FROM ({_figes('NEW')})"
                ),
            ),
            pgtrigger.Protect(
                name="gel_lettre_gardee",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.signee_le IS NOT NULL"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="lettre_un_destinataire",
                condition=Q(bailleur__isnull=False, reservataire__isnull=True)
                | Q(bailleur__isnull=True, reservataire__isnull=False),
                violation_error_message="Une lettre a un destinataire, et un seul.",
            ),
            models.CheckConstraint(
                name="lettre_signee_entiere",
                condition=Q(
                    signee_le__isnull=True,
                    jour__isnull=True,
                    octets__isnull=True,
                    empreinte="",
                    envoyee_le__isnull=True,
                    suite="",
                )
                | (
                    Q(
                        signee_le__isnull=False,
                        jour__isnull=False,
                        octets__isnull=False,
                        signataire__isnull=False,
                    )
                    & ~Q(empreinte="")
                    & ~Q(delegation="")
                ),
                violation_error_message="Une lettre signée porte sa date, son fichier, son empreinte, son signataire et sa "
                "délégation ; un projet n’en porte aucun et ne s’envoie pas.",
            ),
            models.CheckConstraint(
                name="lettre_date_certaine_envoyee",
                condition=Q(date_certaine__isnull=True) | Q(envoyee_le__isnull=False),
                violation_error_message="Une lettre reçue a été envoyée.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_nature_display()} {self.numero}"

    @property
    def destinataire(self) -> Organisation:
        return self.bailleur or self.reservataire

    @property
    def signee(self) -> bool:
        return self.signee_le is not None

    @property
    def stade(self) -> str:
        """Where it is, in a word or two."""
        if not self.signee:
            return "projet"
        return self.get_suite_display() if self.suite else "signée, à envoyer"


class EtapeLettreQuerySet(PerimetreQuerySet):
    """Read with its letter."""

    champ_bailleur = "lettre__bailleur"
    champ_departement = "lettre__departement"
    champ_reservataire = "lettre__reservataire"

    def filtre_visibles(self, acteur: Acteur):
        filtre = super().filtre_visibles(acteur)
        if filtre is None or acteur.systeme or acteur.est_service_etat:
            return filtre
        return filtre & Q(lettre__envoyee_le__isnull=False)

    def filtre_modifiables(self, acteur: Acteur):
        return Q() if acteur.systeme else None


class EtapeLettre(models.Model):
    """What happened to a signed letter, on which day, with its proof; never changed.

    `numero`: of the registered letter or of the electronic one. `preuve`: the receipt, scanned (PDF or image).
    `corrige`: the row, wrong, whose place this one takes; `retire`: nothing takes its place. The reason is in `observation`.
    """

    lettre = models.ForeignKey(Lettre, models.PROTECT, related_name="etapes")
    rang = models.PositiveSmallIntegerField("rang")
    suite = models.CharField("suite", max_length=12, choices=SUITES)
    jour = models.DateField("date")
    numero = models.CharField("numéro d’envoi", max_length=60, blank=True)
    observation = models.CharField("observation", max_length=300, blank=True)
    corrige = models.OneToOneField(
        "self",
        models.PROTECT,
        related_name="correction",
        null=True,
        blank=True,
        verbose_name="étape corrigée",
    )
    retire = models.BooleanField("retire une étape inscrite par erreur", default=False)
    preuve = models.BinaryField("preuve", null=True)
    preuve_nom = models.CharField("nom de la preuve", max_length=200, blank=True)
    preuve_type = models.CharField("type de la preuve", max_length=40, blank=True)
    preuve_empreinte = models.CharField("empreinte de la preuve", max_length=64, blank=True)
    inscrite_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    inscrite_le = models.DateTimeField("inscrite le", auto_now_add=True)

    objects = EtapeLettreQuerySet.as_manager()

    class Meta:
        verbose_name = "étape d’une lettre"
        verbose_name_plural = "étapes d’une lettre"
        ordering = ["lettre", "rang"]
        triggers = [
            pgtrigger.Protect(name="etape_lettre_inalterable", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["lettre", "rang"],
                name="etape_lettre_rang_unique",
                violation_error_message="Cette lettre a changé entre-temps : rechargez la page.",
            ),
            models.CheckConstraint(
                name="etape_lettre_preuve",
                condition=Q(preuve__isnull=True, preuve_empreinte="")
                | (Q(preuve__isnull=False) & ~Q(preuve_empreinte="")),
                violation_error_message="Une preuve porte son empreinte.",
            ),
            models.CheckConstraint(
                name="etape_lettre_correction",
                condition=Q(corrige__isnull=True, retire=False)
                | (Q(corrige__isnull=False) & ~Q(observation="")),
                violation_error_message="Une correction dit pourquoi.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_suite_display()} le {self.jour:%d/%m/%Y}"

    @property
    def pas(self) -> Pas:
        return Pas(self.jour, Suite(self.suite))

    def en_regle(self, rangs: Mapping[int, int]) -> Inscription:
        """As the rules read it. `rangs`: primary key → rank, of the journal."""
        return Inscription(self.rang, self.pas, rangs.get(self.corrige_id), self.retire)


class DossierControle(models.Model):
    """A file for an inspection (ANCOLS): everything of one bailleur in one département, or of one procedure.

    `reservataire`: whom the procedure is about, when it is about no bailleur (the quarter of a whole département).

    EN_ATTENTE → PRODUIT (ZIP kept with its hash) or ECHEC, which says why.
    """

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "en préparation"
        PRODUIT = "PRODUIT", "prêt"
        ECHEC = "ECHEC", "échec"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    reservataire = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="réservataire"
    )
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    procedure = models.ForeignKey(
        "bilans.Procedure", models.PROTECT, related_name="dossiers", null=True, blank=True
    )
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    message = models.CharField("message", max_length=300, blank=True)
    demande_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    demande_le = models.DateTimeField("demandé le", auto_now_add=True)
    produit_le = models.DateTimeField("produit le", null=True, blank=True)
    octets = models.BinaryField("fichier ZIP", null=True)
    empreinte = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    taille = models.PositiveIntegerField("taille (octets)", default=0)

    objects = DuServiceQuerySet.as_manager()

    class Meta:
        verbose_name = "dossier de contrôle"
        verbose_name_plural = "dossiers de contrôle"
        ordering = ["-demande_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "reservataire", "departement", "procedure"],
                condition=Q(etat="EN_ATTENTE"),
                nulls_distinct=False,
                name="dossier_controle_un_en_attente",
                violation_error_message="Ce dossier est déjà en préparation.",
            ),
            models.CheckConstraint(
                name="dossier_controle_objet",
                condition=Q(bailleur__isnull=False, reservataire__isnull=True)
                | Q(bailleur__isnull=True, reservataire__isnull=False, procedure__isnull=False),
                violation_error_message="Un dossier est celui d’un bailleur, ou de la procédure d’un réservataire.",
            ),
            models.CheckConstraint(
                name="dossier_controle_produit",
                condition=(
                    Q(etat="PRODUIT", octets__isnull=False, produit_le__isnull=False) & ~Q(empreinte="")
                )
                | (~Q(etat="PRODUIT") & Q(octets__isnull=True, empreinte="")),
                violation_error_message="Un dossier produit porte son fichier et son empreinte, et lui seul.",
            ),
        ]

    def __str__(self) -> str:
        return f"Dossier de contrôle – {self.objet} ({self.departement_id})"

    @property
    def objet(self) -> Organisation:
        """Whom it is about."""
        return self.bailleur or self.reservataire
