"""Filters of a list that somebody keeps under a name."""

from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import PermissionDenied
from django.db import transaction

from flux.models import FiltreEnregistre
from reservation.acteur import Acteur

from .actes import enregistrer, exiger

FILTRES_MAX = 20


@transaction.atomic
def enregistrer_filtre(acteur: Acteur, *, nom: str, requete: str) -> FiltreEnregistre:
    """Keep these criteria under this name; the same name again replaces them. Pages are not part of it."""
    if acteur.utilisateur_id is None or acteur.organisation_id is None:
        raise PermissionDenied("Un filtre s’enregistre pour une personne et son organisation.")
    criteres = [(cle, valeur) for cle, valeur in parse_qsl(requete) if cle != "page"]
    exiger(bool(criteres), "Choisissez d’abord des critères : ce filtre montrerait tout.")
    siens = FiltreEnregistre.objects.visibles_par(acteur)
    filtre = siens.filter(nom=nom.strip()).first() or FiltreEnregistre(
        utilisateur_id=acteur.utilisateur_id, organisation_id=acteur.organisation_id, nom=nom.strip()
    )
    exiger(
        filtre.pk is not None or siens.count() < FILTRES_MAX,
        f"Vous avez déjà {FILTRES_MAX} filtres : supprimez-en un.",
    )
    filtre.requete = urlencode(criteres)
    enregistrer(filtre)
    return filtre


def supprimer_filtre(acteur: Acteur, filtre: FiltreEnregistre) -> None:
    """One's own only."""
    FiltreEnregistre.objects.modifiables_par(acteur).filter(pk=filtre.pk).delete()
