"""Small parcs, written as the importer leaves them: dwellings, state and aggregate that agree."""

from collections import Counter
from datetime import UTC, datetime

from reservation.models import AgregatParc, Commune, Drapeau, EtatParc, ImportRpls, Logement, Organisation
from reservation.regles.statut import Exclusions, statut_logement

ENREGISTRE_LE = datetime(2026, 5, 19, 7, 14, tzinfo=UTC)
MOTIF = "Posé avec le parc de l’essai"
AXES = [
    "commune_id",
    "qpv",
    "typologie",
    "financement",
    "periode",
    "finan",
    "conv",
    "mode",
    "sortie",
    "typeconst",
    "statut",
]


def import_applique(bailleur: Organisation, millesime: int, **champs) -> ImportRpls:
    return ImportRpls.objects.create(
        bailleur=bailleur,
        millesime=millesime,
        nom_fichier=champs.pop("nom_fichier", f"rpls_{millesime}.csv"),
        taille=1,
        sha256="0" * 64,
        etat=ImportRpls.Etat.APPLIQUE,
        applique_le=ENREGISTRE_LE.replace(year=millesime),
        **champs,
    )


def logement(cle: str, commune: str = "06029", **champs) -> dict:
    """Columns of one dwelling, ordinary unless said otherwise: let, conventionné APL, PLUS, T3 of 1975, hors QPV."""
    return {
        "cle": cle,
        "ident_int": f"REF-{cle}",
        "ident_rep": cle.zfill(10),
        "adresse": "12 IMPASSE DE L’ÉTÉ",
        "code_postal": "06400",
        "commune_id": commune,
        "programme": "",
        "qpv": False,
        "typeconst": "C",
        "nbpiece": 3,
        "surfhab": 64,
        "construct": 1975,
        "locat": 1975,
        "origine": "1",
        "droit": "1",
        "finan": "13",
        "conv": "1",
        "mode": "1",
        "sortie": "9",
        "drapeaux": [],
        "typologie": "T3",
        "financement": "PLUS",
        "periode": "1971-90",
    } | champs


def poser_parc(
    bailleur: Organisation, millesime: int, lignes: list[dict], exclusions: Exclusions | None = None, **champs
) -> list[Logement]:
    """Store a parc; each commune says its département. Returns the dwellings in the order given."""
    recu = import_applique(bailleur, millesime, **champs)
    departements = dict(Commune.objects.values_list("pk", "departement"))
    logements = [
        Logement(
            bailleur=bailleur,
            departement_id=departements[ligne["commune_id"]],
            millesime=millesime,
            import_rpls=recu,
            ligne=rang,
            statut=statut_logement(
                ligne["finan"],
                ligne["conv"],
                ligne["mode"],
                ligne["sortie"],
                frozenset(ligne["drapeaux"]),
                bailleur.famille,
                exclusions or Exclusions(),
            ),
            **ligne,
        )
        for rang, ligne in enumerate(lignes, 2)
    ]
    Logement.objects.bulk_create(logements)
    comptes = Counter(
        (x.departement_id, tuple(x.drapeaux), *(getattr(x, axe) for axe in AXES)) for x in logements
    )
    AgregatParc.objects.bulk_create(
        AgregatParc(
            bailleur=bailleur,
            millesime=millesime,
            departement_id=departement,
            drapeaux=list(drapeaux),
            nombre=nombre,
            **dict(zip(AXES, axes, strict=True)),
        )
        for (departement, drapeaux, *axes), nombre in comptes.items()
    )
    Drapeau.objects.bulk_create(
        (
            Drapeau(
                bailleur=bailleur,
                departement_id=x.departement_id,
                portee=Drapeau.Portee.LOGEMENT,
                cible=x.cle,
                code=code,
                motif=MOTIF,
            )
            for x in logements
            for code in x.drapeaux
        ),
        ignore_conflicts=True,
    )
    EtatParc.objects.bulk_create(
        EtatParc(
            bailleur=bailleur,
            departement_id=departement,
            millesime=millesime,
            logements=nombre,
            import_rpls=recu,
            calcule_le=recu.applique_le,
        )
        for departement, nombre in Counter(x.departement_id for x in logements).items()
    )
    return logements
