"""A bailleur-year as a value: what one valid file of the test bench says, and nothing that it does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from flux.regles.annuel import Nature
from flux.regles.imputation import FaitsAttribution
from reservation.regles.actes import Acte, Reservataire
from reservation.regles.statut import Famille


@dataclass(frozen=True, slots=True)
class LotLogements:
    """`nombre` dwellings of the parc alike; RPLS codes as text, `sortie` "" already read as "9"."""

    commune: str
    qpv: bool
    finan: str
    conv: str
    mode: str
    sortie: str
    typeconst: str
    drapeaux: frozenset[str]
    nombre: int


@dataclass(frozen=True, slots=True)
class Liberation:
    """`reservataire` None: oriented nowhere."""

    id: str
    jour: date
    commune: str
    qpv: bool
    usage: str
    premiere: bool
    annulee: bool
    reservataire: Reservataire | None
    designation_echouee: bool


@dataclass(frozen=True, slots=True)
class Attribution:
    """`motif`: a logged reason for a non-priority household (code of `MotifHorsPrioritaire`), or None.

    `refusee` (by the household) is information: an attribution counts, lease or not.
    """

    liberation: str
    faits: FaitsAttribution
    refusee: bool
    motif: str | None

    @property
    def date_caleol(self) -> date:
        return self.faits.date_caleol


@dataclass(frozen=True, slots=True)
class Scenario:
    """`groupes` is complete: the file's groups over the default ones.

    `taux_rotation` (points) and `soustractions_previsionnelles` belong to PREVISIONNEL, `liberations` and
    `attributions` to DEFINITIF. `attendu` is kept as read, to be compared with the result.
    """

    titre: str
    source: str
    annee: int
    departement: str
    nature: Nature
    siren: str
    famille: Famille
    actes: tuple[Acte, ...]
    groupes: Mapping[str, int]
    parc: tuple[LotLogements, ...]
    taux_rotation: Fraction | None
    soustractions_previsionnelles: Mapping[str, int]
    liberations: tuple[Liberation, ...]
    attributions: tuple[Attribution, ...]
    reports: Mapping[str, int]
    attendu: Mapping[str, object] | None
