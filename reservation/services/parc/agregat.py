"""The aggregate of a file's dwellings, counted while they are made ready for their COPY.

Where nothing was loaded before, the aggregate is that of the file: counting its blocks costs a tenth of what the
database would take to read and group the lines again. Same columns and same sums as `calcul._REMPLIR_L_AGREGAT`, which
counts every other case; a test compares the two.
"""

from collections.abc import Sequence

import polars as pl

from reservation.copie import copie_vers
from reservation.imports.rpls.ouverture import Famille
from reservation.models import AgregatParc

_CLES = (
    *("bailleur_id", "departement", "commune", "qpv", "typologie", "financement", "periode"),
    *("finan", "conv", "mode", "sortie", "typeconst", "drapeaux", "statut"),
)
_SOMMES = ("nombre", "anciens", "emmenages")
_EN_BASE = {"departement": "departement_id", "commune": "commune_id"}


def compter(lot: pl.DataFrame, millesime: int, famille: Famille | str) -> pl.DataFrame:
    """Dwellings of a completed block by everything that the aggregate tells apart, one row per combination."""
    anciens = pl.col("mode").is_in(["1", "2"]) & (pl.col("locat") < millesime - 1)
    return lot.group_by(_CLES).agg(
        nombre=pl.len(),
        # An open file says neither occupation nor lease: its dwellings count in none of the two.
        anciens=pl.lit(0) if famille == Famille.OUVERT else anciens.sum(),
        emmenages=(anciens & (pl.col("bail") >= pl.date(millesime - 1, 1, 1))).sum(),
    )


def ecrire(curseur, comptes: Sequence[pl.DataFrame], millesime: int) -> None:
    """Add the rows of the aggregate to its table, where nothing is left of these pairs for this millésime."""
    lignes = pl.concat(comptes).group_by(_CLES).agg(pl.col(_SOMMES).sum()).sort(_CLES[:3])
    colonnes = [*(_EN_BASE.get(nom, nom) for nom in _CLES), *_SOMMES, "millesime"]
    with copie_vers(curseur, AgregatParc._meta.db_table, colonnes) as copie:
        copie.write(
            lignes.with_columns(millesime=pl.lit(millesime)).write_csv(
                include_header=False, separator="\t", quote_style="never"
            )
        )
