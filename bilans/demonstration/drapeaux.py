"""Flags that the bailleurs of the story have set: sale, demolition, student homes, defence, travellers.

They are loaded before the parcs: the import finds them and gives each dwelling its status, as it does for flags
that people set before a new millésime comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from reservation.models import Drapeau, Organisation, Utilisateur
from reservation.models.parc import CodeDrapeau

Portee = Drapeau.Portee

ANCIEN = (pl.col("construct") < 1990) & (pl.col("typeconst") == "C") & (pl.col("conv") == "1")
ETUDIANT = pl.col("typeconst") == "E"


@dataclass(frozen=True)
class Pose:
    """A flag to set on the first programmes, or dwellings, that fit: `nombre` of them."""

    code: str
    condition: pl.Expr
    motif: str
    portee: str = Portee.PROGRAMME
    nombre: int = 1


POSES: dict[tuple[str, str], tuple[Pose, ...]] = {
    ("azur", "06"): (
        Pose(CodeDrapeau.PLAN_DE_VENTE, ANCIEN, "Plan de vente 2024-2029, délibération de démonstration"),
        Pose(CodeDrapeau.DEMOLITION, ANCIEN & (pl.col("qpv") == "1"), "Démolition inscrite au NPNRU"),
        Pose(CodeDrapeau.RESIDENCE_UNIVERSITAIRE, ETUDIANT, "Résidence gérée par une association étudiante"),
    ),
    ("illustration", "13"): (
        Pose(CodeDrapeau.RESIDENCE_UNIVERSITAIRE, ETUDIANT, "Résidence universitaire", nombre=2),
        Pose(CodeDrapeau.LOGEMENT_FOYER, pl.col("nbpiece") == 1, "Pension de famille"),
    ),
    ("illustration", "83"): (Pose(CodeDrapeau.ORDINAIRE, ETUDIANT, "Loués comme des logements ordinaires"),),
    ("sem", "13"): (Pose(CodeDrapeau.PLAN_DE_VENTE, ANCIEN, "Plan de vente de la société"),),
    ("metropole", "13"): (
        Pose(
            CodeDrapeau.DEMOLITION, ANCIEN & (pl.col("qpv") == "1"), "Démolition inscrite au NPNRU", nombre=2
        ),
    ),
    ("corse", "2A"): (
        Pose(CodeDrapeau.DEFENSE, pl.col("nbpiece") == 4, "Convention avec la défense", Portee.LOGEMENT, 6),
    ),
    ("littoral", "83"): (
        Pose(CodeDrapeau.DEFENSE, pl.col("nbpiece") == 3, "Convention avec la marine", Portee.LOGEMENT, 12),
    ),
    ("armor", "22"): (
        Pose(CodeDrapeau.GENS_DU_VOYAGE, pl.col("typeconst") == "I", "Terrain familial locatif"),
        Pose(
            CodeDrapeau.HABITAT_INCLUSIF,
            pl.col("construct") >= 2010,
            "Habitat inclusif, aide à la vie partagée",
        ),
    ),
}


def poser(
    departement: str, vie: pl.DataFrame, organisations: Mapping[str, Organisation], personne: Utilisateur
) -> None:
    """Set the flags of the story in one département, those that are not there yet.

    `vie`: the dwellings as the RPLS files will tell them (`ident_rep` becomes the key, `complgeo` the programme).
    """
    for (cle, code_departement), poses in POSES.items():
        if code_departement != departement:
            continue
        bailleur = organisations[cle]
        sien = vie.filter((pl.col("siren") == bailleur.siren) & (pl.col("complgeo") != ""))
        prises: set[str] = set()
        for pose in poses:
            colonne = "complgeo" if pose.portee == Portee.PROGRAMME else "ident_rep"
            cibles = (
                sien.filter(pose.condition & pl.col("sortie_annee").is_null())
                .group_by(colonne)
                .len()
                .filter((pl.col("len") <= 80) & ~pl.col(colonne).is_in(sorted(prises)))
                .sort("len", colonne, descending=[True, False])[colonne]
                .head(pose.nombre)
            )
            prises |= set(cibles)
            Drapeau.objects.bulk_create(
                (
                    Drapeau(
                        bailleur=bailleur,
                        departement_id=departement,
                        portee=pose.portee,
                        cible=cible,
                        code=pose.code,
                        motif=pose.motif,
                        pose_par=personne,
                    )
                    for cible in cibles
                ),
                ignore_conflicts=True,
            )
