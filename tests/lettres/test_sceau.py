"""The seal: a certificate made here, a letter sealed with it and checked, and what is said when there is none."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pypdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID
from django.core.exceptions import ImproperlyConfigured
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from bilans.documents import lettre as lettres
from bilans.regles.procedures import Lettre
from bilans.services import sceau
from tests.procedures.lettres_exemple import courrier

MOT_DE_PASSE = "essai"


@pytest.fixture(scope="module")
def lettre() -> bytes:
    return lettres.rendre(courrier(Lettre.MISE_EN_DEMEURE)).octets


@pytest.fixture
def certificat(tmp_path, settings):
    """A self-signed certificate in the two forms that the site and the check read."""
    cle = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    nom = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cachet d’essai, DDETS fictive")])
    fait = (
        x509.CertificateBuilder()
        .subject_name(nom)
        .issuer_name(nom)
        .public_key(cle.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                **dict.fromkeys(
                    (
                        *("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign"),
                        *("crl_sign", "encipher_only", "decipher_only"),
                    ),
                    False,
                ),
            ),
            critical=True,
        )
        .sign(cle, hashes.SHA256())
    )
    chemin = tmp_path / "cachet.p12"
    chemin.write_bytes(
        serialize_key_and_certificates(
            b"cachet", cle, fait, None, BestAvailableEncryption(MOT_DE_PASSE.encode())
        )
    )
    from cryptography.hazmat.primitives.serialization import Encoding

    public = tmp_path / "cachet.pem"
    public.write_bytes(fait.public_bytes(Encoding.PEM))
    settings.SCEAU_CERTIFICAT, settings.SCEAU_MOT_DE_PASSE = str(chemin), MOT_DE_PASSE
    sceau._signataire.cache_clear()
    yield load_cert_from_pemder(str(public))
    sceau._signataire.cache_clear()


def verifier(octets: bytes, certificat):
    (signature,) = PdfFileReader(io.BytesIO(octets)).embedded_signatures
    contexte = ValidationContext(trust_roots=[certificat], allow_fetching=False)
    with ThreadPoolExecutor(1) as fil:  # its event loop is not that of the browser of another test
        return signature, fil.submit(validate_pdf_signature, signature, contexte).result()


def test_a_letter_is_sealed_and_the_seal_holds(lettre, certificat):
    scelle = sceau.sceller(lettre, "Lettre MED-22-2026-004")
    assert sceau.est_configure() and "Cachet d’essai" in scelle.sceau
    signature, etat = verifier(scelle.octets, certificat)
    assert etat.intact and etat.valid and etat.trusted
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"  # PAdES
    assert signature.field_name == sceau.CHAMP


def test_the_seal_is_added_after_the_letter(lettre, certificat):
    """Not one byte of what was composed changes; the file says still that it is archival."""
    scelle = sceau.sceller(lettre, "essai").octets
    assert scelle.startswith(lettre)
    racine = pypdf.PdfReader(io.BytesIO(scelle)).trailer["/Root"]
    assert b"pdfaid:part" in racine["/Metadata"].get_object().get_data()


def test_a_change_after_the_seal_is_seen(lettre, certificat):
    scelle = bytearray(sceau.sceller(lettre, "essai").octets)
    scelle[len(lettre) // 2] ^= 1
    signature, etat = verifier(bytes(scelle), certificat)
    assert not etat.intact


def test_without_a_certificate_nothing_is_sealed(lettre, settings):
    settings.SCEAU_CERTIFICAT = ""
    assert not sceau.est_configure()
    assert sceau.sceller(lettre, "essai") == (lettre, "")


@pytest.mark.parametrize("mot_de_passe", ["faux", MOT_DE_PASSE])
def test_a_certificate_that_cannot_be_read_is_said(lettre, certificat, settings, mot_de_passe):
    """Nothing is signed half sealed: wrong password, missing file."""
    settings.SCEAU_MOT_DE_PASSE = mot_de_passe
    if mot_de_passe == MOT_DE_PASSE:
        settings.SCEAU_CERTIFICAT += ".absent"
    with pytest.raises(ImproperlyConfigured, match="certificat du cachet ne se lit pas"):
        sceau.sceller(lettre, "essai")
