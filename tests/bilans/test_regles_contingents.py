"""Pure rules: the share of ALS told apart, the refusals crossed, hidden, ranked, and followed over the years."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.contingents import base_de_l_annee, lire_part
from bilans.regles.donnees import TauxPeriode
from bilans.regles.refus import (
    PLANCHER_DE_CLASSEMENT,
    Porteur,
    Taux,
    classer,
    croiser,
    evoluer,
    masquer_taux,
)
from publics.regles.secret_statistique import SEUIL

JANVIER, JUILLET, DECEMBRE = date(2025, 1, 1), date(2025, 7, 1), date(2025, 12, 31)


def taux(acte: str, retrocede: str, debut=JANVIER, fin=DECEMBRE) -> TauxPeriode:
    return TauxPeriode(debut, fin, Decimal(acte) + Decimal(retrocede), Decimal(acte), Decimal(retrocede))


def terme(points: str, base: str, debut=JANVIER, fin=DECEMBRE) -> dict[str, str]:
    return {"debut": debut.isoformat(), "fin": fin.isoformat(), "points": points, "base": base}


# --- The share ------------------------------------------------------------------------------------------------


def test_what_the_etat_gives_back_is_told_apart():
    """20 + 1.37 points of 280: 56 by the act, 3.836 given back; what is left of the exact share is the act's."""
    part = lire_part(
        Decimal("59.8360"),
        [terme("20.0000", "280.0000"), terme("1.3700", "280.0000")],
        [taux("20", "1.37")],
    )
    assert (part.propre, part.retrocedee) == (Decimal("56.0000"), Decimal("3.8360"))


def test_two_equal_rates_are_one_of_each():
    termes = [terme("1.3700", "100.0000"), terme("1.3700", "100.0000")]
    part = lire_part(Decimal("2.7400"), termes, [taux("1.37", "1.37")])
    assert (part.propre, part.retrocedee) == (Decimal("1.3700"), Decimal("1.3700"))


def test_a_retrocession_that_begins_in_july_bears_on_its_half():
    premier = date(2025, 6, 30)
    termes = [
        terme("20.0000", "100.0000", JANVIER, premier),
        terme("20.0000", "60.0000", JUILLET),
        terme("1.3700", "60.0000", JUILLET),
    ]
    part = lire_part(
        Decimal("32.8220"), termes, [taux("20", "0", JANVIER, premier), taux("20", "1.37", JUILLET)]
    )
    assert (part.propre, part.retrocedee) == (Decimal("32.0000"), Decimal("0.8220"))
    assert base_de_l_annee(termes) == 160


def test_a_collectivite_has_nothing_given_back():
    part = lire_part(Decimal("14.6"), [terme("10.0000", "146.0000")], [taux("10", "0")])
    assert (part.propre, part.retrocedee) == (Decimal("14.6"), Decimal("0"))


@pytest.mark.parametrize(
    ("termes", "attendue"),
    [
        ([], None),
        ([terme("10", "146.0000")], 146),
        ([terme("10", "146"), terme("1.37", "146")], 146),  # ALS: two terms, one flux
        ([terme("10", "146"), terme("5", "40")], None),  # two territories over the same days
        ([terme("10", "9", JANVIER, JUILLET), terme("10", "9", date(2025, 6, 1))], None),  # days that overlap
    ],
)
def test_the_flux_that_a_share_bears_on(termes, attendue):
    assert base_de_l_annee(termes) == attendue


# --- Refusals -------------------------------------------------------------------------------------------------


def test_crossed_motives_add_up_to_their_totals():
    lu = croiser({("LOYER", "T2"): 3, ("LOYER", "T3"): 1, ("TAILLE", "T2"): 2}, {"T2": 20, "T3": 4, "T4": 7})
    assert lu.motifs == {"LOYER": 4, "TAILLE": 2}
    assert lu.classes == {"T2": Taux(5, 20), "T3": Taux(1, 4), "T4": Taux(0, 7)}
    assert (lu.total, lu.base, lu.taux.part) == (6, 31, Fraction(6, 31))
    assert lu.classes["T4"].part == 0 and Taux(0, 0).part is None


CELLULES = st.dictionaries(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from(["T1", "T2", "T3"])), st.integers(1, 40), max_size=12
)


@given(CELLULES, st.integers(0, 60))
def test_masked_tables_show_no_small_number_and_no_crossed_cell(refus, acceptes):
    bases = {c: acceptes + sum(n for (_, cl), n in refus.items() if cl == c) for c in ("T1", "T2", "T3")}
    lu = croiser(refus, bases, masque=True)
    assert lu.cellules == {}
    montres = [
        n for n in (*lu.motifs.values(), *(t.refus for t in lu.classes.values()), lu.total) if n is not None
    ]
    assert all(n >= SEUIL or not lu.base for n in montres)
    for t in lu.classes.values():
        assert t.refus is None or t.base - t.refus >= SEUIL
    # One hidden line alone would be what is left of the total.
    for lignes in (lu.motifs, {c: t.refus for c, t in lu.classes.items()}):
        assert list(lignes.values()).count(None) != 1 or len(lignes) == 1


def test_those_who_accepted_are_not_given_back_either():
    """30 of 32 refused: the two who accepted would be read by difference."""
    assert masquer_taux({"T2": 30, "T3": 40, "T4": 20}, {"T2": 32, "T3": 90, "T4": 80})["T2"] is None


def test_the_most_refused_place_comes_first_and_one_refusal_of_one_does_not():
    lus = classer(
        {
            ("Nice", "T2"): Taux(2, 8),
            ("Cannes", "T3"): Taux(4, 8),
            ("Antibes", "T1"): Taux(1, 1),
            ("Grasse", "T4"): Taux(0, 50),
            ("Vence", "T2"): Taux(None, 50),
            ("Menton", "T2"): Taux(4, 16),
        }
    )
    assert [b.lieu for b in lus] == ["Cannes", "Menton", "Nice"]
    au_plancher = Taux(1, PLANCHER_DE_CLASSEMENT)
    assert classer({("A", ""): au_plancher, ("B", ""): Taux(1, PLANCHER_DE_CLASSEMENT - 1)}) == (
        classer({("A", ""): au_plancher})
    )


def test_years_are_the_sum_of_their_quarters_and_masked_years_have_none():
    comptes = {
        (2025, 1, Porteur.MENAGE): (8, 40),
        (2025, 3, Porteur.MENAGE): (5, 30),
        (2024, 2, Porteur.CALEOL): (3, 90),
    }
    lus = evoluer(comptes, (2024, 2025))
    assert [(m.annee, m.trimestre) for m in lus] == [(2024, 0), (2024, 2), (2025, 0), (2025, 1), (2025, 3)]
    assert lus[2].taux[Porteur.MENAGE] == Taux(13, 70)
    masques = evoluer(comptes, (2024, 2025), masque=True)
    assert [(m.annee, m.trimestre) for m in masques] == [(2024, 0), (2025, 0)]
    assert masques[0].taux[Porteur.CALEOL] == Taux(None, 90)
    assert masques[0].taux[Porteur.RESERVATAIRE] == Taux(0, 0)  # nothing examined is nobody
    assert masques[1].taux[Porteur.MENAGE] == Taux(13, 70)
