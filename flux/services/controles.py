"""Soft checks: what is odd in what somebody enters, and the memory of who confirmed it.

Callers ask (`controler_…`), show, and record with the act itself what was confirmed: the page, an import, the API.
"""

from collections.abc import Sequence
from datetime import date

from django.utils import timezone

from flux.models import Attribution, Confirmation, Liberation
from flux.regles.controles import Anomalie, anomalies_de_la_declaration, anomalies_du_bail
from reservation.acteur import Acteur
from reservation.models import Logement


def controler_declaration(
    acteur: Acteur,
    *,
    date: date,
    cle_logement: str,
    logement: Logement | None = None,
    date_preavis: date | None = None,
    date_disponibilite: date | None = None,
    premiere: bool = False,
    sauf: Liberation | None = None,
) -> list[Anomalie]:
    """What is odd in declaring this libération; `sauf`: the libération itself, when it is corrected."""
    autres = Liberation.objects.visibles_par(acteur).filter(
        bailleur=acteur.organisation_id,
        cle_logement=cle_logement,
        annulee_le__isnull=True,
        date__year=date.year,
    )
    if sauf is not None:
        autres = autres.exclude(pk=sauf.pk)
    return anomalies_de_la_declaration(
        jour=date,
        aujourd_hui=timezone.localdate(),
        date_preavis=date_preavis,
        date_disponibilite=date_disponibilite,
        premiere=premiere,
        # The same day is not odd: it is refused.
        autres=autres.exclude(date=date).order_by("date").values_list("date", flat=True),
        mise_en_location=logement.locat if logement else None,
        bail=logement.bail if logement else None,
    )


def controler_correction(acteur: Acteur, liberation: Liberation, donnees: dict) -> list[Anomalie]:
    """What is odd in the dates that a correction gives."""
    return controler_declaration(
        acteur,
        date=donnees["date"],
        cle_logement=liberation.cle_logement,
        date_preavis=donnees["date_preavis"],
        date_disponibilite=donnees["date_disponibilite"],
        sauf=liberation,
    )


def controler_bail(acteur: Acteur, liberation: Liberation, donnees: dict) -> list[Anomalie]:
    """What is odd in the date of a lease."""
    vivante = Attribution.objects.filter(liberation=liberation, refusee_le__isnull=True).first()
    if vivante is None:
        return []
    return anomalies_du_bail(date_caleol=vivante.date_caleol, date_bail=donnees["date"])


def nouvelles(liberation: Liberation, anomalies: Sequence[Anomalie]) -> list[Anomalie]:
    """Those that nobody has confirmed yet on this libération."""
    if not anomalies:
        return []
    connues = set(Confirmation.objects.filter(liberation=liberation).values_list("controle", "phrase"))
    return [anomalie for anomalie in anomalies if (anomalie.controle, anomalie.phrase) not in connues]


def retenir(acteur: Acteur, liberation: Liberation, anomalies: Sequence[Anomalie]) -> None:
    """Write who confirmed these, inside the transaction of the act that they are about."""
    retenir_ensemble(acteur, [(liberation, anomalies)])


def retenir_ensemble(acteur: Acteur, confirmees: Sequence[tuple[Liberation, Sequence[Anomalie]]]) -> None:
    """`retenir` for several libérations at once; what somebody confirmed before stays theirs."""
    Confirmation.objects.bulk_create(
        [
            Confirmation(
                bailleur_id=liberation.bailleur_id,
                departement_id=liberation.departement_id,
                liberation=liberation,
                controle=anomalie.controle,
                phrase=anomalie.phrase,
                confirmee_par_id=acteur.utilisateur_id,
            )
            for liberation, anomalies in confirmees
            for anomalie in anomalies
        ],
        ignore_conflicts=True,
    )
