"""Columns of the RPLS files, by the name SDES gives them, whatever the generation of the file calls them.

Sources: order of 5 January 2010 (64 positions of the landlord's deposit), real open files of 2018, variable lists
of the "version loi" and of the open files since 2022.
"""

import re
import unicodedata


def _noms(texte: str) -> tuple[str, ...]:
    return tuple(texte.split())


# The deposit file has no column names: position 1 is the first of this list.
POSITIONS_DEPOT = _noms(
    "IDENT_REP IDENT_INT DROIT DEPCOM CODEPOSTAL LIBCOM NUMVOIE INDREP TYPVOIE NOMVOIE NUMAPPT NUMBOITE ESC "
    "COULOIR ETAGE COMPLIDENT ENTREE BAT IMMEU COMPLGEO LIEUDIT QPV TYPECONST NBPIECE SURFHAB CONSTRUCT LOCAT "
    "PATRIMOINE ORIGINE RSEXPRO SIRETEXPRO FINAN FINANAUTRE CONV NUMCONV DATCONV SORTIEPATRIM OLDLOGT NEWLOGT "
    "MODE BAIL MODESURF SURFMODE LOYERPRINC LOYERACC CONTRIB CUS DPEDATE DPEENERGIE DPESERRE SRU_EXPIR SRU_ALINEA "
    "IDENTGES CODSEGPATRIM LIBSEGPATRIM LOYERMAXAPL LOYERMAXCUS QUALACQ MISCOMMERCIAL PRIXVENTE PRODFIN "
    "REMLOCDATE CONTRESLOG COMMENTAIRE"
)
LARGEUR_DEPOT_MIN = 63  # the comment may be missing
ENTETE_DEPOT = _noms(
    "annee numero_interne raison_sociale enseigne adresse1 adresse2 adresse3 adresse4 adresse5 siret "
    "enregistrements commentaires"
)

# Where the dwelling is: what makes an open file's lines recognisable from one year to the next.
ADRESSE = _noms(
    "NUMVOIE INDREP TYPVOIE NOMVOIE NUMAPPT NUMBOITE ESC COULOIR ETAGE COMPLIDENT ENTREE BAT IMMEU COMPLGEO LIEUDIT"
)
OBLIGATOIRES = ("DEPCOM", "QPV", "TYPECONST", "FINAN", "CONV")
LUES = (
    *("IDENT_REP", "IDENT_INT", "DROIT", "DEPCOM", "CODEPOSTAL"),
    *ADRESSE,
    *("QPV", "TYPECONST", "NBPIECE", "SURFHAB", "CONSTRUCT", "LOCAT", "PATRIMOINE", "ORIGINE", "FINAN"),
    *("FINANAUTRE", "CONV", "NUMCONV", "DATCONV", "SORTIEPATRIM", "MODE", "BAIL", "REMLOCDATE", "CUS"),
    *("DPEENERGIE", "CONTRESLOG", "PLG_QP24", "PLG_QP15", "SIRET", "RS", "CAT_ORG"),
)

_AUTRES_CONNUES = _noms(
    "IDENT_ORG REG LIBREG DEP LIBDEP EPCI LIBEPCI PMR DATMISEVENTE DATVEFFECT DATE_DEP_DERLOCAT DPE_CONSO_ENER "
    "DPE_CONSO_GES DPE_NUM_REF IDENT_FISCAL DEPARTEMENTS_DE_L_EPCI REGIONS_DE_L_EPCI ARN FINAN_CUS MES_SANSCUMUL "
    "LOYMOY AGE DECONV DUREE_VACANCE ANNEE_REMLOC MOIS_REMLOC MOIS_BAIL ANNEE_BAIL BAIL_DATE REMLOCDATE_DATE "
    "PLG_VOIE EPSG X Y PLG_ZUS PLG_ZFU PLG_QVA QUALITE_VOIE QUALITE_NUMERO QUALITE_XY DISTANCE_PRECISION COMAQP "
    "COMAZUS COMIRIS UU2020 AAV2020 ZE2020 DROIT_LIBELLE QPV_LIBELLE TYPECONST_LIBELLE FINAN_LIBELLE "
    "NEWLOGT_LIBELLE PMR_LIBELLE"
)
CONNUES = frozenset([*POSITIONS_DEPOT, *LUES, *_AUTRES_CONNUES])

ALIAS = {
    "DEPCOM_CODE": "DEPCOM",
    "DEPCOM_LIBELLE": "LIBCOM",
    "DROIT_CODE": "DROIT",
    "QPV_CODE": "QPV",
    "TYPECONST_CODE": "TYPECONST",
    "FINAN_CODE": "FINAN",
    "NEWLOGT_CODE": "NEWLOGT",
    "PMR_CODE": "PMR",
    "PLG_QP": "PLG_QP15",
    "REG_CODE": "REG",
    "REG_LIBELLE": "LIBREG",
    "DEP_CODE": "DEP",
    "DEP_LIBELLE": "LIBDEP",
    "EPCI_CODE": "EPCI",
    "EPCI_LIBELLE": "LIBEPCI",
}
# "FINAN_red", "DROIT_dep", "QPVdep": regional files of 2016 and 2017, "loi" file of 2018.
_SUFFIXES = ("_RED", "_DEP", "DEP")


def nom_canonique(entete: str) -> str:
    """SDES name of a column header, or the header in capitals when no file of the RPLS has it."""
    sans_accents = unicodedata.normalize("NFKD", entete).encode("ascii", "ignore").decode()
    nom = re.sub(r"[^0-9A-Z]+", "_", sans_accents.strip().strip("\"'").upper()).strip("_")
    candidats = [nom, *(nom.removesuffix(s) for s in _SUFFIXES if nom.endswith(s) and len(nom) > len(s))]
    for candidat in candidats:
        candidat = ALIAS.get(candidat, candidat)
        if candidat in CONNUES:
            return candidat
    return nom


def reperer_colonnes(entetes: list[str]) -> dict[str, int]:
    """SDES name → index of its column. A name that comes twice (QPV and QPV_CODE) is read where its code is."""
    reperees: dict[str, int] = {}
    for rang, entete in enumerate(entetes):
        nom = nom_canonique(entete)
        if nom in CONNUES and (nom not in reperees or entete.strip().upper().endswith("_CODE")):
            reperees[nom] = rang
    return reperees
