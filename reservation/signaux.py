"""What the ground floor says to the rooms above it, which it does not know."""

from django.dispatch import Signal

# Something that the yearly calculation reads has changed (parc, flags, conventions).
# Arguments: paires: set of (bailleur_id, departement code); annee: civil year from which it matters, or None
# for every open year; raison: French sentence shown in the history of the calculations.
# Sent inside the transaction of the change: receivers write rows, they start no work before the commit.
entrees_modifiees = Signal()

# Two bailleurs are about to merge, or do. Arguments: absorbe, absorbant: organisations; effet: first day.
# Receivers of the first answer ({what follows: how many}, [obstacles in French]) and write nothing; those of the
# second move their rows, inside the transaction.
# Arguments: `utilisateur`, who followed a link that only the owner of its address could read.
adresse_prouvee = Signal()

fusion_a_preparer = Signal()
bailleurs_fusionnes = Signal()
