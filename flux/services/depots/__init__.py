"""Deposits: a bailleur's spreadsheet of events, from the file to the flux. The only writers of `Depot` and its lines.

recevoir       the file is put away, encrypted                                 RECU
analyser       every line read, compared, judged                               EN_ANALYSE → A_CONFIRMER
associer       somebody says which column is which                             A_ASSOCIER → EN_ANALYSE
corriger, remplacer, confirmer_doutes   lines mended in the page, read again
confirmer      somebody agrees to the accepted lines                           EN_APPLICATION
appliquer      one transaction                                                 APPLIQUE, or A_CONFIRMER for the rest
abandonner     somebody gives the rest up                                      ABANDONNE
"""

from .corrections import confirmer_doutes, corriger, remplacer
from .cycle import (
    abandonner,
    analyser,
    appliquer,
    associer,
    confirmer,
    recevoir,
    reprendre,
    reprendre_les_interrompus,
)

__all__ = [
    "abandonner",
    "analyser",
    "appliquer",
    "associer",
    "confirmer",
    "confirmer_doutes",
    "corriger",
    "recevoir",
    "remplacer",
    "reprendre",
    "reprendre_les_interrompus",
]
