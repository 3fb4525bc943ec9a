from django.apps import AppConfig


class BilansConfig(AppConfig):
    name = "bilans"
    verbose_name = "Bilans"

    def ready(self) -> None:
        from bilans import historiques  # noqa: F401 (declares its gates)
        from bilans.services import (
            campagnes,
            fusions,
            lettres,
            procedures,
            procedures_rappels,
            rappels,
            registre,
            reunions,
            reunions_courriels,
        )
        from bilans.services.oubli import enregistrer_purges
        from flux.services.echeances import declarer_echeance
        from reservation.services.courriels import declarer_condition
        from reservation.signaux import bailleurs_fusionnes, fusion_a_preparer

        enregistrer_purges()
        declarer_echeance(campagnes.dernier_jour_du_bilan)
        declarer_condition(rappels.GABARIT, rappels.encore_utile)
        declarer_condition(procedures_rappels.GABARIT, procedures_rappels.encore_utile)
        declarer_condition(reunions_courriels.ACTIONS, reunions_courriels.encore_utile)
        fusion_a_preparer.connect(procedures.sur_fusion_a_preparer, dispatch_uid="bilans.procedures")
        fusion_a_preparer.connect(fusions.sur_fusion_a_preparer, dispatch_uid="bilans.fusions")
        bailleurs_fusionnes.connect(registre.sur_bailleurs_fusionnes, dispatch_uid="bilans.registre")
        bailleurs_fusionnes.connect(lettres.sur_bailleurs_fusionnes, dispatch_uid="bilans.lettres")
        bailleurs_fusionnes.connect(reunions.sur_bailleurs_fusionnes, dispatch_uid="bilans.reunions")
