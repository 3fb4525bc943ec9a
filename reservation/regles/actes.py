"""Acts that give reservation rights, as the rules see them (domain, chapter 5; R. 441-5 to R. 441-5-4).

An act is one version of a convention, or of the arrêté that replaces it, over its own period. Rates are
`Fraction` in points of the flux (30 = 30 % of it). What the territory is worth is data of the act, dated,
never a constant of the program: two départements differ by their acts only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from .periodes import Periode, annee_civile, decouper
from .statut import Exclusions

ZERO = Fraction(0)


class Nature(StrEnum):
    """Kinds of réservataires, in the order of every list (R. 441-5-2 to R. 441-5-4), the bailleur last."""

    ETAT = "ETAT"
    ALS = "ALS"
    COLLECTIVITE = "COLLECTIVITE"
    AUTRE = "AUTRE"
    BAILLEUR = "BAILLEUR"


RANGS = {nature: rang for rang, nature in enumerate(Nature)}


class Reservataire(NamedTuple):
    """Who holds rights. `code` is ETAT, ALS, BAILLEUR, or the code of the collectivité or other."""

    nature: Nature
    code: str

    @property
    def rang(self) -> tuple[int, str]:
        """Sort key of every list, and order in which ties are broken (domain, chapter 5)."""
        return RANGS[self.nature], self.code

    @property
    def titre(self) -> str:
        """French name in sentences and tables; a rule knows the name of a collectivité by its code only."""
        return {
            Nature.ETAT: "État",
            Nature.ALS: "Action Logement Services",
            Nature.COLLECTIVITE: f"Collectivité {self.code}",
            Nature.AUTRE: f"Autre réservataire {self.code}",
            Nature.BAILLEUR: "Bailleur (non réservé)",
        }[self.nature]


ETAT = Reservataire(Nature.ETAT, "ETAT")
ALS = Reservataire(Nature.ALS, "ALS")
BAILLEUR = Reservataire(Nature.BAILLEUR, "BAILLEUR")
CODES_RESERVES = frozenset({ETAT.code, ALS.code, BAILLEUR.code})


class Soustraction(StrEnum):
    """Uses of a freed dwelling that an act may take out of the flux (R. 441-5 I; CA, art. 5 and 6.1)."""

    MUTATION = "MUTATION"
    RU = "RU"
    ORCOD = "ORCOD"
    INSALUBRITE = "INSALUBRITE"
    VENTE = "VENTE"
    URGENCE_PREFECTORALE = "URGENCE_PREFECTORALE"

    @property
    def libelle(self) -> str:
        return LIBELLES_SOUSTRACTION[self]


LIBELLES_SOUSTRACTION = {
    Soustraction.MUTATION: "Mutations dans le parc du bailleur",
    Soustraction.RU: "Relogements RU, PNRU, NPNRU",
    Soustraction.ORCOD: "Relogements ORCOD",
    Soustraction.INSALUBRITE: "Relogements pour insalubrité ou péril",
    Soustraction.VENTE: "Relogements pour opération de vente",
    Soustraction.URGENCE_PREFECTORALE: "Désignations préfectorales d’urgence",
}


class FaitGenerateur(StrEnum):
    """The event that meets the objective (PACA, art. 1: the attribution)."""

    ATTRIBUTION = "ATTRIBUTION"
    BAIL = "BAIL"


class PriseSur(StrEnum):
    """Which half of the État's contingent gives up the points of the rétrocession."""

    PRIORITAIRES = "PRIORITAIRES"
    AGENTS = "AGENTS"


@dataclass(frozen=True, slots=True)
class Regime:
    """What the governing act of the État fixes for the whole year; the defaults are the law's (R. 441-5 I).

    `plancher_hors_qpv`: points under which the État's share may not fall outside QPV, None without the clause
    (R. 441-5-2; CA, art. 3).
    """

    soustractions: frozenset[str] = frozenset(
        {
            Soustraction.MUTATION,
            Soustraction.RU,
            Soustraction.ORCOD,
            Soustraction.INSALUBRITE,
            Soustraction.VENTE,
        }
    )
    exclusions: Exclusions = field(default_factory=Exclusions)
    premieres_mises_en_location: bool = False
    fait_generateur: FaitGenerateur = FaitGenerateur.ATTRIBUTION
    plancher_hors_qpv: Fraction | None = Fraction(30)


REGIME_LEGAL = Regime()


@dataclass(frozen=True, slots=True)
class Retrocession:
    """Points that the État gives back to ALS (PNRU), on a clock of its own, longer than the act's."""

    taux: Fraction
    debut: date
    fin: date
    prise_sur: PriseSur = PriseSur.PRIORITAIRES

    @property
    def periode(self) -> Periode:
        return Periode(self.debut, self.fin)


@dataclass(frozen=True, slots=True)
class Derogation:
    """Arrêté that replaces the État's rate for one year at most (R. 441-5-2)."""

    taux: Fraction
    debut: date
    fin: date

    @property
    def periode(self) -> Periode:
        return Periode(self.debut, self.fin)


@dataclass(frozen=True, slots=True)
class Acte:
    """A convention or arrêté in force from `debut` to `fin`, both days included.

    `communes`: INSEE codes of a collectivité's territory; None = the whole département.
    `taux_agents`, `retrocession`, `derogations` and `regime` belong to the État's acts only.
    `libelle` names the act in messages.
    """

    reservataire: Reservataire
    debut: date
    fin: date
    taux: Fraction
    echec_consomme: bool = False
    communes: frozenset[str] | None = None
    taux_agents: Fraction = ZERO
    retrocession: Retrocession | None = None
    derogations: tuple[Derogation, ...] = ()
    regime: Regime = REGIME_LEGAL
    libelle: str = ""

    @property
    def periode(self) -> Periode:
        return Periode(self.debut, self.fin)

    @property
    def bornes(self) -> tuple[Periode, ...]:
        """Every period whose beginning or end may change a rate of this act."""
        retrocession = (self.retrocession.periode,) if self.retrocession else ()
        return (self.periode, *retrocession, *(d.periode for d in self.derogations))

    def actif(self, jour: date) -> bool:
        return self.debut <= jour <= self.fin

    def couvre(self, commune: str | None) -> bool:
        """Whether the rights bear on `commune` (None: on the département at large)."""
        return self.communes is None or commune in self.communes


class Droit(NamedTuple):
    """Points of the flux that one act gives to one réservataire on one day, and where."""

    reservataire: Reservataire
    points: Fraction
    communes: frozenset[str] | None


def taux_brut(acte: Acte, jour: date) -> Fraction:
    """Rate written in the act or, while one runs, in the arrêté de dérogation (R. 441-5-2); 0 out of the act."""
    if not acte.actif(jour):
        return ZERO
    for derogation in acte.derogations:
        if derogation.debut <= jour <= derogation.fin:
            return derogation.taux
    return acte.taux


def taux_retrocede(acte: Acte, jour: date) -> Fraction:
    """Points that pass from the État to ALS; they run only while the État's act does (PACA, art. 4 c)."""
    retrocession = acte.retrocession
    if retrocession is None or not acte.actif(jour):
        return ZERO
    return retrocession.taux if retrocession.debut <= jour <= retrocession.fin else ZERO


def taux_net(acte: Acte, jour: date) -> Fraction:
    """What is left to the holder of the act: 30 − 1.37 = 28.63 in PACA from 2025 (PACA, art. 4 c)."""
    return taux_brut(acte, jour) - taux_retrocede(acte, jour)


def taux_des_agents(acte: Acte, jour: date) -> Fraction:
    """Ceiling of the agents of the État, in points of the flux and not of the 30 points (R. 441-5-2)."""
    if not acte.actif(jour):
        return ZERO
    if acte.retrocession and acte.retrocession.prise_sur == PriseSur.AGENTS:
        return max(ZERO, acte.taux_agents - taux_retrocede(acte, jour))
    return acte.taux_agents


def droits(acte: Acte, jour: date) -> tuple[Droit, ...]:
    """All that an act gives on a day: to its réservataire and, by rétrocession, to ALS.

    ALS has the rétrocession even without a convention of its own.
    """
    if not acte.actif(jour):
        return ()
    principal = Droit(acte.reservataire, taux_net(acte, jour), acte.communes)
    retrocede = taux_retrocede(acte, jour)
    return (principal, Droit(ALS, retrocede, None)) if retrocede else (principal,)


def points(actes: Iterable[Acte], reservataire: Reservataire, jour: date, commune: str | None) -> Fraction:
    """Rate of a réservataire on a day, on a commune (None: outside the territory of any collectivité).

    The bailleur has the rest of the 100 points. An act that is not in force gives nothing.
    """
    ouverts = [d for acte in actes for d in droits(acte, jour) if d.communes is None or commune in d.communes]
    if reservataire == BAILLEUR:
        return 100 - sum((d.points for d in ouverts), ZERO)
    return sum((d.points for d in ouverts if d.reservataire == reservataire), ZERO)


def acte_regissant(actes: Iterable[Acte], annee: int) -> Acte | None:
    """The État's act that governs the year: in force on 1 January, else the first to begin in the year.

    A year has one assiette and one list of soustractions even when the act changes in June: they are those
    of this act, whatever day is looked at. Rates follow each act on its own days.
    """
    an = annee_civile(annee)
    candidats = [
        acte
        for acte in actes
        if acte.reservataire.nature == Nature.ETAT and acte.periode.commune_avec(an) is not None
    ]
    # The act in force on 1 January began on or before it: it is also the one of smallest `debut`.
    return min(candidats, key=lambda acte: acte.debut, default=None)


def regime_de_l_annee(actes: Iterable[Acte], annee: int) -> Regime:
    """Régime of the governing act; without any, the law's (R. 441-5, R. 441-5-2)."""
    acte = acte_regissant(actes, annee)
    return acte.regime if acte else REGIME_LEGAL


def acte_en_vigueur(actes: Iterable[Acte], reservataire: Reservataire, jour: date) -> Acte | None:
    """The act of a réservataire on a day: at most one, since the acts of one réservataire never overlap."""
    return next((a for a in actes if a.reservataire == reservataire and a.actif(jour)), None)


def lister_reservataires(actes: Iterable[Acte]) -> tuple[Reservataire, ...]:
    """ETAT, ALS, collectivités by code, others by code, BAILLEUR: those that any act names, in force or not."""
    return tuple(sorted({ETAT, ALS, BAILLEUR, *(a.reservataire for a in actes)}, key=lambda r: r.rang))


def periodes_de_taux(actes: Iterable[Acte], annee: int) -> tuple[Periode, ...]:
    """Parts of the year over which no rate of any act changes.

    Counting libérations by (part, commune) instead of by day gives the same exact shares.
    """
    return decouper(annee_civile(annee), [borne for acte in actes for borne in acte.bornes])


def reservataire(nature: Nature | str, code: str = "") -> Reservataire:
    """Réservataire from stored codes; the code of ETAT, ALS and BAILLEUR is their nature."""
    nature = Nature(nature)
    return Reservataire(nature, nature.value if nature.value in CODES_RESERVES else code)


def reservataire_de_code(actes: Sequence[Acte], code: str | None) -> Reservataire | None:
    """Holder that a libération names by its code; None or BAILLEUR is the bailleur, None if no act has it."""
    if code is None or code == BAILLEUR.code:
        return BAILLEUR
    return next((a.reservataire for a in actes if a.reservataire.code == code), None)
