"""Whether a dwelling fits: sector and size, as the COMED recommends or as the household asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.regles.candidats_possibles import LabelPreconise, Offre, Souhait, convient

CANNES, ANTIBES, EPCI = "06029", "06004", "200039915"
OFFRE = Offre(frozenset({CANNES, EPCI}), "T3")
PARTOUT = Souhait()


def souhait(secteur=(), tailles=()) -> Souhait:
    return Souhait(frozenset(secteur), frozenset(tailles))


def dalo(secteur=(), tailles=()) -> LabelPreconise:
    return LabelPreconise("DALO", souhait(secteur, tailles))


EXPULSION = LabelPreconise("EXPULSION", souhait([ANTIBES], ["T1"]))  # recommends nothing: it is no DALO


@pytest.mark.parametrize(
    ("labels", "demande", "attendu"),
    [
        ([EXPULSION], PARTOUT, True),
        ([EXPULSION], souhait([CANNES]), True),
        ([EXPULSION], souhait([EPCI]), True),
        ([EXPULSION], souhait([ANTIBES]), False),
        ([EXPULSION], souhait([], ["T2", "T3"]), True),
        ([EXPULSION], souhait([CANNES], ["T2"]), False),
        # DALO: the COMED's sector, else the whole département, whatever was asked for.
        ([dalo()], souhait([ANTIBES]), True),
        ([dalo([ANTIBES])], souhait([CANNES]), False),
        ([dalo([CANNES])], souhait([ANTIBES]), True),
        # Its size, else the one asked for, else any.
        ([dalo(tailles=["T3"])], souhait([], ["T4"]), True),
        ([dalo(tailles=["T4"])], souhait([], ["T3"]), False),
        ([dalo()], souhait([], ["T4"]), False),
        ([dalo()], PARTOUT, True),
        # Two recommendations: one that fits is enough, each taken whole.
        ([dalo([ANTIBES]), dalo([CANNES])], PARTOUT, True),
        ([dalo([ANTIBES], ["T3"]), dalo([CANNES], ["T2"])], PARTOUT, False),
        # Another label beside does not widen what the COMED says.
        ([EXPULSION, dalo([ANTIBES])], souhait([CANNES]), False),
    ],
)
def test_boundaries(labels, demande, attendu):
    assert convient(OFFRE, labels, demande) is attendu


lieux = st.frozensets(st.sampled_from([CANNES, ANTIBES, EPCI]), max_size=2)
tailles = st.frozensets(st.sampled_from(["T2", "T3", "T4"]), max_size=2)
souhaits = st.builds(Souhait, lieux, tailles)
labels = st.lists(
    st.builds(LabelPreconise, st.sampled_from(["DALO", "EXPULSION"]), souhaits), min_size=1, max_size=3
)


@given(labels, souhaits)
def test_asking_for_less_never_shuts_out(siens, demande):
    """Without any wish of its own, a household fits whatever it fitted with one."""
    if convient(OFFRE, siens, demande):
        assert convient(OFFRE, siens, PARTOUT)


@given(labels, souhaits)
def test_the_order_of_the_labels_says_nothing(siens, demande):
    assert convient(OFFRE, siens, demande) == convient(OFFRE, siens[::-1], demande)


@given(st.lists(st.just(dalo()), min_size=1, max_size=2), lieux)
def test_dalo_without_recommendation_fits_the_whole_departement(siens, secteur):
    assert convient(OFFRE, siens, Souhait(secteur))
