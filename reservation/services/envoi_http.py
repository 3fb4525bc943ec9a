"""One POST to an address that somebody else chose: to the Internet only, to the address that was checked, no further.

The name is resolved once, every address it gives must be public, and the connection goes to one of those very
addresses (a second answer of the DNS changes nothing). The certificate is that of the name. No redirect is followed; a
proxy of the environment is not used; of the answer, the status alone is kept.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping

from django.conf import settings

from reservation.regles.webhooks import adresse_publique, lire_adresse

DELAI = 10  # seconds, for each exchange with the network
DELAI_TOTAL = 20  # seconds, for the whole


class AdresseRefusee(Exception):
    """The message does not go there; the text says why, in French."""


class _Connexion(http.client.HTTPConnection):
    """To an address already chosen; TLS, when there is, with the name that was asked."""

    def __init__(self, hote: str, port: int, adresse: str, tls: ssl.SSLContext | None):
        super().__init__(hote, port, timeout=DELAI)
        self.adresse, self.tls = adresse, tls

    def connect(self) -> None:
        self.sock = socket.create_connection((self.adresse, self.port), self.timeout)
        if self.tls:
            self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.host)


def resoudre(hote: str, port: int, *, interne: bool) -> str:
    """The address to connect to; `AdresseRefusee` when one of those of the name is not of the Internet."""
    try:
        lues = socket.getaddrinfo(hote, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AdresseRefusee("Le nom de l’adresse ne se résout pas.") from None
    adresses = list(dict.fromkeys(infos[4][0] for infos in lues))
    if not interne and not all(adresse_publique(adresse) for adresse in adresses):
        raise AdresseRefusee("Le nom mène à une adresse qui n’est pas sur Internet.")
    return adresses[0]


def poster(url: str, corps: bytes, entetes: Mapping[str, str]) -> int:
    """Status of the answer. Raises `AdresseRefusee`, or OSError or HTTPException when nobody answers as HTTP does."""
    interne = settings.WEBHOOKS_RESEAU_INTERNE
    try:
        schema, hote, port, chemin = lire_adresse(url, interne=interne)
    except ValueError as refus:
        raise AdresseRefusee(str(refus)) from None
    tls = ssl.create_default_context() if schema == "https" else None
    connexion = _Connexion(hote, port, resoudre(hote, port, interne=interne), tls)
    # A server that gives one byte every nine seconds must not hold a worker.
    trop_tard = threading.Timer(
        DELAI_TOTAL, lambda: connexion.sock and connexion.sock.shutdown(socket.SHUT_RDWR)
    )
    trop_tard.daemon = True
    trop_tard.start()
    try:
        connexion.request("POST", chemin, corps, {"User-Agent": "Reservations-en-flux", **entetes})
        return connexion.getresponse().status
    finally:
        trop_tard.cancel()
        connexion.close()
