"""Demonstration data never join real ones."""

import pytest
from django.core.management import CommandError, call_command

from reservation.models import Organisation, Utilisateur


@pytest.mark.django_db
def test_a_database_with_a_real_organisation_is_refused():
    Organisation.objects.create(type="ACTION_LOGEMENT", nom="Action Logement Services")
    with pytest.raises(CommandError, match="1 organisation réelle"):
        call_command("peupler", echelle="essai")
    assert not Utilisateur.objects.exists()
