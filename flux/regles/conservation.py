"""How long the spreadsheets that bailleurs hand in, and the filters that people keep, are kept (RGPD, art. 5-1 e)."""

from reservation.regles.conservation import RegleConservation

FICHIERS_DEPOTS = RegleConservation(
    "FICHIERS_DEPOTS",
    "Tableaux déposés par les bailleurs, qui contiennent les numéros uniques (chiffrés sur le disque)",
    1,
    "le dépôt",
    "fichier supprimé ; il l’est dès que ses lignes sont toutes enregistrées, refusées ou abandonnées",
    "le temps de corriger les lignes rejetées ; minimisation (RGPD, art. 5-1 c)",
)
LIGNES_DEPOTS = RegleConservation(
    "LIGNES_DEPOTS",
    "Lignes des tableaux déposés, avec l’empreinte du numéro unique",
    12,
    "le dépôt",
    "lignes supprimées ; le compte rendu chiffré reste",
    "preuve de l’origine des libérations et des attributions jusqu’au bilan de l’année (CCH, art. R. 441-5-1)",
)
RAPPROCHEMENTS = RegleConservation(
    "RAPPROCHEMENTS",
    "Lignes, écarts et décisions des rapprochements avec le SNE, SYPLO et Imhoweb",
    14,
    "la fin de la période rapprochée",
    "lignes, écarts, historique et décisions supprimés",
    "le bilan de l’année, dû deux mois après elle, puis douze mois pour en répondre (CCH, art. R. 441-5-1)",
)
EXTRAITS = RegleConservation(
    "EXTRAITS",
    "Lignes des extractions du SNE, de SYPLO et d’Imhoweb, avec l’empreinte du numéro unique",
    18,
    "le dépôt",
    "lignes supprimées ; le compte rendu chiffré du dépôt reste",
    "rapprochement des attributions de l’année jusqu’à la validation de son bilan (CCH, art. R. 441-5-1)",
)
SIMULATIONS = RegleConservation(
    "SIMULATIONS",
    "Simulations d’actes en négociation (titre, note, versions, partages), avec qui les a faites",
    36,
    "leur dernier calcul",
    "simulations supprimées, avec leurs versions et leurs partages",
    "la durée d’une convention, qu’elles ont préparée (CCH, art. R. 441-5-2)",
)
FILTRES_ENREGISTRES = RegleConservation(
    "FILTRES_ENREGISTRES",
    "Filtres de liste enregistrés par une personne",
    1,
    "la fermeture du compte",
    "filtres supprimés",
    "un compte rouvert dans le mois les retrouve ; minimisation (RGPD, art. 5-1 c)",
)
