"""What is written here is told to the webhooks, in the same transaction."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("flux", "0002_verrou"), ("reservation", "0003_webhooks")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TRIGGER annoncer AFTER INSERT ON flux_orientation
                REFERENCING NEW TABLE AS nouveaux
                FOR EACH STATEMENT EXECUTE FUNCTION reservation_annoncer('flux.orientation');
            """,
            "DROP TRIGGER annoncer ON flux_orientation",
        ),
    ]
