"""Ids of other people's objects in bodies, query strings and choices: refused, without a word about what they name."""

import pytest
from django.urls import reverse

from flux.models import CalculAFaire, Liberation, Recalcul
from reservation.models import Convention
from tests.acces.decor import ANNEE, CANARI

pytestmark = pytest.mark.django_db

LISTES = (
    "flux:liberations",
    "flux:liste",
    "reservation:parc",
    "reservation:imports",
    "reservation:conventions",
    "bilans:liste",
)


@pytest.mark.parametrize("nom", LISTES)
def test_filters_offer_and_find_nothing_of_strangers(decor, en_tant_que, nom):
    """A foreign id in a filter neither finds a row nor appears among the choices."""
    b = decor.b
    parametres = {
        "bailleur": b.bailleur.pk,
        "reservataire": decor.cast.autre_caf.pk,
        "departement": "06",
        "commune": "06029",
        "q": CANARI,
    }
    for personnage in ("gestionnaire_a", "agent_caf", "operateur"):
        reponse = en_tant_que(personnage).get(reverse(nom), parametres)
        assert reponse.status_code in (200, 404)
        contenu = reponse.content.decode()
        assert b.import_rpls.nom_fichier not in contenu
        assert b.bailleur.nom not in contenu


def test_a_liberation_is_not_oriented_to_somebody_without_act(decor, en_tant_que):
    a = decor.a.liberation_libre
    adresse = reverse("flux:liberation_acte", args=[a.pk, "orienter"])
    for etranger in (decor.b.bailleur, decor.cast.ddets_22, decor.cast.autre_caf):
        reponse = en_tant_que("gestionnaire_a").post(
            adresse, {"reservataire": etranger.pk, "date": f"{ANNEE}-04-02"}
        )
        assert reponse.status_code == 422
    a.refresh_from_db()
    assert a.reservataire is None


def test_a_liberation_is_declared_from_ones_own_parc_only(decor, en_tant_que):
    reponse = en_tant_que("gestionnaire_a").post(
        reverse("flux:liberation_creer"),
        {"reference": decor.b.logement.ident_int, "date": f"{ANNEE}-05-01", "usage": "FLUX"},
    )
    assert "n’est pas dans votre parc" in reponse.content.decode()
    assert not Liberation.objects.filter(date=f"{ANNEE}-05-01").exists()


@pytest.mark.parametrize("personnage", ["gestionnaire_a", "agent_ddets_22"])
def test_a_convention_is_made_between_ones_own_parties(decor, en_tant_que, personnage):
    """A names B as the bailleur: the act is A's or nobody's; the DDETS 22 names a bailleur that is not in its département."""
    avant = Convention.objects.filter(bailleur=decor.b.bailleur).count()
    en_tant_que(personnage).post(
        reverse("reservation:convention_creer") + "?departement=22",
        {
            "bailleur": decor.b.bailleur.pk,
            "reservataire": decor.cast.als.pk,
            "nature": "CONVENTION",
            "modele": "LIBRE",
            "numero": "attaque",
            "debut": f"{ANNEE}-01-01",
            "fin": f"{ANNEE}-12-31",
        },
    )
    assert Convention.objects.filter(bailleur=decor.b.bailleur).count() == avant


def test_a_convention_is_not_made_in_another_departement(decor, en_tant_que):
    adresse = reverse("reservation:convention_creer")
    assert en_tant_que("agent_ddets_22").get(f"{adresse}?departement=06").status_code == 404
    assert en_tant_que("gestionnaire_b").get(f"{adresse}?departement=22").status_code == 404


def test_a_recalcul_never_reaches_beyond_ones_perimeter(decor, en_tant_que):
    CalculAFaire.objects.all().delete()
    corps = {"annee": str(ANNEE), "departements": "06", "bailleur": decor.b.bailleur.pk}
    reponse = en_tant_que("agent_ddets_22").post(reverse("flux:recalculer_tout"), corps)
    assert reponse.status_code == 302
    assert Recalcul.objects.latest("pk").departements == ["22"]
    assert set(CalculAFaire.objects.values_list("departement", flat=True)) == {"22"}


def test_another_bailleur_is_no_parc_of_the_query_string(decor, en_tant_que):
    client = en_tant_que("gestionnaire_a")
    for nom, args in (("logements", []), ("logements_export", ["csv"]), ("logements_export", ["xlsx"])):
        adresse = reverse(f"reservation:{nom}", args=args)
        assert client.get(adresse, {"bailleur": decor.b.bailleur.pk, "departement": "06"}).status_code == 404


def test_reservataires_read_their_own_share_only(decor, en_tant_que):
    """The flux of A is read by the commune of Cannes; the shares of ALS and of the État are not its own."""
    a = decor.a
    adresse = reverse("flux:detail", args=[a.bailleur.pk, "06", ANNEE])
    contenu = en_tant_que("agent_cannes").get(adresse).content.decode()
    assert a.convention_als.numero not in contenu
    assert a.convention_etat.numero not in contenu
    assert f"dérogation-{a.bailleur}" not in contenu
