"""How long this room keeps what people wrote in a procedure, and the archives that copy it (RGPD, art. 5-1 e)."""

from reservation.regles.conservation import RegleConservation

ECRITS_PROCEDURE = RegleConservation(
    "ECRITS_PROCEDURE",
    "Écrits et documents signés par les parties d’une procédure",
    120,
    "la fin de la procédure",
    "textes et fichiers supprimés ; les actes, les lettres, et l’empreinte de ce qui fut signé restent",
    "preuve du contradictoire, recours et contrôles (CRPA, art. L. 121-1 ; CCH, art. L. 342-1 et suivants)",
)
BROUILLONS_PROCEDURE = RegleConservation(
    "BROUILLONS_PROCEDURE",
    "Écrits et documents d’une procédure que leur auteur n’a pas signés",
    12,
    "la fin de la procédure",
    "textes et fichiers supprimés",
    "l’autre partie ne les a jamais lus : ils ne prouvent rien (RGPD, art. 5-1 e)",
)
REUNIONS = RegleConservation(
    "REUNIONS",
    "Réunions du comité de pilotage (notes, décisions, actions, comptes rendus)",
    120,
    "la clôture de la réunion, ou la date de celle qui fut annulée",
    "réunion supprimée avec son ordre du jour, ses notes, ses actions et ses comptes rendus",
    "suivi des décisions d’une instance administrative, d’une convention à la suivante (RGPD, art. 5-1 e)",
)
DOSSIERS_CONTROLE = RegleConservation(
    "DOSSIERS_CONTROLE",
    "Archives des dossiers de contrôle",
    12,
    "leur production",
    "archives supprimées ; un dossier se demande de nouveau, sur ce qui est conservé alors",
    "remise à l’organisme de contrôle, qui tient la sienne et son empreinte (RGPD, art. 5-1 c)",
)
