"""Acts, lots and Hypothesis strategies of the rules' tests. Dates around 2025; rates in points."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from flux.regles.annuel import LotFlux
from reservation.regles.actes import (
    ALS,
    ETAT,
    Acte,
    Derogation,
    Nature,
    Regime,
    Reservataire,
    Retrocession,
)

CANNES, NICE, ANTIBES = "06029", "06088", "06004"
COMMUNES = (CANNES, NICE, ANTIBES)
CANNES_COMMUNE = Reservataire(Nature.COLLECTIVITE, CANNES)
EPCI = Reservataire(Nature.COLLECTIVITE, "200040000")
CAF = Reservataire(Nature.AUTRE, "CAF")

RETROCESSION_PACA = Retrocession(Fraction("1.37"), date(2025, 1, 1), date(2039, 12, 31))


def acte(reservataire=ETAT, taux="30", debut="2025-01-01", fin="2027-12-31", **champs) -> Acte:
    """An act; rates as text, dates as ISO text, everything else as the dataclass has it."""
    if "taux_agents" in champs:
        champs["taux_agents"] = Fraction(champs["taux_agents"])
    if "communes" in champs and champs["communes"] is not None:
        champs["communes"] = frozenset(champs["communes"])
    return Acte(reservataire, date.fromisoformat(debut), date.fromisoformat(fin), Fraction(taux), **champs)


def derogation(taux: str, debut: str, fin: str) -> Derogation:
    return Derogation(Fraction(taux), date.fromisoformat(debut), date.fromisoformat(fin))


def lots(*quantites: tuple[str, str, bool, int]) -> tuple[LotFlux, ...]:
    """(ISO day, commune, QPV, number)…"""
    return tuple(LotFlux(date.fromisoformat(j), commune, qpv, n) for j, commune, qpv, n in quantites)


jours_2025 = st.dates(date(2025, 1, 1), date(2025, 12, 31))
lots_flux = st.lists(
    st.builds(LotFlux, jours_2025, st.sampled_from(COMMUNES), st.booleans(), st.integers(0, 40)), max_size=25
)


@st.composite
def taux(draw, maximum: int) -> Fraction:
    """A rate of at most `maximum` points, with up to three decimals."""
    return Fraction(draw(st.integers(0, maximum * 1000)), 1000)


@st.composite
def periodes_disjointes(draw, maximum: int) -> list[tuple[date, date]]:
    """At most `maximum` periods that do not overlap, between mid-2024 and mid-2026."""
    debut = date(2024, 7, 1)
    bornes = sorted(draw(st.sets(st.integers(0, 730), min_size=0, max_size=2 * maximum)))
    dates = [debut + timedelta(days=n) for n in bornes]
    return list(zip(dates[::2], dates[1::2], strict=False))


@st.composite
def actes_compatibles(draw) -> list[Acte]:
    """Valid acts that live together: no overlap, net rate never negative, at most 97 points anywhere."""
    liste = []
    for debut, fin in draw(periodes_disjointes(2)):
        retrocession = None
        if draw(st.booleans()):
            debut_r = draw(st.dates(date(2024, 6, 1), date(2025, 12, 31)))
            retrocession = Retrocession(
                draw(taux(2)), debut_r, debut_r + timedelta(days=draw(st.integers(0, 400)))
            )
        derogations = ()
        if draw(st.booleans()):
            debut_d = draw(jours_2025)
            fin_d = debut_d + timedelta(days=draw(st.integers(0, 365)))
            derogations = (Derogation(2 + draw(taux(38)), debut_d, fin_d),)
        liste.append(
            Acte(
                ETAT,
                debut,
                fin,
                2 + draw(taux(28)),
                echec_consomme=draw(st.booleans()),
                taux_agents=draw(taux(5)),
                retrocession=retrocession,
                derogations=derogations,
                regime=Regime(plancher_hors_qpv=draw(st.none() | taux(40))),
            )
        )
    for reservataire, communes, maximum in (
        (ALS, None, 30),
        (CANNES_COMMUNE, {CANNES}, 10),
        (EPCI, {CANNES, NICE}, 10),
        (CAF, None, 5),
    ):
        for debut, fin in draw(periodes_disjointes(2)):
            territoire = None if communes is None else frozenset(communes)
            liste.append(Acte(reservataire, debut, fin, draw(taux(maximum)), draw(st.booleans()), territoire))
    return liste
