"""A bailleur-year small enough to be read by hand, computed, with its bilan; PDFs are made when a test asks."""

from datetime import date
from types import SimpleNamespace

import pytest

from bilans.documents.pdf import Pdf
from bilans.models import Bilan
from bilans.services import documents
from flux.models import Commission, MotifRefus, Nature, Passage, SoustractionPrevisionnelle
from flux.services.calculs import calculer
from flux.services.imputations import imputer
from tests import proprietes
from tests.flux.fabriques import actes_paca, agent_valide, attribution, liberation, menage, parc
from tests.personnages import ANTIBES, CANNES, Distribution, distribuer

__all__ = ["proprietes"]

ANNEE = 2025
FEVRIER = date(2026, 2, 20)


@pytest.fixture
def cast(db) -> Distribution:
    return distribuer()


def remplir(cast: Distribution, bailleur=None) -> Bilan:
    """Five libérations of the flux of 2025, one of 2024, a mutation and a first letting; the bilan of 2025.

    État: two priority households (one DALO) and one agent; ALS: one failed designation, let by the bailleur; one
    dwelling oriented and not attributed, one never oriented and attributed.
    """
    bailleur = bailleur or cast.bailleur_a
    actes_paca(cast, bailleur)
    parc(bailleur, millesime=ANNEE)
    etat, als = cast.ddets_06, cast.als
    ancien = liberation(bailleur, date(2024, 11, 20), reservataire=etat, qpv=True)
    attribution(
        ancien,
        date(2025, 1, 15),
        menage=menage("06", ("DALO", date(2024, 1, 1))),
        date_bail=date(2025, 2, 1),
    )
    prioritaire = liberation(bailleur, date(2025, 2, 1), reservataire=etat, typologie="T2")
    refusee = attribution(
        prioritaire,
        date(2025, 3, 1),
        menage=menage("06", ("EXPULSION", date(2024, 1, 1))),
        refusee_le=date(2025, 3, 9),
        motif_refus=MotifRefus.objects.filter(porteur="MENAGE").order_by("rang").first(),
    )
    attribution(prioritaire, date(2025, 4, 1), menage=menage("06", ("EXPULSION", date(2024, 1, 1))))
    agent = liberation(bailleur, date(2025, 3, 1), reservataire=etat, commune_id=ANTIBES)
    valide = menage("06")
    agent_valide(valide, date(2025, 3, 15), etat)
    attribution(
        agent,
        date(2025, 4, 1),
        menage=valide,
        date_bail=date(2025, 5, 1),
        agent=True,
        agent_adapte=True,
    )
    echouee = liberation(
        bailleur, date(2025, 5, 1), reservataire=als, designation_echouee_le=date(2025, 6, 1)
    )
    attribution(echouee, date(2025, 7, 1), menage=menage("06"), date_bail=date(2025, 8, 1))
    liberation(bailleur, date(2025, 12, 1), reservataire=cast.commune_cannes, commune_id=CANNES)
    libre = liberation(bailleur, date(2025, 6, 1), financement="PLAI")
    attribution(libre, date(2025, 7, 1), menage=menage("06"))
    mutation = liberation(bailleur, date(2025, 6, 1), usage="MUTATION", qpv=True)
    attribution(mutation, date(2025, 7, 1), menage=menage("06", ("DALO", date(2024, 1, 1))))
    neuve = liberation(bailleur, date(2025, 9, 1), premiere=True, reservataire=als)
    attribution(neuve, date(2025, 10, 1), menage=menage("06"))
    SoustractionPrevisionnelle.objects.create(
        bailleur=bailleur, departement_id="06", annee=ANNEE, categorie="MUTATION", nombre=3
    )
    seance = Commission.objects.create(
        bailleur=bailleur, departement_id="06", date=date(2025, 3, 1), etat=Commission.Etat.CLOSE
    )
    for rang, decision in enumerate(("ATTR_RANG", "NON_ATTR", "IRRECEV")):
        motif = MotifRefus.objects.filter(porteur="CALEOL").order_by("rang").first()
        Passage.objects.create(
            bailleur=bailleur,
            departement_id="06",
            commission=seance,
            liberation=prioritaire,
            menage=refusee.menage if not rang else menage("06"),
            decision=decision,
            rang=1 if decision == "ATTR_RANG" else None,
            motif=motif if decision == "NON_ATTR" else None,
        )
    calculer_tout(bailleur)
    return Bilan.objects.create(bailleur=bailleur, departement_id="06", annee=ANNEE)


def calculer_tout(bailleur) -> None:
    imputer(paires=[(bailleur.pk, "06")])
    calculer(bailleur.pk, "06", ANNEE, Nature.PREVISIONNEL, "essai")
    calculer(bailleur.pk, "06", ANNEE, Nature.DEFINITIF, "essai")


@pytest.fixture
def bilan(cast) -> Bilan:
    return remplir(cast)


@pytest.fixture
def sans_rendu(monkeypatch):
    """The bytes of a PDF take seconds, and `test_pdf` reads them: here they are the name of the document.

    `appels` counts the renderings.
    """
    vu = SimpleNamespace(appels=0)

    def rendre(document):
        vu.appels += 1
        return Pdf(f"%PDF {document.reference}".encode(), 7)

    monkeypatch.setattr(documents, "rendre", rendre)
    return vu
