"""Many rows corrected in one statement: right, and never by comparing each with each."""

import json
from datetime import date

import pytest
from django.db import connection

from flux.models import Liberation
from reservation.copie import copier_objets, corriger_objets
from tests.flux.fabriques import liberation
from tests.personnages import distribuer

pytestmark = pytest.mark.django_db
NOMBRE = 3_000


@pytest.fixture
def liberations(db) -> list[Liberation]:
    """Thousands of rows alike, of which the planner has no statistics, as in the transaction that wrote them."""
    modele = liberation(distribuer().bailleur_a, date(2025, 3, 1))
    champs = {
        c.attname: getattr(modele, c.attname) for c in Liberation._meta.concrete_fields if not c.primary_key
    }
    copies = [
        Liberation(**champs | {"cle_logement": f"L-{rang}", "reference": f"R-{rang}"})
        for rang in range(NOMBRE)
    ]
    copier_objets(copies)
    return copies


def test_only_what_changes_is_written(liberations):
    avant = dict(Liberation.objects.values_list("pk", "adresse"))
    lignes = [
        (x.pk, f"{rang} rue des Essais" if rang % 2 else x.adresse) for rang, x in enumerate(liberations)
    ]
    assert corriger_objets(Liberation, ["adresse"], lignes) == NOMBRE // 2
    assert dict(Liberation.objects.values_list("pk", "adresse")) == avant | dict(lignes)
    assert (
        corriger_objets(Liberation, ["adresse"], lignes) == corriger_objets(Liberation, ["adresse"], []) == 0
    )


def test_no_line_is_compared_with_every_other(liberations):
    """Row-level security hides the size of the table from the planner: whatever the join it draws, hashing or loops, the
    buffer is not read again for each row (minutes for a deposit or a reconciliation)."""
    plans = []
    with connection.cursor() as curseur:
        curseur.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")

    def lire_le_plan(executer, sql, parametres, many, contexte):
        if sql.startswith("UPDATE"):
            with connection.cursor() as curseur:
                curseur.execute(f"EXPLAIN (FORMAT JSON) {sql}")
                [(plan,)] = curseur.fetchall()
            plans.append(plan if isinstance(plan, list) else json.loads(plan))
        return executer(sql, parametres, many, contexte)

    with connection.execute_wrapper(lire_le_plan):
        corriger_objets(Liberation, ["adresse"], [(x.pk, "1 rue des Essais") for x in liberations])
    [[plan]] = plans
    assert not _relus(plan["Plan"]), json.dumps(plan, indent=1)


def _relus(noeud: dict, repete: bool = False) -> list[dict]:
    """Scans of the buffer without an index that run again for each row of another table."""
    enfants = noeud.get("Plans", [])
    trouves = [noeud] if repete and noeud["Node Type"] == "Seq Scan" else []
    for rang, enfant in enumerate(enfants):
        interieur = noeud["Node Type"] == "Nested Loop" and rang == 1
        trouves += _relus(enfant, repete or interieur)
    return trouves
