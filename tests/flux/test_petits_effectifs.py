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
