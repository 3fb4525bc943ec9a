"""A control file: files in a ZIP beside a manifest of their hashes, which anybody can check later without the application's base.

`assembler` and `verifier` are the two ends of the same format; same files, same bytes.
"""

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import NamedTuple

FORMAT = "gestion-en-flux/dossier-de-controle/1"
MANIFESTE = "manifest.json"
# No clock in the archive: the day of the file is in its manifest.
_DATE = (1980, 1, 1, 0, 0, 0)


def assembler(fichiers: Mapping[str, bytes], entete: Mapping[str, str]) -> bytes:
    """The ZIP of these files (path → bytes), with their manifest. `entete`: what the file is about, in words."""
    manifeste = {
        "format": FORMAT,
        **entete,
        "fichiers": [
            {"chemin": chemin, "octets": len(octets), "sha256": hashlib.sha256(octets).hexdigest()}
            for chemin, octets in sorted(fichiers.items())
        ],
    }
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as archive:
        texte = json.dumps(manifeste, ensure_ascii=False, indent=1).encode()
        for chemin, octets in [(MANIFESTE, texte), *sorted(fichiers.items())]:
            archive.writestr(zipfile.ZipInfo(chemin, _DATE), octets, zipfile.ZIP_DEFLATED)
    return sortie.getvalue()


# What `zipfile` raises on a damaged archive, whatever byte it is.
_ABIME = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, KeyError, TypeError, OverflowError, MemoryError),
)


class Verification(NamedTuple):
    """`anomalies`: French sentences, none when the file is whole. `empreinte`: SHA-256 of the ZIP itself."""

    manifeste: Mapping
    anomalies: tuple[str, ...]
    empreinte: str
    fichiers: int = 0


def verifier(octets: bytes) -> Verification:
    """Read every file again and compare it with the manifest: changed, missing, added, listed twice, unreadable."""
    empreinte = hashlib.sha256(octets).hexdigest()
    try:
        archive = zipfile.ZipFile(io.BytesIO(octets))
    except _ABIME:
        return Verification({}, ("Ce fichier n’est pas une archive ZIP lisible.",), empreinte)
    with archive:
        noms = archive.namelist()
        try:
            manifeste = json.loads(archive.read(MANIFESTE))
            attendus = {f["chemin"]: (f["sha256"], f["octets"]) for f in manifeste["fichiers"]}
        except _ABIME:
            return Verification({}, (f"{MANIFESTE} manque ou ne se lit pas.",), empreinte)
        anomalies = []
        if manifeste.get("format") != FORMAT:
            anomalies.append(f"Format inconnu : {manifeste.get('format')!r} ; attendu : {FORMAT}.")
        if len(attendus) != len(manifeste["fichiers"]) or len(set(noms)) != len(noms):
            anomalies.append("Un même nom figure deux fois.")
        anomalies += [f"{nom} : absent de l’archive." for nom in sorted(attendus.keys() - set(noms))]
        anomalies += [
            f"{nom} : ajouté, le manifeste ne le connaît pas."
            for nom in sorted(set(noms) - attendus.keys() - {MANIFESTE})
        ]
        for nom in sorted(attendus.keys() & set(noms)):
            try:
                lu = archive.read(nom)
            except _ABIME:
                anomalies.append(f"{nom} : illisible, l’archive est abîmée.")
                continue
            if (hashlib.sha256(lu).hexdigest(), len(lu)) != attendus[nom]:
                anomalies.append(f"{nom} : modifié, son empreinte n’est pas celle du manifeste.")
        return Verification(manifeste, tuple(anomalies), empreinte, len(attendus))
