"""The bilan of a bailleur in a département for a year, as plain figures: what the page, the PDF and the XLSX render.

One frozen tree (R. 441-5-1; domain, chapter 12). Counts are dwellings unless said; exact shares are `Decimal` with
four decimals; nothing here is computed from two other fields, except in `coherence`, which refuses a tree whose
totals disagree. Everything a document prints is in the tree, so that its fingerprint answers for all of it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, Union, get_args, get_origin, get_type_hints

SCHEMA = 1

# A field that is not written when it has nothing to say.
OMIS = "omis_si_vide"

ETAT, ALS, BAILLEUR = "ETAT", "ALS", "BAILLEUR"

# Categories of operation: what is in the flux is on a contingent, what is not says why.
RELOCATION, PREMIERE, PREMIERE_HORS_FLUX = "RELOCATION", "PREMIERE", "PREMIERE_HORS_FLUX"
OPERATIONS_DU_FLUX = frozenset({RELOCATION, PREMIERE})


@dataclass(frozen=True, slots=True)
class Territoire:
    """A place of the COG: INSEE code and name."""

    code: str
    nom: str


@dataclass(frozen=True, slots=True)
class FicheBailleur:
    """`famille`: its label ("office public de l’habitat"). `fictif`: demonstration data, said on every page."""

    nom: str
    siren: str
    famille: str
    fictif: bool


@dataclass(frozen=True, slots=True)
class FicheReservataire:
    """`code` is that of the rules (ETAT, ALS, a code, BAILLEUR); `sigle` heads a narrow column."""

    code: str
    nature: str
    nom: str
    sigle: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What the figures are worth: `donnees_au` is the last day they tell of, 31 December at the latest.

    `provisoire`: the year is not over on that day. `calcule_le`: when the flux was computed (Europe/Paris).
    """

    donnees_au: date
    provisoire: bool
    calcule_le: datetime
    version_calcul: int
    millesime: int | None


@dataclass(frozen=True, slots=True)
class ConventionLue:
    """One version of one act in force in the year; `rang` 0 is the act itself, n its avenant n."""

    reservataire: str
    nature: str
    numero: str
    rang: int
    modele: str
    signee_le: date
    effet: date
    debut: date
    fin: date
    gestion_deleguee: bool
    echec_consomme: bool
    clause_quart: str
    clause_objectifs: str
    derogations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegimeLu:
    """What the act that governs the year fixes for all of it; the law's without any (`conventionnel` False)."""

    conventionnel: bool
    soustractions: tuple[str, ...]
    premieres_dans_le_flux: bool
    au_bail: bool
    plancher_hors_qpv: Decimal | None
    echelle_commune: bool


@dataclass(frozen=True, slots=True)
class Compte:
    """A labelled count; `source` says where it comes from or on which text it rests."""

    code: str
    libelle: str
    nombre: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Parc:
    """Dwellings at 1 January of the millésime: `total` = `soumis` + the sum of `hors`; `soumis` = that of `dans`."""

    total: int
    soumis: int
    dans: tuple[Compte, ...]
    hors: tuple[Compte, ...]


@dataclass(frozen=True, slots=True)
class LigneSoustraction:
    """One category: `prevu` None when the bailleur projected nothing; `affectation`: where, in whole dwellings."""

    code: str
    libelle: str
    fondement: str
    prevu: int | None
    realise: int
    qpv: int
    deduite: bool
    affectation: tuple[Compte, ...]


@dataclass(frozen=True, slots=True)
class Flux:
    """`flux` = `liberations` − the sum of the soustractions. `previsionnel`: what had been projected, if it was."""

    liberations: int
    soustraits: int
    flux: int
    hors_qpv: int
    premieres_hors_flux: int
    previsionnel: int | None
    soustractions: tuple[LigneSoustraction, ...]


@dataclass(frozen=True, slots=True)
class TauxPeriode:
    """Rate in points of the flux from a day to another; `retrocede`: points given (−) or received (+)."""

    debut: date
    fin: date
    net: Decimal
    acte: Decimal
    retrocede: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """One réservataire: its share, its objective, what was done. `ecart`, `atteint` None for the bailleur.

    `calcul`: the terms of the exact share, in words, as frozen with the calculation of the flux.
    """

    code: str
    taux: tuple[TauxPeriode, ...]
    calcul: tuple[str, ...]
    exacte: Decimal
    objectif: int
    report: int
    objectif_total: int
    attributions: int
    baux: int
    echecs: int
    realise: int
    ecart: int | None
    atteint: bool | None


@dataclass(frozen=True, slots=True)
class PartLocale:
    """Share of one réservataire in one commune, in exact and in whole dwellings."""

    reservataire: str
    exacte: Decimal
    objectif: int


@dataclass(frozen=True, slots=True)
class PartageCommune:
    """The split of the flux of one commune, where the État's share is uniform in each (R. 441-5-2)."""

    code: str
    nom: str
    flux: int
    parts: tuple[PartLocale, ...]


@dataclass(frozen=True, slots=True)
class LigneEtat:
    """The État's attributions of the year under one title (CA, art. 7.1)."""

    titre: str
    libelle: str
    qpv: int
    hors_qpv: int
    dalo: int
    baux: int
    total: int


@dataclass(frozen=True, slots=True)
class ControleCent:
    """État outside agents: all priority, except for logged reasons (PACA, art. 4 b)."""

    attributions: int
    prioritaires: int
    exceptions: int
    manque: int
    motifs: tuple[Compte, ...]


@dataclass(frozen=True, slots=True)
class ControleQuart:
    """A quarter at least of a contingent (L. 441-1, L. 313-26-2). `echecs`: failed designations in the denominator."""

    code: str
    prioritaires: int
    attributions: int
    manque: int
    echecs: int


@dataclass(frozen=True, slots=True)
class ControleHorsQpv:
    """The État outside QPV; `objectif` None without the clause (R. 441-5-2)."""

    flux: int
    etat: int
    objectif: int | None


@dataclass(frozen=True, slots=True)
class PlafondAgents:
    """Agents of the État housed (lease signed in the year) against their ceiling, in dwellings (R. 441-5-2)."""

    loges: int
    plafond: int


@dataclass(frozen=True, slots=True)
class Pont:
    """From the flux of the year (libérations) to the attributions of the year.

    `flux` − `orientes` − `a_orienter` = `liberes_attribues`; + `anterieurs` = `attributions`.
    """

    flux: int
    orientes: int
    a_orienter: int
    liberes_attribues: int
    anterieurs: int
    attributions: int


@dataclass(frozen=True, slots=True)
class Classe:
    """A class of a dimension: its stable code and the label shown that day."""

    code: str
    libelle: str


@dataclass(frozen=True, slots=True)
class CelluleCroisee:
    """Dwellings of one class for one réservataire: proposed to it, attributed on its contingent."""

    classe: str
    reservataire: str
    proposes: int
    attribues: int


@dataclass(frozen=True, slots=True)
class Croise:
    """Proposed and attributed by réservataire × one dimension; absent cells are 0."""

    dimension: str
    titre: str
    classes: tuple[Classe, ...]
    cellules: tuple[CelluleCroisee, ...]


@dataclass(frozen=True, slots=True)
class FluxCommune:
    """Flux of the year in one commune, and outside QPV."""

    code: str
    nom: str
    flux: int
    hors_qpv: int


@dataclass(frozen=True, slots=True)
class CompteReservataire:
    """Dwellings, or attributions, of one contingent."""

    reservataire: str
    nombre: int


@dataclass(frozen=True, slots=True)
class Operation:
    """Attributions of the year of one category of operation; `hors_contingent`: on nobody's contingent.

    `code`: RELOCATION, PREMIERE, PREMIERE_HORS_FLUX, or a soustraction.
    """

    code: str
    libelle: str
    par_reservataire: tuple[CompteReservataire, ...]
    hors_contingent: int
    total: int


@dataclass(frozen=True, slots=True)
class PremieresParFinancement:
    """Premières mises en location attributed in the year, of one class of financing, by réservataire."""

    code: str
    libelle: str
    par_reservataire: tuple[CompteReservataire, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Suite:
    """What became of the attributions of one contingent."""

    code: str
    attributions: int
    prioritaires: int
    dalo: int
    baux: int


@dataclass(frozen=True, slots=True)
class Refus:
    """Refusals by the household, for one motive, by contingent ("HORS_FLUX" for what is on nobody's)."""

    code: str
    libelle: str
    par_contingent: tuple[CompteReservataire, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Caleol:
    """Candidatures examined in the year and what was decided; attributions pronounced and refused.

    `prononcees` counts every decision to attribute that was served to a household, refused or not: a dwelling
    attributed again after a refusal is there twice, and once only among the attributions of the year.
    """

    seances: int
    dossiers: int
    decisions: tuple[Compte, ...]
    refus_commission: tuple[Compte, ...]
    prononcees: tuple[CompteReservataire, ...]
    total_prononcees: int
    refus_menages: tuple[Refus, ...]
    total_refus: int


@dataclass(frozen=True, slots=True)
class GroupePriorite:
    """A priority group of the département and the grounds that it holds; the last holds all the others."""

    rang: int
    libelles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LigneAttribution:
    """One line of the tableau d'attributions. `contingent`: code of réservataire, SOUSTRACTION or HORS_FLUX.

    `titre`: code of the title (PRIORITE_1, MUTATION…), `imputation`: its label. `refusee_le`: by the household.
    `menage`: the last four characters of the numéro unique; the number itself is not kept.
    """

    date_caleol: date
    date_liberation: date
    logement: str
    commune: str
    qpv: bool
    typologie: str
    financement: str
    periode: str
    contingent: str
    titre: str
    imputation: str
    prioritaire: bool
    dalo: bool
    menage: str
    date_bail: date | None
    refusee_le: date | None
    observation: str


@dataclass(frozen=True, slots=True)
class Atterrissage:
    """Where a year that is not over lands: sentences and figures of `bilans.regles.atterrissage`, as of `jour`.

    `observe`: flux freed by that day; `connu`: with what is announced. `bas`, `haut`, `erreur` (percent) None below two
    past years. `nombre` of the `sur` next libérations are to go to the État, `hors_qpv` of them outside QPV.
    """

    jour: date
    observe: int
    connu: int
    central: int
    bas: int | None
    haut: int | None
    erreur: Decimal | None
    annees: tuple[int, ...]
    nombre: int
    sur: int
    hors_qpv: int | None
    insuffisants: int
    besoin: str
    projection: str
    methode: str


@dataclass(frozen=True, slots=True)
class DonneesBilan:
    """All the figures of chapter 12 that are known on `situation.donnees_au`."""

    annee: int
    departement: Territoire
    bailleur: FicheBailleur
    situation: Situation
    reservataires: tuple[FicheReservataire, ...]
    conventions: tuple[ConventionLue, ...]
    regime: RegimeLu
    parc: Parc
    flux: Flux
    parts: tuple[Part, ...]
    partages_communes: tuple[PartageCommune, ...]
    agents: PlafondAgents
    etat: tuple[LigneEtat, ...]
    etat_100: ControleCent
    quarts: tuple[ControleQuart, ...]
    hors_qpv: ControleHorsQpv
    pont: Pont
    croises: tuple[Croise, ...]
    communes: tuple[FluxCommune, ...]
    operations: tuple[Operation, ...]
    premieres: tuple[PremieresParFinancement, ...]
    suites: tuple[Suite, ...]
    caleol: Caleol
    groupes: tuple[GroupePriorite, ...]
    avertissements: tuple[str, ...]
    appreciation: str
    attributions: tuple[LigneAttribution, ...]
    schema: int = SCHEMA
    # Of a point d'étape alone; a tree without it is written as it was before there were any.
    atterrissage: Atterrissage | None = field(default=None, metadata={OMIS: True})

    def reservataire(self, code: str) -> FicheReservataire:
        return next(fiche for fiche in self.reservataires if fiche.code == code)

    def part(self, code: str) -> Part:
        return next(part for part in self.parts if part.code == code)


# --- Plain JSON, and the fingerprint ------------------------------------------------------------------------


def en_json(valeur: Any) -> Any:
    """The tree as JSON values: days and moments in ISO 8601, exact shares as decimal strings."""
    if is_dataclass(valeur):
        return {
            champ.name: en_json(lu)
            for champ in fields(valeur)
            if (lu := getattr(valeur, champ.name)) is not None or OMIS not in champ.metadata
        }
    match valeur:
        case tuple():
            return [en_json(element) for element in valeur]
        case datetime() | date():
            return valeur.isoformat()
        case Decimal():
            return str(valeur)
        case None | bool() | int() | str():
            return valeur
    raise TypeError(f"{type(valeur).__name__} n’a pas de forme JSON")


def depuis_json(donnees: Mapping[str, Any]) -> DonneesBilan:
    """The tree that `en_json` wrote: a document is rendered again from its frozen figures, never from live data."""
    return relire(DonneesBilan, donnees)


def relire(classe: type, donnees: Mapping[str, Any]) -> Any:
    """A frozen tree of `classe`, as `en_json` wrote it."""
    return _lire(classe, donnees)


@cache
def _champs(classe: type) -> dict[str, Any]:
    return get_type_hints(classe)


def _lire(type_: Any, valeur: Any) -> Any:
    origine = get_origin(type_)
    if origine is tuple:
        interieur = get_args(type_)[0]
        return tuple(_lire(interieur, element) for element in valeur)
    if type(type_) is type(int | None) or origine is Union:
        if valeur is None:
            return None
        (type_,) = (t for t in get_args(type_) if t is not NoneType)
    if is_dataclass(type_):
        return type_(**{nom: _lire(t, valeur[nom]) for nom, t in _champs(type_).items() if nom in valeur})
    if type_ in (date, datetime):
        return type_.fromisoformat(valeur)
    return Decimal(valeur) if type_ is Decimal else valeur


def forme_canonique(donnees: DonneesBilan) -> bytes:
    """The one writing of the tree: sorted keys, no space, UTF-8."""
    return json.dumps(en_json(donnees), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def empreinte(donnees: DonneesBilan) -> str:
    """SHA-256 of the canonical form, printed in the document; equal trees, equal fingerprints."""
    return hashlib.sha256(forme_canonique(donnees)).hexdigest()
