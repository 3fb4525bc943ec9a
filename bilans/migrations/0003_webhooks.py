"""What is written here is told to the webhooks, in the same transaction."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("bilans", "0002_verrou"), ("reservation", "0003_webhooks")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TRIGGER annoncer AFTER INSERT ON bilans_etapebilan
                REFERENCING NEW TABLE AS nouveaux
                FOR EACH STATEMENT EXECUTE FUNCTION reservation_annoncer('bilans.etapebilan');
            """,
            "DROP TRIGGER annoncer ON bilans_etapebilan",
        ),
        migrations.RunSQL(
            """
            CREATE TRIGGER annoncer AFTER INSERT ON bilans_versionreservataire
                REFERENCING NEW TABLE AS nouveaux
                FOR EACH STATEMENT EXECUTE FUNCTION reservation_annoncer('bilans.versionreservataire');
            """,
            "DROP TRIGGER annoncer ON bilans_versionreservataire",
        ),
    ]
