from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PublicsConfig(AppConfig):
    name = "publics"
    verbose_name = "Publics"

    def ready(self) -> None:
        from publics import historiques  # noqa: F401 (declares its gates)
        from publics.services import droits, fusions, references
        from publics.services.oubli import enregistrer_purges
        from reservation.signaux import bailleurs_fusionnes

        enregistrer_purges()
        bailleurs_fusionnes.connect(fusions.sur_bailleurs_fusionnes, dispatch_uid="publics.fusions")
        droits.enregistrer_source("publics", droits.labels_gardes)
        post_migrate.connect(references.apres_migration, sender=self)
