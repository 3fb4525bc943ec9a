"""The parc: RPLS dwellings of a millésime, flags set by hand, imports, and the aggregate every screen reads."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from reservation.acteur import Acteur
from reservation.regles import statut

from .base import PerimetreQuerySet
from .organisations import Organisation, Utilisateur
from .territoires import Commune, Departement


class ParcQuerySet(PerimetreQuerySet):
    """The parc is read by its bailleur and the DDETS of the département; nobody else sees lines (chapter 2)."""

    champ_reservataire = None


# The codes and their words live with the rule; the database only offers them as choices.
StatutLogement = models.TextChoices(
    "StatutLogement", {code.name: (code.value, code.libelle) for code in statut.StatutLogement}
)
CodeDrapeau = models.TextChoices(
    "CodeDrapeau", {code.name: (code.value, code.libelle) for code in statut.Drapeau}
)


# Class of a dwelling whose number of rooms or year of construction RPLS does not give (no such reference row).
CLASSE_NON_RENSEIGNEE = "NR"


class ImportRpls(models.Model):
    """One RPLS file through its life: RECU → EN_ANALYSE → A_CONFIRMER → EN_APPLICATION → APPLIQUE.

    Or REFUSE (not an acceptable file: nothing was kept but the reason), ABANDONNE (by the person),
    ECHEC (the application's fault; the parc is as before). Every physical line is accounted for.
    """

    class Etat(models.TextChoices):
        RECU = "RECU", "reçu"
        EN_ANALYSE = "EN_ANALYSE", "en cours de lecture"
        A_CONFIRMER = "A_CONFIRMER", "à confirmer"
        EN_APPLICATION = "EN_APPLICATION", "en cours d’enregistrement"
        APPLIQUE = "APPLIQUE", "enregistré"
        REFUSE = "REFUSE", "refusé"
        ABANDONNE = "ABANDONNE", "abandonné"
        ECHEC = "ECHEC", "interrompu"

    class Famille(models.TextChoices):
        OUVERT = "OUVERT", "fichier ouvert « détail logement »"
        LOI = "LOI", "fichier « version loi »"
        DEPOT = "DEPOT", "fichier de dépôt du bailleur"

    bailleur = models.ForeignKey(
        Organisation,
        models.PROTECT,
        related_name="imports_rpls",
        null=True,
        blank=True,
        help_text="Vide quand le fichier porte plusieurs bailleurs (version loi, répartition de démonstration).",
    )
    repartir = models.PositiveSmallIntegerField("répartir sur N bailleurs fictifs", null=True, blank=True)
    millesime = models.PositiveSmallIntegerField("millésime (parc au 1er janvier)")
    fichier = models.FileField("fichier", upload_to="rpls/%Y/", max_length=255)
    nom_fichier = models.CharField("nom du fichier", max_length=255)
    taille = models.PositiveBigIntegerField("taille (octets)")
    sha256 = models.CharField("empreinte", max_length=64)
    famille = models.CharField("famille", max_length=6, choices=Famille, blank=True)
    etat = models.CharField("état", max_length=14, choices=Etat, default=Etat.RECU)
    etape = models.CharField("étape en cours", max_length=120, blank=True)
    avancement = models.PositiveSmallIntegerField("avancement (%)", default=0)
    lignes_lues = models.PositiveIntegerField(default=0)
    lignes_acceptees = models.PositiveIntegerField(default=0)
    lignes_rejetees = models.PositiveIntegerField(default=0)
    lignes_ignorees = models.PositiveIntegerField(default=0)
    rapport = models.JSONField("rapport", default=dict)
    normalise = models.CharField("fichier normalisé", max_length=255, blank=True)
    rejets = models.CharField("fichier des lignes rejetées", max_length=255, blank=True)
    message = models.TextField("message", blank=True)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, null=True, blank=True)
    cree_le = models.DateTimeField(auto_now_add=True)
    confirme_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    confirme_le = models.DateTimeField("confirmé le", null=True, blank=True)
    applique_le = models.DateTimeField(null=True, blank=True)

    class ImportQuerySet(PerimetreQuerySet):
        champ_reservataire = None

        def filtre_visibles(self, acteur: Acteur):
            """An import is read by its bailleur and, once it is known where its dwellings are, by the State there.

            A file of another département of the same bailleur is nobody's else, not even its name.
            """
            if acteur.est_service_etat:
                ici = Q(pk__in=[])
                for code in acteur.departements:
                    ici |= Q(rapport__paires__contains=[{"departement": code}])
                return ici & Q(bailleur__isnull=False, repartir__isnull=True)
            return super().filtre_visibles(acteur)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = "import RPLS"
        verbose_name_plural = "imports RPLS"
        ordering = ["-cree_le", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="import_rpls_lignes_comptees",
                condition=Q(lignes_lues=F("lignes_acceptees") + F("lignes_rejetees") + F("lignes_ignorees")),
                violation_error_message="Chaque ligne lue est acceptée, rejetée ou ignorée.",
            ),
            models.CheckConstraint(
                name="import_rpls_applique_date",
                condition=Q(etat="APPLIQUE", applique_le__isnull=False)
                | (~Q(etat="APPLIQUE") & Q(applique_le__isnull=True)),
                violation_error_message="Un import enregistré porte sa date, et lui seul.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nom_fichier} ({self.millesime})"


class Logement(models.Model):
    """One dwelling of one bailleur in one RPLS millésime (situation at 1 January).

    `cle` identifies the dwelling within its bailleur across millésimes: IDENT_REP where the file has it, else
    the landlord's own reference, else a hash of the address and the rank among equal lines (open file: exact
    duplicate lines are distinct dwellings). Flags and libérations refer to (bailleur, cle), not to a row: they
    must survive the next import, and a freed dwelling may not be in RPLS yet.
    Codes are RPLS codes, kept as text. `statut` is the rule's verdict for the year of the millésime.

    Millions of rows written by COPY and by nothing else (`services.parc`): foreign keys without a database
    constraint (four triggers a row cost more than the COPY itself), whole numbers without a check. The importer
    only writes the commune, département, bailleur and import that it has just read, inside the transaction that
    locks the bailleur; `EtatParc` and `Presence`, one row per bailleur × département, keep the real constraints,
    so that neither bailleur, département nor import can disappear, and a new edition of the COG keeps every
    commune. A test checks that no row is an orphan.
    """

    bailleur = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    departement = models.ForeignKey(
        Departement, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    commune = models.ForeignKey(
        Commune, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    millesime = models.SmallIntegerField("millésime")
    cle = models.CharField("clé du logement", max_length=120, db_collation="C")
    ident_rep = models.CharField("identifiant RPLS", max_length=20, blank=True)
    ident_int = models.CharField("référence du bailleur", max_length=100, blank=True)
    adresse = models.CharField("adresse", max_length=400, blank=True)
    code_postal = models.CharField("code postal", max_length=5, blank=True)
    programme = models.CharField("programme", max_length=120, blank=True)
    droit = models.CharField("droit du bailleur", max_length=1, blank=True)
    qpv = models.BooleanField("en QPV")
    code_qpv = models.CharField("code du QPV", max_length=12, blank=True)
    typeconst = models.CharField("type de construction", max_length=1)
    nbpiece = models.SmallIntegerField("nombre de pièces", null=True)
    surfhab = models.SmallIntegerField("surface habitable (m²)", null=True)
    construct = models.SmallIntegerField("année de construction", null=True)
    locat = models.SmallIntegerField("année de première mise en location", null=True)
    patrimoine = models.SmallIntegerField("année d’entrée au patrimoine", null=True)
    origine = models.CharField("origine", max_length=1, blank=True)
    finan = models.CharField("financement initial", max_length=2)
    finan_autre = models.CharField("autre financement", max_length=60, blank=True)
    conv = models.CharField("conventionné APL (1 oui, 2 non)", max_length=1)
    numconv = models.CharField("numéro de convention APL", max_length=40, blank=True)
    datconv = models.DateField("date d’effet de la convention APL", null=True)
    sortie = models.CharField("motif de sortie du patrimoine", max_length=1, default="9")
    mode = models.CharField("mode d’occupation", max_length=1)
    bail = models.DateField("bail en cours depuis (1er du mois)", null=True)
    remlocdate = models.DateField("dernière remise en location (1er du mois)", null=True)
    cus = models.CharField("plafond CUS", max_length=2, blank=True)
    dpe = models.CharField("classe énergie", max_length=1, blank=True)
    contingent_rpls = models.CharField("contingent au sens du RPLS (information)", max_length=1, blank=True)
    drapeaux = ArrayField(models.CharField(max_length=24), default=list, verbose_name="drapeaux")
    typologie = models.CharField("classe de typologie", max_length=8)
    financement = models.CharField("classe de financement", max_length=8)
    periode = models.CharField("classe de période", max_length=8)
    statut = models.CharField("statut", max_length=24, choices=StatutLogement)
    empreinte = models.BigIntegerField("empreinte de la ligne normalisée", default=0)
    import_rpls = models.ForeignKey(
        ImportRpls, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    ligne = models.IntegerField("ligne du fichier")

    objects = ParcQuerySet.as_manager()

    class Meta:
        verbose_name = "logement"
        ordering = ["bailleur", "millesime", "cle"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "millesime", "cle"],
                name="logement_unique",
                violation_error_message="Ce logement figure déjà dans le parc de ce millésime.",
            ),
            models.CheckConstraint(name="logement_conv", condition=Q(conv__in=["1", "2"])),
            models.CheckConstraint(name="logement_typeconst", condition=Q(typeconst__in=["C", "I", "E"])),
        ]

    def __str__(self) -> str:
        return self.ident_int or self.ident_rep or self.cle


class Drapeau(models.Model):
    """A flag on one dwelling (`cible` = its `cle`) or on a whole programme (`cible` = programme); never erased."""

    class Portee(models.TextChoices):
        LOGEMENT = "LOGEMENT", "un logement"
        PROGRAMME = "PROGRAMME", "un programme"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="drapeaux")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    portee = models.CharField("portée", max_length=9, choices=Portee)
    cible = models.CharField("clé du logement ou nom du programme", max_length=120)
    code = models.CharField("nature", max_length=24, choices=CodeDrapeau)
    motif = models.CharField("motif", max_length=300)
    pose_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    pose_le = models.DateTimeField("posé le", auto_now_add=True)
    retire_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    retire_le = models.DateTimeField("retiré le", null=True, blank=True)
    motif_retrait = models.CharField("motif du retrait", max_length=300, blank=True)

    objects = ParcQuerySet.as_manager()

    class Meta:
        verbose_name = "drapeau"
        verbose_name_plural = "drapeaux"
        ordering = ["-pose_le", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "portee", "cible", "code"],
                condition=Q(retire_le__isnull=True),
                name="drapeau_actif_unique",
                violation_error_message="Ce drapeau est déjà posé.",
            ),
            models.CheckConstraint(
                name="drapeau_retrait_motive",
                condition=Q(retire_le__isnull=True, motif_retrait="")
                | (Q(retire_le__isnull=False) & ~Q(motif_retrait="")),
                violation_error_message="Le retrait d’un drapeau demande un motif.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_code_display()} – {self.cible}"


class AgregatParc(models.Model):
    """Dwellings counted by everything the rules and the tables look at: the one table that screens read.

    Refreshed by the import and by each change of flags, conventions or classes, for the bailleur × département
    it touches. Rule inputs (finan, conv, mode, sortie, drapeaux) are kept so that the assiette of another year,
    under other conventions, is computed from here and never rescans the parc.
    Derived from `Logement` by one INSERT … SELECT, hence no foreign key constraint of its own either.
    """

    bailleur = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    departement = models.ForeignKey(
        Departement, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    millesime = models.PositiveSmallIntegerField()
    commune = models.ForeignKey(
        Commune, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    qpv = models.BooleanField()
    typologie = models.CharField(max_length=8)
    financement = models.CharField(max_length=8)
    periode = models.CharField(max_length=8)
    finan = models.CharField(max_length=2)
    conv = models.CharField(max_length=1)
    mode = models.CharField(max_length=1)
    sortie = models.CharField(max_length=1)
    typeconst = models.CharField(max_length=1)
    drapeaux = ArrayField(models.CharField(max_length=24), default=list)
    statut = models.CharField(max_length=24, choices=StatutLogement)
    nombre = models.PositiveIntegerField("logements")
    anciens = models.PositiveIntegerField(
        "loués ou proposés, mis en location avant l’année précédente", default=0
    )
    emmenages = models.PositiveIntegerField("dont le bail date de l’année précédente ou après", default=0)

    objects = ParcQuerySet.as_manager()

    class Meta:
        verbose_name = "agrégat du parc"
        verbose_name_plural = "agrégats du parc"
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["bailleur", "departement", "millesime"], name="agregat_bailleur"),
            models.Index(fields=["departement", "millesime"], name="agregat_departement"),
        ]


class EtatParc(models.Model):
    """What is known of one bailleur × département × millésime: when it was loaded and last recomputed."""

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="etats_parc")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    millesime = models.PositiveSmallIntegerField()
    logements = models.PositiveIntegerField()
    import_rpls = models.ForeignKey(ImportRpls, models.PROTECT, related_name="etats")
    revision = models.PositiveIntegerField("révision", default=1)
    calcule_le = models.DateTimeField("statuts calculés le")

    objects = ParcQuerySet.as_manager()

    class Meta:
        verbose_name = "état du parc"
        verbose_name_plural = "états du parc"
        ordering = ["bailleur", "departement", "-millesime"]
        constraints = [
            models.UniqueConstraint(fields=["bailleur", "departement", "millesime"], name="etat_parc_unique")
        ]
