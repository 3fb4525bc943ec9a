"""Keys of the numéros uniques: hashed under one, found again under the next, rotated without any number."""

import io
import json

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from publics.models import Menage
from publics.services.menages import (
    CLES_MAX,
    empreinte_cle,
    empreinte_numero,
    formes_du_numero,
    lire_etat_des_cles,
    renouveler_les_empreintes,
    retrouver_menage,
    surhacher,
)
from reservation.acteur import Acteur, TypeOrganisation

SYSTEME = Acteur.du_systeme("essai")
NUMERO = "0061125DEMO0000042"
CLES = ["première clé", "deuxième clé", "troisième clé"]

numeros = st.text("0123456789ABCDEMO", min_size=18, max_size=18)
cles = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=CLES_MAX, unique=True)


@given(numeros, cles, st.data())
def test_whatever_the_rotations_a_number_is_found_again(numero, cles, data):
    """A hash made under one key, then wrapped by any of the later ones in order, is among the forms looked for."""
    depart = data.draw(st.integers(0, len(cles) - 1))
    tours = [i for i in range(depart + 1, len(cles)) if data.draw(st.booleans())]
    empreinte = empreinte_numero(numero, cles[depart])
    for rang in tours:
        empreinte = surhacher(empreinte, cles[rang])
    formes = formes_du_numero(numero, cles)
    assert formes[empreinte].split(".") == [empreinte_cle(cles[i]) for i in (depart, *tours)]
    assert next(iter(formes)) == empreinte_numero(numero, cles[-1])
    assert len(formes) == 2 ** len(cles) - 1


@given(numeros, numeros, cles)
def test_two_numbers_share_no_form(un, autre, cles):
    communes = set(formes_du_numero(un, cles)) & set(formes_du_numero(autre, cles))
    assert bool(communes) == (un == autre)


@given(st.text(min_size=1, max_size=60), numeros)
def test_the_name_of_a_key_is_no_hash_of_a_number(cle, numero):
    assert len(empreinte_cle(cle)) == 8
    assert not empreinte_numero(numero, cle).startswith(empreinte_cle(cle))


@pytest.fixture
def tourner(settings):
    """`tourner(n)`: the n-th key becomes the site's, the ones before are the old ones."""

    def changer(rang: int) -> None:
        settings.CLE_NUMERO_UNIQUE = CLES[rang]
        settings.CLES_NUMERO_UNIQUE_ANCIENNES = CLES[:rang][::-1]

    changer(0)
    return changer


@pytest.mark.django_db
def test_a_number_met_again_is_rewritten_under_the_current_key(tourner):
    menage = retrouver_menage(NUMERO, "06")
    tourner(1)
    assert retrouver_menage(f" {NUMERO.lower()} ", "06").pk == menage.pk
    menage.refresh_from_db()
    assert (menage.numero_hache, menage.cle_numero) == (
        empreinte_numero(NUMERO, CLES[1]),
        empreinte_cle(CLES[1]),
    )


@pytest.mark.django_db
def test_rotations_without_the_number_lose_nobody(tourner):
    numeros = [f"{NUMERO[:-2]}{n:02d}" for n in range(7)]
    menages = [retrouver_menage(numero, "06").pk for numero in numeros]
    tourner(1)
    retrouver_menage(numeros[0], "06")
    avant = set(Menage.objects.values_list("numero_hache", flat=True))
    assert renouveler_les_empreintes(SYSTEME, taille_lot=2) == 6
    assert renouveler_les_empreintes(SYSTEME, taille_lot=2) == 0
    apres = set(Menage.objects.values_list("numero_hache", flat=True))
    assert len(avant & apres) == 1  # the one that was met
    tourner(2)
    assert renouveler_les_empreintes(SYSTEME, taille_lot=3) == 7
    etat = lire_etat_des_cles()
    assert (etat.total, etat.proteges, etat.a_renouveler, etat.illisibles) == (7, 7, 0, 0)
    assert etat.retirables == ()
    assert [retrouver_menage(numero, "06").pk for numero in numeros] == menages
    etat = lire_etat_des_cles()
    assert (etat.a_jour, etat.proteges, etat.retirables) == (7, 0, (1, 2))


@pytest.mark.django_db
def test_what_cannot_be_renewed_is_left_and_said(tourner):
    retrouver_menage(NUMERO, "06")
    inconnu = Menage.objects.create(departement_id="06", numero_hache="a" * 64, numero_fin="AAAA")
    absente = Menage.objects.create(
        departement_id="06", numero_hache="b" * 64, numero_fin="BBBB", cle_numero="00000000"
    )
    plein = Menage.objects.create(
        departement_id="06", numero_hache="c" * 64, numero_fin="CCCC", cle_numero=".".join(["11111111"] * 5)
    )
    tourner(1)
    assert renouveler_les_empreintes(SYSTEME) == 2
    for menage, hache in ((inconnu, "a" * 64), (plein, "c" * 64)):
        menage.refresh_from_db()
        assert menage.numero_hache == hache
    absente.refresh_from_db()
    assert absente.numero_hache == surhacher("b" * 64, CLES[1])
    etat = lire_etat_des_cles()
    assert (etat.inconnus, etat.pleins, etat.proteges, etat.illisibles) == (1, 1, 2, 2)


@pytest.mark.django_db
def test_only_the_command_rotates(cast):
    with pytest.raises(PermissionDenied):
        renouveler_les_empreintes(cast.acteur("agent_ddets_06"))
    with pytest.raises(PermissionDenied):
        renouveler_les_empreintes(Acteur(type_organisation=TypeOrganisation.DDETS))


def jouer(*arguments) -> str:
    sortie = io.StringIO()
    call_command("renouveler_cle_numero_unique", *arguments, stdout=sortie)
    return sortie.getvalue()


@pytest.mark.django_db
def test_command_is_dry_then_writes(tourner):
    menage = retrouver_menage(NUMERO, "06")
    tourner(1)
    assert "Rien n’est écrit" in jouer()
    assert json.loads(jouer("--json"))["a_renouveler"] == 1
    assert Menage.objects.get(pk=menage.pk).numero_hache == menage.numero_hache
    assert "1 empreinte renouvelée" in jouer("--appliquer")
    assert json.loads(jouer("--json", "--appliquer")) | {"par_cles": {}, "actuelle": ""} == {
        "actuelle": "",
        "par_cles": {},
        "a_jour": 0,
        "proteges": 1,
        "a_renouveler": 0,
        "inconnus": 0,
        "pleins": 0,
        "illisibles": 0,
        "effaces": 0,
        "retirables": [],
        "total": 1,
        "renouveles": 0,
    }
    assert CLES[1] not in jouer() and NUMERO not in jouer()
