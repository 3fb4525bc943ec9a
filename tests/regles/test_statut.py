"""Status of a dwelling: order of precedence, thresholds of RPLS codes, choices of the convention."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.regles.statut import (
    STATUTS_DANS,
    STATUTS_HORS,
    Drapeau,
    Exclusions,
    Famille,
    StatutLogement,
    expliquer_statut,
    loue_ou_propose,
    questions_logement,
    statut_logement,
)

LOI = Exclusions()
PACA = Exclusions(vente_demolition=True)
COTES_D_ARMOR = Exclusions(locales=frozenset({"GENS_DU_VOYAGE", "HABITAT_INCLUSIF", "ELAN_109"}))
TOUT = Exclusions(vente_demolition=True, locales=COTES_D_ARMOR.locales)

FINANS = [*map(str, range(10, 18)), *map(str, range(49, 56)), "99"]


def statut(
    finan="13", conv="1", mode="1", sortie="9", drapeaux=(), famille="OPH", exclusions=LOI
) -> StatutLogement:
    return statut_logement(finan, conv, mode, sortie, frozenset(drapeaux), famille, exclusions)


def test_a_plain_plus_dwelling_is_in():
    assert statut() == "CONVENTIONNE"


@pytest.mark.parametrize("sortie", ["1", "2", "3", "4", "5"])
def test_out_of_the_parc_by_sortie(sortie):
    assert statut(sortie=sortie) == "HORS_PARC"


@pytest.mark.parametrize("sortie", ["9", ""])
def test_sortie_9_or_empty_is_still_in_the_parc(sortie):
    assert statut(sortie=sortie) == "CONVENTIONNE"


@pytest.mark.parametrize(("mode", "attendu"), [(m, "CONVENTIONNE") for m in "12345"] + [("9", "HORS_PARC")])
def test_only_mode_9_leaves_the_parc(mode, attendu):
    assert statut(mode=mode) == attendu


@pytest.mark.parametrize("drapeau", ["LOGEMENT_FOYER", "RESIDENCE_UNIVERSITAIRE", "RESIDENCE_SERVICES"])
def test_foyers_and_residences_are_out(drapeau):
    assert statut(drapeaux=[drapeau]) == "FOYER_RESIDENCE"


def test_residence_services_stay_in_where_the_convention_keeps_them():
    silence = Exclusions(residences_services=False)
    assert statut(drapeaux=["RESIDENCE_SERVICES"], exclusions=silence) == "CONVENTIONNE"
    assert statut(drapeaux=["LOGEMENT_FOYER"], exclusions=silence) == "FOYER_RESIDENCE"


@pytest.mark.parametrize("drapeau", ["DEFENSE", "SECURITE", "SANTE"])
def test_defence_security_and_hospitals_are_out(drapeau):
    assert statut(drapeaux=[drapeau]) == "DEFENSE_SECURITE_SANTE"


def test_a_sem_keeps_only_its_conventionnes():
    assert statut(famille="SEM", conv="1") == "CONVENTIONNE"
    assert statut(famille="SEM", conv="2", finan="52") == "SEM_NON_CONVENTIONNE"
    assert statut(famille="ESH", conv="2", finan="52") == "AVANT_1977"


@pytest.mark.parametrize("finan", FINANS)
def test_pli_is_finan_16_and_no_other(finan):
    assert (statut(finan=finan) == "PLI") is (finan == "16")
    assert statut(finan=finan, exclusions=Exclusions(pli=False)) == "CONVENTIONNE"


@pytest.mark.parametrize("drapeau", ["GENS_DU_VOYAGE", "HABITAT_INCLUSIF", "ELAN_109"])
def test_local_exclusions_only_where_agreed(drapeau):
    assert statut(drapeaux=[drapeau], exclusions=COTES_D_ARMOR) == "LOCALE"
    assert statut(drapeaux=[drapeau], exclusions=PACA) == "CONVENTIONNE"
    autres = Exclusions(locales=COTES_D_ARMOR.locales - {drapeau})
    assert statut(drapeaux=[drapeau], exclusions=autres) == "CONVENTIONNE"


@pytest.mark.parametrize("drapeau", ["PLAN_DE_VENTE", "DEMOLITION"])
def test_sales_and_demolitions_only_where_the_convention_says(drapeau):
    assert statut(drapeaux=[drapeau], exclusions=PACA) == "VENTE_DEMOLITION"
    assert statut(drapeaux=[drapeau], exclusions=COTES_D_ARMOR) == "CONVENTIONNE"


@pytest.mark.parametrize("finan", FINANS)
def test_not_conventionne_stays_in_only_when_financed_before_1977(finan):
    attendu = "AVANT_1977" if finan in {"50", "51", "52", "53", "54", "55", "99"} else "HORS_CHAMP"
    assert statut(conv="2", finan=finan, exclusions=Exclusions(pli=False)) == attendu


def test_l411_6_saves_a_deconventionne_and_changes_nothing_else():
    assert statut(conv="2", drapeaux=["DECONVENTIONNE_L411_6"]) == "DECONVENTIONNE_L411_6"
    assert statut(conv="1", drapeaux=["DECONVENTIONNE_L411_6"]) == "CONVENTIONNE"
    assert statut(conv="2", finan="52", drapeaux=["DECONVENTIONNE_L411_6"]) == "DECONVENTIONNE_L411_6"
    assert statut(conv="2", famille="SEM", drapeaux=["DECONVENTIONNE_L411_6"]) == "SEM_NON_CONVENTIONNE"


def test_plai_adapte_and_typeconst_change_nothing():
    assert statut(drapeaux=["PLAI_ADAPTE"]) == "CONVENTIONNE"
    assert statut(drapeaux=["ORDINAIRE"]) == "CONVENTIONNE"


def test_first_hit_wins_down_the_whole_order():
    """Take the reasons off one by one: the next one appears, in the order of chapter 3."""
    profil = {
        "sortie": "1",
        "famille": "SEM",
        "conv": "2",
        "finan": "16",
        "drapeaux": ["LOGEMENT_FOYER", "DEFENSE", "ELAN_109", "DEMOLITION"],
        "exclusions": TOUT,
    }
    etapes = [
        ({}, "HORS_PARC"),
        ({"sortie": "9"}, "FOYER_RESIDENCE"),
        ({"drapeaux": ["DEFENSE", "ELAN_109", "DEMOLITION"]}, "DEFENSE_SECURITE_SANTE"),
        ({"drapeaux": ["ELAN_109", "DEMOLITION"]}, "SEM_NON_CONVENTIONNE"),
        ({"famille": "OPH"}, "PLI"),
        ({"finan": "13"}, "LOCALE"),
        ({"drapeaux": ["DEMOLITION"]}, "VENTE_DEMOLITION"),
        ({"drapeaux": []}, "HORS_CHAMP"),
        ({"finan": "50"}, "AVANT_1977"),
        ({"conv": "1"}, "CONVENTIONNE"),
    ]
    for retrait, attendu in etapes:
        profil |= retrait
        assert statut(**profil) == attendu


profils = st.builds(
    dict,
    finan=st.sampled_from(FINANS),
    conv=st.sampled_from("12"),
    mode=st.sampled_from("123459"),
    sortie=st.sampled_from(["1", "2", "3", "4", "5", "9", ""]),
    drapeaux=st.frozensets(st.sampled_from(list(Drapeau)), max_size=4),
    famille=st.sampled_from(list(Famille)),
    exclusions=st.sampled_from([LOI, PACA, COTES_D_ARMOR, TOUT, Exclusions(False, False, False)]),
)


@given(profils)
def test_every_profile_has_one_status_explained_by_the_same_rule(profil):
    verdict = statut(**profil)
    assert (verdict in STATUTS_DANS) + (verdict in STATUTS_HORS) == 1
    assert verdict.dans_assiette is (verdict in STATUTS_DANS)
    etape = expliquer_statut(**{**profil, "drapeaux": frozenset(profil["drapeaux"])})
    assert etape.code == f"statut.{verdict}"
    assert etape.valeur == ("dans l’assiette" if verdict in STATUTS_DANS else "hors de l’assiette")
    assert etape.detail and etape.article


@given(profils)
def test_a_flag_never_brings_a_dwelling_in_but_l411_6(profil):
    """Flags take out; only L. 411-6 brings in."""
    sans = statut(**{**profil, "drapeaux": ()})
    avec = statut(**profil)
    if avec in STATUTS_DANS and sans not in STATUTS_DANS:
        assert avec == "DECONVENTIONNE_L411_6"


def test_every_status_is_reached_and_named():
    atteints = {
        statut(f, c, m, s, d, fam, e)
        for f, c, m, s, d, fam, e in product(
            ["13", "16", "50"],
            "12",
            "1",
            "19",
            [(), ("SANTE",), ("LOGEMENT_FOYER",), ("ELAN_109",), ("DEMOLITION",), ("DECONVENTIONNE_L411_6",)],
            ["OPH", "SEM"],
            [TOUT],
        )
    }
    assert atteints == set(StatutLogement)
    assert len({s.libelle for s in StatutLogement}) == len(StatutLogement)
    assert all(s.article for s in StatutLogement)
    assert len({d.libelle for d in Drapeau}) == len(Drapeau)


@pytest.mark.parametrize(
    ("mode", "attendu"), [("1", True), ("2", True), ("3", False), ("4", False), ("9", False)]
)
def test_let_or_on_offer(mode, attendu):
    assert loue_ou_propose(mode) is attendu


def codes(typeconst="C", mode="1", drapeaux=(), exclusions=LOI) -> list[str]:
    return [q.code for q in questions_logement(typeconst, mode, frozenset(drapeaux), exclusions)]


def test_student_type_is_a_question_until_answered():
    assert codes("E") == ["RESIDENCE"]
    assert codes("E", drapeaux=["ORDINAIRE"]) == []
    assert codes("E", drapeaux=["RESIDENCE_UNIVERSITAIRE"]) == []
    assert codes("C") == []


def test_mode_3_is_a_question_only_where_sales_and_demolitions_leave():
    assert codes(mode="3", exclusions=PACA) == ["VENTE_DEMOLITION"]
    assert codes(mode="3") == []
    assert codes(mode="3", drapeaux=["DEMOLITION"], exclusions=PACA) == []


def test_plai_adapte_is_recalled():
    assert codes(drapeaux=["PLAI_ADAPTE"]) == ["PLAI_ADAPTE"]
