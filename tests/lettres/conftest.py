"""A bailleur that did not deliver its bilan, a signed act with the State, and somebody who signs for the préfet."""

from datetime import date

import pytest

from bilans.models import Procedure
from bilans.regles.procedures import Acte, Sorte
from bilans.services import procedures
from bilans.services.procedures_situation import Objet
from reservation.acteur import Role
from tests.conventions.fabrique import signee
from tests.personnages import Distribution, distribuer, personne

ANNEE = 2025
ENTETE = {
    "autorite": "Préfet des Alpes-Maritimes",
    "direction": "Direction départementale de l’emploi, du travail et des solidarités\nPôle logement",
    "lieu": "Nice",
    "adresse": "1, rue de l’Exemple\n06000 Nice",
    "appel": "Madame la Directrice générale,",
    "fonction": "la directrice départementale",
    "service": "pôle « gestion en flux »",
    "contact": "04 00 00 00 00",
    "delegation": "arrêté n° 2026-001 du 5 janvier 2026",
    "tribunal": "tribunal administratif de Nice",
}


@pytest.fixture
def cast(db, time_machine) -> Distribution:
    time_machine.move_to("2026-04-07 09:00:00+00:00")
    distribution = distribuer()
    distribution.gens["signataire_ddets_06"] = personne(
        "signature06@etat.example", "Claire Signataire", distribution.ddets_06, Role.SIGNATURE
    )
    return distribution


@pytest.fixture
def procedure(cast) -> Procedure:
    """A breach, whose mise en demeure is decided."""
    signee(cast, cast.ddets_06)
    objet = Objet(Sorte.MANQUEMENT, "06", ANNEE, bailleur=cast.bailleur_a.pk)
    trouvee = procedures.ouvrir(cast.acteur("signataire_ddets_06"), objet)
    procedures.accomplir(cast.acteur("signataire_ddets_06"), trouvee, Acte.METTRE_EN_DEMEURE)
    trouvee.refresh_from_db()
    return trouvee


@pytest.fixture
def jour() -> date:
    return date(2026, 4, 7)
