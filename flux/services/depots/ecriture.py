"""Writes the accepted lines of a deposit, whatever their number: COPY, one imputation, one request to compute.

Inside the transaction that studied them again. The constraints of the tables are the last word: one that refuses
undoes everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from flux.models import (
    Attribution,
    Commission,
    Liberation,
    LigneDepot,
    LigneOrdreDuJour,
    Passage,
)
from flux.services.contingents import fixer_les_contingents
from flux.services.file_de_calcul import marquer_a_calculer
from flux.services.imputations import imputer
from publics.services.menages import Empreintes, retrouver_menages
from reservation.acteur import Acteur
from reservation.copie import copier_objets, corriger_objets
from reservation.models import Organisation

from .plans import LigneEtudiee, PlanAttribution, PlanLiberation, PlanPassage
from .references import AGENT


@dataclass
class Ecrit:
    """What was written, for the message and the tests."""

    liberations: int = 0
    passages: int = 0
    attributions: int = 0
    modifiees: int = 0
    imputations: int = 0


def ecrire(
    acteur: Acteur,
    bailleur: Organisation,
    lignes: Sequence[LigneEtudiee],
    suivre: Callable[[str, int], None],
    raison: str,
) -> Ecrit:
    """Write the plans of these lines, all of them or none. `raison`: said by the calculations that follow."""
    liberations = _uniques(ligne.liberation for ligne in lignes)
    passages = _uniques(ligne.passage for ligne in lignes)
    attributions = _uniques(ligne.attribution for ligne in lignes)
    ecrit = Ecrit()
    suivre("Libérations", 10)
    ecrit.liberations = _ecrire_liberations(acteur, bailleur, liberations)
    suivre("Commissions et passages", 30)
    menages = _ecrire_menages(lignes)
    ecrit.passages = _ecrire_passages(bailleur, passages, menages)
    suivre("Attributions et baux", 50)
    ecrit.attributions = _ecrire_attributions(acteur, bailleur, attributions, menages)
    ecrit.modifiees = sum(
        bool(plan.changements) and plan.pk is not None for plan in (*liberations, *passages, *attributions)
    )
    suivre("Imputation", 70)
    touchees = {plan.pk for plan in liberations}
    ecrit.imputations = imputer(liberations=touchees)
    suivre("Demande de calcul", 90)
    annees = {plan.jour.year for plan in liberations}
    for plan in attributions:
        dates = {**(plan.enregistree or {}), **plan.champs, **plan.changements}
        annees |= {jour.year for jour in (dates["date_caleol"], dates.get("date_bail")) if jour}
    marquer_a_calculer({(bailleur.pk, plan.departement) for plan in liberations}, annees, raison)
    maintenant = timezone.now()
    corriger_objets(
        LigneDepot,
        ("appliquee_le", "liberation"),
        ((ligne.pk, maintenant, ligne.liberation.pk) for ligne in lignes),
    )
    return ecrit


def _uniques(plans) -> list:
    """Lines may share a plan: each is written once, in the order of the file."""
    return list({id(plan): plan for plan in plans if plan is not None}.values())


def _ecrire_liberations(acteur: Acteur, bailleur: Organisation, plans: list[PlanLiberation]) -> int:
    nouvelles = [plan for plan in plans if plan.enregistree is None]
    objets = [
        Liberation(bailleur=bailleur, cree_par_id=acteur.utilisateur_id, **plan.champs) for plan in nouvelles
    ]
    copier_objets(objets)
    for plan, objet in zip(nouvelles, objets, strict=True):
        plan.pk = objet.pk
    _corriger(
        Liberation,
        (
            "date_preavis", "date_disponibilite", "usage", "preuve", "premiere", "reservataire", "orientee_le",
            "designation_echouee_le",
        ),
        plans,
    )  # fmt: skip
    return len(nouvelles)


def _corriger(modele, noms: Sequence[str], plans: Sequence) -> int:
    """Rows already there: their values, with what changes."""
    colonnes = [modele._meta.get_field(nom).attname for nom in noms]
    changes = [
        plan
        for plan in plans
        if (getattr(plan, "enregistree", None) or getattr(plan, "enregistre", None)) and plan.changements
    ]
    lignes = []
    for plan in changes:
        avant = plan.enregistre if isinstance(plan, PlanPassage) else plan.enregistree
        lignes.append((plan.pk, *(plan.changements.get(colonne, avant[colonne]) for colonne in colonnes)))
    return corriger_objets(modele, noms, lignes)


def _ecrire_menages(lignes: Sequence[LigneEtudiee]) -> dict[str, int]:
    """First hash of each numéro unique of these lines → its household, recorded if it was never met."""
    return retrouver_menages(
        (Empreintes(ligne.numero["formes"], ligne.numero["fin"]), ligne.liberation.departement)
        for ligne in lignes
        if ligne.passage is not None
    )


def _ecrire_passages(bailleur: Organisation, plans: list[PlanPassage], menages: dict[str, int]) -> int:
    seances = {(plan.liberation.departement, plan.jour): plan.dematerialisee for plan in plans}
    connues: dict[tuple, int] = {}
    for pk, departement, jour in (
        Commission.objects.filter(bailleur=bailleur, date__in={jour for _, jour in seances})
        .order_by("-pk")
        .values_list("pk", "departement_id", "date")
    ):
        connues[departement, jour] = pk
    nouvelles = [
        Commission(
            bailleur=bailleur,
            departement_id=departement,
            date=jour,
            dematerialisee=dematerialisee,
            etat=Commission.Etat.CLOSE,  # held elsewhere, and decided
        )
        for (departement, jour), dematerialisee in sorted(seances.items())
        if (departement, jour) not in connues
    ]
    copier_objets(nouvelles)
    connues |= {(c.departement_id, c.date): c.pk for c in nouvelles}
    nouveaux = [plan for plan in plans if plan.enregistre is None]
    objets = [
        Passage(
            bailleur=bailleur,
            departement_id=plan.liberation.departement,
            commission_id=connues[plan.liberation.departement, plan.jour],
            liberation_id=plan.liberation.pk,
            menage_id=menages[plan.numero],
            **plan.champs,
        )
        for plan in nouveaux
    ]
    # Ranks may be exchanged between passages that are there: they leave theirs before they take another.
    corriger_objets(
        Passage,
        ("decision", "rang", "motif", "condition_piece", "condition_echeance"),
        [
            (plan.pk, "", None, None, None, None)
            for plan in plans
            if plan.enregistre and {"decision", "rang"} & plan.changements.keys()
        ],
    )
    _corriger(
        Passage,
        ("date_proposition", "decision", "rang", "motif", "condition_piece", "condition_echeance", *AGENT),
        plans,
    )
    decides = [plan.pk for plan in plans if plan.enregistre and "decision" in plan.changements]
    fixer_les_contingents(Passage.objects.filter(pk__in=decides))
    copier_objets(objets)
    for plan, objet in zip(nouveaux, objets, strict=True):
        plan.pk = objet.pk
    _motiver_les_candidatures(bailleur, plans, connues)
    return len(nouveaux)


def _motiver_les_candidatures(
    bailleur: Organisation, plans: list[PlanPassage], commissions: dict[tuple, int]
) -> None:
    """The reason of fewer than three candidatures is the agenda's: its line is made when the commission had none."""
    motifs = {
        (commissions[plan.liberation.departement, plan.jour], plan.liberation.pk): plan
        for plan in plans
        if plan.motif_candidatures
    }
    if not motifs:
        return
    lignes = LigneOrdreDuJour.objects.filter(commission__in={commission for commission, _ in motifs})
    connues: dict[tuple, int] = {}
    rangs: dict[int, int] = {}
    for pk, commission, liberation, rang in lignes.order_by("pk").values_list(
        "pk", "commission", "liberation", "rang"
    ):
        connues[commission, liberation] = pk
        rangs[commission] = max(rangs.get(commission, 0), rang)
    corriger_objets(
        LigneOrdreDuJour,
        ("motif_candidatures",),
        [(connues[cle], plan.motif_candidatures) for cle, plan in motifs.items() if cle in connues],
    )
    nouvelles = []
    for (commission, liberation), plan in motifs.items():
        if (commission, liberation) in connues:
            continue
        rangs[commission] = rangs.get(commission, 0) + 1
        nouvelles.append(
            LigneOrdreDuJour(
                bailleur=bailleur,
                departement_id=plan.liberation.departement,
                commission_id=commission,
                liberation_id=liberation,
                rang=rangs[commission],
                motif_candidatures_id=plan.motif_candidatures,
            )
        )
    copier_objets(nouvelles)


def _ecrire_attributions(
    acteur: Acteur, bailleur: Organisation, plans: list[PlanAttribution], menages: dict[str, int]
) -> int:
    nouvelles = [plan for plan in plans if plan.enregistree is None]
    objets = [
        Attribution(
            bailleur=bailleur,
            departement_id=plan.liberation.departement,
            liberation_id=plan.liberation.pk,
            passage_id=plan.passage.pk,
            menage_id=menages[plan.passage.numero],
            cree_par_id=acteur.utilisateur_id,
            **plan.champs,
        )
        for plan in nouvelles
    ]
    copier_objets(objets)
    for plan, objet in zip(nouvelles, objets, strict=True):
        plan.pk = objet.pk
    for plan in plans:
        if "passage_id" in plan.changements:
            plan.changements["passage_id"] = plan.passage.pk
    _corriger(
        Attribution,
        (
            "passage", "date_proposition", "statut_emploi", *AGENT, "offre_le", "acceptee_le", "refusee_le", "motif_refus",
            "date_bail",
        ),
        plans,
    )  # fmt: skip
    return len(nouvelles)
