import pytest

from reservation.acteur import Role
from reservation.models import Utilisateur
from tests.personnages import MOT_DE_PASSE, Distribution, distribuer, personne


def completer(cast: Distribution) -> Distribution:
    """The cast, with more people at bailleur A's and at ALS, and the support."""
    cast.gens["autre_gestionnaire_a"] = personne(
        "autre@a.example", "Deuxième gestionnaire A", cast.bailleur_a, Role.GESTION
    )
    cast.gens["administrateur_als"] = personne(
        "administration@als.example", "Administrateur ALS", cast.als, Role.ADMINISTRATION
    )
    for nom, courriel in (("support", "aide@site.example"), ("autre_support", "aide2@site.example")):
        cast.gens[nom] = Utilisateur.objects.create_user(courriel, MOT_DE_PASSE, nom=nom, is_staff=True)
    return cast


@pytest.fixture
def cast(db) -> Distribution:
    return completer(distribuer())


@pytest.fixture
def entrer(client):
    """`entrer(person)`: the test client, signed in as them."""

    def ouvrir(utilisateur, neuf: bool = False):
        navigateur = type(client)() if neuf else client
        navigateur.force_login(utilisateur)
        return navigateur

    return ouvrir
