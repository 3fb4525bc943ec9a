"""Tasks of the bilans: they take a key, start after commit, may run twice; what is to do is in the database."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from bilans.services import (
    cycle,
    donnees_ouvertes,
    dossiers_controle,
    procedures_rappels,
    productions,
    rappels,
    regional,
    reunions_courriels,
)
from bilans.services.donnees_bilan import CalculPerime
from reservation.acteur import Acteur

# The flux is being computed by another worker: a batch lasts seconds, a whole country a few minutes.
PAUSE = 5
ESSAIS = 60
DELAI_DE_REPRISE = timedelta(minutes=10)


@shared_task(name="bilans.produire_bilan", bind=True, max_retries=ESSAIS)
def produire_bilan(self, production_id: int) -> None:
    """Make one document; waits for the flux when it is being computed."""
    try:
        productions.executer(production_id)
    except CalculPerime as erreur:
        if self.request.retries >= ESSAIS:
            productions.abandonner(production_id, str(erreur))
            return
        raise self.retry(exc=erreur, countdown=PAUSE) from erreur


@shared_task(name="bilans.ouvrir_la_nuit")
def ouvrir_la_nuit() -> None:
    """Every night, a bilan for each pair and year that has been observed."""
    productions.ouvrir_bilans(Acteur.du_systeme("ouverture des bilans, la nuit"))


@shared_task(name="bilans.reprendre_les_productions")
def reprendre_les_productions() -> None:
    """Call a worker again for what waits since too long: its message was lost with the broker or a worker."""
    productions.reprendre(timezone.now() - DELAI_DE_REPRISE)
    for etape in cycle.versions_en_attente(timezone.now() - DELAI_DE_REPRISE):
        produire_versions.delay(etape)
    for point in cycle.points_en_attente(timezone.now() - DELAI_DE_REPRISE):
        produire_versions_du_point.delay(point)
    for dossier in dossiers_controle.en_attente(timezone.now() - DELAI_DE_REPRISE):
        produire_dossier.delay(dossier)


@shared_task(name="bilans.produire_versions")
def produire_versions(etape_id: int) -> None:
    """Make the PDFs that the réservataires of one submission receive."""
    cycle.produire_versions(etape_id)


@shared_task(name="bilans.produire_versions_du_point")
def produire_versions_du_point(point_id: int) -> None:
    """Make the PDFs that the réservataires of one point d'étape receive."""
    cycle.produire_versions_du_point(point_id)


@shared_task(name="bilans.rappeler_les_echeances")
def rappeler_les_echeances() -> None:
    """Every morning, the reminders that the day calls for; run again, it writes nothing twice."""
    rappels.rappeler()
    reunions_courriels.rappeler()


@shared_task(name="bilans.annoncer_les_expirations")
def annoncer_les_expirations() -> None:
    """Every night, the clocks of the procedures that have run out; nothing is done in their place."""
    procedures_rappels.annoncer_les_expirations()


@shared_task(name="bilans.produire_dossier")
def produire_dossier(dossier_id: int) -> None:
    """Make one control file (ANCOLS); made already, it is left as it is."""
    dossiers_controle.produire(dossier_id)


@shared_task(name="bilans.produire_regional")
def produire_regional(annee: int, region: str, departements: list[str], masque: bool) -> None:
    """Make the PDF and the pack of a regional bilan; made already, they are left as they are."""
    regional.produire(annee, region, departements, masque)


@shared_task(name="bilans.publier_les_donnees_ouvertes")
def publier_les_donnees_ouvertes() -> None:
    """Every month, the open data of what is validated; run again on the same day, it changes nothing."""
    donnees_ouvertes.publier(timezone.localdate())
