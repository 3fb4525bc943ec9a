"""Who reads the 25 % tests as they are, and who reads no count under eleven households (chapter 2)."""

import re

import pytest
from django.urls import reverse

from flux.models import CalculFlux, Nature
from tests.acces.decor import ANNEE

pytestmark = pytest.mark.django_db


def quarts(client, decor, qui: str) -> str:
    client.force_login(decor.cast.gens[qui])
    adresse = reverse("flux:detail", args=[decor.a.bailleur.pk, "06", ANNEE])
    texte = (
        client.get(f"{adresse}?nature=definitif").content.decode().replace("\u202f", "").replace("\xa0", " ")
    )
    return re.search(r"L. 441-1 et L. 313-26-2\) : ([^<]*)", texte)[1]


@pytest.fixture
def ecrire(decor):
    """`ecrire(prioritaires, attributions)`: the figures of ALS in the calculation in force."""
    calcul = CalculFlux.objects.get(
        bailleur=decor.a.bailleur, annee=ANNEE, nature=Nature.DEFINITIF, en_vigueur=True
    )

    def changer(prioritaires, attributions, manque=3):
        for quart in calcul.resultat["quarts"]:
            if quart["reservataire"] == "ALS":
                quart |= {"prioritaires": prioritaires, "attributions": attributions, "manque": manque}
        CalculFlux.objects.filter(pk=calcul.pk).update(resultat=calcul.resultat)

    return changer


@pytest.mark.parametrize("qui", ["gestionnaire_a", "agent_ddets_06", "charge_als"])
def test_the_bailleur_the_state_and_als_read_everything(client, decor, ecrire, qui):
    ecrire(4, 40)
    assert "Action Logement Services 4 / 40, manque 3" in quarts(client, decor, qui)


@pytest.mark.parametrize("qui", ["charge_dreal", "charge_union"])
@pytest.mark.parametrize(
    ("prioritaires", "attributions", "montre"),
    [(10, 40, False), (11, 40, True), (30, 40, False), (29, 40, True)],
)
def test_the_copil_reads_counts_of_eleven_at_least(
    client, decor, ecrire, qui, prioritaires, attributions, montre
):
    """On both sides: with the attributions, what is left over would give a small count back; so would what is missing."""
    ecrire(prioritaires, attributions)
    texte = quarts(client, decor, qui)
    if montre:
        assert f"Action Logement Services {prioritaires} / {attributions}, manque 3" in texte
    else:
        assert "Action Logement Services effectif de moins de 11 ménages, non communiqué / 40" in texte
        assert "manque" not in texte.split(";")[0]


@pytest.mark.parametrize(
    ("qui", "manque", "montre"),
    [("charge_dreal", 10, False), ("charge_dreal", 11, True), ("agent_ddets_06", 3, True)],
)
def test_the_attributions_of_the_state_do_not_give_small_counts_back(client, decor, qui, manque, montre):
    """Less the realised, they are its households that have neither a priority nor a logged reason."""
    calcul = CalculFlux.objects.get(
        bailleur=decor.a.bailleur, annee=ANNEE, nature=Nature.DEFINITIF, en_vigueur=True
    )
    etat = next(ligne for ligne in calcul.resultat["realise"] if ligne["reservataire"] == "ETAT")
    etat |= {"attributions": 4000 + manque, "baux": 5000, "realise": 4000, "echecs": 0}
    calcul.resultat["etat_100"]["manque"] = manque
    CalculFlux.objects.filter(pk=calcul.pk).update(resultat=calcul.resultat)
    client.force_login(decor.cast.gens[qui])
    page = client.get(f"{reverse('flux:detail', args=[calcul.bailleur_id, '06', ANNEE])}?nature=definitif")
    texte = page.content.decode().replace("\u202f", "").replace("\xa0", "")
    assert ">4000<" in texte and (f">{4000 + manque}<" in texte, ">5000<" in texte) == (montre, montre)
