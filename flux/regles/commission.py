"""The decisions of a CALEOL on one dwelling (CCH, R. 441-3): what must hold before the commission is closed.

a: attribution. b: attribution with a rank, 1 to n, no gap, no tie. c: attribution under a suspensive condition (one
document, one deadline). d: non-attribution, with a motive. e: inadmissible, with a motive. One household is served at a
time: the one of a, else of c, else rank 1; the ranks follow when it refuses, or does not bring its document.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from reservation.regles.typographie import accorder, date_fr, enumerer, typographier

CANDIDATURES_MIN = 3  # R. 441-3: three per dwelling, unless a coded reason says why not


class Decision(StrEnum):
    """The letters of R. 441-3, as people type them."""

    ATTRIBUTION = "ATTR"
    ATTRIBUTION_RANG = "ATTR_RANG"
    ATTRIBUTION_CONDITION = "ATTR_COND"
    NON_ATTRIBUTION = "NON_ATTR"
    IRRECEVABLE = "IRRECEV"

    @property
    def lettre(self) -> str:
        return "abcde"[list(Decision).index(self)]


REFUS = frozenset({Decision.NON_ATTRIBUTION, Decision.IRRECEVABLE})


class Champ(StrEnum):
    """Where an anomaly is mended."""

    LOGEMENT = "logement"
    CANDIDATURES = "candidatures"
    DECISION = "decision"
    RANG = "rang"
    MOTIF = "motif"
    PIECE = "piece"
    ECHEANCE = "echeance"


class Candidature(NamedTuple):
    """One candidature and its decision, so far as it is entered. `nom`: how it is called ("…2046")."""

    cle: int
    nom: str
    decision: str = ""
    rang: int | None = None
    motif: bool = False
    piece: bool = False
    echeance: date | None = None


class Anomalie(NamedTuple):
    """What prevents closing. `cle`: the candidature where it is said; None: the dwelling itself."""

    cle: int | None
    champ: Champ
    phrase: str


def _anomalie(cle: int | None, champ: Champ, phrase: str) -> Anomalie:
    return Anomalie(cle, champ, typographier(phrase))


def controler_decisions(candidatures: Sequence[Candidature], date_caleol: date) -> tuple[Anomalie, ...]:
    """Everything that is wrong in the decisions of one dwelling, said where it is mended (R. 441-3)."""
    trouvees = [
        anomalie for candidature in candidatures for anomalie in _controler_une(candidature, date_caleol)
    ]
    return (*trouvees, *_controler_concurrence(candidatures), *_controler_rangs(candidatures))


def _controler_une(candidature: Candidature, date_caleol: date) -> list[Anomalie]:
    cle, nom = candidature.cle, candidature.nom
    match candidature.decision:
        case "":
            return [_anomalie(cle, Champ.DECISION, f"La demande {nom} n’a pas de décision.")]
        case Decision.ATTRIBUTION_RANG if not candidature.rang:
            return [_anomalie(cle, Champ.RANG, f"Donnez son rang à la demande {nom}.")]
        case Decision.NON_ATTRIBUTION | Decision.IRRECEVABLE if not candidature.motif:
            return [_anomalie(cle, Champ.MOTIF, f"Donnez le motif pour la demande {nom}.")]
        case Decision.ATTRIBUTION_CONDITION:
            return _controler_condition(candidature, date_caleol)
    return []


def _controler_condition(candidature: Candidature, date_caleol: date) -> list[Anomalie]:
    cle, nom = candidature.cle, candidature.nom
    trouvees = []
    if not candidature.piece:
        trouvees.append(_anomalie(cle, Champ.PIECE, f"Nommez la pièce attendue de la demande {nom}."))
    if candidature.echeance is None:
        trouvees.append(_anomalie(cle, Champ.ECHEANCE, f"Donnez la date limite de la pièce, demande {nom}."))
    elif candidature.echeance < date_caleol:
        trouvees.append(
            _anomalie(
                cle,
                Champ.ECHEANCE,
                f"La date limite de la demande {nom}, {date_fr(candidature.echeance)}, précède la commission "
                f"du {date_fr(date_caleol)}.",
            )
        )
    return trouvees


def _controler_concurrence(candidatures: Sequence[Candidature]) -> list[Anomalie]:
    """One household is served first: a alone, or at most one c, which ranks may follow."""
    servis = [c for c in candidatures if c.decision == Decision.ATTRIBUTION]
    conditions = [c for c in candidatures if c.decision == Decision.ATTRIBUTION_CONDITION]
    classes = [c for c in candidatures if c.decision == Decision.ATTRIBUTION_RANG]
    if len(servis) > 1:
        noms = enumerer(c.nom for c in servis)
        phrase = f"Plusieurs attributions a ({noms}) : gardez-en une, ou classez-les (b)."
        return [_anomalie(servis[-1].cle, Champ.DECISION, phrase)]
    if servis and (autres := [*conditions, *classes]):
        noms = enumerer(c.nom for c in autres)
        phrase = f"La demande {servis[0].nom} est attribuée (a) : {noms} ne peut l’être aussi. Classez-les toutes (b)."
        return [_anomalie(autres[-1].cle, Champ.DECISION, phrase)]
    if len(conditions) > 1:
        noms = enumerer(c.nom for c in conditions)
        phrase = f"Plusieurs attributions sous condition ({noms}) : une seule est possible, classez les autres (b)."
        return [_anomalie(conditions[-1].cle, Champ.DECISION, phrase)]
    return []


def _controler_rangs(candidatures: Sequence[Candidature]) -> list[Anomalie]:
    """Ranks go from 1 to n, without gap or tie."""
    classees = [c for c in candidatures if c.decision == Decision.ATTRIBUTION_RANG and c.rang]
    par_rang: dict[int, list[Candidature]] = {}
    for candidature in classees:
        par_rang.setdefault(candidature.rang, []).append(candidature)
    trouvees = []
    for rang, egales in sorted(par_rang.items()):
        if len(egales) > 1:
            combien = "Deux candidats" if len(egales) == 2 else f"{len(egales)} candidats"
            noms = enumerer(c.nom for c in egales)
            phrase = f"{combien} au rang {rang} ({noms}) : donnez un rang différent à chacun."
            trouvees.append(_anomalie(egales[-1].cle, Champ.RANG, phrase))
    if par_rang and not trouvees:
        manquants = [rang for rang in range(1, len(classees) + 1) if rang not in par_rang]
        if manquants:
            derniere = par_rang[max(par_rang)][-1]
            mot = "le rang" if len(manquants) == 1 else "les rangs"
            liste = enumerer(str(rang) for rang in manquants)
            trouvees.append(
                _anomalie(
                    derniere.cle, Champ.RANG, f"Il manque {mot} {liste} : les rangs se suivent depuis 1."
                )
            )
    return trouvees


def cles_au_rang_fautif(candidatures: Sequence[Candidature]) -> frozenset[int]:
    """Candidatures whose rank is shared: all of them are marked, not only the one where it is said."""
    rangs = [c.rang for c in candidatures if c.decision == Decision.ATTRIBUTION_RANG and c.rang]
    return frozenset(
        c.cle
        for c in candidatures
        if c.decision == Decision.ATTRIBUTION_RANG and c.rang and rangs.count(c.rang) > 1
    )


def controler_nombre(nombre: int, motif: bool) -> tuple[Anomalie, ...]:
    """At least three candidatures, or the coded reason for fewer (R. 441-3); none is nothing to decide."""
    if nombre == 0:
        phrase = "Aucune candidature : ajoutez-en, ou retirez ce logement de l’ordre du jour."
        return (_anomalie(None, Champ.CANDIDATURES, phrase),)
    if nombre < CANDIDATURES_MIN and not motif:
        phrase = f"{accorder(nombre, 'candidature')} seulement : dites pourquoi il y en a moins de trois."
        return (_anomalie(None, Champ.CANDIDATURES, phrase),)
    return ()


def candidature_servie(candidatures: Sequence[Candidature]) -> Candidature | None:
    """The household served first: a, else c, else rank 1; None when nobody is."""
    for decision in (Decision.ATTRIBUTION, Decision.ATTRIBUTION_CONDITION):
        for candidature in candidatures:
            if candidature.decision == decision:
                return candidature
    return next((c for c in candidatures if c.decision == Decision.ATTRIBUTION_RANG and c.rang == 1), None)
