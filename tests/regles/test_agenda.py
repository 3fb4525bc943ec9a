"""Calendar entries: read back by a parser that knows the RFC and not the writer."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.regles.agenda import Evenement, Methode, Statut, ecrire_calendrier, plier
from tests.lecteur_ics import IcsInvalide, lire_ics

PARIS = ZoneInfo("Europe/Paris")
UN = Evenement(
    uid="caleol-12@exemple.fr",
    sequence=0,
    ecrit_le=datetime(2026, 9, 24, 9, 5, tzinfo=PARIS),
    debut=datetime(2026, 10, 8, 14, tzinfo=PARIS),
    fin=datetime(2026, 10, 8, 16, tzinfo=PARIS),
    titre="CALEOL, Habitat Démonstration Azur",
    lieu="Salle du conseil ; 1, rue de l’Exemple",
    description="6 logements à l’ordre du jour.\nhttps://exemple.fr/caleol/12/",
    adresse="https://exemple.fr/caleol/12/",
    organisateur=('Habitat "Azur"', "ne-pas-repondre@exemple.fr"),
    convies=("ddets@exemple.fr", "ddets.logement@alpes-maritimes.gouv.exemple.fr"),
)


def relire(*evenements, methode=Methode.CONVIER, nom=""):
    return lire_ics(ecrire_calendrier(evenements, methode, nom).encode())


def test_an_invitation_says_all():
    calendrier = relire(UN)
    (evenement,) = calendrier.events
    assert calendrier["METHOD"] == "REQUEST"
    assert (evenement["UID"], evenement["SEQUENCE"]) == (UN.uid, 0)
    assert evenement.start == datetime(2026, 10, 8, 12, tzinfo=UTC)  # summer time
    assert evenement.end == datetime(2026, 10, 8, 14, tzinfo=UTC)
    assert evenement["SUMMARY"] == UN.titre
    assert evenement["LOCATION"] == UN.lieu
    assert evenement["DESCRIPTION"] == UN.description
    assert evenement.attendees == [f"mailto:{c}" for c in UN.convies]
    assert evenement["ORGANIZER"].params["CN"] == "Habitat ’Azur’"


def test_winter_time():
    (evenement,) = relire(replace(UN, debut=datetime(2026, 11, 5, 14, tzinfo=PARIS), fin=None)).events
    assert evenement.start == datetime(2026, 11, 5, 13, tzinfo=UTC)
    assert "DTEND" not in evenement


def test_a_cancellation():
    calendrier = relire(replace(UN, statut=Statut.ANNULE, sequence=2), methode=Methode.ANNULER)
    assert calendrier["METHOD"] == "CANCEL"
    assert calendrier.events[0]["STATUS"] == "CANCELLED"


def test_a_feed_has_a_name_and_convenes_nobody():
    muet = replace(UN, organisateur=None, convies=())
    calendrier = relire(
        muet, replace(muet, uid="caleol-13@exemple.fr"), methode=Methode.PUBLIER, nom="CALEOL, à voir"
    )
    # A property that the parser has no type for is left as it stands: escaped.
    assert calendrier["NAME"] == calendrier["X-WR-CALNAME"] == r"CALEOL\, à voir"
    assert len(calendrier.events) == 2
    assert all("ATTENDEE" not in e and "ORGANIZER" not in e for e in calendrier.events)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_comes_back(texte):
    (evenement,) = relire(replace(UN, titre=texte, description=texte, lieu="", adresse="")).events
    propre = "".join(
        c for c in texte.replace("\r\n", "\n") if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127)
    )
    assert evenement["SUMMARY"] == propre


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=400))
def test_folding_keeps_to_75_octets_and_loses_nothing(ligne):
    pliee = plier(ligne)
    assert all(len(morceau.encode()) <= 75 for morceau in pliee.split("\r\n"))
    assert pliee.replace("\r\n ", "") == ligne


@pytest.mark.parametrize(
    "octets",
    [
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\n",
        ecrire_calendrier([UN], Methode.CONVIER).replace("\r\n ", "").encode(),
        ecrire_calendrier([UN], Methode.CONVIER).replace("T120000Z", "T250000Z").encode(),
        ecrire_calendrier([UN, UN], Methode.CONVIER).encode(),
        ecrire_calendrier([replace(UN, convies=())], Methode.CONVIER).encode(),
    ],
    ids=["fins de ligne", "trop long", "heure impossible", "deux fois", "personne"],
)
def test_the_reader_is_strict(octets):
    with pytest.raises(ValueError):
        lire_ics(octets)
    assert issubclass(IcsInvalide, ValueError)
