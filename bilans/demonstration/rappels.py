"""The reminders of the story: each written by the service on the morning that called for it, with the facts of that morning.

They are sent already, but the last of the main bailleur: its relay refused it, and its administrator may send it again.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.db import transaction

from bilans.models import CourrielDeRappel, Rappel
from bilans.regles.campagne import echeances_par_defaut
from bilans.services import rappels
from reservation.acteur import Acteur
from reservation.demonstration import BAILLEUR_PRINCIPAL
from reservation.models import Courriel, Organisation
from reservation.perimetre import agir
from reservation.regles.periodes import PARIS, UN_JOUR
from reservation.services.courriels import DELAIS

from .scenario import AUJOURDHUI

J_30, J_7 = timedelta(days=30), timedelta(days=7)
HEURE = time(6, 15, tzinfo=PARIS)
REFUS = "SMTPRecipientsRefused : 552 boîte aux lettres pleine (démonstration)"


def matins() -> list[date]:
    """The mornings on which something may be called for in the campaign of the year: J-30, J-7, J+1, then late."""
    jours = {
        jour
        for e in echeances_par_defaut(AUJOURDHUI.year)
        if e.suivie
        for jour in (e.due - J_30, e.due - J_7, e.due + UN_JOUR, e.tolerance + UN_JOUR)
    }
    return sorted(jour for jour in jours if jour <= AUJOURDHUI)


@transaction.atomic
def rappeler_chaque_matin(acteur: Acteur, organisations: Mapping[str, Organisation]) -> int:
    """Returns how many e-mails; none the second time."""
    with agir(acteur):
        if Rappel.objects.exists():
            return 0
        for jour in matins():
            matin = datetime.combine(jour, HEURE)
            rappels.rappeler(matin)
            # Before the end of the transaction: no worker sends them.
            Courriel.objects.filter(
                pk__in=CourrielDeRappel.objects.filter(rappel__ecrit_le=matin).values("courriel")
            ).update(etat=Courriel.Etat.ENVOYE, ecrit_le=matin, envoye_le=matin, essais=1)
        envois = CourrielDeRappel.objects.order_by("rappel__ecrit_le", "pk")
        dernier = envois.filter(rappel__organisation=organisations.get(BAILLEUR_PRINCIPAL)).last()
        if dernier is not None:
            Courriel.objects.filter(pk=dernier.courriel_id).update(
                etat=Courriel.Etat.ECHEC, envoye_le=None, essais=len(DELAIS) + 1, erreur=REFUS
            )
        return envois.order_by().values("courriel").distinct().count()
