"""The whole file: every line accounted for, keys given, everything wrong said at once.

Nothing is written but work files in the folder given: blocks of accepted dwellings (Arrow), the keys that are not
simply their base, the rejected lines as a CSV. The services decide what to do with them.
"""

import contextlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from reservation.imports.contenu import decoder
from reservation.regles.typographie import accorder, entier_fr, typographier

from .causes import CAUSES, FichierRefuse, Gravite
from .colonnes import LUES
from .lignes import Tranche, decouper, lire_tranche
from .normalisation import Contexte, Lot, Normaliseur
from .ouverture import TAILLE_BLOC, Famille, Fichier

VERSION = 1  # of the reading: a file read by another version is read again before it is said unchanged
EXEMPLES = 10
SEUIL_ERREURS = 50  # % of rejected dwellings over which the file is not what it claims to be
SEUIL_AUTRE_ANNEE = 2  # % of dwellings dated after the millésime
FOURNEES = 3  # blocks read ahead: bounds the memory

Suivi = Callable[[str, int], None]


@dataclass
class Constat:
    """One cause in one column: how many lines, the first of them, what was read there."""

    cause: str
    colonne: str
    nombre: int = 0
    premiere: int = 0
    derniere: int = 0
    exemples: list[dict] = field(default_factory=list)

    def ajouter(self, lignes: pl.Series, valeurs: pl.Series) -> None:
        self.nombre += len(lignes)
        self.premiere = min(self.premiere or lignes.min(), lignes.min())
        self.derniere = max(self.derniere, lignes.max())
        manquants = EXEMPLES - len(self.exemples)
        if manquants > 0:
            for ligne, valeur in zip(lignes.head(manquants), valeurs.head(manquants), strict=True):
                self.exemples.append({"ligne": ligne, "colonne": self.colonne, "valeur": valeur or ""})

    def en_clair(self) -> dict:
        """What the report keeps (JSON)."""
        cause = CAUSES[self.cause]
        return {
            "code": self.cause,
            "cause": cause.libelle,
            "colonne": self.colonne,
            "attendu": cause.attendu,
            "nombre": self.nombre,
            "premiere": self.premiere,
            "derniere": self.derniere,
            "exemples": [e | {"attendu": cause.attendu} for e in self.exemples],
        }


@dataclass
class Analyse:
    """What is known of a file once read. Counts are physical lines: lues = acceptees + rejetees + ignorees.

    `logements`: dwellings accepted, by (siren, departement). `bailleurs`: SIREN → (name, family) named by the file.
    `refus` is set when the lines were all read and the file is not acceptable for all that.
    """

    fichier: Fichier
    contexte: Contexte
    dossier: Path
    lues: int = 0
    acceptees: int = 0
    rejetees: int = 0
    ignorees: int = 0
    lots: int = 0
    encodages: set[str] = field(default_factory=set)
    constats: dict[tuple[str, str], Constat] = field(default_factory=dict)
    logements: dict[tuple[str, str], int] = field(default_factory=dict)
    bailleurs: dict[str, tuple[str, str]] = field(default_factory=dict)
    etudiants: int = 0
    alertes: list[str] = field(default_factory=list)
    refus: FichierRefuse | None = None
    rejets: Path | None = None

    def lire_lots(self) -> Iterator[pl.DataFrame]:
        """Accepted dwellings, block by block, with their `cle`."""
        return lire_lots(self.dossier, self.fichier.famille, self.lots)

    def liste(self, gravite: Gravite) -> list[dict]:
        """Findings of one kind, the most frequent first."""
        choisis = [c for c in self.constats.values() if CAUSES[c.cause].gravite == gravite]
        return [c.en_clair() for c in sorted(choisis, key=lambda c: (-c.nombre, c.cause, c.colonne))]

    @property
    def encodage(self) -> str:
        if self.fichier.utf16:
            return "UTF-16"
        accentues = self.encodages - {"ASCII"}
        return " et ".join(sorted(accentues)) or "ASCII"

    def rapport(self) -> dict:
        """The part of the report that comes from the file alone."""
        fichier = self.fichier
        return {
            "version": VERSION,
            "fichier": {
                "famille": fichier.famille.value,
                "encodage": self.encodage,
                "separateur": "tabulation" if fichier.separateur == "\t" else fichier.separateur,
                "conteneur": fichier.conteneur,
                "membre": fichier.membre,
                "colonnes_lues": fichier.lues,
                "colonnes_absentes": [c for c in _utiles(fichier) if c not in fichier.colonnes],
                "colonnes_ignorees": fichier.colonnes_ignorees,
                "depot": fichier.depot,
            },
            "lignes": {
                "lues": self.lues,
                "acceptees": self.acceptees,
                "rejetees": self.rejetees,
                "ignorees": self.ignorees,
            },
            "erreurs": self.liste(Gravite.ERREUR),
            "avertissements": self.liste(Gravite.AVERTISSEMENT),
            "corrections": self.liste(Gravite.CORRECTION),
            "ignorees": self.liste(Gravite.IGNOREE),
            "hypotheses": _hypotheses(fichier, self),
            "alertes": self.alertes,
        }


def analyser_fichier(
    fichier: Fichier,
    contexte: Contexte,
    dossier: Path,
    suivre: Suivi = lambda etape, avancement: None,
    seuil_erreurs: int = SEUIL_ERREURS,
    taille_bloc: int = TAILLE_BLOC,
) -> Analyse:
    """Read the whole file; raises `FichierRefuse` when its very beginning shows that it is not the right one.

    `seuil_erreurs`: percentage of rejected dwellings over which the file is refused. Blocks are read by as many
    threads as the machine has cores, and kept in the order of the file.
    """
    contexte = _preparer(fichier, contexte)
    analyse = Analyse(fichier, contexte, dossier)
    normaliseur = Normaliseur(fichier, contexte)
    cles: list[pl.DataFrame] = []
    erreurs: list[tuple[str, pl.Series, pl.Series]] = []
    suites: list[int] = []
    total = fichier.taille()
    for lot, octets in _lire_en_parallele(fichier, normaliseur, taille_bloc):
        analyse.lues += lot.lignes
        analyse.ignorees += len(lot.ignorees)
        analyse.encodages.add(lot.encodage)
        for siren, nomme in lot.bailleurs.items():
            analyse.bailleurs.setdefault(siren, nomme)
        for numero, cause in lot.ignorees:
            _constater(analyse, cause, "", pl.Series([numero]), pl.Series([""]))
        suites += [numero for numero, cause in lot.ignorees if cause == "SUITE"]
        for anomalie in lot.anomalies:
            _constater(analyse, anomalie.cause, anomalie.colonne, anomalie.lignes, anomalie.valeurs)
            if CAUSES[anomalie.cause].gravite == Gravite.ERREUR:
                erreurs.append((anomalie.cause, anomalie.lignes, anomalie.valeurs))
        lot.logements.write_ipc(dossier / f"lot-{analyse.lots:05}.arrow", compression="lz4")
        cles.append(lot.logements.select("ligne", "siren", "base", "empreinte", "departement", "typeconst"))
        analyse.lots += 1
        suivre("Lecture du fichier", min(99, 100 * octets // max(total, 1)))
    suivre("Recherche des doublons", 99)
    _donner_les_cles(analyse, pl.concat(cles) if cles else _sans_cles(), erreurs)
    if analyse.lues != analyse.acceptees + analyse.rejetees + analyse.ignorees:
        raise AssertionError(
            f"{analyse.lues} lignes lues, mais {analyse.acceptees} acceptées, {analyse.rejetees} rejetées et "
            f"{analyse.ignorees} ignorées"
        )
    _verifier_le_tout(analyse, seuil_erreurs)
    if analyse.rejetees:
        analyse.rejets = dossier / "rejets.csv"
        _ecrire_les_rejets(fichier, analyse.rejets, erreurs, set(suites))
    return analyse


def lire_lots(
    dossier: Path, famille: Famille | str, lots: int, colonnes: list[str] | None = None
) -> Iterator[pl.DataFrame]:
    """Blocks written by `analyser_fichier`, without the lines set aside since, with the `cle` of each dwelling.

    `colonnes`: those to read, all of them by default; no `cle` without `base`.
    """
    particulieres = pl.read_ipc(dossier / "cles.arrow")
    ecartees = pl.read_ipc(dossier / "ecartees.arrow")["ligne"]
    suffixe = "-1" if famille == Famille.OUVERT else ""
    for rang in range(lots):
        lot = pl.read_ipc(dossier / f"lot-{rang:05}.arrow", columns=colonnes)
        if len(ecartees):
            lot = lot.filter(~pl.col("ligne").is_in(ecartees.implode()))
        if "base" not in lot.columns:
            yield lot
            continue
        lot = lot.with_columns(cle=pl.col("base") + pl.lit(suffixe)).drop("base")
        if particulieres.height:
            lot = (
                lot.join(
                    particulieres.rename({"cle": "particuliere"}),
                    on="ligne",
                    how="left",
                    maintain_order="left",
                )
                .with_columns(cle=pl.coalesce("particuliere", "cle"))
                .drop("particuliere")
            )
        yield lot


def remplacer_les_cles(dossier: Path, remplacees: pl.DataFrame) -> None:
    """Give other keys to some dwellings (`ligne`, `cle`): those that the application already knows."""
    anciennes = pl.read_ipc(dossier / "cles.arrow")
    gardees = anciennes.filter(~pl.col("ligne").is_in(remplacees["ligne"].implode()))
    pl.concat([gardees, remplacees.select("ligne", "cle")]).write_ipc(dossier / "cles.arrow")


# --- Before, and after ----------------------------------------------------------------------------------------------


def _preparer(fichier: Fichier, contexte: Contexte) -> Contexte:
    """Who the bailleur is, from the file or from the request; what contradicts is refused before any line."""
    if contexte.repartition and fichier.famille != Famille.OUVERT:
        raise FichierRefuse(
            "REPARTITION",
            "Ce fichier nomme ses bailleurs : seul un fichier ouvert se répartit sur des bailleurs fictifs.",
        )
    if fichier.famille == Famille.DEPOT:
        annee, siren = fichier.depot["annee"][:4], fichier.depot["siret"][:9]
        raison = fichier.depot["raison_sociale"]
        if int(annee) != contexte.millesime:
            raise FichierRefuse(
                "AUTRE_ANNEE",
                f"Ce fichier de dépôt est celui de {annee}, et l’import celui du millésime {contexte.millesime}.",
            )
        if contexte.siren and siren != contexte.siren:
            raise FichierRefuse(
                "AUTRE_BAILLEUR",
                f"Ce fichier de dépôt est celui d’un autre bailleur : {raison} (SIREN {siren}).",
            )
        if contexte.sirens is not None and siren not in contexte.sirens:
            raise FichierRefuse(
                "BAILLEUR_INCONNU",
                f"Le bailleur de ce fichier de dépôt, {raison} (SIREN {siren}), est inconnu de l’application.",
            )
        return _avec(contexte, siren)
    if "SIRET" not in fichier.colonnes and not contexte.siren and not contexte.repartition:
        raise FichierRefuse(
            "SANS_BAILLEUR",
            "Ce fichier ne dit pas à quel bailleur sont ses logements : précisez le bailleur.",
        )
    return contexte


def _avec(contexte: Contexte, siren: str) -> Contexte:
    return Contexte(
        contexte.millesime,
        contexte.communes,
        contexte.departements,
        siren,
        contexte.sirens,
        contexte.repartition,
    )


def _verifier_le_tout(analyse: Analyse, seuil_erreurs: int) -> None:
    """Refuse the file as a whole, or say what looks odd about it."""
    fichier, millesime = analyse.fichier, analyse.contexte.millesime
    candidats = analyse.acceptees + analyse.rejetees
    if not candidats:
        analyse.refus = FichierRefuse("AUCUN_LOGEMENT", "Ce fichier ne contient aucun logement.")
        return
    erreurs = analyse.liste(Gravite.ERREUR)
    if 100 * analyse.rejetees > seuil_erreurs * candidats or not analyse.acceptees:
        premiere = erreurs[0]
        if premiere["code"] == "AUTRE_BAILLEUR":
            message = f"Ce fichier est celui d’un autre bailleur : {accorder(premiere['nombre'], 'logement')} sur {entier_fr(candidats)}."
            analyse.refus = FichierRefuse("AUTRE_BAILLEUR", message)
            return
        analyse.refus = FichierRefuse(
            "TROP_D_ERREURS",
            f"{accorder(analyse.rejetees, 'ligne rejetée', 'lignes rejetées')} sur {entier_fr(candidats)} : c’est trop "
            f"pour un fichier RPLS. Première cause : {premiere['cause']} ({accorder(premiere['nombre'], 'ligne')}).",
        )
        return
    apres = [c for c in analyse.liste(Gravite.AVERTISSEMENT) if c["code"] in ("LOCAT_APRES", "BAIL_APRES")]
    posterieurs = max((c["nombre"] for c in apres), default=0)
    if 100 * posterieurs > SEUIL_AUTRE_ANNEE * candidats:
        analyse.refus = FichierRefuse(
            "AUTRE_ANNEE",
            f"{accorder(posterieurs, 'logement')} de ce fichier sont loués ou mis en location après le 1er janvier "
            f"{millesime} : ce n’est pas le fichier du millésime {millesime}.",
        )
        return
    annonces = fichier.depot.get("enregistrements", "").strip()
    if annonces.isdecimal() and int(annonces) != candidats:
        analyse.alertes.append(
            typographier(
                f"La première ligne annonce {accorder(int(annonces), 'logement')}, le fichier en contient "
                f"{entier_fr(candidats)} : il est peut-être incomplet."
            )
        )


def _hypotheses(fichier: Fichier, analyse: Analyse) -> list[str]:
    """What the file does not say and the application assumes: shown with the report, never hidden."""
    hypotheses = []
    if "MODE" not in fichier.colonnes:
        hypotheses.append(
            "Le fichier ouvert ne dit pas l’occupation : chaque logement est compté comme loué (MODE 1). Les logements "
            "loués ou proposés, base du flux prévisionnel, sont donc un maximum."
        )
        hypotheses.append(
            "Le fichier ouvert ne dit pas la date des baux : aucun taux de mobilité n’en est tiré."
        )
    if "SORTIEPATRIM" not in fichier.colonnes:
        hypotheses.append(
            "Le fichier ne dit pas les sorties du patrimoine : chaque logement est compté dans le parc."
        )
    if fichier.famille == Famille.OUVERT and not analyse.contexte.repartition:
        hypotheses.append(
            "Le fichier ouvert ne nomme pas le bailleur : tous ses logements sont attribués au bailleur de l’import."
        )
    if analyse.contexte.repartition:
        hypotheses.append(
            f"Données de démonstration : les logements sont répartis sur {len(analyse.contexte.repartition)} bailleurs "
            "fictifs, par convention APL, à défaut par programme ou par rue."
        )
    if analyse.etudiants:
        verbe = "est étudiant" if analyse.etudiants < 2 else "sont étudiants"
        hypotheses.append(
            f"{accorder(analyse.etudiants, 'logement')} {verbe} au sens du RPLS (TYPECONST E) : une question posée au "
            "bailleur, pas une exclusion de l’assiette."
        )
    return [typographier(h) for h in hypotheses]


def _utiles(fichier: Fichier) -> list[str]:
    """Columns whose absence matters to the reader of the report, for this family."""
    if fichier.famille == Famille.OUVERT:
        absentes = {
            "IDENT_REP",
            "IDENT_INT",
            "SORTIEPATRIM",
            "MODE",
            "BAIL",
            "REMLOCDATE",
            "CONTRESLOG",
            "SIRET",
            "RS",
        }
        return [c for c in LUES if c not in absentes | {"CAT_ORG", "PLG_QP24", "PLG_QP15"}]
    return [c for c in LUES if c not in ("SIRET", "RS", "CAT_ORG", "PLG_QP24", "PLG_QP15")]


# --- Reading --------------------------------------------------------------------------------------------------------


def _lire_en_parallele(
    fichier: Fichier, normaliseur: Normaliseur, taille_bloc: int
) -> Iterator[tuple[Lot, int]]:
    """Blocks in the order of the file, with the bytes read so far; at most `FOURNEES` of them are in memory."""

    def lire(tranche: Tranche) -> Lot:
        return normaliseur.lire(lire_tranche(fichier, tranche))

    lus = 0
    attente: deque[tuple[Future[Lot], int]] = deque()
    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, FOURNEES)) as equipe:
        try:
            for tranche in decouper(fichier, taille_bloc):
                attente.append((equipe.submit(lire, tranche), len(tranche.octets)))
                if len(attente) >= FOURNEES:
                    promesse, taille = attente.popleft()
                    lus += taille
                    yield promesse.result(), lus
            while attente:
                promesse, taille = attente.popleft()
                lus += taille
                yield promesse.result(), lus
        finally:
            for promesse, _ in attente:
                promesse.cancel()


def _constater(analyse: Analyse, cause: str, colonne: str, lignes: pl.Series, valeurs: pl.Series) -> None:
    constat = analyse.constats.setdefault((cause, colonne), Constat(cause, colonne))
    constat.ajouter(lignes, valeurs)


# --- Keys -----------------------------------------------------------------------------------------------------------


def _sans_cles() -> pl.DataFrame:
    schema = {"ligne": pl.UInt32, "siren": pl.String, "base": pl.String, "empreinte": pl.Int64}
    return pl.DataFrame(schema=schema | {"departement": pl.String, "typeconst": pl.String})


def _donner_les_cles(analyse: Analyse, cles: pl.DataFrame, erreurs: list) -> None:
    """Tell apart the dwellings that have the same base key.

    Open file: they are distinct dwellings, numbered by the order of their content, so that the order of the file
    does not matter. Other families: one identifier is one dwelling; a line that repeats another word for word is
    rejected, and lines that contradict each other are all rejected, since nothing says which is right.
    """
    ouvert = analyse.fichier.famille == Famille.OUVERT
    repetees = cles.filter(pl.struct("siren", "base").is_duplicated())
    particulieres = pl.DataFrame(schema={"ligne": pl.UInt32, "cle": pl.String})
    ecartees = pl.Series("ligne", [], dtype=pl.UInt32)
    if repetees.height and ouvert:
        particulieres = (
            repetees.sort("siren", "base", "empreinte", "ligne")
            .with_columns(rang=pl.int_range(1, pl.len() + 1).over("siren", "base"))
            .filter(pl.col("rang") > 1)
            .select("ligne", cle=pl.col("base") + "-" + pl.col("rang").cast(pl.String))
        )
    elif repetees.height:
        groupes = repetees.sort("ligne").with_columns(
            contenus=pl.col("empreinte").n_unique().over("siren", "base"),
            premiere=pl.col("ligne").min().over("siren", "base"),
        )
        identiques = groupes.filter((pl.col("contenus") == 1) & (pl.col("ligne") != pl.col("premiere")))
        contraires = groupes.filter(pl.col("contenus") > 1)
        for cause, ecart in (("IDENT_REPETE", identiques), ("IDENT_CONFLIT", contraires)):
            if ecart.height:
                lues = ecart["base"].str.strip_prefix("INT-")
                if cause == "IDENT_REPETE":
                    lues = lues + " (ligne " + ecart["premiere"].cast(pl.String) + ")"
                _constater(analyse, cause, "IDENT_REP", ecart["ligne"], lues)
                erreurs.append((cause, ecart["ligne"], lues))
        ecartees = pl.concat([identiques["ligne"], contraires["ligne"]])
        cles = cles.filter(~pl.col("ligne").is_in(ecartees.implode()))
    particulieres.write_ipc(analyse.dossier / "cles.arrow")
    ecartees.to_frame("ligne").write_ipc(analyse.dossier / "ecartees.arrow")
    analyse.acceptees = cles.height
    rejetees = pl.concat([lignes.cast(pl.UInt32) for _, lignes, _ in erreurs]) if erreurs else ecartees
    analyse.rejetees = rejetees.n_unique()
    analyse.etudiants = cles.filter(pl.col("typeconst") == "E").height
    comptes = cles.group_by("siren", "departement").len().sort("siren", "departement")
    analyse.logements = {(siren, departement): nombre for siren, departement, nombre in comptes.rows()}


# --- Rejected lines ---------------------------------------------------------------------------------------------------


def _ecrire_les_rejets(fichier: Fichier, chemin: Path, erreurs: Iterable, suites: set[int]) -> None:
    """The rejected lines as they were, header included, with one more column: what to mend, and where it stood.

    UTF-8 with a byte order mark, for the spreadsheets; the rest of the line is the sender's own text, where an
    apostrophe stands before what a spreadsheet would run (the State's agent opens the file of somebody else).
    """
    messages: dict[int, list[str]] = {}
    for cause, lignes, valeurs in erreurs:
        declaree = CAUSES[cause]
        for ligne, valeur in zip(lignes, valeurs, strict=True):
            lu = f" (lu : « {valeur} »)" if valeur else ""
            messages.setdefault(ligne, []).append(
                typographier(f"{declaree.libelle}{lu} ; attendu : {declaree.attendu}")
            )
    separateur = fichier.separateur
    entetes = {numero for numero, cause in fichier.ignorees if cause == "EN_TETE"}
    with (
        open(chemin, "w", encoding="utf-8-sig", newline="") as sortie,
        contextlib.closing(_lignes(fichier)) as lignes,
    ):
        en_cours = ""
        for numero, brute in lignes:
            ligne = _sans_formule(brute, separateur)
            if en_cours and numero not in suites:
                sortie.write(en_cours + "\r\n")
                en_cours = ""
            if numero in entetes:
                complement = "" if fichier.famille == Famille.DEPOT else f"{separateur}Message"
                sortie.write(f"{ligne}{complement}\r\n")
            elif numero in messages:
                message = " | ".join([f"Ligne {numero}", *messages[numero]]).replace('"', "”")
                en_cours = f'{ligne}{separateur}"{message}"'
            elif en_cours:
                corps, _, message = en_cours.rpartition(f'{separateur}"Ligne ')
                en_cours = f'{corps}\n{ligne}{separateur}"Ligne {message}'
        if en_cours:
            sortie.write(en_cours + "\r\n")


# A spreadsheet may cut the line elsewhere than the file does: a cell starts after any of the usual separators. What is
# only a number, or a dash for nothing, is no formula.
_NOMBRE = r"[-+]?[\d.,]*\"?(?:[;,|\t]|$)"
_FORMULE = re.compile(rf'(^|[;,|\t])("?)(?!{_NOMBRE})(?=[=+@＝＋－＠\r-])')
_FORMULE_OU_TABULATION = re.compile(rf'(^|[;,|])("?)(?!{_NOMBRE})(?=[=+@＝＋－＠\r\t-])')


def _sans_formule(ligne: str, separateur: str) -> str:
    motif = _FORMULE if separateur == "\t" else _FORMULE_OU_TABULATION
    return motif.sub(r"\1\2'", ligne)


def _lignes(fichier: Fichier) -> Iterator[tuple[int, str]]:
    for tranche in decouper(fichier, TAILLE_BLOC):
        for rang, ligne in enumerate(tranche.octets.split(b"\n")[:-1]):
            yield tranche.premiere + rang, decoder(ligne.removesuffix(b"\r")).removeprefix("\ufeff")
