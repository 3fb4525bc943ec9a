"""What the flux forgets: the spreadsheets of deposits, then their lines, what the extracts told; the filters of closed
accounts; the simulations that nobody has computed for long."""

from datetime import date

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from flux.models import Depot, EvenementExterne, FiltreEnregistre, LigneDepot, Simulation
from flux.regles.conservation import (
    EXTRAITS,
    FICHIERS_DEPOTS,
    FILTRES_ENREGISTRES,
    LIGNES_DEPOTS,
    SIMULATIONS,
)
from reservation.regles.conservation import echeance
from reservation.services.conservation import Purgeur, enregistrer_purgeur
from reservation.services.oubli import debut_du_jour


def _fichiers(jour: date) -> QuerySet:
    avant = debut_du_jour(echeance(jour, FICHIERS_DEPOTS.mois))
    return Depot.objects.exclude(fichier="").filter(cree_le__lt=avant)


def _purger_fichiers(jour: date, nombre: int) -> int:
    lot = list(_fichiers(jour).select_for_update(of=("self",)).order_by("pk")[:nombre])
    for depot in lot:
        lieu, nom = depot.fichier.storage, depot.fichier.name
        # Once the row forgets it: a file without a row is lost, a row without its file is a broken page.
        transaction.on_commit(lambda lieu=lieu, nom=nom: lieu.delete(nom))
        depot.fichier, depot.fichier_efface_le = "", timezone.now()
        if depot.etat in (Depot.Etat.RECU, Depot.Etat.EN_ANALYSE, Depot.Etat.A_ASSOCIER, Depot.Etat.ECHEC):
            depot.etat = Depot.Etat.ABANDONNE  # it cannot be read any more
    Depot.objects.bulk_update(lot, ["fichier", "fichier_efface_le", "etat"])
    return len(lot)


def _lignes(jour: date) -> QuerySet:
    avant = debut_du_jour(echeance(jour, LIGNES_DEPOTS.mois))
    lignes = LigneDepot.objects.filter(depot=OuterRef("pk"))
    return Depot.objects.filter(Exists(lignes), cree_le__lt=avant)


def _purger_lignes(jour: date, nombre: int) -> int:
    lot = list(_lignes(jour).select_for_update(of=("self",)).order_by("pk")[:nombre])
    LigneDepot.objects.filter(depot__in=lot).delete()
    for depot in lot:
        if depot.etat in (Depot.Etat.A_CONFIRMER, Depot.Etat.EN_APPLICATION):
            depot.etat = Depot.Etat.ABANDONNE
    Depot.objects.bulk_update(lot, ["etat"])
    return len(lot)


def _extraits(jour: date) -> QuerySet:
    avant = debut_du_jour(echeance(jour, EXTRAITS.mois))
    evenements = EvenementExterne.objects.filter(depot=OuterRef("pk"))
    return Depot.objects.filter(Exists(evenements), cree_le__lt=avant)


def _purger_extraits(jour: date, nombre: int) -> int:
    lot = list(_extraits(jour).select_for_update(of=("self",)).order_by("pk")[:nombre])
    EvenementExterne.objects.filter(depot__in=lot).delete()
    return len(lot)


def _filtres(jour: date) -> QuerySet:
    avant = debut_du_jour(echeance(jour, FILTRES_ENREGISTRES.mois))
    return FiltreEnregistre.objects.filter(utilisateur__is_active=False, utilisateur__ferme_le__lt=avant)


def _purger_filtres(jour: date, nombre: int) -> int:
    cles = list(_filtres(jour).order_by("pk").values_list("pk", flat=True)[:nombre])
    FiltreEnregistre.objects.filter(pk__in=cles).delete()
    return len(cles)


def _simulations(jour: date) -> QuerySet:
    return Simulation.objects.filter(calculee_le__lt=debut_du_jour(echeance(jour, SIMULATIONS.mois)))


def _purger_simulations(jour: date, nombre: int) -> int:
    cles = list(_simulations(jour).order_by("pk").values_list("pk", flat=True)[:nombre])
    Simulation.objects.filter(pk__in=cles).delete()
    return len(cles)


def enregistrer_purges() -> None:
    """Called when the app is ready."""
    enregistrer_purgeur(Purgeur(FICHIERS_DEPOTS, lambda jour: _fichiers(jour).count(), _purger_fichiers))
    enregistrer_purgeur(Purgeur(LIGNES_DEPOTS, lambda jour: _lignes(jour).count(), _purger_lignes))
    enregistrer_purgeur(Purgeur(EXTRAITS, lambda jour: _extraits(jour).count(), _purger_extraits))
    enregistrer_purgeur(Purgeur(FILTRES_ENREGISTRES, lambda jour: _filtres(jour).count(), _purger_filtres))
    enregistrer_purgeur(Purgeur(SIMULATIONS, lambda jour: _simulations(jour).count(), _purger_simulations))
