"""A reader of iCalendar written from RFC 5545 alone, strict: what it refuses, a calendar may refuse.

No library that reads calendars is among the tools of the project; this one shares nothing with what writes them
(`reservation.regles.agenda`). It checks: octets are UTF-8 (3.1.4), every line ends with CRLF and is at most 75 octets
(3.1), names, parameters and values follow the grammar (3.1), TEXT is escaped (3.3.11), moments exist (3.3.5), a VEVENT has
what it must and nothing twice that may be there once (3.6.1), METHOD is the one of RFC 5546.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

_LIGNE = re.compile(
    r'(?P<nom>[A-Za-z0-9-]+)(?P<parametres>(?:;[A-Za-z0-9-]+=(?:"[^"\x00-\x08\x0a-\x1f\x7f]*"|[^";:,\x00-\x08\x0a-\x1f\x7f]*)'
    r'(?:,(?:"[^"\x00-\x1f\x7f]*"|[^";:,\x00-\x1f\x7f]*))*)*):(?P<valeur>[^\x00-\x08\x0a-\x1f\x7f]*)'
)
_PARAMETRE = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')
_INSTANT = re.compile(r"\d{8}T\d{6}Z")
METHODES = {"PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"}
STATUTS = {"TENTATIVE", "CONFIRMED", "CANCELLED"}
UNE_FOIS = {
    "DTSTAMP", "UID", "DTSTART", "CLASS", "CREATED", "DESCRIPTION", "GEO", "LAST-MODIFIED", "LOCATION", "ORGANIZER",
    "PRIORITY", "SEQUENCE", "STATUS", "SUMMARY", "TRANSP", "URL", "RECURRENCE-ID", "DTEND", "DURATION",
}  # fmt: skip
TEXTES = {"UID", "SUMMARY", "LOCATION", "DESCRIPTION", "NAME", "X-WR-CALNAME", "PRODID"}


class IcsInvalide(ValueError):
    """The RFC does not allow this."""


def exiger(condition: bool, raison: str) -> None:
    if not condition:
        raise IcsInvalide(raison)


@dataclass
class Propriete:
    nom: str
    parametres: dict[str, str]
    valeur: str


@dataclass
class Composant:
    nom: str
    proprietes: list[Propriete] = field(default_factory=list)
    composants: list["Composant"] = field(default_factory=list)

    def toutes(self, nom: str) -> list[Propriete]:
        return [p for p in self.proprietes if p.nom == nom]

    def __getitem__(self, nom: str) -> str:
        (seule,) = self.toutes(nom)
        return texte(seule.valeur) if nom in TEXTES else seule.valeur

    def __contains__(self, nom: str) -> bool:
        return bool(self.toutes(nom))

    def instant(self, nom: str) -> datetime:
        return instant(self[nom])


def lire_ics(octets: bytes) -> Composant:
    """The calendar that these bytes are; `IcsInvalide` says what is against the RFC."""
    exiger(octets.endswith(b"\r\n"), "le dernier octet n’est pas une fin de ligne CRLF")
    exiger(b"\n" not in octets.replace(b"\r\n", b""), "une ligne ne finit pas par CRLF")
    exiger(b"\r" not in octets.replace(b"\r\n", b""), "un retour chariot est seul")
    for ligne in octets.split(b"\r\n"):
        exiger(len(ligne) <= 75, f"{len(ligne)} octets dans une ligne")
        ligne.decode("utf-8")  # a fold inside a character is not UTF-8 on either side
    deplie = octets.decode("utf-8").replace("\r\n ", "").replace("\r\n\t", "")
    pile: list[Composant] = []
    racine = None
    for ligne in deplie.split("\r\n")[:-1]:
        propriete = _propriete(ligne)
        if propriete.nom == "BEGIN":
            exiger(racine is None, "deux objets")
            pile.append(Composant(propriete.valeur))
        elif propriete.nom == "END":
            exiger(bool(pile) and pile[-1].nom == propriete.valeur, f"END:{propriete.valeur} sans son BEGIN")
            ferme = pile.pop()
            if pile:
                pile[-1].composants.append(ferme)
            else:
                racine = ferme
        else:
            exiger(bool(pile), "une propriété hors de tout composant")
            pile[-1].proprietes.append(propriete)
    exiger(racine is not None and not pile, "un composant n’est pas fermé")
    _verifier_calendrier(racine)
    return racine


def _propriete(ligne: str) -> Propriete:
    lue = _LIGNE.fullmatch(ligne)
    exiger(lue is not None, f"ligne illisible : {ligne!r}")
    parametres = {nom.upper(): valeur.strip('"') for nom, valeur in _PARAMETRE.findall(lue["parametres"])}
    propriete = Propriete(lue["nom"].upper(), parametres, lue["valeur"])
    if propriete.nom in TEXTES:
        texte(propriete.valeur)
    return propriete


def texte(valeur: str) -> str:
    """An escaped TEXT as it is meant; a bare comma or semicolon, an unknown escape are against the RFC."""
    sorti, reste = [], iter(valeur)
    for caractere in reste:
        exiger(caractere not in ",;", f"virgule ou point-virgule non échappé : {valeur!r}")
        if caractere == "\\":
            suivant = next(reste, "")
            exiger(
                suivant in ("\\", ";", ",", "n", "N") and suivant != "", f"échappement inconnu : {valeur!r}"
            )
            caractere = "\n" if suivant in "nN" else suivant
        sorti.append(caractere)
    return "".join(sorti)


def instant(valeur: str) -> datetime:
    exiger(_INSTANT.fullmatch(valeur) is not None, f"instant illisible : {valeur!r}")
    return datetime.strptime(valeur, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _verifier_calendrier(calendrier: Composant) -> None:
    exiger(calendrier.nom == "VCALENDAR", "ce n’est pas un VCALENDAR")
    exiger(calendrier["VERSION"] == "2.0", "version")
    exiger(bool(calendrier["PRODID"]), "PRODID")
    exiger(calendrier["METHOD"] in METHODES, "METHOD")
    uids = [evenement["UID"] for evenement in calendrier.composants]
    exiger(len(uids) == len(set(uids)), "deux événements de même UID")
    for evenement in calendrier.composants:
        exiger(evenement.nom == "VEVENT", evenement.nom)
        for nom in UNE_FOIS:
            exiger(len(evenement.toutes(nom)) <= 1, f"{nom} deux fois")
        exiger("DTSTAMP" in evenement and "DTSTART" in evenement, "DTSTAMP ou DTSTART manque")
        evenement.instant("DTSTAMP")
        (depart,) = evenement.toutes("DTSTART")
        if (
            depart.parametres.get("VALUE") == "DATE"
        ):  # a whole day (3.3.4); ends that evening without DTEND (3.6.1)
            datetime.strptime(depart.valeur, "%Y%m%d")
            exiger("DTEND" not in evenement and "DURATION" not in evenement, "fin d’une journée")
            debut = None
        else:
            debut = evenement.instant("DTSTART")
        if "DTEND" in evenement:
            exiger("DURATION" not in evenement and evenement.instant("DTEND") > debut, "DTEND")
        if "STATUS" in evenement:
            exiger(evenement["STATUS"] in STATUTS, "STATUS")
        if "SEQUENCE" in evenement:
            exiger(evenement["SEQUENCE"].isdecimal(), "SEQUENCE")
        if calendrier["METHOD"] in ("REQUEST", "CANCEL"):
            exiger("ORGANIZER" in evenement and "ATTENDEE" in evenement, "RFC 5546 : ORGANIZER et ATTENDEE")
        if calendrier["METHOD"] == "CANCEL":
            exiger(evenement["STATUS"] == "CANCELLED" and "SEQUENCE" in evenement, "RFC 5546 : CANCEL")
        for nom in ("ORGANIZER", "ATTENDEE"):
            for personne in evenement.toutes(nom):
                exiger(re.fullmatch(r"mailto:[^\s@]+@[^\s@]+", personne.valeur) is not None, personne.valeur)
