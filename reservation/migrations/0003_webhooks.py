"""What is written is told to the webhooks, in the same transaction: one line for each statement."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("reservation", "0002_verrou")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION reservation_annoncer() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO reservation_annonce (source, premiere, derniere)
                SELECT TG_ARGV[0], min(n.id), max(n.id) FROM nouveaux AS n HAVING count(*) > 0;
                RETURN NULL;
            END $$;
            CREATE FUNCTION reservation_annoncer_journal() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO reservation_annonce (source, premiere, derniere)
                SELECT 'journal', min(n.id), max(n.id) FROM nouveaux AS n
                WHERE n.acte <> 'delete' AND n.objet_type IN (
                    'flux.liberation', 'flux.commission', 'flux.passage', 'flux.attribution',
                    'publics.labellisation', 'publics.propositionlabel')
                HAVING count(*) > 0;
                RETURN NULL;
            END $$;
            CREATE TRIGGER annoncer AFTER INSERT ON reservation_lignejournal
                REFERENCING NEW TABLE AS nouveaux FOR EACH STATEMENT EXECUTE FUNCTION reservation_annoncer_journal();
            """,
            """
            DROP TRIGGER annoncer ON reservation_lignejournal;
            DROP FUNCTION reservation_annoncer_journal();
            DROP FUNCTION reservation_annoncer();
            """,
        ),
    ]
