"""From the life of the dwellings to the rows of the flux: facts and classes, rights, then COPY."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta

import polars as pl
from django.conf import settings
from django.db import connection

from flux.models import (
    Attribution,
    CodeMotif,
    Commission,
    Convocation,
    ExceptionLabel,
    Liberation,
    MotifRefus,
    Passage,
    SoustractionPrevisionnelle,
)
from flux.services.attributions import SANS_REPONSE
from flux.services.cadres import charger_cadres
from publics.models import (
    DossierAgent,
    Labellisation,
    Menage,
)
from reservation.acteur import (
    TypeOrganisation,
)
from reservation.demonstration import BAILLEURS
from reservation.models import Organisation, Presence
from reservation.models.parc import CLASSE_NON_RENSEIGNEE
from reservation.regles.statut import statut_logement
from reservation.services.parc.calcul import Classes

from .attributions import Lot, Monde, derouler
from .conventions import lire_droits
from .copie import copier, copier_table, reserver
from .scenario import AUJOURDHUI, COMPORTEMENTS, Comportement
from .tirage import Tirage

# What a libération says of its dwelling, from the life of the parc.
FAITS = (
    "siren", "departement", "depcom", "ident_rep", "ident_int", "numvoie", "typvoie", "nomvoie", "qpv", "finan",
    "conv", "nbpiece", "construct", "locat", "date", "bail_prevu", "premiere", "annulee",
)  # fmt: skip


def decrire_monde(organisations: Mapping[str, Organisation], annees: Sequence[int], tirage: Tirage) -> Monde:
    """What the rows of every département refer to: rights, ways of the bailleurs, motives, key of the hashes."""
    nommes = {b.siren: COMPORTEMENTS[b.cle] for b in BAILLEURS}
    motifs = {"CALEOL": [], "MENAGE": [], "SILENCE": []}
    for pk, porteur, code in (
        MotifRefus.objects.filter(porteur__in=motifs).order_by("pk").values_list("pk", "porteur", "code")
    ):
        motifs["SILENCE" if code == SANS_REPONSE else porteur].append(pk)
    return Monde(
        droits=lire_droits(annees, list(organisations.values())),
        comportements=pl.DataFrame(
            [
                {"bailleur_id": o.pk, **asdict(nommes.get(o.siren) or _comportement(o.siren, tirage))}
                for o in organisations.values()
                if o.famille
            ],
            schema_overrides={"bailleur_id": pl.Int64},
        ),
        motifs=motifs,
        cle=settings.CLE_NUMERO_UNIQUE.encode(),
        jour=AUJOURDHUI,
    )


def _comportement(siren: str, tirage: Tirage) -> Comportement:
    """The ways of a numbered bailleur: most keep their word, some do not."""

    def entre(nom: str, minimum: float, maximum: float) -> float:
        return minimum + (maximum - minimum) * tirage.entier(f"{siren}/{nom}") / 2**64

    return Comportement(
        etat=entre("etat", 0.86, 1.06),
        als=entre("als", 0.92, 1.05),
        collectivites=entre("collectivites", 0.85, 1.05),
        echecs=entre("echecs", 0.0, 0.04),
        prioritaires=entre("prioritaires", 0.94, 1.0),
        quart=entre("quart", 0.22, 0.38),
    )


def decrire_evenements(
    liberations: pl.DataFrame,
    organisations: Mapping[str, Organisation],
    communes: pl.DataFrame,
) -> pl.DataFrame:
    """Libérations (columns `FAITS`) with the facts of `flux.Liberation`; those outside the assiette are left out."""
    ids = {o.siren: o.pk for o in organisations.values() if o.famille}
    classes = Classes.lire()
    financements = liberations.select("finan", "conv").unique()
    financements = financements.with_columns(
        financement=pl.Series(
            [classes.financement(*paire) for paire in financements.iter_rows()], dtype=pl.String
        )
    )
    lignes = (
        liberations.join(communes.select("depcom", "commune"), on="depcom", maintain_order="left")
        .join(financements, on=["finan", "conv"], maintain_order="left")
        .with_columns(
            typologie=pl.col("nbpiece").replace_strict(
                classes.typologie_par_pieces, default=CLASSE_NON_RENSEIGNEE, return_dtype=pl.String
            ),
            periode=pl.coalesce("construct", "locat").replace_strict(
                classes.periode_par_annee, default=CLASSE_NON_RENSEIGNEE, return_dtype=pl.String
            ),
        )
        .select(
            "date",
            "bail_prevu",
            "premiere",
            "annulee",
            "finan",
            "conv",
            "nbpiece",
            "typologie",
            "financement",
            "periode",
            bailleur_id=pl.col("siren").replace_strict(ids, return_dtype=pl.Int64),
            departement_id="departement",
            commune_id="commune",
            cle_logement="ident_rep",
            reference="ident_int",
            adresse=pl.concat_str(
                pl.col("numvoie", "typvoie", "nomvoie").replace("", None), separator=" ", ignore_nulls=True
            ),
            qpv=pl.col("qpv") == "1",
        )
    )
    return _avec_statut(lignes)


def _avec_statut(lignes: pl.DataFrame) -> pl.DataFrame:
    """Status of each dwelling by the rule, once per distinct profile, under the acts of the year."""
    lignes = lignes.with_columns(annee=pl.col("date").dt.year())
    profil = ["bailleur_id", "departement_id", "annee", "finan", "conv"]
    profils = lignes.select(profil).unique().sort(profil)
    cadres = {
        annee: charger_cadres(
            set(profils.filter(pl.col("annee") == annee).select("bailleur_id", "departement_id").iter_rows()),
            annee,
        )
        for annee in profils["annee"].unique().sort()
    }
    statuts = [
        statut_logement(
            finan,
            conv,
            "1",
            "9",
            frozenset(),
            cadres[annee][bailleur, departement].famille,
            cadres[annee][bailleur, departement].regime.exclusions,
        )
        for bailleur, departement, annee, finan, conv in profils.iter_rows()
    ]
    verdicts = profils.with_columns(
        statut_logement=pl.Series([s.value for s in statuts], dtype=pl.String),
        dans_assiette=pl.Series([s.dans_assiette for s in statuts], dtype=pl.Boolean),
    )
    return lignes.join(verdicts, on=profil, maintain_order="left").filter("dans_assiette").drop("annee")


# Tables that `charger_flux` fills, all at once or not at all.
TABLES = (
    Liberation,
    Commission,
    Convocation,
    Menage,
    Labellisation,
    Passage,
    Attribution,
    Attribution.labels_admis.through,
    DossierAgent,
    ExceptionLabel,
    SoustractionPrevisionnelle,
)


def charger_flux(evenements: pl.DataFrame, monde: Monde, tirage: Tirage) -> dict[str, int]:
    """COPY all that follows from the libérations of one département; return how many rows of each kind."""
    lot = derouler(_situer(evenements), monde, tirage)
    _copier_lot(lot)
    _prevoir_soustractions(lot.liberations, monde.droits["annee"].min(), tirage)
    return {"libérations": lot.liberations.height, "attributions": lot.attributions.height}


def _situer(evenements: pl.DataFrame) -> pl.DataFrame:
    """The addresses as the import wrote them; what RPLS does not know yet keeps its number and street."""
    cles = evenements.select("bailleur_id", "cle_logement").unique()
    with connection.cursor() as curseur:
        curseur.execute(
            """
            SELECT DISTINCT ON (v.bailleur_id, v.cle) v.bailleur_id, v.cle, l.adresse
            FROM unnest(%s::bigint[], %s::text[]) AS v(bailleur_id, cle)
            JOIN reservation_logement l ON l.bailleur_id = v.bailleur_id AND l.cle = v.cle COLLATE "C"
            ORDER BY v.bailleur_id, v.cle, l.millesime DESC
            """,
            [cles["bailleur_id"].to_list(), cles["cle_logement"].to_list()],
        )
        connues = pl.DataFrame(
            curseur.fetchall(),
            schema={"bailleur_id": pl.Int64, "cle_logement": pl.String, "connue": pl.String},
            orient="row",
        )
    return (
        evenements.join(connues, on=["bailleur_id", "cle_logement"], how="left", maintain_order="left")
        .with_columns(adresse=pl.coalesce("connue", "adresse"))
        .drop("connue")
    )


def _copier_lot(lot: Lot) -> None:
    """Load the frames in the order of their references, each under ids of its own."""
    tables = (
        (Liberation, lot.liberations),
        (Commission, lot.commissions),
        (Menage, lot.menages),
        (Labellisation, lot.labels),
        (Passage, lot.passages),
        (Attribution, lot.attributions),
    )
    premiers = {modele: reserver(modele, lignes.height) for modele, lignes in tables if lignes.height}
    references = {
        "liberation_id": Liberation,
        "commission_id": Commission,
        "menage_id": Menage,
        "labellisation_id": Labellisation,
        "passage_id": Passage,
        "attribution_id": Attribution,
    }

    def decaler(lignes: pl.DataFrame, modele=None) -> pl.DataFrame:
        decalages = {c: m for c, m in references.items() if c in lignes.columns}
        if modele is not None:
            decalages["id"] = modele
        return lignes.with_columns(
            pl.col(colonne).cast(pl.Int64) + premiers[cible] for colonne, cible in decalages.items()
        )

    for modele, lignes in tables:
        if lignes.height:
            copier(modele, decaler(lignes, modele))
    ddets = dict(Organisation.objects.filter(type=TypeOrganisation.DDETS).values_list("departement", "pk"))
    _convoquer(lot, ddets, decaler)
    _valider_les_agents(lot, ddets, decaler)
    if lot.labels_admis.height:
        copier_table(Attribution.labels_admis.through._meta.db_table, decaler(lot.labels_admis))
        _motiver_les_exceptions(lot, decaler)


def _convoquer(lot: Lot, ddets: Mapping[str, int], decaler: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """The DDETS was convened to every commission, ten days before; the e-mails of that time are not kept."""
    convocations = lot.commissions.select(
        "bailleur_id",
        "departement_id",
        commission_id="id",
        organisation_id=pl.col("departement_id").replace_strict(ddets, return_dtype=pl.Int64),
        ecrite_le=(pl.col("date") - pl.duration(days=10))
        .cast(pl.Datetime)
        .dt.offset_by("9h")
        .dt.replace_time_zone("UTC"),
    )
    copier(Convocation, decaler(convocations), nature=Convocation.Nature.CONVOCATION.value, sequence=0)


def _valider_les_agents(
    lot: Lot, ddets: Mapping[str, int], decaler: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    """The file behind each agent that the DDETS had validated before the proposition; the others wait, or were granted."""
    valides = lot.attributions.filter(pl.col("agent_valide_le").is_not_null()).unique("menage_id").sort("id")
    DossierAgent.objects.bulk_create(
        DossierAgent(
            menage_id=menage,
            departement_id=departement,
            versant=DossierAgent.Versant.ETAT,
            statut=DossierAgent.Statut.TITULAIRE,
            etat=DossierAgent.Etat.ACCORDEE,
            saisie_par_id=bailleur,
            saisie_le=jour - timedelta(days=5),
            echeance=jour + timedelta(days=10),
            decidee_par_id=ddets[departement],
            decidee_le=jour,
        )
        for menage, departement, bailleur, jour in decaler(
            valides.select("menage_id", "departement_id", "bailleur_id", "agent_valide_le")
        ).iter_rows()
    )


def _motiver_les_exceptions(lot: Lot, decaler: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """The decision of the DDETS behind each label admitted after the CALEOL, some days after the label."""
    decisions = (
        lot.labels_admis.join(lot.labels.select("debut", labellisation_id="id"), on="labellisation_id")
        .join(
            lot.attributions.select(
                "bailleur_id", "departement_id", "liberation_id", "date_caleol", attribution_id="id"
            ),
            on="attribution_id",
        )
        .with_columns(
            faite_le=(pl.col("debut") + pl.duration(days=4))
            .cast(pl.Datetime)
            .dt.offset_by("9h")
            .dt.replace_time_zone("UTC")
        )
        .sort("attribution_id")
    )
    premier = reserver(ExceptionLabel, decisions.height)
    copier(
        ExceptionLabel,
        decaler(decisions)
        .rename({"labellisation_id": "label_id", "debut": "label_depuis"})
        .with_row_index("id")
        .with_columns(id=pl.col("id").cast(pl.Int64) + premier),
        nature=ExceptionLabel.Nature.ADMISSION.value,
        motif_id=CodeMotif.objects.get(code="X_INSTRUCTION").pk,
    )


def _prevoir_soustractions(liberations: pl.DataFrame, depuis: int, tirage: Tirage) -> None:
    """What each bailleur foresaw before each year, near what then happened; the current year is not over."""
    jours = (AUJOURDHUI - date(AUJOURDHUI.year, 1, 1)).days + 1
    prevues = (
        liberations.filter(pl.col("usage") != "FLUX")
        .group_by("bailleur_id", "departement_id", annee=pl.col("date").dt.year(), categorie="usage")
        .agg(constatees=pl.len())
        .filter(pl.col("annee") >= depuis)
        .sort("bailleur_id", "departement_id", "annee", "categorie")
        .with_columns(
            nombre=(
                pl.col("constatees")
                * pl.when(pl.col("annee") == AUJOURDHUI.year).then(365 / jours).otherwise(1.0)
                * (0.8 + 0.4 * tirage.uniforme("prevision"))
            )
            .round()
            .clip(1)
            .cast(pl.Int32)
        )
        .drop("constatees")
    )
    copier(SoustractionPrevisionnelle, prevues)


def deja_charges() -> bool:
    """Whether the libérations of the demonstration are there."""
    return Liberation.objects.filter(bailleur__fictive=True).exists()


def paires_presentes() -> list[tuple[int, str]]:
    """(bailleur id, département) of the fictitious bailleurs."""
    return list(
        Presence.objects.filter(bailleur__fictive=True)
        .order_by("bailleur", "departement")
        .values_list("bailleur_id", "departement_id")
    )
