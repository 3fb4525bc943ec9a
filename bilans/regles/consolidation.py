"""The validated bilans of a year, consolidated: région → département → bailleur, one tree of figures.

Made from the frozen trees of the bilans that the DDETS validated, and from nothing else: every figure of a bailleur is a
field of its bilan, every other is the sum of those under it. The regional document, its workbook, its CSV, the pages of
the COPIL and the open data are renderings of this one tree.

Dwellings (parc, flux, objectives, attributions, leases) are counted. What is said of households (priority or not, title,
refusal) is hidden under eleven outside the services of the State, and wherever the figures shown would give it back:
`publics.regles.secret_hierarchique`. A hidden figure is None, in every rendering. The attributions of the État beside its
realised say how many of its households have neither a priority nor a logged reason: hidden with them.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum

from flux.regles.realise import manque_au_quart
from publics.regles.secret_hierarchique import Chemin, masquer_regroupements

from .donnees import ALS, BAILLEUR, ETAT, Compte, DonneesBilan, Part, Territoire, en_json


class Niveau(StrEnum):
    """What a line is about, from the widest place to one bailleur in a département."""

    REGION = "region"
    DEPARTEMENT = "departement"
    BAILLEUR = "bailleur"


COLLECTIVITES, AUTRES = "COLLECTIVITES", "AUTRES"
# Réservataires as the committee compares them: the collectivités of a place together, the others too.
CONTINGENTS = {
    ETAT: "État",
    ALS: "Action Logement Services",
    COLLECTIVITES: "Collectivités",
    AUTRES: "Autres réservataires",
    BAILLEUR: "Non réservés",
}
# Those that owe a quarter; the State owes all of its own (outside agents).
QUARTS = (ALS, COLLECTIVITES, AUTRES, BAILLEUR)
TITRES = {
    "AGENT": "Agents de l’État",
    "PRIORITE_1": "Groupe 1",
    "PRIORITE_2": "Groupe 2",
    "PRIORITE_3": "Groupe 3",
    "AUTRE": "Autres",
}
AUTRE = "AUTRE"
PRIORITAIRES, AUTRES_MENAGES = "prioritaires", "autres"
REFUS = "refus"
# Tables of households: the État's by title, those that count for its objective; those that do not, by CALEOL, by lease.
TITRES_COMPTES, NON_COMPTES, BAUX_NON_COMPTES = "titres", "non_comptes", "baux_non_comptes"
MOTIVES = "motives"
# No total of their rows is known to the reader: each is hidden by itself.
SANS_TOTAL = (REFUS, NON_COMPTES, BAUX_NON_COMPTES)
# Counts of dwellings that would give households back, those of the État and of all contingents: the table that hides them.
TUS = {"attributions": NON_COMPTES, "baux": BAUX_NON_COMPTES}


@dataclass(frozen=True, slots=True)
class BilanAttendu:
    """A bilan of the year, validated or not; `donnees` None: not validated, it counts in no total.

    `etat`: code of `bilans.regles.cycle.EtatBilan`, `etat_libelle` its words. `numero`, `empreinte`: of what was validated.
    """

    bailleur: int
    nom: str
    siren: str
    departement: Territoire
    etat: str
    etat_libelle: str
    donnees: DonneesBilan | None = None
    numero: str = ""
    empreinte: str = ""
    valide_le: date | None = None


@dataclass(frozen=True, slots=True)
class Contingent:
    """One kind of réservataire in one place. Dwellings. `manque`: sum of what is missing to each, none makes up for another.

    `objectif`: whole-dwelling share; `report`: of the year before; `du`: both. None for what the bailleur keeps: it owes
    itself nothing. `en_ecart` of the `tenus` objectives (one per bailleur and réservataire) are missed. `attributions`,
    `baux` None: hidden (État).
    """

    code: str
    nom: str
    objectif: int | None
    report: int | None
    du: int | None
    attributions: int | None
    baux: int | None
    realise: int
    ecart: int | None
    manque: int | None
    en_ecart: int
    tenus: int


@dataclass(frozen=True, slots=True)
class Quart:
    """The quarter due to priority households: `prioritaires` among `attributions`; None: hidden.

    `manque`: to reach a quarter of this sum. `opposable`: the test of the law is read at this level for this contingent
    (ALS: the département; a bailleur: itself); elsewhere the sum is only indicative.
    """

    code: str
    nom: str
    prioritaires: int | None
    attributions: int
    manque: int | None
    opposable: bool


@dataclass(frozen=True, slots=True)
class Titre:
    """Attributions of the State under one title; None: hidden."""

    code: str
    nom: str
    nombre: int | None


@dataclass(frozen=True, slots=True)
class Plancher:
    """The État outside QPV (R. 441-5-2), where the act of the bailleur keeps the clause. Dwellings.

    `manque`: sum of what is missing to each of the `tenus` bailleurs, `en_ecart` of which miss theirs.
    """

    flux: int = 0
    etat: int = 0
    objectif: int = 0
    manque: int = 0
    en_ecart: int = 0
    tenus: int = 0


@dataclass(frozen=True, slots=True)
class CommuneFlux:
    """Flux of the year in a commune, all validated bailleurs together. Dwellings."""

    code: str
    nom: str
    flux: int
    hors_qpv: int


@dataclass(frozen=True, slots=True)
class Ligne:
    """One place, or one bailleur in its département. `enfants`: those under it, in the order in which they are read.

    `code`: of the région, of the département, or the key of the bailleur. `bilans` of the `attendus` are validated.
    `etat` "": a sum; else the state of the bilan of this bailleur: when it is not validated, every count is 0.
    """

    niveau: Niveau
    code: str
    nom: str
    departement: str
    bilans: int
    attendus: int
    etat: str
    etat_libelle: str
    siren: str
    numero: str
    fictif: bool
    parc: int
    soumis: int
    liberations: int
    soustraits: int
    flux: int
    hors_qpv: int
    soustractions: tuple[Compte, ...]
    contingents: tuple[Contingent, ...]
    attributions: int | None
    baux: int | None
    quarts: tuple[Quart, ...]
    titres: tuple[Titre, ...]
    prononcees: int
    refus: int | None
    plancher: Plancher
    communes: tuple[CommuneFlux, ...] = ()
    enfants: tuple["Ligne", ...] = ()

    def contingent(self, code: str) -> Contingent:
        return next(c for c in self.contingents if c.code == code)

    def quart(self, code: str) -> Quart:
        return next(q for q in self.quarts if q.code == code)

    def titre(self, code: str) -> Titre:
        return next(t for t in self.titres if t.code == code)

    @property
    def valide(self) -> bool:
        return self.bilans > 0

    @property
    def intitule(self) -> str:
        """ "06 Alpes-Maritimes"; the name of a région or of a bailleur."""
        return f"{self.code} {self.nom}" if self.niveau == Niveau.DEPARTEMENT else self.nom

    @property
    def lignes(self) -> Iterable["Ligne"]:
        """Itself, then all that is under it, in reading order."""
        yield self
        for enfant in self.enfants:
            yield from enfant.lignes


@dataclass(frozen=True, slots=True)
class Consolidation:
    """`masque`: small counts are hidden (outside the services of the State). `arrete_le`: the last validation it holds.

    `donnees_au`: the last day that the bilans tell of. `racine`: the région, or the part of it that was asked.
    """

    annee: int
    region: Territoire
    masque: bool
    arrete_le: date | None
    donnees_au: date | None
    fictif: bool
    racine: Ligne

    @property
    def departements(self) -> tuple[Ligne, ...]:
        return self.racine.enfants

    def ligne(self, niveau: Niveau, code: str, departement: str = "") -> Ligne:
        """`StopIteration` when there is none."""
        return next(
            x
            for x in self.racine.lignes
            if (x.niveau, x.code) == (niveau, code) and departement in ("", x.departement)
        )

    @property
    def empreinte(self) -> str:
        """SHA-256 of its canonical writing: equal figures, equal fingerprints."""
        ecrit = json.dumps(en_json(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(ecrit.encode()).hexdigest()


def genre(code: str, nature: str) -> str:
    """Key of `CONTINGENTS` of a réservataire of a bilan."""
    if code in (ETAT, ALS, BAILLEUR):
        return code
    return COLLECTIVITES if nature == COLLECTIVITE else AUTRES


COLLECTIVITE = "COLLECTIVITE"


def effectifs_des_menages(donnees: DonneesBilan) -> dict[str, dict[Chemin, dict[str, int]]]:
    """What a bilan says of households, before anything is hidden: table → row → column → households.

    Rows: () for the whole bilan; one per réservataire, by its code, where several are read together.
    """
    natures = {fiche.code: fiche.nature for fiche in donnees.reservataires}
    titres = dict.fromkeys(TITRES, 0) | {ligne.titre: ligne.total for ligne in donnees.etat}
    non_comptes = donnees.etat_100.manque
    motives = titres.pop(AUTRE) - non_comptes
    comptes = titres | {MOTIVES: motives}
    # Where the État obtained nothing there is nobody to hide.
    tables: dict[str, dict[Chemin, dict[str, int]]] = {
        TITRES_COMPTES: {(): comptes},
        NON_COMPTES: {(): {NON_COMPTES: non_comptes}} if non_comptes or any(comptes.values()) else {},
        BAUX_NON_COMPTES: {},
    }
    etat = next((p for p in donnees.parts if p.code == ETAT), None)
    if etat is not None and etat.baux and donnees.regime.au_bail:
        hors = etat.baux + etat.echecs - etat.realise
        tables[BAUX_NON_COMPTES] = {(): {BAUX_NON_COMPTES: hors}}
    for code in QUARTS:
        tables[code] = {}
    for q in donnees.quarts:
        table = genre(q.code, natures.get(q.code, ""))
        ligne = {PRIORITAIRES: q.prioritaires, AUTRES_MENAGES: q.attributions - q.prioritaires}
        tables[table][(q.code,) if table in (COLLECTIVITES, AUTRES) else ()] = ligne
    tables[REFUS] = {(): {REFUS: donnees.caleol.total_refus}}
    return tables


Tables = dict[str, dict[Chemin, dict[str, int | None]]]
Lus = Mapping[str, Mapping[str, int | None]]


def masquer_menages(menages: Mapping[str, Mapping[Chemin, Mapping[str, int]]]) -> Tables:
    """The tables of `effectifs_des_menages`, of one bilan or of many, without what must be hidden: the one rule."""
    return masquer_regroupements(menages, sans_total=SANS_TOTAL)


def lire_titres(lus: Lus) -> dict[str, int | None]:
    """Title of the État → households, from its tables of one place; the others (AUTRE) are read from two of them."""
    comptes = lus.get(TITRES_COMPTES, {})
    autres = (comptes.get(MOTIVES, 0), lus.get(NON_COMPTES, {}).get(NON_COMPTES, 0))
    lus_autres = None if None in autres else sum(autres)
    return {code: lus_autres if code == AUTRE else comptes.get(code, 0) for code in TITRES}


def est_tu(lus: Lus, champ: str) -> bool:
    """Whether the count of dwellings `champ` (key of `TUS`) of a place is hidden, for the households it would tell."""
    return None in lus.get(TUS[champ], {}).values()


def consolider(
    annee: int, region: Territoire, bilans: Sequence[BilanAttendu], *, masque: bool
) -> Consolidation:
    """The tree of `bilans` (those of one région, in the order in which they are read)."""
    valides = [b for b in bilans if b.donnees is not None]
    menages: dict[str, dict[Chemin, dict[str, int]]] = {}
    for bilan in valides:
        for nom, lignes in effectifs_des_menages(bilan.donnees).items():
            table = menages.setdefault(nom, {})
            table |= {_chemin(region, bilan) + suite: ligne for suite, ligne in lignes.items()}
    lus = masquer_menages(menages) if masque else _sommes(menages)
    departements = []
    for lieu in dict.fromkeys(b.departement for b in bilans):
        siens = [b for b in bilans if b.departement == lieu]
        lignes = [_ligne_bailleur(b, _lire(lus, _chemin(region, b))) for b in siens]
        departements.append(
            _somme(
                Niveau.DEPARTEMENT,
                lieu.code,
                lieu.nom,
                lieu.code,
                lignes,
                _lire(lus, (region.code, lieu.code)),
                _communes(siens),
            )
        )
    return Consolidation(
        annee=annee,
        region=region,
        masque=masque,
        arrete_le=max((b.valide_le for b in valides if b.valide_le), default=None),
        donnees_au=max((b.donnees.situation.donnees_au for b in valides), default=None),
        fictif=any(b.donnees.bailleur.fictif for b in valides),
        racine=_taire(
            _somme(Niveau.REGION, region.code, region.nom, "", departements, _lire(lus, (region.code,)), ()),
            lus,
            (region.code,),
        ),
    )


def _taire(ligne: Ligne, lus: Tables, chemin: Chemin) -> Ligne:
    """The same place, and those under it, without the counts of dwellings that give hidden households back."""
    siens = _lire(lus, chemin)
    tus = {champ: None for champ in TUS if est_tu(siens, champ)}
    return replace(
        ligne,
        **tus,
        contingents=tuple(replace(c, **tus) if c.code == ETAT else c for c in ligne.contingents),
        enfants=tuple(_taire(x, lus, (*chemin, x.code)) for x in ligne.enfants),
    )


def _chemin(region: Territoire, bilan: BilanAttendu) -> Chemin:
    return region.code, bilan.departement.code, str(bilan.bailleur)


def _sommes(menages: Mapping[str, Mapping[Chemin, Mapping[str, int]]]) -> Tables:
    """The same tables with their sums, nothing hidden."""
    tables: Tables = {}
    for nom, lignes in menages.items():
        for chemin, ligne in lignes.items():
            for niveau in range(1, len(chemin) + 1):
                somme = tables.setdefault(nom, {}).setdefault(chemin[:niveau], dict.fromkeys(ligne, 0))
                for colonne, nombre in ligne.items():
                    somme[colonne] = (somme[colonne] or 0) + nombre
    return tables


def _lire(tables: Tables, chemin: Chemin) -> Lus:
    return {nom: lignes[chemin] for nom, lignes in tables.items() if chemin in lignes}


def _titres(lus: Lus) -> tuple[Titre, ...]:
    return tuple(Titre(code, TITRES[code], nombre) for code, nombre in lire_titres(lus).items())


def _quart(niveau: Niveau, code: str, attributions: int, lus: Lus) -> Quart:
    prioritaires = lus.get(code, {PRIORITAIRES: 0})[PRIORITAIRES]
    opposable = (code == ALS and niveau == Niveau.DEPARTEMENT) or (
        code == BAILLEUR and niveau == Niveau.BAILLEUR
    )
    manque = None if prioritaires is None else manque_au_quart(prioritaires, attributions)
    return Quart(code, CONTINGENTS[code], prioritaires, attributions, manque, opposable)


def _ligne_bailleur(bilan: BilanAttendu, lus: Lus) -> Ligne:
    donnees = bilan.donnees
    tete = {
        "niveau": Niveau.BAILLEUR,
        "code": str(bilan.bailleur),
        "nom": bilan.nom,
        "departement": bilan.departement.code,
        "attendus": 1,
        "etat": bilan.etat,
        "etat_libelle": bilan.etat_libelle,
        "siren": bilan.siren,
        "numero": bilan.numero,
    }
    if donnees is None:
        return replace(_somme(Niveau.BAILLEUR, "", "", "", (), {}, ()), **tete)
    natures = {fiche.code: fiche.nature for fiche in donnees.reservataires}
    parts: dict[str, list[Part]] = {code: [] for code in CONTINGENTS}
    for part in donnees.parts:
        parts[genre(part.code, natures.get(part.code, ""))].append(part)
    attributions = dict.fromkeys(QUARTS, 0)
    for q in donnees.quarts:
        attributions[genre(q.code, natures.get(q.code, ""))] += q.attributions
    return Ligne(
        **tete,
        bilans=1,
        fictif=donnees.bailleur.fictif,
        parc=donnees.parc.total,
        soumis=donnees.parc.soumis,
        liberations=donnees.flux.liberations,
        soustraits=donnees.flux.soustraits,
        flux=donnees.flux.flux,
        hors_qpv=donnees.flux.hors_qpv,
        soustractions=tuple(
            Compte(s.code, s.libelle, s.realise, s.fondement) for s in donnees.flux.soustractions
        ),
        contingents=tuple(_contingent(code, siennes) for code, siennes in parts.items()),
        attributions=donnees.pont.attributions,
        baux=sum(suite.baux for suite in donnees.suites),
        quarts=tuple(_quart(Niveau.BAILLEUR, code, attributions[code], lus) for code in QUARTS),
        titres=_titres(lus),
        prononcees=donnees.caleol.total_prononcees,
        refus=lus[REFUS][REFUS],
        plancher=_plancher(donnees),
    )


def _plancher(donnees: DonneesBilan) -> Plancher:
    hors = donnees.hors_qpv
    if hors.objectif is None:
        return Plancher()
    manque = max(0, hors.objectif - hors.etat)
    return Plancher(hors.flux, hors.etat, hors.objectif, manque, int(manque > 0), 1)


def _contingent(code: str, parts: Sequence[Part]) -> Contingent:
    doit = code != BAILLEUR
    manques = [-p.ecart for p in parts if p.ecart is not None and p.ecart < 0]
    return Contingent(
        code=code,
        nom=CONTINGENTS[code],
        objectif=sum(p.objectif for p in parts) if doit else None,
        report=sum(p.report for p in parts) if doit else None,
        du=sum(p.objectif_total for p in parts) if doit else None,
        attributions=sum(p.attributions for p in parts),
        baux=sum(p.baux for p in parts),
        realise=sum(p.realise for p in parts),
        ecart=sum(p.ecart for p in parts if p.ecart is not None) if doit else None,
        manque=sum(manques) if doit else None,
        en_ecart=len(manques),
        tenus=len(parts) if doit else 0,
    )


def _somme(
    niveau: Niveau,
    code: str,
    nom: str,
    departement: str,
    enfants: Sequence[Ligne],
    lus: Lus,
    communes: tuple[CommuneFlux, ...],
) -> Ligne:
    """A place: sums of the lines under it, and of its households what may be read."""

    def somme(champ: str) -> int:
        return sum(getattr(x, champ) for x in enfants)

    soustractions: dict[str, Compte] = {}
    for x in enfants:
        for s in x.soustractions:
            deja = soustractions.get(s.code)
            soustractions[s.code] = replace(s, nombre=s.nombre + (deja.nombre if deja else 0))
    return Ligne(
        niveau=niveau,
        code=code,
        nom=nom,
        departement=departement,
        bilans=somme("bilans"),
        attendus=somme("attendus"),
        etat="",
        etat_libelle="",
        siren="",
        numero="",
        fictif=any(x.fictif for x in enfants),
        parc=somme("parc"),
        soumis=somme("soumis"),
        liberations=somme("liberations"),
        soustraits=somme("soustraits"),
        flux=somme("flux"),
        hors_qpv=somme("hors_qpv"),
        soustractions=tuple(soustractions.values()),
        contingents=tuple(
            _additionner(contingent, [x.contingent(contingent) for x in enfants])
            for contingent in CONTINGENTS
        ),
        attributions=somme("attributions"),
        baux=somme("baux"),
        quarts=tuple(_quart(niveau, q, sum(x.quart(q).attributions for x in enfants), lus) for q in QUARTS),
        titres=_titres(lus),
        prononcees=somme("prononcees"),
        refus=lus.get(REFUS, {REFUS: 0})[REFUS],
        plancher=Plancher(
            *(sum(getattr(x.plancher, champ.name) for x in enfants) for champ in fields(Plancher))
        ),
        communes=communes,
        enfants=tuple(enfants),
    )


def _additionner(code: str, siens: Sequence[Contingent]) -> Contingent:
    doit = code != BAILLEUR

    def somme(champ: str) -> int | None:
        return sum(getattr(c, champ) or 0 for c in siens)

    return Contingent(
        code,
        CONTINGENTS[code],
        *(somme(champ) if doit else None for champ in ("objectif", "report", "du")),
        *(somme(champ) or 0 for champ in ("attributions", "baux", "realise")),
        *(somme(champ) if doit else None for champ in ("ecart", "manque")),
        *(somme(champ) or 0 for champ in ("en_ecart", "tenus")),
    )


def _communes(bilans: Sequence[BilanAttendu]) -> tuple[CommuneFlux, ...]:
    """Communes of a département where something was freed, by name."""
    flux: Counter[str] = Counter()
    hors: Counter[str] = Counter()
    noms: dict[str, str] = {}
    for bilan in bilans:
        for commune in bilan.donnees.communes if bilan.donnees else ():
            flux[commune.code] += commune.flux
            hors[commune.code] += commune.hors_qpv
            noms[commune.code] = commune.nom
    return tuple(
        CommuneFlux(code, nom, flux[code], hors[code])
        for code, nom in sorted(noms.items(), key=lambda x: (x[1], x[0]))
    )
