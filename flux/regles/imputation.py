"""Imputation: the one title under which an attribution counts (domain, chapters 6, 7 and 9; CA, art. 7.1).

Nothing counts twice. A soustraction beats a label (an ANRU rehousing of a DALO household is a soustraction),
and a failed designation sends the dwelling to the bailleur, whose quarter of priority households it joins.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeVar

from publics.regles.groupes import (
    GROUPES_PAR_DEFAUT,
    Label,
    decrire_label,
    groupe_prioritaire,
    labels_valides,
)
from reservation.regles import articles
from reservation.regles.actes import BAILLEUR, Nature, Reservataire, Soustraction
from reservation.regles.etapes import Etape
from reservation.regles.typographie import date_fr, enumerer, minuscule

from .annuel import Destination

A = TypeVar("A")


class Titre(StrEnum):
    """Titles of a contingent. The État's have a group; the others are priority or not."""

    AGENT = "AGENT"
    PRIORITE_1 = "PRIORITE_1"
    PRIORITE_2 = "PRIORITE_2"
    PRIORITE_3 = "PRIORITE_3"
    PRIORITAIRE = "PRIORITAIRE"
    AUTRE = "AUTRE"

    @property
    def libelle(self) -> str:
        return LIBELLES_TITRE[self]


LIBELLES_TITRE = {
    Titre.AGENT: "agent de l’État",
    Titre.PRIORITE_1: "prioritaire, groupe 1",
    Titre.PRIORITE_2: "prioritaire, groupe 2",
    Titre.PRIORITE_3: "prioritaire, groupe 3",
    Titre.PRIORITAIRE: "prioritaire",
    Titre.AUTRE: "autre",
}
TITRES_PRIORITAIRES_ETAT = (Titre.PRIORITE_1, Titre.PRIORITE_2, Titre.PRIORITE_3)
TITRES_ETAT = (Titre.AGENT, *TITRES_PRIORITAIRES_ETAT, Titre.AUTRE)
PREMIERE_MISE_EN_LOCATION = "PREMIERE_MISE_EN_LOCATION"


class StatutDemandeur(StrEnum):
    """Situation that L. 313-26-2 asks of a household housed by Action Logement Services."""

    SALARIE = "SALARIE"
    DEMANDEUR_EMPLOI = "DEMANDEUR_EMPLOI"
    AUTRE = "AUTRE"


STATUTS_ALS = frozenset({StatutDemandeur.SALARIE, StatutDemandeur.DEMANDEUR_EMPLOI})


class MotifHorsPrioritaire(StrEnum):
    """Logged reasons for which a non-priority attribution still meets the État's objective (PACA, art. 4 b)."""

    PLS_SANS_CANDIDAT = "PLS_SANS_CANDIDAT"
    REFUS_CANDIDATS_ETAT = "REFUS_CANDIDATS_ETAT"


class Agent(NamedTuple):
    """An agent of the État: `validation` by the préfet, DDETS or SGC; `accord_posterieur` granted afterwards to
    a self-declared agent; `adapte`: fits the sector and size asked (CA, art. 5-2)."""

    validation: date | None
    accord_posterieur: bool
    adapte: bool


@dataclass(frozen=True, slots=True)
class FaitsAttribution:
    """What is known of an attribution and of the household on the CALEOL date. `statut`: `StatutDemandeur`."""

    date_caleol: date
    date_proposition: date | None = None
    date_bail: date | None = None
    statut: str = StatutDemandeur.AUTRE
    labels: Sequence[Label] = ()
    agent: Agent | None = None


class Imputation(NamedTuple):
    """(HORS_FLUX, PREMIERE_MISE_EN_LOCATION), (SOUSTRACTION, category) or (code of réservataire, title)."""

    contingent: str
    titre: str


def contingent_impute(reservataire: Reservataire | None, designation_echouee: bool) -> Reservataire:
    """Whose contingent an attribution is: the réservataire's of the libération, else the bailleur's.

    Not oriented, or the designation of the réservataire's candidates failed: the bailleur's (L. 441-1).
    """
    return BAILLEUR if designation_echouee or reservataire is None else reservataire


def est_agent(faits: FaitsAttribution) -> bool:
    """Whether the attribution counts for the agents of the État (CA, art. 5-2): three conditions together.

    A signed lease; a dwelling that fits; and a validation on or before the day of the proposition (of the
    CALEOL when there is no proposition), or the préfet's agreement afterwards.
    """
    agent = faits.agent
    if agent is None or not agent.adapte or faits.date_bail is None:
        return False
    if agent.accord_posterieur:
        return True
    limite = faits.date_proposition or faits.date_caleol
    return agent.validation is not None and agent.validation <= limite


def titre_du_contingent(
    nature: Nature, faits: FaitsAttribution, groupes: Mapping[str, int] = GROUPES_PAR_DEFAUT
) -> Titre:
    """Title in the contingent of a réservataire of this nature (domain, chapter 6).

    État: agent, else the best group, else other. ALS: a priority household that works or looks for work
    (L. 313-26-2). The others: a priority household (L. 441-1).
    """
    if nature == Nature.ETAT and est_agent(faits):
        return Titre.AGENT
    groupe = groupe_prioritaire(faits.labels, faits.date_caleol, groupes)
    if groupe is None:
        return Titre.AUTRE
    if nature == Nature.ETAT:
        return TITRES_PRIORITAIRES_ETAT[groupe - 1]
    if nature == Nature.ALS and faits.statut not in STATUTS_ALS:
        return Titre.AUTRE
    return Titre.PRIORITAIRE


def imputer(
    destination: Destination,
    usage: str,
    reservataire: Reservataire | None,
    designation_echouee: bool,
    faits: FaitsAttribution,
    groupes: Mapping[str, int] = GROUPES_PAR_DEFAUT,
) -> Imputation | None:
    """The one title of an attribution; None when its libération is nowhere (cancelled, or of a later year).

    What leaves the flux leaves it whatever the household's labels (CA, art. 7.1).
    """
    match destination:
        case Destination.NULLE_PART:
            return None
        case Destination.HORS_FLUX:
            return Imputation(Destination.HORS_FLUX.value, PREMIERE_MISE_EN_LOCATION)
        case Destination.SOUSTRACTION:
            return Imputation(Destination.SOUSTRACTION.value, str(usage))
    contingent = contingent_impute(reservataire, designation_echouee)
    return Imputation(contingent.code, titre_du_contingent(contingent.nature, faits, groupes).value)


def attribution_qui_compte(
    attributions: Iterable[A], annee: int, date_caleol: Callable[[A], date]
) -> A | None:
    """The attribution that carries the imputation in the bilan of `annee`: the last one made by its 31 December.

    A re-attribution in the year counts in the year; the closed bilan of the year before is not reopened
    (domain, chapter 4). `attributions`: in the order in which they were served, because after a refusal the next
    rank is served by the same CALEOL, whose date it keeps. `date_caleol` reads the date of one of them.
    """
    derniere = None
    for attribution in attributions:
        jour = date_caleol(attribution)
        if jour.year <= annee and (derniere is None or jour >= date_caleol(derniere)):
            derniere = attribution
    return derniere


# --- Explanation --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TitreEcarte:
    """A title whose conditions were met and that gave way, and to what."""

    imputation: Imputation
    raison: str


@dataclass(frozen=True, slots=True)
class Explication:
    """Why an attribution counts where it does: facts in the order of the rule, then what it could have been."""

    imputation: Imputation
    etapes: tuple[Etape, ...]
    titres_ecartes: tuple[TitreEcarte, ...]


def expliquer_imputation(
    destination: Destination,
    usage: str,
    reservataire: Reservataire | None,
    designation_echouee: bool,
    faits: FaitsAttribution,
    groupes: Mapping[str, int] = GROUPES_PAR_DEFAUT,
) -> Explication | None:
    """The explanation that goes with `imputer`, from the same arguments; None where it gives none."""
    imputation = imputer(destination, usage, reservataire, designation_echouee, faits, groupes)
    if imputation is None:
        return None
    contingent = contingent_impute(reservataire, designation_echouee)
    etapes = [_etape_destination(destination, usage)]
    if destination == Destination.FLUX:
        etapes.append(_etape_contingent(reservataire, designation_echouee))
    etapes.append(_etape_dates(faits))
    etapes += _etapes_labels(faits, groupes)
    if faits.agent is not None:
        etapes.append(_etape_agent(faits))
    if contingent.nature == Nature.ALS and destination == Destination.FLUX:
        etapes.append(_etape_emploi(faits))
    etapes.append(
        Etape("imputation.titre", "Imputation", decrire_imputation(imputation), "", articles.PRIORITAIRES)
    )
    ecartes = _titres_ecartes(
        imputation, destination, usage, reservataire, designation_echouee, faits, groupes
    )
    return Explication(imputation, tuple(etapes), ecartes)


def decrire_imputation(imputation: Imputation) -> str:
    """ "ETAT, prioritaire, groupe 1", "soustraction, relogements ORCOD"."""
    if imputation.contingent == Destination.HORS_FLUX:
        return "hors flux, première mise en location"
    if imputation.contingent == Destination.SOUSTRACTION:
        return f"soustraction, {minuscule(Soustraction(imputation.titre).libelle)}"
    return f"{imputation.contingent}, {Titre(imputation.titre).libelle}"


def _etape_destination(destination: Destination, usage: str) -> Etape:
    code, libelle = "imputation.destination", "Libération"
    if destination == Destination.HORS_FLUX:
        detail = "première mise en location, que la convention ne compte pas dans le flux"
        return Etape(code, libelle, "hors flux", detail, articles.ASSIETTE)
    if destination == Destination.SOUSTRACTION:
        detail = f"{minuscule(Soustraction(usage).libelle)}, quels que soient les labels du ménage"
        return Etape(code, libelle, "soustraite du flux", detail, articles.SOUSTRACTIONS)
    detail = ""
    if usage in frozenset(Soustraction):
        detail = f"{minuscule(Soustraction(usage).libelle)} : la convention ne les soustrait pas"
    return Etape(code, libelle, "dans le flux", detail, articles.SOUSTRACTIONS)


def _etape_contingent(reservataire: Reservataire | None, designation_echouee: bool) -> Etape:
    code, libelle = "imputation.contingent", "Contingent"
    contingent = contingent_impute(reservataire, designation_echouee).code
    if reservataire is None:
        return Etape(
            code, libelle, contingent, "logement orienté vers aucun réservataire", articles.PRIORITAIRES
        )
    if designation_echouee and reservataire != BAILLEUR:
        detail = "la désignation du réservataire a échoué : le logement compte dans le quart du bailleur"
        return Etape(code, libelle, contingent, detail, articles.PRIORITAIRES)
    return Etape(code, libelle, contingent, "orientation du logement libéré", articles.ASSIETTE)


def _etape_dates(faits: FaitsAttribution) -> Etape:
    details = []
    if faits.date_proposition:
        details.append(f"proposition le {date_fr(faits.date_proposition)}")
    details.append(
        f"bail signé le {date_fr(faits.date_bail)}" if faits.date_bail else "sans bail signé à ce jour"
    )
    return Etape(
        "imputation.dates",
        "Attribution en CALEOL",
        date_fr(faits.date_caleol),
        " ; ".join(details),
        articles.DECISION_CALEOL,
    )


def _etapes_labels(faits: FaitsAttribution, groupes: Mapping[str, int]) -> list[Etape]:
    if not faits.labels:
        return [Etape("imputation.labels", "Labels", "aucun", "", articles.PRIORITAIRES)]
    valides = labels_valides(faits.labels, faits.date_caleol)
    return [
        Etape(
            "imputation.labels",
            "Label",
            f"groupe {groupe_prioritaire([label], faits.date_caleol, groupes)}"
            if label in valides
            else "sans effet",
            decrire_label(label) + ("" if label in valides else " : pas valide à la date de la CALEOL"),
            articles.PRIORITAIRES,
            niveau=1,
        )
        for label in faits.labels
    ]


def _etape_agent(faits: FaitsAttribution) -> Etape:
    agent = faits.agent
    manques = []
    if not agent.adapte:
        manques.append("le logement n’est pas adapté au secteur ou à la taille demandés")
    if faits.date_bail is None:
        manques.append("le bail n’est pas signé")
    if not agent.accord_posterieur:
        terme = "la proposition" if faits.date_proposition else "la CALEOL"
        if agent.validation is None:
            manques.append("ni validation préalable, ni accord du préfet")
        elif agent.validation > (faits.date_proposition or faits.date_caleol):
            manques.append(f"validé le {date_fr(agent.validation)}, après {terme}")
    if manques:
        return Etape(
            "imputation.agent",
            "Agent de l’État",
            "non compté",
            enumerer(manques),
            articles.PART_ETAT,
            niveau=1,
        )
    fait = (
        "accord du préfet après l’attribution"
        if agent.accord_posterieur
        else f"validé le {date_fr(agent.validation)}"
    )
    detail = f"{fait}, bail signé, logement adapté"
    return Etape("imputation.agent", "Agent de l’État", "compté", detail, articles.PART_ETAT, niveau=1)


def _etape_emploi(faits: FaitsAttribution) -> Etape:
    eligible = faits.statut in STATUTS_ALS
    return Etape(
        "imputation.emploi",
        "Salarié ou demandeur d’emploi",
        "oui" if eligible else "non",
        "" if eligible else "ne compte pas dans le quart d’Action Logement Services, même labellisé",
        articles.QUART_ALS,
        niveau=1,
    )


def _titres_ecartes(
    imputation: Imputation,
    destination: Destination,
    usage: str,
    reservataire: Reservataire | None,
    designation_echouee: bool,
    faits: FaitsAttribution,
    groupes: Mapping[str, int],
) -> tuple[TitreEcarte, ...]:
    ecartes: dict[Imputation, str] = {}

    def ecarter(contingent: str, titre: str, raison: str) -> None:
        if (autre := Imputation(contingent, titre)) != imputation:
            ecartes.setdefault(autre, raison)

    oriente = BAILLEUR if reservataire is None else reservataire
    titre_oriente = titre_du_contingent(oriente.nature, faits, groupes).value
    if destination == Destination.HORS_FLUX:
        if usage in frozenset(Soustraction):
            ecarter(
                Destination.SOUSTRACTION.value,
                str(usage),
                "une première mise en location est hors flux quel que soit l’usage",
            )
        ecarter(oriente.code, titre_oriente, "une première mise en location est hors flux")
    elif destination == Destination.SOUSTRACTION:
        ecarter(oriente.code, titre_oriente, "une soustraction l’emporte sur tout autre titre")
    else:
        ecarter(oriente.code, titre_oriente, "la désignation du réservataire a échoué")
        if imputation.contingent == Nature.ETAT:
            motif = "agent de l’État" if imputation.titre == Titre.AGENT else "un meilleur groupe"
            for label in faits.labels:
                groupe = groupe_prioritaire([label], faits.date_caleol, groupes)
                if groupe is not None:
                    ecarter(
                        imputation.contingent,
                        TITRES_PRIORITAIRES_ETAT[groupe - 1].value,
                        f"{motif} l’emporte",
                    )
    return tuple(TitreEcarte(autre, raison) for autre, raison in ecartes.items())
