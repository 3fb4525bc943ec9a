"""A meeting of the regional COPIL and what it decides: table of transitions, agenda proposed, when an action is late.

PREPARATION → CONVOQUEE → OUVERTE (notes are taken) → CLOSE (the minutes) → OUVERTE again with a reason, for a new version.
Before it opens a meeting may be cancelled, with a reason. An action is published by the closing: from then on it is an alert
of the organisation that owes it, until it is done, or given up with a reason.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from reservation.regles.typographie import accorder

from .campagne import Seuil


class EtatReunion(StrEnum):
    """Where a meeting stands."""

    PREPARATION = "PREPARATION"
    CONVOQUEE = "CONVOQUEE"
    OUVERTE = "OUVERTE"
    CLOSE = "CLOSE"
    ANNULEE = "ANNULEE"


class ActeReunion(StrEnum):
    """What is written in the journal of a meeting. INFORMER and ENVOYER leave it where it is."""

    PREPARER = "PREPARER"
    CONVOQUER = "CONVOQUER"
    INFORMER = "INFORMER"
    OUVRIR = "OUVRIR"
    CLORE = "CLORE"
    ENVOYER = "ENVOYER"
    ROUVRIR = "ROUVRIR"
    ANNULER = "ANNULER"


E, A = EtatReunion, ActeReunion
TABLE: dict[tuple[EtatReunion, ActeReunion], EtatReunion] = {
    (E.PREPARATION, A.CONVOQUER): E.CONVOQUEE,
    (E.CONVOQUEE, A.INFORMER): E.CONVOQUEE,
    (E.PREPARATION, A.OUVRIR): E.OUVERTE,
    (E.CONVOQUEE, A.OUVRIR): E.OUVERTE,
    (E.OUVERTE, A.CLORE): E.CLOSE,
    (E.CLOSE, A.ENVOYER): E.CLOSE,
    (E.CLOSE, A.ROUVRIR): E.OUVERTE,
    (E.PREPARATION, A.ANNULER): E.ANNULEE,
    (E.CONVOQUEE, A.ANNULER): E.ANNULEE,
}
AVEC_MOTIF = frozenset({A.ROUVRIR, A.ANNULER})
# What may be written in which state: when and where, and who is invited; the agenda; what is said and decided.
SE_PREPARE = frozenset({E.PREPARATION, E.CONVOQUEE})
S_ORDONNE = SE_PREPARE | {E.OUVERTE}


class TransitionImpossible(ValueError):
    """The message is a French sentence for whoever asked."""


LIBELLES = {
    E.PREPARATION: "en préparation",
    E.CONVOQUEE: "convoquée",
    E.OUVERTE: "en séance",
    E.CLOSE: "close",
    E.ANNULEE: "annulée",
}
_VERBES = {
    A.CONVOQUER: "convoquer",
    A.INFORMER: "prévenir d’un changement",
    A.OUVRIR: "ouvrir",
    A.CLORE: "clore",
    A.ENVOYER: "envoyer le compte rendu",
    A.ROUVRIR: "rouvrir",
    A.ANNULER: "annuler",
}


def passer(etat: EtatReunion, acte: ActeReunion, motif: str = "") -> EtatReunion:
    """The state after `acte`. Raises `TransitionImpossible` with what is wrong."""
    suivant = TABLE.get((etat, acte))
    if suivant is None:
        raise TransitionImpossible(
            f"Cette réunion est {LIBELLES[etat]} : {_VERBES.get(acte, 'la préparer')} n’est pas possible."
        )
    if acte in AVEC_MOTIF and not motif.strip():
        raise TransitionImpossible("Indiquez le motif : il reste écrit, avec votre nom et la date.")
    return suivant


# --- The agenda that is proposed --------------------------------------------------------------------------------------


class Rubrique(StrEnum):
    """A standing item: the page of the application that shows its figures. LIBRE: an item without one."""

    LIBRE = "LIBRE"
    ACTIONS = "ACTIONS"
    OBJECTIFS = "OBJECTIFS"
    QUART = "QUART"
    PROCEDURES = "PROCEDURES"
    PRIORITAIRES = "PRIORITAIRES"


class PointPropose(NamedTuple):
    """A standing item as it is proposed. `duree`: minutes."""

    rubrique: Rubrique
    titre: str
    texte: str
    duree: int


PERMANENTS = (
    PointPropose(
        Rubrique.OBJECTIFS,
        "Suivi des objectifs de la gestion en flux",
        "Réalisé et dû du contingent de l’État, par département puis par bailleur.",
        30,
    ),
    PointPropose(
        Rubrique.QUART,
        "Quart des attributions aux ménages prioritaires",
        "Action Logement Services, collectivités et bailleurs (CCH, art. L. 441-1 et L. 313-26-2).",
        20,
    ),
    PointPropose(
        Rubrique.PRIORITAIRES,
        "Accès des ménages prioritaires : refus et difficultés",
        "Motifs de refus, délais, publics qui n’accèdent pas au logement.",
        20,
    ),
    PointPropose(
        Rubrique.PROCEDURES,
        "Procédures en cours",
        "Manquements, objectifs non atteints, quart non atteint : état par département.",
        15,
    ),
)


def points_a_proposer(presentes: frozenset[Rubrique], actions_ouvertes: int) -> list[PointPropose]:
    """The standing items that the agenda does not have yet; the open actions of the meetings before come first."""
    proposes = list(PERMANENTS)
    if actions_ouvertes:
        proposes.insert(
            0,
            PointPropose(
                Rubrique.ACTIONS,
                "Suites des réunions précédentes",
                f"{accorder(actions_ouvertes, 'action encore ouverte', 'actions encore ouvertes')}.",
                10,
            ),
        )
    return [point for point in proposes if point.rubrique not in presentes]


# --- Actions ----------------------------------------------------------------------------------------------------------


class EtatAction(StrEnum):
    """OUVERTE, then PROCHE from thirty days before its date, then EN_RETARD from the day after."""

    OUVERTE = "OUVERTE"
    PROCHE = "PROCHE"
    EN_RETARD = "EN_RETARD"
    FAITE = "FAITE"
    ABANDONNEE = "ABANDONNEE"


LIBELLES_ACTION = {
    EtatAction.OUVERTE: "à faire",
    EtatAction.PROCHE: "à faire bientôt",
    EtatAction.EN_RETARD: "en retard",
    EtatAction.FAITE: "faite",
    EtatAction.ABANDONNEE: "abandonnée",
}
APPROCHE = timedelta(days=30)
PRESSE = timedelta(days=7)
# How long after its date an action that was never reminded may still be: a site stopped for a month does not write a volley.
RATTRAPAGE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SituationAction:
    """One action on one day. `jours`: until its date, negative once it is past."""

    etat: EtatAction
    jours: int

    @property
    def ouverte(self) -> bool:
        return self.etat in (EtatAction.OUVERTE, EtatAction.PROCHE, EtatAction.EN_RETARD)

    @property
    def libelle(self) -> str:
        return LIBELLES_ACTION[self.etat]

    @property
    def compte_a_rebours(self) -> str:
        """ "dans 12 jours", "demain", "aujourd’hui", "en retard de 3 jours"; empty once it is over."""
        if not self.ouverte:
            return ""
        if self.jours < 0:
            return f"en retard de {accorder(-self.jours, 'jour')}"
        match self.jours:
            case 0:
                return "aujourd’hui"
            case 1:
                return "demain"
            case _:
                return f"dans {accorder(self.jours, 'jour')}"


def situer_action(
    echeance: date, jour: date, *, faite: bool = False, abandonnee: bool = False
) -> SituationAction:
    """Done or given up counts first; the day of the date itself nobody is late."""
    jours = (echeance - jour).days
    if faite:
        return SituationAction(EtatAction.FAITE, jours)
    if abandonnee:
        return SituationAction(EtatAction.ABANDONNEE, jours)
    if jours < 0:
        return SituationAction(EtatAction.EN_RETARD, jours)
    return SituationAction(EtatAction.PROCHE if jours <= APPROCHE.days else EtatAction.OUVERTE, jours)


def rappel_du(situation: SituationAction) -> Seuil | None:
    """The reminder that the day calls for; None when there is nothing to say."""
    if not situation.ouverte or situation.etat == EtatAction.OUVERTE:
        return None
    if situation.etat == EtatAction.EN_RETARD:
        return Seuil.RETARD if -situation.jours <= RATTRAPAGE.days else None
    return Seuil.J_7 if situation.jours <= PRESSE.days else Seuil.J_30


def ce_qui_manque(points: int, sans_suite: int, presences_inconnues: int) -> list[str]:
    """What is said before closing, without forbidding it: sentences. `sans_suite`: items without note, decision or action."""
    dits = []
    if not points:
        dits.append("L’ordre du jour est vide.")
    if sans_suite:
        dits.append(
            f"{accorder(sans_suite, 'point')} sans note, ni décision, ni action : le compte rendu dira « non traité »."
        )
    if presences_inconnues:
        dits.append(
            f"Présence non notée pour {accorder(presences_inconnues, 'membre')} : le compte rendu n’en dira rien."
        )
    return dits
