"""Who writes what, closer: a row names only rows that its writer sees; the parc is the bailleur's; acts are the DDETS's."""

from django.db import migrations

from reservation.verrou import (
    ADMINISTRATEUR,
    BAILLEUR,
    DDETS_OU_PARTENAIRE,
    DEPARTEMENT,
    Rattacher,
    Restreindre,
    par,
)


class Migration(migrations.Migration):
    dependencies = [("reservation", "0003_webhooks")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION reservation_rattacher() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE cle bigint; visible boolean;
            BEGIN
                FOR i IN 0 .. TG_NARGS - 1 BY 2 LOOP
                    EXECUTE format('SELECT ($1).%I', TG_ARGV[i]) USING NEW INTO cle;
                    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE id = $1)', TG_ARGV[i + 1]) USING cle INTO visible;
                    IF cle IS NOT NULL AND NOT visible THEN
                        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format(
                            'new row violates row-level security for table "%s": %s names a row that is not visible',
                            TG_TABLE_NAME, TG_ARGV[i]);
                    END IF;
                END LOOP;
                RETURN NEW;
            END $$;
            """,
            "DROP FUNCTION reservation_rattacher()",
        ),
        Rattacher("reservation_versionconvention", convention_id="reservation_convention"),
        Rattacher("reservation_derogation", convention_id="reservation_convention"),
        Rattacher("reservation_evenementconvention", convention_id="reservation_convention"),
        Rattacher("reservation_etatparc", import_rpls_id="reservation_importrpls"),
        Rattacher("reservation_livraisonwebhook", abonnement_id="reservation_abonnementwebhook"),
        # The territory of a version is written by who writes the version, not by whoever reads it.
        Restreindre(
            "reservation_versionconvention_communes",
            "parties",
            par(
                "versionconvention_id",
                "reservation_versionconvention",
                condition=f"parent.{BAILLEUR} OR parent.{DEPARTEMENT}",
            ),
        ),
        *(
            Restreindre(f"reservation_{table}", "prefecture", DDETS_OU_PARTENAIRE)
            for table in (
                "convention",
                "versionconvention",
                "versionconvention_communes",
                "derogation",
                "evenementconvention",
            )
        ),
        # The State reads the parc; its bailleur writes it (domain, chapter 2).
        *(
            Restreindre(f"reservation_{table}", "bailleur", BAILLEUR)
            for table in ("logement", "drapeau", "agregatparc", "etatparc")
        ),
        *(
            Restreindre(f"reservation_{table}", "administration", ADMINISTRATEUR)
            for table in ("abonnementwebhook", "livraisonwebhook")
        ),
    ]
