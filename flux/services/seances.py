"""A commission as it stands: its agenda, its candidatures, what prevents closing it, what is to be confirmed.

One reading, a fixed number of queries, for the page, the live checks of the grid, the procès-verbal and the closing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from flux.models import Attribution, Candidat, Commission, LigneOrdreDuJour, Passage, Usage
from flux.regles.commission import (
    REFUS,
    Anomalie,
    Candidature,
    Champ,
    Decision,
    candidature_servie,
    cles_au_rang_fautif,
    controler_decisions,
    controler_nombre,
)
from flux.regles.imputation import Imputation
from publics.models import Labellisation
from publics.regles.groupes import Label, groupe_prioritaire
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Logement, VersionConvention
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr, typographier

from .imputations import GroupesDates, Prevue, prevoir

PLAI_ADAPTE = "PLAI_ADAPTE"


@dataclass(frozen=True, slots=True)
class LabelVu:
    """What is said of a household on the day of the commission: its group, never the ground (chapter 2).

    `groupe` None: no label on that day; then `ensuite` is the first day of one that came after.
    """

    groupe: int | None = None
    depuis: date | None = None
    ensuite: date | None = None
    groupe_ensuite: int | None = None


@dataclass
class LigneCandidature:
    """One candidature of a dwelling: its passage, the label of the household, what is wrong with the line."""

    passage: Passage
    label: LabelVu
    erreurs: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    champs_fautifs: set[str] = field(default_factory=set)

    @property
    def nom(self) -> str:
        return str(self.passage.menage) if self.passage.menage.numero_fin else "effacée"

    @property
    def a_decider(self) -> bool:
        """Its decision is missing, and nothing is wrong with it."""
        return not self.passage.decision and not self.champs_fautifs

    def regle(self) -> Candidature:
        """As the rules take it."""
        passage = self.passage
        return Candidature(
            passage.pk,
            self.nom,
            passage.decision,
            passage.rang,
            passage.motif_id is not None,
            passage.condition_piece_id is not None,
            passage.condition_echeance,
        )


@dataclass
class LogementExamine:
    """One dwelling of the agenda. `erreurs`, `points`: of the dwelling itself; its lines have theirs."""

    ligne: LigneOrdreDuJour
    candidatures: list[LigneCandidature]
    erreurs: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    a_decider: bool = False

    @property
    def liberation(self):
        return self.ligne.liberation

    @cached_property
    def servie(self) -> LigneCandidature | None:
        """The candidature served first, as the decisions stand."""
        servie = candidature_servie([c.regle() for c in self.candidatures])
        return next((c for c in self.candidatures if servie and c.passage.pk == servie.cle), None)

    @property
    def suivantes(self) -> list[LigneCandidature]:
        """Those who are served next, in order, when the first one refuses."""
        classees = [
            c
            for c in self.candidatures
            if c.passage.decision == Decision.ATTRIBUTION_RANG and c is not self.servie
        ]
        return sorted(classees, key=lambda c: (c.passage.rang or 0, c.passage.pk))

    @property
    def toutes_les_erreurs(self) -> list[tuple[str, int | None]]:
        """(sentence, primary key of the passage where it stands; None: on the dwelling)."""
        return [(phrase, None) for phrase in self.erreurs] + [
            (phrase, c.passage.pk) for c in self.candidatures for phrase in c.erreurs
        ]

    @property
    def a_corriger(self) -> list[tuple[str, int | None]]:
        """Of these errors, those that are not only a decision to come."""
        manquantes = {c.passage.pk for c in self.candidatures if c.a_decider}
        return [(phrase, cle) for phrase, cle in self.toutes_les_erreurs if cle not in manquantes]

    @property
    def tous_les_points(self) -> list[tuple[str, int | None]]:
        return [(phrase, None) for phrase in self.points] + [
            (phrase, c.passage.pk) for c in self.candidatures for phrase in c.points
        ]

    @property
    def etat(self) -> str:
        """A_CORRIGER (something is wrong), A_DECIDER (something is missing), A_CONFIRMER, COMPLET."""
        if any(phrase for phrase, _ in self.toutes_les_erreurs):
            return "A_DECIDER" if self.a_decider else "A_CORRIGER"
        return "A_CONFIRMER" if self.tous_les_points else "COMPLET"


@dataclass
class Seance:
    """The whole of a commission. `points`: of the commission itself."""

    commission: Commission
    logements: list[LogementExamine]
    points: list[str] = field(default_factory=list)

    @property
    def candidatures(self) -> list[LigneCandidature]:
        return [c for logement in self.logements for c in logement.candidatures]

    @property
    def decidees(self) -> int:
        return sum(bool(c.passage.decision) for c in self.candidatures)

    @property
    def decisions(self) -> list[tuple[str, int]]:
        """(letter, how many), for the decisions that are entered."""
        compte = Counter(c.passage.decision for c in self.candidatures)
        return [(d.lettre, compte[d]) for d in Decision if compte[d]]

    @property
    def erreurs(self) -> list[tuple[LogementExamine, str, int | None]]:
        return [(x, phrase, cle) for x in self.logements for phrase, cle in x.toutes_les_erreurs]

    @property
    def a_corriger(self) -> list[tuple[LogementExamine, str, int | None]]:
        return [(x, phrase, cle) for x in self.logements for phrase, cle in x.a_corriger]

    @property
    def points_des_logements(self) -> list[tuple[LogementExamine, str, int | None]]:
        return [(x, phrase, cle) for x in self.logements for phrase, cle in x.tous_les_points]

    @property
    def a_confirmer(self) -> list[str]:
        """Every sentence to confirm, as it is kept with who confirmed it."""
        return [
            *self.points,
            *(f"{x.liberation.reference} : {phrase}" for x, phrase, _ in self.points_des_logements),
        ]

    @property
    def complets(self) -> int:
        return sum(x.etat == "COMPLET" for x in self.logements)

    def comptera(self) -> dict[int, Imputation]:
        """Libération → the title under which it would count if the commission were closed as it stands."""
        return prevoir(
            [
                Prevue(
                    x.liberation,
                    x.servie.passage.menage_id,
                    self.commission.date,
                    x.servie.passage.date_proposition,
                    x.servie.passage.statut_emploi,
                    x.servie.passage.agent,
                    x.servie.passage.agent_valide_le,
                    x.servie.passage.agent_adapte,
                )
                for x in self.logements
                if x.servie
            ]
        )


def lire_seance(commission: Commission) -> Seance:
    """The commission as it stands now. Its caller has passed its gate."""
    lignes = list(
        commission.lignes.select_related(
            "liberation__commune", "liberation__reservataire", "motif_candidatures"
        ).order_by("rang", "pk")
    )
    passages = defaultdict(list)
    for passage in commission.passages.select_related(
        "menage", "motif", "condition_piece", "modifie_par"
    ).order_by("pk"):
        passages[passage.liberation_id].append(passage)
    for liberation_id in passages.keys() - {ligne.liberation_id for ligne in lignes}:
        # Decisions that came without an agenda (a file, an older tool): each dwelling is a line of its own.
        lignes.append(
            LigneOrdreDuJour(
                commission=commission,
                liberation=passages[liberation_id][0].liberation,
                rang=len(lignes) + 1,
            )
        )
    labels = _labels([p.menage_id for siens in passages.values() for p in siens], commission)
    logements = [
        LogementExamine(
            ligne, [LigneCandidature(p, labels[p.menage_id]) for p in passages[ligne.liberation_id]]
        )
        for ligne in lignes
    ]
    seance = Seance(commission, logements)
    if commission.ouverte:
        _controler(seance)
    return seance


@agir(Acteur.du_systeme("groupes des candidatures d’une commission"))
def _labels(menages: Sequence[int], commission: Commission) -> dict[int, LabelVu]:
    """Household → what its labels say on the day of the commission, whoever entered them: the group alone."""
    groupes = GroupesDates({commission.departement_id}).le(commission.departement_id, commission.date)
    siens: dict[int, list[Label]] = defaultdict(list)
    for menage, *label in (
        Labellisation.objects.filter(menage__in=set(menages))
        .order_by("debut", "pk")
        .values_list("menage_id", "categorie_id", "debut", "fin")
    ):
        siens[menage].append(Label(*label))
    return {menage: _label_vu(siens[menage], commission.date, groupes) for menage in menages}


def _label_vu(labels: Sequence[Label], jour: date, groupes) -> LabelVu:
    groupe = groupe_prioritaire(labels, jour, groupes)
    if groupe is not None:
        depuis = min(x.debut for x in labels if groupe_prioritaire([x], jour, groupes) == groupe)
        return LabelVu(groupe, depuis)
    suivants = [x for x in labels if x.debut > jour]
    if not suivants:
        return LabelVu()
    return LabelVu(
        ensuite=suivants[0].debut,
        groupe_ensuite=groupe_prioritaire([suivants[0]], suivants[0].debut, groupes),
    )


# --- Checks -------------------------------------------------------------------------------------------------------


def _controler(seance: Seance) -> None:
    """What prevents closing, said where it is mended; what looks odd, to be confirmed."""
    commission = seance.commission
    liberations = [x.liberation.pk for x in seance.logements]
    attribuees = {
        attribution.liberation_id: attribution
        for attribution in Attribution.objects.filter(liberation__in=liberations, refusee_le=None)
        .exclude(passage__commission=commission)
        .select_related("menage")
        .order_by("pk")
    }
    ailleurs = defaultdict(list)
    for liberation, jour in (
        LigneOrdreDuJour.objects.filter(liberation__in=liberations, commission__etat__in=Commission.OUVERTES)
        .exclude(commission=commission)
        .order_by("commission__date")
        .values_list("liberation_id", "commission__date")
    ):
        ailleurs[liberation].append(jour)
    for logement in seance.logements:
        _controler_logement(logement, commission.date)
        _controler_attribue(logement, attribuees.get(logement.liberation.pk))
        for jour in ailleurs[logement.liberation.pk]:
            phrase = (
                f"Aussi à l’ordre du jour de la CALEOL du {date_fr(jour)} : la première close l’attribue."
            )
            logement.notes.append(typographier(phrase))
    _controler_motifs(seance)
    _controler_menages(seance)
    _controler_provenance(seance)
    if commission.etat == Commission.Etat.PREPARATION:
        seance.points.append("La DDETS n’a pas été convoquée à cette commission (elle l’est à toutes).")


def _controler_provenance(seance: Seance) -> None:
    """A household that a réservataire proposed is not examined on another's contingent: the closing would show it there.

    Entered while the dwelling was oriented to the first; typed again by the bailleur, it is the bailleur's own candidate.
    """
    etrangeres = {
        (x.liberation.pk, c.passage.menage_id, c.passage.reservataire_id): c
        for x in seance.logements
        for c in x.candidatures
        if x.liberation.designation_echouee_le is None
        and x.liberation.reservataire_id not in (None, x.liberation.bailleur_id)
        and c.passage.reservataire_id not in (None, x.liberation.reservataire_id)
    }
    if not etrangeres:
        return
    proposes = Candidat.objects.filter(
        designation__gestion=VersionConvention.Gestion.DIRECTE,
        liberation__in={cle[0] for cle in etrangeres},
        menage__in={cle[1] for cle in etrangeres},
    ).select_related("reservataire")
    for propose in proposes.order_by("pk"):
        cle = (propose.liberation_id, propose.menage_id, propose.reservataire_id)
        if candidature := etrangeres.pop(cle, None):
            candidature.erreurs.append(
                typographier(
                    f"Demande {candidature.nom} : proposée par {propose.reservataire.nom}, à qui ce logement n’est plus "
                    "orienté. Retirez-la."
                )
            )


def _controler_logement(logement: LogementExamine, jour: date) -> None:
    regles = [c.regle() for c in logement.candidatures]
    par_cle = {c.passage.pk: c for c in logement.candidatures}
    anomalies = (
        *controler_nombre(len(regles), logement.ligne.motif_candidatures_id is not None),
        *controler_decisions(regles, jour),
    )
    logement.a_decider = all(a.champ in (Champ.DECISION, Champ.CANDIDATURES) for a in anomalies) and any(
        not c.decision for c in regles
    )
    for anomalie in anomalies:
        _placer(anomalie, logement, par_cle)
    for cle in cles_au_rang_fautif(regles):
        par_cle[cle].champs_fautifs.add(Champ.RANG)
    if logement.liberation.annulee_le:
        logement.erreurs.append("La libération est annulée : retirez ce logement de l’ordre du jour.")
        logement.a_decider = False
    elif logement.liberation.usage == Usage.URGENCE_PREFECTORALE:
        logement.erreurs.append(
            typographier("Le préfet a désigné ce logement d’urgence : retirez-le de l’ordre du jour.")
        )
        logement.a_decider = False
    for candidature in logement.candidatures:
        _controler_label(candidature, jour)
    _controler_contingent(logement)


def _placer(anomalie: Anomalie, logement: LogementExamine, par_cle: dict[int, LigneCandidature]) -> None:
    if anomalie.cle is None:
        logement.erreurs.append(anomalie.phrase)
        return
    candidature = par_cle[anomalie.cle]
    candidature.erreurs.append(anomalie.phrase)
    if candidature.passage.decision:  # a decision to come is no fault
        candidature.champs_fautifs.add(anomalie.champ)


def _controler_attribue(logement: LogementExamine, attribution: Attribution | None) -> None:
    """One live attribution per dwelling: what another commission attributed is not attributed again (chapter 8)."""
    if attribution is None:
        return
    phrase = f"Ce logement est déjà attribué par la CALEOL du {date_fr(attribution.date_caleol)}"
    if attribution.menage is not None:
        phrase += f" (demande {attribution.menage})"
    if all(c.passage.decision in REFUS for c in logement.candidatures):
        logement.notes.append(f"{phrase}.")
        return
    logement.erreurs.insert(
        0, typographier(f"{phrase} : retirez-le de l’ordre du jour, ou n’attribuez à personne (d ou e).")
    )
    logement.a_decider = False


def _controler_label(candidature: LigneCandidature, jour: date) -> None:
    """A label counts if it was valid on that day (PACA 3): a later one asks for an exception of the DDETS."""
    label, passage = candidature.label, candidature.passage
    if label.ensuite is None or passage.decision in REFUS or not passage.decision:
        return
    candidature.points.append(
        typographier(
            f"Le label de la demande {candidature.nom} date du {date_fr(label.ensuite)}, après la commission du "
            f"{date_fr(jour)} : il ne compte pas, sauf exception motivée de la DDETS."
        )
    )


def _controler_contingent(logement: LogementExamine) -> None:
    """All attributions of the État's contingent go to priority households or agents (chapter 6)."""
    reservataire, servie = logement.liberation.reservataire, logement.servie
    liberation = logement.liberation
    if servie is None or liberation.usage != Usage.FLUX or not liberation.dans_assiette:
        return
    if reservataire is None:
        logement.points.append("Ce logement n’est orienté vers personne : il comptera au bailleur.")
    elif (
        reservataire.type in (TypeOrganisation.DDETS, TypeOrganisation.PREFECTURE)
        and liberation.designation_echouee_le is None
        and servie.label.groupe is None
        and not servie.passage.agent
        and servie.label.ensuite is None
    ):
        servie.points.append(
            typographier(
                f"Contingent de l’État : la demande {servie.nom} n’a pas de label, elle comptera « autre »."
            )
        )


def _controler_motifs(seance: Seance) -> None:
    """The exceptions to three candidatures are the law's: their facts are looked at."""
    adaptes = _plai_adaptes(
        x.liberation
        for x in seance.logements
        if x.ligne.motif_candidatures and x.ligne.motif_candidatures.code == "C_PLAI_ADAPTE"
    )
    for logement in seance.logements:
        motif = logement.ligne.motif_candidatures
        if motif is None or not logement.candidatures or len(logement.candidatures) >= 3:
            continue
        if motif.code == "C_PLAI_ADAPTE" and logement.liberation.cle_logement not in adaptes:
            logement.points.append("Ce logement n’est pas signalé comme PLAI adapté dans votre parc.")
        if motif.code == "C_DALO" and all(c.label.groupe != 1 for c in logement.candidatures):
            logement.points.append(
                typographier(
                    "Motif « ménage DALO désigné par le préfet » : aucune demande n’est du groupe 1 ce jour-là."
                )
            )


def _plai_adaptes(liberations: Iterable) -> set[str]:
    cles = {(x.bailleur_id, x.cle_logement) for x in liberations}
    if not cles:
        return set()
    return set(
        Logement.objects.filter(
            bailleur__in={bailleur for bailleur, _ in cles},
            cle__in={cle for _, cle in cles},
            drapeaux__contains=[PLAI_ADAPTE],
        ).values_list("cle", flat=True)
    )


def _controler_menages(seance: Seance) -> None:
    """The same household served first for two dwellings would hold one of them for nothing."""
    servis = defaultdict(list)
    for logement in seance.logements:
        if logement.servie:
            servis[logement.servie.passage.menage_id].append(logement)
    for logements in servis.values():
        for logement in logements[1:]:
            logement.servie.points.append(
                typographier(
                    f"La demande {logement.servie.nom} est aussi servie pour "
                    f"{logements[0].liberation.reference}."
                )
            )
