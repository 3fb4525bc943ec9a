"""Conventions: who may reserve what share of the flux of whom, where and when (chapters 3 to 6 and 13).

An act is a convention, or for the État the arrêté that replaces it (R. 441-5-2 IV). Its text lives in versions:
the first one, then one per avenant, each in force from its date until the next. The rules read
(version, period) pairs; see `reservation.services.conventions.actes_par_paire`.
"""

from datetime import timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Q

from reservation.acteur import Acteur, TypeOrganisation
from reservation.regles.actes import Soustraction

from .base import PerimetreQuerySet
from .organisations import Organisation, PeriodeFermee, Utilisateur
from .territoires import Commune, Departement

NatureSoustraction = models.TextChoices(
    "NatureSoustraction", {code.name: (code.value, code.libelle) for code in Soustraction}
)


class ConventionQuerySet(PerimetreQuerySet):
    """A draft is between the bailleur and the State; réservataires and COPIL read signed acts."""

    brouillon = Q(etat="BROUILLON")
    lisible_par_copil = True

    def filtre_visibles(self, acteur: Acteur):
        filtre = super().filtre_visibles(acteur)
        if filtre is not None and (acteur.est_copil or acteur.est_reservataire):
            filtre &= ~self.brouillon
        return filtre

    def filtre_modifiables(self, acteur: Acteur):
        """The bailleur writes its conventions; the DDETS those of its département (table of chapter 2)."""
        if acteur.est_ddets and acteur.peut_gerer:
            return Q(departement__in=acteur.departements)
        if acteur.est_bailleur and acteur.peut_gerer:
            return Q(bailleur=acteur.organisation_id) & ~Q(reservataire__type=TypeOrganisation.DDETS)
        return super().filtre_modifiables(acteur) if acteur.systeme else None

    def en_vigueur(self, jour):
        """Acts signed and in force on `jour` (a date); an act terminated for later still is."""
        return self.exclude(self.brouillon).filter(debut__lte=jour, fin__gte=jour)


class Convention(models.Model):
    """One act between a bailleur and a réservataire in a département, for a period.

    BROUILLON → SIGNEE → (RESILIEE: `fin` is brought forward to the day before the effect). Only a signed act
    gives rights, and two signed acts of one (bailleur, réservataire, département) never overlap.
    """

    class Nature(models.TextChoices):
        CONVENTION = "CONVENTION", "convention"
        ARRETE = "ARRETE", "arrêté préfectoral (R. 441-5-2, IV)"

    class Etat(models.TextChoices):
        BROUILLON = "BROUILLON", "brouillon"
        SIGNEE = "SIGNEE", "signée"
        RESILIEE = "RESILIEE", "résiliée"

    class Modele(models.TextChoices):
        PACA = "PACA", "modèle PACA 2025-2027"
        COTES_D_ARMOR = "COTES_D_ARMOR", "modèle Côtes-d’Armor 2024-2026"
        LIBRE = "LIBRE", "sans modèle (valeurs de la loi)"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="conventions_donnees")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="conventions_recues")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="conventions")
    nature = models.CharField("nature", max_length=10, choices=Nature, default=Nature.CONVENTION)
    modele = models.CharField("modèle", max_length=13, choices=Modele, default=Modele.LIBRE)
    numero = models.CharField("numéro", max_length=60)
    debut = models.DateField("première date d’effet")
    fin = models.DateField("dernier jour d’effet")
    etat = models.CharField("état", max_length=9, choices=Etat, default=Etat.BROUILLON)
    signee_le = models.DateField("signée le", null=True, blank=True)
    signataires = models.TextField("signataires (fonction et organisme, un par ligne)", blank=True)
    resiliee_le = models.DateField("résiliée le", null=True, blank=True)
    fin_convenue = models.DateField("dernier jour convenu avant résiliation", null=True, blank=True)
    motif_resiliation = models.CharField("motif de la résiliation", max_length=300, blank=True)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField(auto_now_add=True)

    objects = ConventionQuerySet.as_manager()

    class Meta:
        verbose_name = "convention"
        ordering = ["departement", "bailleur", "reservataire", "-debut"]
        constraints = [
            models.CheckConstraint(
                name="convention_periode",
                condition=Q(fin__gte=F("debut")),
                violation_error_message="La fin de la convention ne peut pas précéder son début.",
            ),
            models.CheckConstraint(
                name="convention_signee_date",
                condition=Q(etat="BROUILLON", signee_le__isnull=True)
                | (~Q(etat="BROUILLON") & Q(signee_le__isnull=False)),
                violation_error_message="Une convention signée porte la date de sa signature, et elle seule.",
            ),
            models.CheckConstraint(
                name="convention_resiliation",
                condition=(
                    Q(etat="RESILIEE", resiliee_le__isnull=False, fin_convenue__gt=F("fin"))
                    & ~Q(motif_resiliation="")
                )
                | (
                    ~Q(etat="RESILIEE")
                    & Q(resiliee_le__isnull=True, fin_convenue__isnull=True, motif_resiliation="")
                ),
                violation_error_message=(
                    "Une résiliation porte sa date, son motif et la fin qui était convenue, et elle seule."
                ),
            ),
            ExclusionConstraint(
                name="convention_sans_chevauchement",
                expressions=[
                    ("bailleur", RangeOperators.EQUAL),
                    ("reservataire", RangeOperators.EQUAL),
                    ("departement", RangeOperators.EQUAL),
                    (PeriodeFermee("debut", "fin", RangeBoundary(True, True)), RangeOperators.OVERLAPS),
                ],
                condition=~Q(etat="BROUILLON"),
                violation_error_message=(
                    "Une autre convention signée couvre déjà une partie de cette période pour ce bailleur, "
                    "ce réservataire et ce département."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.numero} ({self.reservataire})"


class VersionQuerySet(ConventionQuerySet):
    brouillon = Q(signee_le__isnull=True)


class VersionConvention(models.Model):
    """The articles in figures, from `effet` on. Version 0 is the convention; each avenant adds one.

    Only a signed version is in force; at most one is not signed yet: the draft, or the avenant being prepared.
    Rates are points of the flux. Empty `communes` = the territory of the réservataire is the département.
    """

    class FaitGenerateur(models.TextChoices):
        ATTRIBUTION = "ATTRIBUTION", "l’attribution en CALEOL"
        BAIL = "BAIL", "la signature du bail"

    class Gestion(models.TextChoices):
        DIRECTE = "DIRECTE", "directe"
        DELEGUEE = "DELEGUEE", "déléguée au bailleur"

    class Echelle(models.TextChoices):
        DEPARTEMENT = "DEPARTEMENT", "le département"
        COMMUNE = "COMMUNE", "chaque commune"

    class SansProposition(models.TextChoices):
        BAILLEUR = "BAILLEUR", "le logement revient au bailleur"
        AUTRE_RESERVATAIRE = "AUTRE_RESERVATAIRE", "le bailleur l’oriente vers un autre réservataire"

    class PriseSur(models.TextChoices):
        PRIORITAIRES = "PRIORITAIRES", "les prioritaires"
        AGENTS = "AGENTS", "les agents de l’État"

    convention = models.ForeignKey(Convention, models.CASCADE, related_name="versions")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    rang = models.PositiveSmallIntegerField("rang (0 : convention, n : avenant n)", default=0)
    effet = models.DateField("en vigueur à partir du")
    objet = models.CharField("objet de l’avenant", max_length=300, blank=True)
    signee_le = models.DateField("signée le", null=True, blank=True)

    taux = models.DecimalField("taux (points du flux)", max_digits=9, decimal_places=6)
    taux_agents = models.DecimalField(
        "dont agents de l’État, au plus (points du flux)", max_digits=8, decimal_places=6, default=0
    )
    communes = models.ManyToManyField(
        Commune, blank=True, related_name="+", verbose_name="communes du territoire"
    )
    # Their names, for the Historique: a trace follows the columns of a row, not the rows that are linked to it.
    territoire = models.TextField("territoire", blank=True, default="", editable=False)
    retrocession_taux = models.DecimalField(
        "rétrocession PNRU (points)", max_digits=8, decimal_places=6, null=True, blank=True
    )
    retrocession_debut = models.DateField("rétrocession à partir du", null=True, blank=True)
    retrocession_fin = models.DateField("rétrocession jusqu’au", null=True, blank=True)
    retrocession_prise_sur = models.CharField(
        "rétrocession prise sur", max_length=12, choices=PriseSur, default=PriseSur.PRIORITAIRES
    )
    soustractions = ArrayField(
        models.CharField(max_length=20, choices=NatureSoustraction),
        default=list,
        blank=True,
        verbose_name="soustractions du flux",
    )
    exclut_pli = models.BooleanField("exclut les logements financés en PLI", default=True)
    exclut_residences_services = models.BooleanField("exclut les résidences-services", default=True)
    exclut_vente_demolition = models.BooleanField("exclut plan de vente et démolitions", default=False)
    exclusions_locales = ArrayField(
        models.CharField(max_length=24), default=list, blank=True, verbose_name="exclusions locales"
    )
    premieres_mises_en_location = models.BooleanField(
        "premières mises en location dans le flux", default=False
    )
    fait_generateur = models.CharField(
        "ce qui remplit l’objectif", max_length=11, choices=FaitGenerateur, default=FaitGenerateur.ATTRIBUTION
    )
    plancher_hors_qpv = models.DecimalField(
        "plancher hors QPV (points)", max_digits=8, decimal_places=6, null=True, blank=True
    )
    echelle = models.CharField(
        "échelle de la part de l’État", max_length=11, choices=Echelle, default=Echelle.DEPARTEMENT
    )
    gestion = models.CharField("gestion", max_length=8, choices=Gestion, default=Gestion.DELEGUEE)
    echec_consomme = models.BooleanField("une désignation échouée consomme le droit", default=False)
    delai_proposition = models.PositiveSmallIntegerField(
        "délai pour proposer des candidats (jours)", null=True, blank=True
    )
    sans_proposition = models.CharField(
        "sans proposition dans le délai",
        max_length=18,
        choices=SansProposition,
        default=SansProposition.BAILLEUR,
    )
    reprise_pour_un_tour = models.BooleanField(
        "le bailleur peut reprendre un logement pour un tour", default=False
    )
    clause_quart = models.CharField(
        "clause des 25 % : article ou annexe qui la porte", max_length=200, blank=True
    )
    clause_objectifs = models.CharField(
        "clause sur les objectifs non atteints : article", max_length=200, blank=True
    )
    taux_rotation = models.DecimalField(
        "taux de rotation convenu (%)", max_digits=9, decimal_places=6, null=True, blank=True
    )
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField(auto_now_add=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = "version de convention"
        verbose_name_plural = "versions de convention"
        ordering = ["convention", "rang"]
        constraints = [
            models.UniqueConstraint(fields=["convention", "rang"], name="version_rang_unique"),
            models.UniqueConstraint(
                fields=["convention", "effet"],
                name="version_effet_unique",
                violation_error_message="Une version de cette convention prend déjà effet ce jour-là.",
            ),
            models.UniqueConstraint(
                fields=["convention"],
                condition=Q(signee_le__isnull=True),
                name="version_un_projet",
                violation_error_message="Un avenant est déjà en préparation sur cette convention.",
            ),
            models.CheckConstraint(
                name="version_taux",
                condition=Q(taux__gte=0, taux__lte=100),
                violation_error_message="Le taux est compris entre 0 et 100 points.",
            ),
            models.CheckConstraint(
                name="version_taux_agents",
                condition=Q(taux_agents__gte=0, taux_agents__lte=5),
                violation_error_message="Les agents de l’État ont au plus 5 points du flux (R. 441-5-2).",
            ),
            models.CheckConstraint(
                name="version_agents_dans_taux",
                condition=Q(taux_agents__lte=F("taux")),
                violation_error_message="La part des agents est comprise dans celle de l’État.",
            ),
            models.CheckConstraint(
                name="version_retrocession",
                condition=Q(
                    retrocession_taux__isnull=True,
                    retrocession_debut__isnull=True,
                    retrocession_fin__isnull=True,
                )
                | Q(
                    retrocession_taux__gt=0,
                    retrocession_debut__isnull=False,
                    retrocession_fin__gte=F("retrocession_debut"),
                ),
                violation_error_message="Une rétrocession a un taux, un début et une fin, dans cet ordre.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.convention.numero}, " + (
            f"avenant {self.rang}" if self.rang else "convention initiale"
        )


class DerogationQuerySet(ConventionQuerySet):
    """A dérogation is read and written with its convention, which is the État's."""

    champ_reservataire = None
    brouillon = Q(convention__etat="BROUILLON")

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme or (acteur.est_ddets and acteur.peut_gerer):
            return Q() if acteur.systeme else Q(departement__in=acteur.departements)
        return None


class Derogation(models.Model):
    """Arrêté that raises the État's rate for one year at most (R. 441-5-2; CA 3)."""

    convention = models.ForeignKey(Convention, models.CASCADE, related_name="derogations")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    numero = models.CharField("numéro de l’arrêté", max_length=60)
    taux = models.DecimalField("taux (points du flux)", max_digits=9, decimal_places=6)
    debut = models.DateField("à partir du")
    fin = models.DateField("jusqu’au (inclus)")
    motif = models.CharField("motif", max_length=300)

    objects = DerogationQuerySet.as_manager()

    class Meta:
        verbose_name = "dérogation"
        ordering = ["convention", "debut"]
        constraints = [
            models.CheckConstraint(
                name="derogation_un_an",
                condition=Q(fin__gte=F("debut"), fin__lt=F("debut") + timedelta(days=366)),
                violation_error_message="Une dérogation dure un an au plus (R. 441-5-2).",
            ),
            models.CheckConstraint(name="derogation_taux", condition=Q(taux__gte=0, taux__lte=100)),
            ExclusionConstraint(
                name="derogation_sans_chevauchement",
                expressions=[
                    ("convention", RangeOperators.EQUAL),
                    (PeriodeFermee("debut", "fin", RangeBoundary(True, True)), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Une autre dérogation couvre déjà une partie de cette période.",
            ),
        ]

    def __str__(self) -> str:
        return self.numero


class EvenementConvention(models.Model):
    """What happened to an act: who, for which organisation, when, and the warnings that they confirmed."""

    class Nature(models.TextChoices):
        CREATION = "CREATION", "brouillon créé"
        SIGNATURE = "SIGNATURE", "signature enregistrée"
        AVENANT = "AVENANT", "avenant préparé"
        SIGNATURE_AVENANT = "SIGNATURE_AVENANT", "signature de l’avenant enregistrée"
        ABANDON_AVENANT = "ABANDON_AVENANT", "avenant abandonné"
        DEROGATION = "DEROGATION", "dérogation enregistrée"
        RETRAIT_DEROGATION = "RETRAIT_DEROGATION", "dérogation retirée"
        RESILIATION = "RESILIATION", "résiliation enregistrée"
        FUSION = "FUSION", "bailleur absorbé"

    convention = models.ForeignKey(Convention, models.CASCADE, related_name="evenements")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    nature = models.CharField("événement", max_length=18, choices=Nature)
    detail = models.CharField("détail", max_length=400, blank=True)
    avertissements = ArrayField(
        models.TextField(), default=list, blank=True, verbose_name="avertissements confirmés"
    )
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    le = models.DateTimeField("le", auto_now_add=True)

    class EvenementQuerySet(PerimetreQuerySet):
        champ_reservataire = None

        def filtre_modifiables(self, acteur: Acteur):
            """History is written by the services, and never rewritten."""
            return None

    objects = EvenementQuerySet.as_manager()

    class Meta:
        verbose_name = "évènement d’une convention"
        verbose_name_plural = "évènements des conventions"
        ordering = ["convention", "le", "pk"]

    def __str__(self) -> str:
        return self.get_nature_display()
