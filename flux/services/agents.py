"""Attributions to those who say to be agents of the État: the three conditions live, and the préfet's answer (CA, art. 5-2).

What changes of the labels of a household, or of its validation as an agent's, is imputed again from here.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import capfirst

from flux.models import Attribution, DecisionAgent, Liberation
from flux.services.actes import conclure, conclure_ensemble, enregistrer, exiger
from publics.models import DemandeMenage, DossierAgent, MotifLabel
from publics.regles.agents import Verification, contredit_la_demande, suivre_conditions
from publics.services.labels import exiger_motif
from reservation.acteur import Acteur
from reservation.models import Commune
from reservation.perimetre import agir
from reservation.regles.typographie import typographier
from reservation.services.assistances import exiger_hors_assistance


@dataclass(frozen=True, slots=True)
class Suivi:
    """One attribution to a self-declared agent. `a_decider`: the préfet has something to say of it.

    `demande`: what its household asks against the dwelling, in words; empty: nothing is known of it.
    """

    attribution: Attribution
    conditions: list[Verification]
    decision: DecisionAgent | None
    a_decider: bool
    demande: str

    @property
    def compte(self) -> bool:
        return all(condition.rempli for condition in self.conditions)


def attributions_d_agents(acteur: Acteur) -> QuerySet[Attribution]:
    """Attributions of the perimeter whose household says to have an agent of the État, the refused ones left out."""
    return Attribution.objects.visibles_par(acteur).filter(agent=True, refusee_le=None)


def a_signaler(acteur: Acteur) -> QuerySet[Attribution]:
    """Self-declared agents attributed without a validation recorded here before the proposition, and without an answer.

    Of this year and the last one: an answer no longer changes a bilan that is validated.
    """
    limite = OuterRef("limite")
    validations = DossierAgent.objects.filter(
        Q(fin=None) | Q(fin__gte=limite),
        etat=DossierAgent.Etat.ACCORDEE,
        menage=OuterRef("menage"),
        departement=OuterRef("departement"),
        decidee_le__lte=limite,
    )
    return (
        attributions_d_agents(acteur)
        .filter(
            decision_agent=None,
            agent_accord_posterieur=False,
            date_caleol__year__gte=timezone.localdate().year - 1,
        )
        .annotate(limite=Coalesce("date_proposition", "date_caleol"))
        .filter(~Exists(validations))
    )


def suivre(attributions: Collection[Attribution]) -> list[Suivi]:
    """The three conditions of each, in their order; `attributions` come with their libération. Three queries."""
    menages = {a.menage_id for a in attributions if a.menage_id}
    validations, demandes = _validations(menages), _demandes(menages)
    decisions = {d.attribution_id: d for d in DecisionAgent.objects.filter(attribution__in=attributions)}
    noms = dict(
        Commune.objects.filter(
            pk__in={code for d in demandes.values() for code in d.secteur if len(code) == 5}
        ).values_list("pk", "nom")
    )
    resultat = []
    for attribution in attributions:
        decision = decisions.get(attribution.pk)
        limite = attribution.date_proposition or attribution.date_caleol
        reconnues = [
            jour
            for departement, jour, fin in validations.get(attribution.menage_id, ())
            if departement == attribution.departement_id and (fin is None or fin >= limite)
        ]
        demande = demandes.get(attribution.menage_id)
        libre = attribution.liberation
        conditions = suivre_conditions(
            validation=min(reconnues, default=None),
            limite=limite,
            accord_posterieur=decision.accordee if decision else attribution.agent_accord_posterieur,
            refuse=decision is not None and not decision.accordee,
            date_bail=attribution.date_bail,
            adapte=attribution.agent_adapte or None,
            declaree=attribution.agent_valide_le,
            contraire=demande is not None
            and contredit_la_demande(
                demande.tailles, demande.secteur, libre.typologie, [libre.commune_id, libre.commune.epci_id]
            ),
        )
        connu = decision is not None or attribution.agent_accord_posterieur
        resultat.append(
            Suivi(
                attribution,
                conditions,
                decision,
                not connu and min(reconnues, default=date.max) > limite,
                _comparer(libre, demande, noms),
            )
        )
    return resultat


@agir(Acteur.du_systeme("validation des agents de l’État"))
def _validations(menages: Collection[int]) -> Mapping[int, list[tuple[str, date, date | None]]]:
    """Household → (département, day, end) of its validations: a date is shown to its bailleur, the file is not."""
    resultat = defaultdict(list)
    for menage, *validation in (
        DossierAgent.objects.filter(menage__in=menages, etat=DossierAgent.Etat.ACCORDEE)
        .order_by("decidee_le", "pk")
        .values_list("menage_id", "departement_id", "decidee_le", "fin")
    ):
        resultat[menage].append(tuple(validation))
    return resultat


@agir(Acteur.du_systeme("demande des agents de l’État"))
def _demandes(menages: Collection[int]) -> Mapping[int, DemandeMenage]:
    return {demande.menage_id: demande for demande in DemandeMenage.objects.filter(menage__in=menages)}


def _comparer(liberation: Liberation, demande: DemandeMenage | None, noms: Mapping[str, str]) -> str:
    """The size and place of the dwelling against what the household asks; a help to check what the bailleur declared."""
    if demande is None:
        return ""
    phrases = []
    if demande.tailles:
        accord = "conforme" if liberation.typologie in demande.tailles else "autre que la demande"
        phrases.append(f"{liberation.typologie} : {accord} ({', '.join(demande.tailles)})")
    if demande.secteur:
        lieux = {liberation.commune_id, liberation.commune.epci_id}
        accord = "dans le secteur demandé" if lieux & set(demande.secteur) else "hors du secteur demandé"
        demandes = ", ".join(noms.get(code, f"EPCI {code}") for code in demande.secteur)
        phrases.append(f"{liberation.commune.nom} : {accord} ({demandes})")
    return typographier(" ; ".join(phrases))


@transaction.atomic
def decider(acteur: Acteur, attribution: Attribution, *, motif: MotifLabel | None = None) -> DecisionAgent:
    """Grant the priority to an agent already attributed, or refuse it with a coded reason; imputed again at once."""
    exiger_hors_assistance(acteur)
    if not (acteur.est_service_etat and acteur.peut_gerer):
        raise PermissionDenied("La priorité d’un agent s’accorde à la DDETS ou à la préfecture (SGC).")
    attribution = (
        Attribution.objects.visibles_par(acteur)
        .select_related("liberation")
        .filter(pk=attribution.pk)
        .first()
    )
    if attribution is None:
        raise PermissionDenied("Cette attribution n’est pas de votre département.")
    exiger(attribution.agent, "Le ménage ne s’est pas déclaré agent de l’État.")
    exiger(attribution.refusee_le is None, "Cette attribution a été refusée par le ménage.")
    if motif is not None:
        exiger_motif(motif, MotifLabel.Acte.AGENT)
    exiger(
        not DecisionAgent.objects.filter(attribution=attribution).exists(),
        "Cette attribution a déjà reçu une réponse.",
    )
    decision = DecisionAgent(
        attribution=attribution,
        bailleur_id=attribution.bailleur_id,
        departement_id=attribution.departement_id,
        accordee=motif is None,
        motif=motif,
        decidee_le=timezone.localdate(),
        decidee_par_id=acteur.organisation_id,
        auteur_id=acteur.utilisateur_id,
    )
    enregistrer(decision)
    verbe = "accordée" if motif is None else "refusée"
    with agir(Acteur.du_systeme("priorité d’un agent de l’État")):
        conclure(attribution.liberation, f"Priorité d’agent de l’État {verbe}")
    return decision


@agir(Acteur.du_systeme("labels modifiés"))
def sur_labels_modifies(sender, menages: Collection[int], raison: str, **kwargs) -> None:
    """Receiver of `publics.signaux.labels_modifies`: what these households were attributed is imputed again."""
    liberations = list(Liberation.objects.filter(attributions__menage__in=menages).distinct().order_by("pk"))
    if liberations:
        conclure_ensemble(liberations, capfirst(raison))
