"""The end of a clock, told once to the DDETS: it makes an act possible, and does none.

Every night. A procedure that has moved on since is told of no more, even when its e-mail already waits.
"""

from datetime import date, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from bilans.models import Procedure
from bilans.regles.procedures import Etat
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Courriel, Organisation
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr, typographier
from reservation.services import courriels

from .procedures_liste import delais_de
from .rappels import personnes_prevenues

GABARIT = "delai_expire"
# A night that was missed is made up for; an older end is on the pages, not in the post.
RATTRAPAGE = timedelta(days=7)
AVEC_DELAI = (Etat.DELAI.value, Etat.OBSERVATIONS.value)


@agir(Acteur.du_systeme("délais des procédures"))
@transaction.atomic
def annoncer_les_expirations(jour: date | None = None) -> int:
    """Write the e-mails of the clocks that ran out in the last days; returns how many. Run twice, it writes nothing twice."""
    jour = jour or timezone.localdate()
    procedures = list(
        Procedure.objects.filter(etat__in=AVEC_DELAI)
        .select_related("bailleur", "reservataire", "departement")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    delais = delais_de(procedures)
    ecrits = 0
    for procedure in procedures:
        delai = delais.get(procedure.pk)
        if delai is None or not delai.expire(jour) or jour - delai.fin > RATTRAPAGE:
            continue
        ddets = (
            Organisation.objects.filter(type=TypeOrganisation.DDETS, departement=procedure.departement_id)
            .order_by("pk")
            .first()
        )
        if ddets is None or _deja_annoncee(procedure):
            continue
        for courriel in personnes_prevenues(ddets):
            courriels.ecrire(
                GABARIT,
                courriel,
                {
                    "numero": procedure.numero,
                    "sorte": procedure.regle.libelle,
                    "annee": procedure.annee,
                    "vise": procedure.destinataire.nom,
                    "departement": procedure.departement.nom,
                    "fin": date_fr(delai.fin),
                    "page": reverse("bilans:procedure", args=[procedure.pk]),
                },
                organisation=ddets,
            )
            ecrits += 1
    return ecrits


def _objet(numero: str) -> str:
    return typographier(f"Délai expiré : procédure {numero}")


def _deja_annoncee(procedure: Procedure) -> bool:
    return Courriel.objects.filter(gabarit=GABARIT, objet=_objet(procedure.numero)).exists()


@agir(Acteur.du_systeme("délais des procédures"), lecture_seule=True)
def encore_utile(courriel: Courriel) -> bool:
    """Whether the procedure of this e-mail is still where its clock left it."""
    return any(
        _objet(p.numero) == courriel.objet
        for p in Procedure.objects.filter(etat__in=AVEC_DELAI).order_by("pk")
    )
