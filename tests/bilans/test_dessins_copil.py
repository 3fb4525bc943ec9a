"""The map and the curve of the COPIL: boundaries of the classes, frames, places without outline; the outlines shipped."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.dessins_copil import cartographier, classe, placer_communes, taux, tracer
from bilans.services.cartes import contours_d_outre_mer, contours_des_departements, lieux

CARRE = [[0, 0], [100, 0], [100, 100], [0, 100]]


@pytest.mark.parametrize(
    ("realise", "du", "attendue"),
    [(0, 10, 0), (899, 1000, 0), (900, 1000, 1), (999, 1000, 1), (10, 10, 2), (12, 10, 2), (5, 0, None), (5, None, None)],
)  # fmt: skip
def test_the_class_follows_the_exact_ratio(realise, du, attendue):
    assert classe(taux(realise, du)) == attendue


def test_a_map_frames_its_places_and_draws_a_square_for_the_others():
    carte = cartographier({"06": [CARRE], "75": [[[9000, 9000], [9100, 9000], [9050, 9100]]]}, ["06", "974"])
    connu, inconnu = carte.formes
    assert (connu.x, connu.y, connu.carre) == (50, 50, False) and connu.trace == "M0 0L100 0L100 100L0 100Z"
    assert inconnu.carre and inconnu.y > 100
    x, y, largeur, hauteur = map(int, carte.cadre.split())
    assert x <= 0 and y <= 0 and x + largeur >= 260 and y + hauteur >= inconnu.y + 130
    assert x + largeur < 9000, "framed on what is drawn"
    assert cartographier({"06": [CARRE]}, []) is None
    assert cartographier({}, ["971"]).formes[0].carre


def test_every_departement_of_the_mainland_is_shipped():
    contours = contours_des_departements()
    attendus = {f"{n:02d}" for n in range(1, 96)} - {"20"} | {"2A", "2B"}
    assert set(contours) == attendus
    for forme in cartographier(contours, sorted(contours)).formes:
        xs = [p[0] for anneau in contours[forme.code] for p in anneau]
        assert min(xs) < forme.x < max(xs)


@given(
    st.dictionaries(st.integers(2015, 2040), st.integers(0, 900) | st.none(), max_size=8).map(
        lambda d: [(an, None if v is None else Fraction(v, 3)) for an, v in sorted(d.items())]
    )
)
def test_a_curve_stays_in_its_frame_and_keeps_the_order(valeurs):
    courbe = tracer(valeurs)
    utiles = [(an, v) for an, v in valeurs if v is not None]
    if len(utiles) < 2:
        assert courbe is None
        return
    assert [p.annee for p in courbe.points] == [an for an, _ in utiles]
    assert all(80 <= p.x <= 480 and 20 <= p.y <= 180 for p in courbe.points)
    assert 20 <= courbe.cible <= 180
    for (_, a), (_, b), p, q in zip(utiles, utiles[1:], courbe.points, courbe.points[1:], strict=False):
        assert p.x < q.x and (p.y >= q.y if a <= b else p.y <= q.y)


def test_the_overseas_departements_have_an_outline_that_keeps_its_proportions():
    outre_mer = contours_d_outre_mer()
    assert set(outre_mer) == {"971", "972", "973", "974", "976"}
    carte = cartographier(contours_des_departements(), sorted(outre_mer), outre_mer)
    assert not any(forme.carre for forme in carte.formes)
    deux_fois_plus_large = [[[0, 0], [40, 0], [40, 20], [0, 20]]]
    (forme,) = cartographier({}, ["974"], {"974": deux_fois_plus_large}).formes
    assert forme.trace == "M0 65L260 65L260 195L0 195Z" and (forme.x, forme.y) == (130, 130)


def test_every_departement_has_an_outline_and_its_communes_stand_on_it():
    tous = lieux()
    assert set(tous) == set(contours_des_departements()) | set(contours_d_outre_mer())
    for code, lieu in tous.items():
        xs = [p[0] for anneau in lieu["contour"] for p in anneau]
        ys = [p[1] for anneau in lieu["contour"] for p in anneau]
        assert lieu["communes"], code
        for commune, (x, y) in lieu["communes"].items():
            assert commune.startswith(code), commune
            assert min(xs) - 100 <= x <= max(xs) + 100 and min(ys) - 100 <= y <= max(ys) + 100, commune
    assert {"06088", "06029"} <= set(tous["06"]["communes"]) and "59183" in tous["59"]["communes"]
    nice, cannes = tous["06"]["communes"]["06088"], tous["06"]["communes"]["06029"]
    assert nice[0] > cannes[0] and nice[1] < cannes[1], "Nice lies east and north of Cannes"


CONTOUR = [[[0, 0], [1400, 0], [1400, 1400], [0, 1400]]]


def test_the_area_of_a_circle_is_as_the_flux_and_nothing_is_lost_in_silence():
    places = {"A": [700, 700], "B": [200, 200], "C": [1200, 1200], "D": [300, 900]}
    carte = placer_communes(
        CONTOUR, places, [("B", "B", 100), ("A", "A", 400), ("C", "C", 1), ("D", "D", 0), ("E", "E", 7)]
    )
    assert [(c.code, c.rayon) for c in carte.cercles] == [("A", 100), ("B", 50), ("C", 7)]
    assert carte.ailleurs == ("E",), "no place; a flux of 0 is not missing"
    vide = placer_communes(CONTOUR, {}, [("E", "E", 7)])
    assert not vide.cercles and vide.ailleurs == ("E",)


def test_a_name_is_not_written_over_another():
    carte = placer_communes(
        CONTOUR, {"A": [700, 700], "B": [710, 705]}, [("A", "Villeneuve", 400), ("B", "Villevieille", 390)]
    )
    assert [(c.code, c.nomme) for c in carte.cercles] == [("A", True), ("B", False)]
