"""From the libérations to the leases: orientation, CALEOL, candidates, refusals, labels. Frames in, frames out.

Dates are drawn backwards from the lease that RPLS will show: a lease of 3 September needs a CALEOL in August, and
one refusal puts another CALEOL before it. Every commission sits on the calendar of its bailleur.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from hashlib import sha256

import polars as pl

from publics.services.menages import empreinte_cle

from .scenario import Comportement
from .tirage import Tirage

EPOQUE = date(1970, 1, 1)
# Days between two CALEOL of a bailleur in a département, by libérations a year.
RYTHMES = ((400, 7), (60, 14), (0, 28))
USAGES = (("MUTATION", 80), ("INSALUBRITE", 4), ("VENTE", 5), ("URGENCE_PREFECTORALE", 1))
PART_SOUSTRAITE = 0.08
PART_RU_QPV = 0.035
PART_RU_AILLEURS = 0.006
REFUS = ((0, 80), (1, 15), (2, 5))
CANDIDATS = ((1, 6), (2, 12), (3, 56), (4, 16), (5, 10))
PART_AGENTS = 0.14  # of what the État receives: about 4 points of the flux, for a ceiling of 5
CATEGORIES = (
    ("DALO", 24), ("HEBERGEMENT", 14), ("SANS_ABRI", 6), ("VIOLENCES", 9), ("EXPULSION", 6),
    ("LOGEMENT_TEMPORAIRE", 9), ("BPI", 5), ("L441_1_A", 8), ("L441_1_C", 8), ("L441_1_E", 3), ("L441_1_J", 5),
    ("L441_1_K", 3),
)  # fmt: skip
EMPLOIS = (("SALARIE", 46), ("DEMANDEUR_EMPLOI", 20), ("AUTRE", 34))
EMPLOIS_ALS = (("SALARIE", 88), ("DEMANDEUR_EMPLOI", 12))


@dataclass(frozen=True)
class Lot:
    """Rows to load, in the order of their foreign keys; ids run from 0 in each frame."""

    liberations: pl.DataFrame
    commissions: pl.DataFrame
    menages: pl.DataFrame
    labels: pl.DataFrame
    passages: pl.DataFrame
    attributions: pl.DataFrame
    labels_admis: pl.DataFrame


@dataclass(frozen=True)
class Monde:
    """What is in the database already and that rows refer to.

    `droits`: bailleur_id, departement_id, annee, reservataire_id, nature, rang, points, and commune_id (null: the
    whole département). `comportements`: bailleur_id and the fields of `Comportement`. `motifs`: codes of refusal
    → primary keys, by holder ("CALEOL", "MENAGE"), and that of a silence ("SILENCE"). `cle`: key of the hash of the numéros uniques.
    """

    droits: pl.DataFrame
    comportements: pl.DataFrame
    motifs: dict[str, Sequence[int]]
    cle: bytes
    jour: date


def colonnes_comportement() -> list[str]:
    return [champ.name for champ in fields(Comportement)]


def derouler(evenements: pl.DataFrame, monde: Monde, tirage: Tirage) -> Lot:
    """All that follows from the libérations of one département.

    `evenements`: one row per libération with the facts of the dwelling as in `Liberation`, plus bail_prevu and
    annulee (the tenant stays).
    """
    liberations = _orienter(evenements, monde, tirage).with_row_index("id")
    tours = _tours(liberations, monde.jour, tirage)
    commissions = (
        tours.select("bailleur_id", "departement_id", date="caleol")
        .unique()
        .sort("bailleur_id", "date")
        .with_row_index("id")
        .with_columns(dematerialisee=tirage.uniforme("dematerialisee") < 0.25, etat=pl.lit("CLOSE"))
        .with_columns(
            heure=pl.when("dematerialisee").then(pl.lit("09:00")).otherwise(pl.lit("14:00")),
            lieu=pl.when("dematerialisee").then(pl.lit("")).otherwise(pl.lit("salle du conseil")),
            date_fin=pl.when("dematerialisee").then(pl.col("date") + pl.duration(days=1)),
            heure_fin=pl.when("dematerialisee").then(pl.lit("09:00")),
        )
    )
    tours = tours.join(
        commissions.select("bailleur_id", "departement_id", caleol="date", commission_id="id"),
        on=["bailleur_id", "departement_id", "caleol"],
        maintain_order="left",
    )
    passages = _candidats(tours, monde, tirage)
    gagnants = passages.filter(pl.col("place") == 0).sort("tour_id")
    attributions = _attribuer(tours, gagnants, monde, tirage)
    labels = _labels(passages, attributions, tirage)
    return Lot(
        liberations=_finir_liberations(liberations, monde.jour),
        commissions=commissions,
        menages=_menages(passages, monde.cle, tirage),
        labels=labels.drop("attribution_id", "tardif"),
        passages=passages.select(
            "id",
            "bailleur_id",
            "departement_id",
            "commission_id",
            "liberation_id",
            "menage_id",
            "date_proposition",
            "decision",
            "rang",
            "motif_id",
        ),  # fmt: skip
        attributions=_motiver(attributions, labels, liberations, tirage),
        labels_admis=labels.filter(pl.col("tardif") & (pl.int_range(pl.len()) % 2 == 0)).select(
            "attribution_id", labellisation_id="id"
        ),
    )


def _orienter(evenements: pl.DataFrame, monde: Monde, tirage: Tirage) -> pl.DataFrame:
    """Use of each libération, its calendar, and the réservataire to which it goes."""
    u = tirage.uniforme("usage")
    place = tirage.brut("jour-caleol", pl.col("bailleur_id"))
    ru = pl.when(pl.col("qpv")).then(PART_RU_QPV).otherwise(PART_RU_AILLEURS)
    libres = (
        evenements.sort("date", "cle_logement")
        .join(monde.comportements, on="bailleur_id", how="left", maintain_order="left")
        .with_columns(
            usage=pl.when(pl.col("premiere"))
            .then(pl.lit("FLUX"))
            .when(u < ru)
            .then(pl.lit("RU"))
            .when((u < ru + 0.003) & pl.col("qpv"))
            .then(pl.lit("ORCOD"))
            .when(u < ru + 0.003 + PART_SOUSTRAITE)
            .then(tirage.parmi("soustraction", USAGES))
            .otherwise(pl.lit("FLUX")),
            par_an=pl.len().over("bailleur_id", "departement_id", pl.col("date").dt.year()),
        )
        .with_columns(
            pas=pl.when(pl.col("par_an") >= RYTHMES[0][0])
            .then(RYTHMES[0][1])
            .when(pl.col("par_an") >= RYTHMES[1][0])
            .then(RYTHMES[1][1])
            .otherwise(RYTHMES[2][1])
            .cast(pl.Int32),
            # Tuesday to Thursday of one week in four: the fifth day of 1970 was a Tuesday.
            decalage=5 + (place % 3).cast(pl.Int32) + 7 * (place // 3 % 4).cast(pl.Int32),
            refus=tirage.parmi("refus", REFUS).cast(pl.Int32),
        )
        .with_columns(caleol=_jour_de_caleol(pl.col("bail_prevu").dt.offset_by("-9d")))
        .with_columns(premiere_caleol=pl.col("caleol") - pl.duration(days=pl.col("pas") * pl.col("refus")))
        .with_columns(
            date_preavis=pl.when(~pl.col("premiere")).then(
                pl.min_horizontal(
                    pl.col("date") - pl.duration(days=tirage.entre("preavis", 30, 92)),
                    pl.col("premiere_caleol") - pl.duration(days=tirage.entre("preavis-tot", 20, 40)),
                )
            ),
            orientee=pl.col("premiere_caleol") - pl.duration(days=tirage.entre("orientation", 10, 18)),
            date_disponibilite=pl.col("date") + pl.duration(days=tirage.entre("disponible", 0, 12)),
        )
    )
    oriente = (pl.col("usage") == "FLUX") & ~pl.col("annulee") & (pl.col("orientee") <= monde.jour)
    libres = libres.with_columns(oriente=oriente)
    reservataires = _partager(libres.filter("oriente"), monde.droits, tirage)
    libres = libres.join(reservataires, on=["bailleur_id", "cle_logement", "date"], how="left").sort(
        "date", "cle_logement"
    )
    echec = (
        pl.col("oriente")
        & pl.col("nature").is_in(["ALS", "COLLECTIVITE"])
        & (tirage.uniforme("echec") < pl.col("echecs"))
        & (pl.col("premiere_caleol") <= monde.jour)
    )
    return libres.with_columns(
        reservataire_id=pl.when("oriente").then(pl.coalesce("reservataire_id", "bailleur_id")),
        nature=pl.when("oriente").then(pl.col("nature").fill_null("BAILLEUR")),
        orientee_le=pl.when("oriente").then("orientee"),
        designation_echouee_le=pl.when(echec).then(pl.col("premiere_caleol").dt.offset_by("-2d")),
    )


def _jour_de_caleol(limite: pl.Expr) -> pl.Expr:
    """Last sitting on or before `limite`, in the rhythm (`pas`) and on the day (`decalage`) of the bailleur."""
    jours = limite.dt.epoch("d")
    return pl.from_epoch(
        pl.col("decalage") + pl.col("pas") * ((jours - pl.col("decalage")) // pl.col("pas")), time_unit="d"
    )


def _partager(libres: pl.DataFrame, droits: pl.DataFrame, tirage: Tirage) -> pl.DataFrame:
    """The réservataire of each oriented libération, at the rates of the acts times the ways of the bailleur.

    Rights of a collectivité bear on its communes; what nobody draws stays with the bailleur (no row). Draws are
    stratified as the objectives are counted (year of the attribution, QPV, flux or not): a bailleur that keeps its
    word is on target, not merely on average.
    """
    strate = ["bailleur_id", "departement_id", "exercice", "qpv", "premiere"]
    cles = ["bailleur_id", "departement_id", "annee", "commune_id"]
    facteurs = {"ETAT": "etat", "ALS": "als", "COLLECTIVITE": "collectivites", "AUTRE": "collectivites"}
    facteur = pl.lit(1.0)
    for nature, colonne in facteurs.items():
        facteur = pl.when(pl.col("nature") == nature).then(pl.col(colonne)).otherwise(facteur)
    # What was freed the year before the first one is oriented under the rights of that one.
    libres = libres.with_columns(
        annee=pl.max_horizontal(pl.col("date").dt.year(), pl.lit(droits["annee"].min()))
    )
    lieux = libres.select(*cles, *sorted(set(facteurs.values()))).unique()
    seuils = (
        lieux.join(droits.rename({"commune_id": "commune"}), on=cles[:3])
        .filter(pl.col("commune").is_null() | (pl.col("commune") == pl.col("commune_id")))
        .sort(*cles, "rang", "reservataire_id")
        .with_columns(seuil=((pl.col("points") / 100 * facteur).cum_sum().over(cles)).clip(0, 1))
        .sort("seuil", *cles)
    )
    return (
        libres.with_columns(exercice=pl.col("caleol").dt.year())
        .with_columns(ordre=tirage.brut("reservataire"))
        .with_columns(
            seuil=(pl.col("ordre").rank("ordinal").over(strate) - 1 + tirage.uniforme("dans-la-strate"))
            / pl.len().over(strate)
        )
        .sort("seuil")
        .join_asof(
            seuils.select(*cles, "seuil", "reservataire_id", "nature"),
            on="seuil",
            by=cles,
            strategy="forward",
            check_sortedness=False,
        )
        .select("bailleur_id", "cle_logement", "date", "reservataire_id", "nature")
    )


def _tours(liberations: pl.DataFrame, jour: date, tirage: Tirage) -> pl.DataFrame:
    """One row per CALEOL that attributes: the last one leads to the lease, those before it were refused.

    A libération without orientation whose use is the flux waits; a soustraction goes to CALEOL all the same.
    """
    vivantes = liberations.filter(
        ~pl.col("annulee") & ((pl.col("usage") != "FLUX") | pl.col("orientee_le").is_not_null())
    )
    tours = (
        vivantes.with_columns(tour=pl.int_ranges(0, pl.col("refus") + 1))
        .explode("tour")
        .with_columns(
            caleol=pl.col("caleol") - pl.duration(days=pl.col("pas") * (pl.col("refus") - pl.col("tour"))),
            dernier=pl.col("tour") == pl.col("refus"),
        )
        .filter(pl.col("caleol") <= jour)
        .rename({"id": "liberation_id"})
        .sort("caleol", "liberation_id")
        .with_row_index("tour_id")
    )
    refusee = pl.col("caleol") + pl.duration(
        days=2 + (tirage.uniforme("jours-refus") * (pl.min_horizontal(pl.col("pas"), 11) - 3)).cast(pl.Int32)
    )
    # Silence is a refusal once the ten days are over: where the next commission is far enough.
    muet = (tirage.uniforme("silence") < 0.25) & (pl.col("pas") > 12)
    tours = tours.with_columns(
        muet=muet, refusee=pl.when(muet).then(pl.col("caleol").dt.offset_by("11d")).otherwise(refusee)
    ).with_columns(
        refusee_le=pl.when(~pl.col("dernier") & (pl.col("refusee") <= jour)).then("refusee"),
        date_bail=pl.when(pl.col("dernier") & (pl.col("bail_prevu") <= jour)).then("bail_prevu"),
    )
    return _offres(tours, jour, tirage)


def _offres(tours: pl.DataFrame, jour: date, tirage: Tirage) -> pl.DataFrame:
    """The offer of each attribution and its answer, before the refusal or the lease: some wait to be notified, some for
    an answer, within their ten days or past them."""
    suite = pl.min_horizontal("refusee_le", "date_bail")
    offre = pl.min_horizontal(
        pl.when("muet")
        .then(pl.col("caleol"))
        .otherwise(pl.col("caleol") + pl.duration(days=tirage.entre("jours-offre", 0, 3))),
        suite.fill_null(jour),
    )
    accord = pl.min_horizontal(
        pl.col("offre_le") + pl.duration(days=tirage.entre("jours-accord", 1, 9)),
        pl.col("date_bail").fill_null(jour + timedelta(days=99)),
    )
    recente = suite.is_null()
    return tours.with_columns(
        offre_le=pl.when(~recente | (tirage.uniforme("offre-notifiee") < 0.8)).then(offre)
    ).with_columns(
        acceptee_le=pl.when(
            pl.col("refusee_le").is_null()
            & pl.col("offre_le").is_not_null()
            & (accord <= jour)
            & (pl.col("date_bail").is_not_null() | (tirage.uniforme("accord") < 0.6))
        ).then(accord)
    )


def _candidats(tours: pl.DataFrame, monde: Monde, tirage: Tirage) -> pl.DataFrame:
    """Candidatures examined, `place` 0 being the one served; ranks without gap; a motive for each refusal."""
    u = tirage.uniforme("forme")
    passages = (
        tours.with_columns(
            nombre=tirage.parmi("candidats", CANDIDATS).cast(pl.Int32),
            forme=pl.when(u < 0.1)
            .then(pl.lit("ATTR"))
            .when(u < 0.14)
            .then(pl.lit("ATTR_COND"))
            .otherwise(pl.lit("ATTR_RANG")),
            classes=tirage.uniforme("classes"),
        )
        .with_columns(
            forme=pl.when((pl.col("nombre") == 1) & (pl.col("forme") == "ATTR_RANG"))
            .then(pl.lit("ATTR"))
            .otherwise("forme"),
            classes=1 + (pl.col("classes") * pl.col("nombre")).floor().cast(pl.Int32),
            place=pl.int_ranges(0, pl.col("nombre")),
            date_proposition=pl.col("caleol") - pl.duration(days=tirage.entre("proposition", 5, 9)),
        )
        .explode("place")
        .with_row_index("id")
    )
    classe = (pl.col("forme") == "ATTR_RANG") & (pl.col("place") < pl.col("classes"))
    refusees = tirage.parmi("motif-caleol", [(pk, 1) for pk in monde.motifs["CALEOL"]])
    return passages.with_columns(
        decision=pl.when(classe)
        .then(pl.lit("ATTR_RANG"))
        .when(pl.col("place") == 0)
        .then("forme")
        .when(tirage.uniforme("irrecevable") < 0.15)
        .then(pl.lit("IRRECEV"))
        .otherwise(pl.lit("NON_ATTR")),
        rang=pl.when(classe).then(pl.col("place") + 1),
        menage_id=pl.col("id"),
    ).with_columns(motif_id=pl.when(pl.col("decision") == "NON_ATTR").then(refusees))


def _attribuer(tours: pl.DataFrame, gagnants: pl.DataFrame, monde: Monde, tirage: Tirage) -> pl.DataFrame:
    """The attribution of each CALEOL, with what makes it count for an agent of the État or an employee."""
    agent = (
        pl.col("nature").eq_missing(pl.lit("ETAT"))
        & pl.col("designation_echouee_le").is_null()
        & (tirage.uniforme("agent") < PART_AGENTS)
    )
    validation = tirage.uniforme("validation")
    refus = tirage.parmi("motif-menage", [(pk, 1) for pk in monde.motifs["MENAGE"]])
    return tours.with_columns(
        id=pl.col("tour_id"),
        passage_id=gagnants["id"],
        menage_id=gagnants["menage_id"],
        date_proposition=gagnants["date_proposition"],
        date_caleol="caleol",
        agent=agent,
    ).with_columns(
        agent_valide_le=pl.when(pl.col("agent") & (validation < 0.8)).then(
            pl.col("date_proposition") - pl.duration(days=tirage.entre("anciennete-validation", 3, 60))
        ),
        agent_accord_posterieur=pl.col("agent") & (validation >= 0.8) & (validation < 0.92),
        agent_adapte=pl.col("agent") & (tirage.uniforme("adapte") < 0.95),
        statut_emploi=pl.when(pl.col("agent"))
        .then(pl.lit("SALARIE"))
        .when(pl.col("nature") == "ALS")
        .then(tirage.parmi("emploi-als", EMPLOIS_ALS))
        .otherwise(tirage.parmi("emploi", EMPLOIS)),
        motif_refus_id=pl.when(pl.col("refusee_le").is_not_null()).then(
            pl.when("muet").then(pl.lit(monde.motifs["SILENCE"][0])).otherwise(refus)
        ),
    )


def _labels(passages: pl.DataFrame, attributions: pl.DataFrame, tirage: Tirage) -> pl.DataFrame:
    """Labels of the households examined, more often of those served, as the partners keep their word.

    A few come after the CALEOL (`tardif`): they count only where the DDETS admits them.
    """
    servis = attributions.select("passage_id", "agent", attribution_id="id")
    labellises = passages.join(
        servis, left_on="id", right_on="passage_id", how="left", maintain_order="left"
    ).with_columns(u=tirage.uniforme("label"))
    contingent = (
        pl.when(pl.col("designation_echouee_le").is_not_null()).then(pl.lit("BAILLEUR")).otherwise("nature")
    )
    chance = (
        pl.when(pl.col("place") > 0)
        .then(0.18)
        .when(pl.col("agent"))
        .then(0.1)
        .when(contingent == "ETAT")
        .then("prioritaires")
        .when(contingent.is_not_null())
        .then("quart")
        .otherwise(0.25)
    )
    labellises = labellises.filter(pl.col("u") < chance)
    tardif = (pl.col("place") == 0) & (tirage.uniforme("tardif") < 0.02)
    ouvert = tirage.uniforme("ouvert") < 0.4
    return (
        labellises.with_columns(tardif=tardif)
        .with_columns(
            debut=pl.when("tardif")
            .then(pl.col("caleol").dt.offset_by("8d"))
            .otherwise(pl.col("caleol") - pl.duration(days=tirage.entre("anciennete-label", 20, 420))),
            categorie_id=tirage.parmi("categorie", CATEGORIES),
            ouvert=ouvert,
        )
        .with_row_index("rang_label")
        .select(
            id="rang_label",
            departement_id="departement_id",
            menage_id="menage_id",
            categorie_id="categorie_id",
            manuelle=(pl.col("categorie_id") == "DALO") | (tirage.uniforme("manuelle") < 0.5),
            debut="debut",
            fin=pl.when(~pl.col("ouvert")).then(pl.col("debut").dt.offset_by("2y")),
            attribution_id="attribution_id",
            tardif="tardif",
        )
    )


def _menages(passages: pl.DataFrame, cle: bytes, tirage: Tirage) -> pl.DataFrame:
    """Households: the hash of a numéro unique that says it is not one ("0060725DEMO0000042")."""
    numeros = passages.select(
        "menage_id",
        "departement_id",
        numero=pl.format(
            "{}{}DEMO{}",
            pl.col("departement_id").str.zfill(3),
            pl.col("caleol").dt.strftime("%m%y"),
            pl.col("menage_id").cast(pl.String).str.zfill(7),
        ),
    )
    haches = [hmac.digest(cle, numero.encode(), sha256).hex() for numero in numeros["numero"]]
    return numeros.select(
        "departement_id",
        id="menage_id",
        numero_hache=pl.Series(haches, dtype=pl.String),
        numero_fin=pl.col("numero").str.slice(-4),
        cle_numero=pl.lit(empreinte_cle(cle.decode())),
    )


def _motiver(
    attributions: pl.DataFrame, labels: pl.DataFrame, liberations: pl.DataFrame, tirage: Tirage
) -> pl.DataFrame:
    """The logged reason of most attributions of the État to households without label (chapter 6)."""
    labellisees = labels.filter(~pl.col("tardif")).select("attribution_id").drop_nulls().unique()
    financements = liberations.select(liberation_id="id", pls=pl.col("financement") == "PLS")
    sans_label = (
        (pl.col("nature") == "ETAT")
        & pl.col("designation_echouee_le").is_null()
        & ~pl.col("agent")
        & ~pl.col("labellisee")
        & (tirage.uniforme("motif-hors") < 0.65)
    )
    return (
        attributions.join(
            labellisees.with_columns(labellisee=True),
            left_on="id",
            right_on="attribution_id",
            how="left",
            maintain_order="left",
        )
        .join(financements, on="liberation_id", how="left", maintain_order="left")
        .with_columns(pl.col("labellisee").fill_null(False))
        .select(
            "id",
            "bailleur_id",
            "departement_id",
            "liberation_id",
            "passage_id",
            "menage_id",
            "date_proposition",
            "date_caleol",
            "offre_le",
            "acceptee_le",
            "refusee_le",
            "motif_refus_id",
            "date_bail",
            "statut_emploi",
            "agent",
            "agent_valide_le",
            "agent_accord_posterieur",
            "agent_adapte",
            motif_hors_prioritaire=pl.when(sans_label & pl.col("pls"))
            .then(pl.lit("PLS_SANS_CANDIDAT"))
            .when(sans_label)
            .then(pl.lit("REFUS_CANDIDATS_ETAT"))
            .otherwise(pl.lit("")),
        )  # fmt: skip
    )


def _finir_liberations(liberations: pl.DataFrame, jour: date) -> pl.DataFrame:
    """The columns of the table; what is cancelled says why, what is not oriented has no date."""
    return liberations.select(
        "id", "bailleur_id", "departement_id", "commune_id", "cle_logement", "reference", "adresse", "qpv",
        "finan", "conv", "nbpiece", "typologie", "financement", "periode", "statut_logement", "dans_assiette",
        "date_preavis", "date", "usage", "premiere", "reservataire_id", "orientee_le", "designation_echouee_le",
        date_disponibilite=pl.when((pl.col("date_disponibilite") <= jour) & ~pl.col("annulee")).then(
            "date_disponibilite"
        ),
        preuve=pl.when(pl.col("usage") == "FLUX")
        .then(pl.lit(""))
        .otherwise(pl.format("DEMO-{}-{}", pl.col("usage").str.head(3), "id")),
        annulee_le=pl.when("annulee").then(pl.col("date").dt.offset_by("-3d")),
        motif_annulation=pl.when("annulee")
        .then(pl.lit("Le locataire a retiré son préavis et reste dans les lieux"))
        .otherwise(pl.lit("")),
    )  # fmt: skip
