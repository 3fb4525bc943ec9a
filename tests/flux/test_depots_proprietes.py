"""Whatever the table, handed in twice it changes nothing the second time; and what is written is what was shown."""

from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from flux.models import Attribution, Depot, Liberation, LigneDepot, Passage
from flux.services import depots
from tests.flux.fabriques import actes_paca
from tests.flux.tableaux import csv, deposer, enregistrer, logements, numero, xlsx
from tests.personnages import distribuer

pytestmark = pytest.mark.django_db

Verdict = LigneDepot.Verdict
ENTETES = [
    "Réf logement",
    "Date libération",
    "Préavis",
    "Hors flux",
    "Preuve",
    "Contingent",
    "Commission du",
    "NUD",
    "Décision",
    "Rang",
    "Motif de non-attribution",
    "Bail signé le",
]
REFERENCES = [f"HDA-{1000 + rang}" for rang in range(4)]
jours = st.dates(date(2025, 11, 1), date(2026, 5, 30))


def _ecrit(jour: date) -> st.SearchStrategy:
    return st.sampled_from(
        [f"{jour:%d/%m/%Y}", f"{jour:%Y-%m-%d}", f"{jour.day}/{jour.month}/{jour:%y}", jour]
    )


@st.composite
def lignes(draw) -> list:
    """A line of a combined table: likely, odd or wrong."""
    libere = draw(jours)
    usage = draw(st.sampled_from(["", "Flux", "mutation", "RU", "zorglub"]))
    ligne = [
        draw(st.sampled_from([*REFERENCES, f" {REFERENCES[0]}\u00a0", "inconnue", ""])),
        draw(_ecrit(libere)),
        draw(st.sampled_from(["", f"{libere - timedelta(days=90):%d/%m/%Y}", "31/02/2026"])),
        usage,
        draw(st.sampled_from(["", "P-1", '"P-1"'])),
        draw(st.sampled_from(["", "ALS", "État", "non réservé", "06029", "=1+1"])),
    ]
    if not draw(st.booleans()):
        return [*ligne, "", "", "", "", "", ""]
    caleol = libere + timedelta(days=draw(st.integers(0, 40)))
    decision = draw(st.sampled_from(["", "a", "b", "d", "e"]))
    return [
        *ligne,
        f"{caleol:%d/%m/%Y}",
        numero(draw(st.integers(1, 4))),
        decision,
        draw(st.sampled_from(["1", "2"])) if decision == "b" else "",
        draw(st.sampled_from(["", "COMPOSITION"])) if decision == "d" else "",
        draw(st.sampled_from(["", f"{caleol + timedelta(days=20):%d/%m/%Y}"])),
    ]


def tout_ce_qui_est_ecrit() -> list:
    return [list(modele.objects.order_by("pk").values()) for modele in (Liberation, Passage, Attribution)]


def confirmer_tout(cast, depot: Depot) -> None:
    acteur = cast.acteur("gestionnaire_a")
    while doutes := {
        message["code"]
        for ligne in depot.lignes.filter(verdict=Verdict.A_CONFIRMER)
        for message in ligne.messages
        if message["code"] not in ligne.confirmations
    }:
        depots.confirmer_doutes(acteur, depot, sorted(doutes)[0])


@pytest.fixture(scope="module")
def monde(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        cast = distribuer()
        actes_paca(cast)
        logements(cast.bailleur_a, len(REFERENCES))
        yield cast
        transaction.set_rollback(True)


@pytest.mark.lent
@settings(max_examples=15)
@given(table=st.lists(lignes(), min_size=1, max_size=6), en_csv=st.booleans())
def test_twice_is_once(monde, table, en_csv):
    octets = (
        csv(ENTETES, [[f"{c:%d/%m/%Y}" if isinstance(c, date) else c for c in ligne] for ligne in table])
        if en_csv
        else xlsx(ENTETES, table)
    )
    with transaction.atomic():
        depot = deposer(monde, octets, sujet="COMBINE")
        if depot.etat == Depot.Etat.A_CONFIRMER:
            confirmer_tout(monde, depot)
            depot.refresh_from_db()
        annonce = {
            "creees": depot.comptes.get(Verdict.A_CREER, 0),
            "pretes": depot.comptes.get(Verdict.A_CREER, 0) + depot.comptes.get(Verdict.A_METTRE_A_JOUR, 0),
        }
        if annonce["pretes"]:
            depot = enregistrer(monde, depot)
            assert depot.comptes["ENREGISTREES"] >= annonce["pretes"], depot.message
        ecrites = set(depot.lignes.exclude(appliquee_le=None).values_list("ligne", flat=True))
        avant = tout_ce_qui_est_ecrit()
        assert bool(avant[0]) == bool(annonce["pretes"])
        encore = deposer(monde, octets, sujet="COMBINE")
        verdicts = dict(encore.lignes.values_list("ligne", "verdict"))
        assert {verdicts[ligne] for ligne in ecrites} <= {Verdict.IDENTIQUE}
        assert not {Verdict.A_CREER, Verdict.A_METTRE_A_JOUR} & set(verdicts.values())
        assert tout_ce_qui_est_ecrit() == avant
        transaction.set_rollback(True)
