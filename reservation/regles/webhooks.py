"""What a webhook tells, how it is signed, when it is tried again, and which addresses it may go to. Pure.

The form is that of Standard Webhooks (standardwebhooks.com): `webhook-id`, `webhook-timestamp`, `webhook-signature`.
"""

import base64
import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

PREFIXE_SECRET = "whsec_"
# Before each new try: about two days in all.
DELAIS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
ECHECS_AVANT_SUSPENSION = 20
PAR_MESSAGE = 100  # identifiers
PORTS = frozenset({443, 8443})
ESSAI = "essai"
CREATION, MODIFICATION = "creation", "modification"


@dataclass(frozen=True, slots=True)
class Sujet:
    """`ressource`: the address of the API where the objects are read; `portee`: the family of it."""

    libelle: str
    ressource: str


# Code → what it tells, in the order of the pages.
SUJETS: dict[str, Sujet] = {
    "liberation": Sujet("Libérations, déclarées ou modifiées", "liberations"),
    "orientation": Sujet("Orientations vers un réservataire", "liberations"),
    "commission": Sujet("Commissions, planifiées ou modifiées", "commissions"),
    "passage": Sujet("Candidatures et décisions de commission", "passages"),
    "attribution": Sujet("Attributions, enregistrées ou modifiées", "attributions"),
    "bail": Sujet("Baux signés", "attributions"),
    "label": Sujet("Labels", "labels"),
    "proposition": Sujet("Propositions de labels", "propositions"),
    "bilan": Sujet("Bilans : soumis, renvoyés, validés", "bilans"),
    "bilan_recu": Sujet("Bilans reçus par un réservataire", "bilans-recus"),
}


def composer(type_: str, cree_le: datetime, ressource: str, identifiants: Sequence[int]) -> bytes:
    """The body: the kind and the identifiers, nothing of anybody. The same row gives the same bytes."""
    corps = {
        "type": type_,
        "timestamp": cree_le.isoformat(),
        "data": {"ressource": ressource, "identifiants": list(identifiants)},
    }
    return json.dumps(corps, ensure_ascii=False, separators=(",", ":")).encode()


def secret_de(cle: bytes) -> str:
    """How a key is given to a receiver: `whsec_` and its base 64."""
    return PREFIXE_SECRET + base64.b64encode(cle).decode()


def signer(cles: Sequence[bytes], message: str, instant: int, corps: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of "id.timestamp.body", in base 64; one for each key, a space between them.

    `instant`: seconds since 1970.
    """
    signe = b".".join((message.encode(), str(instant).encode(), corps))
    return " ".join(
        "v1," + base64.b64encode(hmac.new(cle, signe, hashlib.sha256).digest()).decode() for cle in cles
    )


def prochain_essai(essais: int) -> timedelta | None:
    """How long to wait after `essais` tries that failed; None: no more."""
    return DELAIS[essais - 1] if essais <= len(DELAIS) else None


# Where IPv6 addresses of the Internet are: neither those of a site (fec0::/10) nor those that hold an IPv4 address
# (::a.b.c.d, ::ffff:0:a.b.c.d, 64:ff9b::/96), all of which Python calls global.
_MONDE = ipaddress.ip_network("2000::/3")
# Global for Python too, and yet a way towards an address that may be private, or nobody's.
_DETOURNEES = tuple(
    ipaddress.ip_network(r) for r in ("2002::/16", "2001::/32", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24")
)


def adresse_publique(adresse: str) -> bool:
    """Whether an IP address is one of the Internet: neither private, loopback, link-local, reserved nor multicast."""
    ip = ipaddress.ip_address(adresse.partition("%")[0])
    if ip.version == 6:
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip not in _MONDE:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in reseau for reseau in _DETOURNEES)


def lire_adresse(url: str, *, interne: bool = False) -> tuple[str, str, int, str]:
    """(scheme, host, port, path with its query) of where messages go; ValueError in French if they may not go there.

    `interne`: also http, any port and any name (tests, and a site that serves its own network).
    """
    if not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise ValueError("L’adresse contient une espace ou un caractère qui n’est pas ASCII.")
    try:
        lu = urlsplit(url)
        port = lu.port
    except ValueError:
        raise ValueError("Cette adresse ne se lit pas.") from None
    if lu.scheme not in ({"https", "http"} if interne else {"https"}) or not lu.hostname:
        raise ValueError("Attendu : une adresse qui commence par https://")
    if lu.username is not None or lu.password is not None:
        raise ValueError("L’adresse ne porte ni identifiant ni mot de passe : les messages sont signés.")
    if lu.fragment:
        raise ValueError("L’adresse ne porte pas de fragment (#).")
    port = port or (443 if lu.scheme == "https" else 80)
    if not interne and port not in PORTS:
        raise ValueError("Attendu : le port 443 ou 8443.")
    if not interne:
        try:
            publique = adresse_publique(lu.hostname)
        except (
            ValueError
        ):  # a name; one that ends in a number is an IPv4 address in another writing (127.1, 0x7f.1)
            dernier = lu.hostname.rstrip(".").rpartition(".")[2]
            publique = "." in lu.hostname.strip(".") and not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", dernier)
        if not publique:
            raise ValueError("Cette adresse n’est pas sur Internet.")
    chemin = (lu.path or "/") + (f"?{lu.query}" if lu.query else "")
    return lu.scheme, lu.hostname, port, chemin
