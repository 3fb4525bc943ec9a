"""Every table is followed or says why it is not; what is followed exists in the database as it is declared."""

import pytest
from django.apps import apps
from django.db import connection

from reservation.traces import EXEMPTS, SUIVIS, modeles_de_trace
from tests.coherence.outils import ROOMS


def tables() -> set[str]:
    """Our tables, those that join two others included, the event tables themselves left out."""
    evenements = set(modeles_de_trace().values())
    return {
        f"{modele._meta.app_label}.{modele.__name__}"
        for modele in apps.get_models(include_auto_created=True)
        if modele._meta.app_label in ROOMS and modele not in evenements
    }


def test_every_table_is_followed_or_exempt_with_a_reason():
    assert tables() == SUIVIS.keys() | EXEMPTS.keys()
    assert not SUIVIS.keys() & EXEMPTS.keys()
    assert all(len(raison) > 5 for raison in EXEMPTS.values())


def test_columns_left_out_and_masks_exist():
    for nom, suivi in SUIVIS.items():
        champs = {champ.name for champ in apps.get_model(nom)._meta.concrete_fields}
        assert {*suivi.sauf, *suivi.masques} <= champs, nom


def test_no_secret_is_kept():
    gardes = {champ.name for modele in modeles_de_trace().values() for champ in modele._meta.concrete_fields}
    assert not gardes & {"password", "last_login"}


@pytest.mark.django_db
def test_every_followed_table_has_its_triggers():
    """Insert, update and delete on the table; the journal and the protection on its events.

    Triggers that are not of the traces say so by their name (`flux.models.contingents`, `flux.models.gels`,
    `bilans.models.procedures`).
    """
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT c.relname, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname LIKE 'pgtrigger_%%' AND t.tgname NOT LIKE 'pgtrigger_contingent_%%' "
            "AND t.tgname NOT LIKE 'pgtrigger_gel_%%' AND t.tgname NOT LIKE 'pgtrigger_procedure_%%' GROUP BY 1"
        )
        poses = dict(curseur.fetchall())
    for modele in modeles_de_trace().values():
        assert poses[modele.pgh_tracked_model._meta.db_table] == 3, modele
        assert poses[modele._meta.db_table] == 2, modele
