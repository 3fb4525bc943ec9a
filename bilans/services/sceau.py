"""The electronic seal of a letter (PAdES), when the site has a certificate; without one the file is not sealed, and it is said.

The certificate is a PKCS#12 file (`SCEAU_CERTIFICAT`, its password in `SCEAU_MOT_DE_PASSE`). The seal is added after the
bytes of the letter: what was composed is not touched, the profile PDF/A is kept.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

CHAMP = "Cachet"


class Scelle(NamedTuple):
    """`sceau`: whose certificate sealed the file, empty when none did."""

    octets: bytes
    sceau: str = ""


def est_configure() -> bool:
    """Whether letters are sealed on this site."""
    return bool(settings.SCEAU_CERTIFICAT)


def sceller(octets: bytes, motif: str) -> Scelle:
    """The same PDF under the seal of the site, or as it is when there is no certificate.

    Raises `ImproperlyConfigured` when the certificate cannot be read: nothing is signed half sealed.
    """
    if not est_configure():
        return Scelle(octets)
    # Takes half a second to import: only a site that seals pays for it.
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter

    signataire = _signataire(settings.SCEAU_CERTIFICAT, settings.SCEAU_MOT_DE_PASSE)
    metadonnees = signers.PdfSignatureMetadata(
        field_name=CHAMP, reason=motif, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
    )
    # In a thread of its own: the library runs an event loop, which the caller's thread may have already.
    with ThreadPoolExecutor(1) as fil:
        sortie = fil.submit(
            signers.sign_pdf,
            IncrementalPdfFileWriter(BytesIO(octets)),
            metadonnees,
            signer=signataire,
            output=BytesIO(),
        ).result()
    return Scelle(sortie.getvalue(), signataire.subject_name)


@cache
def _signataire(chemin: str, mot_de_passe: str):
    from pyhanko.sign import signers

    trouve = (
        signers.SimpleSigner.load_pkcs12(chemin, passphrase=mot_de_passe.encode())
        if Path(chemin).is_file()
        else None
    )
    if trouve is None:
        raise ImproperlyConfigured(
            "Le certificat du cachet ne se lit pas : vérifiez SCEAU_CERTIFICAT (fichier PKCS#12) et SCEAU_MOT_DE_PASSE."
        )
    return trouve
