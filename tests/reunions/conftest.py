"""A DREAL that manages its meetings, beside the cast; one meeting at the stage that a test needs."""

from datetime import time, timedelta

import pytest
from django.utils import timezone

from bilans.models import Reunion
from bilans.services import reunions
from reservation.acteur import Acteur, Role
from reservation.perimetre import agir
from reservation.services.acces import acteur_de
from tests import proprietes
from tests.personnages import Distribution, distribuer, personne

__all__ = ["proprietes"]


def avec_la_dreal(cast: Distribution) -> Distribution:
    """Adds `gestionnaire_dreal`, who manages; `charge_dreal` only reads."""
    cast.gens["gestionnaire_dreal"] = personne(
        "copil@etat.example", "Gestionnaire DREAL", cast.dreal_paca, Role.GESTION
    )
    return cast


@pytest.fixture
def cast(db) -> Distribution:
    return avec_la_dreal(distribuer())


@pytest.fixture
def dreal(cast) -> Acteur:
    return acteur_de(cast.gestionnaire_dreal)


def preparer(dreal: Acteur, jours: int = 0, **faits) -> Reunion:
    """Of today, with two items, written by the DREAL and by nobody else."""
    with agir(dreal):
        reunion = reunions.preparer(
            dreal,
            **{
                "objet": "Comité de pilotage régional",
                "date": timezone.localdate() + timedelta(days=jours),
                "heure": time(9, 30),
                "heure_fin": time(12),
                "lieu": "DREAL, salle 2",
            }
            | faits,
        )
        reunions.ajouter_point(dreal, reunion, titre="Suivi des objectifs", duree=30)
        reunions.ajouter_point(dreal, reunion, titre="Questions diverses")
    return reunion


def tenir(dreal: Acteur, reunion: Reunion, responsable, *, jours: int = 20) -> Reunion:
    """Opened; one note, one decision, one action of `responsable` under the first item."""
    with agir(dreal):
        reunions.ouvrir(dreal, reunion)
        point = reunion.points.get(rang=1)
        reunions.noter_debats(dreal, point, "Le flux de 2025 est validé.\n\nDeux départements attendent.", 0)
        reunions.noter_decision(dreal, point, "Le comité retient l’objectif de 28,63 points.")
        reunions.noter_action(
            dreal,
            point,
            libelle="Transmettre la liste des programmes 2027",
            responsable=str(responsable.pk),
            echeance=timezone.localdate() + timedelta(days=jours),
        )
        reunion.refresh_from_db()
    return reunion
