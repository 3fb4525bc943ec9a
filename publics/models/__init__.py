from reservation.traces import suivre

from .labels import (
    PARTENAIRES,
    Accompagnement,
    CaseCerfa,
    CategorieLabel,
    DemandeMenage,
    DossierAgent,
    GroupeDepartement,
    Instruction,
    Labellisation,
    Menage,
    MotifLabel,
    NaturePreuve,
    PropositionLabel,
    ReglagePriorite,
    Source,
)
from .lectures import LectureSensible
from .purges import RapportPurge

__all__ = [
    "PARTENAIRES",
    "Accompagnement",
    "CaseCerfa",
    "CategorieLabel",
    "DemandeMenage",
    "DossierAgent",
    "GroupeDepartement",
    "Instruction",
    "Labellisation",
    "LectureSensible",
    "Menage",
    "MotifLabel",
    "NaturePreuve",
    "PropositionLabel",
    "RapportPurge",
    "ReglagePriorite",
    "Source",
]

suivre("publics")
