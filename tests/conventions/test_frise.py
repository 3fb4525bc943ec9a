"""The drawing of the periods: every day has its place, whatever the acts."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reservation.frise import LARGEUR, MARGE, Barre, Ligne, dessiner
from reservation.regles.periodes import Periode

jours = st.dates(date(2020, 1, 1), date(2045, 12, 31))
periodes = st.builds(
    lambda debut, duree: Periode(debut, debut + timedelta(days=duree)), jours, st.integers(0, 8000)
)


def barres(*liste: Periode) -> list[Ligne]:
    return [Ligne("Convention", [Barre(periode, "texte") for periode in liste])]


@given(st.lists(periodes, min_size=1, max_size=6), jours)
def test_tout_tient_dans_le_dessin(liste, jour):
    frise = dessiner(barres(*liste), jour)
    assert len(frise.rectangles) == len(liste)
    for rectangle in frise.rectangles:
        assert rectangle.x >= MARGE
        assert rectangle.largeur >= 2
        assert rectangle.x + rectangle.largeur <= LARGEUR + 2
    assert all(MARGE <= annee.x < LARGEUR for annee in frise.annees)
    assert 1 <= len(frise.annees) <= 9
    assert frise.jour is None or MARGE <= frise.jour <= LARGEUR


@given(periodes, periodes)
def test_l_ordre_des_debuts_est_celui_des_abscisses(premiere, seconde):
    frise = dessiner(barres(premiere, seconde), premiere.debut)
    a, b = frise.rectangles
    if premiere.debut <= seconde.debut:
        assert a.x <= b.x
    if premiere.fin < seconde.debut:
        assert a.x + a.largeur <= max(b.x, a.x + 2)


def test_le_jour_n_est_marque_que_dans_les_annees_dessinees():
    lignes = barres(Periode(date(2025, 1, 1), date(2027, 12, 31)))
    assert dessiner(lignes, date(2024, 12, 31)).jour is None
    assert dessiner(lignes, date(2025, 1, 1)).jour == MARGE
    assert dessiner(lignes, date(2028, 1, 1)).jour is None
    assert [a.texte for a in dessiner(lignes, date(2026, 1, 1)).annees] == ["2025", "2026", "2027"]


def test_une_retrocession_de_quinze_ans_espace_les_annees():
    lignes = barres(Periode(date(2025, 1, 1), date(2039, 12, 31)))
    assert [a.texte for a in dessiner(lignes, date(2026, 1, 1)).annees] == [
        str(annee) for annee in range(2025, 2040, 2)
    ]
