"""Tasks of the ground floor: take ids, start after the commit, may run twice; the import's row says what became of it."""

from celery import shared_task

from reservation import contexte
from reservation.models import ImportRpls
from reservation.services import courriels, habilitations, idempotence, jetons, parc, sommeil, webhooks


@shared_task(name="reservation.analyser_import")
def analyser_import(import_id: int) -> None:
    """Read an RPLS file and compare it with the parc."""
    _au_nom_du_deposant(import_id, "cree_par")
    parc.analyser(import_id)


@shared_task(name="reservation.appliquer_import")
def appliquer_import(import_id: int) -> None:
    """Write a confirmed import."""
    _au_nom_du_deposant(import_id, "confirme_par")
    parc.appliquer(import_id)


@shared_task(name="reservation.reprendre_les_imports")
def reprendre_les_imports() -> None:
    """Call a worker again for imports whose worker died or whose message was lost."""
    parc.reprendre_les_interrompus()


def _au_nom_du_deposant(import_id: int, champ: str) -> None:
    """The traces of the task bear who asked for it."""
    for personne, bailleur in ImportRpls.objects.filter(pk=import_id).values_list(champ, "bailleur"):
        contexte.au_nom_de(personne, bailleur)


@shared_task(name="reservation.envoyer_courriel")
def envoyer_courriel(courriel_id: int) -> None:
    """Send one e-mail; its row says what became of it."""
    courriels.envoyer(courriel_id)


@shared_task(name="reservation.reprendre_les_courriels")
def reprendre_les_courriels() -> None:
    """Call a worker for the e-mails whose time has come."""
    courriels.reprendre()


@shared_task(name="reservation.suivre_les_acces")
def suivre_les_acces() -> None:
    """Every day: write down the accesses that ended, announce those that will, look after unused accounts and tokens."""
    habilitations.terminer_les_echus()
    habilitations.rappeler_les_fins()
    sommeil.suivre_les_comptes_inutilises(appliquer=True)
    jetons.ecrire_les_usages()
    jetons.rappeler_les_fins()
    idempotence.oublier_les_cles()
    webhooks.oublier()


@shared_task(name="reservation.diffuser_webhooks")
def diffuser_webhooks() -> None:
    """Make the messages of what was announced since, and call a worker for those whose time has come."""
    webhooks.diffuser()
    webhooks.reprendre()


@shared_task(name="reservation.remettre_webhook")
def remettre_webhook(livraison_id: int) -> None:
    """Try to deliver one message; its row says what became of it."""
    webhooks.remettre(livraison_id)
