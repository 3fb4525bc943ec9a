"""Small bailleur-years for the tests of the services: a parc, the acts of PACA, some libérations."""

from datetime import date
from decimal import Decimal

from django.utils import timezone

from flux.models import Attribution, Liberation
from publics.models import DossierAgent, Labellisation, Menage
from reservation.models import (
    AgregatParc,
    Convention,
    Departement,
    EtatParc,
    ImportRpls,
    Organisation,
    VersionConvention,
)
from tests.personnages import CANNES, Distribution

ANNEE = 2026
SOUSTRACTIONS = ["MUTATION", "RU", "ORCOD", "INSALUBRITE", "VENTE"]


def convention(
    bailleur: Organisation, reservataire: Organisation, departement: str = "06", *, taux="20", **champs
) -> VersionConvention:
    """A signed act of three years, in the terms of PACA when its réservataire is the DDETS."""
    communes = champs.pop("communes", ())
    debut, fin = champs.pop("debut", date(2025, 1, 1)), champs.pop("fin", date(2027, 12, 31))
    acte = Convention.objects.create(
        bailleur=bailleur,
        reservataire=reservataire,
        departement_id=departement,
        numero=champs.pop("numero", f"{departement}-{reservataire.pk}-{debut.year}"),
        debut=debut,
        fin=fin,
        etat=Convention.Etat.SIGNEE,
        signee_le=debut,
    )
    version = VersionConvention.objects.create(
        convention=acte,
        bailleur=bailleur,
        reservataire=reservataire,
        departement_id=departement,
        effet=debut,
        signee_le=debut,
        taux=Decimal(taux),
        **champs,
    )
    version.communes.set(communes)
    return version


def convention_etat(
    bailleur: Organisation, ddets: Organisation, departement: str = "06", **champs
) -> VersionConvention:
    return convention(
        bailleur,
        ddets,
        departement,
        **{
            "taux": "30",
            "taux_agents": Decimal(5),
            "soustractions": SOUSTRACTIONS,
            "retrocession_taux": Decimal("1.37"),
            "retrocession_debut": date(2025, 1, 1),
            "retrocession_fin": date(2039, 12, 31),
            "plancher_hors_qpv": Decimal(30),
            "taux_rotation": Decimal("8.5"),
        }
        | champs,
    )


def actes_paca(cast: Distribution, bailleur: Organisation | None = None) -> dict[str, VersionConvention]:
    """The three acts of a bailleur of the Alpes-Maritimes: État 30 (28.63 net), ALS 27, Cannes 10."""
    bailleur = bailleur or cast.bailleur_a
    return {
        "etat": convention_etat(bailleur, cast.ddets_06),
        "als": convention(bailleur, cast.als, taux="27"),
        "cannes": convention(bailleur, cast.commune_cannes, taux="10", communes=[CANNES]),
    }


def parc(
    bailleur: Organisation, departement: str = "06", *, millesime: int = ANNEE, lots: list[dict] | None = None
) -> EtatParc:
    """State and aggregate of a millésime; by default 1 000 dwellings of Cannes in the assiette, all let."""
    lots = lots or [{}]
    importe = ImportRpls.objects.create(
        bailleur=bailleur,
        millesime=millesime,
        nom_fichier="essai.csv",
        taille=1,
        sha256="0" * 64,
        etat=ImportRpls.Etat.APPLIQUE,
        applique_le=timezone.now(),
    )
    AgregatParc.objects.bulk_create(
        AgregatParc(
            bailleur=bailleur,
            departement_id=departement,
            millesime=millesime,
            **{
                "commune_id": CANNES,
                "qpv": False,
                "typologie": "T3",
                "financement": "PLUS",
                "periode": "1971-90",
                "finan": "13",
                "conv": "1",
                "mode": "1",
                "sortie": "9",
                "typeconst": "C",
                "drapeaux": [],
                "statut": "CONVENTIONNE",
                "nombre": 1000,
            }
            | lot,
        )
        for lot in lots
    )
    return EtatParc.objects.create(
        bailleur=bailleur,
        departement_id=departement,
        millesime=millesime,
        logements=sum(lot.get("nombre", 1000) for lot in lots),
        import_rpls=importe,
        calcule_le=timezone.now(),
    )


def liberation(bailleur: Organisation, jour: date, departement: str = "06", **champs) -> Liberation:
    """A row as the services would have left it: dwelling of Cannes in the assiette, hors QPV."""
    rang = Liberation.objects.count() + 1
    oriente = champs.get("reservataire")
    return Liberation.objects.create(
        bailleur=bailleur,
        departement=Departement.objects.get(pk=departement),
        date=jour,
        **{
            "commune_id": CANNES,
            "cle_logement": f"LOG-{rang}",
            "reference": f"REF-{rang}",
            "qpv": False,
            "finan": "13",
            "conv": "1",
            "nbpiece": 3,
            "typologie": "T3",
            "financement": "PLUS",
            "periode": "1971-90",
            "statut_logement": "CONVENTIONNE",
            "dans_assiette": True,
            "orientee_le": jour if oriente else None,
        }
        | champs,
    )


def menage(departement: str = "06", *labels: tuple) -> Menage:
    """A household, with its labels: (category, first day) or (category, first day, last day)."""
    rang = Menage.objects.count() + 1
    cree = Menage.objects.create(
        departement_id=departement, numero_hache=f"{rang:064d}", numero_fin=f"{rang:04d}"
    )
    for categorie, debut, *fin in labels:
        Labellisation.objects.create(
            departement_id=departement,
            menage=cree,
            categorie_id=categorie,
            debut=debut,
            fin=fin[0] if fin else None,
        )
    return cree


def agent_valide(foyer: Menage, jour: date, par: Organisation, departement: str = "06") -> DossierAgent:
    """The file of an agent of the État, validated on `jour` by the DDETS or the préfecture."""
    return DossierAgent.objects.create(
        menage=foyer,
        departement_id=departement,
        versant="ETAT",
        statut="TITULAIRE",
        etat="ACCORDEE",
        saisie_par=par,
        saisie_le=jour,
        echeance=jour,
        decidee_par=par,
        decidee_le=jour,
    )


def attribution(liberation_: Liberation, caleol: date, **champs) -> Attribution:
    return Attribution.objects.create(
        bailleur_id=liberation_.bailleur_id,
        departement_id=liberation_.departement_id,
        liberation=liberation_,
        date_caleol=caleol,
        **champs,
    )
