"""Projected soustractions: declared by the bailleur, within what the acts deduct, never more than is freed."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from flux.models import CalculAFaire, CalculFlux, Nature, SoustractionPrevisionnelle
from flux.services.calculs import calculer
from flux.services.file_de_calcul import traiter
from flux.services.soustractions import categories_deduites, declarer_soustractions
from reservation.acteur import Acteur
from tests.flux.fabriques import ANNEE, actes_paca, parc

SYSTEME = Acteur.du_systeme("essai")


@pytest.fixture
def cast(cast):
    actes_paca(cast)
    parc(cast.bailleur_a)
    calculer(cast.bailleur_a.pk, "06", ANNEE, Nature.PREVISIONNEL, "premier")
    return cast


def declarer(cast, nombres, acteur=SYSTEME) -> bool:
    return declarer_soustractions(acteur, cast.bailleur_a, "06", ANNEE, nombres)


def test_declared_then_corrected(cast):
    assert declarer(cast, {"MUTATION": 12, "RU": 0})
    traiter("06", ANNEE)
    calcul = CalculFlux.objects.en_vigueur().get(nature="PREVISIONNEL")
    assert (calcul.version, calcul.soustractions, calcul.flux) == (2, 12, 73)
    assert calcul.raison.endswith("mutations dans le parc du bailleur, 12")
    assert declarer(cast, {"MUTATION": 10, "VENTE": 3})
    traiter("06", ANNEE)
    calcul = CalculFlux.objects.en_vigueur().get(nature="PREVISIONNEL")
    assert (calcul.version, calcul.soustractions) == (3, 13)
    assert "12 puis 10" in calcul.raison and "opération de vente, 3" in calcul.raison


def test_same_numbers_ask_for_nothing(cast):
    declarer(cast, {"MUTATION": 12})
    CalculAFaire.objects.all().delete()
    assert declarer(cast, {"MUTATION": 12, "RU": 0}) is False
    assert not CalculAFaire.objects.exists()


def test_only_what_the_acts_deduct(cast):
    assert [c.value for c in categories_deduites(cast.bailleur_a.pk, "06", ANNEE)] == [
        "MUTATION",
        "RU",
        "ORCOD",
        "INSALUBRITE",
        "VENTE",
    ]
    with pytest.raises(ValidationError, match="ne soustrait pas.*URGENCE_PREFECTORALE"):
        declarer(cast, {"URGENCE_PREFECTORALE": 1})


def test_more_than_the_liberations_is_refused_in_the_words_of_the_page(cast):
    assert declarer(cast, {"MUTATION": 85})
    with pytest.raises(ValidationError, match="86 soustractions pour 85 libérations"):
        declarer(cast, {"RU": 1})
    assert SoustractionPrevisionnelle.objects.get().nombre == 85


def test_where_the_bailleur_is_not(cast):
    with pytest.raises(ValidationError, match="n’est pas présent dans ce département"):
        declarer_soustractions(SYSTEME, cast.bailleur_a, "83", ANNEE, {"RU": 1})


def test_who_may_declare(cast):
    for rang, nom in enumerate(("gestionnaire_a", "signataire_a"), 1):
        assert declarer(cast, {"RU": rang}, cast.acteur(nom))
    for nom in (
        "lecteur_a",
        "administrateur_a",
        "gestionnaire_b",
        "agent_ddets_06",
        "agent_sgc_06",
        "charge_als",
        "agent_cannes",
        "charge_dreal",
        "sans_organisation",
    ):
        with pytest.raises(PermissionDenied):
            declarer(cast, {"RU": 9}, cast.acteur(nom))
    ligne = SoustractionPrevisionnelle.objects.get()
    assert (ligne.nombre, ligne.saisi_par) == (2, cast.signataire_a)
    assert ligne.saisi_le.date() >= date(2024, 1, 1)
