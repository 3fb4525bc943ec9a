"""Households and what makes them priority: reference categories, groups per département, labels (chapter 7)."""

from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

# Who may enter labels besides the State: its rows are its own.
PARTENAIRES = frozenset(
    {TypeOrganisation.BAILLEUR, TypeOrganisation.OPERATEUR, TypeOrganisation.ACTION_LOGEMENT}
)


class Source(models.TextChoices):
    """Where the recognition of a household comes from."""

    COMED = "COMED", "commission de médiation (COMED)"
    DDETS = "DDETS", "DDETS"
    SIAO = "SIAO", "SIAO ou association"
    SGC = "SGC", "préfecture, SGC"
    PARTENAIRE = "PARTENAIRE", "bailleur ou réservataire"
    SYPLO = "SYPLO", "SYPLO"
    IMHOWEB = "IMHOWEB", "Imhoweb"
    SNE = "SNE", "SNE"
    CERFA = "CERFA", "formulaire Cerfa de la demande"


class Accompagnement(models.TextChoices):
    """What goes with a manual label (CA, art. 4.1)."""

    AUCUN = "", "aucun"
    AVDL = "AVDL", "AVDL"
    ASLL = "ASLL", "ASLL"
    RENFORCE = "RENFORCE", "suivi renforcé"


class ReferenceDatee(models.Model):
    """A code that people choose, with its dates: withdrawn from entry, it stays readable where it was used."""

    hors_perimetre = "nomenclature commune à tous"

    code = models.CharField("code", max_length=24, primary_key=True)
    libelle = models.CharField("libellé", max_length=160)
    debut = models.DateField("depuis le", null=True, blank=True)
    fin = models.DateField("jusqu’au", null=True, blank=True)
    rang = models.PositiveSmallIntegerField("rang", default=0)

    class Meta:
        abstract = True
        ordering = ["rang", "code"]

    def __str__(self) -> str:
        return self.libelle


class MotifLabel(ReferenceDatee):
    """Why a proposal is refused, a label withdrawn or corrected, an agent not recognised."""

    class Acte(models.TextChoices):
        REFUS = "REFUS", "refuser une proposition de label"
        RETRAIT = "RETRAIT", "retirer un label"
        CORRECTION = "CORRECTION", "corriger un label"
        AGENT = "AGENT", "refuser un agent de l’État"

    acte = models.CharField("acte", max_length=10, choices=Acte)

    class Meta(ReferenceDatee.Meta):
        verbose_name = "motif d’une décision sur un label"
        verbose_name_plural = "motifs des décisions sur les labels"
        ordering = ["acte", "rang", "code"]


class NaturePreuve(ReferenceDatee):
    """What was seen that proves the situation: its nature; with its date, all that is kept of it."""

    class Meta(ReferenceDatee.Meta):
        verbose_name = "nature de preuve"
        verbose_name_plural = "natures de preuve"


class CategorieLabel(models.Model):
    """A ground of priority (DALO, BPI, L. 441-1 letters…), with its dates: the law changes, the past does not."""

    hors_perimetre = "nomenclature commune à tous"

    code = models.CharField("code", max_length=20, primary_key=True)
    libelle = models.CharField("libellé", max_length=300)
    article = models.CharField("texte", max_length=80)
    texte_legal = models.TextField("rédaction de la loi", blank=True)
    groupe_defaut = models.PositiveSmallIntegerField("groupe par défaut")
    debut = models.DateField("depuis le", null=True, blank=True)
    fin = models.DateField("jusqu’au", null=True, blank=True)
    rang = models.PositiveSmallIntegerField("rang", unique=True)

    class Meta:
        verbose_name = "catégorie de priorité"
        verbose_name_plural = "catégories de priorité"
        ordering = ["rang"]
        constraints = [
            models.CheckConstraint(name="categorie_groupe", condition=Q(groupe_defaut__in=[1, 2, 3]))
        ]

    def __str__(self) -> str:
        return self.libelle


class GroupeDepartement(models.Model):
    """The group that one département gives to one category, from a date on."""

    hors_perimetre = "réglage du département, connu de tous ses partenaires"

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="groupes_priorite")
    categorie = models.ForeignKey(CategorieLabel, models.PROTECT, related_name="groupes")
    groupe = models.PositiveSmallIntegerField("groupe")
    debut = models.DateField("à partir du")

    class Meta:
        verbose_name = "groupe de priorité du département"
        verbose_name_plural = "groupes de priorité des départements"
        ordering = ["departement", "categorie", "debut"]
        constraints = [
            models.CheckConstraint(name="groupe_departement_valeur", condition=Q(groupe__in=[1, 2, 3])),
            models.UniqueConstraint(
                fields=["departement", "categorie", "debut"], name="groupe_departement_unique"
            ),
        ]


class CaseCerfa(models.Model):
    """The ground that one département reads in one box of the Cerfa, from a date on; no `categorie`: none any more."""

    hors_perimetre = "réglage du département, connu de tous ses partenaires"

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="cases_cerfa")
    case = models.CharField("case du Cerfa", max_length=6)
    categorie = models.ForeignKey(CategorieLabel, models.PROTECT, related_name="+", null=True, blank=True)
    debut = models.DateField("à partir du")

    class Meta:
        verbose_name = "case du Cerfa"
        verbose_name_plural = "cases du Cerfa"
        ordering = ["departement", "case", "debut"]
        constraints = [
            models.UniqueConstraint(fields=["departement", "case", "debut"], name="case_cerfa_unique")
        ]


class ReglagePriorite(models.Model):
    """How one département orders its priority households, from a date on (CA, art. 4.1; PACA, art. 3).

    `criteres`: codes of `publics.regles.groupes.Critere`, first to last. `modele`: what it was made from.
    `duree_mois`: how long a manual label is valid unless something else is typed. `delai_jours`: to decide a proposal.
    """

    hors_perimetre = "réglage du département, connu de tous ses partenaires"

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="reglages_priorite")
    debut = models.DateField("à partir du")
    modele = models.CharField("modèle de départ", max_length=20, blank=True)
    criteres = ArrayField(models.CharField(max_length=20), verbose_name="critères, dans l’ordre")
    duree_mois = models.PositiveSmallIntegerField("durée d’un label manuel (mois)", default=12)
    delai_jours = models.PositiveSmallIntegerField("délai pour décider (jours)", default=15)
    cree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    cree_le = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "réglage des priorités"
        verbose_name_plural = "réglages des priorités"
        ordering = ["departement", "debut"]
        constraints = [
            models.UniqueConstraint(fields=["departement", "debut"], name="reglage_priorite_unique"),
            models.CheckConstraint(
                name="reglage_priorite_delais", condition=Q(duree_mois__gte=1, delai_jours__gte=1)
            ),
        ]


class MenageQuerySet(PerimetreQuerySet):
    """A household is met through its candidatures, or by who enters something of it: read by the State of its département."""

    champ_reservataire = None

    def filtre_visibles(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        saisis = Q()
        for lignes in (Labellisation, PropositionLabel, DossierAgent):
            siennes = lignes.objects.visibles_par(acteur)
            saisis |= Q(pk__in=siennes.order_by().values("menage"))
        if acteur.est_bailleur:
            return Q(passages__bailleur=acteur.organisation_id) | saisis
        if acteur.type_organisation in PARTENAIRES:
            return saisis
        # A household met in another département first may be labelled in this one.
        siens = super().filtre_visibles(acteur)
        return siens and siens | saisis

    def filtre_modifiables(self, acteur: Acteur):
        return Q() if acteur.systeme else None


class Menage(models.Model):
    """A household: keyed hash of its numéro unique and its last four characters. No name, no free text.

    `cle_numero`: fingerprints of the keys that made the hash, first to last ("3fa2b1c9.77e0a1d2": hashed under the
    first, then that hash under the second), see `services.menages`; empty: unknown.
    `efface_le`: the purge put a random value in the place of the hash; nobody can be found again from this row.
    """

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    numero_hache = models.CharField("numéro unique haché", max_length=64, unique=True)
    numero_fin = models.CharField("quatre derniers caractères", max_length=4, blank=True)
    cle_numero = models.CharField("clés de l’empreinte", max_length=53, blank=True, db_default="")
    efface_le = models.DateField("identifiant effacé le", null=True, blank=True)

    objects = MenageQuerySet.as_manager()

    class Meta:
        verbose_name = "ménage"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="menage_efface_ou_reconnaissable",
                condition=Q(efface_le__isnull=True) & ~Q(numero_fin="")
                | Q(efface_le__isnull=False, numero_fin="", cle_numero=""),
                violation_error_message="Un ménage effacé ne garde ni clé ni caractères de son numéro, et lui seul.",
            )
        ]

    def __str__(self) -> str:
        return f"…{self.numero_fin}"


class DemandeQuerySet(PerimetreQuerySet):
    """What a household asks is read with the household, and written by who may enter a label for it."""

    champ_reservataire = None

    def filtre_visibles(self, acteur: Acteur):
        if acteur.type_organisation in PARTENAIRES:
            return Q(menage__in=Menage.objects.visibles_par(acteur).order_by().values("pk"))
        return super().filtre_visibles(acteur)

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.systeme:
            return Q()
        if acteur.peut_gerer and (acteur.est_service_etat or acteur.type_organisation in PARTENAIRES):
            return Q()
        return None


class DemandeMenage(models.Model):
    """What a household asks, and nothing more: sizes and places.

    `tailles`: codes of `ClasseTypologie`; `secteur`: codes of communes (5 characters) and of EPCI (9). Empty: any.
    """

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    menage = models.OneToOneField(Menage, models.CASCADE, related_name="demande")
    tailles = ArrayField(
        models.CharField(max_length=8), default=list, blank=True, verbose_name="tailles demandées"
    )
    secteur = ArrayField(
        models.CharField(max_length=9), default=list, blank=True, verbose_name="secteur demandé"
    )
    saisie_par = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="saisi par"
    )
    modifiee_le = models.DateTimeField("modifiée le", auto_now=True)

    objects = DemandeQuerySet.as_manager()

    class Meta:
        verbose_name = "demande du ménage"
        verbose_name_plural = "demandes des ménages"
        ordering = ["menage"]


class SaisieQuerySet(PerimetreQuerySet):
    """Read by the State of its département and by the organisation that entered it; nobody else."""

    champ_reservataire = None

    def filtre_visibles(self, acteur: Acteur):
        if acteur.type_organisation in PARTENAIRES:
            return Q(saisie_par=acteur.organisation_id)
        return super().filtre_visibles(acteur)


class LabellisationQuerySet(SaisieQuerySet):
    """A label is read by the State of its département and by who entered it; the others see a group or a yes/no."""

    def en_vigueur(self, jour: date) -> "LabellisationQuerySet":
        """Labels that count for a CALEOL of that day, exceptions apart."""
        return self.filter(Q(fin__isnull=True) | Q(fin__gte=jour), debut__lte=jour)

    def motif_lisible_par(self, acteur: Acteur) -> "LabellisationQuerySet":
        """Labels whose ground `acteur` may be shown: the DDETS of the département, and who entered it (chapter 2).

        The préfecture validates agents: it sees that there is a label, not why.
        """
        visibles = self.visibles_par(acteur)
        if acteur.systeme or acteur.est_ddets:
            return visibles
        return visibles.filter(saisie_par=acteur.organisation_id)

    def filtre_modifiables(self, acteur: Acteur):
        """The DDETS alone: a partner proposes."""
        if acteur.systeme or (acteur.est_ddets and acteur.peut_gerer):
            return Q()
        return None


class Instruction(models.Model):
    """What is noted of a household when it is recognised, or when somebody proposes that it be. No free text.

    `secteur` and `tailles`: recommended by the COMED (codes as in `DemandeMenage`); empty: none, the whole département.
    The proof: its nature and its date, nothing of its content.
    """

    secteur = ArrayField(
        models.CharField(max_length=9),
        default=list,
        db_default=[],
        blank=True,
        verbose_name="secteur préconisé",
    )
    tailles = ArrayField(
        models.CharField(max_length=8),
        default=list,
        db_default=[],
        blank=True,
        verbose_name="tailles préconisées",
    )
    evaluation_sociale = models.BooleanField("évaluation sociale faite", default=False, db_default=False)
    accompagnement = models.CharField(
        "accompagnement", max_length=8, choices=Accompagnement, blank=True, default="", db_default=""
    )
    preuve = models.ForeignKey(
        NaturePreuve, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="preuve vue"
    )
    preuve_le = models.DateField("date de la preuve", null=True, blank=True)

    class Meta:
        abstract = True


class Labellisation(Instruction):
    """Recognition of a household as priority under one category, for a period. `manuelle` ranks first.

    Every row is a label that was granted: a proposal waits in `PropositionLabel`. Withdrawn, it ends the day before
    `retiree_le`; withdrawn from its first day (an error), it ends the day before its start and never counts.
    Who reads its ground: the DDETS and `saisie_par`. `decidee_par`: the DDETS (the COMED's secretariat), or nobody for an
    automatic label.
    """

    class Etat(models.TextChoices):
        """Computed on a day, never stored."""

        A_VENIR = "A_VENIR", "à venir"
        ACCORDEE = "ACCORDEE", "en cours"
        EXPIREE = "EXPIREE", "expiré"
        RETIREE = "RETIREE", "retiré"

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    menage = models.ForeignKey(Menage, models.CASCADE, related_name="labels")
    categorie = models.ForeignKey(CategorieLabel, models.PROTECT, related_name="+")
    manuelle = models.BooleanField("label manuel", default=True)
    debut = models.DateField("valable à partir du")
    fin = models.DateField("valable jusqu’au (inclus)", null=True, blank=True)
    saisie_par = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="saisi par"
    )
    source = models.CharField("origine", max_length=10, choices=Source, blank=True, default="", db_default="")
    case_cerfa = models.CharField("case du Cerfa", max_length=6, blank=True, default="", db_default="")
    decidee_par = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="décidé par"
    )
    decidee_le = models.DateField("décidé le", null=True, blank=True)
    renouvelle = models.OneToOneField(
        "self", models.SET_NULL, related_name="renouvellement", null=True, blank=True
    )
    retiree_le = models.DateField("retiré à compter du", null=True, blank=True)
    motif_retrait = models.ForeignKey(MotifLabel, models.PROTECT, related_name="+", null=True, blank=True)

    objects = LabellisationQuerySet.as_manager()

    class Meta:
        verbose_name = "label"
        ordering = ["menage", "debut"]
        indexes = [
            models.Index(fields=["departement", "fin"], name="label_departement_fin"),
        ]
        constraints = [
            models.CheckConstraint(
                name="label_periode",
                condition=Q(fin__isnull=True)
                | Q(fin__gte=F("debut"))
                | Q(retiree_le__isnull=False, fin__gte=F("debut") - timedelta(days=1)),
                violation_error_message="La fin du label ne peut pas précéder son début.",
            ),
            models.CheckConstraint(
                name="label_retrait_complet",
                condition=Q(retiree_le__isnull=True, motif_retrait__isnull=True)
                | Q(retiree_le__isnull=False, motif_retrait__isnull=False, fin__isnull=False),
                violation_error_message="Un label retiré porte sa date, son motif et sa fin.",
            ),
        ]

    def __str__(self) -> str:
        return f"label du {self.debut:%d/%m/%Y}"

    def etat_le(self, jour: date) -> "Labellisation.Etat":
        """State of the label on `jour`."""
        if self.retiree_le and (jour >= self.retiree_le or self.fin < self.debut):
            return self.Etat.RETIREE
        if jour < self.debut:
            return self.Etat.A_VENIR
        return self.Etat.EXPIREE if self.fin and self.fin < jour else self.Etat.ACCORDEE


class Decidable(models.Model):
    """Something that one organisation asks for and the State decides, once, before a due date."""

    class Etat(models.TextChoices):
        PROPOSEE = "PROPOSEE", "en attente"
        ACCORDEE = "ACCORDEE", "accordée"
        REFUSEE = "REFUSEE", "refusée"
        RETIREE = "RETIREE", "retirée"

    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    etat = models.CharField("état", max_length=8, choices=Etat, default=Etat.PROPOSEE)
    saisie_par = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name="proposé par")
    saisie_le = models.DateField("proposé le")
    auteur = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    echeance = models.DateField("à décider avant le")
    decidee_par = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="décidé par"
    )
    decidee_le = models.DateField("décidé le", null=True, blank=True)
    motif = models.ForeignKey(MotifLabel, models.PROTECT, related_name="+", null=True, blank=True)

    class Meta:
        abstract = True


class PropositionQuerySet(SaisieQuerySet):
    def motif_lisible_par(self, acteur: Acteur) -> "PropositionQuerySet":
        """Proposals whose ground `acteur` may be shown: as for labels."""
        visibles = self.visibles_par(acteur)
        if acteur.systeme or acteur.est_ddets:
            return visibles
        return visibles.filter(saisie_par=acteur.organisation_id)

    def filtre_modifiables(self, acteur: Acteur):
        """The DDETS decides; who proposed may take its proposal back."""
        if acteur.systeme:
            return Q()
        if not acteur.peut_gerer:
            return None
        if acteur.est_ddets:
            return Q()
        return Q(saisie_par=acteur.organisation_id) if acteur.type_organisation in PARTENAIRES else None


class PropositionLabel(Instruction, Decidable):
    """A label that a partner asks the DDETS to grant (CA, art. 5.1; PACA, art. 3). Granted: `label` is it."""

    menage = models.ForeignKey(Menage, models.CASCADE, related_name="propositions")
    categorie = models.ForeignKey(CategorieLabel, models.PROTECT, related_name="+")
    case_cerfa = models.CharField("case du Cerfa", max_length=6, blank=True, default="")
    label = models.OneToOneField(
        Labellisation, models.SET_NULL, related_name="proposition", null=True, blank=True
    )

    objects = PropositionQuerySet.as_manager()

    class Meta:
        verbose_name = "proposition de label"
        verbose_name_plural = "propositions de label"
        ordering = ["echeance", "pk"]
        indexes = [
            models.Index(fields=["departement", "etat", "echeance"], name="proposition_file"),
            models.Index(fields=["saisie_par", "-saisie_le"], name="proposition_auteur"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["menage", "categorie", "saisie_par"],
                condition=Q(etat="PROPOSEE"),
                name="proposition_en_attente_unique",
                violation_error_message="Vous avez déjà proposé ce label pour ce ménage : la DDETS ne l’a pas encore décidé.",
            ),
            models.CheckConstraint(
                name="proposition_decision",
                condition=Q(etat__in=["PROPOSEE", "RETIREE"], decidee_le__isnull=True, motif__isnull=True)
                | Q(etat="ACCORDEE", decidee_le__isnull=False, motif__isnull=True)
                | Q(etat="REFUSEE", decidee_le__isnull=False, motif__isnull=False),
                violation_error_message="Une proposition refusée porte un motif.",
            ),
        ]

    def __str__(self) -> str:
        return f"proposition de label du {self.saisie_le:%d/%m/%Y}"


class DossierQuerySet(SaisieQuerySet):
    def filtre_modifiables(self, acteur: Acteur):
        """The DDETS or the préfecture (SGC) validates; who entered it may take it back."""
        if acteur.systeme:
            return Q()
        if not acteur.peut_gerer:
            return None
        if acteur.est_service_etat:
            return Q()
        return Q(saisie_par=acteur.organisation_id) if acteur.type_organisation in PARTENAIRES else None


class DossierAgent(Decidable):
    """A household one of whose members says to be an agent of the État, and what the préfet answers (CA, art. 4.2, 5-2).

    Validated before the proposition of a dwelling, it is the first of the three conditions. `contrats`: for an agent on
    contract, [["2024-01-01", "2024-12-31"], …], end included, null while it runs.
    """

    class Versant(models.TextChoices):
        ETAT = "ETAT", "fonction publique de l’État"
        HOSPITALIERE = "HOSPITALIERE", "fonction publique hospitalière"
        TERRITORIALE = "TERRITORIALE", "fonction publique territoriale"

    class Statut(models.TextChoices):
        TITULAIRE = "TITULAIRE", "civil, titulaire"
        MILITAIRE = "MILITAIRE", "militaire"
        CONTRACTUEL = "CONTRACTUEL", "contractuel"

    menage = models.ForeignKey(Menage, models.CASCADE, related_name="dossiers_agent")
    versant = models.CharField("versant", max_length=12, choices=Versant)
    statut = models.CharField("statut", max_length=11, choices=Statut)
    contrats = models.JSONField("contrats", default=list, blank=True)
    preuve = models.ForeignKey(NaturePreuve, models.PROTECT, related_name="+", null=True, blank=True)
    preuve_le = models.DateField("date de la preuve", null=True, blank=True)
    fin = models.DateField("validé jusqu’au (inclus)", null=True, blank=True)

    objects = DossierQuerySet.as_manager()

    class Meta:
        verbose_name = "dossier d’agent de l’État"
        verbose_name_plural = "dossiers d’agents de l’État"
        ordering = ["echeance", "pk"]
        indexes = [
            models.Index(fields=["departement", "etat", "echeance"], name="agent_file"),
            models.Index(fields=["saisie_par", "-saisie_le"], name="agent_auteur"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["menage"],
                condition=Q(etat="PROPOSEE"),
                name="agent_en_attente_unique",
                violation_error_message="Un dossier d’agent attend déjà une décision pour ce ménage.",
            ),
            models.CheckConstraint(
                name="agent_decision",
                condition=Q(etat__in=["PROPOSEE", "RETIREE"], decidee_le__isnull=True, motif__isnull=True)
                | Q(etat="ACCORDEE", decidee_le__isnull=False, motif__isnull=True)
                | Q(etat="REFUSEE", decidee_le__isnull=False, motif__isnull=False),
                violation_error_message="Un dossier refusé porte un motif.",
            ),
            models.CheckConstraint(
                name="agent_de_l_etat",
                condition=~Q(etat="ACCORDEE") | Q(versant="ETAT"),
                violation_error_message="Un agent hospitalier ou territorial n’est jamais agent de l’État.",
            ),
        ]

    def __str__(self) -> str:
        return f"dossier d’agent du {self.saisie_le:%d/%m/%Y}"
