"""The main menu: each persona is offered rooms that open, a few side by side, many in groups."""

import pytest
from django.urls import resolve

from config.navigation import ENTREES, ENTREES_A_PLAT, menu
from reservation.acteur import Acteur, Role, TypeOrganisation
from tests.acces.matrice import MATRICE, PERSONNAGES
from tests.personnages import distribuer


def acteur(type_: TypeOrganisation, *roles: Role, **champs) -> Acteur:
    return Acteur(1, 1, type_, frozenset(roles or {Role.GESTION}), ("06",), **champs)


def plan(acteur: Acteur, chemin: str = "/") -> dict[str, list[str]]:
    """Item of the bar → its rooms; none for a plain link."""
    return {r.libelle: [lien.libelle for lien in r.liens] for r in menu(acteur, chemin)}


def test_the_ddets_has_one_line_of_groups():
    assert plan(acteur(TypeOrganisation.DDETS, Role.GESTION, Role.ADMINISTRATION)) == {
        "Accueil": [],
        "Parc et conventions": ["Parc", "Conventions"],
        "Libérations et commissions": [
            "Libérations",
            "Orientations",
            "Programmes neufs",
            "À pourvoir",
            "CALEOL",
        ],
        "Publics": ["Labels", "Agents de l’État", "Rapprochements", "Dépôts d’extraits"],
        "Bilans et suivi": [
            "Flux",
            "Simulations",
            "Campagnes",
            "Bilans",
            "Comité de pilotage",
            "Réunions du comité",
            "Bilan régional",
            "Procédures",
            "Lettres",
            "Indicateurs",
            "Refus",
            "Banc d’essai",
        ],
        "Organisation": ["Organisations", "Journal"],
    }


@pytest.mark.parametrize("type_", TypeOrganisation)
@pytest.mark.parametrize("roles", [(Role.LECTURE,), (Role.GESTION, Role.ADMINISTRATION)])
def test_each_room_is_offered_once_and_the_bar_stays_on_one_line(type_, roles):
    qui = acteur(type_, *roles)
    rubriques = menu(qui, "/")
    urls = [lien.url for r in rubriques for lien in r.liens or (r,)]
    assert len(urls) == len(set(urls)) == sum(entree.pour(qui) for entree in ENTREES)
    assert sum(len(r.libelle) + 4 for r in rubriques) <= 120
    if len(urls) <= ENTREES_A_PLAT:
        assert not any(r.liens for r in rubriques)
    assert all(len(r.liens) != 1 for r in rubriques)
    assert len({r.cle for r in rubriques if r.liens}) == sum(bool(r.liens) for r in rubriques)


def test_where_one_is_is_said_on_the_group_and_on_the_room():
    rubriques = menu(acteur(TypeOrganisation.BAILLEUR), "/caleol/12/")
    assert [r.libelle for r in rubriques if r.actif] == ["Libérations et commissions"]
    assert [lien.libelle for r in rubriques for lien in r.liens if lien.actif] == ["CALEOL"]
    assert [r.libelle for r in menu(acteur(TypeOrganisation.BAILLEUR), "/") if r.actif] == ["Accueil"]


def test_nobody_and_the_support():
    assert menu(Acteur(1), "/") == []
    assert list(plan(Acteur(1, support=True))) == ["Accueil", "Journal", "Assistance", "Données communes"]


@pytest.mark.django_db
def test_every_room_offered_opens():
    """Against the access matrix, which tries them all."""
    attendus = {
        ligne.nom: ligne
        for ligne in MATRICE
        if ligne.methode == "GET" and not ligne.args and not ligne.requete and not ligne.entetes
    }
    cast = distribuer()
    for personnage in PERSONNAGES:
        if personnage in cast.gens and personnage != "sans_organisation":
            for rubrique in menu(cast.acteur(personnage), "/"):
                for lien in rubrique.liens or (rubrique,):
                    nom = resolve(lien.url).view_name
                    assert attendus[nom].attendu(personnage) == 200, (personnage, nom)
