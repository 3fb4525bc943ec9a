"""The ledger: oldest first, never reported and attributed both, and always balanced."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilans.regles.registre_dettes import (
    Compte,
    Ecriture,
    EcritureRefusee,
    Nature,
    Poste,
    clore,
    corriger_la_cloture,
    lire,
    manque_de_l_annee,
    repartir,
    transferer,
)
from flux.regles.report import Report, calculer_objectif, reporter

JOUR = date(2026, 6, 12)
N = Nature


def e(nature, dette, nombre, annee=None, poste=None, jour=JOUR) -> Ecriture:
    return Ecriture(nature, dette, annee or dette + 1, nombre, jour, "article 8.2", poste)


def compte(*ecritures) -> Compte:
    return lire(ecritures)


def test_a_debt_is_opened_reported_and_paid():
    c = compte(e(N.OUVERTURE, 2025, 9), e(N.REPORT, 2025, 9))
    assert c.report_de(2025) == 0 and c.report_de(2026) == 9 and c.reste == 9
    c = clore(c, 2026, part=230, realise=235, jour=date(2027, 3, 1), fondement="bilan 2026")
    # 235 serve the 9 of 2025 first; of the 230 of 2026, 4 are missing, which only a decision may open as a debt.
    assert c.dette(2025).payes == 9 and c.reste == 0 and c.report_de(2027) == 0
    assert c.report_de(2026) == 9  # the objective of 2026 keeps what it inherited
    assert manque_de_l_annee(2026, 230, 235, [Report(2025, 9)]) == 4


def test_the_oldest_is_paid_first():
    c = compte(
        e(N.OUVERTURE, 2023, 2), e(N.OUVERTURE, 2024, 4), e(N.REPORT, 2023, 2, 2025), e(N.REPORT, 2024, 4)
    )
    assert c.reports_de(2025) == (Report(2023, 2), Report(2024, 4))
    with pytest.raises(
        EcritureRefusee, match="La dette de 2023 n’est pas soldée .* la plus ancienne se paie d’abord"
    ):
        c.ecrire(e(N.PAIEMENT, 2024, 1))
    apres = clore(c, 2025, part=10, realise=5, jour=JOUR, fondement="bilan 2025")
    assert apres.reports_de(2026) == (Report(2024, 1),)
    assert apres.dette(2023).payes == 2 and apres.dette(2024).payes == 3


def test_a_shortfall_is_never_reported_and_attributed_both():
    c = compte(e(N.OUVERTURE, 2025, 9), e(N.REPORT, 2025, 6), e(N.ATTRIBUTION, 2025, 3))
    for nature in (N.REPORT, N.ATTRIBUTION):
        with pytest.raises(EcritureRefusee, match="1 logement demandé, il y en a 0 « à décider »"):
            c.ecrire(e(nature, 2025, 1))
    # The préfet changes his mind: the report is taken back first, and the objective follows.
    c = c.ecrire(e(N.REPRISE, 2025, 2)).ecrire(e(N.ATTRIBUTION, 2025, 2))
    assert c.report_de(2026) == 4 and c.dette(2025).attribues == 5


def test_a_direct_attribution_discharges():
    c = compte(e(N.OUVERTURE, 2025, 3), e(N.ATTRIBUTION, 2025, 3), e(N.IMPUTATION, 2025, 1))
    assert c.dette(2025).imputes == 1 and c.reste == 2 and c.report_de(2026) == 0
    c = c.ecrire(e(N.IMPUTATION, 2025, 2))
    assert c.reste == 0
    with pytest.raises(EcritureRefusee, match="il y en a 0 « à attribuer par le préfet »"):
        c.ecrire(e(N.IMPUTATION, 2025, 1))


@pytest.mark.parametrize("poste", [Poste.A_DECIDER, Poste.REPORTES, Poste.ATTRIBUES])
def test_a_cancellation_says_what_it_cancels(poste):
    c = compte(e(N.OUVERTURE, 2025, 9), e(N.REPORT, 2025, 3), e(N.ATTRIBUTION, 2025, 3))
    c = c.ecrire(e(N.ANNULATION, 2025, 2, poste=poste))
    assert c.dette(2025).de(poste) == 1 and c.dette(2025).annules == 2 and c.reste == 7
    assert c.report_de(2026) == (1 if poste == Poste.REPORTES else 3)


@pytest.mark.parametrize("poste", [None, Poste.PAYES, Poste.IMPUTES, Poste.ANNULES])
def test_what_is_done_is_not_cancelled(poste):
    c = compte(e(N.OUVERTURE, 2025, 9))
    with pytest.raises(EcritureRefusee, match="non sur ce qui est fait"):
        c.ecrire(e(N.ANNULATION, 2025, 1, poste=poste))


def test_a_closed_year_is_past():
    c = compte(e(N.OUVERTURE, 2025, 9), e(N.REPORT, 2025, 5))
    c = clore(c, 2026, part=10, realise=3, jour=JOUR, fondement="bilan 2026")
    for ecriture in (
        e(N.REPORT, 2025, 1),
        e(N.REPRISE, 2025, 1),
        e(N.PAIEMENT, 2025, 1),
        e(N.ANNULATION, 2025, 1, poste=Poste.REPORTES),
    ):
        with pytest.raises(EcritureRefusee, match="L’année 2026 est close"):
            c.ecrire(ecriture)
    with pytest.raises(EcritureRefusee, match="L’année 2026 est close"):
        clore(c, 2026, part=10, realise=3, jour=JOUR, fondement="bilan 2026")
    assert c.ecrire(e(N.REPRISE, 2025, 2, 2027)).report_de(2027) == 0
    assert c.ecrire(e(N.REPRISE, 2025, 2, 2027)).report_de(2026) == 5


def test_a_convention_may_let_the_rest_lapse():
    c = compte(e(N.OUVERTURE, 2025, 5), e(N.REPORT, 2025, 5))
    c = clore(c, 2026, part=10, realise=3, jour=JOUR, fondement="bilan 2026", cumul=False)
    assert c.report_de(2027) == 0 and c.dette(2025).annules == 2 and c.dette(2025).payes == 3


@pytest.mark.parametrize(
    ("ecriture", "phrase"),
    [
        (e(N.OUVERTURE, 2025, 1), "déjà ouverte, pour 9 logements"),
        (e(N.REPORT, 2025, 1, 2025), "se reporte sur 2026 au plus tôt, non sur 2025"),
        (e(N.REPORT, 2025, 0), "un logement au moins"),
        (e(N.REPORT, 2025, -1), "un logement au moins"),
        (e(N.REPORT, 2025, 10), "10 logements demandés, il y en a 9 « à décider »"),
        (e(N.REPORT, 2024, 1), "il y en a 0"),
        (e(N.REPORT, 2025, 1)._replace(fondement=" "), "sur quoi elle se fonde"),
        (e(N.REPORT, 2025, 1, jour=date(2026, 6, 11)), "rien ne s’y écrit avant"),
        (e(N.REPORT, 2025, 1, poste=Poste.REPORTES), "Seule une annulation"),
        (e(N.CLOTURE, 2026, 1), "aucun logement"),
        (e(N.REPRISE, 2025, 1, 2025), "il y en a 0 « reportés »"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_reason(ecriture, phrase):
    c = compte(e(N.OUVERTURE, 2025, 9))
    with pytest.raises(EcritureRefusee, match=phrase):
        c.ecrire(ecriture)


def test_what_is_reported_on_a_later_year_is_not_taken_from_an_earlier_one():
    c = compte(e(N.OUVERTURE, 2025, 9), e(N.REPORT, 2025, 3, 2026), e(N.REPORT, 2025, 2, 2028))
    for ecriture in (e(N.REPRISE, 2025, 4, 2026), e(N.REPRISE, 2025, 3, 2028)):
        with pytest.raises(EcritureRefusee, match="vérifiez l’année"):
            c.ecrire(ecriture)
    assert c.ecrire(e(N.REPRISE, 2025, 2, 2028)).report_de(2028) == 3


def test_dwellings_are_taken_from_the_oldest_debts():
    c = compte(
        e(N.OUVERTURE, 2023, 2), e(N.OUVERTURE, 2025, 4), e(N.ATTRIBUTION, 2023, 2), e(N.ATTRIBUTION, 2025, 3)
    )
    assert repartir(c, Poste.ATTRIBUES, 4) == ((2023, 2), (2025, 2))
    with pytest.raises(EcritureRefusee, match="6 logements demandés, il y en a 5"):
        repartir(c, Poste.ATTRIBUES, 6)


ACTES = st.lists(
    st.builds(
        e,
        st.sampled_from(Nature),
        st.integers(2023, 2026),
        st.integers(0, 6),
        st.integers(2023, 2028),
        st.none() | st.sampled_from(Poste),
    ),
    max_size=25,
)


@given(ACTES)
def test_whatever_is_tried_each_dwelling_is_in_one_place(ecritures):
    """A refused entry changes nothing; the accepted ones replay to the same account."""
    c = Compte()
    for ecriture in ecritures:
        avant = c
        try:
            c = c.ecrire(ecriture)
        except EcritureRefusee:
            assert c is avant
    ouvertes: dict[int, int] = {}
    for x in c.ecritures:
        if x.nature in (N.OUVERTURE, N.APPORT):
            ouvertes[x.dette] = ouvertes.get(x.dette, 0) + x.nombre
    assert {d.annee: d.ouverte for d in c.dettes} == ouvertes
    assert all(d.de(poste) >= 0 for d in c.dettes for poste in Poste)
    assert lire(c.ecritures) == c
    for d in c.dettes:
        sorties = [x for x in c.ecritures if x.dette == d.annee and x.nature in (N.REPORT, N.ATTRIBUTION)]
        repris = sum(x.nombre for x in c.ecritures if x.dette == d.annee and x.nature == N.REPRISE)
        assert sum(x.nombre for x in sorties) - repris <= d.ouverte
    for annee in range(max(c.close + 1, 2023), 2030):
        assert c.report_de(annee) >= 0
        assert c.report_de(annee) <= c.total(Poste.REPORTES) + c.total(Poste.PAYES)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40)), min_size=1, max_size=5))
def test_years_in_a_row_agree_with_the_rule_of_the_report(annees):
    """Nothing justified, everything reported: the ledger and `reporter` carry the same dwellings, year after year."""
    c, dus = Compte(), ()
    for rang, (part, realise) in enumerate(annees):
        annee = 2025 + rang
        assert c.reports_de(annee) == dus
        assert calculer_objectif(part, dus) == part + c.report_de(annee)
        manque = manque_de_l_annee(annee, part, realise, dus)
        c = clore(c, annee, part, realise, JOUR, "bilan")
        if manque:
            c = c.ecrire(e(N.OUVERTURE, annee, manque)).ecrire(e(N.REPORT, annee, manque))
        dus = reporter(annee, part, realise, reports=dus)
        assert c.reste == sum(r.nombre for r in dus)


def test_the_years_whose_objective_is_known():
    c = compte(e(N.OUVERTURE, 2025, 9), e(N.REPORT, 2025, 5))
    assert c.reports == {2026: 5}  # 2027 is not known before 2026 is closed
    c = clore(c, 2026, part=10, realise=2, jour=JOUR, fondement="bilan 2026")
    assert c.reports == {2026: 5, 2027: 3}
    assert Compte().reports == {}


def test_what_is_due_follows_a_merger():
    un = compte(
        e(N.OUVERTURE, 2025, 9), e(N.REPORT, 2025, 4), e(N.ATTRIBUTION, 2025, 3), e(N.IMPUTATION, 2025, 1)
    )
    autre = compte(e(N.OUVERTURE, 2025, 2), e(N.REPORT, 2025, 2))
    un_apres, autre_apres = transferer(un, autre, 2026, JOUR, "fusion")
    assert un_apres.reste == 0 and un_apres.dette(2025).imputes == 1
    assert autre_apres.reste == un.reste + autre.reste and autre_apres.report_de(2026) == 6
    assert autre_apres.dette(2025).attribues == 2 and autre_apres.dette(2025).a_decider == 2
    # The objective of 2026 is past for a merger of 2027: it stays until it is closed.
    un_apres, autre_apres = transferer(un, autre, 2027, JOUR, "fusion")
    assert un_apres.report_de(2026) == 4 and autre_apres.report_de(2026) == 2


@given(ACTES, ACTES, st.integers(2025, 2028))
def test_a_merger_loses_nothing(les_uns, les_autres, annee):
    comptes = []
    for ecritures in (les_uns, les_autres):
        c = Compte()
        for ecriture in ecritures:
            try:
                c = c.ecrire(ecriture)
            except EcritureRefusee:
                continue
        comptes.append(c)
    apres = transferer(*comptes, annee, JOUR, "fusion")
    assert sum(c.reste for c in apres) == sum(c.reste for c in comptes)
    assert apres[0].report_de(annee - 1) == comptes[0].report_de(annee - 1)


# --- A bilan corrected after its year was closed ---------------------------------------------------------------------------


@pytest.fixture
def clos() -> Compte:
    """Four of 2025 reported on 2026, of which two were paid when 2026 was closed."""
    jour = date(2026, 4, 15)
    compte = Compte().ecrire(Ecriture(Nature.OUVERTURE, 2025, 2025, 4, jour, "art. 8.2"))
    compte = compte.ecrire(Ecriture(Nature.REPORT, 2025, 2026, 4, jour, "art. 8.2"))
    return clore(compte, 2026, 20, 2, date(2027, 3, 1), "bilan 2026")


@pytest.mark.parametrize(
    ("realise", "annules", "en_trop"), [(2, 0, 0), (3, 1, 0), (4, 2, 0), (30, 2, 0), (1, 0, 1), (0, 0, 2)]
)
def test_a_corrected_year_stays_closed(clos, realise, annules, en_trop):
    apres, trop = corriger_la_cloture(clos, 2026, 20, realise, date(2027, 5, 1))
    dette = apres.dette(2025)
    assert (dette.payes, dette.annules, dette.reportes, trop) == (2, annules, 2 - annules, en_trop)
    assert apres.close == 2026 and apres.report_de(2026) == 4 and apres.report_de(2027) == 2 - annules
    # The same correction again, or none: nothing more.
    assert corriger_la_cloture(apres, 2026, 20, realise, date(2027, 6, 1)) == (apres, en_trop)
