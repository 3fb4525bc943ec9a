"""The parc: RPLS imports, statuses, flags. The only writers of `Logement`, `AgregatParc`, `EtatParc`, `Drapeau`.

An import, step by step (`ImportRpls.Etat`):

    recevoir_fichier  the file is kept                                      RECU
    analyser          every line read, errors and changes shown             EN_ANALYSE → A_CONFIRMER (or REFUSE)
    confirmer         somebody agrees to what it changes                    EN_APPLICATION
    appliquer         one transaction                                       APPLIQUE
    abandonner        somebody does not                                     ABANDONNE

`importer` does all of it at once (command, demonstration); `essayer` tells what it would do and writes nothing.
`recalculer_parc` after a change of flags, acts or classes.
"""

from .calcul import recalculer_parc
from .drapeaux import poser_drapeau, poser_drapeaux, retirer_drapeau
from .imports import (
    abandonner,
    analyser,
    appliquer,
    confirmer,
    essayer,
    importer,
    recevoir_fichier,
    reprendre,
    reprendre_les_interrompus,
)

__all__ = [
    "abandonner",
    "analyser",
    "appliquer",
    "confirmer",
    "essayer",
    "importer",
    "poser_drapeau",
    "poser_drapeaux",
    "recalculer_parc",
    "recevoir_fichier",
    "reprendre",
    "reprendre_les_interrompus",
    "retirer_drapeau",
]
