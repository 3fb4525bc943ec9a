"""What this room says to the rooms above it, which it does not know."""

from django.dispatch import Signal

# Labels of these households were granted, ended or corrected, an agent was validated, or what a household asks changed:
# what they decide is computed again. Arguments: menages: set of primary keys; raison: French sentence. Sent inside the transaction of the change.
labels_modifies = Signal()

# Households are all under the current key: rooms above renew the hashes that they keep beside them. Arguments:
# taille_lot: rows a transaction. Sent outside any transaction.
empreintes_renouvelees = Signal()
