"""What the other tools say: attributions, leases, radiations and labels of SNE, SYPLO and Imhoweb extracts.

They are compared with what is recorded here, and never counted: the flux counts `Attribution`. A line that a newer
extract of the same source says again is kept, and says by which deposit it is outdated (`perime_par`).
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from publics.models import CategorieLabel
from reservation.acteur import Acteur
from reservation.models import Commune, Departement, Organisation, PerimetreQuerySet, Utilisateur

from .depots import Depot
from .liberations import Liberation


class SourceExterne(models.TextChoices):
    SNE = "SNE", "SNE"
    SYPLO = "SYPLO", "SYPLO"
    IMHOWEB = "IMHOWEB", "Imhoweb"


class ListeExterne(models.TextChoices):
    """The lists of codes that an extract uses; what each becomes here is in `flux.imports.codes`."""

    RESERVATAIRE = "RESERVATAIRE", "contingent ou réservataire"
    MOTIF = "MOTIF", "motif de la demande ou de priorité"
    LABEL = "LABEL", "label ou catégorie de public prioritaire"
    RADIATION = "RADIATION", "motif de radiation"
    DECISION = "DECISION", "décision de la commission"
    DALO = "DALO", "statut DALO"
    BAILLEUR = "BAILLEUR", "bailleur"


class GenreContingent(models.TextChoices):
    """Whose contingent an extract says that a dwelling was (the two of the État are apart, as in the SNE)."""

    ETAT_PRIORITAIRE = "ETAT_PRIORITAIRE", "État, prioritaires"
    ETAT_AGENT = "ETAT_AGENT", "État, agents civils et militaires"
    ALS = "ALS", "Action Logement Services"
    COLLECTIVITE = "COLLECTIVITE", "collectivités"
    AUTRE = "AUTRE", "autres réservataires"
    BAILLEUR = "BAILLEUR", "non réservé (bailleur)"


class EvenementExterneQuerySet(PerimetreQuerySet):
    """Read by who deposited it and by the État of the département; an attribution, by its bailleur and réservataire too.

    A line that only tells a label is nobody else's: the label itself has its own table, with its own readers.
    """

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        siennes = Q(organisation=acteur.organisation_id)
        if acteur.est_bailleur:
            return siennes | Q(bailleur=acteur.organisation_id) & ~Q(nature="LABEL")
        if acteur.est_service_etat:
            return siennes | Q(departement__in=acteur.departements)
        if acteur.est_reservataire:
            return siennes | Q(reservataire=acteur.organisation_id) & ~Q(nature="LABEL")
        return siennes if acteur.organisation_id else None

    def filtre_modifiables(self, acteur: Acteur):
        return Q() if acteur.systeme else None

    def motif_lisible_par(self, acteur: Acteur) -> "EvenementExterneQuerySet":
        """Rows whose motive and label `acteur` may be shown: the DDETS of the département, and who deposited them."""
        visibles = self.visibles_par(acteur)
        if acteur.systeme or acteur.est_ddets:
            return visibles
        return visibles.filter(organisation=acteur.organisation_id)

    def en_vigueur(self) -> "EvenementExterneQuerySet":
        """Rows that no newer extract of the same source says again."""
        return self.filter(perime_par=None)


class EvenementExterne(models.Model):
    """One line of an extract. `nature`: the furthest step that the line tells; the dates of the steps before it too.

    `numero_hache`: the value of `Menage.numero_hache` when the household is known here, else the hash under the
    current key (`cle_numero` says under which, as in `Menage`): equality of the two columns is the household.
    `jour`: the day that the line is about (CALEOL, else attribution, lease, radiation, beginning of the label).
    `*_brut`: as the file says it; the resolved column beside it is empty while nobody has mapped the code, and
    `valeurs_inconnues` ({list: text}) says which. No name, no NIR, no free text: codes of at most 120 characters.
    """

    class Nature(models.TextChoices):
        ATTRIBUTION = "ATTRIBUTION", "attribution"
        BAIL = "BAIL", "bail signé"
        RADIATION = "RADIATION", "radiation"
        LABEL = "LABEL", "label"

    depot = models.ForeignKey(Depot, models.PROTECT, related_name="evenements")
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", verbose_name="déposé par"
    )
    source = models.CharField("source", max_length=8, choices=SourceExterne)
    ligne = models.PositiveIntegerField("numéro de ligne dans le fichier")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    bailleur_brut = models.CharField("bailleur, tel que dit (SIREN ou nom)", max_length=120, blank=True)
    nature = models.CharField("nature", max_length=11, choices=Nature)
    jour = models.DateField("jour de l’événement")
    numero_hache = models.CharField("numéro unique haché", max_length=64)
    numero_fin = models.CharField("quatre derniers caractères", max_length=4)
    cle_numero = models.CharField("clés de l’empreinte", max_length=53, blank=True, db_default="")
    date_caleol = models.DateField("CALEOL du", null=True, blank=True)
    date_attribution = models.DateField("attribué le", null=True, blank=True)
    date_bail = models.DateField("bail signé le", null=True, blank=True)
    date_radiation = models.DateField("radiée le", null=True, blank=True)
    logement_brut = models.CharField("référence du logement, telle que dite", max_length=120, blank=True)
    ident_rep = models.CharField("identifiant RPLS", max_length=20, blank=True)
    cle_logement = models.CharField("clé du logement", max_length=120, blank=True, db_collation="C")
    liberation = models.ForeignKey(Liberation, models.SET_NULL, related_name="+", null=True, blank=True)
    commune = models.ForeignKey(Commune, models.PROTECT, related_name="+", null=True, blank=True)
    reservataire_brut = models.CharField("contingent, tel que dit", max_length=120, blank=True)
    contingent = models.CharField("contingent", max_length=16, choices=GenreContingent, blank=True)
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    decision_brute = models.CharField("décision, telle que dite", max_length=120, blank=True)
    decision = models.CharField("décision", max_length=10, blank=True)
    motif_brut = models.CharField("motif, tel que dit", max_length=120, blank=True)
    motif_code = models.CharField("motif, code de la liste", max_length=20, blank=True)
    motif_categorie = models.ForeignKey(
        CategorieLabel, models.PROTECT, related_name="+", null=True, blank=True
    )
    radiation_brute = models.CharField("motif de radiation, tel que dit", max_length=120, blank=True)
    radiation = models.CharField("motif de radiation", max_length=20, blank=True)
    label_brut = models.CharField("label, tel que dit", max_length=120, blank=True)
    label_categorie = models.ForeignKey(
        CategorieLabel, models.PROTECT, related_name="+", null=True, blank=True
    )
    label_debut = models.DateField("label valable à partir du", null=True, blank=True)
    label_fin = models.DateField("label valable jusqu’au (inclus)", null=True, blank=True)
    label_manuel = models.BooleanField("label manuel", default=False)
    valeurs_inconnues = models.JSONField("valeurs à associer : liste → texte", default=dict)
    perime_par = models.ForeignKey(Depot, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField(auto_now_add=True)

    objects = EvenementExterneQuerySet.as_manager()

    class Meta:
        verbose_name = "événement d’un autre outil"
        verbose_name_plural = "événements d’autres outils"
        ordering = ["depot_id", "ligne"]
        constraints = [
            models.UniqueConstraint(fields=["depot", "ligne"], name="evenement_externe_unique"),
            models.CheckConstraint(
                name="evenement_externe_label",
                condition=Q(label_fin__isnull=True)
                | Q(label_debut__isnull=True)
                | Q(label_fin__gte=models.F("label_debut")),
                violation_error_message="La fin du label ne peut pas précéder son début.",
            ),
        ]
        indexes = [
            models.Index(fields=["numero_hache", "jour"], name="evenement_externe_menage"),
            models.Index(
                fields=["departement", "jour"],
                name="evenement_externe_departement",
                condition=Q(perime_par__isnull=True),
            ),
            models.Index(
                fields=["bailleur", "jour"],
                name="evenement_externe_bailleur",
                condition=Q(perime_par__isnull=True),
            ),
            GinIndex(
                fields=["valeurs_inconnues"],
                name="evenement_externe_inconnues",
                condition=~Q(valeurs_inconnues={}),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()}, ligne {self.ligne}"


class CorrespondanceValeurQuerySet(PerimetreQuerySet):
    """What the codes of a source mean: each organisation's own, for the files that it deposits."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(organisation=acteur.organisation_id) if acteur.organisation_id else None

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        return Q(organisation=acteur.organisation_id) if acteur.peut_gerer else None


class CorrespondanceValeur(models.Model):
    """What one code or word of a source means here. `valeur`: normalised (`cle_de_tri`); `cible`: code of the list here.

    An empty `cible`: somebody looked, it means nothing here; it is not asked again.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    source = models.CharField("source", max_length=8, choices=SourceExterne)
    liste = models.CharField("liste", max_length=12, choices=ListeExterne)
    valeur = models.CharField("valeur normalisée", max_length=120)
    texte = models.CharField("valeur", max_length=120)
    cible = models.CharField("signifie ici", max_length=40, blank=True)
    modifie_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    modifie_le = models.DateTimeField(auto_now=True)

    objects = CorrespondanceValeurQuerySet.as_manager()

    class Meta:
        verbose_name = "correspondance d’une valeur"
        verbose_name_plural = "correspondances de valeurs"
        ordering = ["organisation", "source", "liste", "texte"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "source", "liste", "valeur"],
                name="correspondance_valeur_unique",
                violation_error_message="Cette valeur a déjà sa correspondance.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.texte} ({self.get_liste_display()})"
