"""The job: tasks take plain values, start after commit, may run twice; what is to do is in the database."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from flux.models import Depot
from flux.services import bac_a_sable, depots, designations, file_de_calcul, rapprochements
from reservation import contexte
from reservation.acteur import Acteur

DELAI_DE_REPRISE = timedelta(minutes=2)


@shared_task(name="flux.recalculer_departement")
def recalculer_departement(departement: str, annee: int, *autres: str) -> None:
    """Empty the queue of one département for one year, with those of `autres` when many are asked for together."""
    file_de_calcul.traiter(departement, annee, *autres)


@shared_task(name="flux.recalculer_la_nuit")
def recalculer_la_nuit() -> None:
    """Every night, look at every pair of the open years again; what did not change gets no new version.

    Also gives another chance to the calculations in error.
    """
    acteur = Acteur.du_systeme("recalcul de la nuit")
    for annee in file_de_calcul.annees_ouvertes(
        file_de_calcul.toutes_les_paires(), None, timezone.localdate()
    ):
        file_de_calcul.lancer_recalcul(acteur, annee, "Recalcul de la nuit")


@shared_task(name="flux.reprendre_la_file")
def reprendre_la_file() -> None:
    """Call a worker again for what waits since too long: its message was lost with the broker or a worker."""
    file_de_calcul.reprendre(timezone.now() - DELAI_DE_REPRISE)


@shared_task(name="flux.constater_les_delais")
def constater_les_delais() -> None:
    """Every night, the designations whose delay passed without a candidate have failed."""
    designations.constater_les_delais(timezone.localdate())


@shared_task(name="flux.analyser_depot")
def analyser_depot(depot_id: int) -> None:
    """Read the file of a deposit, or its mended lines again."""
    _au_nom_du_deposant(depot_id, "cree_par")
    depots.analyser(depot_id)


@shared_task(name="flux.appliquer_depot")
def appliquer_depot(depot_id: int) -> None:
    """Write the accepted lines of a confirmed deposit."""
    _au_nom_du_deposant(depot_id, "confirme_par")
    depots.appliquer(depot_id)


@shared_task(name="flux.reprendre_les_depots")
def reprendre_les_depots() -> None:
    """Call a worker again for deposits whose worker died or whose message was lost."""
    depots.reprendre_les_interrompus()


def _au_nom_du_deposant(depot_id: int, champ: str) -> None:
    """The traces of the task bear who asked for it."""
    for personne, organisation in Depot.objects.filter(pk=depot_id).values_list(champ, "organisation"):
        contexte.au_nom_de(personne, organisation)


@shared_task(name="flux.rapprocher_extraits")
def rapprocher_extraits(cles: list[int]) -> None:
    """Reconcile these rows with the extracts; those that are done already are left alone."""
    rapprochements.executer(cles)


@shared_task(name="flux.reprendre_les_rapprochements")
def reprendre_les_rapprochements() -> None:
    """Call a worker again for what waits since too long."""
    rapprochements.reprendre(timezone.now() - rapprochements.DELAI_DE_REPRISE)


@shared_task(name="flux.renouveler_le_bac_a_sable")
def renouveler_le_bac_a_sable() -> None:
    """Every night: the sandbox of the API is made new, if something was written in it."""
    bac_a_sable.renouveler()
