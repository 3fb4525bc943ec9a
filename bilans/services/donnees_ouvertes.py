"""The open data: the consolidation of every région and year with a validated bilan, published each month for everybody.

One folder a day of publication, never changed after: CSV, Parquet and table schema of each table, a data package that lists
them with their hashes, the method and the licence. The pages that serve them read files only, never the base.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.core.files.storage import default_storage

from bilans import exports_regionaux as exports
from bilans.regles.consolidation import Consolidation
from bilans.regles.tables_publiees import TABLES, VERSION, schema
from bilans.services.consolidation import exercices_publies, lire_en_systeme
from publics.regles.secret_hierarchique import LARGEUR
from publics.regles.secret_statistique import SEUIL

DOSSIER = "donnees-ouvertes"
PAQUET = "datapackage.json"
TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
LICENCE = {
    "name": "etalab-2.0",
    "title": "Licence Ouverte 2.0",
    "path": "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
}
_JOUR = re.compile(r"\d{4}-\d{2}-\d{2}")

METHODE = f"""Gestion en flux des réservations de logements sociaux : données ouvertes
=====================================================================

Source. Bilans annuels des bailleurs (CCH, art. R. 441-5-1), validés par les DDETS et figés à la validation. Un bilan qui
n'est pas validé ne compte dans aucun total et n'est pas estimé ; la table « bilans » dit combien le sont.

Niveaux. Région, département, bailleur dans un département. Chaque total est la somme des lignes validées qui le font.

Logements et ménages. Parc, flux, objectifs, attributions et baux comptent des logements. Ce qui est dit des ménages
(priorité, titre, refus) n'est pas communiqué sous {SEUIL} ménages, zéro compris, ni quand une addition ou une soustraction
permettrait de le retrouver. Qui connaît tous les chiffres publiés trouve pour chaque cellule masquée un intervalle de
{LARGEUR + 1} valeurs au moins, ou toutes celles que permet un total plus petit. Une cellule masquée est vide, et la colonne
« secret » dit vrai. Les mêmes cellules sont masquées dans le bilan régional du comité de pilotage.

Fichiers. CSV (UTF-8, virgule, première ligne de noms de colonnes), Parquet, schéma de table (Frictionless Table Schema).
{PAQUET} liste les fichiers avec leur taille et leur empreinte SHA-256. Version des schémas : {VERSION}.

Rythme. Publication mensuelle ; chaque version reste en ligne à sa date.

Licence. Licence Ouverte 2.0 (Etalab) : réutilisation libre, en citant la source et la date de la version.
"""


@dataclass(frozen=True, slots=True)
class Fichier:
    """One file of a version. `octets`: its size."""

    nom: str
    titre: str
    octets: int
    sha256: str

    @property
    def format(self) -> str:
        if self.nom.endswith(".schema.json"):
            return "Schéma"
        return {".csv": "CSV", ".parquet": "Parquet"}.get(Path(self.nom).suffix, "")


@dataclass(frozen=True, slots=True)
class Publication:
    """One version of the open data."""

    jour: date
    exercices: tuple[str, ...]
    fictif: bool
    fichiers: tuple[Fichier, ...]

    @property
    def tables(self) -> list[tuple[str, str, list[Fichier]]]:
        """(title, definition, files) of each table."""
        return [
            (t.titre, t.definition, [f for f in self.fichiers if f.nom.split(".")[0] == t.nom])
            for t in TABLES
        ]


def _racine() -> Path:
    return Path(default_storage.path(DOSSIER))


def publier(jour: date) -> int:
    """Publish the version of `jour`; returns how many files. Nothing validated: nothing published, 0.

    Run again on the same day, it leaves the version of the day as it is.
    """
    if (_racine() / jour.isoformat()).exists():
        return 0
    lues = [
        lue
        for region, annee in exercices_publies()
        if (lue := lire_en_systeme(annee, region)) is not None and lue.racine.bilans
    ]
    if not lues:
        return 0
    return _ecrire(jour, fichiers(lues, jour))


def fichiers(lues: list[Consolidation], jour: date) -> dict[str, bytes]:
    """Name → bytes of every file of a version. Same figures, same bytes."""
    if not all(lue.masque for lue in lues):
        raise ValueError("Une donnée ouverte est masquée.")
    faits: dict[str, bytes] = {"methode.txt": METHODE.encode()}
    ressources = []
    for table in TABLES:
        decrit = schema(table)
        faits[f"{table.nom}.schema.json"] = _json(decrit)
        for extension, ecrire in (("csv", exports.csv), ("parquet", exports.parquet)):
            nom = f"{table.nom}.{extension}"
            faits[nom] = ecrire(table, lues)
            ressources.append(
                {
                    "name": f"{table.nom}-{extension}",
                    "title": f"{table.titre} ({extension})",
                    "path": nom,
                    "format": extension,
                    "bytes": len(faits[nom]),
                    "hash": f"sha256:{hashlib.sha256(faits[nom]).hexdigest()}",
                    "schema": f"{table.nom}.schema.json",
                }
            )
    faits[PAQUET] = _json(
        {
            "name": "gestion-en-flux",
            "title": "Gestion en flux des réservations de logements sociaux",
            "created": jour.isoformat(),
            "version": VERSION,
            "licenses": [LICENCE],
            "exercices": [f"{lue.region.nom} {lue.annee}" for lue in lues],
            "fictif": any(lue.fictif for lue in lues),
            "resources": ressources,
        }
    )
    return faits


def _json(valeur: Mapping) -> bytes:
    return (json.dumps(valeur, ensure_ascii=False, indent=1) + "\n").encode()


def _ecrire(jour: date, faits: Mapping[str, bytes]) -> int:
    """A whole folder or none."""
    racine = _racine()
    racine.mkdir(parents=True, exist_ok=True)
    brouillon = Path(tempfile.mkdtemp(prefix=".brouillon-", dir=racine))
    brouillon.chmod(0o755)
    try:
        for nom, octets in faits.items():
            (brouillon / nom).write_bytes(octets)
        brouillon.rename(racine / jour.isoformat())
    except OSError:
        shutil.rmtree(brouillon, ignore_errors=True)
        if (racine / jour.isoformat()).exists():  # another worker was first
            return 0
        raise
    return len(faits)


# --- What the pages read ----------------------------------------------------------------------------------------


def publications() -> list[Publication]:
    """Every version, the last first."""
    racine = _racine()
    jours = (
        sorted((d.name for d in racine.iterdir() if _JOUR.fullmatch(d.name)), reverse=True)
        if racine.is_dir()
        else []
    )
    return [_lire(date.fromisoformat(jour)) for jour in jours]


def _lire(jour: date) -> Publication:
    dossier = _racine() / jour.isoformat()
    paquet = json.loads((dossier / PAQUET).read_bytes())
    decrits = [
        Fichier(r["path"], r["title"], r["bytes"], r["hash"].removeprefix("sha256:"))
        for r in paquet["resources"]
    ]
    autres = sorted({p.name for p in dossier.iterdir()} - {f.nom for f in decrits})
    for nom in autres:
        octets = (dossier / nom).read_bytes()
        decrits.append(Fichier(nom, nom, len(octets), hashlib.sha256(octets).hexdigest()))
    return Publication(jour, tuple(paquet["exercices"]), paquet["fictif"], tuple(decrits))


def chemin_du_fichier(jour: str, nom: str) -> Path | None:
    """Where the file of a version is; None when there is none of that name."""
    if not _JOUR.fullmatch(jour) or "/" in nom or nom.startswith("."):
        return None
    dossier = _racine() / jour
    return dossier / nom if dossier.is_dir() and nom in {p.name for p in dossier.iterdir()} else None
