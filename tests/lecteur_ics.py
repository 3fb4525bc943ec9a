"""Calendars read back by icalendar, a parser that knows the RFC and nothing of what writes them (`reservation.regles.agenda`).

A parser forgives what a calendar at the other end may not: what it only notes in `errors`, and the octets it never checks
(RFC 5545, 3.1), are refused here, with what RFC 5546 asks of an invitation.
"""

from icalendar import Calendar


class IcsInvalide(ValueError):
    """The RFC does not allow this."""


def exiger(condition: bool, raison: str) -> None:
    if not condition:
        raise IcsInvalide(raison)


def lire_ics(octets: bytes) -> Calendar:
    """The calendar that these bytes are; a `ValueError` says what is against the RFC."""
    exiger(octets.endswith(b"\r\n"), "le dernier octet n’est pas une fin de ligne CRLF")
    for ligne in octets.split(b"\r\n"):
        exiger(b"\n" not in ligne and b"\r" not in ligne, "une ligne ne finit pas par CRLF")
        exiger(len(ligne) <= 75, f"{len(ligne)} octets dans une ligne")
        ligne.decode("utf-8")  # a fold inside a character is not UTF-8 on either side
    calendrier = Calendar.from_ical(octets)
    for composant in calendrier.walk():
        exiger(not composant.errors, f"{composant.name} : {composant.errors}")
        exiger(
            not composant.required or all(nom in composant for nom in composant.required),
            f"{composant.name} : il manque une des propriétés {composant.required}",
        )
    uids = [evenement["UID"] for evenement in calendrier.events]
    exiger(len(uids) == len(set(uids)), "deux événements de même UID")
    if calendrier["METHOD"] in ("REQUEST", "CANCEL"):
        for evenement in calendrier.events:
            exiger("ORGANIZER" in evenement and bool(evenement.attendees), "RFC 5546 : ORGANIZER et ATTENDEE")
    if calendrier["METHOD"] == "CANCEL":
        for evenement in calendrier.events:
            exiger(evenement["STATUS"] == "CANCELLED" and "SEQUENCE" in evenement, "RFC 5546 : CANCEL")
    return calendrier
