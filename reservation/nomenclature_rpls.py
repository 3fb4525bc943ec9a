"""Words of the RPLS codes, as the order of 5 January 2010 gives them (position of the variable in brackets).

Codes are stored, labels are shown. A code that the tables do not know is shown as it is: files are newer than
this list.
"""

from collections.abc import Mapping

DROIT = {  # (3)
    "1": "pleine propriété",
    "2": "bail à réhabilitation",
    "3": "bail emphytéotique",
    "4": "usufruit",
    "5": "bail à construction",
}
TYPECONST = {"C": "collectif", "I": "individuel", "E": "logement étudiant"}  # (23)
ORIGINE = {  # (29)
    "1": "construction par l’organisme",
    "2": "acquisition avec travaux",
    "3": "acquisition sans travaux",
    "4": "acquisition en VEFA",
}
FINAN = {  # (32)
    "10": "PLA d’intégration (LLTS outre-mer)",
    "11": "PLA loyer minoré, très social ou insertion",
    "12": "PLA ordinaire",
    "13": "PLUS (LLS outre-mer)",
    "14": "PLS, PPLS, PCLS, PLA CFF",
    "15": "PAP locatif",
    "16": "PLI",
    "17": "PCL, conventionné ou non",
    "49": "autre, à partir de 1977",
    "50": "HBM",
    "51": "PLR, PSR",
    "52": "HLM/O",
    "53": "ILM",
    "54": "ILN",
    "55": "prêts spéciaux du CFF",
    "99": "autre, avant 1977",
}
CONV = {"1": "conventionné APL", "2": "non conventionné"}  # (34)
SORTIEPATRIM = {  # (37)
    "1": "vendu à l’occupant",
    "2": "vendu à un autre bailleur social",
    "3": "autre vente",
    "4": "démoli",
    "5": "sorti pour un autre motif",
    "9": "toujours au patrimoine",
}
MODE = {  # (40)
    "1": "loué avec contrat de location",
    "2": "proposé à la location, vacant",
    "3": "vide pour travaux, vente ou démolition",
    "4": "pris en charge par une association",
    "5": "occupé avec ou sans contrepartie financière",
    "9": "sans objet",
}
CUS = {"10": "PLAI", "11": "PLAI", "13": "PLUS", "14": "PLS", "16": "PLI"}  # (47)
CONTRESLOG = {  # (63): a situation of stock, kept as information, never the source of the rights
    "1": "État, fonctionnaires et agents publics",
    "2": "État, prioritaires",
    "3": "employeurs, Action Logement",
    "4": "collectivités territoriales",
    "5": "État, conventions pour ses fonctionnaires",
    "6": "autres réservataires",
    "7": "non réservé",
}


def en_clair(code: str, table: Mapping[str, str]) -> str:
    """ "13" → "13 – PLUS (LLS outre-mer)"; an unknown code alone; "" where the file says nothing."""
    return f"{code} – {table[code]}" if code in table else code


# By field of `Logement`.
TABLES: dict[str, Mapping[str, str]] = {
    "droit": DROIT,
    "typeconst": TYPECONST,
    "origine": ORIGINE,
    "finan": FINAN,
    "conv": CONV,
    "sortie": SORTIEPATRIM,
    "mode": MODE,
    "cus": CUS,
    "contingent_rpls": CONTRESLOG,
}


def valeur_en_clair(champ: str, texte: str) -> str:
    """A value as the database writes it, in words: code with its label, yes or no, "vide" for nothing."""
    if not texte:
        return "vide"
    if champ == "qpv":
        return "en QPV" if texte in ("t", "true", "True") else "hors QPV"
    return en_clair(texte, TABLES.get(champ, {}))
