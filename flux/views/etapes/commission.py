"""Candidates examined by the CALEOL; the decision to attribute."""

from collections import Counter

from flux.forms import FormulaireAttribution
from flux.forms_commissions import FormulaireInscription
from flux.models import Commission, Liberation, Passage, Usage
from flux.services import attributions, commissions
from flux.views.actes import Acte
from publics.services.menages import retrouver_menage

from .base import Etape, EtatEtape, Situation


def _attribuer(acteur, liberation: Liberation, *, numero_unique: str, **faits):
    return attributions.enregistrer_attribution(
        acteur, liberation, menage=retrouver_menage(numero_unique, liberation.departement_id), **faits
    )


def _inscrire(acteur, liberation: Liberation, *, commission: Commission):
    return commissions.inscrire_logements(acteur, commission, [liberation])


ACTES = {
    "inscrire": Acte(
        "Mettre à l’ordre du jour d’une CALEOL",
        "Mettre à l’ordre du jour",
        FormulaireInscription,
        _inscrire,
        "Logement à l’ordre du jour.",
        champ_date="commission_date",
        arguments=lambda liberation: {"commissions": commissions.commissions_pour(liberation)},
    ),
    "attribuer": Acte(
        "Enregistrer une attribution déjà prononcée",
        "Enregistrer l’attribution",
        FormulaireAttribution,
        _attribuer,
        "Attribution enregistrée.",
        champ_date="date_caleol",
        secondaire=True,
    ),
}


def etape(situation: Situation) -> Etape:
    ouverte = situation.liberation.annulee_le is None and situation.vivante is None
    derniere = situation.attributions[-1] if situation.attributions else None
    passages = list(
        Passage.objects.visibles_par(situation.acteur)
        .filter(liberation=situation.liberation)
        .exclude(commission__etat=Commission.Etat.ANNULEE)
        .select_related("commission", "menage", "motif")
        .order_by("commission__date", "commission", "rang", "pk")
    )
    inscrites = (
        list(
            Commission.objects.visibles_par(situation.acteur)
            .filter(lignes__liberation=situation.liberation, etat__in=Commission.OUVERTES)
            .order_by("date", "pk")
        )
        if ouverte
        else []
    )
    urgence = situation.liberation.usage == Usage.URGENCE_PREFECTORALE  # no commission examines it
    titre = "À attribuer" if urgence else "À examiner en CALEOL"
    if derniere:
        titre = "Examinée en CALEOL"
    elif inscrites:
        titre = "À l’ordre du jour d’une CALEOL"
    return Etape(
        "commission",
        titre,
        EtatEtape.FAITE if derniere else EtatEtape.A_VENIR,
        derniere.date_caleol if derniere else None,
        {
            "passages": []
            if derniere
            else passages,  # once decided, the next step shows each with what followed
            "seances": list(Counter(passage.commission for passage in passages).items()) if derniere else [],
            "inscrites": inscrites,
            "lit_les_commissions": situation.acteur.est_bailleur or situation.acteur.est_service_etat,
        },
        actions=situation.actions(ACTES, _possibles(ouverte, urgence)),
        entamee=bool(passages),
    )


def _possibles(ouverte: bool, urgence: bool) -> list[str]:
    if not ouverte:
        return []
    return ["attribuer"] if urgence else ["inscrire", "attribuer"]
