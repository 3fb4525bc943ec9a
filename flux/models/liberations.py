"""A freed dwelling: what it is, when, what for, and to whom the bailleur oriented it."""

from datetime import date, timedelta

from django.apps import apps
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q

from flux.regles.offre import DELAI_REPONSE
from reservation.acteur import Acteur
from reservation.models import (
    Commune,
    Departement,
    NatureSoustraction,
    Organisation,
    PerimetreQuerySet,
    StatutLogement,
    Utilisateur,
)

from .gels import gel_des_liberations

# What a libération is used for: the flux, or one of the soustractions (R. 441-5 I).
Usage = models.TextChoices(
    "Usage",
    {"FLUX": ("FLUX", "Flux")} | {nature.name: (nature.value, nature.label) for nature in NatureSoustraction},
)


class EtapeLiberation(models.TextChoices):
    """What a libération waits for: the counters of the list, each a link to its lines. One at a time.

    freed → oriented → candidates proposed, or on an agenda → decision of the CALEOL → offer → answer within ten days → lease.
    A soustraction and a dwelling of the bailleur itself ("non réservé", or after a failed designation) go straight
    to the CALEOL. Out of the assiette: nothing is waited for, it does not count.
    """

    A_ORIENTER = "a_orienter", "à orienter"
    CANDIDATS = "candidats", "en attente de candidats"
    CALEOL = "caleol", "à présenter en CALEOL"
    CONDITION = "condition", "pièce attendue (condition suspensive)"
    A_OFFRIR = "a_offrir", "offre à notifier"
    OFFRE = "offre", "offre en cours"
    BAIL = "bail", "bail à signer"


class LiberationQuerySet(PerimetreQuerySet):
    def attendues_de(self, acteur: Acteur) -> "LiberationQuerySet":
        """Those that may still wait for something that `acteur` reads: a réservataire whose designation failed reads
        nothing of what follows, so that it would wait for ever."""
        return self.filter(designation_echouee_le=None) if acteur.est_reservataire else self

    def en_attente(self) -> "LiberationQuerySet":
        """Those that wait for something: not cancelled, of the assiette, without lease."""
        loues = self._attributions(refusee_le__isnull=True, date_bail__isnull=False)
        return self.filter(~Exists(loues), annulee_le__isnull=True, dans_assiette=True)

    def a_l_etape(self, etape: str, aujourd_hui: date | None = None) -> "LiberationQuerySet":
        """Those of `en_attente` that wait for this step (`EtapeLiberation`), or for late answers ("retard")."""
        return self.en_attente().filter(self.conditions(aujourd_hui)[etape])

    def compter_par_etape(self, aujourd_hui: date) -> dict[str, int]:
        """How many wait for each step, and how many answers are late ("retard"); one query."""
        conditions = self.conditions(aujourd_hui)
        return (
            self.en_attente()
            .order_by()
            .aggregate(**{nom: Count("pk", filter=condition) for nom, condition in conditions.items()})
        )

    @classmethod
    def conditions(cls, aujourd_hui: date | None = None) -> dict[str, Q]:
        """Step → what tells its libérations among those of `en_attente`; with `aujourd_hui`, "retard" as well.

        "retard": an offer whose ten days are over.
        """
        vivante = Exists(cls._attributions(refusee_le__isnull=True))
        du_bailleur = Q(reservataire=F("bailleur")) | Q(designation_echouee_le__isnull=False)
        soustraite = ~Q(usage=Usage.FLUX)
        presentes = Exists(cls._passages(decision="")) | Exists(cls._candidats())
        sous_condition = Q(
            passage__decision="ATTR_COND", passage__condition_levee_le__isnull=True
        )  # awaited before the offer: the lease depends on it
        e = EtapeLiberation
        conditions = {
            e.A_ORIENTER: ~vivante & ~soustraite & Q(reservataire__isnull=True),
            e.CANDIDATS: ~vivante & ~soustraite & Q(reservataire__isnull=False) & ~du_bailleur & ~presentes,
            e.CALEOL: ~vivante & (soustraite | (Q(reservataire__isnull=False) & (du_bailleur | presentes))),
            e.CONDITION: Exists(cls._attributions(sous_condition, refusee_le__isnull=True)),
            e.A_OFFRIR: Exists(
                cls._attributions(
                    ~sous_condition, refusee_le__isnull=True, offre_le__isnull=True, acceptee_le__isnull=True
                )
            ),
            e.OFFRE: Exists(
                cls._attributions(
                    ~sous_condition, refusee_le__isnull=True, offre_le__isnull=False, acceptee_le__isnull=True
                )
            ),
            e.BAIL: Exists(
                cls._attributions(~sous_condition, refusee_le__isnull=True, acceptee_le__isnull=False)
            ),
        }
        if aujourd_hui is not None:
            conditions["retard"] = Exists(
                cls._attributions(
                    ~sous_condition,
                    refusee_le__isnull=True,
                    acceptee_le__isnull=True,
                    offre_le__lt=aujourd_hui - timedelta(days=DELAI_REPONSE),
                )
            )
        return conditions

    @staticmethod
    def _attributions(*conditions: Q, **champs):
        """Attributions of the outer libération; said by name, for they are declared after it."""
        attributions = apps.get_model("flux", "Attribution").objects
        return attributions.filter(*conditions, liberation=OuterRef("pk"), **champs).order_by()

    @staticmethod
    def _candidats():
        return apps.get_model("flux", "Candidat").objects.filter(liberation=OuterRef("pk")).order_by()

    @staticmethod
    def _passages(**champs):
        passages = apps.get_model("flux", "Passage").objects
        return passages.filter(liberation=OuterRef("pk"), **champs).order_by()


class Liberation(models.Model):
    """A dwelling of the assiette that becomes free to let, or is let for the first time (chapter 1).

    The facts of the dwelling are copied when the libération is declared: a new programme is not in RPLS yet,
    and the bilan of a year must not move with a later millésime. `cle_logement` is `Logement.cle`.
    `motif_annulation`: the words of `code_annulation` as they were that day, and the precision given with it.
    `reservataire`: whom the bailleur oriented it to; the bailleur itself means "non réservé"; empty: not yet.
    """

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="liberations")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    commune = models.ForeignKey(Commune, models.PROTECT, related_name="+")
    cle_logement = models.CharField("clé du logement", max_length=120)
    reference = models.CharField("référence du bailleur", max_length=100)
    adresse = models.CharField("adresse", max_length=400, blank=True)
    qpv = models.BooleanField("en QPV")
    finan = models.CharField("financement initial (RPLS)", max_length=2)
    conv = models.CharField("conventionné APL (RPLS)", max_length=1)
    nbpiece = models.PositiveSmallIntegerField("nombre de pièces", null=True, blank=True)
    typologie = models.CharField("classe de typologie", max_length=8)
    financement = models.CharField("classe de financement", max_length=8)
    periode = models.CharField("classe de période", max_length=8)
    statut_logement = models.CharField("statut du logement", max_length=24, choices=StatutLogement)
    dans_assiette = models.BooleanField("dans l’assiette")

    date_preavis = models.DateField("préavis reçu le", null=True, blank=True)
    date = models.DateField("libéré le")
    date_disponibilite = models.DateField("disponible à la location le", null=True, blank=True)
    usage = models.CharField("usage", max_length=20, choices=Usage, default=Usage.FLUX)
    preuve = models.CharField("référence du justificatif", max_length=120, blank=True)
    premiere = models.BooleanField("première mise en location", default=False)
    annulee_le = models.DateField("annulée le", null=True, blank=True)
    code_annulation = models.ForeignKey(
        "flux.CodeMotif",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="motif codé de l’annulation",
    )
    motif_annulation = models.CharField("motif de l’annulation", max_length=300, blank=True)

    reservataire = models.ForeignKey(
        Organisation, models.PROTECT, related_name="liberations_recues", null=True, blank=True
    )
    orientee_le = models.DateField("orientée le", null=True, blank=True)
    designation_echouee_le = models.DateField("désignation échouée le", null=True, blank=True)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField(auto_now_add=True)

    objects = LiberationQuerySet.as_manager()

    class Meta:
        verbose_name = "libération"
        ordering = ["-date", "-pk"]
        triggers = gel_des_liberations()
        indexes = [
            models.Index(fields=["bailleur", "departement", "date"], name="liberation_bailleur_date"),
            models.Index(fields=["departement", "date"], name="liberation_departement_date"),
            # With the columns that row-level security reads: a count never opens the table.
            models.Index(
                fields=["reservataire", "date"],
                include=["bailleur", "departement"],
                name="liberation_reservataire_date",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "cle_logement", "date"],
                condition=Q(annulee_le__isnull=True),
                name="liberation_unique",
                violation_error_message="Ce logement a déjà une libération à cette date.",
            ),
            models.CheckConstraint(
                name="liberation_annulation_motivee",
                condition=Q(annulee_le__isnull=True, motif_annulation="")
                | (Q(annulee_le__isnull=False) & ~Q(motif_annulation="")),
                violation_error_message="L’annulation d’une libération demande un motif.",
            ),
            models.CheckConstraint(
                name="liberation_code_si_annulee",
                condition=Q(code_annulation__isnull=True) | Q(annulee_le__isnull=False),
                violation_error_message="Seule une libération annulée porte un motif d’annulation.",
            ),
            models.CheckConstraint(
                name="liberation_orientation_datee",
                condition=Q(reservataire__isnull=True, orientee_le__isnull=True)
                | Q(reservataire__isnull=False, orientee_le__isnull=False),
                violation_error_message="Une orientation porte sa date.",
            ),
            models.CheckConstraint(
                name="liberation_echec_apres_orientation",
                condition=Q(designation_echouee_le__isnull=True) | Q(reservataire__isnull=False),
                violation_error_message="Seule une libération orientée peut avoir une désignation échouée.",
            ),
            models.CheckConstraint(
                name="liberation_preavis_avant",
                condition=Q(date_preavis__isnull=True) | Q(date_preavis__lte=F("date")),
                violation_error_message="Le préavis précède la libération.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} – {self.date:%d/%m/%Y}"
