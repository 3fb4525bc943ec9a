"""What the ground floor forgets: imported files, names of closed accounts, old sessions, e-mails and invitations."""

from datetime import date, datetime, time

from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from reservation.models import Courriel, ImportRpls, Invitation, Rattachement, Utilisateur
from reservation.regles.conservation import (
    COMPTES_FERMES,
    COURRIELS,
    FICHIERS_IMPORTES,
    INVITATIONS,
    SESSIONS,
    echeance,
)
from reservation.services.conservation import Purgeur, enregistrer_purgeur

DOMAINE_FERME = "ferme.invalid"


def debut_du_jour(jour: date) -> datetime:
    """Midnight of `jour`, Europe/Paris."""
    return timezone.make_aware(datetime.combine(jour, time.min))


def _fichiers(jour: date) -> QuerySet:
    avant = debut_du_jour(echeance(jour, FICHIERS_IMPORTES.mois))
    finis = (ImportRpls.Etat.APPLIQUE, ImportRpls.Etat.REFUSE, ImportRpls.Etat.ABANDONNE)
    return (
        ImportRpls.objects.filter(etat__in=finis)
        .exclude(fichier="", rejets="")
        .annotate(fini_le=Coalesce("applique_le", "cree_le"))
        .filter(fini_le__lt=avant)
    )


def _purger_fichiers(jour: date, nombre: int) -> int:
    lot = list(_fichiers(jour).select_for_update(of=("self",)).order_by("pk")[:nombre])
    for import_rpls in lot:
        for nom in filter(None, (import_rpls.fichier.name, import_rpls.rejets)):
            # Once the row forgets it: a file without a row is lost, a row without its file is a broken page.
            transaction.on_commit(lambda nom=nom: default_storage.delete(nom))
        import_rpls.fichier, import_rpls.rejets = "", ""
    ImportRpls.objects.bulk_update(lot, ["fichier", "rejets"])
    return len(lot)


def _comptes(jour: date) -> QuerySet:
    avant = echeance(jour, COMPTES_FERMES.mois)
    retenus = Rattachement.objects.filter(Q(fin__isnull=True) | Q(fin__gte=avant), utilisateur=OuterRef("pk"))
    return (
        Utilisateur.objects.filter(is_active=False)
        .exclude(courriel__endswith=f"@{DOMAINE_FERME}")
        .filter(~Exists(retenus))
        .annotate(vu_le=TruncDate(Coalesce("last_login", "date_joined")))
        .filter(vu_le__lt=avant)
    )


def _purger_comptes(jour: date, nombre: int) -> int:
    cles = list(_comptes(jour).order_by("pk").values_list("pk", flat=True)[:nombre])
    lot = list(Utilisateur.objects.select_for_update().filter(pk__in=cles).order_by("pk"))
    for utilisateur in lot:
        utilisateur.nom = f"Compte fermé n° {utilisateur.pk}"
        utilisateur.courriel = f"compte-{utilisateur.pk}@{DOMAINE_FERME}"
        utilisateur.set_unusable_password()
        utilisateur.last_login = None
    Utilisateur.objects.bulk_update(lot, ["nom", "courriel", "password", "last_login"])
    return len(lot)


def _sessions(jour: date) -> QuerySet:
    return Session.objects.filter(expire_date__lt=debut_du_jour(jour))


def _purger_sessions(jour: date, nombre: int) -> int:
    cles = list(_sessions(jour).order_by("pk").values_list("pk", flat=True)[:nombre])
    Session.objects.filter(pk__in=cles).delete()
    return len(cles)


def _courriels(jour: date) -> QuerySet:
    return Courriel.objects.exclude(etat=Courriel.Etat.EN_ATTENTE).filter(
        ecrit_le__lt=debut_du_jour(echeance(jour, COURRIELS.mois))
    )


def _purger_courriels(jour: date, nombre: int) -> int:
    cles = list(_courriels(jour).order_by("pk").values_list("pk", flat=True)[:nombre])
    Courriel.objects.filter(pk__in=cles).delete()
    return len(cles)


def _invitations(jour: date) -> QuerySet:
    return (
        Invitation.objects.exclude(courriel__endswith=f"@{DOMAINE_FERME}")
        .annotate(finie_le=Coalesce("acceptee_le", "revoquee_le", "expire_le"))
        .filter(finie_le__lt=debut_du_jour(echeance(jour, INVITATIONS.mois)))
    )


def _purger_invitations(jour: date, nombre: int) -> int:
    lot = list(_invitations(jour).select_for_update(of=("self",)).order_by("pk")[:nombre])
    for invitation in lot:
        invitation.courriel = f"invitation-{invitation.pk}@{DOMAINE_FERME}"
    Invitation.objects.bulk_update(lot, ["courriel"])
    return len(lot)


def enregistrer_purges() -> None:
    """Called when the app is ready."""
    enregistrer_purgeur(Purgeur(FICHIERS_IMPORTES, lambda jour: _fichiers(jour).count(), _purger_fichiers))
    enregistrer_purgeur(Purgeur(COMPTES_FERMES, lambda jour: _comptes(jour).count(), _purger_comptes))
    enregistrer_purgeur(Purgeur(SESSIONS, lambda jour: _sessions(jour).count(), _purger_sessions))
    enregistrer_purgeur(Purgeur(COURRIELS, lambda jour: _courriels(jour).count(), _purger_courriels))
    enregistrer_purgeur(Purgeur(INVITATIONS, lambda jour: _invitations(jour).count(), _purger_invitations))
