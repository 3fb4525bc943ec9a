"""Reconciliations with the SNE, SYPLO and Imhoweb: run by the worker, followed by people, worth what they recover."""

from .effet import Effet, effet_lisible, mesurer_effet
from .execution import DELAI_DE_REPRISE, demander, executer, reprendre
from .suivi import (
    changer_etat,
    changer_responsable,
    lier,
    proposer_proches,
    retirer_correction,
    separer,
)

__all__ = [
    "DELAI_DE_REPRISE",
    "Effet",
    "changer_etat",
    "changer_responsable",
    "demander",
    "effet_lisible",
    "executer",
    "lier",
    "mesurer_effet",
    "proposer_proches",
    "reprendre",
    "retirer_correction",
    "separer",
]
