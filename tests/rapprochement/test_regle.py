"""The rule, case by case, at its boundaries, then what holds whatever the lines."""

from collections import Counter
from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.regles.rapprochement import (
    AttributionLocale,
    Corrections,
    EtatLabel,
    Evenement,
    Lien,
    Lieu,
    NatureEcart,
    Place,
    Responsable,
    Tolerances,
    _comparer,
    apparier,
    echeance_du_bilan,
    inverser,
    juger_labels,
    proches,
    rapprocher,
    regrouper,
)
from publics.regles.groupes import Label
from tests import proprietes

__all__ = ["proprietes"]
N = NatureEcart
JOUR = timedelta(days=1)
LE_3 = date(2025, 6, 3)
AN = (date(2025, 1, 1), date(2025, 12, 31))
DALO = Label("DALO", date(2025, 1, 1))


def sne(id_=1, caleol=LE_3, **champs) -> Evenement:
    return Evenement(id_, champs.pop("menage", "m1"), caleol, **champs)


def ici(id_=1, caleol=LE_3, **champs) -> AttributionLocale:
    return AttributionLocale(id_, champs.pop("menage", "m1"), caleol, **champs)


def natures(resultat) -> list[NatureEcart]:
    return [ecart.nature for ligne in resultat.lignes for ecart in ligne.ecarts]


# --- One to one ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jours", "memes", "attendu"),
    [(0, False, Lien.DATE), (7, False, Lien.DATE), (-7, False, Lien.DATE), (8, False, None), (8, True, Lien.LOGEMENT),
     (31, True, Lien.LOGEMENT), (-31, True, Lien.LOGEMENT), (32, True, None)],
)  # fmt: skip
def test_dates_within_the_tolerance(jours, memes, attendu):
    logement = "0612345678" if memes else ""
    resultat = rapprocher(
        [sne(caleol=LE_3 + jours * JOUR, logement=logement)], [ici(logement="0612345678")], *AN
    )
    liens = [ligne.appariement.lien for ligne in resultat.lignes if ligne.appariement]
    assert liens == ([attendu] if attendu else [])
    assert natures(resultat) == ([] if attendu else [N.SNE_SEUL, N.ICI_SEUL])


def test_day_and_month_the_other_way_round():
    resultat = rapprocher([sne(caleol=date(2025, 3, 6))], [ici(caleol=date(2025, 6, 3))], *AN)
    assert resultat.lignes[0].appariement.lien == Lien.INVERSION
    assert inverser(date(2025, 6, 13)) is None and inverser(date(2025, 6, 6)) is None
    assert inverser(date(2025, 12, 11)) == date(2025, 11, 12)


def test_another_dwelling_is_said_and_does_not_part_them():
    (ligne,) = rapprocher([sne(logement="A")], [ici(logement="B")], *AN).lignes
    assert ligne.appariement.autre_logement and not ligne.ecarts


def test_the_largest_matching_and_not_the_greediest():
    """The closest pair (10 and 8) would leave two lines alone; both can be matched."""
    lignes = [sne(1, date(2025, 6, 5), logement="A"), sne(2, date(2025, 6, 10), logement="B")]
    attributions = [ici(1, date(2025, 6, 8)), ici(2, date(2025, 6, 14))]
    resultat = rapprocher(lignes, attributions, *AN, tolerances=Tolerances(dates=4))
    assert resultat.rapprochees == 2 and not natures(resultat)


def test_a_refused_attribution_explains_a_line_and_is_never_missing():
    resultat = rapprocher([], [ici(refusee=True)], *AN)
    assert resultat.places_ici == {1: Place.REFUSEE} and not resultat.lignes
    resultat = rapprocher([sne()], [ici(refusee=True)], *AN)
    assert resultat.rapprochees == 1 and not natures(resultat)
    # Two on one day: the live one is the one that the SNE tells.
    resultat = rapprocher([sne()], [ici(1, refusee=True), ici(2)], *AN)
    assert resultat.lignes[0].attribution.id == 2


def test_lease_and_radiation_alone_are_matched_too():
    bail = LE_3 + 40 * JOUR
    for ligne, lien in (
        (sne(caleol=None, bail=bail), Lien.BAIL),
        (sne(caleol=None, radie=bail, radiation="RADATT"), Lien.RADIATION),
    ):
        (trouvee,) = rapprocher([ligne], [ici(bail=bail)], *AN).lignes
        assert trouvee.appariement.lien == lien and not trouvee.ecarts
        (trouvee,) = rapprocher([ligne], [ici()], *AN).lignes
        assert [(e.nature, e.lieu) for e in trouvee.ecarts] == [(N.BAIL_ABSENT, Lieu.ICI)]


# --- Lines of one attribution ----------------------------------------------------------------------------------


def test_three_lines_are_one_attribution_in_any_order():
    bail = LE_3 + 20 * JOUR
    lignes = [
        sne(1, logement="A", contingent="ALS"),
        sne(2, None, bail=bail, logement="A"),
        sne(3, None, radie=bail + 5 * JOUR, radiation="RADATT"),
    ]
    for ordre in permutations(lignes):
        (fait,), isolees = regrouper(ordre, Tolerances())
        assert (fait.caleol, fait.bail, fait.radiation, fait.contingent) == (LE_3, bail, "RADATT", "ALS")
        assert not isolees and {ligne.id for ligne in fait.lignes} == {1, 2, 3}


def test_two_dwellings_or_two_dates_are_two_attributions():
    assert len(regrouper([sne(1, logement="A"), sne(2, logement="B")], Tolerances())[0]) == 2
    assert len(regrouper([sne(1), sne(2, LE_3 + 8 * JOUR)], Tolerances())[0]) == 2
    assert len(regrouper([sne(1), sne(2, LE_3 + 7 * JOUR)], Tolerances())[0]) == 1


# --- The gaps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("debut", "fin", "etat"),
    [(LE_3, None, EtatLabel.VALIDE), (LE_3 - JOUR, LE_3, EtatLabel.VALIDE), (LE_3 + JOUR, None, EtatLabel.TARDIF),
     (date(2024, 1, 1), LE_3 - JOUR, EtatLabel.EXPIRE)],
)  # fmt: skip
def test_a_label_on_the_day_of_the_caleol(debut, fin, etat):
    assert juger_labels([Label("DALO", debut, fin)], LE_3) == etat


def test_the_nearest_of_two_labels_says_what_is_missing():
    echu, tardif = Label("DALO", date(2024, 1, 1), LE_3 - 9 * JOUR), Label("BPI", LE_3 + 2 * JOUR)
    assert juger_labels([echu, tardif], LE_3) == EtatLabel.TARDIF
    assert juger_labels([echu, tardif._replace(debut=LE_3 + 20 * JOUR)], LE_3) == EtatLabel.EXPIRE
    assert juger_labels([], LE_3) == EtatLabel.ABSENT


@pytest.mark.parametrize("debut", [LE_3 - 30 * JOUR, LE_3, LE_3 + 30 * JOUR])
def test_an_annulled_label_is_no_label(debut):
    annule = Label("DALO", debut, debut - JOUR)
    assert juger_labels([annule], LE_3) == EtatLabel.ABSENT
    assert juger_labels([annule, Label("BPI", date(2024, 1, 1), LE_3 - 90 * JOUR)], LE_3) == EtatLabel.EXPIRE


def label_dit(contingent="ETAT_PRIORITAIRE", labels=(), la_bas=(), *, attendu=True, avec_labels=True):
    lignes = [sne(contingent=contingent)] + [
        Evenement(10 + rang, "m1", label=connu.type, label_debut=connu.debut, label_fin=connu.fin)
        for rang, connu in enumerate(la_bas)
    ]
    attribution = ici(contingent=contingent, attendu=attendu, labels=tuple(labels))
    (ligne,) = rapprocher(lignes, [attribution], *AN, avec_labels=avec_labels).lignes
    return [(e.nature, e.lieu, e.responsable, e.recuperable) for e in ligne.ecarts]


def test_labels_on_both_sides():
    tardif, echu = DALO._replace(debut=LE_3 + JOUR), DALO._replace(fin=LE_3 - JOUR)
    r = Responsable
    assert label_dit(labels=[DALO], la_bas=[DALO]) == []
    assert label_dit(la_bas=[DALO]) == [(N.LABEL_ABSENT, Lieu.ICI, r.DDETS, True)]
    assert label_dit(labels=[tardif], la_bas=[DALO]) == [(N.LABEL_TARDIF, Lieu.ICI, r.DDETS, True)]
    assert label_dit(labels=[DALO], la_bas=[echu]) == [(N.LABEL_EXPIRE, Lieu.LABELS, r.DDETS, False)]
    assert label_dit(labels=[DALO]) == [(N.LABEL_ABSENT, Lieu.LABELS, r.DDETS, False)]
    assert label_dit(la_bas=[tardif]) == [(N.LABEL_TARDIF, Lieu.LABELS, r.DDETS, False)]
    assert label_dit() == [(N.LABEL_ABSENT, Lieu.LABELS, r.DDETS, False)]
    assert label_dit("ALS", la_bas=[DALO], attendu=False) == [(N.LABEL_ABSENT, Lieu.ICI, r.ALS, True)]
    assert label_dit("ALS", attendu=False) == []
    assert label_dit("ETAT_AGENT", la_bas=[DALO], attendu=False) == []
    assert label_dit("", la_bas=[DALO], attendu=False) == []


def test_an_exception_of_the_ddets_needs_nothing_elsewhere():
    assert label_dit(labels=[DALO._replace(debut=LE_3 + JOUR, exception=True)]) == []


def test_without_an_extract_of_labels_only_ours_are_judged():
    assert label_dit(labels=[DALO], avec_labels=False) == []
    assert label_dit(avec_labels=False) == [(N.LABEL_ABSENT, Lieu.ICI, Responsable.DDETS, False)]
    assert label_dit("ALS", attendu=False, avec_labels=False) == []


def test_another_ground():
    bpi = Label("BPI", date(2025, 1, 1))
    assert label_dit(labels=[DALO], la_bas=[bpi]) == [(N.MOTIF, Lieu.LABELS, Responsable.DDETS, False)]
    assert label_dit(labels=[DALO, bpi], la_bas=[bpi]) == []


def test_contingents():
    def dits(la_bas, nous):
        (ligne,) = rapprocher([sne(contingent=la_bas)], [ici(contingent=nous)], *AN, avec_labels=False).lignes
        return [(e.nature, e.responsable) for e in ligne.ecarts]

    assert dits("COLLECTIVITE", "BAILLEUR") == [(N.CONTINGENT, Responsable.BAILLEUR)]
    assert dits("ALS", "BAILLEUR") == [(N.CONTINGENT, Responsable.ALS)]
    assert dits("ALS", "ALS") == dits("", "ALS") == dits("ALS", "") == []


def test_several_gaps_on_one_line():
    (ligne,) = rapprocher(
        [sne(contingent="ALS", radie=LE_3 + 9 * JOUR, radiation="RADABA")],
        [ici(bail=LE_3 + 9 * JOUR, contingent="ETAT_PRIORITAIRE", attendu=True)],
        *AN,
    ).lignes
    assert [e.nature for e in ligne.ecarts] == [N.LABEL_ABSENT, N.CONTINGENT, N.RADIATION, N.BAIL_ABSENT]


def test_a_radiation_for_another_reason_follows_the_attribution():
    radiation = sne(5, None, radie=LE_3 + 30 * JOUR, radiation="RADREN")
    resultat = rapprocher([radiation], [ici(bail=LE_3 + 9 * JOUR)], *AN)
    assert natures(resultat) == [N.ICI_SEUL, N.RADIATION]
    assert resultat.places == {5: Place.RAPPROCHEE}
    # No lease here: the request may well have lapsed. Nothing here: nothing to say.
    assert natures(rapprocher([radiation], [ici()], *AN)) == [N.ICI_SEUL]
    assert rapprocher([radiation], [], *AN).places == {5: Place.SANS_OBJET}


def test_what_the_extract_could_not_know_is_no_gap():
    connu = {"connu_du": date(2025, 2, 1), "connu_au": LE_3}
    assert natures(rapprocher([], [ici(**connu)], *AN)) == [N.ICI_SEUL]
    for jour in (LE_3 + JOUR, date(2025, 1, 31)):
        resultat = rapprocher([], [ici(caleol=jour, **connu)], *AN)
        assert resultat.places_ici == {1: Place.NON_COUVERTE} and not resultat.lignes
    assert natures(rapprocher([sne()], [ici(bail=LE_3 + JOUR, **connu)], *AN)) == []
    assert natures(rapprocher([sne()], [ici(bail=LE_3, **connu)], *AN)) == [N.BAIL_ABSENT]


@pytest.mark.parametrize(
    ("jour", "dedans"), [(AN[0] - JOUR, False), (AN[0], True), (AN[1], True), (AN[1] + JOUR, False)]
)
def test_the_ends_of_the_period(jour, dedans):
    assert natures(rapprocher([sne(caleol=jour)], [], *AN)) == [N.SNE_SEUL] * dedans
    assert natures(rapprocher([], [ici(caleol=jour)], *AN)) == [N.ICI_SEUL] * dedans


def test_a_pair_across_the_end_of_the_period_is_one():
    resultat = rapprocher([sne(caleol=AN[1] + JOUR)], [ici(caleol=AN[1])], *AN)
    assert resultat.rapprochees == 1 and not natures(resultat)


def test_the_deadline():
    assert echeance_du_bilan(2025) == date(2026, 2, 27)


# --- By hand ---------------------------------------------------------------------------------------------------


def test_two_households_that_people_say_are_one():
    ligne, attribution = sne(menage="m2", logement="A"), ici(logement="A")
    (fait,), _ = regrouper([ligne], Tolerances())
    assert [p.id for p in proches(fait, [attribution, ici(2, LE_3 + 90 * JOUR)], Tolerances())] == [1]
    lie = Corrections(lies={(fait.cle, 1)})
    (trouvee,) = rapprocher([ligne], [attribution], *AN, corrections=lie).lignes
    assert trouvee.appariement.lien == Lien.MANUEL and not trouvee.ecarts


def test_labels_of_the_other_number_count_once_linked():
    ligne = sne(menage="m2", contingent="ETAT_PRIORITAIRE")
    label = Evenement(2, "m2", label="DALO", label_debut=date(2025, 1, 1))
    attribution = ici(contingent="ETAT_PRIORITAIRE", attendu=True, labels=(DALO,))
    lie = Corrections(lies={(regrouper([ligne], Tolerances())[0][0].cle, 1)})
    assert natures(rapprocher([ligne, label], [attribution], *AN, corrections=lie)) == []


def test_two_that_people_say_are_not_one():
    (fait,), _ = regrouper([sne()], Tolerances())
    separe = Corrections(separes={(fait.cle, 1)})
    assert natures(rapprocher([sne()], [ici()], *AN, corrections=separe)) == [N.SNE_SEUL, N.ICI_SEUL]
    # The next one takes the place.
    resultat = rapprocher([sne()], [ici(), ici(2, LE_3 + JOUR)], *AN, corrections=separe)
    assert [(x.fait is not None, x.attribution.id) for x in resultat.lignes] == [(False, 1), (True, 2)]


def test_a_link_to_what_is_no_longer_there_is_nothing():
    lies = Corrections(lies={("m9|2025-01-01|", 1), ("m1|2025-06-03|", 99)})
    assert rapprocher([sne()], [ici()], *AN, corrections=lies).lignes[0].appariement.lien == Lien.DATE


# --- Whatever the lines ----------------------------------------------------------------------------------------

jours = st.dates(date(2024, 12, 20), date(2026, 1, 15))
peut_etre = st.none() | jours
menages = st.sampled_from(["m1", "m2", "m3"])
logements = st.sampled_from(["", "A", "B"])
contingents = st.sampled_from(["", "ETAT_PRIORITAIRE", "ETAT_AGENT", "ALS", "BAILLEUR"])


@st.composite
def evenements(dessiner):
    lignes = dessiner(
        st.lists(
            st.builds(
                Evenement, st.just(0), menages, peut_etre, peut_etre, peut_etre,
                st.sampled_from(["", "RADATT", "RADABA"]), st.sampled_from(["", "ATTR", "NON_ATTR"]), logements,
                contingents, st.sampled_from(["", "DALO"]), st.sampled_from(["", "DALO", "BPI"]), peut_etre,
            ),
            max_size=9,
        )
    )  # fmt: skip
    return [ligne._replace(id=rang) for rang, ligne in enumerate(lignes)]


@st.composite
def attributions(dessiner):
    lignes = dessiner(
        st.lists(
            st.builds(
                AttributionLocale, st.just(0), menages, jours, peut_etre, st.booleans(), logements, contingents,
                st.booleans(), st.sampled_from([(), (DALO,)]),
            ),
            max_size=7,
        )
    )  # fmt: skip
    return [ligne._replace(id=rang) for rang, ligne in enumerate(lignes)]


@given(evenements(), attributions(), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(lignes, siennes, hasard):
    resultat = rapprocher(lignes, siennes, *AN)
    autres, leurs = list(lignes), list(siennes)
    hasard.shuffle(autres)
    hasard.shuffle(leurs)
    melange = rapprocher(autres, leurs, *AN)

    def tenir(resultat):
        return [
            (
                x.fait and sorted(e.id for e in x.fait.lignes),
                x.attribution and x.attribution.id,
                x.appariement,
                x.ecarts,
            )
            for x in resultat.lignes
        ]

    assert tenir(resultat) == tenir(melange)
    assert (resultat.places, resultat.places_ici) == (melange.places, melange.places_ici)


@given(evenements(), attributions())
def test_each_line_is_in_exactly_one_place_and_counts_agree(lignes, siennes):
    resultat = rapprocher(lignes, siennes, *AN)
    assert sorted(resultat.places) == [ligne.id for ligne in lignes]
    assert sorted(resultat.places_ici) == [a.id for a in siennes]
    dites = Counter(ligne.id for x in resultat.lignes if x.fait for ligne in x.fait.lignes)
    nommees = Counter(x.attribution.id for x in resultat.lignes if x.attribution)
    assert all(n == 1 for n in (*dites.values(), *nommees.values()))
    # Symmetric: as many matched there as here.
    paires = [x for x in resultat.lignes if x.appariement]
    assert len(paires) == resultat.rapprochees
    assert all(x.fait and x.attribution for x in paires)
    assert sum(p == Place.RAPPROCHEE for p in resultat.places_ici.values()) == len(paires)
    comptes = resultat.compter()
    assert comptes["SNE_SEUL"] == sum(x.attribution is None for x in resultat.lignes)
    assert comptes["ICI_SEUL"] == sum(x.fait is None for x in resultat.lignes)
    for x in resultat.lignes:
        assert len({e.nature for e in x.ecarts}) == len(x.ecarts)


@given(
    st.lists(st.tuples(st.integers(0, 30), logements), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 30), logements), min_size=1, max_size=4),
)
def test_no_larger_matching_and_none_of_the_same_size_is_closer(la_bas, nous):
    """Against every assignment there is."""
    faits = [
        regrouper([sne(i, LE_3 + d * JOUR, logement=x)], Tolerances())[0][0]
        for i, (d, x) in enumerate(la_bas)
    ]
    siennes = [ici(j, LE_3 + d * JOUR, logement=x) for j, (d, x) in enumerate(nous)]
    obtenu = apparier(faits, siennes, Tolerances())
    couts = {
        (i, j): compare[0]
        for i, fait in enumerate(faits)
        for j, attribution in enumerate(siennes)
        if (compare := _comparer(fait, attribution, Tolerances())) is not None
    }
    assert all((i, j) in couts for i, (j, _) in obtenu.items())
    atteint = (-len(obtenu), sum(couts[i, j] for i, (j, _) in obtenu.items()))
    rangs = [*range(len(siennes)), *[None] * len(faits)]
    for choix in set(permutations(rangs, len(faits))):
        couples = [(i, j) for i, j in enumerate(choix) if j is not None]
        if all(couple in couts for couple in couples):
            assert atteint <= (-len(couples), sum(couts[couple] for couple in couples))
