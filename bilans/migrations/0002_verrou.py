"""Row-level security on bilans and their life, projections, reminders, debts, procedures, letters, and the requests for them."""

from django.db import migrations

from reservation.verrou import (
    BAILLEUR,
    COPIL,
    DEMANDEUR,
    DEPARTEMENT,
    DEPARTEMENTS,
    ORGANISATION,
    POUR_SOI,
    RESERVATAIRE,
    Verrouiller,
    ou,
    par,
    si_ecriture,
)

BAILLEUR_ET_ETAT = si_ecriture(BAILLEUR, DEPARTEMENT)

# Who a procedure is about, and the State.
PARTIES = f"({BAILLEUR} OR {DEPARTEMENT} OR {RESERVATAIRE})"
# What a party writes is its own until it signs it.
ECRIT = f"{PARTIES} AND (signature_id IS NOT NULL OR {ORGANISATION})"
SIEN = f"{PARTIES} AND {ORGANISATION}"
# The addressee reads what was sent to it, from the day it was sent.
ENVOYEE = f"envoyee_le IS NOT NULL AND ({BAILLEUR} OR {RESERVATAIRE})"

# Events: written by the trigger of any act, read by the application once the gate of their object is passed.
TRACES = (
    "tracebilan",
    "traceecheancecampagne",
    "tracelettre",
    "traceparticipantprocedure",
    "tracepartconvenue",
    "traceprocedure",
)


class Migration(migrations.Migration):
    dependencies = [("bilans", "0001_initial"), ("flux", "0002_verrou"), ("reservation", "0002_verrou")]

    operations = [
        *(
            Verrouiller(f"bilans_{table}", ou(BAILLEUR, DEPARTEMENT), BAILLEUR_ET_ETAT)
            for table in ("bilan", "documentbilan", "etapebilan", "accusebilan")
        ),
        # A réservataire reads its own version; the application writes them all, once the bailleur has signed.
        Verrouiller("bilans_versionreservataire", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), si_ecriture()),
        Verrouiller("bilans_productionbilan", ou(BAILLEUR, DEPARTEMENT, DEMANDEUR), BAILLEUR_ET_ETAT),
        Verrouiller("bilans_lotbilans", ou(DEMANDEUR, DEPARTEMENTS), si_ecriture(DEMANDEUR)),
        Verrouiller(
            "bilans_envoiprojection",
            ou(BAILLEUR, DEPARTEMENT, par("id", "bilans_remiseprojection", "envoi_id")),
            si_ecriture(BAILLEUR),
        ),
        Verrouiller(
            "bilans_remiseprojection", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), si_ecriture(BAILLEUR, POUR_SOI)
        ),
        Verrouiller(
            "bilans_partconvenue", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), si_ecriture(BAILLEUR, RESERVATAIRE)
        ),
        # Reminders are written by the application alone.
        Verrouiller("bilans_rappel", ou(DEPARTEMENT, ORGANISATION), si_ecriture()),
        Verrouiller(
            "bilans_ecritureregistre", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), si_ecriture(DEPARTEMENT)
        ),
        Verrouiller("bilans_pointetape", ou(BAILLEUR, DEPARTEMENT), si_ecriture(BAILLEUR)),
        # The COPIL reads nothing else of a bilan; the application writes it when the DDETS validates.
        Verrouiller("bilans_versioncopil", ou(BAILLEUR, DEPARTEMENT, COPIL), si_ecriture()),
        Verrouiller(
            "bilans_procedure", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE, COPIL), si_ecriture(DEPARTEMENT)
        ),
        Verrouiller("bilans_etapeprocedure", ou(PARTIES), si_ecriture(DEPARTEMENT)),
        *(
            Verrouiller(f"bilans_{table}", ou(PARTIES), si_ecriture(SIEN))
            for table in ("participantprocedure", "signatureprocedure")
        ),
        *(
            Verrouiller(f"bilans_{table}", ou(ECRIT), si_ecriture(SIEN))
            for table in ("paragrapheprocedure", "pieceprocedure")
        ),
        Verrouiller(
            "bilans_attributionduprefet", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), si_ecriture(DEPARTEMENT)
        ),
        *(
            Verrouiller(f"bilans_{table}", ou(DEPARTEMENT), si_ecriture(DEPARTEMENT))
            for table in ("gabaritlettre", "dossiercontrole")
        ),
        Verrouiller("bilans_lettre", ou(DEPARTEMENT, ENVOYEE), si_ecriture(DEPARTEMENT)),
        Verrouiller(
            "bilans_etapelettre",
            ou(par("lettre_id", "bilans_lettre")),
            si_ecriture(par("lettre_id", "bilans_lettre", condition=f"parent.{DEPARTEMENT}")),
        ),
        *(Verrouiller(f"bilans_{table}", ou(), si_ecriture(), ajouter="true") for table in TRACES),
    ]
