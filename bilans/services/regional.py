"""The files of the regional bilan: the PDF and the pack, made by a task and kept under the number of their figures.

A file is named after the fingerprint of what it prints: other figures, another file; the old ones go when the new come.
"""

import os
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from bilans import exports_regionaux as exports
from bilans.documents.dossier_zip import assembler
from bilans.documents.pdf import rendre
from bilans.documents.regional import composer_regional, nom_du_fichier
from bilans.models import VersionCopil
from bilans.regles.consolidation import Consolidation
from bilans.regles.tables_publiees import TABLES
from bilans.services.consolidation import lire_en_systeme
from reservation.acteur import Acteur
from reservation.perimetre import agir

DOSSIER = "regional"


def chemin(lue: Consolidation, extension: str) -> str:
    """Where the storage keeps a file of these figures. `extension`: "pdf" or "zip"."""
    return f"{DOSSIER}/{nom_du_fichier(lue)}.{extension}"


def est_pret(lue: Consolidation) -> bool:
    """Whether the PDF and the pack of these figures are made."""
    return default_storage.exists(chemin(lue, "zip"))


def lire_fichier(lue: Consolidation, extension: str) -> bytes | None:
    """The bytes of a file; None: not made yet."""
    nom = chemin(lue, extension)
    if not default_storage.exists(nom):
        return None
    with default_storage.open(nom) as fichier:
        return fichier.read()


def classeur(lue: Consolidation) -> bytes:
    """The workbook of these figures, as bytes."""
    return exports.classeur([lue], f"Bilan régional {lue.annee} : {lue.region.nom}")


def produire(annee: int, region: str, departements: list[str] | None, masque: bool) -> str:
    """Make the PDF, then the pack, unless they are there; returns the number, "" when there is no such place.

    Slow (seconds): for a task. Safe to repeat.
    """
    lue = lire_en_systeme(annee, region, departements, masque=masque)
    if lue is None:
        return ""
    nom = nom_du_fichier(lue)
    if est_pret(lue):
        return nom
    pdf = rendre(composer_regional(lue, nom)).octets
    deposer(chemin(lue, "pdf"), pdf)
    deposer(chemin(lue, "zip"), pack(lue, pdf))
    _effacer_les_precedents(lue)
    return nom


def pack(lue: Consolidation, pdf: bytes) -> bytes:
    """PDF, workbook, CSV and each validated bilan as the COPIL reads it, beside a manifest of their hashes."""
    nom = nom_du_fichier(lue)
    fichiers = {f"{nom}.pdf": pdf, f"{nom}.xlsx": classeur(lue)}
    fichiers |= {f"csv/{table.nom}.csv": exports.csv(table, [lue]) for table in TABLES}
    for version in _versions(lue):
        fichiers[f"bilans/{version.numero}.pdf"] = bytes(version.octets)
    return assembler(
        fichiers,
        {
            "objet": f"Bilan régional {lue.annee} de la gestion en flux, {lue.region.nom}",
            "numero": nom,
            "empreinte": lue.empreinte,
            "arrete_le": str(lue.arrete_le or ""),
        },
    )


@agir(Acteur.du_systeme("pack du bilan régional"))
def _versions(lue: Consolidation) -> list[VersionCopil]:
    """Of each bilan that counts, the COPIL's version whose PDF is made."""
    numeros = {ligne.numero for ligne in lue.racine.lignes if ligne.numero}
    versions = (
        VersionCopil.objects.filter(
            annee=lue.annee, departement__in=[d.code for d in lue.departements], octets__isnull=False
        )
        .select_related("bailleur")
        .defer("donnees")
        .order_by("departement", "bailleur", "version")
    )
    return [v for v in versions if v.numero.removesuffix("-COPIL") in numeros]


def deposer(nom: str, octets: bytes) -> None:
    """Written beside, then put in place: nobody reads half a file."""
    ecrit = default_storage.save(f"{nom}.partiel", ContentFile(octets))
    os.replace(default_storage.path(ecrit), default_storage.path(nom))


def _effacer_les_precedents(lue: Consolidation) -> None:
    nom = nom_du_fichier(lue)
    famille = nom.rsplit("-", 1)[0]
    for ancien in Path(default_storage.path(DOSSIER)).glob(f"{famille}-????????.*"):
        if ancien.stem != nom:
            ancien.unlink(missing_ok=True)
