"""Hashes of numéros uniques that events keep: renewed with those of the households, so that they stay equal."""

from django.db import transaction

from flux.models import EvenementExterne
from publics.services.menages import renouveler_empreinte
from reservation.acteur import Acteur
from reservation.copie import corriger_objets
from reservation.perimetre import agir


@agir(Acteur.du_systeme("clé des numéros uniques"))
def sur_empreintes_renouvelees(sender, taille_lot: int, **_signal) -> None:
    """Receiver of `publics.signaux.empreintes_renouvelees`; a transaction for each batch, interrupted it goes on."""
    dernier = 0
    while True:
        with transaction.atomic():
            lot = list(
                EvenementExterne.objects.select_for_update()
                .filter(pk__gt=dernier)
                .exclude(cle_numero="")
                .order_by("pk")
                .values_list("pk", "numero_hache", "cle_numero")[:taille_lot]
            )
            if not lot:
                return
            dernier = lot[-1][0]
            corriger_objets(
                EvenementExterne,
                ("numero_hache", "cle_numero"),
                [
                    (pk, *nouvelle)
                    for pk, empreinte, cles in lot
                    if (nouvelle := renouveler_empreinte(empreinte, cles))
                ],
            )
