"""Organisations and people: who is who (chapter 2)."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Func, Q
from django.utils import timezone

from reservation.acteur import Acteur, Role, TypeOrganisation

from .base import cle_de_tri
from .territoires import Commune, Departement, Region

LIBELLES_TYPE = {
    TypeOrganisation.BAILLEUR: "bailleur social",
    TypeOrganisation.DDETS: "DDETS",
    TypeOrganisation.PREFECTURE: "préfecture (SGC)",
    TypeOrganisation.ACTION_LOGEMENT: "Action Logement Services",
    TypeOrganisation.COLLECTIVITE: "collectivité",
    TypeOrganisation.AUTRE_RESERVATAIRE: "autre réservataire",
    TypeOrganisation.OPERATEUR: "opérateur (SIAO, association)",
    TypeOrganisation.DREAL: "DREAL",
    TypeOrganisation.UNION_HLM: "union régionale HLM",
}
LIBELLES_ROLE = {
    Role.LECTURE: "lecture",
    Role.GESTION: "gestion",
    Role.SIGNATURE: "signature",
    Role.ADMINISTRATION: "administration",
}


class PeriodeFermee(Func):
    """daterange(debut, fin, '[]'): both ends are days of the period; no end, for ever."""

    function = "DATERANGE"
    output_field = DateRangeField()


class FamilleBailleur(models.TextChoices):
    OPH = "OPH", "office public de l’habitat"
    ESH = "ESH", "entreprise sociale pour l’habitat"
    COOP = "COOP", "coopérative"
    SEM = "SEM", "société d’économie mixte"
    AUTRE = "AUTRE", "autre"


class OrganisationQuerySet(models.QuerySet):
    def bailleurs(self):
        return self.filter(type=TypeOrganisation.BAILLEUR)

    def visibles_par(self, acteur: Acteur):
        """Names of organisations are no secret between partners of one territory; their figures are.

        A bailleur sees itself and those it reserves for; the others see the bailleurs of their perimeter.
        """
        if acteur.systeme:
            return self
        soi = Q(pk=acteur.organisation_id)
        if acteur.est_bailleur:
            absorbees = Q(absorbee_par=acteur.organisation_id)
            return self.filter(
                soi | absorbees | Q(conventions_recues__bailleur=acteur.organisation_id)
            ).distinct()
        if acteur.est_service_etat or acteur.est_copil:
            return self.filter(
                soi
                | Q(presences__departement__in=acteur.departements)
                | Q(conventions_recues__departement__in=acteur.departements)
                | Q(departement__in=acteur.departements)
                | Q(pk__in=self.model.objects.modifiables_par(acteur))
            ).distinct()
        if acteur.est_reservataire:
            return self.filter(soi | Q(conventions_donnees__reservataire=acteur.organisation_id)).distinct()
        return self.filter(soi)

    def modifiables_par(self, acteur: Acteur):
        """Organisations whose people and accesses `acteur` administers: its own and those that it absorbed; a DDETS those of its département
        (where somebody must be the first administrator), a DREAL those of its région, DDETS included."""
        if acteur.systeme:
            return self
        if not acteur.peut_administrer:
            return self.none()
        soi = Q(pk=acteur.organisation_id) | Q(absorbee_par=acteur.organisation_id)
        if not (acteur.est_ddets or acteur.est_dreal):
            return self.filter(soi)
        presents = Presence.objects.filter(departement__in=acteur.departements)
        locales = self.model.communes.through.objects.filter(commune__departement__in=acteur.departements)
        sous_tutelle = (
            Q(departement__in=acteur.departements)
            | Q(pk__in=presents.values("bailleur"))
            | Q(pk__in=locales.values("organisation"))
        )
        if acteur.est_dreal:
            union = Departement.objects.filter(pk__in=acteur.departements)
            sous_tutelle |= Q(type=TypeOrganisation.UNION_HLM, region__in=union.values("region"))
        return self.filter(soi | sous_tutelle)


class Organisation(models.Model):
    """A tenant. Its perimeter depends on its type: own rows, a département, a région, or communes."""

    hors_perimetre = "noms que partagent les partenaires d’un territoire ; lus avant que l’acteur soit connu"

    type = models.CharField(
        "type", max_length=20, choices=[(str(code), libelle) for code, libelle in LIBELLES_TYPE.items()]
    )
    nom = models.CharField("nom", max_length=150)
    nom_tri = models.CharField("clé de tri", max_length=150, editable=False, db_index=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    famille = models.CharField("famille de bailleur", max_length=5, choices=FamilleBailleur, blank=True)
    code = models.CharField(
        "code du réservataire",
        max_length=20,
        blank=True,
        help_text="Code INSEE de la commune ou du département, SIREN de l’EPCI, ou sigle (CAF, MSA…).",
    )
    departement = models.ForeignKey(
        Departement, models.PROTECT, related_name="organisations", null=True, blank=True
    )
    region = models.ForeignKey(Region, models.PROTECT, related_name="organisations", null=True, blank=True)
    communes = models.ManyToManyField(
        Commune, related_name="organisations", blank=True, verbose_name="communes du territoire"
    )
    fictive = models.BooleanField("données de démonstration", default=False)
    fermee_le = models.DateField("fermée le", null=True, blank=True)
    absorbee_par = models.ForeignKey(
        "self", models.PROTECT, related_name="absorbees", null=True, blank=True, verbose_name="absorbée par"
    )

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = "organisation"
        ordering = ["nom_tri", "pk"]
        constraints = [
            models.CheckConstraint(
                name="organisation_bailleur_siren_famille",
                condition=~Q(type="BAILLEUR") | (Q(siren__regex=r"^\d{9}$") & ~Q(famille="")),
                violation_error_message="Un bailleur a un SIREN de neuf chiffres et une famille.",
            ),
            models.CheckConstraint(
                name="organisation_famille_bailleur_seul",
                condition=Q(type="BAILLEUR") | Q(famille=""),
                violation_error_message="Seul un bailleur a une famille (OPH, ESH, coopérative, SEM).",
            ),
            models.CheckConstraint(
                name="organisation_service_etat_departement",
                condition=~Q(type__in=["DDETS", "PREFECTURE"]) | Q(departement__isnull=False),
                violation_error_message="Un service de l’État dans le département a un département.",
            ),
            models.CheckConstraint(
                name="organisation_copil_region",
                condition=~Q(type__in=["DREAL", "UNION_HLM"]) | Q(region__isnull=False),
                violation_error_message="La DREAL et l’union HLM ont une région.",
            ),
            models.CheckConstraint(
                name="organisation_reservataire_code",
                condition=~Q(type__in=["COLLECTIVITE", "AUTRE_RESERVATAIRE"]) | ~Q(code=""),
                violation_error_message="Une collectivité ou un autre réservataire a un code.",
            ),
            models.UniqueConstraint(
                fields=["siren"],
                condition=Q(type="BAILLEUR"),
                name="organisation_bailleur_siren_unique",
                violation_error_message="Un bailleur porte déjà ce SIREN.",
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(type__in=["COLLECTIVITE", "AUTRE_RESERVATAIRE"]),
                name="organisation_reservataire_code_unique",
                violation_error_message="Un réservataire porte déjà ce code.",
            ),
            models.UniqueConstraint(
                fields=["type", "departement"],
                condition=Q(type__in=["DDETS", "PREFECTURE"]),
                name="organisation_un_service_par_departement",
                violation_error_message="Ce département a déjà ce service.",
            ),
            models.CheckConstraint(
                name="organisation_absorbee_fermee",
                condition=Q(absorbee_par__isnull=True) | Q(fermee_le__isnull=False),
                violation_error_message="Une organisation absorbée est fermée.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom

    def save(self, *args, **kwargs) -> None:
        self.nom_tri = cle_de_tri(self.nom)
        super().save(*args, **kwargs)

    def nom_au(self, jour) -> str:
        """Its name on `jour`: a document of then shows the name of then."""
        ancien = self.anciens_noms.filter(jusqu_au__gte=jour).order_by("jusqu_au").first()
        return ancien.nom if ancien else self.nom

    @property
    def code_reservataire(self) -> str:
        """Code of this organisation in the rules: ETAT, ALS, BAILLEUR, or its own code."""
        match self.type:
            case TypeOrganisation.DDETS | TypeOrganisation.PREFECTURE:
                return "ETAT"
            case TypeOrganisation.ACTION_LOGEMENT:
                return "ALS"
            case TypeOrganisation.BAILLEUR:
                return "BAILLEUR"
            case _:
                return self.code

    @property
    def departements_du_perimetre(self) -> tuple[str, ...]:
        """INSEE codes: its département, or those of its région; empty where the perimeter is not territorial."""
        if self.departement_id:
            return (self.departement_id,)
        if self.region_id:
            return tuple(self.region.departements.order_by("code").values_list("code", flat=True))
        return ()


class UtilisateurManager(BaseUserManager):
    def create_user(self, courriel: str, password: str | None = None, **champs) -> "Utilisateur":
        utilisateur = self.model(courriel=self.normalize_email(courriel).lower(), **champs)
        utilisateur.set_password(password)
        utilisateur.save(using=self._db)
        return utilisateur

    def create_superuser(self, courriel: str, password: str | None = None, **champs) -> "Utilisateur":
        return self.create_user(courriel, password, is_staff=True, is_superuser=True, **champs)


class Utilisateur(AbstractBaseUser, PermissionsMixin):
    """A person. Rights come from the rattachements, never from the person."""

    hors_perimetre = "lu à la connexion, avant que l’acteur soit connu"

    courriel = models.EmailField("adresse électronique", unique=True)
    nom = models.CharField("nom affiché", max_length=120)
    is_active = models.BooleanField("actif", default=True)
    is_staff = models.BooleanField("assistance", default=False)
    date_joined = models.DateTimeField("créé le", default=timezone.now)
    sommeil_averti_le = models.DateTimeField("averti du sommeil du compte le", null=True, blank=True)
    ferme_le = models.DateTimeField("compte fermé faute d’usage le", null=True, blank=True)

    objects = UtilisateurManager()

    USERNAME_FIELD = "courriel"
    EMAIL_FIELD = "courriel"
    REQUIRED_FIELDS = ["nom"]

    class Meta:
        verbose_name = "utilisateur"
        ordering = ["courriel"]

    def __str__(self) -> str:
        return self.nom


class RattachementQuerySet(models.QuerySet):
    def actifs(self, jour=None):
        """Rattachements in force on `jour` (a date; today by default); one that was ended is so at once."""
        jour = jour or timezone.localdate()
        return self.filter(
            Q(fin__isnull=True) | Q(fin__gte=jour),
            debut__lte=jour,
            termine_le__isnull=True,
            utilisateur__is_active=True,
        )


class Rattachement(models.Model):
    """One role of one person in one organisation, for a period; ended, never deleted."""

    hors_perimetre = "c’est lui qui dit le périmètre : lu avant que l’acteur soit connu"

    utilisateur = models.ForeignKey(Utilisateur, models.CASCADE, related_name="rattachements")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="rattachements")
    role = models.CharField(
        "rôle", max_length=14, choices=[(str(code), libelle) for code, libelle in LIBELLES_ROLE.items()]
    )
    debut = models.DateField("depuis le", default=timezone.localdate)
    fin = models.DateField("jusqu’au (inclus)", null=True, blank=True)
    termine_le = models.DateTimeField("terminé le", null=True, blank=True)
    rappel = models.PositiveSmallIntegerField("dernier rappel (jours avant la fin)", null=True, blank=True)

    objects = RattachementQuerySet.as_manager()

    class Meta:
        verbose_name = "rattachement"
        ordering = ["organisation", "utilisateur", "role"]
        constraints = [
            ExclusionConstraint(
                name="rattachement_sans_doublon",
                expressions=[
                    ("utilisateur", RangeOperators.EQUAL),
                    ("organisation", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (PeriodeFermee("debut", "fin", RangeBoundary(True, True)), RangeOperators.OVERLAPS),
                ],
                condition=Q(termine_le__isnull=True),
                violation_error_message="Cette personne a déjà ce rôle dans cette organisation.",
            ),
            models.CheckConstraint(
                name="rattachement_termine_fin",
                condition=Q(termine_le__isnull=True) | Q(fin__isnull=False),
                violation_error_message="Un rattachement terminé a une fin.",
            ),
            models.CheckConstraint(
                name="rattachement_periode",
                condition=Q(fin__isnull=True) | Q(fin__gte=models.F("debut")),
                violation_error_message="La fin du rattachement ne peut pas précéder son début.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.utilisateur} – {self.organisation} ({self.get_role_display()})"


class Presence(models.Model):
    """A bailleur owns dwellings in a département: the unit of every calculation (bailleur × département).

    Made by the import of its parc or by its first convention; kept when the parc leaves.
    """

    hors_perimetre = "quel bailleur est présent où : connu de tous les partenaires"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="presences")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="presences")

    class Meta:
        verbose_name = "présence d’un bailleur"
        ordering = ["bailleur", "departement"]
        constraints = [models.UniqueConstraint(fields=["bailleur", "departement"], name="presence_unique")]

    def __str__(self) -> str:
        return f"{self.bailleur} – {self.departement}"
