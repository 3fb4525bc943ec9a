"""The bailleur's choice of a réservataire, before the suggestion of the moment; the préfet's urgent designation."""

from flux.forms_orientation import FormulaireChoix, FormulaireReprisePourUnTour
from flux.forms_saisie import FormulaireReprise
from flux.models import (
    Designation,
    Liberation,
    LogementDeProgramme,
    Orientation,
    ReprisePourUnTour,
    Urgence,
    Usage,
)
from flux.services import orientations, reprises
from flux.views.actes import Acte
from reservation.models import VersionConvention

from .base import Etape, EtatEtape, Situation

ACTES = {
    "orienter": Acte(
        "Orienter le logement",
        "Orienter ce logement",
        FormulaireChoix,
        orientations.choisir_reservataire,
        "Orientation enregistrée.",
        arguments=lambda liberation: {"liberation": liberation},
    ),
    "reprendre": Acte(
        "Reprendre ce logement pour un tour",
        "Reprendre ce logement",
        FormulaireReprisePourUnTour,
        reprises.reprendre_pour_un_tour,
        "Logement repris pour un tour : le réservataire est prévenu, sa part reste entière.",
        secondaire=True,
    ),
    "rendre": Acte(
        "Rendre ce logement au réservataire",
        "Rendre ce logement",
        FormulaireReprise,
        reprises.rendre_au_reservataire,
        "Logement rendu : le réservataire est de nouveau attendu.",
        secondaire=True,
    ),
}


def etape(situation: Situation) -> Etape | None:
    """The form is drawn by the template of the step: a table, not a list of fields. None for a soustraction: it goes to
    no réservataire."""
    liberation, acteur = situation.liberation, situation.acteur
    urgence = (
        Urgence.objects.visibles_par(acteur).select_related("motif").filter(liberation=liberation).first()
    )
    soustraite = liberation.usage != Usage.FLUX and liberation.reservataire_id is None and urgence is None
    if soustraite and not situation.revient(ACTES):
        return None
    reprise = _reprise(situation)
    actions = situation.actions(ACTES, _possibles(liberation, situation))
    choix = next((action for action in actions if action.nom == "orienter"), None)
    return Etape(
        "orientation",
        _titre(liberation, urgence, reprise),
        EtatEtape.FAITE if liberation.reservataire_id or urgence else EtatEtape.A_VENIR,
        urgence.date if urgence else liberation.orientee_le,
        {
            "choix": choix,
            "replie": liberation.reservataire_id is not None and not (choix and choix.form.errors),
            "reprise": reprise,
            "livraison": _livraison(situation),
            "lit_les_programmes": acteur.est_bailleur or acteur.est_service_etat,
            "orientation": _derniere(situation),
            "urgence": urgence,
            "urgence_offerte": not acteur.systeme
            and orientations.peut_designer_d_urgence(acteur, liberation)
            and orientations.urgence_possible(liberation),
        },
        [action for action in actions if action is not choix],
    )


def _livraison(situation: Situation) -> LogementDeProgramme | None:
    """Of which programme a première mise en location is a dwelling."""
    if not situation.liberation.premiere:
        return None
    return (
        LogementDeProgramme.objects.visibles_par(situation.acteur)
        .select_related("programme")
        .filter(liberation=situation.liberation)
        .first()
    )


def _reprise(situation: Situation) -> ReprisePourUnTour | None:
    """The act by which the bailleur holds this dwelling for one letting."""
    liberation = situation.liberation
    return (
        reprises.reprise_en_cours(liberation)
        if liberation.reservataire_id == liberation.bailleur_id
        else None
    )


def _titre(liberation: Liberation, urgence: Urgence | None, reprise: ReprisePourUnTour | None) -> str:
    if urgence:
        return "Désignée d’urgence par le préfet"
    if reprise:
        return "Reprise pour un tour par le bailleur"
    if liberation.reservataire_id == liberation.bailleur_id:
        return "Gardée par le bailleur, non réservée"
    return f"Orientée vers {liberation.reservataire}" if liberation.reservataire_id else "À orienter"


def _derniere(situation: Situation) -> Orientation | None:
    """The choice as it was made; its figures are for the bailleur and the State services alone."""
    if situation.liberation.reservataire_id is None:
        return None
    return (
        Orientation.objects.visibles_par(situation.acteur)
        .select_related("suggere", "motif", "faite_par")
        .filter(liberation=situation.liberation)
        .last()
    )


def _possibles(liberation: Liberation, situation: Situation) -> list[str]:
    """A failed designation gives the choice back only where the convention says so."""
    if liberation.annulee_le or situation.vivante or liberation.usage != Usage.FLUX:
        return []
    if liberation.designation_echouee_le is None:
        if not situation.modifiable:
            return ["orienter"]
        if reprises.version_qui_permet(liberation) is not None:
            return ["orienter", "reprendre"]
        return ["orienter", "rendre"] if _reprise(situation) else ["orienter"]
    revient = (
        Designation.objects.vivantes()
        .filter(
            liberation=liberation,
            sans_proposition=VersionConvention.SansProposition.BAILLEUR,
        )
        .exists()
    )
    return [] if revient else ["orienter"]
