"""Many models, or many triggers, in one migration operation.

After each operation Django renders again the models that the changed one is related to, nearly all of them here: with a
hundred and fifty tables and their triggers, an empty database took more than a minute to migrate, most of it there.
"""

from collections.abc import Sequence

from django.db.migrations.operations.base import Operation
from pgtrigger.compiler import Trigger
from pgtrigger.migrations import AddTrigger

# SQLSTATE of a refusal whose message is a sentence for its reader (`config.postgresql.refus`).
REFUS = "RF001"


class CreerModeles(Operation):
    """Create the models of `creations`, in order; what follows them (a field that closes a circle) goes with them."""

    reversible = True

    def __init__(self, creations: Sequence[Operation]):
        self.creations = creations

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)  # rendered when next asked for, once
        for creation in self.creations:
            creation.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for creation in self.creations:
            creation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for creation in reversed(self.creations):
            creation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self):
        return f"Create {len(self.creations)} models"


class Declencher(Operation):
    """Create `declencheurs`: (name of a model, its trigger), in order."""

    reversible = True

    def __init__(self, declencheurs: Sequence[tuple[str, Trigger]]):
        self.declencheurs = declencheurs

    def state_forwards(self, app_label, state):
        for modele, declencheur in self.declencheurs:
            options = state.models[app_label, modele].options
            options["triggers"] = [*options.get("triggers", []), declencheur]
        state.reload_models([(app_label, modele) for modele in dict(self.declencheurs)])

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for ajout in self._ajouts():
            ajout.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for ajout in self._ajouts():
            ajout.database_backwards(app_label, schema_editor, to_state, from_state)

    def _ajouts(self) -> list[AddTrigger]:
        return [AddTrigger(modele, declencheur) for modele, declencheur in self.declencheurs]

    def describe(self):
        return f"Create {len(self.declencheurs)} triggers"
