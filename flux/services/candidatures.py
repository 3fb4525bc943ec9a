"""The households of one libération: who was a candidate, what the CALEOL decided, what came of it.

Labels decide nothing here, but people read them beside the decision: their group only, or a yes or no to a collectivité
(chapter 2). The ground of a label is asked for elsewhere, and that reading is written.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from flux.models import Attribution, Liberation, Passage
from flux.regles.offre import EtatOffre, situation_offre
from publics.models import Labellisation
from publics.regles.groupes import Label, groupe_prioritaire
from reservation.acteur import Acteur, TypeOrganisation
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr, typographier

from .imputations import GroupesDates

SANS_LABEL = "sans label"


@dataclass(frozen=True, slots=True)
class Candidature:
    """One line of the list. `en_cours`: the household that is being served; `suite` may be empty."""

    demande: str
    label: str
    decision: str
    suite: str
    date_caleol: date
    en_cours: bool


def lister_candidatures(
    acteur: Acteur, liberation: Liberation, attributions: list[Attribution], jour: date
) -> list[Candidature]:
    """Candidatures decided by a CALEOL, and attributions recorded without one, in their order.

    `attributions`: those of the libération, with their passages, in the order in which they were served.
    """
    passages = list(
        Passage.objects.visibles_par(acteur)
        .filter(liberation=liberation, definitif=True)
        .exclude(decision="")
        .select_related("commission", "menage", "motif", "condition_piece")
        .order_by("commission__date", "commission", "rang", "pk")
    )
    par_passage = {a.passage_id: a for a in attributions if a.passage_id}
    vivante = next((a for a in attributions if a.refusee_le is None), None)
    groupes = _groupes(
        liberation.departement_id,
        {
            *((p.menage_id, p.commission.date) for p in passages),
            *((a.menage_id, a.date_caleol) for a in attributions if a.menage_id),
        },
        {a.pk: a.menage_id for a in attributions},
    )
    oui_non = acteur.est_reservataire and acteur.type_organisation != TypeOrganisation.ACTION_LOGEMENT
    lignes = [
        Candidature(
            str(passage.menage),
            _label(groupes.get((passage.menage_id, passage.commission.date)), oui_non),
            _decision(passage),
            _suite(passage, par_passage.get(passage.pk), vivante, jour),
            passage.commission.date,
            vivante is not None and vivante.passage_id == passage.pk,
        )
        for passage in passages
    ]
    lignes += [
        Candidature(
            str(a.menage) if a.menage_id else "non renseignée",
            _label(groupes.get((a.menage_id, a.date_caleol)), oui_non),
            "a – attribution",
            _suite_attribution(a, jour),
            a.date_caleol,
            a is vivante,
        )
        for a in attributions
        if a.passage_id is None
    ]
    return sorted(lignes, key=lambda ligne: ligne.date_caleol)


@agir(Acteur.du_systeme("groupe des candidats d’une libération"))
def _groupes(
    departement: str, candidats: set[tuple[int, date]], attributions: dict[int, int]
) -> dict[tuple[int, date], int | None]:
    """(household, day of its CALEOL) → best group among the labels that counted on that day."""
    if not candidats:
        return {}
    admis = set(
        Attribution.labels_admis.through.objects.filter(attribution__in=attributions).values_list(
            "labellisation_id", flat=True
        )
    )
    labels = defaultdict(list)
    for pk, menage, categorie, debut, fin in (
        Labellisation.objects.filter(menage__in={menage for menage, _ in candidats})
        .order_by("pk")
        .values_list("pk", "menage_id", "categorie_id", "debut", "fin")
    ):
        labels[menage].append(Label(categorie, debut, fin, pk in admis))
    configuration = GroupesDates({departement})
    return {
        (menage, jour): groupe_prioritaire(labels[menage], jour, configuration.le(departement, jour))
        for menage, jour in candidats
    }


def _label(groupe: int | None, oui_non: bool) -> str:
    if oui_non:
        return "prioritaire" if groupe else "non prioritaire"
    return f"groupe {groupe}" if groupe else SANS_LABEL


def _decision(passage: Passage) -> str:
    if passage.rang:
        return f"b – attribution, rang {passage.rang}"
    return passage.get_decision_display()


def _suite(passage: Passage, attribution: Attribution | None, vivante: Attribution | None, jour: date) -> str:
    if attribution is not None:
        return _suite_attribution(attribution, jour)
    match passage.decision:
        case Passage.Decision.NON_ATTRIBUTION | Passage.Decision.IRRECEVABLE:
            return typographier(f"Motif : {passage.motif}") if passage.motif_id else ""
        case Passage.Decision.ATTRIBUTION_RANG if _en_reserve(passage, vivante):
            return typographier("En réserve : servi si le rang précédent ne prend pas le logement")
    return ""


def _en_reserve(passage: Passage, vivante: Attribution | None) -> bool:
    """Whether a refusal of the household that is being served would bring this one nearer."""
    servi = vivante.passage if vivante and vivante.date_bail is None else None
    return (
        servi is not None
        and servi.commission_id == passage.commission_id
        and (servi.rang or 0) < (passage.rang or 0)
    )


def _suite_attribution(attribution: Attribution, jour: date) -> str:
    passage = attribution.passage
    situation = situation_offre(
        offre_le=attribution.offre_le,
        acceptee_le=attribution.acceptee_le,
        refusee_le=attribution.refusee_le,
        date_bail=attribution.date_bail,
        jour=jour,
    )
    match situation.etat:
        case EtatOffre.REFUSEE:
            motif = f" : {attribution.motif_refus}" if attribution.motif_refus_id else ""
            return typographier(f"Refus le {date_fr(attribution.refusee_le)}{motif}")
        case EtatOffre.BAIL:
            return f"Bail signé le {date_fr(attribution.date_bail)}"
        case EtatOffre.ACCEPTEE:
            return f"Accord du ménage le {date_fr(attribution.acceptee_le)}"
        case EtatOffre.A_NOTIFIER:
            if passage and passage.condition_piece_id and not passage.condition_levee_le:
                return typographier(
                    f"Pièce attendue au plus tard le {date_fr(passage.condition_echeance)} : "
                    f"{passage.condition_piece}"
                )
            return "Offre à notifier"
    return typographier(f"Offre notifiée le {date_fr(attribution.offre_le)}")
