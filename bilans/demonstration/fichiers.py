""" "Version loi" RPLS files of the demonstration: several bailleurs, every column of a real one, one line a dwelling.

They go through the importer like any other file; the benchmark of the import reads the same ones.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import IO

import polars as pl

from .occupation import situation
from .parc import CAT_ORG, Part
from .territoires import DONNEES
from .tirage import Tirage

# Columns of the file given to the State services (specification 1.3), in order.
COLONNES_LOI = tuple((DONNEES / "entete_loi.csv").read_text(encoding="utf-8").strip().split(";"))

LOYERS = {"10": 5.4, "11": 5.4, "14": 8.9, "16": 11.2, "17": 8.9}  # € per m², by FINAN; 6.3 otherwise
CONTINGENTS = (("2", 22), ("1", 3), ("3", 24), ("4", 14), ("6", 2), ("7", 35))


def siret(siren: str) -> str:
    """The establishment between 00010 and 00019 whose checksum holds: fourteen digits that a Luhn test accepts."""
    corps = f"{siren}0001"
    chiffres = [int(c) * (2 if i % 2 == 0 else 1) for i, c in enumerate(corps)]
    return f"{corps}{-sum(sum(divmod(c, 10)) for c in chiffres) % 10}"


def lignes_loi(
    parc: pl.DataFrame,
    millesime: int,
    parts: Sequence[Part],
    communes: pl.DataFrame,
    tirage: Tirage,
) -> pl.DataFrame:
    """The lines of the "version loi" file of a parc on 1 January `millesime`, columns of `COLONNES_LOI`, as text.

    With the same `tirage`, a dwelling keeps from one millésime to the next what does not change.
    """
    bailleurs = pl.DataFrame(
        {
            "siren": [p.siren for p in parts],
            "CAT_ORG": [CAT_ORG[p.famille] for p in parts],
            "RS": [p.nom for p in parts],
            "SIRET": [siret(p.siren) for p in parts],
        }
    )
    lieux = communes.select(
        "depcom",
        LIBDEP=pl.col("libdep").str.to_uppercase(),
        REG="region",
        LIBREG="libreg",
        EPCI=pl.col("epci").fill_null(""),
        LIBEPCI=pl.col("libepci").fill_null(""),
    )
    libres = pl.col("mode").is_in(["1", "2"])
    loyer = pl.col("surfhab") * pl.col("finan").replace_strict(LOYERS, default=6.3, return_dtype=pl.Float64)
    parc = parc.with_columns(
        CONTRESLOG=tirage.parmi("contingent", CONTINGENTS),
        DPEDATE=pl.when(pl.col("dpe") == "")
        .then(pl.lit("01/1900"))
        .otherwise(
            pl.format(
                "{}/{}",
                tirage.entre("dpe-mois", 1, 12).cast(pl.String).str.zfill(2),
                tirage.entre("dpe-an", 2013, 2023),
            )
        ),
    )
    lignes = (
        situation(parc, millesime)
        .join(bailleurs, on="siren", how="left", maintain_order="left")
        .join(lieux, on="depcom", how="left", maintain_order="left")
        .with_columns(
            IDENT_ORG=pl.col("siren"),
            DROIT=pl.lit("1"),
            MODESURF=pl.lit("3"),
            SURFMODE="surfhab",
            LOYERPRINC=pl.when(libres).then(loyer.round().cast(pl.Int32)).otherwise(9999),
            LOYERACC=pl.lit("999"),
            CONTRIB=pl.lit("999"),
            DPEENERGIE="dpe",
            DPESERRE="dpe",
            SRU_ALINEA=pl.when(pl.col("conv") == "1").then(pl.lit("1")).otherwise(pl.lit("")),
            CODSEGPATRIM="programme",
            LIBSEGPATRIM=pl.lit("SEGMENT ") + pl.col("departement"),
            MISCOMMERCIAL=pl.lit("2"),
            REMLOCDATE=pl.col("remloc").dt.strftime("%m/%Y"),
            BAIL=pl.col("bail").dt.strftime("%m/%Y"),
            SORTIEPATRIM="sortiepatrim",
            QUALACQ=pl.when(pl.col("sortiepatrim") == "1").then(pl.lit("01")).otherwise(pl.lit("")),
            DEP="departement",
            loymoy=pl.when(libres).then(
                (loyer / pl.col("surfhab")).round(2).cast(pl.String).str.replace(".", ",", literal=True)
            ),
            age=millesime - pl.col("construct"),
        )
    )
    presentes = {c.upper(): c for c in lignes.columns if c not in COLONNES_LOI} | {
        c: c for c in lignes.columns if c in COLONNES_LOI
    }
    return lignes.select(
        pl.col(presentes[c]).cast(pl.String).replace("", None).alias(c)
        if c in presentes
        else pl.lit(None, dtype=pl.String).alias(c)
        for c in COLONNES_LOI
    )


def ecrire(lignes: pl.DataFrame, sortie: Path | IO[bytes], entete: bool = True) -> None:
    """Write lines as the State services receive them: `;`, UTF-8, header in the first line."""
    lignes.write_csv(sortie, separator=";", include_header=entete, quote_style="necessary")


# The landlord's deposit file: no column names, the positions of the decree of 5 January 2010.
COLONNES_DEPOT = (*(c for c in COLONNES_LOI[:64] if c != "IDENT_ORG"), "COMMENTAIRE")


def ecrire_depot(lignes: pl.DataFrame, part: Part, millesime: int, sortie: Path, tirage: Tirage) -> None:
    """The deposit file of one bailleur, as it might come: a few true changes, and lines that must be rejected.

    `lignes`: its lines of the "version loi" file. About one line in 250 is wrong (financing that does not exist,
    commune that does not exist, APL convention left unsaid); one in 150 has a better energy class.
    """
    u = tirage.uniforme("defauts")
    lignes = lignes.with_columns(
        COMMENTAIRE=pl.lit(None, dtype=pl.String),
        FINAN=pl.when(u < 0.002).then(pl.lit("77")).otherwise("FINAN"),
        DEPCOM=pl.when(u.is_between(0.002, 0.003)).then(pl.lit("06999")).otherwise("DEPCOM"),
        CONV=pl.when(u.is_between(0.003, 0.004)).then(pl.lit("3")).otherwise("CONV"),
        BAIL=pl.when(u.is_between(0.004, 0.005)).then(None).otherwise("BAIL"),
        DPEENERGIE=pl.when(u.is_between(0.01, 0.017) & (pl.col("DPEENERGIE") == "D"))
        .then(pl.lit("B"))
        .otherwise("DPEENERGIE"),
    ).select(COLONNES_DEPOT)
    entete = [
        str(millesime),
        part.siren,
        part.nom,
        *[""] * 6,
        siret(part.siren),
        str(lignes.height),
        "Fichier de démonstration",
    ]
    corps = lignes.write_csv(separator=";", include_header=False, quote_style="never")
    sortie.write_bytes(f"{';'.join(entete)}\n{corps}".encode("cp1252"))
