"""What a shortfall becomes the year after."""

from hypothesis import given
from hypothesis import strategies as st

from flux.regles.report import Report, calculer_objectif, reporter


def test_the_objective_is_the_share_and_what_is_carried_over():
    assert calculer_objectif(241) == 241
    assert calculer_objectif(241, [Report(2024, 2), Report(2025, 4)]) == 247


def test_an_unjustified_shortfall_is_carried_over():
    assert reporter(2025, 10, 7) == (Report(2025, 3),)
    assert reporter(2025, 10, 7, justifies=1) == (Report(2025, 2),)
    assert reporter(2025, 10, 7, justifies=1, attributions_directes=2) == ()


def test_a_surplus_gives_no_credit():
    assert reporter(2025, 10, 15) == ()
    assert calculer_objectif(10, reporter(2025, 10, 15)) == 10


def test_the_oldest_is_served_first():
    dus = [Report(2024, 4), Report(2023, 2)]
    assert reporter(2025, 10, 5, reports=dus) == (Report(2024, 1), Report(2025, 10))
    assert reporter(2025, 10, 16, reports=dus) == ()


def test_a_convention_may_let_the_oldest_lapse():
    dus = [Report(2024, 4)]
    assert reporter(2025, 10, 2, reports=dus, cumul=False) == (Report(2025, 10),)
    assert reporter(2025, 10, 9, reports=dus, cumul=False) == (Report(2025, 5),)


@given(
    st.integers(0, 50),
    st.integers(0, 80),
    st.lists(st.builds(Report, st.integers(2020, 2024), st.integers(1, 9)), max_size=3),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_what_is_due_and_what_was_done_balance(part, realise, dus, justifies, directes):
    restes = reporter(2025, part, realise, reports=dus, justifies=justifies, attributions_directes=directes)
    total = calculer_objectif(part, dus)
    assert sum(r.nombre for r in restes) == max(0, total - realise - justifies - directes)
    assert all(r.nombre > 0 for r in restes)
