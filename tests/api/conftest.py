"""Programs of the decor: one per persona and role of the token, each with its secret."""

import json
from itertools import count

import pytest
from django.test import Client

from reservation.acteur import Acteur
from reservation.services import jetons

SYSTEME = Acteur.du_systeme("essais de l’API")


class Programme:
    """What a bailleur's software does: JSON, a token, a new key for each POST."""

    def __init__(self, jeton, secret: str):
        self.jeton, self.secret = jeton, secret
        self.client = Client()
        self._cles = count(1)

    def client_neuf(self) -> "Programme":
        """The same program from another machine."""
        return Programme(self.jeton, self.secret)

    def entetes(self, **autres: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}", **autres}

    def get(self, chemin: str, **parametres):
        return self.client.get(f"/api/v1/{chemin}", parametres, headers=self.entetes())

    def post(self, chemin: str, corps=None, cle: str | None = None, **entetes):
        donnees = corps if isinstance(corps, str | bytes) else json.dumps(corps if corps is not None else {})
        return self.client.post(
            f"/api/v1/{chemin}",
            donnees,
            content_type=entetes.pop("type_", "application/json"),
            headers=self.entetes(
                **{"Idempotency-Key": cle or f"{self.jeton.pk}-{next(self._cles)}"}, **entetes
            ),
        )


def ouvrir(cast, personnage: str, role: str = "GESTION", organisation=None) -> Programme:
    """A program for a persona, whose secret they drew."""
    acteur = cast.acteur(personnage)
    organisation = organisation or cast.gens[personnage].rattachements.get().organisation
    jeton = jetons.ouvrir_jeton(
        SYSTEME,
        organisation,
        cast.gens[personnage],
        nom=f"essai {personnage}",
        role=role,
        fin=jetons.fin_maximale(),
    )
    secret = jetons.tirer_secret(acteur, jeton)
    jeton.refresh_from_db()
    return Programme(jeton, secret)


@pytest.fixture
def programme(decor):
    """`programme("gestionnaire_a")`: the software that acts for this persona."""
    return lambda personnage, role="GESTION": ouvrir(decor.cast, personnage, role)


@pytest.fixture
def a(programme):
    return programme("gestionnaire_a")
