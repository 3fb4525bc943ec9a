"""What this room forgets: what the parties of a procedure wrote and attached, and the archives that copy them."""

from datetime import date

import pgtrigger
from django.db.models import Max, Q, QuerySet

from bilans.models import (
    ActionReunion,
    DossierControle,
    ParagrapheProcedure,
    PieceProcedure,
    Procedure,
    Reunion,
)
from bilans.regles.conservation import (
    BROUILLONS_PROCEDURE,
    DOSSIERS_CONTROLE,
    ECRITS_PROCEDURE,
    REUNIONS,
)
from bilans.regles.procedures import FINS
from reservation.regles.conservation import RegleConservation, echeance
from reservation.services.conservation import Purgeur, enregistrer_purgeur
from reservation.services.oubli import debut_du_jour


def _finies(regle: RegleConservation, jour: date) -> QuerySet:
    """Procedures whose last act, that ended them, is older than the rule."""
    return (
        Procedure.objects.filter(etat__in=[etat.value for etat in FINS])
        .annotate(fin=Max("etapes__le"))
        .filter(fin__lt=debut_du_jour(echeance(jour, regle.mois)))
        .order_by()
        .values("pk")
    )


def _ecrits(regle: RegleConservation, jour: date) -> tuple[QuerySet, QuerySet]:
    """Documents, then paragraphs: the answers before what they answer."""
    signes = {"signature__isnull": regle is BROUILLONS_PROCEDURE, "procedure__in": _finies(regle, jour)}
    pieces = PieceProcedure.objects.filter(**signes).defer("octets").order_by("-pk")
    return pieces, ParagrapheProcedure.objects.filter(**signes).order_by("-pk")


def _purgeur_d_ecrits(regle: RegleConservation) -> Purgeur:
    def purger(jour: date, nombre: int) -> int:
        faits = 0
        with pgtrigger.ignore(
            "bilans.PieceProcedure:piece_signee", "bilans.ParagrapheProcedure:paragraphe_signe"
        ):
            for lignes in _ecrits(regle, jour):
                for ligne in lignes[: nombre - faits]:
                    ligne.delete()
                    faits += 1
        return faits

    return Purgeur(regle, lambda jour: sum(lignes.count() for lignes in _ecrits(regle, jour)), purger)


def _dossiers(jour: date) -> QuerySet:
    limite = debut_du_jour(echeance(jour, DOSSIERS_CONTROLE.mois))
    return DossierControle.objects.filter(demande_le__lt=limite).order_by("pk")


def _purger_dossiers(jour: date, nombre: int) -> int:
    cles = list(_dossiers(jour).values_list("pk", flat=True)[:nombre])
    DossierControle.objects.filter(pk__in=cles).delete()
    return len(cles)


def _reunions(jour: date) -> QuerySet:
    """Closed or cancelled that long ago; one of which an action is still to do waits for it."""
    limite = echeance(jour, REUNIONS.mois)
    return (
        Reunion.objects.filter(
            Q(etat="CLOSE", close_le__lt=debut_du_jour(limite)) | Q(etat="ANNULEE", date__lt=limite)
        )
        .exclude(pk__in=ActionReunion.objects.ouvertes().values("reunion"))
        .order_by("pk")
    )


def _purger_reunions(jour: date, nombre: int) -> int:
    faites = list(_reunions(jour)[:nombre])
    with pgtrigger.ignore(
        "bilans.PointReunion:gel_reunion_retrait", "bilans.DecisionReunion:gel_reunion_retrait"
    ):
        for reunion in faites:
            for suite in ("actions", "decisions", "points", "invites", "evenements", "comptes_rendus"):
                getattr(reunion, suite).all().delete()
            reunion.delete()
    return len(faites)


def enregistrer_purges() -> None:
    """Called when the app is ready."""
    enregistrer_purgeur(_purgeur_d_ecrits(ECRITS_PROCEDURE))
    enregistrer_purgeur(_purgeur_d_ecrits(BROUILLONS_PROCEDURE))
    enregistrer_purgeur(Purgeur(REUNIONS, lambda jour: _reunions(jour).count(), _purger_reunions))
    enregistrer_purgeur(Purgeur(DOSSIERS_CONTROLE, lambda jour: _dossiers(jour).count(), _purger_dossiers))
