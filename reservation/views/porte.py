"""The one gate to fetch one object: to a stranger it does not exist (404), a reader may not write it (403)."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from reservation.acteur import Acteur
from reservation.models import PerimetreQuerySet


def ouvrir(lignes: PerimetreQuerySet, acteur: Acteur, **cle: Any):
    """The row that `cle` names, among those that `acteur` may read."""
    return get_object_or_404(lignes.visibles_par(acteur), **cle)


def ouvrir_pour_ecrire(lignes: PerimetreQuerySet, acteur: Acteur, **cle: Any):
    """The row that `cle` names, if `acteur` may change it."""
    objet = ouvrir(lignes, acteur, **cle)
    if not lignes.modifiables_par(acteur).filter(pk=objet.pk).exists():
        raise PermissionDenied("Votre rôle permet de lire cette page, non de la modifier.")
    return objet
