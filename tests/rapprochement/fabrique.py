"""Extracts already read, and bailleur-years to compare them with: rows as the services would have left them."""

from datetime import date

from django.utils import timezone

from flux.models import Attribution, Depot, EvenementExterne, Rapprochement
from flux.services import rapprochements as services
from publics.models import Menage
from reservation.models import Departement, Organisation
from tests.flux.fabriques import ANNEE, attribution, liberation, menage

PREMIER, DERNIER = date(ANNEE, 1, 1), date(ANNEE, 12, 31)
MARS = date(ANNEE, 3, 10)
BAIL = date(ANNEE, 4, 1)
DALO = ("DALO", date(ANNEE, 1, 2))


def extrait(
    organisation: Organisation, source: str, lignes: list[dict], departement: str = "06", annee: int = ANNEE
) -> Depot:
    """A deposit whose lines were read: each names its household (`menage`: a row, or the hash of an unknown one)."""
    depot = Depot.objects.create(
        organisation=organisation,
        bailleur=organisation if organisation.type == "BAILLEUR" else None,
        departement_id=departement,
        periode_debut=date(annee, 1, 1),
        periode_fin=date(annee, 12, 31),
        sujet=source,
        nom_fichier=f"extrait {source}.csv",
        taille=1,
        sha256="0" * 64,
        etat=Depot.Etat.APPLIQUE,
        applique_le=timezone.now(),
        fichier_efface_le=timezone.now(),
    )
    EvenementExterne.objects.bulk_create(
        _evenement(depot, source, rang, dict(ligne)) for rang, ligne in enumerate(lignes, 2)
    )
    return depot


def _evenement(depot: Depot, source: str, rang: int, ligne: dict) -> EvenementExterne:
    menage_ = ligne.pop("menage")
    connu = isinstance(menage_, Menage)
    dates = [ligne.get(nom) for nom in ("date_caleol", "date_bail", "date_radiation", "label_debut")]
    nature = "LABEL" if not any(dates[:3]) else "BAIL" if ligne.get("date_bail") else "ATTRIBUTION"
    return EvenementExterne(
        depot=depot,
        organisation=depot.organisation,
        source=source,
        ligne=rang,
        departement_id=depot.departement_id,
        nature=nature,
        jour=next(jour for jour in dates if jour),
        numero_hache=menage_.numero_hache if connu else menage_,
        numero_fin=menage_.numero_fin if connu else menage_[-4:],
        **ligne,
    )


def attribuer(bailleur, reservataire, caleol: date, *labels, departement="06", **champs) -> Attribution:
    """A libération of the year oriented to `reservataire`, attributed to a household that has these labels."""
    libre = liberation(bailleur, min(caleol, date(ANNEE, 2, 1)), departement, reservataire=reservataire)
    return attribution(libre, caleol, menage=menage(departement, *labels), **champs)


def passer(cast, qui="gestionnaire_a", **champs) -> Rapprochement:
    (rapprochement,) = services.demander(
        cast.acteur(qui),
        Departement.objects.get(pk="06"),
        debut=PREMIER,
        fin=DERNIER,
        bailleur=cast.bailleur_a,
        appeler=False,
        **champs,
    )
    services.executer([rapprochement.pk])
    rapprochement.refresh_from_db()
    return rapprochement
