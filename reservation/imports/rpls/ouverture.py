"""What a file is, from its content alone: container, encoding, separator, header, family.

The name of the file decides nothing: files arrive as `RPLS.csv`, `export (3).txt`, or renamed by a mailer.
Everything that cannot be an RPLS file is refused here with one sentence that says what it looks like.
"""

import codecs
import csv
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from reservation.imports.contenu import PAGE_WEB, decoder, est_binaire, nature
from reservation.imports.contenu import utf16 as utf16_de
from reservation.regles.typographie import accorder, enumerer

from .causes import FichierRefuse
from .colonnes import (
    CONNUES,
    ENTETE_DEPOT,
    LARGEUR_DEPOT_MIN,
    LUES,
    OBLIGATOIRES,
    POSITIONS_DEPOT,
    nom_canonique,
    reperer_colonnes,
)

TAILLE_BLOC = 8 << 20  # bytes: larger ones leave the caches and double the memory, smaller ones pay per block
TAILLE_MAX = 8 << 30  # bytes once decompressed: the national file weighs 3.4 GB
# A file of dwellings shrinks about fifteen times; a bomb, a thousand. Small ones are read whatever their ratio.
RATIO_MAX = 100
TAILLE_LIBRE = 64 << 20
_ECHANTILLON = 1 << 20
_LIGNES_AVANT_ENTETE = 50
_LIGNES_DE_DESCRIPTION = 5
_MEMBRES_MAX = 50  # of a ZIP archive: a region's holds its départements and a note
_SEPARATEURS = (";", ",", "\t", "|")

# What reading an archive may raise; NotImplementedError: a compression that Python does not know (Deflate64).
_ILLISIBLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


class Famille(StrEnum):
    """Families of RPLS files; the database stores the same codes."""

    OUVERT = "OUVERT"
    LOI = "LOI"
    DEPOT = "DEPOT"


@dataclass(frozen=True)
class Fichier:
    """A recognised file. Line numbers are physical, from 1; `colonnes` maps SDES names to their rank, from 0."""

    chemin: Path
    famille: Famille
    separateur: str
    largeur: int
    largeur_min: int
    largeur_max: int
    colonnes: dict[str, int]
    entetes: tuple[str, ...]
    premiere_ligne: int
    ignorees: tuple[tuple[int, str], ...]
    conteneur: str = ""
    membre: str = ""
    utf16: str = ""
    mac: bool = False
    depot: dict[str, str] = field(default_factory=dict)

    @property
    def lues(self) -> list[str]:
        """SDES names of the columns of the file that the parc uses."""
        return [nom for nom in LUES if nom in self.colonnes]

    @property
    def colonnes_ignorees(self) -> list[str]:
        """Headers that no RPLS file of ours has: said in the report, never a reason to refuse."""
        return [e for e in self.entetes if e.strip() and nom_canonique(e) not in CONNUES]

    def taille(self) -> int:
        """Bytes once decompressed (an estimate for gzip, which keeps it modulo 4 GB): for progress only."""
        if self.conteneur == "zip":
            with zipfile.ZipFile(self.chemin) as archive:
                return archive.getinfo(self.membre).file_size
        octets = self.chemin.stat().st_size
        if self.conteneur == "gz" and octets > 4:
            with open(self.chemin, "rb") as flux:
                flux.seek(-4, 2)
                return max(octets, int.from_bytes(flux.read(4), "little"))
        return octets

    def taille_permise(self) -> int:
        """Bytes that this file may hold once decompressed: in proportion of what was sent, and never over the cap."""
        if not self.conteneur:
            return TAILLE_MAX
        return min(TAILLE_MAX, max(TAILLE_LIBRE, RATIO_MAX * self.chemin.stat().st_size))

    def blocs(self, taille: int = TAILLE_BLOC) -> Iterator[bytes]:
        """The text in pieces of about `taille` bytes, line ends as \\n, encoding as in the file (UTF-16 excepted)."""
        lus, permis = 0, self.taille_permise()
        decodeur = codecs.getincrementaldecoder(self.utf16)(errors="replace") if self.utf16 else None
        try:
            with closing(_ouvrir(self.chemin, self.conteneur, self.membre)) as flux:
                while octets := flux.read(taille):
                    lus += len(octets)
                    if lus > permis:
                        raise FichierRefuse(*_TROP_GROS)
                    if decodeur:
                        octets = decodeur.decode(octets).encode()
                    if self.mac:
                        octets = octets.replace(b"\r", b"\n")
                    yield octets
        except _ILLISIBLE as erreur:
            raise FichierRefuse("ARCHIVE_ABIMEE", "Cette archive est abîmée ou incomplète.") from erreur


_TROP_GROS = (
    "TROP_GROS",
    "Ce fichier est trop gros une fois décompressé : déposez le CSV de vos seuls logements.",
)


def ouvrir_fichier(chemin: Path) -> Fichier:
    """Recognise the file at `chemin`; raises `FichierRefuse` with the sentence to show."""
    with open(chemin, "rb") as flux:
        debut = flux.read(_ECHANTILLON)
    if not debut:
        raise FichierRefuse("VIDE", "Ce fichier est vide.")
    if debut.startswith(b"PK"):
        return _choisir_membre(chemin)
    if debut.startswith(b"\x1f\x8b"):
        return _reconnaitre(chemin, _debut(chemin, "gz"), conteneur="gz")
    return _reconnaitre(chemin, debut)


# --- Containers ---------------------------------------------------------------------------------------------------


def _ouvrir(chemin: Path, conteneur: str, membre: str) -> BinaryIO:
    if conteneur == "gz":
        return gzip.open(chemin, "rb")
    if conteneur == "zip":
        return zipfile.ZipFile(chemin).open(membre)
    return open(chemin, "rb")


def _debut(chemin: Path, conteneur: str, membre: str = "") -> bytes:
    try:
        with closing(_ouvrir(chemin, conteneur, membre)) as flux:
            return flux.read(_ECHANTILLON)
    except _ILLISIBLE as erreur:
        raise FichierRefuse("ARCHIVE_ABIMEE", "Cette archive est abîmée ou incomplète.") from erreur


def _choisir_membre(chemin: Path) -> Fichier:
    """The one RPLS file of a ZIP archive; regional archives also carry a dictionary or a note, which are no RPLS."""
    try:
        with zipfile.ZipFile(chemin) as archive:
            membres = [
                m
                for m in archive.infolist()
                if not m.is_dir() and not m.filename.startswith("__MACOSX/") and not _cache(m.filename)
            ]
    except (zipfile.BadZipFile, OSError) as erreur:
        raise FichierRefuse("ARCHIVE_ABIMEE", "Cette archive ZIP est abîmée ou incomplète.") from erreur
    noms = [m.filename for m in membres]
    if "[Content_Types].xml" in noms or "content.xml" in noms:
        genre = (
            "un document Word"
            if any(n.startswith("word/") for n in noms)
            else "un classeur (Excel ou LibreOffice)"
        )
        raise FichierRefuse(
            "CLASSEUR",
            f"Ce fichier est {genre} : enregistrez la feuille des logements au format CSV, puis déposez le CSV.",
        )
    if any(m.flag_bits & 1 for m in membres):
        raise FichierRefuse(
            "ARCHIVE_CHIFFREE",
            "Cette archive est protégée par un mot de passe : déposez le fichier CSV seul.",
        )
    if not membres:
        raise FichierRefuse("VIDE", "Cette archive ne contient aucun fichier.")
    if len(membres) > _MEMBRES_MAX:
        raise FichierRefuse(
            "PLUSIEURS_FICHIERS",
            f"Cette archive contient {accorder(len(membres), 'fichier', 'fichiers')} : déposez le fichier CSV seul.",
        )
    reconnus, refus = [], []
    for nom in noms:
        try:
            reconnus.append(_reconnaitre(chemin, _debut(chemin, "zip", nom), conteneur="zip", membre=nom))
        except FichierRefuse as erreur:
            refus.append(erreur)
    if len(reconnus) > 1:
        raise FichierRefuse(
            "PLUSIEURS_FICHIERS",
            f"Cette archive contient {accorder(len(reconnus), 'fichier', 'fichiers')} de logements "
            f"({enumerer(f.membre for f in reconnus)}) : déposez-les un par un.",
        )
    if not reconnus:
        if len(refus) == 1:
            raise refus[0]
        raise FichierRefuse("PAS_RPLS", "Aucun des fichiers de cette archive n’est un fichier RPLS.")
    if reconnus[0].taille() > reconnus[0].taille_permise():  # said by the archive itself: no need to read it
        raise FichierRefuse(*_TROP_GROS)
    return reconnus[0]


def _cache(nom: str) -> bool:
    return nom.rsplit("/", 1)[-1].startswith(".")


# --- Content ------------------------------------------------------------------------------------------------------


def _reconnaitre(chemin: Path, debut: bytes, **conteneur) -> Fichier:
    _refuser_autre_nature(debut)
    utf16 = utf16_de(debut)
    if utf16:
        debut = codecs.getincrementaldecoder(utf16)(errors="replace").decode(debut).encode()
    elif est_binaire(debut[:4096]):
        raise FichierRefuse("BINAIRE", "Ce fichier n’est pas un fichier texte : un fichier RPLS est un CSV.")
    mac = b"\n" not in debut and b"\r" in debut
    if mac:
        debut = debut.replace(b"\r", b"\n")
    texte = decoder(debut).removeprefix("\ufeff")
    lignes = [ligne.removesuffix("\r") for ligne in texte.split("\n")]
    if not any(ligne.strip() for ligne in lignes):
        raise FichierRefuse("VIDE", "Ce fichier ne contient que des lignes vides.")
    description = _avec_entete(lignes) or _de_depot(lignes)
    if description is None:
        raise FichierRefuse(*_pourquoi_inconnu(lignes))
    return Fichier(chemin=chemin, utf16=utf16, mac=mac, **conteneur, **description)


def _refuser_autre_nature(debut: bytes) -> None:
    if debut[257:262] == b"ustar" or debut.startswith((b"PK", b"\x1f\x8b")):
        raise FichierRefuse(
            "AUTRE_NATURE", "Ce fichier est une archive dans une archive : déposez le CSV seul."
        )
    autre = nature(debut)
    if autre == PAGE_WEB:
        raise FichierRefuse(
            "PAGE_WEB",
            "Ce fichier est une page web, pas un fichier de données : le téléchargement n’a sans doute pas abouti.",
        )
    if autre:
        raise FichierRefuse("AUTRE_NATURE", f"Ce fichier est {autre} : un fichier RPLS est un fichier CSV.")


def _cellules(ligne: str, separateur: str) -> list[str]:
    try:
        return [c.strip() for c in next(csv.reader([ligne], delimiter=separateur), [])]
    except csv.Error:  # a "cell" of more than 128 KB: no line of a table
        return []


def _avec_entete(lignes: list[str]) -> dict | None:
    """Description of a file whose columns are named (open and "loi" files), or None."""
    meilleur = (4, 0, "", [])  # at least five known names
    for rang, ligne in enumerate(lignes[:_LIGNES_AVANT_ENTETE]):
        for separateur in _SEPARATEURS:
            cellules = _cellules(ligne, separateur)
            colonnes = reperer_colonnes(cellules)
            if "DEPCOM" in colonnes and len(colonnes) > meilleur[0]:
                meilleur = (len(colonnes), rang, separateur, cellules)
        if meilleur[2]:
            break
    _, rang, separateur, entetes = meilleur
    if not separateur:
        return None
    colonnes = reperer_colonnes(entetes)
    if absentes := [c for c in OBLIGATOIRES if c not in colonnes]:
        raise FichierRefuse(
            "COLONNES_ABSENTES",
            f"Il manque à ce fichier {accorder(len(absentes), 'colonne')} : {enumerer(absentes)}. Sans elles, on ne "
            "sait pas si un logement est dans l’assiette.",
        )
    ignorees = [(n + 1, "VIDE" if not lignes[n].strip() else "AVANT_EN_TETE") for n in range(rang)]
    ignorees.append((rang + 1, "EN_TETE"))
    suivante = rang + 1
    while suivante <= rang + _LIGNES_DE_DESCRIPTION and suivante < len(lignes):
        cellules = _cellules(lignes[suivante], separateur)
        if not any(cellules) or _est_logement(cellules, colonnes):
            break
        ignorees.append((suivante + 1, "DESCRIPTION"))
        suivante += 1
    identifie = "MODE" in colonnes and ("IDENT_REP" in colonnes or "IDENT_INT" in colonnes)
    return {
        "famille": Famille.LOI if identifie else Famille.OUVERT,
        "separateur": separateur,
        "largeur": len(entetes),
        "largeur_min": len(entetes),
        "largeur_max": len(entetes),
        "colonnes": colonnes,
        "entetes": tuple(entetes),
        "premiere_ligne": suivante + 1,
        "ignorees": tuple(ignorees),
    }


def _est_logement(cellules: list[str], colonnes: dict[str, int]) -> bool:
    """Whether a line below the header is data: descriptions and units have a code in none of these columns."""

    def cellule(nom: str) -> str:
        rang = colonnes[nom]
        return cellules[rang].upper() if rang < len(cellules) else ""

    return (
        re.fullmatch(r"\d[0-9AB]?\d{2,3}(\.0)?", cellule("DEPCOM")) is not None
        or cellule("QPV") in ("1", "2")
        or cellule("CONV") in ("1", "2")
        or cellule("TYPECONST") in ("C", "I", "E")
        or cellule("FINAN").isdecimal()
    )


def _de_depot(lignes: list[str]) -> dict | None:
    """Description of a landlord's deposit file (order of 5 January 2010, art. 3), or None."""
    remplies = [n for n, ligne in enumerate(lignes) if ligne.strip()]
    for separateur in _SEPARATEURS:
        entete = _cellules(lignes[remplies[0]], separateur)
        if len(entete) < 10 or len(entete) >= LARGEUR_DEPOT_MIN:
            continue
        siret = re.sub(r"\s", "", entete[9])
        if not re.fullmatch(r"(19|20)\d\d(\.0)?", entete[0]) or not re.fullmatch(r"\d{13,14}(\.0)?", siret):
            continue
        largeurs = [len(_cellules(lignes[n], separateur)) for n in remplies[1:50]]
        largeur = max(set(largeurs), key=largeurs.count, default=len(POSITIONS_DEPOT))
        if largeur < LARGEUR_DEPOT_MIN:
            raise FichierRefuse(
                "DEPOT_LARGEUR",
                f"Ce fichier commence comme un fichier de dépôt du bailleur, mais ses lignes ont {largeur} valeurs : "
                f"l’arrêté du 5 janvier 2010 en demande {len(POSITIONS_DEPOT)}.",
            )
        rang = remplies[0]
        return {
            "famille": Famille.DEPOT,
            "separateur": separateur,
            "largeur": largeur,
            "largeur_min": LARGEUR_DEPOT_MIN,
            "largeur_max": max(largeur, len(POSITIONS_DEPOT)),
            "colonnes": {nom: n for n, nom in enumerate(POSITIONS_DEPOT)},
            "entetes": (),
            "premiere_ligne": rang + 2,
            "ignorees": (*((n + 1, "VIDE") for n in range(rang)), (rang + 1, "EN_TETE")),
            "depot": dict(zip(ENTETE_DEPOT, entete, strict=False))
            | {"siret": siret.removesuffix(".0").zfill(14)},
        }
    return None


def _pourquoi_inconnu(lignes: list[str]) -> tuple[str, str]:
    premiere = next(ligne for ligne in lignes if ligne.strip())
    for separateur in _SEPARATEURS:
        cellules = [c.upper() for c in _cellules(premiere, separateur)]
        if "DEPCOM_ARM" in cellules or "NB_LS" in cellules:
            return (
                "AGREGAT",
                "Ce fichier compte les logements par commune : l’assiette demande le détail, une ligne par logement.",
            )
        if (
            len(cellules) >= LARGEUR_DEPOT_MIN
            and cellules[21] in ("1", "2")
            and cellules[22] in ("C", "I", "E")
        ):
            return (
                "DEPOT_SANS_EN_TETE",
                "Il manque à ce fichier de dépôt sa première ligne, qui porte l’année et le SIRET du bailleur.",
            )
    return (
        "PAS_RPLS",
        "Ce fichier n’est pas un fichier RPLS : ses premières lignes ne contiennent ni colonne DEPCOM, ni la ligne "
        "d’en-tête d’un fichier de dépôt.",
    )
