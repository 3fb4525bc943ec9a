"""Labels valid on the CALEOL date, groups of priority."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publics.regles.groupes import (
    GROUPES_PAR_DEFAUT,
    Label,
    TypeLabel,
    decrire_label,
    groupe_prioritaire,
    label_valide,
    labels_valides,
)

CALEOL = date(2025, 3, 3)


@pytest.mark.parametrize(
    ("debut", "fin", "valide"),
    [
        (date(2025, 3, 3), date(2025, 3, 3), True),
        (date(2025, 3, 4), None, False),
        (date(2020, 1, 1), None, True),
        (date(2020, 1, 1), date(2025, 3, 2), False),
    ],
)
def test_both_ends_of_a_label_count(debut, fin, valide):
    assert label_valide(Label("DALO", debut, fin), CALEOL) is valide
    assert label_valide(Label("DALO", debut, fin, exception=True), CALEOL) is True


@pytest.mark.parametrize(
    ("groupe", "types"),
    [
        (1, {"DALO", "BPI"}),
        (
            2,
            {
                "HEBERGEMENT",
                "SANS_ABRI",
                "VIOLENCES",
                "EXPULSION",
                "LOGEMENT_TEMPORAIRE",
                "L441_1_D",
                "L441_1_G",
                "L441_1_L",
            },
        ),
    ],
)
def test_default_groups(groupe, types):
    assert {t for t, g in GROUPES_PAR_DEFAUT.items() if g == groupe} == types


def test_fourteen_letters_and_seven_situations():
    lettres = [t for t in TypeLabel if t.startswith("L441_1_")]
    assert len(lettres) == 14 and len(TypeLabel) == 21
    assert set(GROUPES_PAR_DEFAUT) == set(TypeLabel)
    assert TypeLabel.L441_1_G_BIS.libelle == "L. 441-1 g bis"
    assert len({t.libelle for t in TypeLabel}) == 21


def test_the_best_valid_label_wins():
    labels = [
        Label("L441_1_C", date(2025, 1, 1)),
        Label("VIOLENCES", date(2025, 1, 1)),
        Label("DALO", date(2025, 4, 1)),
    ]
    assert groupe_prioritaire(labels, CALEOL) == 2
    assert groupe_prioritaire(labels, date(2025, 4, 1)) == 1
    assert groupe_prioritaire(labels, date(2024, 12, 31)) is None
    assert groupe_prioritaire([], CALEOL) is None
    assert labels_valides(labels, CALEOL) == tuple(labels[:2])


def test_a_departement_ranks_otherwise_and_keeps_the_default_of_what_it_does_not_name():
    labels = [Label("DALO", date(2025, 1, 1)), Label("L441_1_C", date(2025, 1, 1))]
    assert groupe_prioritaire(labels, CALEOL, {"DALO": 3}) == 3
    assert groupe_prioritaire(labels, CALEOL, {"L441_1_C": 1, "DALO": 2}) == 1


def test_labels_are_described():
    texte = decrire_label(Label("DALO", date(2025, 3, 3), date(2026, 3, 3), True))
    assert texte == "DALO du 3 mars 2025 au 3 mars 2026, admis par exception de la DDETS"
    assert decrire_label(Label("L441_1_C", date(2025, 3, 3))) == "L. 441-1 c du 3 mars 2025"


jours = st.dates(date(2024, 1, 1), date(2026, 12, 31))
labels = st.lists(
    st.builds(Label, st.sampled_from(list(TypeLabel)), jours, st.none() | jours, st.booleans()), max_size=4
)


@given(
    labels, jours, st.builds(Label, st.sampled_from(list(TypeLabel)), jours, st.none() | jours, st.booleans())
)
def test_one_more_label_never_worsens_the_group(connus, caleol, nouveau):
    avant = groupe_prioritaire(connus, caleol)
    apres = groupe_prioritaire([*connus, nouveau], caleol)
    assert avant is None or (apres is not None and apres <= avant)


def test_a_ground_that_an_administrator_added_is_named():
    ajoute = Label("L441_1_N", CALEOL)
    assert decrire_label(ajoute).startswith("L. 441-1 n du ")
    assert decrire_label(ajoute._replace(type="ACCORD_LOCAL_22")).startswith("accord local 22 du ")
    assert groupe_prioritaire([ajoute], CALEOL, {**GROUPES_PAR_DEFAUT, "L441_1_N": 2}) == 2
