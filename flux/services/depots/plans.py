"""What one line of a deposit becomes: its cells, its verdict, and the plans of what writing it would do."""

from dataclasses import dataclass, field
from datetime import date

from flux.models import LigneDepot, Passage

Verdict = LigneDepot.Verdict
Decision = Passage.Decision


@dataclass
class PlanLiberation:
    """One libération of the file, recorded (`enregistree`) or to be made with `champs`; shared by its lines."""

    cle: str
    jour: date
    departement: str
    commune: str
    reference: str
    enregistree: dict | None = None
    champs: dict = field(default_factory=dict)
    changements: dict = field(default_factory=dict)
    valeurs: dict = field(default_factory=dict)
    attributions: list[dict] = field(default_factory=list)
    passages: list[dict] = field(default_factory=list)
    attribution: "PlanAttribution | None" = None
    ligne: int = 0
    pk: int | None = None

    @property
    def vivante(self) -> dict | None:
        """The recorded attribution that no household refused."""
        return next((a for a in self.attributions if a["refusee_le"] is None), None)


@dataclass
class PlanPassage:
    """One candidature examined by one commission, recorded or to be made."""

    liberation: PlanLiberation
    jour: date
    dematerialisee: bool
    numero: str
    champs: dict
    enregistre: dict | None = None
    changements: dict = field(default_factory=dict)
    pk: int | None = None
    # Why the dwelling has fewer than three candidatures, when the line says it and the agenda does not.
    motif_candidatures: int | None = None


@dataclass
class PlanAttribution:
    """One attribution, recorded or to be made with `champs`, and what the file adds to it."""

    liberation: PlanLiberation
    passage: PlanPassage | None
    champs: dict
    enregistree: dict | None = None
    changements: dict = field(default_factory=dict)
    pk: int | None = None


@dataclass
class LigneEtudiee:
    """One line, from its cells to its verdict; the fields of `LigneDepot`, and the plans to write."""

    ligne: int
    cellules: dict[str, str]
    numero: dict
    confirmations: dict = field(default_factory=dict)
    pk: int | None = None
    appliquee: bool = False
    valeurs: dict = field(default_factory=dict)
    messages: list[dict] = field(default_factory=list)
    differences: list[dict] = field(default_factory=list)
    designation: str = ""
    cle: str = ""
    creation: bool = False
    verdict: str = ""
    liberation: PlanLiberation | None = None
    passage: PlanPassage | None = None
    attribution: PlanAttribution | None = None
    # Of an extract: the fields of its `EvenementExterne`, and the recorded one that says the same or is replaced.
    evenement: dict | None = None
    connu: int | None = None

    @property
    def en_erreur(self) -> bool:
        return any(message["bloquant"] for message in self.messages)

    @property
    def a_confirmer(self) -> bool:
        return any(not m["bloquant"] and m["code"] not in self.confirmations for m in self.messages)

    @property
    def a_ecrire(self) -> bool:
        return self.verdict in (Verdict.A_CREER, Verdict.A_METTRE_A_JOUR)
