"""Verdicts: a sign, a word and the number that is missing. Templates print them, they never compare two numbers.

Colour is never alone: each verdict has its sign and its word (✓ atteint, ▲ manque 5, – sans objet).
"""

from enum import StrEnum
from typing import NamedTuple

from reservation.regles.typographie import entier_fr


class Issue(StrEnum):
    """How a test ends. SANS_OBJET: there was nothing to reach."""

    TENU = "TENU"
    MANQUE = "MANQUE"
    SANS_OBJET = "SANS_OBJET"

    @property
    def signe(self) -> str:
        return {"TENU": "✓", "MANQUE": "▲", "SANS_OBJET": "–"}[self.value]


class Verdict(NamedTuple):
    """`manque`: dwellings short of the target, or over the ceiling; 0 when it holds."""

    issue: Issue
    mot: str
    manque: int = 0

    @property
    def signe(self) -> str:
        return self.issue.signe

    @property
    def texte(self) -> str:
        return f"{self.signe} {self.mot}"


RESTE = Verdict(Issue.SANS_OBJET, "reste")
SANS_OBJET = Verdict(Issue.SANS_OBJET, "sans objet")


def juger_objectif(ecart: int | None, objectif_total: int, realise: int) -> Verdict:
    """An objective of the year; `ecart` None for the bailleur, whose rest is no objective (chapter 5).

    Missed only when short by one dwelling or more. Nothing expected and nothing done is no achievement.
    """
    if ecart is None:
        return RESTE
    if ecart < 0:
        return Verdict(Issue.MANQUE, f"manque {entier_fr(-ecart)}", -ecart)
    if not objectif_total and not realise:
        return SANS_OBJET
    return Verdict(Issue.TENU, "atteint" if not ecart else "dépassé")


def juger_quart(attributions: int, manque: int) -> Verdict:
    """The quarter of a contingent (L. 441-1, L. 313-26-2): no attribution, no quarter."""
    if manque:
        return Verdict(Issue.MANQUE, f"manque {entier_fr(manque)}", manque)
    return Verdict(Issue.TENU, "tenu") if attributions else SANS_OBJET


def juger_cent_pour_cent(attributions: int, manque: int) -> Verdict:
    """État outside agents: every household priority, or its reason logged (PACA, art. 4 b)."""
    return juger_quart(attributions, manque)


def juger_plafond(nombre: int, plafond: int) -> Verdict:
    """A ceiling, in dwellings (agents of the État, R. 441-5-2). What is over does not count for the objective."""
    if nombre > plafond:
        return Verdict(Issue.MANQUE, f"dépasse de {entier_fr(nombre - plafond)}", nombre - plafond)
    return Verdict(Issue.TENU, "tenu") if plafond else SANS_OBJET


def juger_plancher(nombre: int, plancher: int | None) -> Verdict:
    """A floor, in dwellings (État outside QPV, R. 441-5-2); None without the clause."""
    if not plancher:
        return SANS_OBJET
    if nombre < plancher:
        return Verdict(Issue.MANQUE, f"manque {entier_fr(plancher - nombre)}", plancher - nombre)
    return Verdict(Issue.TENU, "tenu")
