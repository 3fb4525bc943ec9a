"""The files of deposits on the disk: encrypted, because they hold the numéros uniques that nothing else keeps.

The key comes from that of the numéros uniques: whoever has the disk, or the disk and the database, reads nothing.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.core.files.base import ContentFile

from flux.imports.lecture import FichierRefuse
from flux.models import Depot
from publics.services.menages import cles_du_site


def _coffre() -> MultiFernet:
    """The current key writes; the older ones still read."""
    return MultiFernet(
        Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"depot:{cle}".encode()).digest()))
        for cle in reversed(cles_du_site())
    )


def enfermer(depot: Depot, nom: str, octets: bytes) -> None:
    """Put the bytes away; the row is not saved."""
    depot.fichier.save(nom, ContentFile(_coffre().encrypt(octets)), save=False)


def ouvrir(depot: Depot) -> bytes:
    """The bytes as they were sent. Raises `FichierRefuse` once the file is erased."""
    if not depot.fichier:
        raise FichierRefuse("EFFACE", "Le fichier de ce dépôt est effacé : déposez-le de nouveau.")
    with depot.fichier.open("rb") as flux:
        return _coffre().decrypt(flux.read())
