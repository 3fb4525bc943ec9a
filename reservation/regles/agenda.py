"""Calendar entries as RFC 5545 writes them, for invitations (RFC 5546) and feeds. Values in, text out.

Moments are aware and written in UTC: no VTIMEZONE to keep in step with the law. Lines end with CRLF and are folded at 75
octets; texts are escaped; a parameter never holds a quote.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

PRODUIT = "-//Gestion en flux//CALEOL//FR"
LARGEUR = 75  # octets of a line, its end left out (RFC 5545, 3.1)


class Methode(StrEnum):
    """What the reader does with it (RFC 5546): a feed is published, an invitation asks, a cancellation takes back."""

    PUBLIER = "PUBLISH"
    CONVIER = "REQUEST"
    ANNULER = "CANCEL"


class Statut(StrEnum):
    """Whether it will take place (RFC 5545, 3.8.1.11)."""

    PROVISOIRE = "TENTATIVE"
    CONFIRME = "CONFIRMED"
    ANNULE = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Evenement:
    """One entry. `uid` never changes; `sequence` rises with each update. `fin` None: the end is not known.

    `debut` a day and not a moment: the whole of it, and nobody is busy for that.
    """

    uid: str
    sequence: int
    ecrit_le: datetime
    debut: datetime | date
    fin: datetime | None
    titre: str
    lieu: str = ""
    description: str = ""
    adresse: str = ""
    statut: Statut = Statut.CONFIRME
    organisateur: tuple[str, str] | None = None  # name, e-mail address
    convies: tuple[str, ...] = ()  # e-mail addresses


def ecrire_calendrier(evenements: Iterable[Evenement], methode: Methode, nom: str = "") -> str:
    """The whole of an iCalendar object. `nom`: what a subscribed calendar is called."""
    lignes = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUIT}",
        "CALSCALE:GREGORIAN",
        f"METHOD:{methode.value}",
    ]
    if nom:
        # NAME and REFRESH-INTERVAL: RFC 7986; the others are what older readers know.
        lignes += [
            f"NAME:{echapper(nom)}",
            f"X-WR-CALNAME:{echapper(nom)}",
            "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
            "X-PUBLISHED-TTL:PT1H",
        ]
    for evenement in evenements:
        lignes += _lignes(evenement)
    lignes.append("END:VCALENDAR")
    return "".join(f"{plier(ligne)}\r\n" for ligne in lignes)


def _lignes(evenement: Evenement) -> list[str]:
    lignes = [
        "BEGIN:VEVENT",
        f"UID:{echapper(evenement.uid)}",
        f"SEQUENCE:{evenement.sequence}",
        f"DTSTAMP:{_instant(evenement.ecrit_le)}",
        f"DTSTART{_debut(evenement.debut)}",
    ]
    if evenement.fin is not None:
        lignes.append(f"DTEND:{_instant(evenement.fin)}")
    lignes.append(f"SUMMARY;LANGUAGE=fr:{echapper(evenement.titre)}")
    if evenement.lieu:
        lignes.append(f"LOCATION;LANGUAGE=fr:{echapper(evenement.lieu)}")
    if evenement.description:
        lignes.append(f"DESCRIPTION;LANGUAGE=fr:{echapper(evenement.description)}")
    if evenement.adresse:
        lignes.append(f"URL:{evenement.adresse}")
    lignes += [
        f"STATUS:{evenement.statut.value}",
        f"TRANSP:{'OPAQUE' if isinstance(evenement.debut, datetime) else 'TRANSPARENT'}",
        "CLASS:PRIVATE",
    ]
    if evenement.organisateur:
        nom, courriel = evenement.organisateur
        lignes.append(f'ORGANIZER;CN="{_parametre(nom)}":mailto:{courriel}')
    lignes += [
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:mailto:{courriel}"
        for courriel in evenement.convies
    ]
    lignes.append("END:VEVENT")
    return lignes


def _debut(quand: datetime | date) -> str:
    return f":{_instant(quand)}" if isinstance(quand, datetime) else f";VALUE=DATE:{quand:%Y%m%d}"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def echapper(texte: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11): backslash, semicolon, comma and line feed are escaped, controls left out."""
    propre = "".join(c for c in texte.replace("\r\n", "\n") if c in "\n\t" or ord(c) >= 32 and ord(c) != 127)
    return propre.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _parametre(texte: str) -> str:
    """A parameter between quotes holds neither quote nor control (RFC 5545, 3.1)."""
    return "".join(c for c in texte.replace('"', "’") if ord(c) >= 32 and ord(c) != 127)


def plier(ligne: str) -> str:
    """Fold a line at 75 octets, never inside a character; what follows begins with a space."""
    morceaux, courant, taille = [], [], 0
    for caractere in ligne:
        octets = len(caractere.encode())
        if taille + octets > LARGEUR:
            morceaux.append("".join(courant))
            courant, taille = [], 1  # the space that begins the next line
        courant.append(caractere)
        taille += octets
    morceaux.append("".join(courant))
    return "\r\n ".join(morceaux)
