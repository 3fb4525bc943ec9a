"""After the CALEOL: offer, answer within ten days, next rank, suspensive condition, lease; and taking an act back.

An attribution that ends (refusal, silence, missing documents, expired condition) makes room for the next rank of the
same commission, which is served at once, under the same date: the decision was made that day (domain, chapter 8).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from flux.models import (
    Attribution,
    CodeMotif,
    Liberation,
    MotifRefus,
    Passage,
)
from flux.regles.offre import (
    condition_expiree,
    dernier_jour_pour_repondre,
    silence_vaut_refus,
)
from publics.models import Menage
from reservation import contexte
from reservation.acteur import Acteur
from reservation.regles.typographie import date_fr

from .actes import conclure, enregistrer, exiger, exiger_motif, verrouiller

# Reasons that an act of its own says: they are not chosen in a list.
SANS_REPONSE, PIECES_MANQUANTES, CONDITION_EXPIREE = "M_SANS_REPONSE", "M_PIECES", "PIECES_NON_PRODUITES"
ANNULEE = "Cette libération est annulée."


@transaction.atomic
def enregistrer_attribution(
    acteur: Acteur,
    liberation: Liberation,
    *,
    date_caleol: date,
    menage: Menage | None = None,
    date_proposition: date | None = None,
    statut_emploi: str = Attribution.StatutEmploi.AUTRE,
    motif_hors_prioritaire: str = "",
    agent: bool = False,
    agent_valide_le: date | None = None,
    agent_adapte: bool = False,
    passage: Passage | None = None,
) -> Attribution:
    """The decision of the CALEOL to attribute. It counts from that day, lease or not (PACA, art. 1).

    `passage`: the candidature that it serves, when the commission was entered.
    """
    liberation = verrouiller(acteur, liberation)
    exiger(liberation.annulee_le is None, ANNULEE)
    exiger(
        date_proposition is None or date_proposition <= date_caleol,
        "La proposition précède la CALEOL.",
    )
    attribution = Attribution(
        bailleur_id=liberation.bailleur_id,
        departement_id=liberation.departement_id,
        liberation=liberation,
        passage=passage,
        menage=menage,
        date_proposition=date_proposition,
        date_caleol=date_caleol,
        statut_emploi=statut_emploi,
        motif_hors_prioritaire=motif_hors_prioritaire,
        agent=agent,
        agent_valide_le=agent_valide_le,
        agent_adapte=agent_adapte,
        cree_par_id=acteur.utilisateur_id,
    )
    enregistrer(attribution)
    conclure(liberation, f"Attribution du {date_fr(date_caleol)}")
    return attribution


# --- The offer and its answer -------------------------------------------------------------------------------


@transaction.atomic
def notifier_offre(acteur: Acteur, attribution: Attribution, *, date: date) -> Attribution:
    """The household is told in writing; its ten days run from that day (R. 441-10)."""
    liberation = _reprendre(acteur, attribution)
    exiger(attribution.offre_le is None, "L’offre est déjà notifiée.")
    exiger(attribution.date_bail is None, "Le bail est signé : il n’y a plus d’offre à notifier.")
    _exiger_sans_condition(attribution)
    exiger(
        date >= attribution.date_caleol,
        f"L’offre suit la CALEOL, qui est du {date_fr(attribution.date_caleol)}.",
    )
    _exiger_passe(date, "L’offre")
    attribution.offre_le = date
    enregistrer(attribution)
    conclure(liberation, f"Offre du {date_fr(date)}")
    return attribution


@transaction.atomic
def accepter_offre(acteur: Acteur, attribution: Attribution, *, date: date) -> Attribution:
    """The household says yes. A yes after its ten days is a yes, as long as nobody recorded its silence."""
    liberation = _reprendre(acteur, attribution)
    exiger(attribution.acceptee_le is None, "L’acceptation est déjà enregistrée.")
    exiger(attribution.date_bail is None, "Le bail est signé : l’acceptation va de soi.")
    exiger(attribution.offre_le is not None, "Notifiez d’abord l’offre : l’acceptation y répond.")
    exiger(
        date >= attribution.offre_le,
        f"L’acceptation suit l’offre, qui est du {date_fr(attribution.offre_le)}.",
    )
    _exiger_passe(date, "L’acceptation")
    attribution.acceptee_le = date
    enregistrer(attribution)
    conclure(liberation, f"Offre acceptée le {date_fr(date)}")
    return attribution


@transaction.atomic
def refuser_attribution(
    acteur: Acteur, attribution: Attribution, *, date: date, motif: MotifRefus, servir_suivant: bool = True
) -> Attribution:
    """The household refuses: the attribution stays and still counts, until another one follows it.

    `servir_suivant`: serve the next rank at once; an import that brings the next attribution itself does not.
    """
    liberation = _reprendre(acteur, attribution)
    exiger(motif.porteur == MotifRefus.Porteur.MENAGE, "Ce motif n’est pas un motif de refus du ménage.")
    exiger(motif.code != SANS_REPONSE or attribution.acceptee_le is None, "Le ménage a accepté cette offre.")
    if motif.code == SANS_REPONSE:
        _exiger_silence(attribution, date)
    _clore(acteur, liberation, attribution, date, motif, "refusée par le ménage", servir_suivant)
    return attribution


@transaction.atomic
def constater_silence(acteur: Acteur, attribution: Attribution, *, date: date) -> Attribution:
    """No answer in ten days is a refusal (R. 441-10): only once they are over."""
    return refuser_attribution(acteur, attribution, date=date, motif=_motif(SANS_REPONSE))


def _exiger_silence(attribution: Attribution, jour: date) -> None:
    exiger(
        attribution.offre_le is not None,
        "Notifiez d’abord l’offre : les dix jours courent de sa notification.",
    )
    limite = dernier_jour_pour_repondre(attribution.offre_le)
    exiger(
        silence_vaut_refus(attribution.offre_le, jour),
        f"Le ménage a jusqu’au {date_fr(limite)} inclus pour répondre : son silence se constate à partir du lendemain.",
    )


@transaction.atomic
def constater_pieces_manquantes(acteur: Acteur, attribution: Attribution, *, date: date) -> Attribution:
    """The household did not hand in what was asked: a refusal of its own kind (domain, chapter 8)."""
    return refuser_attribution(acteur, attribution, date=date, motif=_motif(PIECES_MANQUANTES))


# --- The suspensive condition -------------------------------------------------------------------------------


@transaction.atomic
def lever_condition(acteur: Acteur, attribution: Attribution, *, date: date) -> Attribution:
    """The document came in time: the attribution is as any other."""
    liberation = _reprendre(acteur, attribution)
    passage = _conditionnel(attribution)
    exiger(
        date <= passage.condition_echeance,
        f"La pièce était attendue le {date_fr(passage.condition_echeance)} au plus tard : constatez l’échéance.",
    )
    exiger(date >= attribution.date_caleol, "La pièce suit la décision de la CALEOL.")
    _exiger_passe(date, "La remise de la pièce")
    passage.condition_levee_le = date
    enregistrer(passage)
    conclure(liberation, f"Condition levée le {date_fr(date)}")
    return attribution


@transaction.atomic
def constater_condition_expiree(acteur: Acteur, attribution: Attribution, *, date: date) -> Attribution:
    """The document did not come in time: the attribution ends, by the decision of the CALEOL itself."""
    liberation = _reprendre(acteur, attribution)
    passage = _conditionnel(attribution)
    exiger(
        condition_expiree(passage.condition_echeance, passage.condition_levee_le, date),
        f"La pièce peut arriver jusqu’au {date_fr(passage.condition_echeance)} inclus : l’échéance se constate à "
        "partir du lendemain.",
    )
    _clore(acteur, liberation, attribution, date, _motif(CONDITION_EXPIREE), "sans la pièce attendue")
    return attribution


def _conditionnel(attribution: Attribution) -> Passage:
    passage = attribution.passage
    exiger(
        passage is not None and passage.decision == Passage.Decision.ATTRIBUTION_CONDITION,
        "Cette attribution n’a pas de condition suspensive.",
    )
    exiger(passage.condition_levee_le is None, "La condition est déjà levée.")
    return passage


def _exiger_sans_condition(attribution: Attribution) -> None:
    passage = attribution.passage
    exiger(
        passage is None
        or passage.decision != Passage.Decision.ATTRIBUTION_CONDITION
        or passage.condition_levee_le is not None,
        "L’attribution est sous condition suspensive : attendez la pièce, ou constatez l’échéance.",
    )


# --- The lease ----------------------------------------------------------------------------------------------


@transaction.atomic
def enregistrer_bail(acteur: Acteur, attribution: Attribution, *, date: date) -> Attribution:
    """The lease, the later event: it makes an agent of the État count, and what conventions that count leases say.

    Who signs has accepted: the steps between are not asked again when nobody recorded them.
    """
    liberation = verrouiller(acteur, attribution.liberation)
    attribution.refresh_from_db()
    exiger(liberation.annulee_le is None, ANNULEE)
    _exiger_sans_condition(attribution)
    for jour, quoi in ((attribution.offre_le, "l’offre"), (attribution.acceptee_le, "l’acceptation")):
        exiger(jour is None or date >= jour, f"Le bail suit {quoi}, qui est du {date_fr(jour or date)}.")
    attribution.date_bail = date
    enregistrer(attribution)
    conclure(liberation, f"Bail du {date_fr(date)}")
    return attribution


# --- The next rank ------------------------------------------------------------------------------------------


def rang_suivant(attribution: Attribution) -> Passage | None:
    """The candidature to serve after this attribution: next rank of its commission, never served yet."""
    passage = attribution.passage
    if passage is None:
        return None
    return (
        Passage.objects.filter(
            commission=passage.commission_id,
            liberation=passage.liberation_id,
            decision=Passage.Decision.ATTRIBUTION_RANG,
            rang__gt=passage.rang or 0,
            attribution=None,
        )
        .order_by("rang")
        .first()
    )


def _servir(acteur: Acteur, liberation: Liberation, passage: Passage, date_caleol: date) -> Attribution:
    suivante = Attribution(
        bailleur_id=liberation.bailleur_id,
        departement_id=liberation.departement_id,
        liberation=liberation,
        passage=passage,
        menage_id=passage.menage_id,
        date_proposition=passage.date_proposition,
        date_caleol=date_caleol,
        statut_emploi=passage.statut_emploi,
        agent=passage.agent,
        agent_valide_le=passage.agent_valide_le,
        agent_adapte=passage.agent_adapte,
        cree_par_id=acteur.utilisateur_id,
    )
    enregistrer(suivante)
    return suivante


def _clore(
    acteur: Acteur,
    liberation: Liberation,
    attribution: Attribution,
    date: date,
    motif: MotifRefus,
    comment: str,
    servir_suivant: bool = True,
) -> None:
    """End an attribution, and serve the next rank where there is one."""
    exiger(attribution.date_bail is None, "Le bail est signé : l’attribution ne peut plus être refusée.")
    exiger(
        date >= attribution.date_caleol,
        f"Le refus suit la CALEOL, qui est du {date_fr(attribution.date_caleol)}.",
    )
    exiger(
        attribution.offre_le is None or date >= attribution.offre_le,
        f"Le refus suit l’offre, qui est du {date_fr(attribution.offre_le or date)}.",
    )
    _exiger_passe(date, "Le refus")
    attribution.refusee_le, attribution.motif_refus = date, motif
    enregistrer(attribution)
    passage = rang_suivant(attribution) if servir_suivant else None
    if passage is not None:
        _servir(acteur, liberation, passage, attribution.date_caleol)
    conclure(liberation, f"Attribution du {date_fr(attribution.date_caleol)} {comment}")


# --- Taking the last act back -------------------------------------------------------------------------------


class ActeDefait(StrEnum):
    """What can be taken back, the last thing only."""

    BAIL = "BAIL"
    ACCEPTATION = "ACCEPTATION"
    OFFRE = "OFFRE"
    CONDITION = "CONDITION"
    REFUS = "REFUS"
    ATTRIBUTION = "ATTRIBUTION"


@dataclass(frozen=True, slots=True)
class DernierActe:
    """`attribution`: the one that the act bears on. `suivante`: served because of it, and taken off with it."""

    acte: ActeDefait
    phrase: str
    attribution: Attribution
    suivante: Attribution | None = None


def dernier_acte(attributions: "list[Attribution]") -> DernierActe | None:
    """The last act of a libération that may be taken back; None: there is none, or it is that of a commission.

    `attributions`: all of them in the order in which they were served, with their passages.
    """
    if not attributions:
        return None
    derniere = attributions[-1]
    passage = derniere.passage
    levee = passage.condition_levee_le if passage else None
    if derniere.refusee_le:
        return DernierActe(ActeDefait.REFUS, f"refus du {date_fr(derniere.refusee_le)}", derniere)
    if derniere.date_bail:
        return DernierActe(ActeDefait.BAIL, f"bail du {date_fr(derniere.date_bail)}", derniere)
    if derniere.acceptee_le:
        return DernierActe(
            ActeDefait.ACCEPTATION, f"acceptation du {date_fr(derniere.acceptee_le)}", derniere
        )
    if derniere.offre_le:  # a condition is lifted before the offer
        return DernierActe(ActeDefait.OFFRE, f"offre du {date_fr(derniere.offre_le)}", derniere)
    if levee:
        return DernierActe(ActeDefait.CONDITION, f"condition levée le {date_fr(levee)}", derniere)
    precedente = attributions[-2] if len(attributions) > 1 else None
    if passage is None:
        return DernierActe(
            ActeDefait.ATTRIBUTION, f"attribution du {date_fr(derniere.date_caleol)}", derniere
        )
    if precedente and precedente.passage and precedente.passage.commission_id == passage.commission_id:
        phrase = f"refus du {date_fr(precedente.refusee_le)}, et rang {passage.rang} servi après lui"
        return DernierActe(ActeDefait.REFUS, phrase, precedente, derniere)
    return None


@transaction.atomic
def defaire_dernier_acte(acteur: Acteur, liberation: Liberation, *, motif: CodeMotif) -> DernierActe:
    """Take the last act back, with a coded reason: the row is as it was before, the trace keeps both."""
    liberation = verrouiller(acteur, liberation)
    exiger(liberation.annulee_le is None, ANNULEE)
    exiger_motif(motif, CodeMotif.Acte.CORRECTION)
    attributions = list(liberation.attributions.select_related("passage").order_by("date_caleol", "pk"))
    dernier = dernier_acte(attributions)
    exiger(
        dernier is not None,
        "Rien à reprendre ici : la décision d’une commission se reprend en rouvrant la commission.",
    )
    contexte.motiver(motif.libelle)
    attribution = dernier.attribution
    annees = {
        jour.year for a in attributions for jour in (a.date_caleol, a.date_bail) if jour
    }  # of rows that are about to go
    if dernier.suivante is not None:
        _retirer(dernier.suivante)
    match dernier.acte:
        case ActeDefait.BAIL:
            attribution.date_bail = None
        case ActeDefait.ACCEPTATION:
            attribution.acceptee_le = None
        case ActeDefait.OFFRE:
            attribution.offre_le = None
        case ActeDefait.CONDITION:
            attribution.passage.condition_levee_le = None
            enregistrer(attribution.passage)
        case ActeDefait.REFUS:
            exiger(
                liberation.designation_echouee_le is None,
                "L’échec de la désignation a été constaté depuis ce refus.",
            )
            attribution.refusee_le, attribution.motif_refus = None, None
    if dernier.acte == ActeDefait.ATTRIBUTION:
        _retirer(attribution)
    else:
        enregistrer(attribution)
    conclure(liberation, f"Repris : {dernier.phrase}"[:200], annees)
    return dernier


def _retirer(attribution: Attribution) -> None:
    """An attribution by which the préfet discharged a debt stays: an entry of the ledger is never erased."""
    try:
        attribution.delete()
    except ProtectedError:
        exiger(
            False,
            "Cette attribution décharge une dette du registre, tenu par la DDETS : elle ne se reprend pas ici.",
        )


# --- Shared -------------------------------------------------------------------------------------------------


def _reprendre(acteur: Acteur, attribution: Attribution) -> Liberation:
    """Lock the libération, read the attribution again: it must be the one under way."""
    liberation = verrouiller(acteur, attribution.liberation)
    attribution.refresh_from_db()
    exiger(liberation.annulee_le is None, ANNULEE)
    exiger(attribution.refusee_le is None, "Cette attribution est déjà refusée.")
    return liberation


def _exiger_passe(jour: date, quoi: str) -> None:
    exiger(jour <= timezone.localdate(), f"{quoi} porte une date à venir : indiquez le jour où c’est arrivé.")


def _motif(code: str) -> MotifRefus:
    motif = MotifRefus.objects.filter(code=code).first()
    exiger(motif is not None, f"Le motif {code} manque à la nomenclature.")
    return motif
