"""Organisations: who creates which, what looks like a duplicate, names that are kept."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from reservation.acteur import Role, TypeOrganisation
from reservation.models import Departement, EvenementAcces, Organisation, Presence
from reservation.regles.siren import chiffres, cle_juste, siren_de, siren_valide
from reservation.services.acces import acteur_de
from reservation.services.organisations import DoublonsPossibles, creer_organisation, renommer
from tests.personnages import personne

T = TypeOrganisation


@pytest.mark.parametrize("siren", ["000000018", "732829320", "404833048"])
def test_a_right_siren(siren):
    assert siren_valide(siren) and siren_de(siren + "00012") == siren


@pytest.mark.parametrize(
    "siren", ["", "000000000", "732829321", "73282932", "7328293200", "73282932A", "٧٣٢٨٢٩٣٢٠"]
)
def test_a_wrong_siren(siren):
    assert not siren_valide(siren)


def test_one_wrong_digit_is_always_seen():
    juste = "732829320"
    for rang in range(9):
        for chiffre in set("0123456789") - {juste[rang]}:
            assert not cle_juste(juste[:rang] + chiffre + juste[rang + 1 :])


def test_numbers_are_read_as_people_type_them():
    assert chiffres(" 732 829.320\u00a0") == "732829320"


def creer(cast, qui="administrateur_ddets_06", departement="06", **champs) -> Organisation:
    valeurs = {
        "type_organisation": T.BAILLEUR,
        "nom": "Nouveau Toit",
        "siren": "000 000 018",
        "famille": "OPH",
        "departement": Departement.objects.get(pk=departement),
    }
    acteur = cast.acteur(qui) if isinstance(qui, str) else acteur_de(qui)
    return creer_organisation(acteur, **valeurs | champs)


def test_a_bailleur_is_present_where_it_is_created(cast):
    creee = creer(cast)
    assert (creee.siren, creee.departement) == ("000000018", None)
    assert Presence.objects.get(bailleur=creee).departement_id == "06"
    assert creee in Organisation.objects.modifiables_par(cast.acteur("administrateur_ddets_06"))
    assert EvenementAcces.objects.get().nature == EvenementAcces.Nature.CREATION


def test_a_commune_gets_its_territory(cast):
    creee = creer(
        cast, type_organisation=T.COLLECTIVITE, nom="Commune de Nice", siren="", famille="", code="06088"
    )
    assert list(creee.communes.values_list("pk", flat=True)) == ["06088"]
    departement = creer(
        cast, type_organisation=T.COLLECTIVITE, nom="Département", siren="", famille="", code="06"
    )
    assert departement.communes.count() > 100
    assert set(departement.communes.values_list("departement_id", flat=True)) == {"06"}


@pytest.mark.parametrize("code", ["", "22278", "99999", "22", "xx"])
def test_a_commune_of_elsewhere_is_refused(cast, code):
    with pytest.raises(ValidationError) as refus:
        creer(cast, type_organisation=T.COLLECTIVITE, nom="Ailleurs", siren="", famille="", code=code)
    assert "code" in refus.value.message_dict


@pytest.mark.parametrize("siren", ["", "000000019", "12345", "000000000"])
def test_a_bailleur_has_a_right_siren(cast, siren):
    with pytest.raises(ValidationError) as refus:
        creer(cast, siren=siren)
    assert "siren" in refus.value.message_dict


@pytest.mark.parametrize(
    "qui", ["agent_ddets_06", "administrateur_a", "gestionnaire_a", "charge_dreal", "sans_organisation"]
)
def test_others_create_nothing(cast, qui):
    with pytest.raises(PermissionDenied):
        creer(cast, qui)


def test_one_creates_at_home_only(cast):
    with pytest.raises(PermissionDenied, match="périmètre"):
        creer(cast, departement="22")
    with pytest.raises(PermissionDenied, match="type"):
        creer(cast, type_organisation=T.DDETS, nom="DDETS", siren="", famille="")


def test_a_dreal_creates_the_ddets_of_its_region(cast):
    dreal = personne("acces@dreal.example", "Accès DREAL", cast.dreal_paca, Role.ADMINISTRATION)
    creee = creer(cast, dreal, "13", type_organisation=T.DDETS, nom="DDETS 13", siren="", famille="")
    assert creee in Organisation.objects.modifiables_par(acteur_de(dreal))
    with pytest.raises(ValidationError, match="déjà ce service"):
        creer(cast, dreal, "06", type_organisation=T.DDETS, nom="Une autre", siren="", famille="")


@pytest.mark.parametrize("nom", ["Habitat Essai A", "HABITAT ESSAI A", "habitat-éssai a"])
def test_a_name_that_exists_must_be_confirmed(cast, nom):
    with pytest.raises(DoublonsPossibles) as refus:
        creer(cast, nom=nom)
    assert refus.value.organisations == [cast.bailleur_a]
    assert creer(cast, nom=nom, confirmer=True).nom == nom


def test_a_siren_that_exists_is_refused_for_a_bailleur(cast):
    creer(cast)
    with pytest.raises(ValidationError, match="porte déjà ce SIREN"):
        creer(cast, nom="Tout autre nom", confirmer=True)
    with pytest.raises(DoublonsPossibles):
        creer(cast, type_organisation=T.OPERATEUR, nom="Association", famille="")


def test_a_former_name_is_kept_and_found(cast):
    acteur = cast.acteur("administrateur_a")
    renommer(acteur, cast.bailleur_a, nom="Toits Réunis", effet=date(2025, 7, 1))
    cast.bailleur_a.refresh_from_db()
    assert (cast.bailleur_a.nom, cast.bailleur_a.nom_tri) == ("Toits Réunis", "toits reunis")
    assert cast.bailleur_a.nom_au(date(2025, 6, 30)) == "Habitat Essai A"
    assert cast.bailleur_a.nom_au(date(2025, 7, 1)) == "Toits Réunis"
    renommer(acteur, cast.bailleur_a, nom="Encore un autre", effet=date(2026, 1, 1))
    cast.bailleur_a.refresh_from_db()
    assert cast.bailleur_a.nom_au(date(2024, 12, 31)) == "Habitat Essai A"
    assert cast.bailleur_a.nom_au(date(2025, 12, 31)) == "Toits Réunis"
    with pytest.raises(DoublonsPossibles):
        creer(cast, nom="habitat essai a")


def test_names_follow_one_another(cast):
    acteur = cast.acteur("administrateur_a")
    with pytest.raises(ValidationError, match="déjà son nom"):
        renommer(acteur, cast.bailleur_a, nom=" Habitat  Essai A ", effet=date(2025, 1, 1))
    with pytest.raises(ValidationError, match="pris effet"):
        renommer(acteur, cast.bailleur_a, nom="Demain", effet=timezone.localdate() + timedelta(days=1))
    renommer(acteur, cast.bailleur_a, nom="Toits Réunis", effet=date(2025, 7, 1))
    with pytest.raises(ValidationError, match="date du"):
        renommer(acteur, cast.bailleur_a, nom="Avant", effet=date(2025, 7, 1))
    for qui in ("gestionnaire_a", "gestionnaire_b", "agent_ddets_06"):
        with pytest.raises(PermissionDenied):
            renommer(cast.acteur(qui), cast.bailleur_a, nom="Volé", effet=date(2026, 1, 1))
