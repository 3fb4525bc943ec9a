"""Certain dates and the clocks that they start (R. 441-5-2, IV; CA, art. 8.1), Europe/Paris.

A delay in months runs from date to date: received on 9 April, two months end on 9 June at midnight. Without such a day in
the last month, it ends with that month (31 December → 28 or 29 February). Nothing happens by itself when it ends: what it
made impossible becomes possible the day after.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from reservation.regles.periodes import fin_du_jour

MOIS_DE_LA_MISE_EN_DEMEURE = 2


def ajouter_mois(jour: date, mois: int) -> date:
    """The same day `mois` later, or the last of the month where there is none."""
    rang = jour.year * 12 + jour.month - 1 + mois
    annee, mois_ = rang // 12, rang % 12 + 1
    return date(annee, mois_, min(jour.day, monthrange(annee, mois_)[1]))


@dataclass(frozen=True, slots=True)
class Delai:
    """From `depart`, the certain date, to `fin`, its last day, included."""

    depart: date
    fin: date

    @property
    def expiration(self) -> datetime:
        """First instant after the delay: midnight of Paris, whatever the season."""
        return fin_du_jour(self.fin)

    def court(self, jour: date) -> bool:
        """True from the certain date to the last day."""
        return self.depart <= jour <= self.fin

    def expire(self, jour: date) -> bool:
        """True from the day after the last one."""
        return jour > self.fin

    def jours_restants(self, jour: date) -> int:
        """Whole days left after `jour`; 0 on the last day and after."""
        return max(0, (self.fin - jour).days)


def delai_en_mois(depart: date, mois: int = MOIS_DE_LA_MISE_EN_DEMEURE) -> Delai:
    """Two months, unless told otherwise, from the certain date."""
    return Delai(depart, ajouter_mois(depart, mois))


def delai_en_jours(depart: date, jours: int) -> Delai:
    """A delay that the letter itself fixes, in days after the certain date."""
    return Delai(depart, depart + timedelta(days=jours))


class Mode(StrEnum):
    """How a letter leaves."""

    RECOMMANDE = "RECOMMANDE"
    REMISE = "REMISE"
    ELECTRONIQUE = "ELECTRONIQUE"

    @property
    def libelle(self) -> str:
        return {
            "RECOMMANDE": "lettre recommandée avec avis de réception",
            "REMISE": "remise en main propre contre décharge",
            "ELECTRONIQUE": "lettre recommandée électronique qualifiée",
        }[self.value]


class Suite(StrEnum):
    """What a letter becomes after it was sent."""

    ENVOI = "ENVOI"
    PRESENTATION = "PRESENTATION"
    RECEPTION = "RECEPTION"
    NON_RECLAME = "NON_RECLAME"
    REFUS = "REFUS"
    ADRESSE = "ADRESSE"

    @property
    def libelle(self) -> str:
        return {
            "ENVOI": "envoyée",
            "PRESENTATION": "présentée, destinataire absent",
            "RECEPTION": "reçue",
            "NON_RECLAME": "retournée, non réclamée",
            "REFUS": "refusée par le destinataire",
            "ADRESSE": "retournée, adresse inexacte ou destinataire inconnu",
        }[self.value]


class Pas(NamedTuple):
    """One step of a letter: what, on which day."""

    jour: date
    suite: Suite


class Inscription(NamedTuple):
    """One row of the journal of a letter, of which nothing is ever changed. `corrige`: rank of the row whose place it takes;
    `retire`: that row was written by mistake, and nothing takes its place."""

    rang: int
    pas: Pas
    corrige: int | None = None
    retire: bool = False


def en_vigueur(inscriptions: Iterable[Inscription]) -> tuple[Inscription, ...]:
    """What the journal says once corrected, in the order in which things happened: a correction stands where the row that it
    corrects stood."""
    places: dict[int, Inscription | None] = {}
    place_de: dict[int, int] = {}
    for ligne in sorted(inscriptions, key=lambda x: x.rang):
        place = place_de[ligne.rang] = place_de.get(ligne.corrige, ligne.rang)
        places[place] = None if ligne.retire else ligne
    return tuple(ligne for _, ligne in sorted(places.items()) if ligne is not None)


class SuiviImpossible(ValueError):
    """A step that cannot follow what is recorded; the text says what was expected."""


RETOURS = frozenset({Suite.NON_RECLAME, Suite.REFUS, Suite.ADRESSE})
_SUIVANTES: dict[Suite | None, frozenset[Suite]] = {
    None: frozenset({Suite.ENVOI}),
    Suite.ENVOI: frozenset({Suite.PRESENTATION, Suite.RECEPTION, Suite.REFUS, Suite.ADRESSE}),
    Suite.PRESENTATION: frozenset({Suite.RECEPTION, Suite.NON_RECLAME, Suite.REFUS, Suite.ADRESSE}),
    Suite.RECEPTION: frozenset(),
    Suite.NON_RECLAME: frozenset(),
    Suite.REFUS: frozenset(),
    Suite.ADRESSE: frozenset(),
}
# A hand delivery is received the day it is made: nothing is presented and nothing comes back.
_SUIVANTES_REMISE: dict[Suite | None, frozenset[Suite]] = {
    None: frozenset({Suite.ENVOI}),
    Suite.ENVOI: frozenset({Suite.RECEPTION, Suite.REFUS}),
}


@dataclass(frozen=True, slots=True)
class Suivi:
    """The steps of one letter, in order. `avancer` is the only way to one more."""

    mode: Mode
    pas: tuple[Pas, ...] = ()

    @property
    def derniere(self) -> Suite | None:
        return self.pas[-1].suite if self.pas else None

    @property
    def possibles(self) -> frozenset[Suite]:
        """Steps that may follow."""
        table = _SUIVANTES_REMISE if self.mode == Mode.REMISE else _SUIVANTES
        return table.get(self.derniere, frozenset())

    def jour(self, suite: Suite) -> date | None:
        """Day of one step, None before it."""
        return next((pas.jour for pas in self.pas if pas.suite == suite), None)

    @property
    def date_certaine(self) -> date | None:
        """The day that starts the clock; None while nothing is certain, or when the address was wrong.

        Received: the day of receipt. Refused: the day of the refusal. Presented and not claimed: the day of the first
        presentation, as the administrative judge holds.
        """
        if self.derniere == Suite.NON_RECLAME:
            return self.jour(Suite.PRESENTATION)
        if self.derniere in (Suite.RECEPTION, Suite.REFUS):
            return self.pas[-1].jour
        return None

    @property
    def a_renvoyer(self) -> bool:
        """It never reached anybody: another letter is needed, to the right address."""
        return self.derniere == Suite.ADRESSE

    def avancer(self, suite: Suite, jour: date, aujourd_hui: date) -> "Suivi":
        """One more step. Raises `SuiviImpossible`: out of order, before the last one, or in the future."""
        if suite not in self.possibles:
            attendues = ", ".join(sorted(s.libelle for s in self.possibles)) or "aucune"
            raise SuiviImpossible(
                f"Une lettre {self.derniere.libelle if self.derniere else 'non envoyée'} ne peut pas être "
                f"« {suite.libelle} ». Suites attendues : {attendues}."
            )
        if self.pas and jour < self.pas[-1].jour:
            raise SuiviImpossible(
                f"Cette date précède celle de la suite déjà inscrite ({self.pas[-1].jour:%d/%m/%Y})."
            )
        if jour > aujourd_hui:
            raise SuiviImpossible("Cette date est à venir : inscrivez la suite quand elle est arrivée.")
        return Suivi(self.mode, (*self.pas, Pas(jour, suite)))


def suivre(mode: Mode, pas: Sequence[Pas], aujourd_hui: date) -> Suivi:
    """The steps read from the base, checked one by one again."""
    suivi = Suivi(mode)
    for etape in pas:
        suivi = suivi.avancer(etape.suite, etape.jour, aujourd_hui)
    return suivi
