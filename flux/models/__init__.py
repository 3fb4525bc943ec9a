from reservation.traces import suivre

from .agents import DecisionAgent
from .assiettes import AssietteConvenue
from .attributions import Attribution
from .calculs import (
    CalculAFaire,
    CalculFlux,
    EtapeRecalcul,
    Nature,
    PartFlux,
    Recalcul,
    ReportObjectif,
    SoustractionPrevisionnelle,
)
from .commissions import (
    CodeMotif,
    Commission,
    EvenementCommission,
    LigneOrdreDuJour,
    MotifRefus,
    Passage,
    ProcesVerbal,
    StatutEmploi,
    numero_de_proces_verbal,
)
from .convocations import (
    AbonnementAgenda,
    Convocation,
)
from .depots import (
    SUJETS_EXTERNES,
    SUJETS_PAR_TYPE,
    CorrespondanceColonnes,
    Depot,
    LigneDepot,
    Sujet,
    sujets_de,
)
from .exceptions import ExceptionLabel, ReprisePourUnTour
from .externes import (
    CorrespondanceValeur,
    EvenementExterne,
    GenreContingent,
    ListeExterne,
    SourceExterne,
)
from .gels import GelExercice
from .imputations import Imputation
from .liberations import (
    EtapeLiberation,
    Liberation,
    Usage,
)
from .orientations import (
    Candidat,
    Designation,
    Orientation,
    Urgence,
)
from .programmes import (
    Consultation,
    LogementDeProgramme,
    Programme,
)
from .rapprochements import (
    CorrectionRapprochement,
    EcartRapprochement,
    EtatEcart,
    EvenementEcart,
    LigneRapprochement,
    MotifEcart,
    NatureEcart,
    Rapprochement,
    ResponsableEcart,
)
from .saisie import (
    Confirmation,
    FiltreEnregistre,
)
from .simulations import PartageSimulation, Simulation, VersionSimulation

__all__ = [
    "AbonnementAgenda",
    "AssietteConvenue",
    "Attribution",
    "CalculAFaire",
    "CalculFlux",
    "Candidat",
    "CodeMotif",
    "Commission",
    "Confirmation",
    "Consultation",
    "Convocation",
    "CorrectionRapprochement",
    "CorrespondanceColonnes",
    "CorrespondanceValeur",
    "DecisionAgent",
    "Depot",
    "Designation",
    "EcartRapprochement",
    "EtapeLiberation",
    "EtapeRecalcul",
    "EtatEcart",
    "EvenementCommission",
    "EvenementEcart",
    "EvenementExterne",
    "ExceptionLabel",
    "FiltreEnregistre",
    "GelExercice",
    "GenreContingent",
    "Imputation",
    "Liberation",
    "LigneDepot",
    "LigneOrdreDuJour",
    "LigneRapprochement",
    "ListeExterne",
    "LogementDeProgramme",
    "MotifEcart",
    "MotifRefus",
    "Nature",
    "NatureEcart",
    "Orientation",
    "PartFlux",
    "PartageSimulation",
    "Passage",
    "ProcesVerbal",
    "Programme",
    "Rapprochement",
    "Recalcul",
    "ReportObjectif",
    "ReprisePourUnTour",
    "ResponsableEcart",
    "SUJETS_EXTERNES",
    "SUJETS_PAR_TYPE",
    "Simulation",
    "SourceExterne",
    "SoustractionPrevisionnelle",
    "StatutEmploi",
    "Sujet",
    "Urgence",
    "Usage",
    "VersionSimulation",
    "flux",
    "numero_de_proces_verbal",
    "sujets_de",
]

suivre("flux")
