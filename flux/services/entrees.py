"""What a calculation reads: everything for a whole batch of bailleurs in a constant number of queries.

The parc comes from its aggregate (never from the dwellings), libérations and imputations come counted by
PostgreSQL: one row for all that the rules do not tell apart, with its places in one text, which is taken apart only when
something is to be computed. What is read of a pair is also what its fingerprint is made of: same inputs, no new version.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from django.db import connection

from flux.models import CalculFlux, Nature, ReportObjectif, SoustractionPrevisionnelle
from flux.regles.annee import ResultatAnnuel, calculer_definitif
from flux.regles.annuel import (
    Destination,
    LotFlux,
    LotLiberations,
    OrigineTaux,
    TauxRotation,
    calculer_taux_observe,
    calculer_taux_rpls,
    choisir_taux_rotation,
    destination,
)
from flux.regles.assiette import Assiette, LotParc, calculer_assiette
from flux.regles.realise import LotEchecs, LotImpute
from reservation.models import Organisation
from reservation.regles.actes import Acte, Reservataire, periodes_de_taux
from reservation.regles.statut import (
    Exclusions,
    StatutLogement,
    loue_ou_propose,
    questions_logement,
    statut_logement,
)

from .cadres import Cadre, Paire, charger_cadres, colonnes, reservataire_de

# To be raised when a rule gives other figures for the same inputs: every pair then gets a new version.
VERSION_DES_REGLES = 1


class LigneParc(NamedTuple):
    """`nombre` dwellings alike at 1 January; `anciens`, `emmenages`: see `AgregatParc`; `lieux`: see `lire_lieux`."""

    finan: str
    conv: str
    mode: str
    sortie: str
    typeconst: str
    drapeaux: str
    nombre: int
    anciens: int
    emmenages: int
    lieux: str


class LigneLiberations(NamedTuple):
    """`nombre` libérations alike over one period of rates (named by its first day).

    `oriente`: the réservataire whose designation failed, None for all other libérations. `lieux`: see `lire_lieux`.
    """

    debut: date
    usage: str
    premiere: bool
    oriente: int | None
    nombre: int
    lieux: str


class LigneImputations(NamedTuple):
    """`nombre` imputations alike of the year, on contingents (soustractions and hors flux left out)."""

    code: str
    titre: str
    motif: bool
    caleol: bool
    bail: bool
    qpv: bool
    nombre: int


@dataclass
class Entrees:
    """All that the calculations of one pair and one year are made from; complete before anything is asked of it."""

    cadre: Cadre
    millesime: int | None = None
    parc: list[LigneParc] = field(default_factory=list)
    liberations: list[LigneLiberations] = field(default_factory=list)
    imputations: list[LigneImputations] = field(default_factory=list)
    soustractions: dict[str, int] = field(default_factory=dict)
    reports: dict[str, int] = field(default_factory=dict)
    annee_observee: int | None = None
    taux_observe: Fraction | None = None
    reservataires: Mapping[int, Reservataire] = field(default_factory=dict)

    # --- As the rules want them ---------------------------------------------------------------------------

    @cached_property
    def statuts(self) -> list[StatutLogement]:
        """Status of each line of the parc, under the régime of the year."""
        famille, exclusions = self.cadre.famille, self.cadre.regime.exclusions
        return [
            statut_logement(
                lot.finan, lot.conv, lot.mode, lot.sortie, drapeaux(lot.drapeaux), famille, exclusions
            )
            for lot in self.parc
        ]

    @cached_property
    def assiette(self) -> Assiette:
        lots = []
        for lot, statut in zip(self.parc, self.statuts, strict=True):
            if not statut.dans_assiette:
                lots.append(LotParc("", False, statut, lot.nombre, 0))  # wherever it is
                continue
            loue = loue_ou_propose(lot.mode)
            lots += [
                LotParc(commune, qpv, statut, nombre, nombre if loue else 0)
                for commune, qpv, nombre in lire_lieux(lot.lieux)
            ]
        return calculer_assiette(lots)

    def questions(self) -> dict[str, int]:
        """Dwellings of the assiette that RPLS says something of without proving it, by code of question."""
        exclusions = self.cadre.regime.exclusions
        comptes: dict[str, int] = defaultdict(int)
        for lot, statut in zip(self.parc, self.statuts, strict=True):
            if statut.dans_assiette:
                for code in _codes_questions(lot.typeconst, lot.mode, lot.drapeaux, exclusions):
                    comptes[code] += lot.nombre
        return dict(comptes)

    def lots_liberations(self) -> list[LotLiberations]:
        return [
            LotLiberations(lot.debut, commune, qpv, lot.usage, lot.premiere, False, nombre)
            for lot in self.liberations
            for commune, qpv, nombre in lire_lieux(lot.lieux)
        ]

    def lots_echecs(self) -> list[LotEchecs]:
        """Failed designations of the year's flux."""
        annee, regime = self.cadre.annee, self.cadre.regime
        return [
            LotEchecs(self.reservataires[lot.oriente], LotFlux(lot.debut, commune, qpv, nombre))
            for lot in self.liberations
            if lot.oriente is not None
            and destination(lot.debut, lot.premiere, False, lot.usage, annee, regime) == Destination.FLUX
            for commune, qpv, nombre in lire_lieux(lot.lieux)
        ]

    def lots_imputes(self) -> list[LotImpute]:
        return [LotImpute(*lot) for lot in self.imputations]

    def actes_du_definitif(self) -> tuple[Acte, ...]:
        """The acts of the year, and the expired ones of réservataires on whom something of the year counts."""
        return self.cadre.completer(
            {lot.code for lot in self.imputations}
            | {self.reservataires[lot.oriente].code for lot in self.liberations if lot.oriente}
            | self.reports.keys()
        )

    def constater(self) -> ResultatAnnuel:
        """The observed year, by the rules. Raises `PartageImpossible`."""
        return calculer_definitif(
            self.cadre.annee,
            self.actes_du_definitif(),
            self.assiette,
            self.lots_liberations(),
            self.lots_imputes(),
            self.lots_echecs(),
            self.reports,
        )

    def taux_rotation(self) -> TauxRotation | None:
        """Agreed, else observed, else computed from RPLS (domain, chapter 4)."""
        version = self.cadre.version_regissante
        convenu = version.taux_rotation if version else None
        dans = [
            lot
            for lot, statut in zip(self.parc, self.statuts, strict=True)
            if lot.anciens and statut.dans_assiette
        ]
        return choisir_taux_rotation(
            None if convenu is None else Fraction(convenu),
            self.taux_observe,
            calculer_taux_rpls(sum(lot.emmenages for lot in dans), sum(lot.anciens for lot in dans)),
        )

    # --- As they are kept with the result -----------------------------------------------------------------

    @cached_property
    def _communes_aux_natures(self) -> dict[str, Any]:
        version = self.cadre.version_regissante
        return {
            "regles": VERSION_DES_REGLES,
            "famille": self.cadre.famille,
            "millesime": self.millesime,
            "parc": {
                "logements": sum(lot.nombre for lot in self.parc),
                "empreinte": _empreinte((*lot[:7], *sorted(lot.lieux.split())) for lot in self.parc),
            },
            "actes": [acte_en_json(acte) for acte in self.cadre.actes],
            "versions": [
                {"id": v.id, "reservataire": v.reservataire.code, "libelle": v.libelle}
                for v in self.cadre.versions
                if v.fin.year >= self.cadre.annee
            ],
            "echelle": version.echelle if version else None,
            "modele": version.modele if version else None,
            "reports": dict(sorted(self.reports.items())),
        }

    def en_json(self, nature: Nature, taux: TauxRotation | None) -> dict[str, Any]:
        """What is stored with a version, and hashed: counts in clear, long lists by their fingerprint."""
        commun = self._communes_aux_natures
        if nature == Nature.PREVISIONNEL:
            return commun | {
                "taux_rotation": taux
                and {
                    "points": str(taux.points),
                    "origine": taux.origine.value,
                    "annee": self.annee_observee if taux.origine == OrigineTaux.OBSERVE else None,
                },
                "soustractions": dict(sorted(self.soustractions.items())),
            }
        return commun | {
            "liberations": {
                "nombre": sum(lot.nombre for lot in self.liberations),
                "empreinte": _empreinte(
                    (
                        lot.debut.isoformat(),
                        lot.usage,
                        lot.premiere,
                        lot.oriente and self.reservataires[lot.oriente].code,
                        *sorted(lot.lieux.split()),
                    )
                    for lot in self.liberations
                ),
            },
            "imputations": {
                "nombre": sum(lot.nombre for lot in self.imputations),
                "empreinte": _empreinte(map(tuple, self.imputations)),
            },
        }


def lire_lieux(lieux: str) -> Iterator[tuple[str, bool, int]]:
    """(commune, in QPV, how many) of each place of a text: "06029-12 06029+3"."""
    for lieu in lieux.split():
        yield lieu[:5], lieu[5] == "+", int(lieu[6:])


@lru_cache(maxsize=4096)
def drapeaux(texte: str) -> frozenset[str]:
    """Flags as the rules want them; a few dozen combinations exist."""
    return frozenset(texte.split(",")) if texte else frozenset()


@lru_cache(maxsize=65536)
def _codes_questions(typeconst: str, mode: str, poses: str, exclusions: Exclusions) -> tuple[str, ...]:
    return tuple(q.code for q in questions_logement(typeconst, mode, drapeaux(poses), exclusions))


def _empreinte(lignes: Iterable[tuple]) -> str:
    """Hash of tuples of plain values, whatever their order."""
    return hashlib.sha256("\n".join(sorted(map(repr, lignes))).encode()).hexdigest()[:32]


def empreinte(entrees: Mapping[str, Any]) -> str:
    """Hash of stored inputs: 64 hexadecimal characters."""
    return hashlib.sha256(json.dumps(entrees, sort_keys=True).encode()).hexdigest()


def acte_en_json(acte: Acte) -> dict[str, Any]:
    """An act with everything that weighs on a figure, in a stable order; rates as exact fractions."""
    regime = acte.regime
    return {
        "reservataire": acte.reservataire.code,
        "libelle": acte.libelle,
        "debut": acte.debut.isoformat(),
        "fin": acte.fin.isoformat(),
        "taux": str(acte.taux),
        "taux_agents": str(acte.taux_agents),
        "echec_consomme": acte.echec_consomme,
        "communes": acte.communes and sorted(acte.communes),
        "retrocession": acte.retrocession
        and {
            "taux": str(acte.retrocession.taux),
            "debut": acte.retrocession.debut.isoformat(),
            "fin": acte.retrocession.fin.isoformat(),
            "prise_sur": acte.retrocession.prise_sur.value,
        },
        "derogations": [
            {"taux": str(d.taux), "debut": d.debut.isoformat(), "fin": d.fin.isoformat()}
            for d in acte.derogations
        ],
        "regime": None
        if acte.reservataire.code != "ETAT"
        else {
            "soustractions": sorted(regime.soustractions),
            "pli": regime.exclusions.pli,
            "residences_services": regime.exclusions.residences_services,
            "vente_demolition": regime.exclusions.vente_demolition,
            "locales": sorted(regime.exclusions.locales),
            "premieres_mises_en_location": regime.premieres_mises_en_location,
            "fait_generateur": regime.fait_generateur.value,
            "plancher_hors_qpv": None if regime.plancher_hors_qpv is None else str(regime.plancher_hors_qpv),
        },
    }


# --- Reading ------------------------------------------------------------------------------------------------

PARC = """
WITH p AS (SELECT * FROM unnest(%(bailleurs)s::bigint[], %(departements)s::text[]) AS p(bailleur_id, departement_id)),
etat AS (
    SELECT DISTINCT ON (e.bailleur_id, e.departement_id) e.bailleur_id, e.departement_id, e.millesime
    FROM p JOIN reservation_etatparc e USING (bailleur_id, departement_id)
    WHERE e.millesime <= %(annee)s
    ORDER BY e.bailleur_id, e.departement_id, e.millesime DESC
), lots AS (
    SELECT bailleur_id, departement_id, millesime, a.finan, a.conv, a.mode, a.sortie, a.typeconst, a.drapeaux,
           a.commune_id, a.qpv, sum(a.nombre)::int AS nombre, sum(a.anciens)::int AS anciens,
           sum(a.emmenages)::int AS emmenages
    FROM etat e JOIN reservation_agregatparc a USING (bailleur_id, departement_id, millesime)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
)
SELECT bailleur_id, departement_id, millesime, finan, conv, mode, sortie, typeconst, array_to_string(drapeaux, ','),
       sum(nombre), sum(anciens), sum(emmenages), string_agg(commune_id || CASE WHEN qpv THEN '+' ELSE '-' END || nombre, ' ')
FROM lots
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, drapeaux
"""

# The periods differ from one pair to the next: each pair brings its own, and the index on (bailleur, département,
# date) does the rest.
LIBERATIONS = """
WITH lots AS (
    SELECT l.bailleur_id, l.departement_id, p.debut, l.usage, l.premiere,
           CASE WHEN l.designation_echouee_le IS NOT NULL AND l.reservataire_id <> l.bailleur_id
                THEN l.reservataire_id END AS oriente,
           l.commune_id, l.qpv, count(*) AS nombre
    FROM unnest(%(bailleurs)s::bigint[], %(departements)s::text[], %(debuts)s::date[], %(fins)s::date[])
         AS p(bailleur_id, departement_id, debut, fin)
    JOIN flux_liberation l USING (bailleur_id, departement_id)
    WHERE l.date BETWEEN p.debut AND p.fin AND l.annulee_le IS NULL AND l.dans_assiette
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT bailleur_id, departement_id, debut, usage, premiere, oriente, sum(nombre)::int,
       string_agg(commune_id || CASE WHEN qpv THEN '+' ELSE '-' END || nombre, ' ')
FROM lots
GROUP BY 1, 2, 3, 4, 5, 6
"""

IMPUTATIONS = """
SELECT i.bailleur_id, i.departement_id, i.titre, i.detail, i.motif_hors_prioritaire <> '',
       i.date_caleol BETWEEN %(debut)s AND %(fin)s,
       coalesce(i.date_bail BETWEEN %(debut)s AND %(fin)s, false), i.qpv, count(*)
FROM unnest(%(bailleurs)s::bigint[], %(departements)s::text[]) AS p(bailleur_id, departement_id)
JOIN flux_imputation i USING (bailleur_id, departement_id)
WHERE i.annee = %(annee)s AND i.titre NOT IN ('SOUSTRACTION', 'HORS_FLUX')
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""

# A first year of use began somewhere in the year: its libérations would understate the rotation.
OBSERVEES = """
SELECT c.bailleur_id, c.departement_id, c.liberations, (c.resultat #>> '{assiette,loues_ou_proposes}')::int
FROM unnest(%(bailleurs)s::bigint[], %(departements)s::text[]) AS p(bailleur_id, departement_id)
JOIN flux_calculflux c USING (bailleur_id, departement_id)
WHERE c.annee = %(annee)s AND c.nature = 'DEFINITIF' AND c.en_vigueur AND c.liberations > 0
  AND EXISTS (SELECT 1 FROM flux_liberation l
              WHERE (l.bailleur_id, l.departement_id) = (c.bailleur_id, c.departement_id)
                AND l.date < make_date(%(annee)s, 1, 1))
"""


def lire_entrees(
    paires: Collection[Paire], annee: int, natures: Collection[Nature], aujourd_hui: date
) -> dict[Paire, Entrees]:
    """Inputs of every pair for `annee`, in a constant number of queries whatever their number.

    `aujourd_hui` says which year is the last complete one for the observed rate of rotation.
    """
    entrees = {paire: Entrees(cadre=cadre) for paire, cadre in charger_cadres(paires, annee).items()}
    bailleurs, departements = colonnes(paires)
    parametres = {
        "bailleurs": bailleurs,
        "departements": departements,
        "annee": annee,
        "debut": date(annee, 1, 1),
        "fin": date(annee, 12, 31),
    }
    with connection.cursor() as curseur, _comptes_par_hachage(curseur):
        curseur.execute(PARC, parametres)
        for bailleur, departement, millesime, *lot in curseur:
            siennes = entrees[bailleur, departement]
            siennes.millesime = millesime
            siennes.parc.append(LigneParc(*lot))
        if Nature.DEFINITIF in natures:
            _lire_constate(curseur, entrees, parametres)
        if Nature.PREVISIONNEL in natures:
            _lire_previsions(curseur, entrees, parametres, aujourd_hui)
    _lire_reports(entrees, paires, annee)
    return entrees


@contextmanager
def _comptes_par_hachage(curseur) -> Iterator[None]:
    """Groups are counted by hashing: the planner, who cannot see through row-level security, expects a row or two
    and sorts tens of thousands of them by eleven columns."""
    curseur.execute("SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off")
    yield
    curseur.execute("SET LOCAL enable_sort TO DEFAULT; SET LOCAL enable_incremental_sort TO DEFAULT")


def _lire_constate(curseur, entrees: dict[Paire, Entrees], parametres: dict[str, Any]) -> None:
    periodes = [
        (*paire, periode.debut, periode.fin)
        for paire, siennes in entrees.items()
        for periode in periodes_de_taux(siennes.cadre.actes, siennes.cadre.annee)
    ]
    bailleurs, departements, debuts, fins = (list(colonne) for colonne in zip(*periodes, strict=True))
    curseur.execute(
        LIBERATIONS, {"bailleurs": bailleurs, "departements": departements, "debuts": debuts, "fins": fins}
    )
    echoues: set[int] = set()
    for bailleur, departement, *lot in curseur:
        ligne = LigneLiberations(*lot)
        entrees[bailleur, departement].liberations.append(ligne)
        if ligne.oriente is not None:
            echoues.add(ligne.oriente)
    curseur.execute(IMPUTATIONS, parametres)
    for bailleur, departement, *lot in curseur:
        entrees[bailleur, departement].imputations.append(LigneImputations(*lot))
    reservataires = {
        pk: reservataire_de(type_, code)
        for pk, type_, code in Organisation.objects.filter(pk__in=echoues).values_list("pk", "type", "code")
    }
    for siennes in entrees.values():
        siennes.reservataires = reservataires


def _lire_previsions(
    curseur, entrees: dict[Paire, Entrees], parametres: dict[str, Any], aujourd_hui: date
) -> None:
    annee_observee = min(parametres["annee"], aujourd_hui.year) - 1
    curseur.execute(OBSERVEES, parametres | {"annee": annee_observee})
    for bailleur, departement, liberations, loues in curseur:
        siennes = entrees[bailleur, departement]
        siennes.annee_observee = annee_observee
        siennes.taux_observe = calculer_taux_observe(liberations, loues)
    for soustraction in SoustractionPrevisionnelle.objects.filter(
        bailleur__in=set(parametres["bailleurs"]),
        departement__in=set(parametres["departements"]),
        annee=parametres["annee"],
    ):
        paire = (soustraction.bailleur_id, soustraction.departement_id)
        if paire in entrees and soustraction.nombre:
            entrees[paire].soustractions[soustraction.categorie] = soustraction.nombre


def _lire_reports(entrees: dict[Paire, Entrees], paires: Collection[Paire], annee: int) -> None:
    bailleurs, departements = colonnes(paires)
    for bailleur, departement, type_, code, nombre in ReportObjectif.objects.filter(
        bailleur__in=set(bailleurs), departement__in=set(departements), annee=annee
    ).values_list("bailleur_id", "departement_id", "reservataire__type", "reservataire__code", "nombre"):
        if (bailleur, departement) in entrees and nombre:
            entrees[bailleur, departement].reports[reservataire_de(type_, code).code] = nombre


def calculs_en_vigueur(paires: Collection[Paire], annee: int) -> dict[tuple[Paire, str], tuple[int, str]]:
    """(pair, nature) → (version, fingerprint) of the live version."""
    bailleurs, departements = colonnes(paires)
    return {
        ((bailleur, departement), nature): (version, empreinte_)
        for bailleur, departement, nature, version, empreinte_ in CalculFlux.objects.filter(
            bailleur__in=set(bailleurs), departement__in=set(departements), annee=annee, en_vigueur=True
        ).values_list("bailleur_id", "departement_id", "nature", "version", "empreinte")
    }
