"""The tableau de bord of a département: bailleurs by risk, clocks, reviews, commissions, labels; counts lead to their lines.

All the bailleurs are read over the same days, by the same rule, numerator and denominator side by side: that is what
makes them comparable. A fixed number of queries, whatever their number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, F, IntegerField, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from bilans.models import Bilan, EtapeBilan
from bilans.regles.atterrissage import Projection, phrase_methode, projeter
from bilans.regles.cycle import ActeBilan, EtatBilan
from bilans.regles.risques import (
    REGLE,
    Appreciation,
    Risque,
    apprecier,
    attendu_a_ce_jour,
    jours_de_l_annee,
    jours_ecoules,
)
from flux.models import (
    CalculFlux,
    Commission,
    Convocation,
    EcartRapprochement,
    Imputation,
    LigneOrdreDuJour,
    Nature,
    PartFlux,
    Passage,
    Rapprochement,
)
from flux.services.cadres import Paire
from publics.models import PropositionLabel
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Departement, Organisation
from reservation.regles.actes import ETAT
from reservation.regles.periodes import jour_a_paris
from reservation.regles.typographie import accorder, date_fr

from .compte_etat import Compte, compter, dater, paires_au_bail, plafonds, plafonner
from .cycle import etats_des_bilans
from .horloges import GroupeHorloges, grouper, horloges
from .indicateurs import Chiffre, Lignes
from .saisons import ANNEES_PASSEES, saisons

SEMAINE = timedelta(days=6)
# Waiting for the DDETS, then for the bailleur.
EN_REVUE = (EtatBilan.SOUMIS, EtatBilan.COMPLEMENT, EtatBilan.RENVOYE, EtatBilan.CORRECTION)
GROUPES = (Compte.GROUPE_1, Compte.GROUPE_2, Compte.GROUPE_3)


@dataclass(frozen=True, slots=True)
class Ecarts:
    """The gaps still open of the last reconciliation of a pair."""

    rapprochement: int
    nombre: int
    fait_le: datetime


@dataclass(frozen=True)
class LigneEtat:
    """One bailleur in one département, in the year, for the État. Numbers are dwellings."""

    bailleur: Organisation
    departement: str
    annee: int
    jour: date
    flux: int | None
    objectif: int
    nombres: Mapping[Compte, int]
    realise: int
    echecs: int
    plafond: int | None
    plancher: int | None
    projection: Projection
    appreciation: Appreciation
    ecarts: Ecarts | None

    @property
    def risque(self) -> Risque:
        return self.appreciation.risque

    @property
    def attendu(self) -> int:
        return attendu_a_ce_jour(self.objectif, self.jour)

    @property
    def atteint(self) -> int:
        """What meets the objective: the lines, and the failed designations that used up a right."""
        return self.realise + self.echecs

    def chiffre(self, compte: Compte) -> Chiffre:
        nombre = self.realise if compte == Compte.REALISE else self.nombres[compte]
        return Chiffre(
            nombre,
            Lignes(
                "etat", self.annee, departement=self.departement, bailleur=self.bailleur.pk, compte=compte
            ),
        )

    @property
    def chiffres(self) -> dict[str, Chiffre]:
        """By the word that a template says."""
        return {compte.value: self.chiffre(compte) for compte in Compte}

    @property
    def groupes(self) -> list[Chiffre]:
        return [self.chiffre(compte) for compte in GROUPES]

    @property
    def depasse_plafond(self) -> bool:
        return self.plafond is not None and self.nombres[Compte.AGENTS] > self.plafond

    @property
    def sous_plancher(self) -> bool:
        return self.plancher is not None and self.nombres[Compte.HORS_QPV] < self.plancher

    @property
    def barre(self) -> dict[str, int]:
        """Abscissas on 250: what is done, what should come, the objective (200 for all, so that lines compare)."""
        if not self.objectif:
            return {}
        echelle = lambda nombre: max(0, min(250, nombre * 200 // self.objectif))  # noqa: E731
        realise, prevu = echelle(self.atteint), echelle(self.projection.central)
        return {
            "realise": realise,
            "prevu": max(0, prevu - realise),
            "attendu": echelle(self.attendu),
            "cible": 200,
        }

    @property
    def url_flux(self) -> str:
        return reverse("flux:detail", args=[self.bailleur.pk, self.departement, self.annee])

    @property
    def url_ecarts(self) -> str:
        return (
            f"{reverse('flux:rapprochement', args=[self.ecarts.rapprochement])}?suivi=ouverts#ecarts"
            if self.ecarts
            else ""
        )

    @property
    def methode(self) -> str:
        return phrase_methode(self.projection)


class Terme(NamedTuple):
    """What one bailleur brings to a sum; `url`: what makes its number."""

    bailleur: Organisation
    nombre: int
    url: str


@dataclass(frozen=True, slots=True)
class Somme:
    """A number of the département that adds those of its bailleurs, and counts no line itself. `cle`: its anchor."""

    cle: str
    libelle: str
    termes: list[Terme]

    @property
    def total(self) -> int:
        return sum(terme.nombre for terme in self.termes)


@dataclass(frozen=True)
class Total:
    """The département: sums of the lines."""

    flux: int
    realise: int
    attendu: int
    hors_qpv: int
    agents: int
    groupes: list[int]
    autres: int
    sans_motif: int
    lignes: Mapping[str, Lignes]
    sommes: Mapping[str, Somme]


@dataclass(frozen=True)
class CommissionDeLaSemaine:
    """One CALEOL of the next seven days: dwellings and candidatures on its agenda; of them, the État's and those with a label."""

    commission: Commission
    logements: int
    candidatures: int
    pour_l_etat: int
    labels: int
    convoquee_le: datetime | None


@dataclass(frozen=True)
class BilanEnRevue:
    """A bilan that was submitted, and whose turn it is."""

    bilan: Bilan
    etat: EtatBilan
    depose_le: datetime | None

    @property
    def a_relire(self) -> bool:
        return self.etat == EtatBilan.SOUMIS


@dataclass(frozen=True)
class TableauEtat:
    """What the home page of a State service shows of one département and one year."""

    departement: Departement
    annee: int
    jour: date
    lignes: list[LigneEtat]
    total: Total
    commissions: list[CommissionDeLaSemaine]
    a_convoquer: int
    horloges: list[GroupeHorloges]
    revues: list[BilanEnRevue]
    labels: list[dict[str, Any]]
    risque: str = ""
    regle: str = REGLE

    @property
    def montrees(self) -> list[LigneEtat]:
        """Those of the risk that is asked for; all of them when none is."""
        return [ligne for ligne in self.lignes if self.risque in ("", ligne.risque)]

    @property
    def a_risque(self) -> list[LigneEtat]:
        return [ligne for ligne in self.lignes if ligne.risque == Risque.FORT]

    @property
    def jusqu_au(self) -> date:
        return self.jour + SEMAINE

    @property
    def a_relire(self) -> int:
        return sum(revue.a_relire for revue in self.revues)

    @property
    def a_decider(self) -> int:
        return sum(auteur["nombre"] for auteur in self.labels)

    @property
    def en_retard(self) -> int:
        return sum(auteur["retard"] for auteur in self.labels)

    @property
    def semaine(self) -> dict[str, int]:
        return {
            nom: sum(getattr(c, nom) for c in self.commissions)
            for nom in ("logements", "candidatures", "pour_l_etat", "labels")
        }

    @property
    def avancement(self) -> str:
        return f"{accorder(jours_ecoules(self.jour), 'jour')} sur {jours_de_l_annee(self.annee)}"

    @property
    def titre_du_jour(self) -> str:
        return date_fr(self.jour)


def lire_tableau(
    acteur: Acteur, departement: str, maintenant: datetime | None = None, risque: str = ""
) -> TableauEtat:
    """What a State service of `departement` reads first. The caller says which one: it is of the actor's."""
    maintenant = maintenant or timezone.now()
    jour = jour_a_paris(maintenant)
    lignes = lire_lignes(acteur, departement, jour)
    return TableauEtat(
        departement=Departement.objects.get(pk=departement),
        annee=jour.year,
        jour=jour,
        lignes=lignes,
        total=_total(lignes, jour, departement),
        commissions=_commissions(acteur, departement, jour),
        a_convoquer=Commission.objects.visibles_par(acteur)
        .filter(departement=departement, date__gte=jour, etat=Commission.Etat.PREPARATION)
        .count(),
        horloges=grouper(horloges(acteur, maintenant)),
        revues=_revues(acteur, departement),
        labels=_labels(acteur, departement, jour),
        risque=risque if risque in list(Risque) else "",
    )


# --- Bailleurs ----------------------------------------------------------------------------------------------


def lire_lignes(acteur: Acteur, departement: str, jour: date) -> list[LigneEtat]:
    """Every bailleur that owes something to the État this year, or let something for it; the most at risk first."""
    annee = jour.year
    calculs = list(
        CalculFlux.objects.visibles_par(acteur)
        .en_vigueur()
        .filter(departement=departement, annee__range=(annee - ANNEES_PASSEES, annee))
        .order_by()
        .values(
            "bailleur",
            "departement",
            "annee",
            "nature",
            "flux",
            agents=F("resultat__agents_max"),
            plancher=F("resultat__hors_qpv__objectif"),
            realise=F("resultat__realise"),
        )
    )
    de_l_annee = [c for c in calculs if c["annee"] == annee]
    parts = {
        (part["bailleur"], part["calcul__nature"]): part["objectif_total"]
        for part in PartFlux.objects.visibles_par(acteur)
        .filter(calcul__annee=annee, calcul__en_vigueur=True, departement=departement, code=ETAT.code)
        .order_by()
        .values("bailleur", "calcul__nature", "objectif_total")
    }
    imputations = Imputation.objects.visibles_par(acteur).filter(
        departement=departement, titre=ETAT.code, annee__range=(annee - ANNEES_PASSEES, annee)
    )
    bailleurs = {bailleur for bailleur, _ in parts} | set(
        imputations.filter(annee=annee).order_by().values_list("bailleur", flat=True).distinct()
    )
    au_bail = paires_au_bail({(bailleur, departement) for bailleur in bailleurs}, annee)
    nombres = compter(dater(imputations.filter(annee=annee), au_bail))
    constatees = {
        (c["bailleur"], departement, c["annee"]) for c in calculs if c["nature"] == Nature.DEFINITIF
    }
    passees = saisons(imputations, au_bail, jour, constatees)
    limites = plafonds(de_l_annee)
    organisations = Organisation.objects.in_bulk(bailleurs)
    ecarts = _ecarts(acteur, departement)
    lignes = []
    for bailleur in bailleurs:
        siens = {c["nature"]: c for c in de_l_annee if c["bailleur"] == bailleur}
        constate = siens.get(Nature.DEFINITIF)
        objectif = parts.get((bailleur, Nature.PREVISIONNEL), parts.get((bailleur, Nature.DEFINITIF), 0))
        paire: Paire = (bailleur, departement)
        comptes = nombres.get(paire, dict.fromkeys(Compte, 0))
        realise, echecs = plafonner(comptes, limites.get(paire)), _echecs(constate)
        projection = projeter(jour, realise + echecs, passees.get((*paire, ETAT.code), ()))
        lignes.append(
            LigneEtat(
                bailleur=organisations[bailleur],
                departement=departement,
                annee=annee,
                jour=jour,
                flux=(siens.get(Nature.PREVISIONNEL) or constate or {}).get("flux"),
                objectif=objectif,
                nombres=comptes,
                realise=realise,
                echecs=echecs,
                plafond=limites.get(paire),
                plancher=constate["plancher"] if constate else None,
                projection=projection,
                appreciation=apprecier(objectif, projection),
                ecarts=ecarts.get(bailleur),
            )
        )
    return sorted(lignes, key=lambda li: (*li.appreciation.ordre, li.bailleur.nom_tri, li.bailleur.pk))


def _echecs(constate: Mapping[str, Any] | None) -> int:
    """Failed designations that used up a right of the État, as the calculation in force counts them."""
    realises = (constate or {}).get("realise") or ()
    return sum(r["echecs"] for r in realises if r["reservataire"] == ETAT.code)


def _ecarts(acteur: Acteur, departement: str) -> dict[int, Ecarts]:
    """Bailleur → the open gaps of its last reconciliation that is done."""
    derniers: dict[int, Ecarts] = {}
    for r in (
        Rapprochement.objects.visibles_par(acteur)
        .filter(departement=departement, termine_le__isnull=False)
        .order_by("fin", "pk")
        .annotate(
            ouverts=Count(
                "ecarts",
                filter=Q(ecarts__disparu_le=None, ecarts__etat__in=EcartRapprochement.OUVERTS),
            )
        )
        .values("pk", "bailleur", "termine_le", "ouverts")
    ):
        derniers[r["bailleur"]] = Ecarts(r["pk"], r["ouverts"], r["termine_le"])
    return derniers


def _total(lignes: list[LigneEtat], jour: date, departement: str) -> Total:
    def somme(compte: Compte) -> int:
        return sum(ligne.nombres[compte] for ligne in lignes)

    return Total(
        flux=sum(ligne.flux or 0 for ligne in lignes),
        realise=sum(ligne.realise for ligne in lignes),
        attendu=sum(ligne.attendu for ligne in lignes),
        hors_qpv=somme(Compte.HORS_QPV),
        agents=somme(Compte.AGENTS),
        groupes=[somme(compte) for compte in GROUPES],
        autres=somme(Compte.AUTRES),
        sans_motif=somme(Compte.SANS_MOTIF),
        lignes={c.value: Lignes("etat", jour.year, departement=departement, compte=c) for c in Compte},
        sommes={somme.cle: somme for somme in _sommes(lignes)},
    )


def _sommes(lignes: list[LigneEtat]) -> list[Somme]:
    def somme(
        cle: str, libelle: str, lire: Callable[[LigneEtat], int | None], url: str = "url_flux"
    ) -> Somme:
        termes = [Terme(ligne.bailleur, lire(ligne), getattr(ligne, url)) for ligne in lignes]
        return Somme(cle, libelle, [terme for terme in termes if terme.nombre is not None])

    return [
        somme("objectif", "Objectif, reports compris", lambda ligne: ligne.objectif),
        somme("plancher", "Plancher hors QPV", lambda ligne: ligne.plancher),
        somme("plafond", "Plafond des agents", lambda ligne: ligne.plafond),
        somme(
            "ecarts", "Écarts à corriger", lambda ligne: ligne.ecarts and ligne.ecarts.nombre, "url_ecarts"
        ),
    ]


# --- The week, the reviews, the labels ------------------------------------------------------------------------


def _commissions(acteur: Acteur, departement: str, jour: date) -> list[CommissionDeLaSemaine]:
    """Those of today and of the six days that follow, the cancelled ones left out."""

    def nombre(lignes, quoi: str = "pk"):
        compte = lignes.order_by().values("commission").annotate(n=Count(quoi, distinct=True)).values("n")
        return Coalesce(Subquery(compte, output_field=IntegerField()), 0)

    inscrites = LigneOrdreDuJour.objects.filter(commission=OuterRef("pk"))
    examinees = Passage.objects.filter(commission=OuterRef("pk"))
    attentes = PropositionLabel.objects.visibles_par(acteur).filter(etat="PROPOSEE")
    convoquees = (
        Convocation.objects.filter(commission=OuterRef("pk"))
        .exclude(nature=Convocation.Nature.ANNULATION)
        .order_by()
        .values("commission")
        .annotate(le=Max("ecrite_le"))
        .values("le")
    )
    return [
        CommissionDeLaSemaine(c, c.n_logements, c.n_candidatures, c.n_etat, c.n_labels, c.convoquee_le)
        for c in Commission.objects.visibles_par(acteur)
        .filter(departement=departement, date__range=(jour, jour + SEMAINE))
        .exclude(etat=Commission.Etat.ANNULEE)
        .select_related("bailleur", "departement")
        .annotate(
            n_logements=nombre(inscrites),
            n_candidatures=nombre(examinees),
            n_etat=nombre(inscrites.filter(liberation__reservataire__type=TypeOrganisation.DDETS)),
            n_labels=nombre(examinees.filter(menage__propositions__in=attentes), "menage__propositions"),
            convoquee_le=Subquery(convoquees),
        )
        .order_by("date", F("heure").asc(nulls_last=True), "pk")
    ]


def _revues(acteur: Acteur, departement: str) -> list[BilanEnRevue]:
    """Bilans that somebody is to act on: first those to review, the oldest first."""
    deposes = (
        EtapeBilan.objects.filter(bilan=OuterRef("pk"), acte=ActeBilan.SOUMETTRE)
        .order_by("-rang")
        .values("le")[:1]
    )
    bilans = [
        BilanEnRevue(bilan, EtatBilan(bilan.etat_cycle), bilan.depose_le)
        for bilan in Bilan.objects.visibles_par(acteur)
        .filter(departement=departement)
        .annotate(etat_cycle=etats_des_bilans(), depose_le=Subquery(deposes))
        .filter(etat_cycle__in=[etat.value for etat in EN_REVUE])
        .select_related("bailleur")
        .order_by("depose_le", "pk")
    ]
    return sorted(bilans, key=lambda revue: EN_REVUE.index(revue.etat))


def _labels(acteur: Acteur, departement: str, jour: date) -> list[dict[str, Any]]:
    """The proposals that wait, by who made them: how many, how many late, the oldest."""
    return [
        auteur | {"age": (jour - auteur["ancien"]).days}
        for auteur in PropositionLabel.objects.visibles_par(acteur)
        .filter(departement=departement, etat="PROPOSEE")
        .order_by()
        .values("saisie_par", nom=F("saisie_par__nom"))
        .annotate(
            nombre=Count("pk"), retard=Count("pk", filter=Q(echeance__lt=jour)), ancien=Min("saisie_le")
        )
        .order_by("ancien", "nom")
    ]
