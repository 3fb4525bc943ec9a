"""The validated bilans of a year, consolidated: région → département → bailleur, one tree of figures.

Made from the frozen trees of the bilans that the DDETS validated, and from nothing else: every figure of a bailleur is a
field of its bilan, every other is the sum of those under it. The regional document, its workbook, its CSV, the pages of
the COPIL and the open data are renderings of this one tree.

Dwellings (parc, flux, objectives, attributions, leases) are counted. What is said of households (priority or not, title,
refusal) is hidden under eleven outside the services of the State, and wherever the figures shown would give it back:
`publics.regles.secret_hierarchique`. A hidden figure is None, in every rendering.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
PRIORITAIRES, AUTRES_MENAGES = "prioritaires", "autres"
REFUS = "refus"


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
    itself nothing. `en_ecart` of the `tenus` objectives (one per bailleur and réservataire) are missed.
    """

    code: str
    nom: str
    objectif: int | None
    report: int | None
    du: int | None
    attributions: int
    baux: int
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
    attributions: int
    baux: int
    quarts: tuple[Quart, ...]
    titres: tuple[Titre, ...]
    prononcees: int
    refus: int | None
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
    tables: dict[str, dict[Chemin, dict[str, int]]] = {"titres": {(): titres}}
    for code in QUARTS:
        tables[code] = {}
    for q in donnees.quarts:
        table = genre(q.code, natures.get(q.code, ""))
        ligne = {PRIORITAIRES: q.prioritaires, AUTRES_MENAGES: q.attributions - q.prioritaires}
        tables[table][(q.code,) if table in (COLLECTIVITES, AUTRES) else ()] = ligne
    tables[REFUS] = {(): {REFUS: donnees.caleol.total_refus}}
    return tables


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
    lus = masquer_regroupements(menages, sans_total=(REFUS,)) if masque else _sommes(menages)
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
        racine=_somme(
            Niveau.REGION, region.code, region.nom, "", departements, _lire(lus, (region.code,)), ()
        ),
    )


Tables = dict[str, dict[Chemin, dict[str, int | None]]]
Lus = Mapping[str, Mapping[str, int | None]]


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
    siens = lus.get("titres", dict.fromkeys(TITRES, 0))
    return tuple(Titre(code, nom, siens[code]) for code, nom in TITRES.items())


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
    )


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
