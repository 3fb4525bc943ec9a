"""The cast, and a parc of each bailleur: every status is there once at least."""

import pytest

from reservation.models import Convention, Organisation
from tests.pages_parc.fabriques import logement, poser_parc
from tests.personnages import ANTIBES, SAINT_BRIEUC, distribuer


@pytest.fixture
def cast(db):
    return distribuer()


@pytest.fixture
def parc_a(cast):
    """Fourteen dwellings in the Alpes-Maritimes (ten in the assiette at 2026), one in the Côtes-d'Armor."""
    poser_parc(cast.bailleur_a, 2025, [logement("C1", mode="2"), logement("C2"), logement("V1")])
    lignes = [
        logement("C1"),
        logement("C2", qpv=True, nbpiece=4, typologie="T4"),
        logement("C3", ANTIBES, finan="10", financement="PLAI"),
        logement("C4", ANTIBES, mode="3"),
        logement("AV77", conv="2", finan="52"),
        logement("E1", typeconst="E", programme="RESIDENCE DES ILES"),
        logement("E2", typeconst="E", programme="RESIDENCE DES ILES"),
        logement("E3", typeconst="E"),
        logement("E4", typeconst="E", drapeaux=["ORDINAIRE"]),
        logement("NR", nbpiece=None, typologie="NR", construct=None, periode="NR"),
        logement("F1", drapeaux=["LOGEMENT_FOYER"]),
        logement("PLI", finan="16", financement="PLI"),
        logement("HC", conv="2", finan="13"),
        logement("SORTI", sortie="4", mode="9"),
        logement("BZH", SAINT_BRIEUC),
    ]
    return {x.cle: x for x in poser_parc(cast.bailleur_a, 2026, lignes)}


@pytest.fixture
def parc_b(cast):
    return {x.cle: x for x in poser_parc(cast.bailleur_b, 2026, [logement("B1"), logement("B2")])}


@pytest.fixture
def convention_etat(cast) -> Convention:
    """The État's act with bailleur A for 2026, which takes plans de vente and démolitions out of the assiette."""
    convention = Convention.objects.create(
        bailleur=cast.bailleur_a,
        reservataire=Organisation.objects.get(pk=cast.ddets_06.pk),
        departement_id="06",
        numero="2026-ETAT-A",
        debut="2026-01-01",
        fin="2028-12-31",
        etat=Convention.Etat.SIGNEE,
        signee_le="2025-12-15",
    )
    convention.versions.create(
        bailleur=convention.bailleur,
        reservataire=convention.reservataire,
        departement_id="06",
        effet="2026-01-01",
        signee_le="2025-12-15",
        taux=30,
        exclut_vente_demolition=True,
    )
    return convention
