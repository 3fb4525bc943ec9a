"""Settings of a département: shipped models, preview, dated; the past is never written again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from publics.models import GroupeDepartement, ReglagePriorite
from publics.services import reglages
from reservation.models import Departement

pytestmark = pytest.mark.django_db


@pytest.fixture
def ici(cast):
    return Departement.objects.get(pk="06")


def test_a_model_is_previewed_then_dated_and_the_past_stays(cast, ici):
    jour, acteur = timezone.localdate(), cast.acteur("agent_ddets_06")
    effet = jour + timedelta(days=10)
    avant = reglages.reglage_le("06", jour)
    paca = reglages.modeles()["PACA"].reglage
    apercu = reglages.comparer(avant, paca)
    assert {"Ordre"} < {c.quoi for c in apercu}
    assert GroupeDepartement.objects.count() == 0
    assert reglages.appliquer(acteur, ici, paca, effet) == apercu
    assert reglages.reglage_le("06", effet - timedelta(days=1)) == avant
    assert reglages.reglage_le("06", effet) == replace(paca, debut=effet)
    assert reglages.reglage_le("22", effet).groupes == avant.groupes
    armor = reglages.modeles()["COTES_D_ARMOR"].reglage
    plus_tard = effet + timedelta(days=1)
    reglages.appliquer(acteur, ici, armor, plus_tard)
    reglages.appliquer(acteur, ici, paca, plus_tard + timedelta(days=1))
    assert reglages.reglage_le("06", plus_tard).cases == armor.cases
    assert reglages.reglage_le("06", plus_tard + timedelta(days=1)).cases == {}
    reglages.abandonner(acteur, ReglagePriorite.objects.get(debut=plus_tard))
    assert reglages.reglage_le("06", plus_tard) == replace(paca, debut=effet)


def test_what_is_refused(cast, ici):
    jour, acteur = timezone.localdate(), cast.acteur("agent_ddets_06")
    paca = reglages.modeles()["PACA"].reglage
    for debut in (jour, jour - timedelta(days=1)):
        with pytest.raises(ValidationError, match="ne récrit pas le passé"):
            reglages.appliquer(acteur, ici, paca, debut)
    demain = jour + timedelta(days=1)
    for fautif in (
        replace(paca, groupes={"DALO": 1}),
        replace(paca, groupes=dict(paca.groupes) | {"DALO": 4}),
        replace(paca, criteres=()),
        replace(paca, criteres=("GROUPE", "GROUPE")),
        replace(paca, criteres=("REVENU",)),
        replace(paca, cases={"F1": "RIEN"}),
    ):
        with pytest.raises(ValidationError):
            reglages.appliquer(acteur, ici, fautif, demain)
    for qui in ("lecteur_ddets_06", "agent_ddets_22", "agent_sgc_06", "gestionnaire_a"):
        with pytest.raises(PermissionDenied):
            reglages.appliquer(cast.acteur(qui), ici, paca, demain)
    assert not ReglagePriorite.objects.exists()
