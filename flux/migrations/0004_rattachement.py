"""Who writes what, closer: a row names only rows that its writer sees; what the DDETS decides is not the préfecture's."""

from django.db import migrations

from reservation.verrou import DDETS_OU_PARTENAIRE, DEPARTEMENT, Rattacher, Restreindre, par

# table → (column, parent). The household is not among them: it is found by its whole number, before any row of one's own
# makes it visible.
LIENS = {
    "attribution": (("liberation_id", "flux_liberation"), ("passage_id", "flux_passage")),
    "attribution_labels_admis": (
        ("attribution_id", "flux_attribution"),
        ("labellisation_id", "publics_labellisation"),
    ),
    "candidat": (("liberation_id", "flux_liberation"), ("designation_id", "flux_designation")),
    "confirmation": (("liberation_id", "flux_liberation"),),
    "consultation": (("programme_id", "flux_programme"),),
    "convocation": (("commission_id", "flux_commission"),),
    "correctionrapprochement": (("attribution_id", "flux_attribution"),),
    "decisionagent": (("attribution_id", "flux_attribution"),),
    "designation": (("liberation_id", "flux_liberation"), ("version_id", "reservation_versionconvention")),
    "ecartrapprochement": (
        ("ligne_id", "flux_lignerapprochement"),
        ("rapprochement_id", "flux_rapprochement"),
    ),
    "etaperecalcul": (("recalcul_id", "flux_recalcul"),),
    "evenementcommission": (("commission_id", "flux_commission"),),
    "evenementecart": (("ecart_id", "flux_ecartrapprochement"),),
    "exceptionlabel": (("liberation_id", "flux_liberation"), ("attribution_id", "flux_attribution")),
    "lignedepot": (("depot_id", "flux_depot"), ("liberation_id", "flux_liberation")),
    "ligneordredujour": (("commission_id", "flux_commission"), ("liberation_id", "flux_liberation")),
    "lignerapprochement": (
        ("rapprochement_id", "flux_rapprochement"),
        ("attribution_id", "flux_attribution"),
        ("evenement_id", "flux_evenementexterne"),
    ),
    "logementdeprogramme": (("programme_id", "flux_programme"), ("liberation_id", "flux_liberation")),
    "orientation": (("liberation_id", "flux_liberation"),),
    "passage": (("commission_id", "flux_commission"), ("liberation_id", "flux_liberation")),
    "procesverbal": (("commission_id", "flux_commission"),),
    "reprisepouruntour": (
        ("liberation_id", "flux_liberation"),
        ("version_id", "reservation_versionconvention"),
    ),
    "urgence": (("liberation_id", "flux_liberation"),),
}


class Migration(migrations.Migration):
    dependencies = [
        ("flux", "0003_webhooks"),
        ("reservation", "0004_rattachement"),
        ("publics", "0002_verrou"),
    ]

    operations = [
        *(Rattacher(f"flux_{table}", **dict(liens)) for table, liens in LIENS.items()),
        # A label admitted late is a decision of the DDETS, wherever the attribution may be read.
        Restreindre(
            "flux_attribution_labels_admis",
            "etat",
            par("attribution_id", "flux_attribution", condition=f"parent.{DEPARTEMENT}"),
        ),
        *(
            Restreindre(f"flux_{table}", "prefecture", DDETS_OU_PARTENAIRE)
            for table in (
                "assietteconvenue",
                "attribution_labels_admis",
                "correctionrapprochement",
                "ecartrapprochement",
                "evenementecart",
                "exceptionlabel",
                "lignerapprochement",
                "rapprochement",
                "urgence",
            )
        ),
        # A version and a share are those of who made the simulation: whoever it is shared with adds neither.
        migrations.RunSQL(
            """
            CREATE FUNCTION flux_de_son_proprietaire() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (
                    SELECT FROM flux_simulation AS s
                    WHERE s.id = NEW.simulation_id AND s.proprietaire_id = NEW.proprietaire_id
                ) THEN
                    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format(
                        'new row violates row-level security for table "%s": the simulation is another''s', TG_TABLE_NAME);
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER rattachement_insert BEFORE INSERT ON flux_versionsimulation
                FOR EACH ROW EXECUTE FUNCTION flux_de_son_proprietaire();
            CREATE TRIGGER rattachement_insert BEFORE INSERT ON flux_partagesimulation
                FOR EACH ROW EXECUTE FUNCTION flux_de_son_proprietaire();
            CREATE TRIGGER rattachement_update BEFORE UPDATE OF simulation_id, proprietaire_id ON flux_versionsimulation
                FOR EACH ROW WHEN (NEW.simulation_id IS DISTINCT FROM OLD.simulation_id)
                EXECUTE FUNCTION flux_de_son_proprietaire();
            CREATE TRIGGER rattachement_update BEFORE UPDATE OF simulation_id, proprietaire_id ON flux_partagesimulation
                FOR EACH ROW WHEN (NEW.simulation_id IS DISTINCT FROM OLD.simulation_id)
                EXECUTE FUNCTION flux_de_son_proprietaire();
            """,
            """
            DROP TRIGGER rattachement_update ON flux_partagesimulation;
            DROP TRIGGER rattachement_update ON flux_versionsimulation;
            DROP TRIGGER rattachement_insert ON flux_partagesimulation;
            DROP TRIGGER rattachement_insert ON flux_versionsimulation;
            DROP FUNCTION flux_de_son_proprietaire();
            """,
        ),
    ]
