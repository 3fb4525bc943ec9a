"""Who writes what, closer: a manual label is granted by the DDETS; what is renewed, or answered, is seen by who writes it."""

from django.db import migrations

from reservation.verrou import DDETS_OU_PARTENAIRE, DEPARTEMENT, Rattacher, Restreindre


class Migration(migrations.Migration):
    dependencies = [("publics", "0002_verrou"), ("reservation", "0004_rattachement")]

    operations = [
        Rattacher("publics_labellisation", renouvelle_id="publics_labellisation"),
        Rattacher("publics_propositionlabel", label_id="publics_labellisation"),
        # Partners propose; what they write themselves is the automatic label of a request that they instruct.
        Restreindre("publics_labellisation", "manuel", f"{DEPARTEMENT} OR NOT manuelle"),
        *(
            Restreindre(f"publics_{table}", "prefecture", DDETS_OU_PARTENAIRE)
            for table in ("labellisation", "propositionlabel")
        ),
    ]
