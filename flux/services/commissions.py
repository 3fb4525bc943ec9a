"""The life of a commission: planned, its agenda and candidatures, decisions line by line, closed, reopened, cancelled.

Every verb locks the commission first, then the libérations in the order of their keys: two commissions on the same
dwelling wait for each other, and only one of them attributes it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils import timezone

from flux.models import (
    Attribution,
    Candidat,
    CodeMotif,
    Commission,
    Designation,
    EvenementCommission,
    Liberation,
    LigneOrdreDuJour,
    MotifRefus,
    Passage,
    ProcesVerbal,
    StatutEmploi,
    Usage,
)
from flux.regles.commission import Decision
from publics.services.menages import retrouver_menage
from reservation import contexte
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation
from reservation.regles.typographie import date_fr, enumerer, typographier
from reservation.services.assistances import exiger_hors_assistance

from .actes import conclure, enregistrer, exiger
from .actes_commission import noter, verrouiller_commission
from .attributions import enregistrer_attribution
from .contingents import fixer_les_contingents
from .convocations import prevenir_d_un_changement, prevenir_de_l_annulation
from .file_de_calcul import marquer_a_calculer
from .proces_verbaux import produire_proces_verbal
from .seances import lire_seance

Evenement = EvenementCommission.Nature


class PointsAConfirmer(ValidationError):
    """The commission can be closed, once these points are confirmed: `messages` are what the person did not see."""


@transaction.atomic
def planifier_commission(
    acteur: Acteur,
    bailleur: Organisation,
    departement: Departement,
    *,
    date: date,
    heure: time,
    dematerialisee: bool = False,
    lieu: str = "",
    date_fin: date | None = None,
    heure_fin: time | None = None,
) -> Commission:
    """Plan a meeting, or a window that is open until `date_fin`, `heure_fin`."""
    if not (
        acteur.systeme
        or (acteur.est_bailleur and acteur.peut_gerer and acteur.organisation_id == bailleur.pk)
    ):
        raise PermissionDenied("Seul le bailleur planifie ses commissions.")
    commission = Commission(bailleur=bailleur, departement=departement)
    _situer(commission, date, heure, dematerialisee, lieu, date_fin, heure_fin)
    enregistrer(commission)
    noter(acteur, commission, Evenement.CREATION)
    return commission


def _situer(
    commission: Commission,
    date: date,
    heure: time,
    dematerialisee: bool,
    lieu: str,
    date_fin: date | None,
    heure_fin: time | None,
) -> None:
    commission.date, commission.heure, commission.dematerialisee = date, heure, dematerialisee
    if dematerialisee:
        exiger(
            date_fin is not None and heure_fin is not None,
            "Une commission dématérialisée dit quand sa fenêtre se ferme.",
        )
        commission.lieu, commission.date_fin, commission.heure_fin = "", date_fin, heure_fin
    else:
        exiger(bool(lieu.strip()), "Une réunion dit où elle se tient.")
        commission.lieu, commission.date_fin, commission.heure_fin = lieu.strip(), None, heure_fin
    exiger(
        commission.fin is None or commission.fin > commission.debut,
        "La fin de la commission suit son début.",
    )


def _ouverte(acteur: Acteur, commission: Commission) -> Commission:
    commission = verrouiller_commission(acteur, commission)
    exiger(
        commission.ouverte,
        f"Cette commission est {commission.get_etat_display()} : rien ne s’y saisit plus.",
    )
    return commission


@transaction.atomic
def modifier_commission(
    acteur: Acteur,
    commission: Commission,
    *,
    date: date,
    heure: time,
    dematerialisee: bool = False,
    lieu: str = "",
    date_fin: date | None = None,
    heure_fin: time | None = None,
) -> Commission:
    """Another day, hour or place. A DDETS that was convened is told at once: its calendar entry is updated."""
    commission = _ouverte(acteur, commission)
    avant = _faits_de_la_seance(commission)
    _situer(commission, date, heure, dematerialisee, lieu, date_fin, heure_fin)
    if _faits_de_la_seance(commission) == avant:
        return commission
    enregistrer(commission)
    if commission.etat == Commission.Etat.CONVOQUEE:
        prevenir_d_un_changement(acteur, commission)
        noter(acteur, commission, Evenement.MISE_A_JOUR)
    return commission


def _faits_de_la_seance(commission: Commission) -> tuple:
    return (
        commission.date,
        commission.heure,
        commission.dematerialisee,
        commission.lieu,
        commission.date_fin,
        commission.heure_fin,
    )


@transaction.atomic
def annuler_commission(acteur: Acteur, commission: Commission, *, motif: str) -> Commission:
    """It will not take place: its dwellings are free for another one, and the DDETS is told."""
    exiger_hors_assistance(acteur)
    commission = _ouverte(acteur, commission)
    exiger(bool(motif.strip()), "L’annulation d’une commission demande un motif.")
    exiger(
        not commission.passages.exclude(decision="").exists(),
        "Des décisions sont saisies : effacez-les avant d’annuler la commission.",
    )
    contexte.motiver(motif)
    if commission.etat == Commission.Etat.CONVOQUEE:
        prevenir_de_l_annulation(acteur, commission)
    commission.passages.all().delete()
    commission.lignes.all().delete()
    commission.etat = Commission.Etat.ANNULEE
    enregistrer(commission)
    noter(acteur, commission, Evenement.ANNULATION, motif=motif.strip())
    return commission


# --- Agenda and candidatures --------------------------------------------------------------------------------------


def liberations_a_examiner(commission: Commission):
    """Dwellings of the bailleur in the département that wait for a commission: free, in no live attribution, not on
    this agenda. Those on another open agenda stay: the first commission closed attributes them."""
    return (
        Liberation.objects.filter(
            bailleur=commission.bailleur_id, departement=commission.departement_id, annulee_le=None
        )
        .exclude(usage=Usage.URGENCE_PREFECTORALE)
        .exclude(attributions__in=Attribution.objects.filter(refusee_le=None))
        .exclude(lignes_ordre_du_jour__commission=commission)
    )


def commissions_pour(liberation: Liberation):
    """Open commissions that could examine this dwelling: those of its bailleur in its département, nearest first."""
    return (
        Commission.objects.filter(
            bailleur=liberation.bailleur_id,
            departement=liberation.departement_id,
            etat__in=Commission.OUVERTES,
        )
        .exclude(lignes__liberation=liberation)
        .order_by("date", "pk")
    )


@transaction.atomic
def inscrire_logements(
    acteur: Acteur, commission: Commission, liberations: Iterable[Liberation]
) -> list[LigneOrdreDuJour]:
    """Put freed dwellings on the agenda, after those that are there, with the households proposed for them."""
    commission = _ouverte(acteur, commission)
    demandees = {liberation.pk for liberation in liberations}
    possibles = list(liberations_a_examiner(commission).filter(pk__in=demandees).order_by("date", "pk"))
    exiger(
        len(possibles) == len(demandees),
        "Un de ces logements est déjà attribué, annulé, ou à l’ordre du jour : relisez la liste.",
    )
    dernier = commission.lignes.aggregate(dernier=Max("rang"))["dernier"] or 0
    _presenter_les_candidats(acteur, commission, possibles)
    return LigneOrdreDuJour.objects.bulk_create(
        LigneOrdreDuJour(
            bailleur_id=commission.bailleur_id,
            departement_id=commission.departement_id,
            commission=commission,
            liberation=liberation,
            rang=rang,
        )
        for rang, liberation in enumerate(possibles, dernier + 1)
    )


def _presenter_les_candidats(
    acteur: Acteur, commission: Commission, liberations: Collection[Liberation]
) -> None:
    """The households that the réservataires proposed and that no commission has examined for that dwelling."""
    examines = Passage.objects.filter(
        ~Q(commission__etat=Commission.Etat.ANNULEE),
        liberation=OuterRef("liberation"),
        menage=OuterRef("menage"),
    )
    candidats = Candidat.objects.filter(
        ~Exists(examines),
        liberation__in=liberations,
        propose_le__lte=commission.date,
        # Those of a designation that failed, or that another orientation replaced, stay with who proposed them.
        designation__etat=Designation.Etat.PROPOSEE,
        reservataire=F("liberation__reservataire"),
    )
    premiers = {(c.liberation_id, c.menage_id): c for c in candidats.order_by("-propose_le", "-pk")}
    Passage.objects.bulk_create(
        Passage(
            bailleur_id=commission.bailleur_id,
            departement_id=commission.departement_id,
            commission=commission,
            liberation_id=candidat.liberation_id,
            menage_id=candidat.menage_id,
            date_proposition=candidat.propose_le,
            definitif=False,
            modifie_par_id=acteur.utilisateur_id,
        )
        for candidat in sorted(premiers.values(), key=lambda c: c.pk)
    )


@transaction.atomic
def retirer_logement(acteur: Acteur, ligne: LigneOrdreDuJour) -> None:
    """Take a dwelling off the agenda, with its candidatures, as long as none of them is decided."""
    commission = _ouverte(acteur, ligne.commission)
    passages = commission.passages.filter(liberation=ligne.liberation_id)
    exiger(
        not passages.exclude(decision="").exists(),
        "Des décisions sont saisies pour ce logement : effacez-les avant de le retirer.",
    )
    passages.delete()
    ligne.delete()


@transaction.atomic
def deplacer_logement(acteur: Acteur, ligne: LigneOrdreDuJour, *, vers_le_haut: bool) -> None:
    """Change places with the dwelling just before, or just after."""
    commission = _ouverte(acteur, ligne.commission)
    lignes = list(commission.lignes.order_by("rang", "pk"))
    place = next(i for i, x in enumerate(lignes) if x.pk == ligne.pk)
    autre = place - 1 if vers_le_haut else place + 1
    if not 0 <= autre < len(lignes):
        return
    lignes[place], lignes[autre] = lignes[autre], lignes[place]
    for rang, x in enumerate(lignes, 1):
        x.rang = rang
    LigneOrdreDuJour.objects.bulk_update(lignes, ["rang"])


@transaction.atomic
def motiver_candidatures(
    acteur: Acteur, ligne: LigneOrdreDuJour, *, motif: CodeMotif | None
) -> LigneOrdreDuJour:
    """Why a dwelling has fewer than three candidatures (R. 441-3); None takes the reason back."""
    _ouverte(acteur, ligne.commission)
    exiger(
        motif is None or motif.acte == CodeMotif.Acte.CANDIDATURES,
        "Ce motif n’explique pas un nombre de candidatures.",
    )
    ligne.motif_candidatures = motif
    enregistrer(ligne)
    return ligne


@transaction.atomic
def ajouter_candidature(
    acteur: Acteur,
    ligne: LigneOrdreDuJour,
    *,
    numero_unique: str,
    date_proposition: date | None = None,
    statut_emploi: str = StatutEmploi.AUTRE,
    agent: bool = False,
    agent_valide_le: date | None = None,
    agent_adapte: bool = False,
) -> Passage:
    """A household is presented for a dwelling. Its number is hashed; nothing of it is shown back but its end."""
    commission = _ouverte(acteur, ligne.commission)
    exiger(
        date_proposition is None or date_proposition <= commission.date,
        f"La proposition précède la CALEOL, qui est du {date_fr(commission.date)}.",
    )
    menage = retrouver_menage(numero_unique, commission.departement_id)
    exiger(
        not commission.passages.filter(liberation=ligne.liberation_id, menage=menage).exists(),
        "Ce ménage est déjà examiné pour ce logement dans cette commission.",
    )
    passage = Passage(
        bailleur_id=commission.bailleur_id,
        departement_id=commission.departement_id,
        commission=commission,
        liberation_id=ligne.liberation_id,
        menage=menage,
        date_proposition=date_proposition,
        statut_emploi=statut_emploi,
        agent=agent,
        agent_valide_le=agent_valide_le if agent else None,
        agent_adapte=agent and agent_adapte,
        definitif=False,
        modifie_par_id=acteur.utilisateur_id,
    )
    enregistrer(passage)
    return passage


@transaction.atomic
def retirer_candidature(acteur: Acteur, passage: Passage) -> None:
    """Take back a candidature that was entered by mistake, as long as it is not decided."""
    _ouverte(acteur, passage.commission)
    passage.refresh_from_db()
    exiger(passage.decision == "", "Cette candidature a une décision : effacez-la avant de la retirer.")
    passage.delete()


# --- Decisions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Saisie:
    """One line of the grid as it was typed. `revision`: the version of the line that the person saw."""

    passage: int
    decision: str = ""
    rang: int | None = None
    motif: MotifRefus | None = None
    piece: CodeMotif | None = None
    echeance: date | None = None
    revision: int | None = None


@dataclass
class Resultat:
    """`enregistrees`: lines that changed. `conflits`: lines that somebody else entered meanwhile, left as they were."""

    enregistrees: list[int] = field(default_factory=list)
    conflits: list[int] = field(default_factory=list)


CHAMPS_SAISIS = ("decision", "rang", "motif_id", "condition_piece_id", "condition_echeance")


@transaction.atomic
def enregistrer_decisions(acteur: Acteur, commission: Commission, saisies: Iterable[Saisie]) -> Resultat:
    """Keep lines of the grid, complete or not: what is missing or wrong is said beside, and prevents closing only.

    What does not go with a decision is left out: a rank is of b, a motive of d and e, a document of c.
    """
    commission = _ouverte(acteur, commission)
    par_passage = {saisie.passage: saisie for saisie in saisies}
    passages = commission.passages.filter(pk__in=par_passage).order_by("pk").select_for_update()
    resultat, changes = Resultat(), []
    for passage in passages:
        saisie = par_passage[passage.pk]
        avant = tuple(getattr(passage, champ) for champ in CHAMPS_SAISIS)
        apres = _faits_saisis(saisie)
        if apres == avant:
            continue
        if (
            saisie.revision is not None
            and saisie.revision != passage.revision
            and passage.modifie_par_id != acteur.utilisateur_id
        ):
            resultat.conflits.append(passage.pk)
            continue
        for champ, valeur in zip(CHAMPS_SAISIS, apres, strict=True):
            setattr(passage, champ, valeur)
        passage.definitif = False
        passage.revision += 1
        passage.modifie_par_id = acteur.utilisateur_id
        changes.append(passage)
    Passage.objects.bulk_update(changes, [*_noms(CHAMPS_SAISIS), "definitif", "revision", "modifie_par"])
    resultat.enregistrees = [passage.pk for passage in changes]
    return resultat


def _noms(attributs: Iterable[str]) -> list[str]:
    return [attribut.removesuffix("_id") for attribut in attributs]


def _faits_saisis(saisie: Saisie) -> tuple:
    """In the order of `CHAMPS_SAISIS`."""
    exiger(saisie.decision == "" or saisie.decision in frozenset(Decision), "Cette décision n’existe pas.")
    exiger(saisie.rang is None or saisie.rang >= 1, "Les rangs commencent à 1.")
    motif, piece = saisie.motif, saisie.piece
    exiger(
        motif is None or motif.porteur == MotifRefus.Porteur.CALEOL, "Ce motif n’est pas de la commission."
    )
    exiger(piece is None or piece.acte == CodeMotif.Acte.PIECE, "Cette pièce n’est pas dans la liste.")
    refus = saisie.decision in (Decision.NON_ATTRIBUTION, Decision.IRRECEVABLE)
    condition = saisie.decision == Decision.ATTRIBUTION_CONDITION
    return (
        saisie.decision,
        saisie.rang if saisie.decision == Decision.ATTRIBUTION_RANG else None,
        motif.pk if refus and motif else None,
        piece.pk if condition and piece else None,
        saisie.echeance if condition else None,
    )


# --- Closing and reopening ----------------------------------------------------------------------------------------


def cloturer_commission(
    acteur: Acteur, commission: Commission, *, points_confirmes: Sequence[str] = ()
) -> ProcesVerbal:
    """The act that attributes: each dwelling goes to the household served first, and the decisions are frozen.

    `points_confirmes`: what the person was told and confirmed; another one that appeared meanwhile stops the act.
    The procès-verbal is made after, without holding any lock.
    """
    commission = _cloturer(acteur, commission, points_confirmes)
    return produire_proces_verbal(acteur, commission)


@transaction.atomic
def _cloturer(acteur: Acteur, commission: Commission, points_confirmes: Sequence[str]) -> Commission:
    exiger_hors_assistance(acteur)
    commission = _ouverte(acteur, commission)
    exiger(
        commission.date <= timezone.localdate(),
        f"La commission est du {date_fr(commission.date)} : elle ne peut pas être close avant.",
    )
    _verrouiller_liberations(
        Q(lignes_ordre_du_jour__commission=commission) | Q(passages__commission=commission)
    )
    seance = lire_seance(commission)
    exiger(bool(seance.logements), "Aucun logement n’est à l’ordre du jour : annulez la commission.")
    if seance.erreurs:
        raise ValidationError([f"{x.liberation.reference}. {phrase}" for x, phrase, _ in seance.erreurs])
    if nouveaux := [point for point in seance.a_confirmer if point not in set(points_confirmes)]:
        raise PointsAConfirmer(nouveaux)
    # Whose contingent the decisions are is settled that day, whatever the orientation was when they were entered.
    fixer_les_contingents(commission.passages.all())
    commission.passages.update(definitif=True)
    for logement in sorted(seance.logements, key=lambda x: x.liberation.pk):
        if logement.servie:
            _attribuer(acteur, commission, logement.liberation, logement.servie.passage)
    commission.etat = Commission.Etat.CLOSE
    commission.close_le, commission.close_par_id = timezone.now(), acteur.utilisateur_id
    enregistrer(commission)
    noter(acteur, commission, Evenement.CLOTURE, points=seance.a_confirmer)
    return commission


def _verrouiller_liberations(condition: Q) -> list[Liberation]:
    """In the order of their keys, so that two commissions on the same dwellings wait instead of blocking each other."""
    cibles = Liberation.objects.filter(condition).order_by().values("pk")
    return list(Liberation.objects.filter(pk__in=cibles).order_by("pk").select_for_update(of=("self",)))


def _attribuer(acteur: Acteur, commission: Commission, liberation: Liberation, passage: Passage) -> None:
    enregistrer_attribution(
        acteur,
        liberation,
        date_caleol=commission.date,
        menage=passage.menage,
        date_proposition=passage.date_proposition,
        statut_emploi=passage.statut_emploi,
        agent=passage.agent,
        agent_valide_le=passage.agent_valide_le,
        agent_adapte=passage.agent_adapte,
        passage=passage,
    )


@transaction.atomic
def rouvrir_commission(acteur: Acteur, commission: Commission, *, motif: str) -> Commission:
    """Take a closing back, with a reason: its attributions are undone, its decisions can be entered again.

    Refused as soon as something followed: an offer, an answer, a condition that was met, a lease, the next rank, a label
    that the DDETS admitted.
    """
    exiger_hors_assistance(acteur)
    commission = verrouiller_commission(acteur, commission)
    exiger(commission.etat == Commission.Etat.CLOSE, "Cette commission n’est pas close.")
    exiger(bool(motif.strip()), "Rouvrir une commission demande un motif.")
    liberations = _verrouiller_liberations(Q(passages__commission=commission))
    faites = Attribution.objects.filter(passage__commission=commission)
    _exiger_sans_suite(commission, faites)
    contexte.motiver(motif)
    concernees = set(faites.values_list("liberation_id", flat=True))
    faites.delete()
    commission.passages.update(definitif=False)
    convoquee = commission.convocations.exists()
    commission.etat = Commission.Etat.CONVOQUEE if convoquee else Commission.Etat.PREPARATION
    commission.close_le = commission.close_par = None
    enregistrer(commission)
    noter(acteur, commission, Evenement.REOUVERTURE, motif=motif.strip())
    raison = f"CALEOL du {date_fr(commission.date)} rouverte"
    for liberation in liberations:
        if liberation.pk in concernees:
            conclure(liberation, raison)
    paire = (commission.bailleur_id, commission.departement_id)
    marquer_a_calculer({paire}, {commission.date.year}, raison)
    return commission


def _exiger_sans_suite(commission: Commission, faites) -> None:
    suivies = faites.filter(
        Q(offre_le__isnull=False)
        | Q(acceptee_le__isnull=False)
        | Q(refusee_le__isnull=False)
        | Q(date_bail__isnull=False)
        | Q(passage__condition_levee_le__isnull=False)
        | Q(labels_admis__isnull=False)
    )
    references = sorted(set(suivies.values_list("liberation__reference", flat=True)))
    if references:
        sujet = f"Ce qui a été décidé pour {enumerer(references)} a eu une suite"
        raise ValidationError(
            typographier(
                f"{sujet} (offre, réponse, pièce, bail, exception de la DDETS) : la commission ne peut plus être rouverte."
            )
        )
