"""The life of the dwellings: who leaves when, how long it stays empty, what RPLS says of it each 1 January.

One history feeds both the RPLS files and the libérations: a dwelling freed on 12 July 2025 and let again on
3 September has its lease of 09/2025 in the millésime 2026. Rates are those published for the département.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from .parc import Part
from .territoires import Chiffres
from .tirage import Tirage

# Notices come before the summer and the school year: twice as many libérations in July as in January.
MOIS = (62, 62, 75, 80, 88, 98, 128, 118, 112, 84, 70, 63)
ROTATION_TYPOLOGIE = {1: 1.45, 2: 1.25, 3: 1.0, 4: 0.85, 5: 0.7}
ROTATION_ETUDIANT = 2.2
ROTATION_QPV = 0.9
# Days between the libération and the next lease: (weight, from, to).
DELAIS = ((70, 12, 45), (22, 46, 100), (8, 101, 300))
DELAI_MOYEN = sum(p * (a + b) / 2 for p, a, b in DELAIS) / sum(p for p, _, _ in DELAIS)
PREAVIS_RETIRES = 0.0012
# Dwellings neither let nor on offer: vides (MODE 3), association (4), occupied otherwise (5).
AUTRES_MODES = (("3", 55), ("4", 20), ("5", 25))


def occuper(
    parc: pl.DataFrame,
    chiffres: Chiffres,
    parts: Sequence[Part],
    annees: Sequence[int],
    jour: date,
    tirage: Tirage,
) -> pl.DataFrame:
    """Add the life of each dwelling over `annees` (consecutive), up to `jour` for the libérations.

    New columns: mode_base ("1" let, "2" empty for long, "3" to "5"), bail_base, remloc_base (state when the
    story begins), then lib_AAAA (freed on), bail_AAAA (let again on, maybe after `jour`) and, for dwellings
    delivered in the year, lib_AAAA is their première mise en location.
    """
    taux = chiffres.mobilite / 100
    durable = max(chiffres.vacance / 100 - taux * DELAI_MOYEN / 365, 0.002)
    offerts = chiffres.loues_ou_proposes / 100
    facteurs = {p.siren: p.rotation for p in parts}
    poids = (
        pl.col("nbpiece").replace_strict(ROTATION_TYPOLOGIE, default=0.6, return_dtype=pl.Float64)
        * pl.when(pl.col("typeconst") == "E").then(ROTATION_ETUDIANT).otherwise(1.0)
        * pl.when(pl.col("qpv") == "1").then(ROTATION_QPV).otherwise(1.0)
    )
    u = tirage.uniforme("mode")
    parc = parc.with_columns(
        poids=poids / poids.mean(),
        # What is delivered during the story is let at once.
        mode_base=pl.when(pl.col("locat") >= annees[0])
        .then(pl.lit("1"))
        .when(u >= offerts)
        .then(tirage.parmi("autre-mode", AUTRES_MODES))
        .when(u < offerts * durable)
        .then(pl.lit("2"))
        .otherwise(pl.lit("1")),
    )
    # The rate published counts the leases of those on offer; only those let can be freed.
    parc = parc.with_columns(
        taux=(
            taux
            / (1 - durable)
            * pl.col("poids")
            * pl.col("siren").replace_strict(facteurs, default=1.0, return_dtype=pl.Float64)
        ).clip(0.01, 0.6)
    ).drop("poids")
    debut = annees[0]
    recul = ((1 - tirage.uniforme("anciennete")).log() / (1 - pl.col("taux")).log()).floor().cast(pl.Int32)
    parc = parc.with_columns(
        an=pl.max_horizontal(debut - 1 - recul, pl.min_horizontal(pl.col("locat"), pl.lit(debut - 1)))
    ).with_columns(
        bail_base=pl.when(pl.col("mode_base") == "1").then(_jour_de_l_annee(pl.col("an"), "bail", tirage)),
        remloc_base=pl.when(pl.col("mode_base") == "2").then(
            pl.date(debut - 1, tirage.entre("vide-mois", 1, 9), 1)
        ),
    )
    parc = parc.with_columns(
        remloc_base=pl.coalesce("remloc_base", pl.col("bail_base").dt.offset_by("-1mo"))
    ).drop("an")
    return _derouler(parc, annees, jour, tirage)


def _derouler(parc: pl.DataFrame, annees: Sequence[int], jour: date, tirage: Tirage) -> pl.DataFrame:
    """Year after year: first lettings of what is delivered, libérations of what is let."""
    parc = parc.with_columns(dernier=pl.col("bail_base"))
    for annee in annees:
        an = tirage.sous(annee)
        programme = pl.col("programme").str.slice(3).cast(pl.UInt64)
        livraison = pl.date(
            annee,
            1 + (an.uniforme("mois-livraison", programme) * 11).cast(pl.Int32),
            1 + (an.uniforme("jour-livraison", programme) * 27).cast(pl.Int32),
        )
        premiere = pl.col("locat") == annee
        depart = _jour_de_l_annee(pl.lit(annee), "depart", an)
        freed = (
            parc_loue(annee)
            & (an.uniforme("part") < pl.col("taux"))
            & (pl.col("dernier").is_null() | (depart > pl.col("dernier").dt.offset_by("2mo")))
        )
        lib, bail = f"lib_{annee}", f"bail_{annee}"
        parc = parc.with_columns(
            pl.when(premiere).then(livraison).when(freed).then(depart).alias(lib)
        ).with_columns(pl.when(pl.col(lib) <= jour).then(pl.col(lib)).alias(lib))
        delai = pl.when(premiere).then(an.entre("delai-neuf", 5, 60)).otherwise(_delai(an))
        parc = parc.with_columns((pl.col(lib) + pl.duration(days=delai)).alias(bail)).with_columns(
            dernier=pl.coalesce(bail, "dernier")
        )
    return parc.drop("dernier", "taux")


def _jour_de_l_annee(annee: pl.Expr, nom: str, tirage: Tirage) -> pl.Expr:
    """A day of the year, with the season of the notices."""
    mois = tirage.parmi(f"{nom}-mois", [(i + 1, poids) for i, poids in enumerate(MOIS)])
    return pl.date(annee, mois, tirage.entre(f"{nom}-jour", 1, 28))


def _delai(tirage: Tirage) -> pl.Expr:
    """Days empty between two tenants."""
    tranche = tirage.parmi("delai", [(i, poids) for i, (poids, _, _) in enumerate(DELAIS)])
    debut = tranche.replace_strict({i: a for i, (_, a, _) in enumerate(DELAIS)}, return_dtype=pl.Int32)
    fin = tranche.replace_strict({i: b for i, (_, _, b) in enumerate(DELAIS)}, return_dtype=pl.Int32)
    return debut + (tirage.uniforme("delai-jours") * (fin - debut + 1)).cast(pl.Int32)


def situation(parc: pl.DataFrame, millesime: int) -> pl.DataFrame:
    """The parc as RPLS sees it on 1 January `millesime`: MODE, BAIL, REMLOCDATE, SORTIEPATRIM.

    Dwellings not delivered yet are not there; those that left in the year before are there for the last time.
    New columns: mode, bail, remloc (dates), sortiepatrim.
    """
    premier = date(millesime, 1, 1)
    annees = sorted(int(c[4:]) for c in parc.columns if c.startswith("lib_") and int(c[4:]) < millesime)
    present = parc.filter(
        (pl.col("locat") < millesime)
        & (pl.col("sortie_annee").is_null() | (pl.col("sortie_annee") >= millesime - 1))
    )
    depart = pl.coalesce(*(f"lib_{a}" for a in reversed(annees)), pl.lit(None, dtype=pl.Date))
    retour = pl.coalesce(
        *(pl.when(pl.col(f"lib_{a}").is_not_null()).then(f"bail_{a}") for a in reversed(annees)),
        pl.lit(None, dtype=pl.Date),
    )
    parti = pl.col("sortie_annee") == millesime - 1
    return (
        present.with_columns(depart=depart, retour=retour)
        .with_columns(
            mode=pl.when(parti)
            .then(pl.lit("9"))
            .when(pl.col("depart").is_not_null() & (pl.col("retour") >= premier))
            .then(pl.lit("2"))
            .otherwise("mode_base"),
            bail=pl.when(pl.col("retour") < premier).then("retour").otherwise("bail_base"),
            remloc=pl.coalesce("depart", "remloc_base"),
            sortiepatrim=pl.when(parti).then("sortie").otherwise(pl.lit("9")),
        )
        .with_columns(
            bail=pl.when(pl.col("mode") == "1").then("bail"),
            remloc=pl.when(pl.col("mode").is_in(["1", "2"])).then("remloc"),
        )
        .drop("depart", "retour")
    )


def liberations(parc: pl.DataFrame, annees: Sequence[int], jour: date, tirage: Tirage) -> pl.DataFrame:
    """One row per libération of `annees`: the columns of `parc`, annee, date, bail_prevu, premiere, annulee.

    Those of the year before whose lease falls in the first one come too: their attribution is in its bilan.

    `bail_prevu` may lie in the future of the demonstration: the lease is then not signed yet. `annulee`: a notice
    taken back, the tenant stays.
    """
    lignes = []
    for annee in (annees[0] - 1, *annees):
        an = tirage.sous(annee)
        lib = pl.col(f"lib_{annee}")
        retires = lib.is_null() & (an.uniforme("annulee") < PREAVIS_RETIRES) & parc_loue(annee)
        depart = _jour_de_l_annee(pl.lit(annee), "annulee", an)
        lignes.append(
            parc.with_columns(annulee=retires, depart=depart)
            .filter(lib.is_not_null() | (pl.col("annulee") & (pl.col("depart") <= jour)))
            .with_columns(
                annee=pl.lit(annee, dtype=pl.Int32),
                date=pl.coalesce(lib, "depart"),
                bail_prevu=pl.coalesce(f"bail_{annee}", pl.col("depart").dt.offset_by("2mo")),
                premiere=pl.col("locat") == annee,
            )
        )
    debut = date(annees[0], 1, 1)
    return (
        pl.concat(lignes)
        .drop("depart")
        .filter((pl.col("date") >= debut) | ((pl.col("bail_prevu") >= debut) & ~pl.col("annulee")))
        .sort("date", "ident_rep")
    )


def parc_loue(annee: int) -> pl.Expr:
    """Let and still there during `annee`."""
    return (
        (pl.col("mode_base") == "1")
        & (pl.col("locat") < annee)
        & (pl.col("sortie_annee").is_null() | (pl.col("sortie_annee") > annee))
    )
