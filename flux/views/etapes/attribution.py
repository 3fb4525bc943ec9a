"""After the decision: offer, ten days, answer, next rank, suspensive condition; the household list; taking back."""

from django.utils import timezone

from flux.forms_saisie import (
    FormulaireAcceptation,
    FormulaireConditionLevee,
    FormulaireConstat,
    FormulaireOffre,
    FormulaireRefus,
    FormulaireReprise,
)
from flux.models import Attribution, Passage
from flux.regles.offre import EtatOffre, condition_expiree, situation_offre
from flux.services import attributions
from flux.services.candidatures import lister_candidatures
from flux.views.actes import Acte, sur_l_attribution
from reservation.regles.typographie import typographier

from .base import Etape, EtatEtape, Situation

CONSTATS = {
    attributions.SANS_REPONSE: "Silence constaté",
    attributions.PIECES_MANQUANTES: "Pièces manquantes constatées",
    attributions.CONDITION_EXPIREE: "Échéance constatée",
}


def _suite_du_refus(attribution: Attribution) -> str:
    """What follows a refusal, or what is worth one: the next rank, already served, or nobody."""
    acte = CONSTATS.get(attribution.motif_refus.code, "Refus enregistré")
    suivante = (
        Attribution.objects.filter(liberation=attribution.liberation_id, refusee_le__isnull=True)
        .select_related("passage", "menage")
        .first()
    )
    if suivante is None or suivante.passage is None:
        return typographier(
            f"{acte} : l’attribution reste comptée jusqu’à la suivante. Aucun rang suivant à servir."
        )
    return typographier(
        f"{acte} : la demande {suivante.menage}, rang {suivante.passage.rang}, est servie. "
        "Notifiez-lui l’offre."
    )


ACTES = {
    "offre": Acte(
        "Notifier l’offre au ménage",
        "Enregistrer l’offre",
        FormulaireOffre,
        sur_l_attribution(attributions.notifier_offre),
        typographier("Offre enregistrée : le ménage a dix jours pour répondre."),
    ),
    "accepter": Acte(
        "Le ménage accepte",
        "Enregistrer l’acceptation",
        FormulaireAcceptation,
        sur_l_attribution(attributions.accepter_offre),
        typographier("Acceptation enregistrée : il reste le bail à signer."),
    ),
    "silence": Acte(
        "Le ménage n’a pas répondu dans les dix jours",
        "Constater le silence",
        FormulaireConstat,
        sur_l_attribution(attributions.constater_silence),
        _suite_du_refus,
    ),
    "refus": Acte(
        "Le ménage refuse ou renonce",
        "Enregistrer le refus",
        FormulaireRefus,
        sur_l_attribution(attributions.refuser_attribution),
        _suite_du_refus,
        secondaire=True,
    ),
    "pieces": Acte(
        "Le ménage n’a pas transmis les pièces demandées",
        "Constater les pièces manquantes",
        FormulaireConstat,
        sur_l_attribution(attributions.constater_pieces_manquantes),
        _suite_du_refus,
        secondaire=True,
    ),
    "lever": Acte(
        "La pièce attendue est arrivée",
        "Lever la condition",
        FormulaireConditionLevee,
        sur_l_attribution(attributions.lever_condition),
        typographier("Condition levée : notifiez l’offre au ménage."),
    ),
    "expirer": Acte(
        "La pièce n’est pas arrivée à l’échéance",
        "Constater l’échéance",
        FormulaireConstat,
        sur_l_attribution(attributions.constater_condition_expiree),
        _suite_du_refus,
    ),
    "defaire": Acte(
        "Revenir sur le dernier acte",
        "Revenir en arrière",
        FormulaireReprise,
        attributions.defaire_dernier_acte,
        lambda dernier: typographier(f"Repris : {dernier.phrase}. L’historique garde les deux."),
        secondaire=True,
    ),
}


def etape(situation: Situation) -> Etape | None:
    jour = timezone.localdate()
    candidatures = lister_candidatures(situation.acteur, situation.liberation, situation.attributions, jour)
    if not candidatures:
        return None
    vivante = situation.vivante
    offre = _situation(vivante, jour) if vivante else None
    dernier = attributions.dernier_acte(situation.attributions)
    actions = situation.actions(ACTES, _possibles(situation, offre, dernier))
    for rang, action in enumerate(actions):
        action.secondaire = action.secondaire or rang > 0  # one thing to do next, the others folded
        if action.nom == "defaire" and dernier is not None:
            action.titre = typographier(f"Revenir sur le dernier acte : {dernier.phrase}")
    return Etape(
        "attribution",
        _titre(vivante),
        EtatEtape.FAITE
        if vivante and offre.etat in (EtatOffre.ACCEPTEE, EtatOffre.BAIL)
        else EtatEtape.A_VENIR,
        _jour(vivante),
        {
            "candidatures": candidatures,
            "vivante": vivante,
            "offre": offre,
            "condition": _condition(vivante, jour),
            "acceptee": offre is not None and offre.etat in (EtatOffre.ACCEPTEE, EtatOffre.BAIL),
        },
        actions,
        entamee=True,
    )


def _situation(attribution: Attribution, jour):
    return situation_offre(
        offre_le=attribution.offre_le,
        acceptee_le=attribution.acceptee_le,
        refusee_le=attribution.refusee_le,
        date_bail=attribution.date_bail,
        jour=jour,
    )


def _titre(vivante: Attribution | None) -> str:
    if vivante is None:
        return "Aucune attribution en cours"
    return f"Attribuée à la demande {vivante.menage}" if vivante.menage_id else "Attribuée"


def _jour(vivante: Attribution | None):
    """The day of what was done last, before the lease."""
    return vivante and (vivante.acceptee_le or vivante.offre_le or vivante.date_caleol)


def _condition(vivante: Attribution | None, jour) -> dict | None:
    """The document that is still awaited: which, until when, and whether it is too late."""
    passage = vivante.passage if vivante else None
    if (
        passage is None
        or passage.decision != Passage.Decision.ATTRIBUTION_CONDITION
        or passage.condition_levee_le is not None
    ):
        return None
    return {
        "piece": passage.condition_piece,
        "echeance": passage.condition_echeance,
        "expiree": condition_expiree(passage.condition_echeance, None, jour),
    }


def _possibles(situation: Situation, offre, dernier) -> list[str]:
    if situation.liberation.annulee_le is not None:
        return []
    defaire = ["defaire"] if dernier is not None else []
    vivante = situation.vivante
    if vivante is None or offre.etat == EtatOffre.BAIL:
        return defaire
    condition = _condition(vivante, timezone.localdate())
    if condition:
        return [("expirer" if condition["expiree"] else "lever"), "refus", *defaire]
    match offre.etat:
        case EtatOffre.A_NOTIFIER:
            return ["offre", "refus", "pieces", *defaire]
        case EtatOffre.SILENCE:
            return ["silence", "accepter", "refus", "pieces", *defaire]
        case EtatOffre.EN_COURS:
            return ["accepter", "refus", "pieces", *defaire]
    return ["refus", "pieces", *defaire]
