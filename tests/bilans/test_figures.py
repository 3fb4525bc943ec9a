"""Drawings: inside their frame, readable without seeing, for any figures."""

from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.documents import figures
from bilans.regles.verdicts import Issue
from reservation.documents.polices import largeur

SVG = "{http://www.w3.org/2000/svg}"


def tracer(dessin) -> ElementTree.Element:
    """Parse a drawing and check that nothing of it leaves its frame: WeasyPrint would cut it without a word."""
    racine = ElementTree.fromstring(dessin.svg)
    _, _, large, haut = (float(n) for n in racine.get("viewBox").split())
    assert racine.find(f"{SVG}title").text == dessin.alternative
    for forme in racine.iter():
        match forme.tag.removeprefix(SVG):
            case "rect":
                x, y = float(forme.get("x")), float(forme.get("y"))
                l, h = float(forme.get("width")), float(forme.get("height"))  # noqa: E741
                assert l >= 0 and h >= 0
                assert x >= -3 and y >= 0 and x + l <= large + 3 and y + h <= haut
            case "line":
                for nom, borne in (("x1", large), ("x2", large), ("y1", haut), ("y2", haut)):
                    assert -0.01 <= float(forme.get(nom)) <= borne + 0.01
            case "text":
                place = largeur(forme.text, forme.get("font-size"), int(forme.get("font-weight")) >= 600)
                debut = float(forme.get("x")) - float(
                    place * {"start": 0, "middle": Fraction(1, 2), "end": 1}[forme.get("text-anchor")]
                )
                assert debut >= -0.5 and debut + float(place) <= large + 0.5
                assert 0 < float(forme.get("y")) <= haut
    return racine


@given(nombre=st.integers(0, 2000), cible=st.integers(0, 2000), issue=st.sampled_from(Issue))
def test_bars(nombre, cible, issue):
    racine = tracer(figures.barre(nombre, cible, issue, "essai"))
    traits = racine.findall(f"{SVG}line")
    assert len(traits) == (1 if cible else 0)


def test_a_bar_that_exceeds_ends_in_an_arrow():
    assert "polygon" in figures.barre(20, 10, Issue.TENU, "x").svg
    assert "polygon" not in figures.barre(10, 10, Issue.TENU, "x").svg


NOMS = st.sampled_from(
    ["Avignon", "CA Saint-Brieuc Armor Agglomération", "Le Pontet", "CAF", "Collectivités"]
)


@given(
    st.integers(0, 20_000),
    st.integers(0, 3_000),
    st.integers(0, 300),
    st.lists(st.tuples(NOMS, st.integers(0, 60)), max_size=4),
    st.integers(0, 40),
    st.integers(0, 800),
)
def test_cascade(soumis, exclus, soustraits, locaux, agents, reste):
    parts = [("ETAT", "État", 30), ("ALS", "ALS", 20)]
    parts += [(f"C{rang}", nom, n) for rang, (nom, n) in enumerate(locaux)]
    parts.append(("BAILLEUR", "Bailleur", reste))
    flux = sum(n for _, _, n in parts)
    dessin = figures.cascade(
        annee=2025,
        millesime=2025,
        parc=soumis + exclus,
        soumis=soumis,
        liberations=flux + soustraits,
        soustraits=soustraits,
        flux=flux,
        parts=parts,
        agents=agents,
    )
    tracer(dessin)
    for _, nom, _ in parts:
        assert nom in dessin.alternative


def test_cascade_of_nothing():
    dessin = figures.cascade(
        annee=2025, millesime=None, parc=0, soumis=0, liberations=0, soustraits=0, flux=0,
        parts=[("ETAT", "État", 0), ("BAILLEUR", "Bailleur", 0)], agents=0,
    )  # fmt: skip
    tracer(dessin)
    assert "Aucun logement à partager" in dessin.svg


TITRES = ("AGENT", "PRIORITE_1", "PRIORITE_2", "PRIORITE_3", "AUTRE")


@given(st.lists(st.integers(0, 300), min_size=5, max_size=5))
def test_contingent_of_the_state(nombres):
    titres = [(code, f"Titre {code[-1]}", n) for code, n in zip(TITRES, nombres, strict=True)]
    dessin = figures.contingent_etat(titres, sum(nombres[1:4]), sum(nombres[1:]))
    if not sum(nombres):
        assert dessin is None
        return
    tracer(dessin)


def test_neighbours_differ():
    couleurs = figures.teintes(["ETAT", "ALS", "1", "2", "3", "BAILLEUR"])
    assert all(a[0] != b[0] for a, b in zip(couleurs, couleurs[1:], strict=False))


@pytest.mark.parametrize("valeur", [Fraction(1, 3), 12, Fraction(-5, 2), Fraction(10**9)])
def test_coordinates_are_exact_text(valeur):
    assert "e" not in figures._n(valeur).lower()
    assert abs(Fraction(figures._n(valeur)) - valeur) <= Fraction(1, 200)
