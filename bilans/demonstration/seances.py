"""The commissions of the coming weeks, made by the services as people make them: one to decide, one convened, one prepared."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q

from flux.models import CodeMotif, Commission, Convocation, LigneOrdreDuJour, Usage
from flux.services import commissions
from flux.services.convocations import convoquer_ddets, personnes_a_convoquer
from publics.models import Labellisation
from reservation.acteur import Acteur
from reservation.demonstration import BAILLEUR_PRINCIPAL
from reservation.models import Courriel, Departement, Organisation
from reservation.regles.periodes import PARIS

from .scenario import AUJOURDHUI
from .tirage import Tirage

# (bailleur, département): who has a week to enter.
PREPAREES = ((BAILLEUR_PRINCIPAL, "06"), ("littoral", "06"), ("armor", "22"))
LOGEMENTS_PAR_SEANCE = 6
CATEGORIES = ("DALO", "HEBERGEMENT", "EXPULSION", "L441_1_A", "")
EMPLOIS = ("SALARIE", "AUTRE", "DEMANDEUR_EMPLOI")


def preparer_seances(acteur: Acteur, organisations: Mapping[str, Organisation], tirage: Tirage) -> int:
    """For each of `PREPAREES`, commissions around today; returns how many. What is there already is left alone."""
    if LigneOrdreDuJour.objects.filter(bailleur__fictive=True).exists():
        return 0
    return sum(
        _preparer(acteur, organisations[cle], departement, tirage.sous(cle, departement))
        for cle, departement in PREPAREES
        if cle in organisations and Departement.objects.filter(pk=departement).exists()
    )


@transaction.atomic
def _preparer(acteur: Acteur, bailleur: Organisation, departement: str, tirage: Tirage) -> int:
    """Held and to be decided on 12 November; convened for the 26; a window in December, in preparation."""
    lieu = {"heure": time(14), "lieu": "salle du conseil"}
    fenetre = {
        "heure": time(9),
        "dematerialisee": True,
        "date_fin": AUJOURDHUI + timedelta(days=26),
        "heure_fin": time(9),
    }
    faites = 0
    for rang, (ecart, faits, convoquee) in enumerate(
        ((-3, lieu, True), (11, lieu, True), (25, fenetre, False))
    ):
        commission = commissions.planifier_commission(
            acteur,
            bailleur,
            Departement.objects.get(pk=departement),
            date=AUJOURDHUI + timedelta(days=ecart),
            **faits,
        )
        _garnir(acteur, commission, tirage.sous(rang))
        if convoquee:
            _convoquer(acteur, commission)
        faites += 1
    return faites


def _garnir(acteur: Acteur, commission: Commission, tirage: Tirage) -> None:
    """Dwellings that wait, on no other agenda and for no réservataire, oriented ones first; three candidatures each, two
    for the last."""
    libres = list(
        commissions.liberations_a_examiner(commission)
        .filter(usage=Usage.FLUX, lignes_ordre_du_jour=None, designations=None, date__lte=AUJOURDHUI)
        .order_by(ExpressionWrapper(Q(reservataire=None), BooleanField()), "date", "pk")[
            :LOGEMENTS_PAR_SEANCE
        ]
    )
    if not libres:
        return
    lignes = commissions.inscrire_logements(acteur, commission, libres)
    for place, ligne in enumerate(lignes):
        for k in range(2 if place == len(lignes) - 1 else 3):
            sort = tirage.entier(f"{place}/{k}")
            passage = commissions.ajouter_candidature(
                acteur,
                ligne,
                numero_unique=f"{commission.departement_id.zfill(3)}{commission.date:%m%y}DEMO{sort % 10**7:07d}",
                date_proposition=commission.date - timedelta(days=15),
                statut_emploi=EMPLOIS[sort % len(EMPLOIS)],
            )
            if categorie := CATEGORIES[(sort // 7 + k) % len(CATEGORIES)]:
                # One label in eight comes after the commission: it does not count, and the page says so.
                jours = -1 if sort % 8 == 0 else sort % 400
                Labellisation.objects.create(
                    menage=passage.menage,
                    departement_id=commission.departement_id,
                    categorie_id=categorie,
                    debut=commission.date - timedelta(days=jours),
                )
    if len(lignes) > 1:
        motif = CodeMotif.objects.get(code="C_INSUFFISANTES")
        commissions.motiver_candidatures(acteur, lignes[-1], motif=motif)


def _convoquer(acteur: Acteur, commission: Commission) -> None:
    """Ten days before. The e-mail is written and kept as if it had left: nobody of the demonstration has an address."""
    if not personnes_a_convoquer(commission):
        return
    le = datetime.combine(min(commission.date - timedelta(days=10), AUJOURDHUI), time(9), PARIS)
    for convocation in convoquer_ddets(acteur, commission):
        Convocation.objects.filter(pk=convocation.pk).update(ecrite_le=le)
        Courriel.objects.filter(pk=convocation.courriel_id).update(
            etat=Courriel.Etat.ENVOYE, envoye_le=le, essais=1
        )
    commission.evenements.update(le=le)
