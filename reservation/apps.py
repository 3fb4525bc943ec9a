from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReservationConfig(AppConfig):
    name = "reservation"
    verbose_name = "Réservations"

    def ready(self) -> None:
        from reservation import historiques  # noqa: F401 (declares its gates)
        from reservation.models import Convention
        from reservation.services import references
        from reservation.services.oubli import enregistrer_purges
        from reservation.services.parc.calcul import sur_acte_modifie
        from reservation.signaux import entrees_modifiees

        enregistrer_purges()
        post_migrate.connect(references.apres_migration, sender=self)
        entrees_modifiees.connect(sur_acte_modifie, sender=Convention, dispatch_uid="reservation.parc")
