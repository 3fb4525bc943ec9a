"""What this room forgets: households once their bilans are past, and the readings of their labels."""

from datetime import date
from secrets import token_hex

import pgtrigger
from django.db.models import QuerySet

from publics.models import (
    DemandeMenage,
    DossierAgent,
    Labellisation,
    LectureSensible,
    Menage,
    PropositionLabel,
)
from publics.regles.conservation import LECTURES_SENSIBLES, MENAGES, dernier_exercice_echu
from reservation.regles.conservation import echeance
from reservation.services.conservation import Purgeur, enregistrer_purgeur
from reservation.services.oubli import debut_du_jour


def _menages(jour: date) -> QuerySet:
    """Households of whom nothing happened since the last year that is past.

    A label without an end keeps its household as long as it waits for a dwelling.
    """
    fin = date(dernier_exercice_echu(jour), 12, 31)
    loges = Menage.objects.filter(attributions__isnull=False, attributions__refusee_le__isnull=True)
    en_attente = Labellisation.objects.filter(fin=None).exclude(menage__in=loges)
    return (
        Menage.objects.filter(efface_le=None)
        .exclude(passages__commission__date__gt=fin)
        .exclude(candidatures__propose_le__gt=fin)
        .exclude(attributions__date_caleol__gt=fin)
        .exclude(attributions__date_bail__gt=fin)
        .exclude(labels__debut__gt=fin)
        .exclude(labels__fin__gt=fin)
        .exclude(propositions__saisie_le__gt=fin)
        .exclude(dossiers_agent__saisie_le__gt=fin)
        .exclude(dossiers_agent__fin__gt=fin)
        .exclude(pk__in=en_attente.order_by().values("menage"))
    )


def _purger_menages(jour: date, nombre: int) -> int:
    """Delete those that no bilan counts; the others stay as lines, without anything that leads to a person.

    Of an erased one stay the labels and the validations that decided an imputation; not what was proposed or asked.
    """
    # Found first, then locked: in one query PostgreSQL expects a single row and compares each with every other event,
    # a hundred times slower. What happened to a household in between keeps it.
    echus = list(_menages(jour).order_by("pk").values_list("pk", flat=True)[:nombre])
    lot = list(_menages(jour).filter(pk__in=echus).select_for_update(of=("self",)).order_by("pk"))
    cles = [menage.pk for menage in lot]
    seuls = Menage.objects.filter(pk__in=cles, passages=None, attributions=None, candidatures=None)
    supprimes = set(seuls.order_by("pk").values_list("pk", flat=True))
    Menage.objects.filter(pk__in=supprimes).delete()
    effaces = [menage for menage in lot if menage.pk not in supprimes]
    for menage in effaces:
        menage.numero_hache, menage.numero_fin, menage.cle_numero = token_hex(32), "", ""
        menage.efface_le = jour
    siens = {"menage__in": effaces}
    DemandeMenage.objects.filter(**siens).delete()
    PropositionLabel.objects.filter(**siens).delete()
    dossiers = DossierAgent.objects.filter(**siens)
    dossiers.exclude(etat=DossierAgent.Etat.ACCORDEE).delete()
    dossiers.update(contrats=[], preuve=None, preuve_le=None)
    Labellisation.objects.filter(**siens).update(
        secteur=[],
        tailles=[],
        evaluation_sociale=False,
        accompagnement="",
        preuve=None,
        preuve_le=None,
        case_cerfa="",
    )
    Menage.objects.bulk_update(effaces, ["numero_hache", "numero_fin", "cle_numero", "efface_le"])
    return len(lot)


def _lectures(jour: date) -> QuerySet:
    return LectureSensible.objects.filter(lue_le__lt=debut_du_jour(echeance(jour, LECTURES_SENSIBLES.mois)))


def _purger_lectures(jour: date, nombre: int) -> int:
    cles = list(_lectures(jour).order_by("pk").values_list("pk", flat=True)[:nombre])
    with pgtrigger.ignore("publics.LectureSensible:lecture_inalterable"):
        LectureSensible.objects.filter(pk__in=cles).delete()
    return len(cles)


def enregistrer_purges() -> None:
    """Called when the app is ready."""
    enregistrer_purgeur(Purgeur(MENAGES, lambda jour: _menages(jour).count(), _purger_menages))
    enregistrer_purgeur(Purgeur(LECTURES_SENSIBLES, lambda jour: _lectures(jour).count(), _purger_lectures))
