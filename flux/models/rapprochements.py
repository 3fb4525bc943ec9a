"""Reconciliations with the SNE, SYPLO and Imhoweb: a run, its lines, their gaps, and what people decide about them."""

from datetime import date

import pgtrigger
from django.db import models
from django.db.models import F, Q

from flux.regles import rapprochement as regles
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation, PerimetreQuerySet, Utilisateur

from .attributions import Attribution
from .externes import EvenementExterne

NatureEcart = models.TextChoices(
    "NatureEcart", {nature.name: (nature.value, nature.libelle) for nature in regles.NatureEcart}
)
ResponsableEcart = models.TextChoices(
    "ResponsableEcart", {r.name: (r.value, r.libelle) for r in regles.Responsable}
)


class RapprochementQuerySet(PerimetreQuerySet):
    """A reconciliation is its bailleur's and the State's (chapter 2): it names households, labels, both sides' data.

    A réservataire reads the lines of its own contingent, their gaps, and that there was a run: nothing else of it.
    """

    champ_reservataire = None

    def filtre_modifiables(self, acteur: Acteur):
        if acteur.est_ddets and acteur.peut_gerer:
            return Q(**{f"{self.champ_departement}__in": acteur.departements})
        return super().filtre_modifiables(acteur)


class RapprochementsQuerySet(RapprochementQuerySet):
    """A run with at least one line of the réservataire's."""

    def filtre_visibles(self, acteur: Acteur):
        if acteur.est_reservataire:
            siennes = LigneRapprochement.objects.visibles_par(acteur)
            return Q(pk__in=siennes.order_by().values("rapprochement"))
        return super().filtre_visibles(acteur)


class LigneRapprochementQuerySet(RapprochementQuerySet):
    def filtre_visibles(self, acteur: Acteur):
        """Of a réservataire: of its contingent, as the run had it and as the attribution has it now."""
        if acteur.est_reservataire:
            sienne = {"reservataire": acteur.organisation_id}
            return Q(**sienne) & (Q(attribution=None) | Q(attribution__reservataire=acteur.organisation_id))
        return super().filtre_visibles(acteur)


class EcartRapprochementQuerySet(RapprochementQuerySet):
    def filtre_visibles(self, acteur: Acteur):
        """Of a réservataire: those of its lines, but that the grounds of a label differ."""
        if acteur.est_reservataire:
            siennes = LigneRapprochement.objects.visibles_par(acteur)
            return Q(ligne__in=siennes.order_by().values("pk")) & ~Q(nature=regles.NatureEcart.MOTIF)
        return super().filtre_visibles(acteur)


class Rapprochement(models.Model):
    """One bailleur × département × period against the extracts: EN_ATTENTE → EN_COURS → TERMINE or ECHEC, and again.

    Done again, the same row: lines and gaps are found by their keys, what people decided about them stays.
    `sources`: the extracts used ({depot, nom, source, lignes, du}). `comptes`: lines by place, gaps by nature. `outil`: whose
    attributions are compared (SNE, else IMHOWEB); `outil_labels`: whose labels, empty without any. `connu_du`,
    `connu_au`: the days that its extracts cover.
    """

    class Etat(models.TextChoices):
        EN_ATTENTE = "EN_ATTENTE", "en attente"
        EN_COURS = "EN_COURS", "en cours"
        TERMINE = "TERMINE", "terminé"
        ECHEC = "ECHEC", "interrompu"

    OUVERTS = (Etat.EN_ATTENTE, Etat.EN_COURS)

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    debut = models.DateField("du")
    fin = models.DateField("au (inclus)")
    tolerance = models.PositiveSmallIntegerField("tolérance sur les dates (jours)", default=7)
    etat = models.CharField("état", max_length=10, choices=Etat, default=Etat.EN_ATTENTE)
    message = models.CharField("message", max_length=300, blank=True)
    rang = models.PositiveIntegerField("passages", default=0)
    sources = models.JSONField("sources", default=list)
    comptes = models.JSONField("comptes", default=dict)
    outil = models.CharField("outil des attributions", max_length=8, blank=True)
    outil_labels = models.CharField("outil des labels", max_length=8, blank=True)
    connu_du = models.DateField("extrait connu depuis le", null=True, blank=True)
    connu_au = models.DateField("extrait connu jusqu’au", null=True, blank=True)
    demande_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    demande_le = models.DateTimeField("demandé le", auto_now_add=True)
    commence_le = models.DateTimeField("commencé le", null=True, blank=True)
    termine_le = models.DateTimeField("fait le", null=True, blank=True)

    objects = RapprochementsQuerySet.as_manager()

    class Meta:
        verbose_name = "rapprochement"
        ordering = ["-fin", "departement", "bailleur", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["bailleur", "departement", "debut", "fin"],
                name="rapprochement_unique",
                violation_error_message="Ce rapprochement existe : refaites-le.",
            ),
            models.CheckConstraint(
                name="rapprochement_periode",
                condition=Q(fin__gte=F("debut")),
                violation_error_message="La période finit après son début.",
            ),
            models.CheckConstraint(
                name="rapprochement_tolerance",
                condition=Q(tolerance__lte=31),
                violation_error_message="La tolérance va de 0 à 31 jours.",
            ),
        ]

    def __str__(self) -> str:
        if self.annee and (self.debut, self.fin) == (date(self.annee, 1, 1), date(self.annee, 12, 31)):
            return f"Rapprochement {self.annee}"
        return f"Rapprochement du {self.debut:%d/%m/%Y} au {self.fin:%d/%m/%Y}"

    @property
    def annee(self) -> int | None:
        """The civil year that the period is part of; None across two."""
        return self.debut.year if self.debut.year == self.fin.year else None

    @property
    def en_cours(self) -> bool:
        return self.etat in self.OUVERTS


class LigneRapprochement(models.Model):
    """One attribution, as the SNE tells it, as it is recorded here, or both. `cle`: the same from one run to the next.

    `presente`: still found by the last run. `cle_fait`: names the lines of the extract, for a manual match. `apres`:
    what the imputation would be once the gaps that can be mended here are ({avant, apres}: code, titre, motif,
    caleol, bail, qpv); empty when nothing would change.
    """

    rapprochement = models.ForeignKey(Rapprochement, models.CASCADE, related_name="lignes", db_index=False)
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", db_index=False)
    cle = models.CharField("clé", max_length=64)
    presente = models.BooleanField("encore trouvée", default=True)
    attribution = models.ForeignKey(Attribution, models.CASCADE, related_name="+", null=True, blank=True)
    evenement = models.ForeignKey(EvenementExterne, models.SET_NULL, related_name="+", null=True, blank=True)
    cle_fait = models.CharField("clé de ce que dit l’extrait", max_length=220, blank=True)
    lignes_externes = models.PositiveSmallIntegerField("lignes de l’extrait", default=0)
    numero_fin = models.CharField("quatre derniers caractères", max_length=4, blank=True)
    reference = models.CharField("référence du logement", max_length=120, blank=True)
    logement_sne = models.CharField("logement, dans l’extrait", max_length=120, blank=True)
    caleol_ici = models.DateField("CALEOL, ici", null=True, blank=True)
    caleol_sne = models.DateField("CALEOL, dans l’extrait", null=True, blank=True)
    bail_ici = models.DateField("bail, ici", null=True, blank=True)
    bail_sne = models.DateField("bail, dans l’extrait", null=True, blank=True)
    contingent_ici = models.CharField("contingent, ici", max_length=16, blank=True)
    contingent_sne = models.CharField("contingent, dans l’extrait", max_length=16, blank=True)
    reservataire = models.ForeignKey(Organisation, models.PROTECT, related_name="+", null=True, blank=True)
    lien = models.CharField("rapprochées par", max_length=10, blank=True)
    jours = models.PositiveSmallIntegerField("jours d’écart", default=0)
    autre_logement = models.BooleanField("logements différents", default=False)
    apres = models.JSONField("effet d’une correction", default=dict)

    objects = LigneRapprochementQuerySet.as_manager()

    class Meta:
        verbose_name = "ligne d’un rapprochement"
        verbose_name_plural = "lignes d’un rapprochement"
        ordering = ["rapprochement", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["rapprochement", "cle"], name="ligne_rapprochement_unique")
        ]

    def __str__(self) -> str:
        return f"…{self.numero_fin}"

    @property
    def jour(self) -> date | None:
        """The day that a person looks for: the CALEOL here, else what the extract says."""
        return self.caleol_ici or self.caleol_sne or self.bail_sne


class EtatEcart(models.TextChoices):
    A_TRAITER = "A_TRAITER", "à traiter"
    EN_COURS = "EN_COURS", "en cours"
    CORRIGE = "CORRIGE", "corrigé"
    EXPLIQUE = "EXPLIQUE", "expliqué"
    SANS_SUITE = "SANS_SUITE", "sans suite"


class MotifEcart(models.TextChoices):
    """Why a gap is explained or left, why two lines are one or are not: coded, for nothing free is kept of a household."""

    EXCEPTION_DDETS = "EXCEPTION_DDETS", "exception motivée de la DDETS"
    CONVENTION = "CONVENTION", "la convention le compte ainsi"
    TRANSMISSION = "TRANSMISSION", "transmission entre outils en cours"
    SNE_FERME = "SNE_FERME", "le SNE n’admet plus la correction"
    NUMERO_MAL_SAISI = "NUMERO_MAL_SAISI", "numéro unique mal saisi"
    DATE_MAL_SAISIE = "DATE_MAL_SAISIE", "date mal saisie"
    LOGEMENT_MAL_SAISI = "LOGEMENT_MAL_SAISI", "logement mal saisi"
    AUTRE_ATTRIBUTION = "AUTRE_ATTRIBUTION", "une autre attribution du ménage"
    DOUBLON = "DOUBLON", "doublon dans l’extrait"
    VERIFIE = "VERIFIE", "vérifié dans l’outil d’origine"


class EcartRapprochement(models.Model):
    """What does not agree on one line, who must act, and where it stands. One row per line and nature.

    `valeur_sne`, `valeur_ici`: the codes that differ; for a motive of priority they are its ground, shown to the DDETS
    alone. `disparu_le`: a later run no longer found it: mended. Found again, it comes back as it was.
    """

    Etat = EtatEcart
    OUVERTS = (EtatEcart.A_TRAITER, EtatEcart.EN_COURS)

    ligne = models.ForeignKey(LigneRapprochement, models.CASCADE, related_name="ecarts", db_index=False)
    rapprochement = models.ForeignKey(Rapprochement, models.CASCADE, related_name="ecarts", db_index=False)
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", db_index=False)
    nature = models.CharField("écart", max_length=12, choices=NatureEcart)
    lieu = models.CharField("à corriger", max_length=8)
    responsable = models.CharField("qui doit agir", max_length=12, choices=ResponsableEcart)
    valeur_sne = models.CharField("valeur de l’extrait", max_length=120, blank=True)
    valeur_ici = models.CharField("valeur ici", max_length=120, blank=True)
    recuperable = models.BooleanField("récupérable", default=False)
    etat = models.CharField("état", max_length=10, choices=EtatEcart, default=EtatEcart.A_TRAITER)
    motif = models.CharField("motif", max_length=18, choices=MotifEcart, blank=True)
    constate_le = models.DateTimeField("constaté le")
    disparu_le = models.DateTimeField("plus constaté depuis le", null=True, blank=True)

    objects = EcartRapprochementQuerySet.as_manager()

    class Meta:
        verbose_name = "écart d’un rapprochement"
        verbose_name_plural = "écarts d’un rapprochement"
        ordering = ["rapprochement", "responsable", "nature", "pk"]
        indexes = [
            models.Index(fields=["rapprochement", "nature", "etat"], name="ecart_rapprochement_nature"),
            models.Index(fields=["bailleur", "etat"], name="ecart_bailleur_etat"),
            models.Index(fields=["departement", "etat"], name="ecart_departement_etat"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["ligne", "nature"], name="ecart_rapprochement_unique"),
            models.CheckConstraint(
                name="ecart_rapprochement_motive",
                condition=Q(etat__in=["EXPLIQUE", "SANS_SUITE"]) & ~Q(motif="")
                | ~Q(etat__in=["EXPLIQUE", "SANS_SUITE"]) & Q(motif=""),
                violation_error_message="Un écart expliqué ou sans suite porte son motif, et lui seul.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_nature_display()


class EvenementEcart(models.Model):
    """One row each time a gap is found, changes hands or state, is no longer found; never rewritten."""

    class Acte(models.TextChoices):
        CONSTATE = "CONSTATE", "constaté"
        ETAT = "ETAT", "état changé"
        RESPONSABLE = "RESPONSABLE", "confié à un autre"
        DISPARU = "DISPARU", "plus constaté"
        REVENU = "REVENU", "constaté de nouveau"

    ecart = models.ForeignKey(EcartRapprochement, models.CASCADE, related_name="evenements")
    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", db_index=False)
    acte = models.CharField("acte", max_length=11, choices=Acte)
    avant = models.CharField("avant", max_length=12, blank=True)
    apres = models.CharField("après", max_length=12, blank=True)
    motif = models.CharField("motif", max_length=18, choices=MotifEcart, blank=True)
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    le = models.DateTimeField("le")

    objects = RapprochementQuerySet.as_manager()

    class Meta:
        verbose_name = "acte sur un écart"
        verbose_name_plural = "actes sur les écarts"
        ordering = ["le", "pk"]
        # Deleted with its gap, by the purge.
        triggers = [pgtrigger.Protect(name="evenement_ecart_inalterable", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return self.get_acte_display()


class CorrectionRapprochement(models.Model):
    """What a person decided of one fact of the extracts and one attribution: they are one (LIER), or not (SEPARER).

    Holds for every run of the bailleur, until it is withdrawn (`retiree_le`). `cle_fait`: as the rule names the fact.
    """

    class Genre(models.TextChoices):
        LIER = "LIER", "rapprochées à la main"
        SEPARER = "SEPARER", "séparées à la main"

    bailleur = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+")
    genre = models.CharField("décision", max_length=7, choices=Genre)
    cle_fait = models.CharField("clé de ce que dit l’extrait", max_length=220)
    attribution = models.ForeignKey(Attribution, models.CASCADE, related_name="+")
    motif = models.CharField("motif", max_length=18, choices=MotifEcart)
    par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)
    le = models.DateTimeField("le", auto_now_add=True)
    retiree_le = models.DateTimeField("retirée le", null=True, blank=True)
    retiree_par = models.ForeignKey(Utilisateur, models.PROTECT, related_name="+", null=True, blank=True)

    objects = RapprochementQuerySet.as_manager()

    class Meta:
        verbose_name = "correction d’un rapprochement"
        verbose_name_plural = "corrections des rapprochements"
        ordering = ["le", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cle_fait", "attribution"],
                condition=Q(retiree_le__isnull=True),
                name="correction_rapprochement_unique",
                violation_error_message="Ces deux lignes ont déjà été rapprochées ou séparées à la main.",
            )
        ]

    def __str__(self) -> str:
        return self.get_genre_display()
