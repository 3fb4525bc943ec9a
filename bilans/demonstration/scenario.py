"""Who owns what, who has rights on what, and how well each one keeps its word: the story that the data tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from reservation.acteur import TypeOrganisation
from reservation.demonstration import BAILLEURS, OrganisationFictive, siren_fictif
from reservation.models import FamilleBailleur

from .parc import Part
from .territoires import Chiffres
from .tirage import Tirage

AUJOURDHUI = date(2026, 11, 15)  # last day of the events of the demonstration

PACA = ("04", "05", "06", "13", "83", "84")
CORSE = ("2A", "2B")
COTES_D_ARMOR = "22"


@dataclass(frozen=True)
class Echelle:
    """A size. `fraction`: share of the real totals that is drawn; `reels`: use the real files where there is one."""

    nom: str
    departements: tuple[str, ...] | None
    fraction: float
    millesimes: tuple[int, ...]
    annees: tuple[int, ...]
    reels: bool = False
    supplementaires: bool = True

    @property
    def histoire(self) -> range:
        """Years over which the dwellings live: one before the first millésime, to fill its leases."""
        return range(min(*self.millesimes, *self.annees) - 1, AUJOURDHUI.year + 1)


ECHELLES = {
    "demo": Echelle(
        "demo",
        (*PACA, *CORSE, COTES_D_ARMOR),
        0.1,
        (2024, 2025, 2026),
        (2024, 2025, 2026),
        reels=True,
        supplementaires=False,
    ),
    "region": Echelle("region", PACA, 1.0, (2024, 2025, 2026), (2024, 2025, 2026)),
    "nationale": Echelle("nationale", None, 1.0, (2025,), (2025, 2026)),
    "essai": Echelle("essai", ("06", COTES_D_ARMOR), 0.01, (2025, 2026), (2025, 2026), supplementaires=False),
}


@dataclass(frozen=True)
class Comportement:
    """How a bailleur and its partners behave; 1 = exactly what the acts ask.

    `etat`, `als`, `collectivites`: libérations oriented to them, compared with their rate. `echecs`: designations
    of ALS and of the collectivités that fail. `prioritaires`: attributions of the État to labelled households.
    `quart`: attributions of the others to labelled households (25 % are due).
    """

    etat: float = 1.05
    als: float = 1.04
    collectivites: float = 1.05
    echecs: float = 0.01
    prioritaires: float = 0.975
    quart: float = 0.31


COMPORTEMENTS = {
    "azur": Comportement(etat=1.09),
    "littoral": Comportement(etat=0.84, als=0.97, echecs=0.13, quart=0.24),
    "sem": Comportement(etat=0.78, collectivites=0.9, prioritaires=0.93, quart=0.22),
    "toit": Comportement(etat=1.0, quart=0.28),
    "metropole": Comportement(etat=1.07, quart=0.34),
    "illustration": Comportement(etat=1.06, als=0.92),
    "prototype": Comportement(etat=0.97, prioritaires=0.95),
    "ventoux": Comportement(etat=0.95, echecs=0.04, quart=0.235),
    "alpes": Comportement(etat=1.08, quart=0.4),
    "corse": Comportement(etat=0.92, quart=0.27),
    "temoin": Comportement(etat=1.06),
    "armor": Comportement(etat=1.08, quart=0.33),
    "bretagne": Comportement(etat=0.93, collectivites=0.85, quart=0.26),
}

# Département → (bailleur, weight in the parc, rotation compared with the département).
PRESENCES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "04": (("alpes", 55, 0.95), ("prototype", 25, 1.1), ("toit", 20, 1.0)),
    "05": (("alpes", 60, 0.95), ("prototype", 40, 1.1)),
    "06": (
        ("azur", 50, 0.97),
        ("littoral", 24, 1.05),
        ("sem", 12, 1.1),
        ("toit", 7, 0.9),
        ("temoin", 7, 1.05),
    ),
    "13": (
        ("metropole", 40, 0.92),
        ("littoral", 18, 1.1),
        ("sem", 14, 1.0),
        ("illustration", 18, 1.1),
        ("prototype", 10, 1.0),
    ),
    "83": (("littoral", 40, 1.0), ("azur", 30, 0.95), ("illustration", 30, 1.05)),
    "84": (("ventoux", 50, 0.95), ("illustration", 20, 1.1), ("metropole", 15, 1.0), ("prototype", 15, 1.0)),
    "2A": (("corse", 75, 0.97), ("temoin", 25, 1.1)),
    "2B": (("corse", 70, 0.97), ("temoin", 30, 1.1)),
    "22": (("armor", 65, 0.97), ("bretagne", 35, 1.05)),
}
GERANTS_ETUDIANTS = {"06": "azur", "13": "illustration", "83": "illustration", "84": "illustration"}


@lru_cache(maxsize=1)
def _bailleurs_nommes() -> dict[str, OrganisationFictive]:
    return {b.cle: b for b in BAILLEURS}


def parts_nommees(departement: str) -> list[Part]:
    """The bailleurs of the demonstration in one département."""
    nommes = _bailleurs_nommes()
    return [
        Part(
            nommes[cle].siren,
            nommes[cle].nom,
            nommes[cle].famille,
            poids,
            rotation,
            etudiants=GERANTS_ETUDIANTS.get(departement) == cle,
        )
        for cle, poids, rotation in PRESENCES.get(departement, ())
    ]


def bailleurs_supplementaires(
    chiffres: dict[str, Chiffres], regions: dict[str, str], tirage: Tirage
) -> tuple[list[OrganisationFictive], dict[str, list[Part]]]:
    """About 570 numbered bailleurs and where they are, so that a national parc has its 2 000 pairs.

    `regions`: département → région. Offices stay in their département, ESH in their région, a few are national.
    Returns the organisations and, by département, their parts.
    """
    organisations: list[OrganisationFictive] = []
    parts: dict[str, list[Part]] = {departement: [] for departement in chiffres}

    def hasard(*nom: object) -> float:
        return tirage.entier("/".join(map(str, nom))) / 2**64

    def ajouter(famille: FamilleBailleur, genre: str, departements: Sequence[str], poids: float) -> None:
        numero = len(organisations) + 1
        nom = f"{genre} n° {numero:03d}"
        siren = siren_fictif(100 + numero)
        organisations.append(OrganisationFictive(siren, TypeOrganisation.BAILLEUR, nom, siren, famille.value))
        for departement in departements:
            parts[departement].append(
                Part(
                    siren,
                    nom,
                    famille.value,
                    poids * (0.5 + hasard("poids", numero, departement)),
                    0.85 + 0.3 * hasard("rotation", numero, departement),
                )
            )

    for departement, c in chiffres.items():
        for _ in range(max(1, round((c.logements / 8000) ** 0.5))):
            ajouter(FamilleBailleur.OPH, "Office fictif", [departement], 30.0)
        if c.logements > 40_000:
            ajouter(FamilleBailleur.COOP, "Coopérative fictive", [departement], 6.0)
        if c.logements > 35_000:
            ajouter(FamilleBailleur.SEM, "SEM fictive", [departement], 9.0)
    for region in sorted(set(regions.values())):
        locaux = [d for d in chiffres if regions[d] == region]
        total = sum(chiffres[d].logements for d in locaux)
        for i in range(max(1, round(total / 20_500))):
            choisis = [d for d in locaux if hasard("region", region, i, d) < 0.5] or [locaux[i % len(locaux)]]
            ajouter(FamilleBailleur.ESH, "ESH fictive", choisis, 14.0)
    for i in range(24):
        choisis = [d for d in chiffres if hasard("national", i, d) < 0.2 + 0.012 * i]
        ajouter(FamilleBailleur.ESH, "ESH nationale fictive", choisis, 6.0)
    return organisations, parts


# --- Who has which rights --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Droit:
    """Rights of a réservataire (`cle` of the organisation) with some bailleurs (all when empty), in points."""

    reservataire: str
    taux: str
    bailleurs: tuple[str, ...] = ()


DROITS: dict[str, tuple[Droit, ...]] = {
    "04": (),
    "05": (),
    "06": (
        Droit("cannes", "10", ("azur", "littoral")),
        Droit("cannes-epci", "5", ("azur", "littoral")),
        Droit("nice", "10", ("azur", "sem", "temoin")),
        Droit("dept-06", "4", ("azur", "littoral", "sem", "toit")),
    ),
    "13": (
        Droit("marseille", "10", ("metropole", "littoral", "illustration")),
        Droit("dept-13", "5"),
        Droit("caf-13", "2", ("metropole",)),
    ),
    "83": (Droit("toulon-epci", "12", ("littoral", "azur")),),
    "84": (Droit("avignon", "10", ("ventoux", "illustration")), Droit("dept-84", "4")),
    "2A": (Droit("ajaccio", "10", ("corse",)),),
    "2B": (Droit("bastia", "10", ("corse",)),),
    "22": (
        Droit("saint-brieuc-epci", "8"),
        Droit("saint-brieuc", "6", ("armor",)),
        Droit("msa-22", "1.5", ("armor",)),
    ),
}
SANS_ALS = frozenset({"prototype"})
TAUX_ALS = "20"
