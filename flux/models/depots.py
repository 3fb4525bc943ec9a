"""A spreadsheet of events that a bailleur hands in: the file, its lines one by one, the mapping of its columns."""

from django.db import models
from django.db.models import Q

from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

from .liberations import Liberation


class Sujet(models.TextChoices):
    LIBERATIONS = "LIBERATIONS", "libérations"
    COMMISSIONS = "COMMISSIONS", "commissions et passages"
    BAUX = "BAUX", "réponses des ménages et baux"
    COMBINE = "COMBINE", "tout dans un seul tableau"
    SNE = "SNE", "extraction du SNE"
    SYPLO = "SYPLO", "extraction de SYPLO"
    IMHOWEB = "IMHOWEB", "extraction d’Imhoweb"


# What the other tools say: compared with what is recorded, never counted.
SUJETS_EXTERNES = (Sujet.SNE, Sujet.SYPLO, Sujet.IMHOWEB)
# Who may hand in what, where their tool gives it.
SUJETS_PAR_TYPE: dict[str, tuple[Sujet, ...]] = {
    TypeOrganisation.BAILLEUR: (
        Sujet.LIBERATIONS,
        Sujet.COMMISSIONS,
        Sujet.BAUX,
        Sujet.COMBINE,
        Sujet.SNE,
        Sujet.IMHOWEB,
    ),
    TypeOrganisation.DDETS: SUJETS_EXTERNES,
    TypeOrganisation.ACTION_LOGEMENT: SUJETS_EXTERNES,
    TypeOrganisation.OPERATEUR: (Sujet.SYPLO, Sujet.IMHOWEB),
}


def sujets_de(acteur: Acteur) -> tuple[Sujet, ...]:
    """The kinds of files that the organisation of `acteur` hands in; none: it has no deposits."""
    return SUJETS_PAR_TYPE.get(acteur.type_organisation, ())


class DepotQuerySet(PerimetreQuerySet):
    """A deposit is the working paper of who hands it in: what it writes is seen by the others, its drafts are not."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(organisation=acteur.organisation_id) if sujets_de(acteur) else None

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(organisation=acteur.organisation_id) if acteur.peut_gerer else None


class Depot(models.Model):
    """One file through its life: RECU → EN_ANALYSE → A_CONFIRMER → EN_APPLICATION → APPLIQUE.

    A_ASSOCIER: the reader does not know which column is which, and asks. A_CONFIRMER holds again when lines were
    written and others wait (`applique_le` says when the last were). REFUSE: no acceptable file. ABANDONNE: by the
    person, or by the purge. ECHEC: the application's fault; nothing was written.

    The file holds numéros uniques, which are kept nowhere else: it is encrypted on the disk, and deleted as soon as
    nothing waits any more, a month after the deposit at the latest (`fichier_efface_le`). Its fingerprint stays.
    A file may hold dwellings of several départements: the département is that of each line's libération.

    `organisation` hands it in. `bailleur`: the same one when it is a bailleur, whose events they then are.
    An extract of another tool has the département that its lines do not say, and the period that they cover.
    """

    class Etat(models.TextChoices):
        RECU = "RECU", "reçu"
        EN_ANALYSE = "EN_ANALYSE", "en cours de lecture"
        A_ASSOCIER = "A_ASSOCIER", "colonnes à associer"
        A_CONFIRMER = "A_CONFIRMER", "à relire"
        EN_APPLICATION = "EN_APPLICATION", "en cours d’enregistrement"
        APPLIQUE = "APPLIQUE", "enregistré"
        REFUSE = "REFUSE", "refusé"
        ABANDONNE = "ABANDONNE", "abandonné"
        ECHEC = "ECHEC", "interrompu"

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name="déposé par", db_index=False
    )
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="depots", null=True, blank=True)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", null=True, blank=True)
    periode_debut = models.DateField("premier jour couvert", null=True, blank=True)
    periode_fin = models.DateField("dernier jour couvert", null=True, blank=True)
    sujet = models.CharField("sujet", max_length=12, choices=Sujet, blank=True)
    source = models.CharField("logiciel ou tableau d’origine", max_length=60, blank=True)
    fichier = models.FileField("fichier chiffré", upload_to="depots/%Y/", max_length=255, blank=True)
    nom_fichier = models.CharField("nom du fichier", max_length=255)
    taille = models.PositiveBigIntegerField("taille (octets)")
    sha256 = models.CharField("empreinte", max_length=64)
    etat = models.CharField("état", max_length=14, choices=Etat, default=Etat.RECU)
    etape = models.CharField("étape en cours", max_length=120, blank=True)
    avancement = models.PositiveSmallIntegerField("avancement (%)", default=0)
    feuille = models.CharField("feuille lue", max_length=120, blank=True)
    ligne_entete = models.PositiveIntegerField("ligne de l’en-tête", default=0)
    entetes = models.JSONField("en-têtes, dans l’ordre des colonnes", default=list)
    correspondance = models.JSONField("champ → rang de la colonne", default=dict)
    lignes_lues = models.PositiveIntegerField("lignes lues", default=0)
    ignorees = models.JSONField("lignes ignorées, par raison", default=dict)
    comptes = models.JSONField("lignes par verdict", default=dict)
    message = models.TextField("message", blank=True)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField("déposé le", auto_now_add=True)
    confirme_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    confirme_le = models.DateTimeField("confirmé le", null=True, blank=True)
    applique_le = models.DateTimeField("enregistré le", null=True, blank=True)
    fichier_efface_le = models.DateTimeField("fichier effacé le", null=True, blank=True)

    objects = DepotQuerySet.as_manager()

    class Meta:
        verbose_name = "dépôt"
        ordering = ["-cree_le", "-pk"]
        indexes = [models.Index(fields=["organisation", "-cree_le"], name="depot_organisation_date")]
        constraints = [
            models.CheckConstraint(
                name="depot_applique_date",
                condition=~Q(etat="APPLIQUE") | Q(applique_le__isnull=False),
                violation_error_message="Un dépôt enregistré porte sa date.",
            ),
            models.CheckConstraint(
                name="depot_periode",
                condition=Q(periode_debut__isnull=True, periode_fin__isnull=True)
                | Q(periode_fin__gte=models.F("periode_debut")),
                violation_error_message="La période couverte ne peut pas finir avant de commencer.",
            ),
            models.CheckConstraint(
                name="depot_fichier_ou_effacement",
                condition=Q(fichier="", fichier_efface_le__isnull=False)
                | (~Q(fichier="") & Q(fichier_efface_le__isnull=True)),
                violation_error_message="Un fichier effacé porte la date de son effacement, et lui seul.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom_fichier


class LigneDepot(models.Model):
    """One line of the file, as it is understood now: its cells, the verdict, what is wrong, what it changes.

    `cellules`: the texts of the recognised columns only; the others, which may name people, are not kept. A numéro
    unique is not kept either: `numero` has its keyed hashes and its last four characters, hashed at the reading.
    `cle`: natural key of what the line says, so that the same line twice in a file, or in two files, is one object.
    """

    class Verdict(models.TextChoices):
        A_CREER = "A_CREER", "à créer"
        A_METTRE_A_JOUR = "A_METTRE_A_JOUR", "à mettre à jour"
        IDENTIQUE = "IDENTIQUE", "identique"
        EN_ERREUR = "EN_ERREUR", "en erreur"
        A_CONFIRMER = "A_CONFIRMER", "à confirmer"

    depot = models.ForeignKey(Depot, models.CASCADE, related_name="lignes")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    ligne = models.PositiveIntegerField("numéro de ligne dans la feuille")
    cellules = models.JSONField("cellules reconnues", default=dict)
    numero = models.JSONField("numéro unique haché", default=dict)
    verdict = models.CharField("verdict", max_length=15, choices=Verdict)
    creation = models.BooleanField("crée au moins un objet", default=False)
    designation = models.CharField("référence du bailleur", max_length=120, blank=True)
    cle = models.CharField("clé naturelle", max_length=300, blank=True)
    messages = models.JSONField("messages", default=list)
    differences = models.JSONField("différences", default=list)
    confirmations = models.JSONField("confirmations : code → par qui, quand", default=dict)
    corrigee = models.BooleanField("corrigée dans la page", default=False)
    liberation = models.ForeignKey(
        Liberation, models.SET_NULL, related_name="lignes_depot", null=True, blank=True
    )
    appliquee_le = models.DateTimeField("enregistrée le", null=True, blank=True)

    objects = DepotQuerySet.as_manager()

    class Meta:
        verbose_name = "ligne d’un dépôt"
        verbose_name_plural = "lignes d’un dépôt"
        ordering = ["depot", "ligne"]
        constraints = [
            models.UniqueConstraint(fields=["depot", "ligne"], name="ligne_depot_unique"),
            models.CheckConstraint(
                name="ligne_depot_appliquee_sans_erreur",
                condition=Q(appliquee_le__isnull=True) | ~Q(verdict__in=["EN_ERREUR", "A_CONFIRMER"]),
                violation_error_message="Une ligne enregistrée n’a plus d’erreur.",
            ),
        ]
        indexes = [models.Index(fields=["depot", "verdict", "ligne"], name="ligne_depot_verdict")]

    def __str__(self) -> str:
        return f"ligne {self.ligne}"


class CorrespondanceColonnes(models.Model):
    """Which header of a source is which column: learnt once, used by the next files with the same headers."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    sujet = models.CharField("sujet", max_length=12, choices=Sujet)
    source = models.CharField("logiciel ou tableau d’origine", max_length=60)
    colonnes = models.JSONField("champ → en-tête", default=dict)
    modifie_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    modifie_le = models.DateTimeField(auto_now=True)

    objects = DepotQuerySet.as_manager()

    class Meta:
        verbose_name = "correspondance de colonnes"
        verbose_name_plural = "correspondances de colonnes"
        ordering = ["organisation", "sujet", "source"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "sujet", "source"],
                name="correspondance_unique",
                violation_error_message="Cette source a déjà sa correspondance.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} ({self.get_sujet_display()})"
