"""The refusals that one actor may read, by motive, dwelling, place and time; read from the rows of the indicators.

Three cohorts: candidatures of closed commissions (refused by the CALEOL), attributions pronounced (refused by the household),
dwellings handed to a réservataire (which could not fill them). The contingent of each row is told by the rule of the
indicators, so that the totals are theirs. One aggregate query per cohort and year, whatever the number of rows.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from django.db import connection

from bilans.regles.refus import (
    Axe,
    Blocage,
    Croisement,
    Moment,
    Porteur,
    Taux,
    classer,
    croiser,
    evoluer,
    masquer_taux,
)
from bilans.services.indicateurs import (
    REFUS_CALEOL,
    SANS_EPCI,
    SANS_MOTIF,
    Chiffre,
    Demande,
    Lecture,
    Lignes,
    contingent_de,
    parametres,
)
from flux.models import MotifRefus
from flux.services.cadres import charger_cadres
from reservation.acteur import Acteur
from reservation.models import (
    ClasseFinancement,
    ClasseTypologie,
    Commune,
    Epci,
    Organisation,
)
from reservation.perimetre import agir
from reservation.regles.actes import ALS

ANNEES = 3  # shown side by side
NATURES = {
    Porteur.CALEOL: ("refus_caleol", "dossiers"),
    Porteur.MENAGE: ("refus_menages", "prononcees"),
    Porteur.RESERVATAIRE: ("refus_reservataires", "demandees"),
}


@dataclass(frozen=True)
class DemandeRefus:
    """What is asked. `axe`: what the motives are crossed with; `lieu`: "commune" or "epci"; the rest keeps some dwellings."""

    base: Demande
    axe: Axe = Axe.TYPOLOGIE
    lieu: str = "commune"
    typologie: str = ""
    financement: str = ""
    qpv: str = ""
    epci: str = ""
    commune: str = ""

    @property
    def logements(self) -> dict[str, str]:
        """The filters on the dwellings, as the page of the lines says them."""
        return {nom: getattr(self, nom) for nom in ("typologie", "financement", "qpv", "epci", "commune")}

    @property
    def requete(self) -> str:
        b = self.base
        return Lignes(
            "", b.annee, b.periode, b.departement, b.bailleur, b.reservataire, **self.logements
        ).requete + (f"&axe={self.axe}&lieu={self.lieu}")


class Groupe(NamedTuple):
    """`nombre` rows alike. `bits`: which of the following columns count (see `MOTIFS`)."""

    departement: str
    bailleur: int
    usage: str
    premiere: bool
    oriente: int | None
    echouee: bool
    refus: bool
    bits: int
    motif: int | None
    classe: str | None
    lieu: str | None
    typologie: str | None
    trimestre: int | None
    nombre: int


# --- Counted by PostgreSQL ------------------------------------------------------------------------------------

SOURCES = {
    Porteur.CALEOL: (
        "flux_commission s JOIN flux_passage p ON p.commission_id = s.id JOIN flux_liberation l ON l.id = p.liberation_id",
        "s.etat = 'CLOSE' AND p.decision <> ''",
        "s",
        "l.reservataire_id",
        "s.date",
        "p.decision = ANY(%(refus_caleol)s)",
        "p.motif_id",
    ),
    Porteur.MENAGE: (
        "flux_attribution a JOIN flux_liberation l ON l.id = a.liberation_id",
        "l.annulee_le IS NULL AND l.dans_assiette AND l.date <= make_date(%(annee)s, 12, 31)",
        "a",
        "l.reservataire_id",
        "a.date_caleol",
        "a.refusee_le IS NOT NULL",
        "a.motif_refus_id",
    ),
    Porteur.RESERVATAIRE: (
        "flux_designation d JOIN flux_liberation l ON l.id = d.liberation_id",
        "d.etat <> 'REMPLACEE' AND l.annulee_le IS NULL",
        "d",
        "d.reservataire_id",
        "d.ouverte_le",
        "d.etat = 'ECHOUEE'",
        "d.motif_id",
    ),
}
CLASSES = {
    Axe.TYPOLOGIE: "l.typologie",
    Axe.FINANCEMENT: "l.financement",
    Axe.QPV: "CASE WHEN l.qpv THEN 'oui' ELSE 'non' END",
    Axe.SECTEUR: "coalesce(c.epci_id, 'SANS')",
}
LIEUX = {"commune": "l.commune_id", "epci": "coalesce(c.epci_id, 'SANS')"}
# What `grouping(motif, classe, lieu, typologie, trimestre)` returns for each set: a bit is 1 for what is not grouped by.
MOTIFS, PLACES, TEMPS = 0b00111, 0b11001, 0b11110
TOUT = """grouping(motif, classe, lieu, typologie, trimestre), motif, classe, lieu, typologie, trimestre, count(*)
FROM lues
GROUP BY departement, bailleur, usage, premiere, oriente, echouee, refus,
         GROUPING SETS ((motif, classe), (lieu, typologie), (trimestre))"""
TEMPS_SEUL = f"""{TEMPS}, NULL, NULL, NULL, NULL, trimestre, count(*)
FROM lues
GROUP BY departement, bailleur, usage, premiere, oriente, echouee, refus, trimestre"""


def _requete(porteur: Porteur, demande: DemandeRefus, comptes: str) -> str:
    tables, condition, table, oriente, jour, refus, motif = SOURCES[porteur]
    # A designation is the réservataire's own; the others follow the day of the CALEOL.
    echouee = (
        "false"
        if porteur == Porteur.RESERVATAIRE
        else f"coalesce(l.designation_echouee_le <= {jour} AND l.reservataire_id <> l.bailleur_id, false)"
    )
    return f"""
WITH lues AS (
    SELECT {table}.departement_id AS departement, {table}.bailleur_id AS bailleur, l.usage, l.premiere,
           {oriente} AS oriente, {echouee} AS echouee, {refus} AS refus, {motif} AS motif,
           {CLASSES[demande.axe]} AS classe, {LIEUX[demande.lieu]} AS lieu, l.typologie,
           extract(quarter FROM {jour})::int AS trimestre
    FROM {tables} JOIN reservation_commune c ON c.code = l.commune_id
    WHERE {condition} AND {jour} BETWEEN %(debut)s AND %(fin)s
      AND (%(departements)s::text[] IS NULL OR {table}.departement_id = ANY(%(departements)s))
      AND (%(bailleurs)s::bigint[] IS NULL OR {table}.bailleur_id = ANY(%(bailleurs)s))
      AND (%(reservataire)s::bigint IS NULL OR {oriente} = %(reservataire)s)
      AND %(typologie)s IN ('', l.typologie) AND %(financement)s IN ('', l.financement)
      AND (%(qpv)s = '' OR l.qpv = (%(qpv)s = 'oui')) AND %(epci)s IN ('', coalesce(c.epci_id, 'SANS'))
      AND %(commune)s IN ('', l.commune_id)
)
SELECT departement, bailleur, usage, premiere, oriente, echouee, refus, {comptes}
"""


def _compter(acteur: Acteur, demande: DemandeRefus, annee: int, comptes: str) -> dict[Porteur, list[Groupe]]:
    """Porteur → groups of the contingent that is asked, for one year; three queries, and those of the acts."""
    base = replace(demande.base, annee=annee)
    valeurs = parametres(acteur, base) | demande.logements | {"refus_caleol": [str(d) for d in REFUS_CALEOL]}
    lus: dict[Porteur, list[Groupe]] = {}
    for porteur in Porteur:
        with connection.cursor() as curseur:
            curseur.execute(_requete(porteur, demande, comptes), valeurs)
            lus[porteur] = [Groupe(*ligne) for ligne in curseur.fetchall()]
    tous = [groupe for groupes in lus.values() for groupe in groupes]
    code = contingent_lu(acteur, demande.base)
    if not code:
        return lus
    cadres = charger_cadres({(g.bailleur, g.departement) for g in tous}, annee)
    organisations = Organisation.objects.in_bulk({g.oriente for g in tous if g.oriente})
    return {
        porteur: [g for g in groupes if contingent_de(g, cadres, organisations, base) == code]
        for porteur, groupes in lus.items()
    }


def contingent_lu(acteur: Acteur, demande: Demande) -> str:
    """Code of the contingent that is read, "" for all. The COPIL reads one at a time, as in the indicators."""
    if acteur.est_reservataire:
        return Organisation.objects.get(pk=acteur.organisation_id).code_reservataire
    return demande.reservataire or (ALS.code if acteur.est_copil else "")


# --- What is shown --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tableau:
    """The refusals of one kind: `croisement`, and how to find the lines of each of its figures."""

    porteur: Porteur
    croisement: Croisement
    demande: DemandeRefus
    contingent: str
    suivi: bool

    def chiffre(self, nombre: int | None, motif: str = "", classe: str = "") -> Chiffre:
        return Chiffre(nombre, self._lignes(NATURES[self.porteur][0], motif, classe))

    def base(self, nombre: int, classe: str = "") -> Chiffre:
        return Chiffre(nombre, self._lignes(NATURES[self.porteur][1], "", classe))

    def _lignes(self, nature: str, motif: str, classe: str) -> Lignes | None:
        if not self.suivi:
            return None
        b = self.demande.base
        logements = self.demande.logements | ({str(self.demande.axe): classe} if classe else {})
        return Lignes(
            nature, b.annee, b.periode, b.departement, b.bailleur, self.contingent, motif=motif, **logements
        )


@dataclass(frozen=True)
class AnalyseRefus:
    """Everything that the page and its files say. `motifs`, `classes`, `lieux`: code → label, in the order of the lists."""

    demande: DemandeRefus
    lecture: Lecture
    tableaux: tuple[Tableau, ...]
    blocages: tuple[Blocage, ...]
    moments: tuple[Moment, ...]
    contingent: str
    motifs: Mapping[str, str]
    classes: Mapping[str, str]
    lieux: Mapping[str, str]
    typologies: Mapping[str, str] = field(default_factory=dict)

    def lignes_du_blocage(self, blocage: Blocage, nature: str) -> Lignes | None:
        if not self.lecture.lignes:
            return None
        b = self.demande.base
        logements = self.demande.logements | {self.demande.lieu: blocage.lieu}
        if blocage.typologie:
            logements["typologie"] = blocage.typologie
        return Lignes(nature, b.annee, b.periode, b.departement, b.bailleur, self.contingent, **logements)

    def lignes_du_moment(self, moment: Moment, nature: str) -> Lignes | None:
        """A whole year is read over the part of it that is asked; a quarter is one of it."""
        if not self.lecture.lignes:
            return None
        b = self.demande.base
        periode = f"T{moment.trimestre}" if moment.trimestre else b.periode
        return Lignes(
            nature,
            moment.annee,
            periode,
            b.departement,
            b.bailleur,
            self.contingent,
            **self.demande.logements,
        )


@agir(Acteur.du_systeme("analyse des refus"))
def analyser_refus(acteur: Acteur, demande: DemandeRefus) -> AnalyseRefus | None:
    """The refusals that `acteur` may read; None when it may read nothing of them.

    A number of queries that depends on nothing. For the COPIL: one département, one contingent, the whole year, and no
    crossed cell (chapter 12).
    """
    lecture = Lecture.de(acteur)
    if lecture is None:
        return None
    if lecture.masque:
        premier = next(iter(acteur.departements), "")
        base = demande.base
        demande = DemandeRefus(
            Demande(base.annee, "", base.departement or premier, None, base.reservataire or ALS.code),
            demande.axe,
            "epci",
        )
    annee = demande.base.annee
    lus = _compter(acteur, demande, annee, TOUT)
    code = contingent_lu(acteur, demande.base)
    motifs = list(MotifRefus.objects.order_by("porteur", "rang", "code"))
    codes = {m.pk: m.code for m in motifs}
    tableaux = tuple(
        Tableau(porteur, _croisement(lus[porteur], codes, lecture.masque), demande, code, lecture.lignes)
        for porteur in Porteur
    )
    moments: Counter[tuple[int, int, Porteur, bool]] = Counter()
    _ajouter(moments, annee, lus)
    for passee in range(annee - ANNEES + 1, annee):
        _ajouter(moments, passee, _compter(acteur, demande, passee, TEMPS_SEUL))
    return AnalyseRefus(
        demande=demande,
        lecture=lecture,
        tableaux=tableaux,
        blocages=_blocages(lus[Porteur.MENAGE], lecture.masque),
        moments=evoluer(
            {
                (an, t, p): (moments[an, t, p, True], moments[an, t, p, True] + moments[an, t, p, False])
                for an, t, p, _ in moments
            },
            range(annee - ANNEES + 1, annee + 1),
            masque=lecture.masque,
        ),
        contingent=code,
        motifs={m.code: m.libelle for m in motifs} | {SANS_MOTIF: "Sans motif enregistré"},
        classes=_classes(demande.axe, {c for t in tableaux for c in t.croisement.classes}),
        lieux=_lieux(demande.lieu, {g.lieu for g in lus[Porteur.MENAGE] if g.bits == PLACES}),
        typologies=dict(ClasseTypologie.objects.values_list("code", "libelle")),
    )


def _croisement(groupes: list[Groupe], codes: Mapping[int, str], masque: bool) -> Croisement:
    refus: Counter[tuple[str, str]] = Counter()
    bases: Counter[str] = Counter()
    for g in groupes:
        if g.bits != MOTIFS:
            continue
        bases[g.classe] += g.nombre
        if g.refus:
            refus[codes.get(g.motif, SANS_MOTIF), g.classe] += g.nombre
    return croiser(refus, bases, masque=masque)


def _ajouter(moments: Counter, annee: int, lus: Mapping[Porteur, list[Groupe]]) -> None:
    for porteur, groupes in lus.items():
        for g in groupes:
            if g.bits == TEMPS:
                moments[annee, g.trimestre, porteur, g.refus] += g.nombre


def _blocages(groupes: list[Groupe], masque: bool) -> tuple[Blocage, ...]:
    """Places × typologies; places alone where small counts are hidden."""
    refus: Counter[tuple[str, str]] = Counter()
    bases: Counter[tuple[str, str]] = Counter()
    for g in groupes:
        if g.bits == PLACES:
            cle = (g.lieu, "" if masque else g.typologie)
            bases[cle] += g.nombre
            refus[cle] += g.nombre if g.refus else 0
    if masque:
        return classer({cle: Taux(n, bases[cle]) for cle, n in masquer_taux(refus, bases).items()})
    return classer({cle: Taux(refus[cle], n) for cle, n in bases.items()})


def _classes(axe: Axe, presentes: set[str]) -> dict[str, str]:
    """Label of each class, in the order of the reference tables; what was withdrawn since keeps its code."""
    match axe:
        case Axe.QPV:
            connues = {"oui": "En QPV", "non": "Hors QPV"}
        case Axe.SECTEUR:
            connues = _lieux("epci", presentes)
        case _:
            table = ClasseTypologie if axe == Axe.TYPOLOGIE else ClasseFinancement
            connues = dict(table.objects.values_list("code", "libelle"))
    return {c: n for c, n in connues.items() if c in presentes} | {
        c: c for c in sorted(presentes - connues.keys())
    }


def _lieux(lieu: str, codes: set[str]) -> dict[str, str]:
    if lieu == "commune":
        return dict(Commune.objects.filter(pk__in=codes).order_by("nom_tri").values_list("pk", "nom"))
    noms = dict(Epci.objects.filter(pk__in=codes).order_by("nom").values_list("pk", "nom"))
    return noms | ({SANS_EPCI: "Sans EPCI"} if SANS_EPCI in codes else {})
