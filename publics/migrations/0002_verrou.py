"""Row-level security on households, what is entered of them, their labels, and who read them."""

from django.db import migrations

from reservation.verrou import DEPARTEMENT, ORGANISATION, SAISIE, Verrouiller, ou, par, si_ecriture

# Events: written by the trigger of any act, read by the application once the gate of their object is passed.
TRACES = (
    "tracecasecerfa",
    "tracecategorielabel",
    "tracedemandemenage",
    "tracedossieragent",
    "tracegroupedepartement",
    "tracelabellisation",
    "tracemenage",
    "tracemotiflabel",
    "tracenaturepreuve",
    "tracepropositionlabel",
    "tracereglagepriorite",
)
# What is entered of a household by who proposes it, which the State decides.
SAISIES = ("labellisation", "propositionlabel", "dossieragent")


class Migration(migrations.Migration):
    dependencies = [("publics", "0001_initial"), ("flux", "0001_initial"), ("reservation", "0002_verrou")]

    operations = [
        # A bailleur meets a household through its own candidatures; whoever enters something of one reads it.
        Verrouiller(
            "publics_menage",
            ou(
                DEPARTEMENT,
                par("id", "flux_passage", "menage_id"),
                par("id", "flux_attribution", "menage_id"),
                # Proposed for a libération, before any commission.
                par("id", "flux_candidat", "menage_id"),
                *(par("id", f"publics_{table}", "menage_id") for table in SAISIES),
            ),
            si_ecriture(DEPARTEMENT),
        ),
        *(
            Verrouiller(f"publics_{table}", ou(DEPARTEMENT, SAISIE), si_ecriture(DEPARTEMENT, SAISIE))
            for table in SAISIES
        ),
        # What a household asks is read with it.
        Verrouiller(
            "publics_demandemenage",
            ou(DEPARTEMENT, par("menage_id", "publics_menage")),
            si_ecriture(DEPARTEMENT, par("menage_id", "publics_menage")),
        ),
        # Who reads writes that it has read, whatever its role.
        Verrouiller("publics_lecturesensible", ou(ORGANISATION, DEPARTEMENT), ou(ORGANISATION)),
        *(Verrouiller(f"publics_{table}", ou(), si_ecriture(), ajouter="true") for table in TRACES),
    ]
