"""The order of a département: two conventions, the same households; one rank a household; overlaps."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publics.regles.groupes import (
    CRITERES_PAR_DEFAUT,
    Critere,
    Label,
    TypeLabel,
    classer,
    ordonner,
    se_chevauchent,
)

JOUR = date(2025, 7, 1)
MODELES = json.loads(
    (Path(__file__).parents[2] / "publics" / "donnees" / "modeles_priorites.json").read_text("utf-8")
)
MENAGES = [
    ("seul motif c, ancien", [Label("L441_1_C", date(2020, 1, 1))]),
    ("violences, automatique", [Label("VIOLENCES", date(2025, 1, 1), manuel=False)]),
    ("BPI", [Label("BPI", date(2025, 5, 1))]),
    ("DALO récent", [Label("DALO", date(2025, 6, 1))]),
    ("violences, manuel", [Label("VIOLENCES", date(2025, 3, 1))]),
    ("c et hébergement", [Label("L441_1_C", date(2021, 1, 1)), Label("HEBERGEMENT", date(2025, 6, 1))]),
    ("expiré", [Label("DALO", date(2020, 1, 1), date(2025, 6, 30))]),
]


def ordre(modele: str) -> list[str]:
    m = MODELES[modele]
    return [nom for nom, _ in ordonner(MENAGES, JOUR, m["groupes"], m["criteres"])]


def test_the_two_conventions_order_the_same_households_otherwise():
    assert ordre("COTES_D_ARMOR") == [
        "BPI",
        "DALO récent",
        "violences, manuel",
        "c et hébergement",
        "violences, automatique",
        "seul motif c, ancien",
    ]
    assert ordre("PACA") == [
        "DALO récent",
        "seul motif c, ancien",
        "c et hébergement",
        "violences, automatique",
        "violences, manuel",
        "BPI",
    ]


def test_shipped_models_rank_every_category():
    for modele in MODELES.values():
        assert set(modele["groupes"]) == set(TypeLabel)
        assert set(modele["groupes"].values()) <= {1, 2, 3}
        assert set(modele["criteres"]) <= set(Critere)
        assert set(modele["cases"].values()) <= set(TypeLabel)
    assert MODELES["COTES_D_ARMOR"]["cases"] == {
        **dict.fromkeys(("F6", "F7", "F11"), "HEBERGEMENT"),
        "F17": "SANS_ABRI",
        **dict.fromkeys(("F12", "F13", "F15"), "LOGEMENT_TEMPORAIRE"),
    }


def test_a_household_with_two_titles_has_one_rank_and_says_why():
    rang = classer([Label("L441_1_C", date(2021, 1, 1)), Label("DALO", date(2025, 2, 3))], JOUR)
    assert (rang.groupe, rang.seul_c, rang.depuis) == (1, False, date(2025, 2, 3))
    assert rang.raisons == (
        "groupe 1",
        "label manuel, avant les labels automatiques",
        "label depuis le 3 février 2025",
    )
    dernier = classer([Label("L441_1_C", date(2021, 1, 1))], JOUR)
    assert dernier.seul_c and "classé en dernier" in dernier.raisons[0]
    assert classer([], JOUR) is None


def test_a_renewal_keeps_the_age_of_the_first():
    renouvele = Label("DALO", date(2025, 6, 1), depuis=date(2023, 6, 1))
    assert classer([renouvele], JOUR).depuis == date(2023, 6, 1)


jours = st.dates(date(2024, 1, 1), date(2026, 12, 31))
labels = st.lists(
    st.builds(
        Label,
        st.sampled_from(list(TypeLabel)),
        jours,
        st.none() | jours,
        st.just(False),
        st.booleans(),
        st.none(),
    ),
    max_size=4,
)
criteres = st.lists(st.sampled_from(list(Critere)), min_size=1, unique=True)


@given(st.lists(labels, max_size=6), jours, criteres)
def test_the_order_is_total_and_keeps_everybody_once(menages, jour, criteres):
    entree = list(enumerate(menages))
    sortie = ordonner(entree, jour, criteres=criteres)
    assert sorted(rang for rang, _ in sortie) == [i for i, siens in entree if classer(siens, jour)]
    cles = [rang.cle for _, rang in sortie]
    assert cles == sorted(cles)
    assert all(len(cle) == len(criteres) for cle in cles)


@given(labels, jours)
def test_only_ground_c_is_after_everybody(connus, jour):
    rang = classer(connus, jour)
    if rang is None:
        return
    pire = classer([Label("L441_1_A", jour, manuel=False)], jour, criteres=CRITERES_PAR_DEFAUT)
    assert (rang.cle > pire.cle) if rang.seul_c else (rang.cle <= pire.cle)


@given(jours, st.none() | jours, jours, st.none() | jours)
def test_an_overlap_is_a_common_day(debut, fin, autre_debut, autre_fin):
    tous = [date(2024, 1, 1) + timedelta(days=i) for i in range(366 * 3)]
    commun = any(
        debut <= j
        and (fin is None or j <= fin)
        and autre_debut <= j
        and (autre_fin is None or j <= autre_fin)
        for j in tous
    )
    assert se_chevauchent(debut, fin, autre_debut, autre_fin) is commun


@pytest.mark.parametrize("fin", [date(2025, 1, 1), None])
def test_an_annulled_label_has_no_day(fin):
    assert not se_chevauchent(date(2025, 1, 1), date(2024, 12, 31), date(2024, 1, 1), fin)
    assert classer([Label("DALO", date(2025, 1, 1), date(2024, 12, 31))], date(2025, 1, 1)) is None
