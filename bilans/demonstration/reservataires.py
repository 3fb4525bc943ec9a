"""What waits for the réservataires: dwellings to fill in gestion directe, and the concertation of a new programme."""

from collections.abc import Mapping
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from flux.models import Consultation, Designation, Liberation, Programme, Usage
from flux.services import orientations, programmes
from flux.services.programmes import Ligne
from reservation.acteur import Acteur, TypeOrganisation
from reservation.demonstration import BAILLEUR_PRINCIPAL
from reservation.models import Commune, Courriel, Organisation

from .scenario import AUJOURDHUI

# (bailleur, département, réservataire, dwellings): those who propose their candidates themselves.
A_POURVOIR = (
    (BAILLEUR_PRINCIPAL, "06", "als", 2),
    (BAILLEUR_PRINCIPAL, "06", "cannes", 1),
    ("littoral", "06", "ddets-06", 2),
)
CANNES = "06029"
LOGEMENTS = 24
# Who answered, and the dwellings agreed with it; the others are still awaited.
REPONSES = {TypeOrganisation.DDETS: 6, TypeOrganisation.ACTION_LOGEMENT: 6}


@transaction.atomic
def demander_des_candidats(acteur: Acteur, organisations: Mapping[str, Organisation]) -> int:
    """The dwellings freed last are oriented today; returns how many. What is there already is left alone."""
    if Designation.objects.filter(bailleur__fictive=True).exists():
        return 0
    faites = 0
    for bailleur, departement, cle, nombre in A_POURVOIR:
        reservataire = organisations.get(cle)
        if bailleur not in organisations or reservataire is None:
            continue
        libres = Liberation.objects.filter(
            bailleur=organisations[bailleur],
            departement=departement,
            reservataire=None,
            usage=Usage.FLUX,
            premiere=False,
            annulee_le=None,
            dans_assiette=True,
            date__range=(date(AUJOURDHUI.year, 1, 1), AUJOURDHUI),
            attributions=None,
        ).order_by("-date", "pk")
        if territoire := list(reservataire.communes.values_list("pk", flat=True)):
            libres = libres.filter(commune__in=territoire)
        for liberation in libres[:nombre]:
            orientations.orienter_liberation(acteur, liberation, reservataire=reservataire, date=AUJOURDHUI)
            faites += 1
    # Nobody of the demonstration has an address.
    Courriel.objects.filter(
        organisation__fictive=True, etat=Courriel.Etat.EN_ATTENTE, gabarit="logement_a_pourvoir"
    ).update(etat=Courriel.Etat.ENVOYE, envoye_le=timezone.now(), essais=1)
    return faites


@transaction.atomic
def ouvrir_la_concertation(acteur: Acteur, organisations: Mapping[str, Organisation]) -> int:
    """A new programme of the main bailleur in Cannes: the réservataires are consulted, some have answered."""
    bailleur = organisations[BAILLEUR_PRINCIPAL]
    if Programme.objects.filter(bailleur__fictive=True).exists():
        return 0
    commune = Commune.objects.filter(pk=CANNES).first()
    consulte_le = AUJOURDHUI - timedelta(days=26)
    if commune is None or not programmes.reservataires_de(bailleur, commune, consulte_le):
        return 0
    programme = programmes.ouvrir_concertation(
        acteur,
        bailleur,
        nom="Résidence du Midi (démonstration)",
        reference="DEMO-OP-2027-01",
        commune=commune,
        livraison=date(AUJOURDHUI.year + 1, 4, 1),
        logements=LOGEMENTS,
        consulte_le=consulte_le,
    )
    lignes = {
        consultation.pk: Ligne(
            Consultation.Reponse.ACCORD,
            consulte_le + timedelta(days=9),
            REPONSES[TypeOrganisation(consultation.reservataire.type)],
        )
        for consultation in programme.consultations.select_related("reservataire")
        if consultation.reservataire.type in REPONSES
    }
    programmes.enregistrer_reponses(acteur, programme, lignes, non_reserves=0)
    return 1
