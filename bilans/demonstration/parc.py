"""Synthetic parcs: programmes and dwellings of one département, drawn from the joint profile of real dwellings.

A frame of dwellings has one row per dwelling and the columns of `COLONNES`; `occupation` adds its life. Counts are
exact (largest remainders), not expected values: the parc of the Var has 60 534 dwellings at 1 January 2025.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from .territoires import DONNEES, Chiffres
from .tirage import Tirage, repartir

REFERENCE = 2025  # millésime whose total is exact
CROISSANCE = 0.009  # new dwellings a year (PACA + 1.2 % a year, France + 0.5 %)
SORTIES = 0.0025  # sold or demolished a year

PERIODES = {
    "<1949": (1900, 1948),
    "1949-74": (1949, 1974),
    "1975-89": (1975, 1989),
    "1990-99": (1990, 1999),
    "2000-09": (2000, 2009),
    "2010+": (2010, REFERENCE - 3),
}
TAILLE_PROGRAMME = {"C": 26, "I": 12, "E": 70}
SURFACES = {1: 30, 2: 47, 3: 64, 4: 78, 5: 93, 6: 110, 7: 125, 8: 140, 9: 155}
POPULATION_QPV = 12_000
FINAN_NEUFS = (("10", 30), ("13", 48), ("14", 18), ("16", 4))
CUS = {"10": "11", "11": "11", "14": "14", "17": "14", "16": "16"}
TYPES_DE_VOIE = (("RUE", 50), ("AVENUE", 18), ("ALLEE", 12), ("CHEMIN", 8), ("BOULEVARD", 7), ("IMPASSE", 5))
NOMS = (
    "TAMARIS", "AMANDIERS", "CIGALES", "GENETS", "LAVANDES", "OLIVIERS", "MIMOSAS", "CYPRES", "FIGUIERS",
    "BRUYERES", "AJONCS", "HORTENSIAS", "CHATAIGNIERS", "MARRONNIERS", "PEUPLIERS", "SAULES", "NOISETIERS",
    "MESANGES", "HIRONDELLES", "ALOUETTES", "GOELANDS", "CORMORANS", "SALINES", "VIGNES", "RESTANQUES",
    "CALANQUES", "FONTAINES", "LAVOIRS", "MOULINS", "TERRASSES",
)  # fmt: skip
CAT_ORG = {"OPH": "131", "ESH": "211", "COOP": "221", "SEM": "251", "AUTRE": "900"}

COLONNES = (
    "siren", "departement", "depcom", "codepostal", "libcom", "ident_rep", "ident_int", "programme",
    "numvoie", "typvoie", "nomvoie", "numappt", "etage", "immeu", "complgeo", "qpv", "typeconst", "nbpiece",
    "surfhab", "construct", "locat", "patrimoine", "origine", "finan", "finanautre", "conv", "numconv",
    "datconv", "cus", "dpe", "sortie_annee", "sortie",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One bailleur in one département: its share of the dwellings and its ways.

    `rotation`: how much faster or slower than the département its dwellings turn over (1 = as the département).
    """

    siren: str
    nom: str
    famille: str
    poids: float
    rotation: float = 1.0
    etudiants: bool = False


@lru_cache(maxsize=1)
def lire_profil() -> pl.DataFrame:
    """Joint counts of real dwellings: PERIODE, FINAN, TYPECONST, NBPIECE, QPV, CONV, n."""
    return (
        pl.read_csv(
            DONNEES / "profil_joint_rpls2018.csv",
            separator=";",
            schema_overrides=dict.fromkeys(
                ("PERIODE", "FINAN", "TYPECONST", "NBPIECE", "QPV", "CONV"), pl.String
            ),
        )
        .group_by("PERIODE", "FINAN", "TYPECONST", "NBPIECE", "QPV", "CONV")
        .agg(pl.sum("n"))
        .sort("PERIODE", "FINAN", "TYPECONST", "NBPIECE", "QPV", "CONV")
        .rename(str.lower)
    )


def ajuster(chiffres: Chiffres) -> pl.DataFrame:
    """The joint profile, weighted so that its shares in QPV and by type of construction are those published.

    Iterative proportional fitting: what the profile says of the links between the other variables is kept.
    """
    cibles = {
        "qpv": {"1": chiffres.qpv, "2": 100 - chiffres.qpv},
        "typeconst": {
            "I": chiffres.individuel,
            "E": chiffres.etudiant,
            "C": 100 - chiffres.individuel - chiffres.etudiant,
        },
    }
    profil = lire_profil().with_columns(poids=pl.col("n").cast(pl.Float64))
    for _ in range(25):
        for colonne, parts in cibles.items():
            part = pl.col(colonne).replace_strict(parts, return_dtype=pl.Float64)
            # A category without any dwelling left (no student home in the Hautes-Alpes) stays without.
            profil = profil.with_columns(
                poids=(pl.col("poids") / pl.sum("poids").over(colonne) * part).fill_nan(0.0)
            )
    return profil.drop("n")


def tirer_parc(
    departement: str,
    total: int,
    chiffres: Chiffres,
    parts: Sequence[Part],
    communes: pl.DataFrame,
    tirage: Tirage,
    hors_communes: Sequence[str] = (),
) -> pl.DataFrame:
    """`total` dwellings in the parc at 1 January `REFERENCE`, those that left before, those delivered after.

    `hors_communes`: codes of communes whose dwellings come from elsewhere (a real file).
    """
    profil = ajuster(chiffres)
    lieux = communes.filter(
        (pl.col("departement") == departement) & ~pl.col("commune").is_in(list(hors_communes))
    )
    anciens = profil.filter(pl.col("periode").is_in(["1949-74", "1975-89"]) & (pl.col("typeconst") != "E"))
    neufs = profil.filter(
        (pl.col("periode") == "2010+") & (pl.col("conv") == "1") & (pl.col("typeconst") != "E")
    )
    livres = round(total * CROISSANCE)
    lots = [("base", profil, total - livres, None)]
    lots += [(f"neufs-{REFERENCE + i}", neufs, livres, REFERENCE + i) for i in (-1, 0, 1)]
    lots += [(f"partis-{REFERENCE - i}", anciens, round(total * SORTIES), None) for i in (2, 1)]
    tires = []
    for nom, cellules, nombre, livraison in lots:
        if not nombre:
            continue
        lot = _tirer_lot(cellules, nombre, parts, lieux, livraison, tirage.sous(nom))
        annee = int(nom[-4:]) if nom.startswith("partis") else None
        tires.append(lot.with_columns(lot=pl.lit(nom), sortie_annee=pl.lit(annee, dtype=pl.Int32)))
    parc = pl.concat(tires)
    # Some of those present at the reference leave in its year.
    quota = round(total * SORTIES)
    depart = (
        (pl.col("construct") < 1990)
        & pl.col("sortie_annee").is_null()
        & (tirage.uniforme("depart") < 3 * SORTIES)
    )
    parc = parc.with_columns(depart=depart).with_columns(
        sortie_annee=pl.when(pl.col("depart") & (pl.col("depart").cum_sum() <= quota))
        .then(REFERENCE)
        .otherwise(pl.col("sortie_annee"))
        .cast(pl.Int32)
    )
    parc = _identifier(parc, departement, "F", ["lot", "programme"])
    return _completer(parc, departement, tirage).select(COLONNES)


def _tirer_lot(
    cellules: pl.DataFrame,
    nombre: int,
    parts: Sequence[Part],
    lieux: pl.DataFrame,
    livraison: int | None,
    tirage: Tirage,
) -> pl.DataFrame:
    """`nombre` dwellings grouped in programmes, each with one bailleur, one commune, one year, one convention."""
    groupe = ["periode", "finan", "typeconst", "qpv", "conv"]
    if livraison:
        cellules = cellules.with_columns(finan=tirage.parmi("finan", FINAN_NEUFS))
    logements = (
        cellules.with_columns(n=pl.Series(repartir(cellules["poids"].to_list(), nombre)))
        .filter(pl.col("n") > 0)
        .select(pl.exclude("n", "poids").repeat_by("n"))
        .explode(pl.all())
        .with_columns(cle=tirage.brut("ordre"))
        .sort(*groupe, "cle")
        .with_columns(part=(pl.int_range(pl.len()).over(groupe) + 0.5) / pl.len().over(groupe))
        .drop("cle")
    )
    programmes = (
        logements.group_by(groupe, maintain_order=True)
        .agg(taille=pl.len())
        .with_columns(
            nombre=(
                (
                    pl.col("taille")
                    / pl.col("typeconst").replace_strict(TAILLE_PROGRAMME, return_dtype=pl.Int64)
                )
                .round()
                .clip(1)
                .cast(pl.Int64)
            )
        )
        .select(pl.exclude("nombre", "taille").repeat_by("nombre"))
        .explode(pl.all())
        .with_columns(poids=0.3 + 1.4 * tirage.uniforme("taille"))
        .with_columns(
            part=pl.col("poids").cum_sum().over(groupe) / pl.col("poids").sum().over(groupe),
            programme=pl.int_range(pl.len(), dtype=pl.Int64),
        )
        .drop("poids")
    )
    logements = logements.sort("part").join_asof(
        programmes.sort("part"), on="part", by=groupe, strategy="forward", check_sortedness=False
    )
    tailles = logements.group_by("programme").agg(taille=pl.len())
    programmes = programmes.drop("part").join(tailles, on="programme").sort("programme")
    programmes = _placer(_attribuer(programmes, parts, tirage), lieux, tirage)
    programmes = _dater(programmes, livraison, tirage)
    return (
        logements.select("programme", "nbpiece")
        .join(programmes, on="programme")
        .sort("programme", "nbpiece")
        .with_columns(pl.col("nbpiece").cast(pl.Int32))
    )


def _attribuer(programmes: pl.DataFrame, parts: Sequence[Part], tirage: Tirage) -> pl.DataFrame:
    """Share programmes between bailleurs in proportion to their weight, in dwellings.

    Half of what is not conventionné goes to the SEM of the département, most student homes to whoever runs some:
    these questions are then visible at somebody's.
    """
    bailleurs = pl.DataFrame(
        {
            "siren": [p.siren for p in parts],
            "famille": [p.famille for p in parts],
            "seuil": [float(p.poids) for p in parts],
        }
    ).with_columns(pl.col("seuil").cum_sum() / pl.col("seuil").sum())
    programmes = (
        programmes.with_columns(cle=tirage.brut("bailleur"))
        .sort("cle")
        .with_columns(seuil=(pl.col("taille").cum_sum() - pl.col("taille") / 2) / pl.col("taille").sum())
        .join_asof(bailleurs.select("seuil", "siren"), on="seuil", strategy="forward")
        .sort("programme")
        .drop("seuil", "cle")
    )
    sem = [p.siren for p in parts if p.famille == "SEM"]
    etudiants = [p.siren for p in parts if p.etudiants]
    if sem:
        part = pl.when((pl.col("conv") == "2") & (tirage.uniforme("sem") < 0.5))
        programmes = programmes.with_columns(siren=part.then(pl.lit(sem[0])).otherwise(pl.col("siren")))
    if etudiants:
        part = pl.when((pl.col("typeconst") == "E") & (tirage.uniforme("etudiants") < 0.8))
        programmes = programmes.with_columns(siren=part.then(pl.lit(etudiants[0])).otherwise(pl.col("siren")))
    return programmes


def _placer(programmes: pl.DataFrame, lieux: pl.DataFrame, tirage: Tirage) -> pl.DataFrame:
    """A commune for each programme: cities for QPV, villages mostly for houses, and each bailleur has its own."""
    qpv_possible = (pl.col("population") >= POPULATION_QPV) | (pl.col("population") == pl.max("population"))
    classes = pl.DataFrame({"classe": ["qpv", "collectif", "individuel"]})
    offre = (
        programmes.select("siren")
        .unique()
        .sort("siren")
        .join(lieux.select("depcom", "commune", "population"), how="cross")
        .join(classes, how="cross")
        .with_columns(affinite=0.05 + 0.95 * tirage.uniforme("affinite").pow(3))
        .with_columns(
            poids=pl.when(pl.col("classe") == "qpv")
            .then(pl.when(qpv_possible).then(pl.col("population").cast(pl.Float64)).otherwise(0.0))
            .when(pl.col("classe") == "collectif")
            .then(pl.when(pl.col("population") >= 1500).then(pl.col("population").pow(1.1)).otherwise(0.0))
            .otherwise(
                pl.when(pl.col("population") >= 300).then(pl.col("population").pow(0.7)).otherwise(0.0)
            )
            * pl.col("affinite")
        )
        .filter(pl.col("poids") > 0)
        .sort("siren", "classe", "depcom")
        .with_columns(
            seuil=pl.col("poids").cum_sum().over("siren", "classe")
            / pl.col("poids").sum().over("siren", "classe")
        )
    )
    return (
        programmes.with_columns(
            classe=pl.when(pl.col("qpv") == "1")
            .then(pl.lit("qpv"))
            .when(pl.col("typeconst") == "I")
            .then(pl.lit("individuel"))
            .otherwise(pl.lit("collectif")),
            seuil=tirage.uniforme("commune"),
        )
        .sort("seuil")
        .join_asof(
            offre.sort("seuil").select("siren", "classe", "depcom", "seuil"),
            on="seuil",
            by=["siren", "classe"],
            strategy="forward",
            check_sortedness=False,
        )
        .join(lieux.select("depcom", "libcom", "codepostal", "departement"), on="depcom")
        .sort("programme")
        .drop("classe", "seuil")
    )


def _dater(programmes: pl.DataFrame, livraison: int | None, tirage: Tirage) -> pl.DataFrame:
    """Year of construction, first letting, entry into the patrimony; how it entered; APL convention; energy."""
    bornes = {nom: (d, f) for nom, (d, f) in PERIODES.items()}
    debut = pl.col("periode").replace_strict({n: d for n, (d, _) in bornes.items()}, return_dtype=pl.Int32)
    fin = pl.col("periode").replace_strict({n: f for n, (_, f) in bornes.items()}, return_dtype=pl.Int32)
    construct = (
        pl.lit(livraison, dtype=pl.Int32)
        if livraison
        else (debut + (tirage.uniforme("construct") * (fin - debut + 1)).cast(pl.Int32))
    )
    recent = pl.col("construct") >= 2005
    return (
        programmes.with_columns(construct=construct)
        .with_columns(
            locat=pl.lit(livraison, dtype=pl.Int32)
            if livraison
            else pl.col("construct") + (tirage.uniforme("locat") < 0.3).cast(pl.Int32),
            origine=pl.when(recent & (tirage.uniforme("vefa") < 0.5))
            .then(pl.lit("4"))
            .otherwise(
                pl.lit("1") if livraison else tirage.parmi("origine", (("1", 84), ("2", 9), ("3", 7)))
            ),
        )
        .with_columns(
            patrimoine=pl.when(pl.col("origine").is_in(["2", "3"]))
            .then(
                pl.max_horizontal(
                    pl.col("locat"),
                    pl.min_horizontal(pl.col("locat") + tirage.entre("rachat", 5, 40), pl.lit(REFERENCE - 2)),
                )
            )
            .otherwise(pl.col("locat")),
            annee_conv=pl.when(pl.col("construct") >= 1978)
            .then(pl.col("construct"))
            .otherwise(1979 + tirage.entre("convention", 0, 20)),
            mois_conv=tirage.entre("mois", 1, 12),
            finanautre=pl.when(pl.col("finan") == "49").then(pl.lit("Palulos")).otherwise(pl.lit("")),
            typvoie=tirage.parmi("voie", TYPES_DE_VOIE),
            numvoie=tirage.entre("numero", 1, 180),
            nom=tirage.parmi("nom", [(nom, 1) for nom in NOMS]),
            rue=tirage.parmi("rue", [(nom, 1) for nom in NOMS]),
            dpe=pl.when(recent)
            .then(tirage.parmi("dpe-neuf", (("A", 30), ("B", 45), ("C", 20), ("D", 5))))
            .otherwise(
                tirage.parmi("dpe", (("B", 8), ("C", 34), ("D", 36), ("E", 16), ("F", 3), ("G", 1), ("", 2)))
            ),
        )
        .with_columns(
            nomvoie="DES " + pl.col("rue"),
            cus=pl.col("finan").replace_strict(CUS, default="13"),
        )
    )


def _identifier(parc: pl.DataFrame, departement: str, serie: str, programme: Sequence[str]) -> pl.DataFrame:
    """Identifiers: ten characters that no register would give ("F060000123"), the landlord's reference.

    `programme`: the columns that make one; those of successive lots bear the same numbers. Identifiers and references
    bear `serie`: a bailleur has dwellings of several series, and one reference names one dwelling.
    """
    programmes = parc.select(programme).unique(maintain_order=True).with_row_index("numero", offset=1)
    prefixe = serie + departement
    return (
        parc.join(programmes, on=programme, how="left", maintain_order="left", nulls_equal=True)
        .with_columns(rang=pl.int_range(1, pl.len() + 1).over("numero"))
        .with_columns(
            programme=departement + "-" + pl.col("numero").cast(pl.String).str.zfill(5),
            ident_rep=prefixe + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(10 - len(prefixe)),
        )
        .with_columns(
            ident_int=pl.format(
                "{}-{}{}-{}",
                pl.lit(departement),
                pl.lit(serie),
                pl.col("numero").cast(pl.String).str.zfill(4),
                pl.col("rang").cast(pl.String).str.zfill(3),
            )
        )
    )


def _completer(parc: pl.DataFrame, departement: str, tirage: Tirage) -> pl.DataFrame:
    """What a synthetic dwelling needs beyond its programme: door, surface, APL convention, way out."""
    individuel = pl.col("typeconst") == "I"
    conventionne = pl.col("conv") == "1"
    mois = pl.col("mois_conv").cast(pl.String).str.zfill(2)
    return parc.with_columns(
        numvoie=pl.col("numvoie").cast(pl.String),
        numappt=pl.col("rang").cast(pl.String),
        etage=pl.when(individuel).then(pl.lit("0")).otherwise((pl.col("rang") // 4 % 12).cast(pl.String)),
        immeu=pl.when(individuel)
        .then(pl.lit(""))
        .otherwise("BATIMENT " + (pl.col("rang") // 48 + 1).cast(pl.String)),
        complgeo=pl.format("LES {}-EXEMPLE {}", "nom", "numero"),
        numconv=pl.when(conventionne)
        .then(pl.format("{}/{}/{}/DEMO/{}", pl.lit(departement), "annee_conv", mois, "numero"))
        .otherwise(pl.lit("")),
        datconv=pl.when(conventionne).then(pl.format("01/{}/{}", mois, "annee_conv")).otherwise(pl.lit("")),
        surfhab=(
            pl.col("nbpiece").replace_strict(SURFACES, return_dtype=pl.Float64)
            * (0.88 + 0.24 * tirage.uniforme("surface"))
            * pl.when(individuel).then(1.12).otherwise(1.0)
        )
        .round()
        .cast(pl.Int32),
        sortie=pl.when(pl.col("sortie_annee").is_null())
        .then(pl.lit("9"))
        .otherwise(tirage.parmi("sortie", (("1", 50), ("2", 15), ("3", 5), ("4", 28), ("5", 2)))),
    )


def lire_parc_reel(fichier: Path, parts: dict[str, Sequence[Part]], tirage: Tirage) -> pl.DataFrame:
    """Real dwellings of an open file, each programme given to a fictitious bailleur of its département.

    The programme is the APL convention, else the address. `parts`: by département. What the open file does not
    say (who lives there, since when) is drawn by `occupation`, as for the synthetic ones.
    """
    brut = (
        pl.read_csv(fichier, separator=";", infer_schema=False, encoding="utf8-lossy")
        .rename(str.lower)
        .with_columns(
            depcom=pl.col("depcom").str.zfill(5),
            codepostal=pl.col("codepostal").str.zfill(5),
            departement=pl.col("dep").str.zfill(2),
            groupe=pl.coalesce(
                "numconv", pl.concat_str("depcom", "nomvoie", separator="/", ignore_nulls=True)
            ),
            dpe=pl.col("dpeenergie"),
            sortie=pl.lit("9"),
            sortie_annee=pl.lit(None, dtype=pl.Int32),
        )
        .with_columns(
            pl.col("nbpiece", "surfhab", "construct", "locat", "patrimoine").cast(pl.Int32, strict=False)
        )
        .with_columns(locat=pl.coalesce("locat", "construct", pl.lit(2000, dtype=pl.Int32)))
        .sort("departement", "groupe", "nomvoie", "numappt", maintain_order=True)
    )
    morceaux = []
    for (departement,), lignes in brut.group_by("departement", maintain_order=True):
        programmes = lignes.group_by("groupe", maintain_order=True).agg(
            taille=pl.len(), conv=pl.first("conv"), typeconst=pl.first("typeconst")
        )
        programmes = programmes.with_columns(programme=pl.int_range(pl.len()))
        local = tirage.sous("reel", departement)
        attribues = _attribuer(programmes, parts[departement], local).select("groupe", "siren")
        lignes = lignes.join(attribues, on="groupe", maintain_order="left")
        morceaux.append(_identifier(lignes, departement, "R", ["groupe"]).select(COLONNES))
    return pl.concat(morceaux).with_columns(pl.col(pl.String).fill_null(""))
