"""Accounts of the demonstration: every role, every kind of partner, one password, nobody real."""

import re

import pytest

from reservation.acteur import Role, TypeOrganisation
from reservation.demonstration import (
    COMPTES,
    MOT_DE_PASSE,
    ORGANISATIONS,
    creer_comptes,
    creer_organisations,
    siren_fictif,
)
from reservation.models import Organisation, Utilisateur
from reservation.services.acces import acteur_de


def est_valide(numero: str) -> bool:
    """Luhn's checksum, which a SIREN satisfies."""
    chiffres = [int(c) * (2 if i % 2 else 1) for i, c in enumerate(reversed(numero))]
    return sum(sum(divmod(c, 10)) for c in chiffres) % 10 == 0


@pytest.mark.parametrize("rang", [1, 13, 100, 999])
def test_a_fictitious_siren_is_well_formed_and_out_of_the_usual_series(rang):
    siren = siren_fictif(rang)
    assert re.fullmatch(r"00000\d{4}", siren) and est_valide(siren)
    assert siren[5:8] == f"{rang:03d}"


def test_every_role_and_every_partner_has_an_account():
    types = {o.cle: o.type for o in ORGANISATIONS}
    assert {role for compte in COMPTES for role in compte.roles} == set(Role)
    assert {types[compte.organisation] for compte in COMPTES} == set(TypeOrganisation) - {
        TypeOrganisation.AUTRE_RESERVATAIRE
    }


def test_addresses_lead_nowhere_and_say_demo():
    assert all(compte.courriel.endswith("@demo.example") for compte in COMPTES)
    assert len({compte.courriel for compte in COMPTES}) == len(COMPTES)


def test_each_account_says_what_to_try_first():
    assert all(len(compte.a_essayer) > 30 and compte.a_essayer[-1] == "." for compte in COMPTES)


@pytest.mark.django_db
def test_everything_is_fictitious_and_may_sign_in(client):
    organisations = creer_organisations()
    creer_comptes(organisations)
    creer_comptes(organisations)
    assert not Organisation.objects.filter(fictive=False).exists()
    assert Utilisateur.objects.count() == len(COMPTES)
    for compte in COMPTES:
        personne = Utilisateur.objects.get(courriel=compte.courriel)
        acteur = acteur_de(personne)
        assert acteur.organisation_id == organisations[compte.organisation].pk
        assert acteur.roles == frozenset(compte.roles)
    assert client.login(username="lecteur@demo.example", password=MOT_DE_PASSE)


@pytest.mark.django_db
def test_names_say_that_they_are_not_real():
    for organisation in creer_organisations().values():
        if organisation.type != TypeOrganisation.BAILLEUR:
            assert "(démonstration)" in organisation.nom
