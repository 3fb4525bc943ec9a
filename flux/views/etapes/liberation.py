"""First step: freed, corrected, cancelled, restored."""

from flux.forms_saisie import FormulaireAnnulation, FormulaireFaits, FormulaireReprise
from flux.models import Confirmation
from flux.services import liberations
from flux.services.controles import controler_correction
from flux.views.actes import Acte

from .base import Etape, EtatEtape, Situation

ACTES = {
    "corriger": Acte(
        "Compléter ou corriger les dates et l’usage",
        "Enregistrer",
        FormulaireFaits,
        liberations.corriger_liberation,
        "Libération mise à jour.",
        secondaire=True,
        initial=FormulaireFaits.de,
        controler=controler_correction,
    ),
    "annuler": Acte(
        "Annuler la libération",
        "Annuler cette libération",
        FormulaireAnnulation,
        liberations.annuler_liberation,
        "Libération annulée : elle sort du flux.",
        secondaire=True,
    ),
    "retablir": Acte(
        "Revenir sur l’annulation",
        "Rétablir cette libération",
        FormulaireReprise,
        liberations.retablir_liberation,
        "Libération rétablie : elle compte de nouveau.",
        secondaire=True,
    ),
}


def etape(situation: Situation) -> Etape:
    liberation = situation.liberation
    vivante = situation.vivante
    if liberation.annulee_le is not None:
        possibles = ["retablir"]
    elif vivante is not None and vivante.date_bail is not None:
        possibles = ["corriger"]
    else:
        possibles = ["corriger", "annuler"]
    return Etape(
        "liberation",
        "Libérée",
        EtatEtape.FAITE,
        liberation.date,
        {
            "declarant": _declarant(situation),
            "confirmations": list(
                Confirmation.objects.visibles_par(situation.acteur)
                .filter(liberation=liberation)
                .select_related("confirmee_par")
            ),
        },
        actions=situation.actions(ACTES, possibles),
    )


def _declarant(situation: Situation) -> str:
    """Who declared it: a name to the bailleur and to the State, nobody's to the others."""
    acteur, auteur = situation.acteur, situation.liberation.cree_par
    return str(auteur) if auteur and (acteur.est_bailleur or acteur.est_service_etat) else ""
