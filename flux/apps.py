from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FluxConfig(AppConfig):
    name = "flux"
    verbose_name = "Flux"

    def ready(self) -> None:
        from flux import historiques  # noqa: F401 (declares its gates)
        from flux.services import agents, convocations, droits, file_de_calcul, fusions, references
        from flux.services.depots import cles
        from flux.services.oubli import enregistrer_purges
        from flux.services.rapprochements.oubli import enregistrer_purges as oublier_les_rapprochements
        from publics.services.droits import enregistrer_source
        from publics.signaux import empreintes_renouvelees, labels_modifies
        from reservation.services.courriels import enregistrer_preparation
        from reservation.signaux import bailleurs_fusionnes, entrees_modifiees, fusion_a_preparer

        post_migrate.connect(references.apres_migration, sender=self)
        entrees_modifiees.connect(file_de_calcul.sur_entrees_modifiees, dispatch_uid="flux.file_de_calcul")
        labels_modifies.connect(agents.sur_labels_modifies, dispatch_uid="flux.labels")
        empreintes_renouvelees.connect(cles.sur_empreintes_renouvelees, dispatch_uid="flux.extraits")
        fusion_a_preparer.connect(fusions.sur_fusion_a_preparer, dispatch_uid="flux.fusions")
        enregistrer_purges()
        enregistrer_source("flux", droits.evenements_gardes)
        oublier_les_rapprochements()
        enregistrer_preparation(convocations.GABARIT, convocations.ordre_du_jour_a_joindre)
        bailleurs_fusionnes.connect(fusions.sur_bailleurs_fusionnes, dispatch_uid="flux.fusions")
