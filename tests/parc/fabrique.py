"""Makes RPLS files of every family and generation for the tests; the dwellings do not exist."""

import csv
import io
from pathlib import Path

from reservation.imports.rpls.analyse import Analyse, analyser_fichier
from reservation.imports.rpls.colonnes import POSITIONS_DEPOT
from reservation.imports.rpls.normalisation import Contexte
from reservation.imports.rpls.ouverture import ouvrir_fichier

REELS = Path(__file__).resolve().parent.parent / "donnees" / "rpls"
CORSE = REELS / "corse_2018_extrait.csv"
CANNES = REELS / "cannes_2018_extrait_abime.csv"

SIREN_A, SIREN_B, SIREN_INCONNU = "000000017", "000000025", "000000033"
SIRET_A, SIRET_B, SIRET_INCONNU = "00000001700012", "00000002500015", "00000003300019"

COLONNES_LOI = [
    *POSITIONS_DEPOT[:2],
    "IDENT_ORG",
    *POSITIONS_DEPOT[2:63],
    *(
        "PMR",
        "DATMISEVENTE",
        "CAT_ORG",
        "RS",
        "SIRET",
        "DEP",
        "LIBDEP",
        "REG",
        "finan_cus",
        "age",
        "BAIL_DATE",
    ),
]
COLONNES_2018 = [
    "REG",
    "LIBREG",
    "DEP",
    "LIBDEP",
    "EPCI",
    "LIBEPCI",
    "DROIT",
    "DEPCOM",
    "CODEPOSTAL",
    "LIBCOM",
    "NUMVOIE",
    "INDREP",
    "TYPVOIE",
    "NOMVOIE",
    "NUMAPPT",
    "NUMBOITE",
    "ESC",
    "COULOIR",
    "ETAGE",
    "COMPLIDENT",
    "ENTREE",
    "BAT",
    "IMMEU",
    "COMPLGEO",
    "LIEUDIT",
    "QPV",
    "TYPECONST",
    "NBPIECE",
    "SURFHAB",
    "CONSTRUCT",
    "LOCAT",
    "PATRIMOINE",
    "ORIGINE",
    "FINAN",
    "FINANAUTRE",
    "CONV",
    "NUMCONV",
    "DATCONV",
    "NEWLOGT",
    "CUS",
    "DPEDATE",
    "DPEENERGIE",
    "DPESERRE",
    "SRU_EXPIR",
    "SRU_ALINEA",
    "CODSEGPATRIM",
    "LIBSEGPATRIM",
]
COLONNES_DIDO = [
    "REG_CODE",
    "REG_LIBELLE",
    "DEP_CODE",
    "DEP_LIBELLE",
    "EPCI_CODE",
    "EPCI_LIBELLE",
    "DROIT_CODE",
    "DROIT_LIBELLE",
    "DEPCOM_CODE",
    "DEPCOM_LIBELLE",
    "CODEPOSTAL",
    "NUMVOIE",
    "INDREP",
    "TYPVOIE",
    "NOMVOIE",
    "ETAGE",
    "COMPLGEO",
    "LIEUDIT",
    "QPV_CODE",
    "QPV_LIBELLE",
    "TYPECONST_CODE",
    "TYPECONST_LIBELLE",
    "NBPIECE",
    "SURFHAB",
    "CONSTRUCT",
    "LOCAT",
    "PATRIMOINE",
    "ORIGINE",
    "FINAN_CODE",
    "FINAN_LIBELLE",
    "FINANAUTRE",
    "CONV",
    "NUMCONV",
    "DATCONV",
    "NEWLOGT_CODE",
    "NEWLOGT_LIBELLE",
    "CUS",
    "DPEDATE",
    "DPEENERGIE",
    "DPESERRE",
    "SRU_EXPIR",
    "SRU_ALINEA",
    "CODSEGPATRIM",
    "LIBSEGPATRIM",
    "PMR_CODE",
    "PMR_LIBELLE",
    "PLG_VOIE",
    "EPSG",
    "X",
    "Y",
    "PLG_QP",
    "PLG_IRIS2022_CODE",
    "PLG_IRIS2022_LIBELLE",
    "QUALITE_QP",
    "COMAQP",
    "UU2020",
]
COLONNES_2025 = [
    "DEPCOM" if c == "DEPCOM_CODE" else "LIBCOM" if c == "DEPCOM_LIBELLE" else c for c in COLONNES_DIDO
]
COLONNES_2025[COLONNES_2025.index("PLG_QP") : COLONNES_2025.index("PLG_QP") + 1] = ["PLG_QP24", "PLG_QP15"]

LOGEMENT = {
    "IDENT_REP": "0600000001",
    "IDENT_INT": "A-1",
    "IDENT_ORG": "013000001",
    "DROIT": "1",
    "DEPCOM": "06029",
    "CODEPOSTAL": "06400",
    "LIBCOM": "CANNES",
    "NUMVOIE": "12",
    "TYPVOIE": "RUE",
    "NOMVOIE": "DE L EXEMPLE",
    "NUMAPPT": "1",
    "ETAGE": "0",
    "BAT": "BATIMENT A",
    "COMPLGEO": "RESIDENCE MODELE",
    "QPV": "2",
    "TYPECONST": "C",
    "NBPIECE": "3",
    "SURFHAB": "65",
    "CONSTRUCT": "1985",
    "LOCAT": "1986",
    "PATRIMOINE": "1986",
    "ORIGINE": "1",
    "FINAN": "12",
    "CONV": "1",
    "NUMCONV": "06/1985/03/80416/1",
    "DATCONV": "05/04/1985",
    "SORTIEPATRIM": "9",
    "MODE": "1",
    "BAIL": "03/2015",
    "MODESURF": "3",
    "SURFMODE": "999",
    "LOYERPRINC": "9999",
    "CUS": "13",
    "DPEDATE": "10/2009",
    "DPEENERGIE": "C",
    "REMLOCDATE": "02/2015",
    "CONTRESLOG": "7",
    "CAT_ORG": "131",
    "RS": "HABITAT ESSAI A",
    "SIRET": SIRET_A,
}
_VERS_DIDO = {
    "DROIT": "DROIT_CODE",
    "DEPCOM": "DEPCOM_CODE",
    "QPV": "QPV_CODE",
    "TYPECONST": "TYPECONST_CODE",
    "FINAN": "FINAN_CODE",
}


def logement(rang: int = 1, **valeurs: str) -> dict[str, str]:
    """A dwelling that the importer accepts, the `rang`-th of its building; `valeurs` by SDES name."""
    return LOGEMENT | {"IDENT_REP": f"06{rang:08}", "IDENT_INT": f"A-{rang}", "NUMAPPT": str(rang)} | valeurs


def logements(nombre: int, **valeurs: str) -> list[dict[str, str]]:
    return [logement(rang, **valeurs) for rang in range(1, nombre + 1)]


def table(
    lignes: list[dict], colonnes: list[str], sep: str = ";", fin: str = "\n", guillemets: bool = False
) -> str:
    """CSV text of `lignes` under the header `colonnes`; a column may bear its SDES name or that of its generation."""
    vers = {v: k for k, v in _VERS_DIDO.items()}
    sortie = io.StringIO()
    mode = csv.QUOTE_ALL if guillemets else csv.QUOTE_MINIMAL
    ecrivain = csv.writer(sortie, delimiter=sep, lineterminator=fin, quoting=mode)
    ecrivain.writerow(colonnes)
    for ligne in lignes:
        ecrivain.writerow(ligne.get(c, ligne.get(vers.get(c, c), "")) for c in colonnes)
    return sortie.getvalue()


def loi(lignes: list[dict], **options) -> str:
    return table(lignes, COLONNES_LOI, **options)


def ouvert(lignes: list[dict], colonnes: list[str] = COLONNES_2018, **options) -> str:
    return table(lignes, colonnes, **options)


def depot(
    lignes: list[dict], annee: int = 2025, siret: str = SIRET_A, annonces: int | None = None, sep: str = ";"
) -> str:
    """The landlord's deposit file: twelve fields about it, then 64 positions a dwelling, no column name."""
    entete = [
        str(annee),
        "013000001",
        "HABITAT ESSAI A",
        "",
        "",
        "",
        "1 RUE DU SIEGE",
        "",
        "06000 NICE",
        siret,
    ]
    entete += [str(len(lignes) if annonces is None else annonces), ""]
    corps = [sep.join(ligne.get(c, "") for c in POSITIONS_DEPOT) for ligne in lignes]
    return "\n".join([sep.join(entete), *corps]) + "\n"


def ecrire(dossier: Path, texte: str | bytes, nom: str = "fichier.csv", encodage: str = "utf-8") -> Path:
    chemin = dossier / nom
    chemin.write_bytes(texte if isinstance(texte, bytes) else texte.encode(encodage))
    return chemin


COMMUNES = {
    **{code: code for code in ("06029", "06030", "06088", "13055", "22278", "97105", "85289")},
    **{f"132{n:02}": "13055" for n in range(1, 17)},
    "85053": "85289",
}
DEPARTEMENTS = {c: c[:3] if c.startswith("97") else c[:2] for c in set(COMMUNES.values())}


class Communes(dict):
    """The few communes above, and any of the Corse of the real lines."""

    def __missing__(self, code):
        raise KeyError(code)

    def __contains__(self, code):
        return self.get(code) is not None

    def get(self, code, defaut=None):
        connue = super().get(code, defaut)
        return code if connue is None and isinstance(code, str) and code[:2] in ("2A", "2B") else connue


class Departements(dict):
    def __missing__(self, code):
        return code[:2]


def contexte(millesime: int = 2025, **champs) -> Contexte:
    champs = {"siren": SIREN_A, "sirens": frozenset({SIREN_A, SIREN_B})} | champs
    return Contexte(millesime, Communes(COMMUNES), Departements(DEPARTEMENTS), **champs)


def lire(
    chemin: Path, dossier: Path, millesime: int = 2025, taille_bloc: int = 1 << 20, seuil: int = 50, **champs
) -> Analyse:
    """Analyse a file without the database."""
    travail = dossier / f"travail-{len(list(dossier.iterdir()))}"
    travail.mkdir()
    return analyser_fichier(
        ouvrir_fichier(chemin),
        contexte(millesime, **champs),
        travail,
        seuil_erreurs=seuil,
        taille_bloc=taille_bloc,
    )


def causes(analyse: Analyse) -> dict[str, int]:
    """Cause → number of cells, whatever the gravity; the lines of the header are left out."""
    comptes: dict[str, int] = {}
    for constat in analyse.constats.values():
        comptes[constat.cause] = comptes.get(constat.cause, 0) + constat.nombre
    return {cause: n for cause, n in comptes.items() if cause != "EN_TETE"}


def comptes(analyse: Analyse) -> tuple[int, int, int, int]:
    return analyse.lues, analyse.acceptees, analyse.rejetees, analyse.ignorees
