"""The lease."""

from flux.forms_saisie import FormulaireBail
from flux.models import Passage
from flux.services import attributions
from flux.services.controles import controler_bail
from flux.views.actes import Acte, sur_l_attribution

from .base import Etape, EtatEtape, Situation

ACTES = {
    "bail": Acte(
        "Enregistrer le bail",
        "Enregistrer le bail",
        FormulaireBail,
        sur_l_attribution(attributions.enregistrer_bail),
        "Bail enregistré.",
        controler=controler_bail,
    )
}


def etape(situation: Situation) -> Etape:
    vivante = situation.vivante
    jour = vivante.date_bail if vivante else None
    actions = situation.actions(ACTES, ["bail"] if _attendu(situation) else [])
    for action in actions:
        action.secondaire = vivante is not None and vivante.acceptee_le is None
    return Etape(
        "bail",
        "Bail signé" if jour else "Bail à signer",
        EtatEtape.FAITE if jour else EtatEtape.A_VENIR,
        jour,
        {"attendu": _attendu(situation)},
        actions=actions,
    )


def _attendu(situation: Situation) -> bool:
    """Whether a lease can be signed now: nothing else is waited for. The offer and its answer may never have been
    recorded: who signs has accepted."""
    vivante = situation.vivante
    if vivante is None or vivante.date_bail is not None or situation.liberation.annulee_le is not None:
        return False
    passage = vivante.passage
    return (
        passage is None
        or passage.decision != Passage.Decision.ATTRIBUTION_CONDITION
        or passage.condition_levee_le is not None
    )
