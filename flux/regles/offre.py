"""The offer made to a household, its ten days, and what may follow (R. 441-10; domain, chapter 8).

The decision of the CALEOL is notified in writing; the household has at least ten days to answer; no answer in that
time is a refusal, and the next rank is served. Calendar days, in the days of Europe/Paris that the caller gives.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from reservation.regles import articles
from reservation.regles.typographie import accorder, date_fr, typographier

DELAI_REPONSE = 10
"""Days to answer, the day of the notification not counted: the least that the article allows."""

ARTICLE = articles.OFFRE


class EtatOffre(StrEnum):
    """Where an attribution stands: one at a time, in this order but for REFUSEE, which ends it at any time before
    the lease. SILENCE is an offer whose days are over; it becomes a refusal when somebody says so."""

    A_NOTIFIER = "A_NOTIFIER"
    EN_COURS = "EN_COURS"
    SILENCE = "SILENCE"
    ACCEPTEE = "ACCEPTEE"
    BAIL = "BAIL"
    REFUSEE = "REFUSEE"


@dataclass(frozen=True, slots=True)
class SituationOffre:
    """`limite`: last day to answer, while an answer is awaited. `phrase`: the clock in words; empty without one."""

    etat: EtatOffre
    limite: date | None = None
    phrase: str = ""


def dernier_jour_pour_repondre(offre_le: date, delai: int = DELAI_REPONSE) -> date:
    """Last day of the household: notified on the 1st, it may answer until the 11th included."""
    return offre_le + timedelta(days=delai)


def silence_vaut_refus(offre_le: date, jour: date, delai: int = DELAI_REPONSE) -> bool:
    """Whether, on `jour`, the days to answer are over (R. 441-10): from the day after the last one."""
    return jour > dernier_jour_pour_repondre(offre_le, delai)


def situation_offre(
    *,
    offre_le: date | None,
    acceptee_le: date | None,
    refusee_le: date | None,
    date_bail: date | None,
    jour: date,
    delai: int = DELAI_REPONSE,
) -> SituationOffre:
    """Where the offer stands on `jour`, and its clock in one sentence."""
    if refusee_le is not None:
        return SituationOffre(EtatOffre.REFUSEE)
    if date_bail is not None:
        return SituationOffre(EtatOffre.BAIL)
    if acceptee_le is not None:
        return SituationOffre(EtatOffre.ACCEPTEE)
    if offre_le is None:
        return SituationOffre(EtatOffre.A_NOTIFIER)
    limite = dernier_jour_pour_repondre(offre_le, delai)
    if silence_vaut_refus(offre_le, jour, delai):
        retard = accorder((jour - limite).days, "jour")
        return SituationOffre(
            EtatOffre.SILENCE,
            limite,
            typographier(
                f"Le ménage avait jusqu’au {date_fr(limite)} : sans réponse depuis {retard}, son silence vaut refus."
            ),
        )
    restent = (limite - jour).days
    reste = "c’est le dernier jour" if not restent else f"encore {accorder(restent, 'jour')}"
    return SituationOffre(
        EtatOffre.EN_COURS,
        limite,
        typographier(f"Le ménage a jusqu’au {date_fr(limite)} pour répondre : {reste}."),
    )


def condition_expiree(echeance: date, levee_le: date | None, jour: date) -> bool:
    """Whether the document of a suspensive condition can no longer come in time (R. 441-3)."""
    return levee_le is None and jour > echeance
