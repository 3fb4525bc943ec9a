"""Row-level security on the tables of the ground floor: acts, parc, imports."""

from django.db import migrations

from reservation.verrou import (
    BAILLEUR,
    COPIL,
    DEPARTEMENT,
    ORGANISATION,
    PROPRIETAIRE,
    RESERVATAIRE,
    SUPPORT,
    Verrouiller,
    ou,
    par,
    si_ecriture,
)

BAILLEUR_ET_ETAT = si_ecriture(BAILLEUR, DEPARTEMENT)
# A file without a bailleur of its own, or still to be shared out, is nobody's; a file is the State's where its dwellings are.
FICHIER_D_ICI = (
    "bailleur_id IS NOT NULL AND repartir IS NULL AND EXISTS (SELECT FROM "
    "jsonb_array_elements(CASE WHEN jsonb_typeof(rapport->'paires') = 'array' THEN rapport->'paires' ELSE '[]' END) "
    "AS paire WHERE paire->>'departement' = "
    "ANY ((SELECT string_to_array(nullif(current_setting('app.departements', true), ''), ','))::text[]))"
)

# Events: written by the trigger of any act, read by the application once the gate of their object is passed.
TRACES = (
    "traceassistance",
    "traceclassefinancement",
    "traceclasseperiode",
    "traceclassetypologie",
    "traceconvention",
    "tracedemandeacces",
    "tracederogation",
    "tracedrapeau",
    "traceetatparc",
    "traceimportrpls",
    "traceinvitation",
    "tracejetonapi",
    "traceorganisation",
    "tracepresence",
    "tracerattachement",
    "traceutilisateur",
    "traceversionconvention",
)


class Migration(migrations.Migration):
    dependencies = [("reservation", "0001_initial")]

    operations = [
        *(
            Verrouiller(
                f"reservation_{table}", ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE, COPIL), BAILLEUR_ET_ETAT
            )
            for table in ("convention", "versionconvention")
        ),
        Verrouiller(
            "reservation_versionconvention_communes",
            ou(par("versionconvention_id", "reservation_versionconvention")),
            si_ecriture(par("versionconvention_id", "reservation_versionconvention")),
        ),
        Verrouiller("reservation_derogation", ou(BAILLEUR, DEPARTEMENT, COPIL), si_ecriture(DEPARTEMENT)),
        *(
            Verrouiller(f"reservation_{table}", ou(BAILLEUR, DEPARTEMENT), BAILLEUR_ET_ETAT)
            for table in ("evenementconvention", "logement", "drapeau", "agregatparc", "etatparc")
        ),
        # Who reads a parc reads where it came from: an inner join would drop the parc with a hidden import.
        Verrouiller(
            "reservation_importrpls",
            ou(BAILLEUR, FICHIER_D_ICI, par("id", "reservation_etatparc", "import_rpls_id")),
            si_ecriture(BAILLEUR),
        ),
        # An answer kept is its organisation's own; whoever may not write has none.
        Verrouiller("reservation_cleidempotence", ou(ORGANISATION), si_ecriture(ORGANISATION)),
        *(Verrouiller(f"reservation_{table}", ou(), si_ecriture(), ajouter="true") for table in TRACES),
        Verrouiller(
            "reservation_lignejournal",
            ou(BAILLEUR, DEPARTEMENT, RESERVATAIRE, COPIL, ORGANISATION, PROPRIETAIRE, SUPPORT),
            si_ecriture(),
            ajouter="true",
        ),
        *(
            Verrouiller(f"reservation_{table}", ou(ORGANISATION), ou(ORGANISATION))
            for table in ("abonnementwebhook", "livraisonwebhook")
        ),
        Verrouiller("reservation_traceabonnementwebhook", ou(), si_ecriture(), ajouter="true"),
    ]
