from reservation.traces import suivre

from .bilans import Bilan, DocumentBilan
from .campagnes import EcheanceCampagne
from .cycle import (
    AccuseBilan,
    EtapeBilan,
    VersionReservataire,
)
from .cycle_suites import (
    PointEtape,
    VersionCopil,
)
from .lettres import (
    DossierControle,
    EtapeLettre,
    GabaritLettre,
    Lettre,
)
from .procedures import (
    AttributionDuPrefet,
    EtapeProcedure,
    ParagrapheProcedure,
    ParticipantProcedure,
    PieceProcedure,
    Procedure,
    SignatureProcedure,
)
from .productions import LotBilans, ProductionBilan
from .projections import EnvoiProjection, PartConvenue, RemiseProjection
from .rappels import CourrielDeRappel, Rappel
from .registre import EcritureRegistre
from .reunions import (
    ActionReunion,
    CompteRendu,
    DecisionReunion,
    EvenementReunion,
    InviteReunion,
    PointReunion,
    Reunion,
)

__all__ = [
    "AccuseBilan",
    "ActionReunion",
    "AttributionDuPrefet",
    "Bilan",
    "CompteRendu",
    "CourrielDeRappel",
    "DecisionReunion",
    "DocumentBilan",
    "DossierControle",
    "EcheanceCampagne",
    "EcritureRegistre",
    "EnvoiProjection",
    "EtapeBilan",
    "EtapeLettre",
    "EtapeProcedure",
    "EvenementReunion",
    "GabaritLettre",
    "InviteReunion",
    "Lettre",
    "LotBilans",
    "ParagrapheProcedure",
    "PartConvenue",
    "ParticipantProcedure",
    "PieceProcedure",
    "PointEtape",
    "PointReunion",
    "Procedure",
    "ProductionBilan",
    "Rappel",
    "RemiseProjection",
    "Reunion",
    "SignatureProcedure",
    "VersionCopil",
    "VersionReservataire",
]

suivre("bilans")
