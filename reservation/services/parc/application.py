"""From the work files of an analysis to the tables: COPY, comparison with what is there, one transaction.

Nothing loaded yet for these bailleurs and this millésime: every line is new. Otherwise the keys and fingerprints of
the file go into a temporary table, the database says what is new, changed or gone, and only the lines that differ
are written.
"""

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl
from django.db import connection
from psycopg import Copy

from reservation.copie import CopieParBlocs
from reservation.imports.rpls.analyse import lire_lots, remplacer_les_cles
from reservation.imports.rpls.normalisation import FAITS, PREFIXE_REFERENCE
from reservation.imports.rpls.ouverture import Famille
from reservation.models import Drapeau, EtatParc, ImportRpls, Logement, Presence
from reservation.models.parc import CLASSE_NON_RENSEIGNEE

from . import agregat
from .calcul import (
    Classes,
    Paire,
    Statuts,
    familles_de,
    mettre_a_jour_les_lignes,
    plan_par_hachage,
    rafraichir_l_agregat,
)
from .verrous import Progression

_LOGEMENT = Logement._meta.db_table
_COLONNES_FAITS = tuple("commune_id" if nom == "commune" else nom for nom in FAITS)
COLONNES = (
    *("bailleur_id", "departement_id", "millesime", "cle"),
    *_COLONNES_FAITS,
    *("drapeaux", "typologie", "financement", "periode", "statut", "empreinte", "import_rpls_id", "ligne"),
)
LIBELLES = {
    nom: Logement._meta.get_field("commune" if nom == "commune_id" else nom).verbose_name
    for nom in _COLONNES_FAITS
}
# What the rule looks at.
PROFIL = ["bailleur_id", "departement", "finan", "conv", "mode", "sortie", "drapeaux"]
EXEMPLES = 10
_DISPARITION = 20  # % of the parc gone over which the preview asks whether the file is whole
_LOTS_D_AVANCE = 2
_GRAND_FICHIER = 20_000  # dwellings


_AU_PRECEDENT = f"""
WITH p AS MATERIALIZED (
    SELECT * FROM unnest(%(b)s::bigint[], %(d)s::text[], %(m)s::int[]) AS p(bailleur_id, departement_id, millesime)
), avant AS (
    SELECT l.bailleur_id, l.cle, l.empreinte FROM {_LOGEMENT} l JOIN p USING (bailleur_id, departement_id, millesime)
    WHERE l.bailleur_id = ANY(%(b)s) AND l.millesime = ANY(%(m)s)
), apres AS (
    SELECT f.bailleur_id, f.cle, f.empreinte FROM cles_du_fichier f JOIN p USING (bailleur_id, departement_id)
)
SELECT count(*) FILTER (WHERE avant.cle IS NULL), count(*) FILTER (WHERE apres.cle IS NULL),
       count(*) FILTER (WHERE avant.empreinte <> apres.empreinte),
       count(*) FILTER (WHERE avant.empreinte = apres.empreinte)
FROM avant FULL JOIN apres ON (avant.bailleur_id, avant.cle) = (apres.bailleur_id, apres.cle)
"""


@dataclass
class Changements:
    """What the file changes in one millésime, by pair and in all."""

    nouveaux: dict[Paire, int] = field(default_factory=dict)
    modifies: dict[Paire, int] = field(default_factory=dict)
    identiques: dict[Paire, int] = field(default_factory=dict)
    disparus: dict[Paire, int] = field(default_factory=dict)
    quittees: set[Paire] = field(default_factory=set)

    @property
    def touchees(self) -> set[Paire]:
        """Pairs of which a line is written or removed (a dwelling may leave a département for another)."""
        return {
            p for compte in (self.nouveaux, self.modifies, self.disparus) for p, n in compte.items() if n
        } | (self.quittees)

    def total(self) -> dict[str, int]:
        return {
            nom: sum(getattr(self, nom).values())
            for nom in ("nouveaux", "modifies", "identiques", "disparus")
        }

    @property
    def aucun(self) -> bool:
        return not self.touchees


class Chargement:
    """The dwellings of one analysed file, ready to be compared with the parc and written into it.

    `bailleurs`: SIREN → id, for every bailleur of the file. A bailleur that is not made yet has a negative id: the
    preview shows it, nothing can be written.
    """

    def __init__(
        self,
        *,
        dossier: Path,
        famille: Famille | str,
        lots: int,
        millesime: int,
        bailleurs: dict[str, int],
        familles: dict[int, str],
        logements: dict[Paire, int],
        import_id: int,
    ):
        self.dossier, self.famille, self.lots = dossier, famille, lots
        self.millesime, self.import_id = millesime, import_id
        self.bailleurs, self.familles, self.logements = bailleurs, familles, logements
        self.paires = set(logements)
        self.classes = Classes.lire()
        self.statuts = Statuts.lire(millesime, familles, self.paires)
        self._statuts_connus: dict[tuple, str] = {}

    @cached_property
    def connus(self) -> list[int]:
        return sorted(b for b in self.bailleurs.values() if b > 0)

    # --- Lines ---------------------------------------------------------------------------------------------------

    def completer(self, lot: pl.DataFrame) -> pl.DataFrame:
        lot = self._poser_les_drapeaux(self._attribuer(lot))
        typologies, periodes = self.classes.typologie_par_pieces, self.classes.periode_par_annee
        lot = lot.with_columns(
            typologie=pl.col("nbpiece").replace_strict(
                typologies, default=CLASSE_NON_RENSEIGNEE, return_dtype=pl.String
            ),
            periode=pl.coalesce("construct", "locat").replace_strict(
                periodes, default=CLASSE_NON_RENSEIGNEE, return_dtype=pl.String
            ),
        )
        profils = lot.select(PROFIL).unique()
        lignes = list(profils.iter_rows())
        profils = profils.with_columns(
            statut=pl.Series([self._statut(ligne) for ligne in lignes], dtype=pl.String),
            financement=pl.Series(
                [self.classes.financement(ligne[2], ligne[3]) for ligne in lignes], dtype=pl.String
            ),
        )
        return lot.join(profils, on=PROFIL, how="left", maintain_order="left")

    def _statut(self, profil: tuple) -> str:
        """Status of a profile (columns of `PROFIL`), asked once of the rule."""
        if profil not in self._statuts_connus:
            bailleur, departement, *faits, drapeaux = profil
            codes = drapeaux.strip("{}").split(",") if drapeaux != "{}" else ()
            self._statuts_connus[profil] = self.statuts.statut((bailleur, departement), *faits, codes)
        return self._statuts_connus[profil]

    def _attribuer(self, lot: pl.DataFrame) -> pl.DataFrame:
        return lot.with_columns(
            bailleur_id=pl.col("siren").replace_strict(self.bailleurs, return_dtype=pl.Int64),
        ).drop("siren")

    @cached_property
    def _drapeaux(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Flags in force: (bailleur, département, key → codes), the same by programme."""
        actifs = Drapeau.objects.filter(bailleur__in=self.connus, retire_le=None).order_by("pk")
        lignes = list(actifs.values_list("portee", "bailleur", "departement", "cible", "code"))
        schema = ["portee", "bailleur_id", "departement", "cible", "code"]
        types = {n: pl.Int64 if n == "bailleur_id" else pl.String for n in schema}
        poses = pl.DataFrame(lignes, schema=types, orient="row")
        groupes = poses.group_by("portee", "bailleur_id", "departement", "cible").agg("code")
        par_portee = [groupes.filter(pl.col("portee") == p).drop("portee") for p in ("LOGEMENT", "PROGRAMME")]
        return par_portee[0], par_portee[1]

    def _poser_les_drapeaux(self, lot: pl.DataFrame) -> pl.DataFrame:
        """`drapeaux` as PostgreSQL writes an array: codes sorted, each once."""
        par_logement, par_programme = self._drapeaux
        if not par_logement.height and not par_programme.height:
            return lot.with_columns(drapeaux=pl.lit("{}"))
        ou = ["bailleur_id", "departement"]
        lot = lot.join(
            par_logement.rename({"cible": "cle", "code": "a"}),
            on=[*ou, "cle"],
            how="left",
            maintain_order="left",
        ).join(
            par_programme.rename({"cible": "programme", "code": "b"}),
            on=[*ou, "programme"],
            how="left",
            maintain_order="left",
        )
        aucun = pl.lit([], dtype=pl.List(pl.String))
        codes = (
            pl.col("a").fill_null(aucun).list.concat(pl.col("b").fill_null(aucun)).list.unique().list.sort()
        )
        return lot.with_columns(drapeaux=pl.lit("{") + codes.list.join(",") + pl.lit("}")).drop("a", "b")

    def _en_copy(self, lot: pl.DataFrame) -> bytes:
        """Lines in the text format of COPY, columns of `COLONNES` (`faits` already holds its own)."""
        return _en_tsv(
            lot.select(
                "bailleur_id",
                "departement",
                pl.lit(self.millesime),
                _echapper("cle"),
                "faits",
                *("drapeaux", "typologie", "financement", "periode", "statut", "empreinte"),
                pl.lit(self.import_id).alias("import"),
                "ligne",
            )
        )

    def _copier(
        self, ouvrir: Callable[[], AbstractContextManager[Copy]], lignes: pl.Series | None, suivre=None
    ) -> list[pl.DataFrame]:
        """COPY the dwellings of `lignes` (None: all of them), block by block; the next ones are made ready while the
        server files this one. `ouvrir`: the COPY of one block. Returns what all of them add to the aggregate."""
        comptes: list[pl.DataFrame] = []
        lots = lire_lots(self.dossier, self.famille, self.lots)

        def preparer() -> tuple[bytes, int] | None:
            if (lot := next(lots, None)) is None:
                return None
            if lignes is not None:
                lot = lot.filter(pl.col("ligne").is_in(lignes.implode()))
            complet = self.completer(lot)
            if lignes is None:
                comptes.append(agregat.compter(complet, self.millesime, self.famille))
            return self._en_copy(complet), complet.height

        ecrites, total = 0, sum(self.logements.values()) if lignes is None else len(lignes)
        self._drapeaux  # noqa: B018 (read in this thread, the only one that has a connection)
        with ThreadPoolExecutor(max_workers=1) as equipe:
            attente = deque(equipe.submit(preparer) for _ in range(_LOTS_D_AVANCE))
            while pret := attente.popleft().result():
                attente.append(equipe.submit(preparer))
                octets, nombre = pret
                if octets:
                    with ouvrir() as copie:
                        copie.write(octets)
                ecrites += nombre
                if suivre and ecrites < total:
                    suivre("Enregistrement des logements", 100 * ecrites // total)
        return comptes

    # --- Comparison ----------------------------------------------------------------------------------------------

    def deja_charges(self, millesime: int) -> bool:
        return bool(self.connus) and (
            EtatParc.objects.filter(bailleur__in=self.connus, millesime=millesime, logements__gt=0).exists()
        )

    def rattacher(self) -> None:
        """Keep the key of dwellings known under another: IDENT_REP given since, or missing this time.

        A dwelling new in the deposit file has no IDENT_REP yet; flags and libérations name it by the landlord's own
        reference and must find it again next year. Only where the reference is the same, one of the two sides has
        no IDENT_REP, and no other line of the file already answers for that key.
        """
        if self.famille == Famille.OUVERT or not self.connus:
            return
        cles = pl.concat(
            [
                self._attribuer(lot)
                for lot in lire_lots(
                    self.dossier,
                    self.famille,
                    self.lots,
                    ["ligne", "siren", "base", "ident_rep", "ident_int"],
                )
            ]
        ).filter(pl.col("ident_int") != "")
        sans_rep = cles.filter(pl.col("ident_rep") == "")
        with connection.cursor() as curseur:
            # (1) known by their reference, which the keys of this form hold; (2) known by IDENT_REP.
            curseur.execute(
                f"SELECT DISTINCT bailleur_id, ident_int, cle FROM {_LOGEMENT} "
                "WHERE bailleur_id = ANY(%s) AND cle >= %s AND cle < %s",
                [self.connus, PREFIXE_REFERENCE, PREFIXE_REFERENCE[:-1] + "."],
            )
            connues = curseur.fetchall()
            if sans_rep.height:
                curseur.execute(
                    f"SELECT DISTINCT ON (l.bailleur_id, l.ident_int) l.bailleur_id, l.ident_int, l.cle "
                    f"FROM {_LOGEMENT} l JOIN unnest(%s::bigint[], %s::text[]) AS f(bailleur_id, ident_int) "
                    "USING (bailleur_id, ident_int) WHERE l.ident_rep <> '' "
                    "ORDER BY l.bailleur_id, l.ident_int, l.millesime DESC",
                    [sans_rep["bailleur_id"].to_list(), sans_rep["ident_int"].to_list()],
                )
                connues += curseur.fetchall()
        if not connues:
            return
        types = {"bailleur_id": pl.Int64, "ident_int": pl.String, "connue": pl.String}
        connues = pl.DataFrame(connues, schema=types, orient="row").unique(
            ["bailleur_id", "ident_int"], keep="last"
        )
        changees = (
            cles.join(connues, on=["bailleur_id", "ident_int"])
            .filter(pl.col("connue") != pl.col("cle"))
            .join(cles.select("bailleur_id", connue="cle"), on=["bailleur_id", "connue"], how="anti")
            .filter(~pl.struct("bailleur_id", "connue").is_duplicated())
        )
        if changees.height:
            remplacer_les_cles(self.dossier, changees.select("ligne", cle="connue"))

    def _deposer_les_cles(self, curseur) -> None:
        curseur.execute("DROP TABLE IF EXISTS cles_du_fichier")
        curseur.execute(
            "CREATE TEMPORARY TABLE cles_du_fichier (bailleur_id bigint, departement_id varchar(3), cle varchar(120) "
            'COLLATE "C", empreinte bigint, ligne int) ON COMMIT DROP'
        )
        colonnes = ["ligne", "siren", "departement", "base", "empreinte"]
        with curseur.copy("COPY cles_du_fichier FROM STDIN") as copie:
            for lot in lire_lots(self.dossier, self.famille, self.lots, colonnes):
                lot = self._attribuer(lot).select(
                    "bailleur_id", "departement", _echapper("cle"), "empreinte", "ligne"
                )
                copie.write(_en_tsv(lot))
        curseur.execute("ANALYZE cles_du_fichier")

    def comparer(self, curseur) -> tuple[Changements, pl.Series | None]:
        """What the file changes in its millésime, and the lines to write (None: all of them, nothing is there).

        Leaves `cles_du_fichier` behind it for the end of the transaction, unless nothing is there.
        """
        if not self.deja_charges(self.millesime):
            return Changements(nouveaux=dict(self.logements)), None
        self._deposer_les_cles(curseur)
        with self._plan(curseur):
            ecarts = _lire_copie(
                curseur,
                f"""
                SELECT f.ligne, f.bailleur_id, f.departement_id, l.departement_id
                FROM cles_du_fichier f LEFT JOIN (
                    SELECT bailleur_id, departement_id, cle, empreinte FROM {_LOGEMENT}
                    WHERE bailleur_id = ANY(%s) AND millesime = %s
                ) l ON (l.bailleur_id, l.cle) = (f.bailleur_id, f.cle)
                WHERE l.empreinte IS DISTINCT FROM f.empreinte
                """,
                [self.connus, self.millesime],
                {"ligne": pl.UInt32, "bailleur": pl.Int64, "departement": pl.String, "avant": pl.String},
            )
        return self._compter(ecarts), ecarts["ligne"]

    def _compter(self, ecarts: pl.DataFrame) -> Changements:
        """Counts by pair from the lines that differ (`avant`: département in the parc, null when not in it).

        What is in the parc and not in the file is what remains of each pair once its dwellings found are taken
        off: the state of the pair says how many it has.
        """
        changements = Changements(nouveaux={}, modifies={}, identiques=dict(self.logements))
        retrouves = dict(self.logements)
        comptes = ecarts.group_by("bailleur", "departement", "avant").len().sort(pl.all())
        for bailleur, departement, avant, nombre in comptes.iter_rows():
            paire = (bailleur, departement)
            compte = changements.modifies if avant else changements.nouveaux
            compte[paire] = compte.get(paire, 0) + nombre
            changements.identiques[paire] -= nombre
            if avant != departement:
                retrouves[paire] -= nombre
            if avant and avant != departement:
                changements.quittees.add((bailleur, avant))
                retrouves[bailleur, avant] = retrouves.get((bailleur, avant), 0) + nombre
        etats = EtatParc.objects.filter(millesime=self.millesime, bailleur__in=self.connus).order_by()
        for bailleur, departement, logements in etats.values_list("bailleur", "departement", "logements"):
            paire = (bailleur, departement)
            if paire in self.paires and logements > retrouves[paire]:
                changements.disparus[paire] = logements - retrouves[paire]
        return changements

    def _plan(self, curseur):
        """A large file is compared by hashing; a small one, against a large parc, through the index."""
        return plan_par_hachage(curseur) if sum(self.logements.values()) > _GRAND_FICHIER else nullcontext()

    # A file speaks for the (bailleur, département) pairs it holds, and for no other.
    _DISPARUS = """
        JOIN unnest(%(b)s::bigint[], %(d)s::text[]) AS p(bailleur_id, departement_id) USING (bailleur_id, departement_id)
        WHERE l.millesime = %(millesime)s AND NOT EXISTS (
            SELECT FROM cles_du_fichier f WHERE f.bailleur_id = l.bailleur_id AND f.cle = l.cle
        )
    """

    def _parametres_disparus(self) -> dict:
        paires = sorted(self.paires)
        return {"b": [b for b, _ in paires], "d": [d for _, d in paires], "millesime": self.millesime}

    def comparer_au_precedent(self, curseur) -> dict | None:
        """The same counts against the last millésime before this one, pair by pair; for information."""
        precedents: dict[Paire, int] = {}
        etats = EtatParc.objects.filter(bailleur__in=self.connus, millesime__lt=self.millesime).order_by(
            "millesime"
        )
        for bailleur, departement, millesime in etats.values_list("bailleur", "departement", "millesime"):
            if (bailleur, departement) in self.paires:
                precedents[bailleur, departement] = millesime
        if not precedents:
            return None
        curseur.execute("SELECT to_regclass('pg_temp.cles_du_fichier')")
        if curseur.fetchone()[0] is None:
            self._deposer_les_cles(curseur)
        paires = sorted(precedents)
        parametres = {
            "b": [b for b, _ in paires],
            "d": [d for _, d in paires],
            "m": [precedents[p] for p in paires],
        }
        with self._plan(curseur):
            curseur.execute(_AU_PRECEDENT, parametres)
            nouveaux, disparus, modifies, identiques = curseur.fetchone()
        return {
            "millesimes": sorted(set(precedents.values())),
            "nouveaux": nouveaux,
            "modifies": modifies,
            "identiques": identiques,
            "disparus": disparus,
        }

    def _mettre_en_attente(self, curseur, lignes: pl.Series, suivre=None) -> None:
        """The dwellings of these lines in a temporary table shaped like `Logement`."""
        curseur.execute("DROP TABLE IF EXISTS logements_du_fichier")
        curseur.execute(
            f"CREATE TEMPORARY TABLE logements_du_fichier ON COMMIT DROP AS SELECT {', '.join(COLONNES)} "
            f"FROM {_LOGEMENT} LIMIT 0"
        )
        copie = f"COPY logements_du_fichier ({', '.join(COLONNES)}) FROM STDIN"
        self._copier(lambda: curseur.copy(copie), lignes, suivre)
        curseur.execute("ANALYZE logements_du_fichier")

    def detailler(self, curseur, changements: Changements, lignes: pl.Series | None) -> dict:
        """Which columns change and how often, with examples of each kind of change; for the preview."""
        total = changements.total()
        if changements.aucun or lignes is None:
            return {"champs": [], "exemples": {"nouveaux": [], "modifies": [], "disparus": []}}
        # Without any change of a known dwelling, the lines that differ are the new ones: some are enough to show.
        self._mettre_en_attente(curseur, lignes if total["modifies"] else lignes.sort().head(EXEMPLES))
        couples = f"logements_du_fichier f JOIN {_LOGEMENT} l USING (bailleur_id, millesime, cle)"
        differe = [f"count(*) FILTER (WHERE l.{c} IS DISTINCT FROM f.{c})" for c in _COLONNES_FAITS]
        curseur.execute(f"SELECT {', '.join(differe)} FROM {couples}")
        nombres = zip(_COLONNES_FAITS, curseur.fetchone(), strict=True)
        champs = [{"champ": c, "libelle": LIBELLES[c], "nombre": n} for c, n in nombres if n]

        valeurs = ", ".join(f"l.{c}::text, f.{c}::text" for c in _COLONNES_FAITS)
        curseur.execute(
            f"SELECT l.id, f.ligne, f.ident_int, f.ident_rep, f.adresse, {valeurs} FROM {couples} "
            "ORDER BY f.ligne LIMIT %s",
            [EXEMPLES],
        )
        modifies = []
        for _, ligne, interne, rep, adresse, *paires in curseur.fetchall():
            changes = [
                {
                    "champ": c,
                    "libelle": LIBELLES[c],
                    "avant": paires[2 * n] or "",
                    "apres": paires[2 * n + 1] or "",
                }
                for n, c in enumerate(_COLONNES_FAITS)
                if paires[2 * n] != paires[2 * n + 1]
            ]
            modifies.append(
                {"ligne": ligne, "reference": interne or rep, "adresse": adresse, "champs": changes}
            )
        curseur.execute(
            f"SELECT f.ligne, coalesce(nullif(f.ident_int, ''), f.ident_rep), f.adresse FROM logements_du_fichier f "
            f"WHERE NOT EXISTS (SELECT FROM {_LOGEMENT} l WHERE (l.bailleur_id, l.millesime, l.cle) "
            "= (f.bailleur_id, f.millesime, f.cle)) ORDER BY f.ligne LIMIT %s",
            [EXEMPLES],
        )
        nouveaux = [dict(zip(("ligne", "reference", "adresse"), r, strict=True)) for r in curseur.fetchall()]
        disparus = []
        if total["disparus"]:
            curseur.execute(
                f"SELECT coalesce(nullif(l.ident_int, ''), l.ident_rep), l.adresse FROM {_LOGEMENT} l "
                f"{self._DISPARUS} ORDER BY l.bailleur_id, l.cle LIMIT %(exemples)s",
                self._parametres_disparus() | {"exemples": EXEMPLES},
            )
            disparus = [dict(zip(("reference", "adresse"), r, strict=True)) for r in curseur.fetchall()]
        exemples = {"nouveaux": nouveaux, "modifies": modifies, "disparus": disparus}
        return {"champs": sorted(champs, key=lambda c: -c["nombre"]), "exemples": exemples}

    @contextmanager
    def statuts_a_part(self) -> Iterator[Future[dict[str, int]]]:
        """`compter_les_statuts` while the block waits for the server; done when the block ends."""
        self._drapeaux  # noqa: B018 (read in this thread, the only one that has a connection)
        with ThreadPoolExecutor(max_workers=1) as equipe:
            yield equipe.submit(self.compter_les_statuts)

    def compter_les_statuts(self) -> dict[str, int]:
        """Dwellings of the file by status, under the act that governs the year of the millésime."""
        comptes: dict[str, int] = {}
        colonnes = ["ligne", "siren", "departement", "finan", "conv", "mode", "sortie"]
        if any(poses.height for poses in self._drapeaux):
            colonnes += ["base", "programme"]
        for lot in lire_lots(self.dossier, self.famille, self.lots, colonnes):
            lot = self._poser_les_drapeaux(self._attribuer(lot))
            for *profil, nombre in lot.group_by(PROFIL).len().iter_rows():
                statut = self._statut(tuple(profil))
                comptes[statut] = comptes.get(statut, 0) + nombre
        return comptes

    # --- Writing -------------------------------------------------------------------------------------------------

    def ecrire(self, import_rpls: ImportRpls, progression: Progression) -> Changements:
        """Write the dwellings, then what is derived from them; in the transaction that holds the bailleurs' locks."""
        with connection.cursor() as curseur:
            changements, lignes = self.comparer(curseur)
            if changements.aucun:
                return changements
            total = changements.total()
            if not (total["modifies"] or total["disparus"]):
                with CopieParBlocs(curseur, _LOGEMENT, COLONNES) as blocs:
                    comptes = self._copier(blocs.bloc, lignes, progression.dire)
            else:
                self._mettre_en_attente(curseur, lignes, progression.dire)
                if changements.disparus:
                    curseur.execute(
                        f"DELETE FROM {_LOGEMENT} WHERE id IN (SELECT l.id FROM {_LOGEMENT} l {self._DISPARUS})",
                        self._parametres_disparus(),
                    )
                    if curseur.rowcount != total["disparus"]:
                        raise RuntimeError(
                            f"{curseur.rowcount} lignes retirées pour {total['disparus']} annoncées"
                        )
                cle = ("bailleur_id", "millesime", "cle")
                changees = [f"{c} = excluded.{c}" for c in COLONNES if c not in cle]
                curseur.execute(
                    f"INSERT INTO {_LOGEMENT} ({', '.join(COLONNES)}) SELECT {', '.join(COLONNES)} "
                    f"FROM logements_du_fichier ON CONFLICT ({', '.join(cle)}) DO UPDATE SET {', '.join(changees)}"
                )
        progression.dire("Calcul des statuts et des totaux", 100)
        if lignes is not None:
            # Lines that did not change may have been classed under an older edition of the classes.
            mettre_a_jour_les_lignes(changements.touchees, {self.millesime})
        Presence.objects.bulk_create(
            [Presence(bailleur_id=b, departement_id=d) for b, d in sorted(self.paires)], ignore_conflicts=True
        )
        if lignes is None:
            rafraichir_l_agregat(
                changements.touchees,
                {self.millesime},
                import_rpls,
                lambda curseur: agregat.ecrire(curseur, comptes, self.millesime),
            )
        else:
            rafraichir_l_agregat(changements.touchees, {self.millesime}, import_rpls)
        return changements


def _lire_copie(curseur, requete: str, parametres: list, schema: dict) -> pl.DataFrame:
    """Rows of a query as a frame, by COPY: a million of them never become Python objects."""
    with curseur.copy(f"COPY ({requete}) TO STDOUT (FORMAT csv)", parametres) as copie:
        octets = b"".join(copie)
    if not octets:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(io.BytesIO(octets), has_header=False, schema=schema)


def _en_tsv(cadre: pl.DataFrame) -> bytes:
    """Text format of COPY for columns without null."""
    octets = io.BytesIO()
    cadre.write_csv(octets, include_header=False, separator="\t", quote_style="never")
    return octets.getvalue()


def _echapper(colonne: str) -> pl.Expr:
    return pl.col(colonne).str.replace_all("\\", "\\\\", literal=True)


def alerte_de_disparition(changements: Changements) -> str | None:
    """A file that leaves out a good part of the parc is perhaps an extract: said before it is applied."""
    total = changements.total()
    avant = total["disparus"] + total["modifies"] + total["identiques"]
    if avant and 100 * total["disparus"] > _DISPARITION * avant:
        return (
            f"Ce fichier retire {total['disparus']} logements sur les {avant} déjà enregistrés pour ce millésime : "
            "est-il complet ? Un extrait remplacerait le parc entier du bailleur dans le département."
        )
    return None


__all__ = ["Changements", "Chargement", "alerte_de_disparition", "familles_de"]
