"""From cells to dwellings: codes checked, damage mended, identity, fingerprint; anomalies with their lines.

Columns of codes, years and dates repeat a few values: each distinct one goes once through a reader of `valeurs`,
polars applies the answers. A dwelling with an ERREUR is rejected; an AVERTISSEMENT changes at most a column that
no rule reads.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import polars as pl

from . import valeurs
from .causes import CAUSES, Gravite
from .colonnes import ADRESSE, nom_canonique
from .lignes import Bloc
from .ouverture import Famille, Fichier
from .valeurs import Lu

FINANS = frozenset(map(str, (*range(10, 18), *range(49, 56), 99)))
SORTIES = frozenset("12345")
MODES = frozenset("123459")
# The communal files count a class "hébergement temporaire" whose code no text gives: neither let nor on offer.
MODES_NON_DOCUMENTES = frozenset("678")

# What makes two lines of an open file the same dwelling from one year to the next: where it is, and what never
# changes in its life. Lines equal in all of them are told apart by rank (`analyse.donner_les_cles`).
IDENTITE = (
    *("commune", *ADRESSE, "typeconst", "nbpiece", "surfhab", "construct", "locat", "patrimoine"),
    *("origine", "finan", "finan_autre"),
)
TEXTES_A_NETTOYER = frozenset({*ADRESSE, "IDENT_REP", "IDENT_INT", "NUMCONV", "FINANAUTRE", "RS"})
# Columns of `Logement` that the file fills; the fingerprint is that of their values.
FAITS = (
    *("commune", "ident_rep", "ident_int", "adresse", "code_postal", "programme", "droit", "qpv", "code_qpv"),
    *(
        "typeconst",
        "nbpiece",
        "surfhab",
        "construct",
        "locat",
        "patrimoine",
        "origine",
        "finan",
        "finan_autre",
    ),
    *("conv", "numconv", "datconv", "sortie", "mode", "bail", "remlocdate", "cus", "dpe", "contingent_rpls"),
)
# What the rules, the keys and the classes look at, kept apart from the formatted line.
RETENUES = (
    *("ligne", "siren", "departement", "base", "commune", "ident_rep", "ident_int", "programme", "typeconst"),
    *("nbpiece", "construct", "locat", "finan", "conv", "mode", "sortie", "qpv", "bail"),
)


@dataclass(frozen=True)
class Contexte:
    """What the reading needs to know besides the file.

    `communes`: any known code → commune of today; `departements`: commune → département. `siren`: the bailleur of
    every line, if one is imposed. `sirens`: bailleurs known (None: all are accepted, to be made).
    `repartition`: SIREN of the demonstration bailleurs over which an open file is spread.
    """

    millesime: int
    communes: dict[str, str]
    departements: dict[str, str]
    siren: str = ""
    sirens: frozenset[str] | None = frozenset()
    repartition: tuple[str, ...] = ()


@dataclass
class Anomalie:
    """One cause met in a block: the lines, and the values read (same order)."""

    cause: str
    colonne: str
    lignes: pl.Series
    valeurs: pl.Series


@dataclass
class Lot:
    """A block once read: accepted dwellings, anomalies, lines ignored here, bailleurs named by the file.

    `logements`: the columns of `RETENUES`, then `faits`, the values of `FAITS` as COPY wants them (text format,
    separated by tabs), written once and hashed into `empreinte`.
    """

    logements: pl.DataFrame
    anomalies: list[Anomalie]
    ignorees: list[tuple[int, str]]
    lignes: int
    encodage: str
    bailleurs: dict[str, tuple[str, str]] = field(default_factory=dict)


class Normaliseur:
    """Reads blocks of one file; may be shared by threads (its memories only grow)."""

    def __init__(self, fichier: Fichier, contexte: Contexte):
        self.fichier = fichier
        self.contexte = contexte
        self._memoires: dict[str, dict[str | None, Lu]] = {}
        self._lecteurs = self._preparer_lecteurs()

    def _preparer_lecteurs(self) -> dict[str, Callable[[str], Lu]]:
        annee = valeurs.lire_entier(1000, 2100, {0, 999, 9999})
        mois = valeurs.lire_date
        return {
            "DEPCOM": valeurs.lire_commune(self.contexte.communes),
            "CODEPOSTAL": valeurs.lire_chiffres(5, "CODE_INCONNU"),
            "QPV": _exige(valeurs.lire_code("12", "QPV_INVALIDE"), "QPV_INVALIDE"),
            "TYPECONST": _exige(valeurs.lire_code("CIE", "TYPECONST_INVALIDE"), "TYPECONST_INVALIDE"),
            "CONV": _exige(valeurs.lire_code("12", "CONV_INVALIDE"), "CONV_INVALIDE"),
            "FINAN": valeurs.lire_code(FINANS, "FINAN_INVALIDE", 2),
            "SORTIEPATRIM": valeurs.lire_code("123459", "SORTIE_INVALIDE"),
            "MODE": valeurs.lire_code(MODES | MODES_NON_DOCUMENTES, "MODE_INVALIDE"),
            "NBPIECE": valeurs.lire_entier(1, 20, {0, 99, 999}),
            "SURFHAB": valeurs.lire_entier(1, 998, {0, 999, 9999}),
            "CONSTRUCT": annee,
            "LOCAT": annee,
            "PATRIMOINE": annee,
            "DROIT": valeurs.lire_code("12345"),
            "ORIGINE": valeurs.lire_code("1234"),
            "CUS": valeurs.lire_code({"10", "11", "13", "14", "16"}, largeur=2),
            "DPEENERGIE": _lire_dpe,
            "CONTRESLOG": valeurs.lire_code("1234567"),
            "DATCONV": valeurs.lire_date,
            "BAIL": mois,
            "REMLOCDATE": mois,
            "PLG_QP24": valeurs.lire_code_qpv,
            "PLG_QP15": valeurs.lire_code_qpv,
            "SIRET": self._lire_siret,
        }

    def _lire_siret(self, texte: str) -> Lu:
        """SIREN of the bailleur of a line; the mend or the refusal goes with it."""
        contexte = self.contexte
        lu = valeurs.lire_chiffres(14, "SIRET_INVALIDE")(texte)
        if lu.valeur is None:
            return Lu(contexte.siren) if contexte.siren and not lu.cause else Lu(cause="SIRET_INVALIDE")
        siren = lu.valeur[:9]
        if contexte.siren and siren != contexte.siren:
            return Lu(cause="AUTRE_BAILLEUR")
        if contexte.sirens is not None and siren not in contexte.sirens:
            return Lu(cause="BAILLEUR_INCONNU")
        return Lu(siren, correction=lu.correction)

    # --- One block ---------------------------------------------------------------------------------------------

    def lire(self, bloc: Bloc) -> Lot:
        """Turn the lines of `bloc` into dwellings; each is accepted, rejected by an anomaly, or ignored."""
        cadre, ignorees = self._ecarter(bloc)
        suivi = _Suivi(cadre["ligne"])
        textes = pl.col([c for c in cadre.columns if c in TEXTES_A_NETTOYER])
        if bloc.a_nettoyer:
            textes = textes.str.replace_all(r"\s+", " ").str.strip_chars()
        cadre = cadre.with_columns(textes.replace([*valeurs.NULLES], None))
        colonnes = {nom: self._lire_colonne(cadre, nom, suivi) for nom in self._lecteurs}
        logements = self._assembler(cadre, colonnes, suivi)
        self._croiser(cadre, logements, suivi)
        if bloc.perdus:
            suivi.ajouter("CARACTERE_PERDU", "", *zip(*bloc.perdus, strict=True))
        for numero, trouve in bloc.anormales:
            suivi.ajouter("NB_COLONNES", "", [numero], [trouve])
        for cause, lignes in bloc.corrections.items():
            suivi.ajouter(cause, "", lignes, [""] * len(lignes))
        bailleurs = self._bailleurs(cadre, colonnes) if self.contexte.sirens is None else {}
        rejetees = suivi.rejetees
        if len(rejetees):
            logements = logements.filter(~pl.col("ligne").is_in(rejetees.implode()))
        lignes_copy = formater(logements, FAITS, bloc.antislash)
        logements = logements.select(
            *RETENUES, faits=_en_colonne(lignes_copy), empreinte=empreintes(lignes_copy)
        )
        return Lot(logements, suivi.anomalies, ignorees, bloc.lignes, bloc.encodage, bailleurs)

    def _ecarter(self, bloc: Bloc) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
        """Take out lines of separators and headers repeated in the middle of concatenated files."""
        cadre, ignorees = bloc.cadre, list(bloc.ignorees)
        depcom = cadre["DEPCOM"]
        vides = depcom.is_null() | (depcom.str.strip_chars() == "")
        if vides.any():
            lues = [c for c in cadre.columns if c != "ligne"]
            vide = pl.all_horizontal((pl.col(lues).is_null()) | (pl.col(lues).str.strip_chars() == ""))
            masque = cadre.select(vide).to_series()
            ignorees += [(numero, "SANS_VALEUR") for numero in cadre["ligne"].filter(masque)]
            cadre = cadre.filter(~masque)
        entetes = [v for v in cadre["DEPCOM"].unique() if v and nom_canonique(v) == "DEPCOM"]
        if entetes:
            masque = cadre["DEPCOM"].is_in(entetes)
            ignorees += [(numero, "EN_TETE_REPETE") for numero in cadre["ligne"].filter(masque)]
            cadre = cadre.filter(~masque)
        return cadre, ignorees

    def _lire_colonne(self, cadre: pl.DataFrame, nom: str, suivi: "_Suivi") -> pl.Series:
        """Values of a column, by its reader; what could not be read is null and noted."""
        type_ = _TYPES.get(nom, pl.String)
        if nom not in cadre.columns or not cadre.height:
            return pl.Series(nom, [None], dtype=type_).new_from_index(0, cadre.height)
        serie = cadre[nom]
        memoire = self._memoires.setdefault(nom, {})
        distinctes = serie.unique().to_list()
        for texte in distinctes:
            if texte not in memoire:
                memoire[texte] = self._lecteurs[nom](texte or "")
        lus = [memoire[texte] for texte in distinctes]
        for indice in ("cause", "correction"):
            for code in {getattr(lu, indice) for lu in lus} - {""}:
                concernees = [t for t, lu in zip(distinctes, lus, strict=True) if getattr(lu, indice) == code]
                masque = serie.is_in([t for t in concernees if t is not None])
                if None in concernees:
                    masque = masque.fill_null(True)
                suivi.noter(code, masque, serie, nom)
        if nom == "SIRET":
            fausses = [t for t in distinctes if t and memoire[t].valeur and not _siret_juste(t)]
            suivi.noter("SIRET_CLE", serie.is_in(fausses), serie, nom)
        if type_ == pl.String and all(lu.valeur == texte for texte, lu in zip(distinctes, lus, strict=True)):
            return serie
        if type_ == pl.Int16 and all(str(lu.valeur) == t for t, lu in zip(distinctes, lus, strict=True)):
            return serie.cast(pl.Int16)
        lues = [lu.valeur for lu in lus]
        return serie.replace_strict(distinctes, pl.Series(lues, dtype=type_), return_dtype=type_)

    def _assembler(self, cadre: pl.DataFrame, lues: dict[str, pl.Series], suivi: "_Suivi") -> pl.DataFrame:
        """Columns of `Logement` (texts never null), with `siren`, `departement` and `base` (key before ranks)."""
        contexte, famille = self.contexte, self.fichier.famille
        presentes = set(cadre.columns)

        def brut(nom: str) -> pl.Expr:
            return pl.col(nom) if nom in presentes else pl.lit(None, dtype=pl.String)

        cadre = cadre.with_columns(**lues)
        presentes = set(cadre.columns)
        communes = [c for c in cadre["DEPCOM"].unique() if c is not None]
        departements = [contexte.departements[c] for c in communes]

        programme, immeuble = brut("COMPLGEO"), brut("IMMEU")
        date_de_tableur = programme.str.contains(DATE_DE_TABLEUR).fill_null(False)
        numconv = brut("NUMCONV")
        convention_perdue = numconv.str.contains(r"^\d+([.,]\d+)?[eE][+]?\d+$").fill_null(False)
        indices = cadre.select(date_de_tableur.alias("p"), convention_perdue.alias("n"))
        if "COMPLGEO" in presentes:
            suivi.noter("PROGRAMME_ABIME", indices["p"], cadre["COMPLGEO"], "COMPLGEO")
        if "NUMCONV" in presentes:
            suivi.noter("NUMCONV_ABIME", indices["n"], cadre["NUMCONV"], "NUMCONV")
        cadre = cadre.with_columns(
            commune=pl.col("DEPCOM"),
            departement=pl.col("DEPCOM").replace_strict(communes, departements, return_dtype=pl.String),
            ident_rep=pl.lit(""),
            ident_int=pl.lit(""),
            adresse=_adresse(presentes),
            code_postal=pl.col("CODEPOSTAL").fill_null(""),
            programme=pl.coalesce(
                pl.when(~date_de_tableur).then(programme),
                pl.when(~immeuble.str.contains(DATE_DE_TABLEUR)).then(immeuble),
                pl.lit(""),
            ).str.slice(0, 120),
            droit=pl.col("DROIT").fill_null(""),
            qpv=pl.col("QPV") == "1",
            code_qpv=pl.when(pl.col("QPV") == "1")
            .then(pl.coalesce("PLG_QP24", "PLG_QP15", pl.lit("")))
            .otherwise(pl.lit("")),
            typeconst=pl.col("TYPECONST"),
            nbpiece=pl.col("NBPIECE"),
            surfhab=pl.col("SURFHAB"),
            construct=pl.col("CONSTRUCT"),
            locat=pl.col("LOCAT"),
            patrimoine=pl.col("PATRIMOINE"),
            origine=pl.col("ORIGINE").fill_null(""),
            finan=pl.col("FINAN").fill_null(""),
            finan_autre=brut("FINANAUTRE").fill_null("").str.slice(0, 60),
            conv=pl.col("CONV"),
            numconv=pl.when(~convention_perdue).then(numconv).fill_null("").str.slice(0, 40),
            datconv=pl.col("DATCONV"),
            sortie=pl.col("SORTIEPATRIM").fill_null("9"),
            mode=self._mode(),
            bail=pl.col("BAIL").dt.month_start(),
            remlocdate=pl.col("REMLOCDATE").dt.month_start(),
            cus=pl.col("CUS").fill_null(""),
            dpe=pl.col("DPEENERGIE").fill_null(""),
            contingent_rpls=pl.col("CONTRESLOG").fill_null(""),
            siren=self._siren(),
        )
        if famille == Famille.OUVERT:
            cadre = cadre.with_columns(base=_cles_d_adresse(empreintes(formater(cadre, IDENTITE))))
            if contexte.repartition:
                cadre = cadre.with_columns(siren=self._repartir(cadre))
            return cadre
        return self._identifier(cadre, presentes, suivi)

    def _mode(self) -> pl.Expr:
        """Occupation; an open file does not give it and counts as let (said in the report as an assumption)."""
        if "MODE" not in self.fichier.colonnes:
            return pl.lit("1")
        parti = pl.col("SORTIEPATRIM").is_in(list(SORTIES))
        return pl.coalesce("MODE", pl.when(parti).then(pl.lit("9")), pl.lit(""))

    def _siren(self) -> pl.Expr:
        if self.contexte.siren and "SIRET" not in self.fichier.colonnes:
            return pl.lit(self.contexte.siren)
        return pl.col("SIRET")

    def _repartir(self, cadre: pl.DataFrame) -> pl.Series:
        """One demonstration bailleur per line, the same for a whole convention APL, else programme, else street.

        Depends on the line alone, never on its place in the file.
        """
        cle = pl.when(pl.col("numconv") != "").then(pl.col("numconv")).otherwise(pl.col("programme"))
        rue = "NOMVOIE" if "NOMVOIE" in cadre.columns else "adresse"
        cle = pl.when(cle != "").then(cle).otherwise(pl.col(rue).fill_null(""))
        groupes = cadre.select("commune", cle.alias("cle"))
        distincts = groupes.unique()
        hachage = empreintes(formater(distincts, ("commune", "cle"))).to_numpy().view("<u8")
        rangs = hachage % np.uint64(len(self.contexte.repartition))
        sirens = pl.Series(list(self.contexte.repartition)).gather(rangs)
        # A left join keeps the order of its left side when told so, and `groupes` repeats the keys of `distincts`.
        return groupes.join(
            distincts.with_columns(siren=sirens),
            on=["commune", "cle"],
            how="left",
            maintain_order="left",
            nulls_equal=True,
        )["siren"]

    def _identifier(self, cadre: pl.DataFrame, presentes: set[str], suivi: "_Suivi") -> pl.DataFrame:
        """IDENT_REP, ten characters, stable over the years; else the landlord's own reference."""
        for nom in ("IDENT_REP", "IDENT_INT"):
            if nom not in presentes:
                cadre = cadre.with_columns(pl.lit(None, dtype=pl.String).alias(nom))
        cadre = cadre.with_columns(
            IDENT_REP=pl.when(~pl.col("IDENT_REP").str.contains(r"^0+$")).then(
                pl.col("IDENT_REP").str.strip_suffix(".0")
            )
        )
        courts = cadre["IDENT_REP"].str.contains(r"^\d{1,9}$").fill_null(False)
        if courts.any():
            suivi.noter("ZERO_RETABLI", courts, cadre["IDENT_REP"], "IDENT_REP")
            cadre = cadre.with_columns(
                IDENT_REP=pl.when(courts)
                .then(pl.col("IDENT_REP").str.zfill(10))
                .otherwise(pl.col("IDENT_REP"))
            )
        abime = r"^\d+([.,]\d+)?[eE][+]\d+$"
        verdicts = cadre.select(
            vide=pl.col("IDENT_REP").is_null() & pl.col("IDENT_INT").is_null(),
            abime=pl.coalesce("IDENT_REP", "IDENT_INT").str.contains(abime).fill_null(False),
            rep_long=(pl.col("IDENT_REP").str.len_chars() > 20).fill_null(False),
            int_long=(pl.col("IDENT_INT").str.len_chars() > 100).fill_null(False),
        )
        lu = cadre.select(pl.coalesce("IDENT_REP", "IDENT_INT")).to_series()
        suivi.noter("IDENT_VIDE", verdicts["vide"], lu, "IDENT_REP")
        suivi.noter("IDENT_ABIME", verdicts["abime"], lu, "IDENT_REP")
        suivi.noter("IDENT_TROP_LONG", verdicts["rep_long"], cadre["IDENT_REP"], "IDENT_REP")
        suivi.noter("IDENT_TROP_LONG", verdicts["int_long"], cadre["IDENT_INT"], "IDENT_INT")
        return cadre.with_columns(
            ident_rep=pl.col("IDENT_REP").fill_null(""),
            ident_int=pl.col("IDENT_INT").fill_null(""),
            base=pl.coalesce("IDENT_REP", pl.lit(PREFIXE_REFERENCE) + pl.col("IDENT_INT")),
        )

    def _croiser(self, cadre: pl.DataFrame, logements: pl.DataFrame, suivi: "_Suivi") -> None:
        """Checks that look at two columns, or at the millésime."""
        millesime = self.contexte.millesime
        janvier = pl.date(millesime, 1, 1)
        colonnes = set(self.fichier.colonnes)
        conv, finan, mode = pl.col("conv"), pl.col("finan"), pl.col("mode")
        # (cause, condition, column whose value is shown, columns that the file must have)
        controles = [
            (
                "FINAN_VIDE_NON_CONVENTIONNE",
                (finan == "") & (conv == "2") & ~_deja_note(suivi, "FINAN"),
                "FINAN",
                (),
            ),
            ("FINAN_VIDE", (finan == "") & (conv == "1") & ~_deja_note(suivi, "FINAN"), "FINAN", ()),
            (
                "NUMCONV_VIDE",
                (conv == "1") & (pl.col("numconv") == "") & ~_deja_note(suivi, "NUMCONV"),
                "NUMCONV",
                ("NUMCONV",),
            ),
            ("MODE_INVALIDE", (mode == "") & ~_deja_note(suivi, "MODE"), "MODE", ("MODE",)),
            ("MODE_NON_DOCUMENTE", mode.is_in(list(MODES_NON_DOCUMENTES)), "MODE", ("MODE",)),
            (
                "BAIL_VIDE",
                (mode == "1") & pl.col("bail").is_null() & ~_deja_note(suivi, "BAIL"),
                "BAIL",
                ("BAIL", "MODE"),
            ),
            ("BAIL_APRES", pl.col("bail") > janvier, "BAIL", ("BAIL",)),
            (
                "REMLOC_APRES_BAIL",
                pl.col("remlocdate") > pl.col("bail"),
                "REMLOCDATE",
                ("BAIL", "REMLOCDATE"),
            ),
            ("LOCAT_AVANT_CONSTRUCT", pl.col("locat") < pl.col("construct"), "LOCAT", ()),
            ("LOCAT_APRES", pl.col("locat") > millesime, "LOCAT", ()),
            ("CONSTRUCT_APRES", pl.col("construct") > millesime, "CONSTRUCT", ()),
            (
                "SURFHAB_NULLE",
                pl.col("surfhab").is_null() & ~_deja_note(suivi, "SURFHAB"),
                "SURFHAB",
                ("SURFHAB",),
            ),
            (
                "NBPIECE_INCONNU",
                pl.col("nbpiece").is_null() & ~_deja_note(suivi, "NBPIECE"),
                "NBPIECE",
                ("NBPIECE",),
            ),
            (
                "QPV_CONTRADICTOIRE",
                (pl.col("QPV") == "2") & pl.col("PLG_QP24").is_not_null(),
                "QPV",
                ("PLG_QP24",),
            ),
            ("TEXTE_COUPE", pl.col("adresse").str.len_chars() > 400, "", ()),
        ]
        controles = [c for c in controles if colonnes.issuperset(c[3])]
        verdicts = logements.select(
            condition.fill_null(False).alias(str(rang)) for rang, (_, condition, _, _) in enumerate(controles)
        )
        nombres = verdicts.sum().row(0) if verdicts.height else [0] * len(controles)
        for rang, (cause, _, colonne, _) in enumerate(controles):
            if nombres[rang]:
                lue = cadre[colonne] if colonne in cadre.columns else logements["adresse"]
                suivi.noter(cause, verdicts[str(rang)], lue, colonne)

    def _bailleurs(self, cadre: pl.DataFrame, colonnes: dict[str, pl.Series]) -> dict[str, tuple[str, str]]:
        """SIREN → (name, family) of the bailleurs that the lines name, for those that are to be made."""
        if "SIRET" not in cadre.columns:
            return {}
        nommes = cadre.select(
            siren=colonnes["SIRET"],
            nom=pl.col("RS") if "RS" in cadre.columns else pl.lit(None, dtype=pl.String),
            categorie=pl.col("CAT_ORG") if "CAT_ORG" in cadre.columns else pl.lit(None, dtype=pl.String),
        ).unique()
        return {
            siren: (nom or "", valeurs.famille_de_categorie((categorie or "").strip(), nom or ""))
            for siren, nom, categorie in nommes.sort(
                "siren", "nom", "categorie", nulls_last=True, descending=True
            ).rows()
            if siren
        }


DATE_DE_TABLEUR = r"^\d{4}-\d{2}-\d{2}$"
PREFIXE_REFERENCE = "INT-"
PREFIXE_ADRESSE = "ADR-"

_TYPES = {
    **dict.fromkeys(("NBPIECE", "SURFHAB", "CONSTRUCT", "LOCAT", "PATRIMOINE"), pl.Int16),
    **dict.fromkeys(("DATCONV", "BAIL", "REMLOCDATE"), pl.Date),
}


class _Suivi:
    """Anomalies of one block, and the lines they reject."""

    def __init__(self, lignes: pl.Series):
        self.lignes = lignes
        self.anomalies: list[Anomalie] = []

    def noter(self, cause: str, masque: pl.Series, valeurs_lues: pl.Series, colonne: str = "") -> None:
        lignes = self.lignes.filter(masque.fill_null(False))
        if len(lignes):
            self.anomalies.append(
                Anomalie(cause, colonne, lignes, valeurs_lues.filter(masque.fill_null(False)))
            )

    def ajouter(self, cause: str, colonne: str, lignes: Iterable[int], lues: Iterable[str]) -> None:
        self.anomalies.append(
            Anomalie(
                cause,
                colonne,
                pl.Series(list(lignes), dtype=pl.UInt32),
                pl.Series(list(lues), dtype=pl.String),
            )
        )

    def lignes_notees(self, colonne: str) -> pl.Series:
        """Lines whose cell in `colonne` has already been said unreadable."""
        notees = [
            a.lignes
            for a in self.anomalies
            if a.colonne == colonne and CAUSES[a.cause].gravite in (Gravite.ERREUR, Gravite.AVERTISSEMENT)
        ]
        return pl.concat(notees) if notees else pl.Series(dtype=pl.UInt32)

    @property
    def rejetees(self) -> pl.Series:
        fatales = [a.lignes for a in self.anomalies if CAUSES[a.cause].gravite == Gravite.ERREUR]
        return pl.concat(fatales).unique() if fatales else pl.Series(dtype=pl.UInt32)


def _deja_note(suivi: _Suivi, colonne: str) -> pl.Expr:
    lignes = suivi.lignes_notees(colonne)
    return pl.col("ligne").is_in(lignes.implode()) if len(lignes) else pl.lit(False)


def _exige(lecteur: Callable[[str], Lu], cause: str) -> Callable[[str], Lu]:
    """The same reader, for a column that may not be empty."""

    def lire(texte: str) -> Lu:
        lu = lecteur(texte)
        return Lu(cause=cause) if lu.valeur is None else lu

    return lire


def _lire_dpe(texte: str) -> Lu:
    """A to G; "N" and the like (not done, blank) are unknown and no fault."""
    classe = texte.strip().upper()
    return Lu(classe) if len(classe) == 1 and classe in "ABCDEFG" else valeurs.VIDE


def _siret_juste(texte: str) -> bool:
    lu = valeurs.lire_chiffres(14, "SIRET_INVALIDE")(texte)
    return lu.valeur is not None and valeurs.cle_siret_valide(lu.valeur)


def _adresse(presentes: set[str]) -> pl.Expr:
    """ "12 IMPASSE DENANS, BATIMENT A, esc. 1, étage 0, appt 111", without what is missing."""

    def partie(nom: str, avant: str = "") -> pl.Expr:
        if nom not in presentes:
            return pl.lit(None, dtype=pl.String)
        return pl.lit(avant) + pl.col(nom) if avant else pl.col(nom)

    voie = pl.concat_str(
        *(partie(nom) for nom in ("NUMVOIE", "INDREP", "TYPVOIE", "NOMVOIE")),
        separator=" ",
        ignore_nulls=True,
    )
    return pl.concat_str(
        pl.when(voie != "").then(voie),
        partie("COMPLIDENT"),
        partie("LIEUDIT"),
        partie("BAT"),
        partie("ENTREE", "entrée "),
        partie("ESC", "esc. "),
        partie("ETAGE", "étage "),
        partie("NUMAPPT", "appt "),
        separator=", ",
        ignore_nulls=True,
    ).str.slice(0, 400)


def formater(cadre: pl.DataFrame, colonnes: Iterable[str], antislash: bool = False) -> bytes:
    """Lines of PostgreSQL's COPY (text format): values separated by tabs, \\N for null.

    An absent column counts as null, so that two generations of the same file agree. Texts hold neither tab nor
    line end by now; `antislash`: they may hold backslashes, to be doubled.
    """
    choisies = [pl.col(nom) if nom in cadre.columns else pl.lit(None).alias(nom) for nom in colonnes]
    cadre = cadre.select(choisies)
    if antislash:
        cadre = cadre.with_columns(pl.col(pl.String).str.replace_all("\\", "\\\\", literal=True))
    lignes = io.BytesIO()
    cadre.write_csv(lignes, include_header=False, separator="\t", quote_style="never", null_value="\\N")
    return lignes.getvalue()


def empreintes(lignes: bytes) -> pl.Series:
    """64-bit BLAKE2 of each line: the same in ten years, unlike polars' own hash."""
    hachages = [blake2b(ligne, digest_size=8).digest() for ligne in lignes.split(b"\n")[:-1]]
    return pl.Series("empreinte", np.frombuffer(b"".join(hachages), dtype="<i8"))


def _en_colonne(lignes: bytes) -> pl.Series:
    if not lignes:
        return pl.Series("faits", [], dtype=pl.String)
    return pl.read_csv(
        io.BytesIO(lignes), separator="\x01", quote_char=None, has_header=False, infer_schema=False
    ).to_series()


def _cles_d_adresse(hachages: pl.Series) -> pl.Series:
    texte = hachages.to_numpy().astype(">i8").tobytes().hex()
    cles = [PREFIXE_ADRESSE + texte[i : i + 16] for i in range(0, len(texte), 16)]
    return pl.Series("base", cles, dtype=pl.String)
