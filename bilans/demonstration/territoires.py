"""What the draws know of real territories: communes of the COG, and the published figures of each département."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from reservation.models import Commune, PassageCommune

from .tirage import repartir

DONNEES = Path(__file__).parent / "donnees"
METROPOLE = 5_210_208  # dwellings at 1 January 2025 (DREAL PACA, evolparc 2025)
ILE_DE_FRANCE = "11"


@dataclass(frozen=True)
class Chiffres:
    """Published figures of a département: dwellings at 1 January 2025, then percentages.

    `loues_ou_proposes`: MODE 1 and 2 for 100 dwellings; `vacance` and `vacance_3mois` for 100 of those;
    `mobilite`: leases of the year for 100 of those already on offer the year before.
    """

    logements: int
    qpv: float
    individuel: float
    etudiant: float
    loues_ou_proposes: float
    vacance: float
    vacance_3mois: float
    mobilite: float


@lru_cache(maxsize=1)
def lire_chiffres() -> dict[str, Chiffres]:
    """Zone ("06", "PROVINCE", "ILE-DE-FRANCE") → figures."""
    with open(DONNEES / "chiffres_departements.csv", encoding="utf-8", newline="") as fichier:
        return {
            ligne["zone"]: Chiffres(
                int(ligne["logements"]),
                *(
                    float(ligne[nom])
                    for nom in (
                        "qpv",
                        "individuel",
                        "etudiant",
                        "loues_ou_proposes",
                        "vacance",
                        "vacance_3mois",
                        "mobilite",
                    )
                ),
            )
            for ligne in csv.DictReader(fichier, delimiter=";")
        }


def lire_communes(departements: Sequence[str] | None = None) -> pl.DataFrame:
    """One row per place that a file may name: communes, arrondissements instead of the cities they divide.

    Columns: depcom (as in the file), commune (of the COG), libcom, departement, libdep, region, libreg, epci,
    libepci, codepostal, population. Metropolitan France only, or `departements` alone.
    """
    lignes = Commune.objects.filter(departement__region__isnull=False, population__gt=0).order_by("code")
    if departements is not None:
        lignes = lignes.filter(departement__in=departements)
    champs = {
        "commune": "code",
        "libcom": "nom",
        "departement": "departement_id",
        "libdep": "departement__nom",
        "region": "departement__region_id",
        "libreg": "departement__region__nom",
        "epci": "epci_id",
        "libepci": "epci__nom",
        "codes_postaux": "codes_postaux",
        "population": "population",
    }
    schema = dict.fromkeys(champs, pl.String) | {
        "codes_postaux": pl.List(pl.String),
        "population": pl.Int64,
    }
    communes = pl.DataFrame(list(lignes.values_list(*champs.values())), schema=schema, orient="row").filter(
        pl.col("region") >= ILE_DE_FRANCE
    )
    arrondissements = pl.DataFrame(
        list(
            PassageCommune.objects.filter(nature=PassageCommune.Nature.ARRONDISSEMENT)
            .order_by("ancien_code")
            .values_list("ancien_code", "ancien_nom", "commune_id")
        ),
        schema={"depcom": pl.String, "arrondissement": pl.String, "commune": pl.String},
        orient="row",
    )
    return (
        communes.join(arrondissements, on="commune", how="left")
        .with_columns(
            pl.col("depcom").fill_null(pl.col("commune")),
            pl.col("libcom").str.to_uppercase().alias("libcom"),
            codepostal=pl.when(pl.col("depcom").is_null())
            .then(pl.col("codes_postaux").list.first())
            .when(pl.col("depcom").str.starts_with("132"))
            .then("130" + pl.col("depcom").str.slice(3))
            .when(pl.col("depcom").str.starts_with("751"))
            .then("750" + pl.col("depcom").str.slice(3))
            .otherwise("6900" + pl.col("depcom").str.slice(4)),
            population=pl.col("population") // pl.len().over("commune"),
        )
        .drop("codes_postaux", "arrondissement")
        .sort("depcom")
    )


def chiffres_nationaux(communes: pl.DataFrame) -> dict[str, Chiffres]:
    """Figures of every département of metropolitan France; dwellings add up to `METROPOLE`.

    A département without figures of its own has the rates of its zone (Île-de-France, province) and a total in
    proportion to its population.
    """
    publies = lire_chiffres()
    populations = (
        communes.group_by("departement", "region").agg(pl.sum("population")).sort("departement").rows()
    )
    propres = {dep: publies[dep] for dep, _, _ in populations if dep in publies}
    complets = dict(propres)
    for zone, francilienne in (("ILE-DE-FRANCE", True), ("PROVINCE", False)):
        autres = [
            (dep, population)
            for dep, region, population in populations
            if dep not in propres and (region == ILE_DE_FRANCE) == francilienne
        ]
        reste = publies[zone].logements - (0 if francilienne else sum(c.logements for c in propres.values()))
        for (dep, _), logements in zip(autres, repartir([p for _, p in autres], reste), strict=True):
            complets[dep] = Chiffres(logements, *_taux(publies[zone]))
    return dict(sorted(complets.items()))


def _taux(chiffres: Chiffres) -> tuple[float, ...]:
    return (
        chiffres.qpv,
        chiffres.individuel,
        chiffres.etudiant,
        chiffres.loues_ou_proposes,
        chiffres.vacance,
        chiffres.vacance_3mois,
        chiffres.mobilite,
    )
