"""French names, sorted and searched as people do: neither case nor accents, ligatures spelt out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.models import Commune, cle_de_tri
from reservation.services.territoires import chercher_communes, cle_de_recherche


@pytest.mark.parametrize(
    ("nom", "cle"),
    [
        ("Île-de-Bréhat", "ile de brehat"),
        ("ÎLE-DE-BRÉHAT", "ile de brehat"),
        ("Œuilly", "oeuilly"),
        ("L'Haÿ-les-Roses", "l hay les roses"),
        ("L’Haÿ-les-Roses", "l hay les roses"),
        ("Saint-Brieuc", "saint brieuc"),
        ("Plouëc-du-Trieux", "plouec du trieux"),
        ("  Aÿ-Champagne ", "ay champagne"),
    ],
)
def test_cle_de_tri(nom, cle):
    assert cle_de_tri(nom) == cle


@given(st.text(max_size=60))
def test_la_cle_est_stable_et_sans_casse(texte):
    cle = cle_de_tri(texte)
    assert cle_de_tri(cle) == cle
    assert cle == cle.lower()
    assert cle.isascii()


@pytest.mark.parametrize(
    ("saisie", "cle"),
    [
        ("St Brieuc", "saint brieuc"),
        ("ste-maxime", "sainte maxime"),
        ("Stes-Maries", "saintes maries"),
        ("Est", "est"),
    ],
)
def test_les_abreviations_de_saint_sont_developpees(saisie, cle):
    assert cle_de_recherche(saisie) == cle


@pytest.mark.django_db
def test_l_ordre_ignore_la_casse_et_les_accents():
    noms = list(Commune.objects.filter(departement="22").order_by("nom_tri").values_list("nom", flat=True))
    # In code point order, É and Î come after Z.
    assert noms.index("Éréac") < noms.index("Erquy") < noms.index("Évran") < noms.index("Guingamp")
    assert noms.index("Hillion") < noms.index("Île-de-Bréhat") < noms.index("Illifaut")
    assert noms[-1] == "Yvignac-la-Tour"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("saisie", "attendu"),
    [
        ("ile de brehat", "22016"),
        ("BRÉHAT", "22016"),
        ("Œuilly", "02565"),
        ("oeuilly", "02565"),
        ("st brieuc", "22278"),
        ("Saint-Brieuc", "22278"),
        ("L'Hay les Roses", "94038"),
        ("22278", "22278"),
        ("06400", "06029"),
        ("2a004", "2A004"),
    ],
)
def test_chercher_une_commune(saisie, attendu):
    assert attendu in chercher_communes(saisie).values_list("code", flat=True)


@pytest.mark.django_db
def test_chercher_reste_dans_le_departement():
    assert chercher_communes("saint", ("06",)).exists()
    assert not chercher_communes("saint", ("06",)).exclude(departement="06").exists()
    assert not chercher_communes("brieuc", ("06",)).exists()


@pytest.mark.django_db
def test_les_noms_qui_commencent_ainsi_viennent_d_abord():
    noms = list(chercher_communes("grasse").values_list("nom", flat=True))
    assert noms == [
        "Grasse",
        "Grassendorf",
        "Boulogne-la-Grasse",
        "Châteauneuf-Grasse",
        "Pournoy-la-Grasse",
        "Trébons-sur-la-Grasse",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("saisie", ["", "   ", "--", "%", "_"])
def test_rien_de_saisi_rien_de_trouve(saisie):
    assert not chercher_communes(saisie).exists()
