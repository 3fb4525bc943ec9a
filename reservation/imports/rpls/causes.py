"""Everything an import may say about a line, declared once: code, sentence, what was expected.

The code is stable (reports keep it, tests name it); the sentences are shown as they are on the page, in the
command and in the file of rejected lines.
"""

from dataclasses import dataclass
from enum import StrEnum

from reservation.regles.typographie import typographier


class Gravite(StrEnum):
    """ERREUR rejects the line; AVERTISSEMENT keeps it and says what looks odd; CORRECTION tells what was mended;
    IGNOREE: a physical line that is no dwelling."""

    ERREUR = "ERREUR"
    AVERTISSEMENT = "AVERTISSEMENT"
    CORRECTION = "CORRECTION"
    IGNOREE = "IGNOREE"


@dataclass(frozen=True, slots=True)
class Cause:
    code: str
    gravite: Gravite
    libelle: str
    attendu: str = ""
    colonne: str = ""


class FichierRefuse(Exception):
    """The file as a whole is not acceptable; `message` is one French sentence for the person who sent it."""

    def __init__(self, code: str, message: str):
        self.code = code
        self.message = typographier(message)
        super().__init__(self.message)


CAUSES: dict[str, Cause] = {}


def _declarer(gravite: Gravite, *lignes: tuple[str, str, str, str]) -> None:
    for code, colonne, libelle, attendu in lignes:
        CAUSES[code] = Cause(code, gravite, typographier(libelle), typographier(attendu), colonne)


_declarer(
    Gravite.ERREUR,
    ("NB_COLONNES", "", "Nombre de colonnes différent du reste du fichier", "une valeur par colonne"),
    ("DEPCOM_VIDE", "DEPCOM", "Code de la commune absent", "le code INSEE à cinq caractères"),
    (
        "DEPCOM_INCONNU",
        "DEPCOM",
        "Code de commune inconnu du code officiel géographique",
        "le code INSEE d’une commune, d’un arrondissement municipal ou d’une ancienne commune",
    ),
    ("QPV_INVALIDE", "QPV", "Quartier prioritaire : code absent ou inconnu", "1 (en QPV) ou 2 (hors QPV)"),
    (
        "TYPECONST_INVALIDE",
        "TYPECONST",
        "Type de construction absent ou inconnu",
        "C (collectif), I (individuel) ou E (étudiant)",
    ),
    (
        "FINAN_INVALIDE",
        "FINAN",
        "Financement initial inconnu",
        "un code à deux chiffres : 10 à 17, 49 à 55 ou 99",
    ),
    (
        "FINAN_VIDE_NON_CONVENTIONNE",
        "FINAN",
        "Financement initial absent d’un logement non conventionné : il décide de son statut",
        "un code à deux chiffres : 10 à 17, 49 à 55 ou 99",
    ),
    ("CONV_INVALIDE", "CONV", "Conventionnement APL : code absent ou inconnu", "1 (oui) ou 2 (non)"),
    ("MODE_INVALIDE", "MODE", "Mode d’occupation absent ou inconnu", "1 à 5, ou 9 (sans objet)"),
    (
        "SORTIE_INVALIDE",
        "SORTIEPATRIM",
        "Motif de sortie du patrimoine inconnu",
        "1 à 5, ou 9 (toujours au patrimoine)",
    ),
    (
        "IDENT_VIDE",
        "IDENT_REP",
        "Ni identifiant du répertoire, ni référence du bailleur",
        "IDENT_REP (10 caractères) ou IDENT_INT",
    ),
    (
        "IDENT_ABIME",
        "IDENT_REP",
        "Identifiant changé par un tableur : des chiffres sont perdus",
        "les 10 caractères de l’identifiant, colonne au format texte",
    ),
    ("IDENT_TROP_LONG", "IDENT_INT", "Identifiant trop long", "IDENT_REP : 20 caractères ; IDENT_INT : 100"),
    (
        "IDENT_REPETE",
        "IDENT_REP",
        "Ligne répétée : même logement et même contenu qu’une ligne précédente",
        "une seule ligne par logement",
    ),
    (
        "IDENT_CONFLIT",
        "IDENT_REP",
        "Identifiant porté par plusieurs lignes différentes du même bailleur",
        "un identifiant par logement",
    ),
    ("SIRET_INVALIDE", "SIRET", "SIRET du bailleur absent ou illisible", "14 chiffres"),
    (
        "BAILLEUR_INCONNU",
        "SIRET",
        "Bailleur inconnu de l’application",
        "le SIRET d’un bailleur enregistré",
    ),
    ("AUTRE_BAILLEUR", "SIRET", "Logement d’un autre bailleur", "le SIRET du bailleur de cet import"),
)

_declarer(
    Gravite.AVERTISSEMENT,
    ("FINAN_VIDE", "FINAN", "Financement initial absent", "un code à deux chiffres"),
    ("NUMCONV_VIDE", "NUMCONV", "Conventionné APL sans numéro de convention", "le numéro de la convention"),
    (
        "NUMCONV_ABIME",
        "NUMCONV",
        "Numéro de convention changé par un tableur : il n’est pas repris",
        "le numéro de la convention, colonne au format texte",
    ),
    (
        "PROGRAMME_ABIME",
        "COMPLGEO",
        "Nom de programme changé en date par un tableur : celui de l’immeuble le remplace",
        "le nom du programme, colonne au format texte",
    ),
    ("BAIL_VIDE", "BAIL", "Loué sans date de bail", "mm/aaaa quand MODE vaut 1"),
    ("BAIL_APRES", "BAIL", "Bail postérieur au millésime", "un mois au plus tard en janvier du millésime"),
    (
        "REMLOC_APRES_BAIL",
        "REMLOCDATE",
        "Remise en location postérieure au bail",
        "une date antérieure au bail",
    ),
    (
        "LOCAT_AVANT_CONSTRUCT",
        "LOCAT",
        "Mise en location antérieure à la construction",
        "LOCAT supérieur ou égal à CONSTRUCT",
    ),
    (
        "LOCAT_APRES",
        "LOCAT",
        "Mise en location postérieure au millésime",
        "une année au plus égale au millésime",
    ),
    (
        "CONSTRUCT_APRES",
        "CONSTRUCT",
        "Construction postérieure au millésime",
        "une année au plus égale au millésime",
    ),
    ("SURFHAB_NULLE", "SURFHAB", "Surface habitable absente ou nulle", "une surface en m²"),
    ("NBPIECE_INCONNU", "NBPIECE", "Nombre de pièces absent ou illisible", "1 à 9"),
    ("MODE_NON_DOCUMENTE", "MODE", "Mode d’occupation non documenté : ni loué, ni proposé", "1 à 5, ou 9"),
    (
        "CODE_INCONNU",
        "",
        "Code inconnu dans une colonne d’information : il n’est pas repris",
        "un code du RPLS",
    ),
    ("DATE_ILLISIBLE", "", "Date illisible : elle n’est pas reprise", "mm/aaaa ou jj/mm/aaaa"),
    ("NOMBRE_ILLISIBLE", "", "Nombre illisible : il n’est pas repris", "un nombre entier"),
    ("SIRET_CLE", "SIRET", "SIRET dont la clé de contrôle est fausse", "un SIRET valide"),
    (
        "QPV_CONTRADICTOIRE",
        "QPV",
        "Hors QPV, mais le code d’un QPV est donné",
        "QPV 1, ou pas de code de QPV",
    ),
    ("CARACTERE_PERDU", "", "Caractère perdu avant l’import (�)", "un fichier dans son encodage d’origine"),
    ("TEXTE_COUPE", "", "Texte trop long, coupé", "un texte plus court"),
)

_declarer(
    Gravite.CORRECTION,
    ("ZERO_RETABLI", "", "Zéros de tête rétablis", ""),
    ("NOTATION_TABLEUR", "", "Nombres écrits par un tableur (décimales, notation scientifique) relus", ""),
    ("ENCODAGE_REPARE", "", "Accents réparés (texte enregistré deux fois dans des encodages différents)", ""),
    ("CARACTERE_NUL", "", "Caractères nuls retirés", ""),
    (
        "COMMUNE_RATTACHEE",
        "DEPCOM",
        "Arrondissements municipaux et anciennes communes rattachés à la commune d’aujourd’hui",
        "",
    ),
)

_declarer(
    Gravite.IGNOREE,
    ("AVANT_EN_TETE", "", "Ligne placée avant l’en-tête", ""),
    ("EN_TETE", "", "Ligne d’en-tête", ""),
    ("DESCRIPTION", "", "Description ou unité des colonnes", ""),
    ("EN_TETE_REPETE", "", "En-tête répété", ""),
    ("VIDE", "", "Ligne vide", ""),
    ("SANS_VALEUR", "", "Ligne de séparateurs, sans aucune valeur", ""),
    ("SUITE", "", "Suite de la ligne précédente (retour à la ligne dans une valeur)", ""),
)
