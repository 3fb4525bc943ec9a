"""Row-level security on libérations, what follows them, commissions, deposits, and the calculations."""

from django.db import migrations

from reservation.verrou import (
    BAILLEUR,
    COPIL,
    DEMANDEUR,
    DEPARTEMENT,
    DEPARTEMENTS,
    ORGANISATION,
    POUR_SOI,
    PROPRIETAIRE,
    RESERVATAIRE,
    Verrouiller,
    ou,
    par,
    si_ecriture,
)

DU_BAILLEUR = si_ecriture(BAILLEUR)
A_SOI = f"utilisateur_id = (SELECT nullif(current_setting('app.utilisateur', true), ''))::bigint AND {ORGANISATION}"

# A réservataire reads, of a reconciliation, the lines of its own contingent and their gaps (chapter 2). The policies of
# the line apply in the sub-queries: that of its attribution too, which is the réservataire's to read. The values of the
# gap MOTIF are the grounds of a label.
RAPPROCHEMENTS = {
    "rapprochement": (par("id", "flux_lignerapprochement", "rapprochement_id", RESERVATAIRE),),
    "lignerapprochement": (
        f"{RESERVATAIRE} AND (attribution_id IS NULL OR "
        f"{par('attribution_id', 'flux_attribution', 'id', RESERVATAIRE)})",
    ),
    "ecartrapprochement": (
        f"nature <> 'MOTIF' AND {par('ligne_id', 'flux_lignerapprochement', 'id', RESERVATAIRE)}",
    ),
    "evenementecart": (),
    "correctionrapprochement": (),
}

# Events: written by the trigger of any act, read by the application once the gate of their object is passed.
TRACES = (
    "traceabonnementagenda",
    "traceassietteconvenue",
    "traceattribution",
    "tracecandidat",
    "tracecodemotif",
    "tracecommission",
    "traceconsultation",
    "tracedecisionagent",
    "tracedepot",
    "tracedesignation",
    "traceexceptionlabel",
    "traceliberation",
    "traceligneordredujour",
    "tracelogementdeprogramme",
    "tracemotifrefus",
    "tracepassage",
    "traceprogramme",
    "tracereportobjectif",
    "tracesoustractionprevisionnelle",
)


class Migration(migrations.Migration):
    dependencies = [("flux", "0001_initial"), ("publics", "0002_verrou"), ("reservation", "0002_verrou")]

    operations = [
        # What is the bailleur's, read by whose contingent it is. The préfet's urgent designation is written by the
        # application, once the right of the DDETS is checked.
        *(
            Verrouiller(f"flux_{table}", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), DU_BAILLEUR)
            for table in ("liberation", "passage", "attribution", "reprisepouruntour")
        ),
        # Imputations and the queue are written by the application alone.
        Verrouiller("flux_imputation", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), si_ecriture()),
        Verrouiller("flux_calculafaire", ou(BAILLEUR, DEPARTEMENT), si_ecriture()),
        Verrouiller(
            "flux_attribution_labels_admis",
            ou(par("attribution_id", "flux_attribution")),
            si_ecriture(par("attribution_id", "flux_attribution")),
        ),
        Verrouiller("flux_soustractionprevisionnelle", ou(BAILLEUR, DEPARTEMENT), DU_BAILLEUR),
        # Who reads a passage reads the commission that decided it.
        Verrouiller(
            "flux_commission",
            ou(BAILLEUR, DEPARTEMENT, par("id", "flux_passage", "commission_id")),
            DU_BAILLEUR,
        ),
        # What an objective inherits comes from the ledger of debts, which the application alone copies here.
        Verrouiller("flux_reportobjectif", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE, COPIL), si_ecriture()),
        # Years closed by their bilan: its acts alone say so.
        Verrouiller("flux_gelexercice", ou(BAILLEUR, DEPARTEMENT), si_ecriture()),
        # Calculations are written by the job alone.
        Verrouiller(
            "flux_calculflux",
            ou(BAILLEUR, DEPARTEMENT, COPIL, par("id", "flux_partflux", "calcul_id", RESERVATAIRE)),
            si_ecriture(),
        ),
        Verrouiller("flux_partflux", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE, COPIL), si_ecriture()),
        Verrouiller("flux_recalcul", ou(BAILLEUR, DEMANDEUR, DEPARTEMENTS), si_ecriture(BAILLEUR, DEMANDEUR)),
        Verrouiller(
            "flux_etaperecalcul",
            ou(par("recalcul_id", "flux_recalcul")),
            si_ecriture(par("recalcul_id", "flux_recalcul")),
        ),
        # Commissions and the choice of a réservataire: read by the State, written by the bailleur.
        *(
            Verrouiller(f"flux_{table}", ou(BAILLEUR, DEPARTEMENT), DU_BAILLEUR)
            for table in ("ligneordredujour", "evenementcommission", "convocation", "procesverbal")
        ),
        *(
            Verrouiller(f"flux_{table}", ou(BAILLEUR, DEPARTEMENT), DU_BAILLEUR)
            for table in ("confirmation", "orientation", "logementdeprogramme")
        ),
        # A réservataire reads the line on which it was consulted, and the programme of that line; it writes neither.
        Verrouiller("flux_consultation", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), DU_BAILLEUR),
        Verrouiller(
            "flux_programme",
            ou(BAILLEUR, DEPARTEMENT, par("id", "flux_consultation", "programme_id", RESERVATAIRE)),
            DU_BAILLEUR,
        ),
        # A réservataire answers for its own, the État as any other.
        *(
            Verrouiller(
                f"flux_{table}", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE), si_ecriture(BAILLEUR, POUR_SOI)
            )
            for table in ("designation", "candidat")
        ),
        # The State's alone: the bailleur reads it.
        *(
            Verrouiller(f"flux_{table}", ou(BAILLEUR, DEPARTEMENT), si_ecriture(DEPARTEMENT))
            for table in ("urgence", "decisionagent", "exceptionlabel")
        ),
        # A deposit is the working paper of whoever hands it in, a bailleur or not; who reads an event reads where it
        # came from.
        Verrouiller(
            "flux_depot",
            ou(ORGANISATION, par("id", "flux_evenementexterne", "depot_id")),
            si_ecriture(ORGANISATION),
        ),
        *(
            Verrouiller(f"flux_{table}", ou(ORGANISATION), si_ecriture(ORGANISATION))
            for table in ("lignedepot", "correspondancecolonnes", "correspondancevaleur")
        ),
        # Written by the application alone, once somebody has agreed to the deposit.
        Verrouiller(
            "flux_evenementexterne",
            ou(ORGANISATION, DEPARTEMENT, f"nature <> 'LABEL' AND ({BAILLEUR} OR {RESERVATAIRE})"),
            si_ecriture(),
        ),
        *(
            Verrouiller(f"flux_{table}", ou(BAILLEUR, DEPARTEMENT, *lit), si_ecriture(BAILLEUR, DEPARTEMENT))
            for table, lit in RAPPROCHEMENTS.items()
        ),
        # Agreed by both: whoever did not propose accepts.
        Verrouiller(
            "flux_assietteconvenue", ou(BAILLEUR, DEPARTEMENT), si_ecriture(BAILLEUR, DEPARTEMENT)
        ),
        Verrouiller("flux_abonnementagenda", ou(ORGANISATION), si_ecriture(ORGANISATION)),
        # Whoever reads a list keeps its own filters, whatever the role.
        Verrouiller("flux_filtreenregistre", ou(A_SOI), ou(A_SOI)),
        *(Verrouiller(f"flux_{table}", ou(), si_ecriture(), ajouter="true") for table in TRACES),
        # Private to whoever made it until it is shared with an organisation; the département gives no right by itself.
        Verrouiller(
            "flux_simulation",
            ou(PROPRIETAIRE, par("id", "flux_partagesimulation", "simulation_id", ORGANISATION)),
            si_ecriture(f"{PROPRIETAIRE} AND ({BAILLEUR} OR {DEPARTEMENT})"),
        ),
        # A result is written once: nobody but the application, when it forgets, changes or removes it.
        Verrouiller(
            "flux_versionsimulation",
            ou(par("simulation_id", "flux_simulation")),
            si_ecriture(),
            ajouter=si_ecriture(PROPRIETAIRE),
        ),
        # Its own columns alone decide: the policy of the simulation looks in here.
        Verrouiller("flux_partagesimulation", ou(PROPRIETAIRE, ORGANISATION), si_ecriture(PROPRIETAIRE)),
        *(
            Verrouiller(f"flux_{table}", ou(), si_ecriture(), ajouter="true")
            for table in ("tracesimulation", "tracepartagesimulation")
        ),
    ]
