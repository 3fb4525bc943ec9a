"""What the page of a flux prints: a stored version put in words, with a link behind each figure that has lines.

Nothing is computed here that a rule computes: figures come from the stored result, explanations from its steps.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from flux.cascade import PartDessinee, decrire, dessiner_flux
from flux.models import CalculFlux, Nature, PartFlux
from flux.regles.annuel import OrigineTaux, rotation_fr
from flux.services.avertissements import PETIT_FLUX, avertir_petit_flux
from flux.services.lecture import base_des_termes
from publics.regles.secret_statistique import SEUIL, masquer_petits_effectifs
from reservation.acteur import Acteur
from reservation.cascade import ETROIT, LARGE, Dessin, Etage, Retrait
from reservation.models import Commune, Departement, Organisation, cle_de_tri
from reservation.regles.actes import Soustraction
from reservation.regles.statut import STATUTS_HORS
from reservation.regles.typographie import accorder, date_fr, decimal_fr, entier_fr, taux_fr, typographier

LIBELLES_PARTS = {
    "ETAT": "État",
    "ALS": "Action Logement Services",
    "BAILLEUR": "Bailleur (non réservé)",
}


@dataclass(frozen=True)
class Etape:
    """A line of the calculation: the figure of the version shown, that of the other nature, origin and text."""

    libelle: str
    valeur: str
    url: str
    autre: str
    autre_url: str
    origine: str
    article: str
    niveau: int
    total: bool


@dataclass(frozen=True)
class LignePart:
    """A line of the table of the parts. Whole dwellings as int, exact shares and points as Decimal."""

    libelle: str
    calcul: str
    points: Decimal | None
    base: str
    exacte: Decimal | None
    logements: int | None
    report: int | None
    objectif: int | None
    plafond: bool = False
    niveau: int = 0


@dataclass(frozen=True)
class LigneRealise:
    """What one réservataire obtained. `attributions`, `baux` None: not told to the COPIL."""

    libelle: str
    objectif: int | None
    attributions: int | None
    baux: int | None
    echecs: int
    realise: int
    ecart: int | None
    atteint: bool | None


@dataclass(frozen=True)
class LigneTerritoire:
    """A place: dwellings of its assiette, what was freed and taken off there (observed only), its flux."""

    libelle: str
    soumis: int
    hors_qpv: int
    en_qpv: int
    liberations: int = 0
    soustractions: int = 0
    url: str = ""

    @property
    def flux(self) -> int:
        return self.hors_qpv + self.en_qpv


@dataclass(frozen=True)
class PartDeLEtat:
    """The block of the État: one line per rate of the year, the share, the floor outside QPV."""

    net: Decimal | None
    taux: list[dict[str, Any]]
    exacte: Decimal
    objectif: int
    flux: int
    agents_exact: Decimal
    agents_max: int
    hors_qpv: dict[str, int] | None
    retrocession: dict[str, Any] | None
    plancher: Decimal | None


@dataclass(frozen=True)
class TableauCommunes:
    """The table of the parts in each commune (échelle commune)."""

    reservataires: list[str]
    lignes: list[tuple[str, int, list[tuple[int, Decimal]]]]


@dataclass
class PageFlux:
    """Everything that the template needs; `complet` is False for a réservataire, which sees its own share.

    `entier`: the flux of the bailleur is read too; a collectivité reads that of its territory only, beside its share.
    """

    bailleur: Organisation
    departement: Departement
    annee: int
    nature: Nature
    calcul: CalculFlux | None
    autre: CalculFlux | None
    versions: list[CalculFlux]
    complet: bool
    entier: bool
    etapes: list[Etape] = field(default_factory=list)
    parts: list[LignePart] = field(default_factory=list)
    total_parts: LignePart | None = None
    realise: list[LigneRealise] = field(default_factory=list)
    quarts: list[dict[str, Any]] = field(default_factory=list)
    territoires: list[LigneTerritoire] = field(default_factory=list)
    total_territoires: LigneTerritoire | None = None
    communes: list[LigneTerritoire] = field(default_factory=list)
    par_commune: TableauCommunes | None = None
    etat: PartDeLEtat | None = None
    avertissements: list[dict[str, Any]] = field(default_factory=list)
    large: Dessin | None = None
    etroit: Dessin | None = None
    description: str = ""
    convention: str = ""
    noms: dict[str, str] = field(default_factory=dict)

    @property
    def constate(self) -> bool:
        return self.nature == Nature.DEFINITIF

    @property
    def en_cours(self) -> bool:
        """The observed flux of a year that is not over yet, and can only grow."""
        return self.annee >= timezone.localdate().year


def composer(
    acteur: Acteur,
    bailleur: Organisation,
    departement: Departement,
    annee: int,
    nature: Nature,
    calcul: CalculFlux | None,
    autre: CalculFlux | None,
    versions: Sequence[CalculFlux],
) -> PageFlux:
    """Read a version for `acteur`: a fixed number of queries, whatever its size."""
    complet = not acteur.est_reservataire
    entier = acteur.lit_les_flux_entiers
    page = PageFlux(bailleur, departement, annee, nature, calcul, autre, list(versions), complet, entier)
    if calcul is None:
        return page
    parts = list(
        PartFlux.objects.visibles_par(acteur)
        .filter(calcul=calcul)
        .select_related("reservataire")
        .order_by("rang")
    )
    page.noms = {part.code: _nom(part) for part in parts}
    liens = Liens(acteur, calcul)
    page.etapes = _etapes(calcul, autre, liens, complet) if entier else []
    page.parts, page.total_parts = _parts(calcul, parts, page.noms, complet)
    page.convention = next(
        (acte["libelle"] for acte in calcul.entrees["actes"] if acte["reservataire"] == "ETAT"), ""
    )
    if page.constate:
        page.realise = _realise(acteur, calcul, page.noms)
        page.quarts = _quarts(acteur, calcul, page.noms)
    if complet:
        communes = dict(
            Commune.objects.filter(
                pk__in={territoire["commune"] for territoire in calcul.resultat["territoires"]}
            ).values_list("pk", "nom")
        )
        page.territoires, page.total_territoires = _territoires(calcul, page.noms)
        page.communes = _communes(calcul, communes, liens)
        page.par_commune = _par_commune(calcul, page.noms, communes)
        page.etat = _part_de_l_etat(calcul)
        page.avertissements = _avertissements(calcul, communes, liens)
    if entier:
        _dessiner(page, calcul)
    return page


def _nom(part: PartFlux) -> str:
    if part.code in LIBELLES_PARTS:
        return LIBELLES_PARTS[part.code]
    return part.reservataire.nom if part.reservataire else part.code


# --- Links --------------------------------------------------------------------------------------------------


class Liens:
    """The lists that hold the lines of a figure, for those who may read lines."""

    def __init__(self, acteur: Acteur, calcul: CalculFlux) -> None:
        self.acteur, self.calcul = acteur, calcul
        self.lignes = acteur.systeme or acteur.est_bailleur or acteur.est_service_etat

    def logements(self, **filtres: str) -> str:
        if not self.lignes or self.calcul.millesime is None:
            return ""
        base = {
            "bailleur": self.calcul.bailleur_id,
            "departement": self.calcul.departement_id,
            "millesime": self.calcul.millesime,
        }
        return f"{reverse('reservation:logements')}?{urlencode(base | filtres)}"

    def liberations(self, **filtres: str) -> str:
        """Libérations that count in the year: of the assiette, not cancelled."""
        if not self.lignes:
            return ""
        base = {
            "bailleur": self.calcul.bailleur_id,
            "departement": self.calcul.departement_id,
            "annee": self.calcul.annee,
            "compte": "oui",
        }
        return f"{reverse('flux:liberations')}?{urlencode(base | filtres)}"

    def declaration(self) -> str:
        return reverse(
            "flux:soustractions",
            args=[self.calcul.bailleur_id, self.calcul.departement_id, self.calcul.annee],
        )

    def de_l_etape(self, code: str) -> str:
        """The lines behind a step of the calculation."""
        match code.split("."):
            case ["assiette", "parc"]:
                return self.logements()
            case ["assiette", "hors" | "dans", statut]:
                return self.logements(statut=statut)
            case ["assiette", "soumis"]:
                return self.logements(statut="dans")
            case ["assiette", "loues_ou_proposes"]:
                return self.logements(statut="dans", occupation="offerts")
        if self.calcul.nature == Nature.PREVISIONNEL:
            return self.declaration() if self.lignes and code.startswith("flux.soustractions.") else ""
        exclues = {} if self._premieres_dans_le_flux() else {"premiere": "non"}
        match code.split("."):
            case ["flux", "liberations"]:
                return self.liberations(**exclues)
            case ["flux", "soustractions", usage]:
                return self.liberations(usage=usage, **exclues)
            case ["flux", "premieres_hors_flux"]:
                return self.liberations(premiere="oui")
        return ""

    def de_la_commune(self, commune: str) -> str:
        """Libérations of a commune, soustractions included."""
        if self.calcul.nature == Nature.PREVISIONNEL:
            return ""
        exclues = {} if self._premieres_dans_le_flux() else {"premiere": "non"}
        return self.liberations(commune=commune, **exclues)

    def _premieres_dans_le_flux(self) -> bool:
        return any(
            acte["regime"] and acte["regime"]["premieres_mises_en_location"]
            for acte in self.calcul.entrees["actes"]
        )


# --- Tables -------------------------------------------------------------------------------------------------


def _etapes(calcul: CalculFlux, autre: CalculFlux | None, liens: Liens, complet: bool) -> list[Etape]:
    """From the parc to the flux; a réservataire reads the flux only, the parc is its bailleur's and the État's."""
    debuts = ("assiette.", "flux.") if complet else ("flux.",)
    # The parc is the same on both sides: only what is freed and taken off stands twice.
    autres = {
        e["code"]: e["valeur"] for e in (autre.etapes if autre else ()) if e["code"].startswith("flux.")
    }
    liens_autre = Liens(liens.acteur, autre or calcul)
    return [
        Etape(
            libelle=etape["libelle"],
            valeur=etape["valeur"],
            url=liens.de_l_etape(etape["code"]) if _non_nul(etape["valeur"]) else "",
            autre=autres.get(etape["code"], ""),
            autre_url=liens_autre.de_l_etape(etape["code"])
            if _non_nul(autres.get(etape["code"], ""))
            else "",
            origine=etape["detail"] if complet else _origine_sans_parc(etape),
            article=etape["article"],
            niveau=etape["niveau"],
            total=etape["code"] == "flux.flux",
        )
        for etape in calcul.etapes
        if etape["code"].startswith(debuts)
    ]


def _origine_sans_parc(etape: Mapping[str, Any]) -> str:
    """A réservataire reads the flux, not the parc that it rests on (table of chapter 2)."""
    if etape["code"] == "flux.liberations" and "×" in etape["detail"]:
        return "logements loués ou proposés × taux de rotation"
    return etape["detail"]


def _non_nul(valeur: str) -> bool:
    return valeur not in ("", "0", "−0")


def _parts(
    calcul: CalculFlux, parts: Sequence[PartFlux], noms: Mapping[str, str], complet: bool
) -> tuple[list[LignePart], LignePart | None]:
    resultat = calcul.resultat
    lignes: list[LignePart] = []
    for part in parts:
        termes = resultat["lignes"].get(part.code, [])
        lignes.append(
            LignePart(
                libelle=noms[part.code],
                calcul=_calcul(part.code, termes, resultat["taux_etat"]),
                points=_points(termes) if part.code != "BAILLEUR" else None,
                base=_nombre(base_des_termes(termes)) if part.code != "BAILLEUR" else "–",
                exacte=part.part_exacte,
                logements=part.objectif,
                report=part.report or None,
                objectif=None if part.code == "BAILLEUR" else part.objectif_total,
            )
        )
        if part.code == "ETAT" and part.part_exacte:
            lignes += _sous_lignes_de_l_etat(part, termes, resultat)
    if not complet:
        return lignes, None
    total = LignePart(
        libelle="Ensemble",
        calcul="",
        points=None,
        base=entier_fr(calcul.flux),
        exacte=sum((part.part_exacte for part in parts), Decimal(0)),
        logements=sum(part.objectif for part in parts),
        report=sum(part.report for part in parts) or None,
        objectif=sum(part.objectif_total for part in parts if part.code != "BAILLEUR"),
    )
    return lignes, total


def _sous_lignes_de_l_etat(
    part: PartFlux, termes: Sequence[Mapping[str, str]], resultat: Mapping[str, Any]
) -> list[LignePart]:
    """Priority households and agents inside the État's share: the agents' is a ceiling."""
    agents_exact, agents = Decimal(resultat["agents_exact"]), min(resultat["agents_max"], part.objectif)
    taux = resultat["taux_etat"]
    points_agents = Decimal(taux[0]["agents"]) if len(taux) == 1 else None
    points = _points(termes)
    return [
        LignePart(
            libelle="dont prioritaires, au moins",
            calcul=_reste_des_prioritaires(taux),
            points=points - points_agents if points is not None and points_agents is not None else None,
            base=_nombre(base_des_termes(termes)),
            exacte=part.part_exacte - agents_exact,
            logements=part.objectif - agents,
            report=None,
            objectif=part.objectif_total - agents,
            niveau=1,
        ),
        LignePart(
            libelle="dont agents de l’État, au plus",
            calcul="plafond en points du flux, arrondi par défaut",
            points=points_agents,
            base=_nombre(base_des_termes(termes)),
            exacte=agents_exact,
            logements=agents,
            report=None,
            objectif=agents,
            plafond=True,
            niveau=1,
        ),
    ]


def _reste_des_prioritaires(taux: Sequence[Mapping[str, Any]]) -> str:
    if len(taux) != 1:
        return "la part de l’État moins celle des agents"
    calcul = f"{taux_fr(Decimal(taux[0]['net']))} − {taux_fr(Decimal(taux[0]['agents']))}"
    return f"{calcul} (la part rétrocédée est prise ici)" if Decimal(taux[0]["retrocede"]) else calcul


def _termes_alignes(termes: Sequence[Mapping[str, str]]) -> bool:
    """Whether all the terms bear on the same dwellings: their points then add up."""
    return len({(terme["debut"], terme["fin"], terme["base"]) for terme in termes}) == 1


def _points(termes: Sequence[Mapping[str, str]]) -> Decimal | None:
    return sum((Decimal(t["points"]) for t in termes), Decimal(0)) if _termes_alignes(termes) else None


def _calcul(code: str, termes: Sequence[Mapping[str, str]], taux_etat: Sequence[Mapping[str, Any]]) -> str:
    """How a share is made, in a few words; the steps of the calculation give every period."""
    if code == "BAILLEUR":
        return "le reste, jamais négatif"
    if not termes:
        return "aucun droit dans l’année"
    if not _termes_alignes(termes):
        return typographier(
            " ; ".join(
                f"du {_jour(terme['debut'])} au {_jour(terme['fin'])} : {taux_fr(Decimal(terme['points']))} points × "
                f"{_nombre(Decimal(terme['base']))}"
                for terme in termes
            )
        )
    if code == "ETAT":
        [taux] = taux_etat if len(taux_etat) == 1 else [None]
        if taux and Decimal(taux["retrocede"]):
            return f"{taux_fr(Decimal(taux['brut']))} brut − {taux_fr(Decimal(taux['retrocede']))} rétrocédé"
        return "dérogation en cours" if taux and taux["derogation"] else "flux du département"
    if code == "ALS":
        return (
            " + ".join(
                taux_fr(points) for points in sorted((Decimal(t["points"]) for t in termes), reverse=True)
            )
            + " reçu de l’État"
            if len(termes) > 1
            else "flux du département"
        )
    return "flux de son territoire"


def _jour(iso: str) -> str:
    return date_fr(date.fromisoformat(iso))


def _nombre(base: Decimal | None) -> str:
    """Dwellings of a base: whole when observed, to the hundredth when projected over a part of the year or place."""
    if base is None:
        return "–"
    return entier_fr(int(base)) if base == int(base) else decimal_fr(base)


def _realise(acteur: Acteur, calcul: CalculFlux, noms: Mapping[str, str]) -> list[LigneRealise]:
    """Beside the realised of the État, its attributions tell the COPIL how many of its households do not count: from
    eleven on, as everywhere (chapter 2); its leases too, which may be what the convention counts."""
    objectifs = {ligne["reservataire"]: ligne["objectif_total"] for ligne in calcul.resultat["repartition"]}
    tait = acteur.est_copil and calcul.resultat["etat_100"]["manque"] < SEUIL
    return [
        LigneRealise(
            noms[ligne["reservataire"]],
            None if ligne["reservataire"] == "BAILLEUR" else objectifs[ligne["reservataire"]],
            *(
                None if tait and ligne["reservataire"] == "ETAT" else ligne[cle]
                for cle in ("attributions", "baux")
            ),
            *(ligne[cle] for cle in ("echecs", "realise", "ecart", "atteint")),
        )
        for ligne in calcul.resultat["realise"]
        if ligne["reservataire"] in noms
    ]


def _quarts(acteur: Acteur, calcul: CalculFlux, noms: Mapping[str, str]) -> list[dict[str, Any]]:
    """The 25 % tests. The COPIL reads households with a label in counts of eleven at least (chapter 2).

    Attributions are counted for it without a threshold: what is missing would give the hidden number back.
    """
    lus = []
    for quart in calcul.resultat["quarts"]:
        if quart["reservataire"] not in noms:
            continue
        prioritaires, attributions = quart["prioritaires"], quart["attributions"]
        masque = False
        if acteur.est_copil:
            ligne = {"prioritaires": prioritaires, "autres": attributions - prioritaires}
            masque = masquer_petits_effectifs({"": ligne})["", "prioritaires"] is None
        lus.append(quart | {"libelle": noms[quart["reservataire"]], "masque": masque})
    return lus


# --- Territories --------------------------------------------------------------------------------------------


def _territoires(
    calcul: CalculFlux, noms: Mapping[str, str]
) -> tuple[list[LigneTerritoire], LigneTerritoire]:
    """The flux of each collectivité's territory, the smallest first, so that each commune counts once."""
    territoires: dict[str, set[str]] = {}
    for acte in calcul.entrees["actes"]:
        if acte["communes"]:
            territoires.setdefault(acte["reservataire"], set()).update(acte["communes"])
    prises: set[str] = set()
    groupes: list[tuple[str, set[str]]] = []
    for code, siennes in sorted(territoires.items(), key=lambda t: (len(t[1]), t[0])):
        libres = siennes - prises
        if libres and code in noms:
            nom = noms[code]
            groupes.append((f"Autres communes : {nom}" if libres < siennes else nom, libres))
            prises |= libres
    reste = {t["commune"] for t in calcul.resultat["territoires"]} - prises
    if reste:
        groupes.append(("Reste du département" if groupes else "Communes du département", reste))
    lignes = [
        _ligne_territoire(typographier(nom), calcul, siennes)
        for nom, siennes in groupes
        if any(t["commune"] in siennes for t in calcul.resultat["territoires"])
    ]
    toutes = {t["commune"] for t in calcul.resultat["territoires"]}
    return lignes, _ligne_territoire("Département", calcul, toutes)


def _ligne_territoire(libelle: str, calcul: CalculFlux, siennes: set[str], url: str = "") -> LigneTerritoire:
    comptes: Counter[str] = Counter()
    for territoire in calcul.resultat["territoires"]:
        if territoire["commune"] in siennes:
            comptes["soumis"] += territoire["soumis"]
            comptes["en_qpv" if territoire["qpv"] else "hors_qpv"] += territoire["flux"]
            comptes["liberations"] += territoire.get("liberations", 0)
            comptes["soustractions"] += territoire.get("soustractions", 0)
    champs = ("soumis", "hors_qpv", "en_qpv", "liberations", "soustractions")
    return LigneTerritoire(libelle, **{champ: comptes[champ] for champ in champs}, url=url)


def _communes(calcul: CalculFlux, communes: Mapping[str, str], liens: Liens) -> list[LigneTerritoire]:
    codes = {t["commune"] for t in calcul.resultat["territoires"]}
    return [
        _ligne_territoire(communes.get(code, code), calcul, {code}, liens.de_la_commune(code))
        for code in sorted(codes, key=lambda code: (cle_de_tri(communes.get(code, code)), code))
    ]


def _par_commune(
    calcul: CalculFlux, noms: Mapping[str, str], communes: Mapping[str, str]
) -> TableauCommunes | None:
    tableau = calcul.resultat.get("communes")
    if tableau is None:
        return None
    codes = [ligne["reservataire"] for ligne in calcul.resultat["repartition"]]
    lignes = []
    for commune, ligne in tableau.items():
        siennes = {part["reservataire"]: part for part in ligne["parts"]}
        lignes.append(
            (
                communes.get(commune, commune),
                ligne["flux"],
                [(siennes[code]["objectif"], Decimal(siennes[code]["part_exacte"])) for code in codes],
            )
        )
    return TableauCommunes([noms[code] for code in codes], lignes)


# --- The État, and what to look at ----------------------------------------------------------------------------


def _part_de_l_etat(calcul: CalculFlux) -> PartDeLEtat | None:
    resultat = calcul.resultat
    part = next(p for p in resultat["repartition"] if p["reservataire"] == "ETAT")
    taux = [
        {cle: Decimal(ligne[cle]) for cle in ("brut", "retrocede", "net", "agents")}
        | {
            "debut": date.fromisoformat(ligne["debut"]),
            "fin": date.fromisoformat(ligne["fin"]),
            "derogation": ligne["derogation"],
        }
        for ligne in resultat["taux_etat"]
    ]
    actes = [acte for acte in calcul.entrees["actes"] if acte["reservataire"] == "ETAT"]
    retrocession = next((acte["retrocession"] for acte in actes if acte["retrocession"]), None)
    plancher = next((acte["regime"]["plancher_hors_qpv"] for acte in actes), None)
    return PartDeLEtat(
        net=taux[0]["net"] if len({ligne["net"] for ligne in taux}) == 1 else None,
        taux=taux,
        exacte=Decimal(part["part_exacte"]),
        objectif=part["objectif"],
        flux=calcul.flux,
        agents_exact=Decimal(resultat["agents_exact"]),
        agents_max=resultat["agents_max"],
        hors_qpv=resultat["hors_qpv"],
        retrocession=retrocession
        and {
            "debut": date.fromisoformat(retrocession["debut"]),
            "fin": date.fromisoformat(retrocession["fin"]),
            "prise_sur": "les agents" if retrocession["prise_sur"] == "AGENTS" else "les prioritaires",
        },
        plancher=None if plancher is None else Decimal(plancher),
    )


def _avertissements(calcul: CalculFlux, communes: Mapping[str, str], liens: Liens) -> list[dict[str, Any]]:
    """The stored warnings, with the lines behind them; the share of the small years cumulated as of today."""
    lus = []
    for avertissement in calcul.avertissements:
        lu = dict(avertissement)
        if lu.get("logements"):
            lu["url"] = liens.logements(question=lu["code"])
        if lu.get("communes"):
            lu["lieux"] = [communes.get(code, code) for code in lu["communes"]]
        if lu["code"] == PETIT_FLUX:
            lu["texte"] = _petit_flux_cumule(calcul) or lu["texte"]
        lus.append(lu)
    return lus


def _petit_flux_cumule(calcul: CalculFlux) -> str | None:
    """Exact shares of the État since its act began, this version last."""
    actes = [acte for acte in calcul.entrees["actes"] if acte["reservataire"] == "ETAT"]
    if not actes:
        return None
    debut = min(date.fromisoformat(acte["debut"]).year for acte in actes)
    anterieures = (
        PartFlux.objects.filter(
            code="ETAT",
            calcul__bailleur=calcul.bailleur_id,
            calcul__departement=calcul.departement_id,
            calcul__nature=Nature.DEFINITIF,
            calcul__en_vigueur=True,
            calcul__annee__gte=debut,
            calcul__annee__lt=calcul.annee,
        )
        .order_by("calcul__annee")
        .values_list("calcul__annee", "part_exacte")
    )
    part = next(p for p in calcul.resultat["repartition"] if p["reservataire"] == "ETAT")
    return avertir_petit_flux([*anterieures, (calcul.annee, Decimal(part["part_exacte"]))], part["objectif"])


# --- Drawing ------------------------------------------------------------------------------------------------


def _dessiner(page: PageFlux, calcul: CalculFlux) -> None:
    titre, parts = _titre_des_parts(page, calcul), _parts_dessinees(page, calcul)
    etages = [*(_etages_du_parc(calcul) if page.complet else ()), _etage_des_liberations(page, calcul)]
    note = _note_de_l_etat(calcul) if page.complet else ""
    page.large = dessiner_flux(etages, titre, parts, note, LARGE)
    page.etroit = dessiner_flux(etages, titre, parts, note, ETROIT)
    page.description = typographier(decrire(titre, calcul.flux, parts))


def _titre_des_parts(page: PageFlux, calcul: CalculFlux) -> str:
    mot = "constaté" if page.constate else "prévisionnel"
    return typographier(
        f"Flux annuel {mot} {calcul.annee} : {accorder(calcul.flux, 'logement')}, "
        + ("partagés entre les réservataires" if page.complet else "dont votre part")
    )


def _etages_du_parc(calcul: CalculFlux) -> list[Etage]:
    assiette = calcul.resultat["assiette"]
    hors, vides = assiette["parc"] - assiette["soumis"], assiette["soumis"] - assiette["loues_ou_proposes"]
    millesime = f" au 1er janvier {calcul.millesime}" if calcul.millesime else ""
    return [
        Etage(
            typographier(f"Parc RPLS{millesime} : {accorder(assiette['parc'], 'logement')}"),
            assiette["parc"],
            assiette["soumis"],
            typographier(f"Assiette : {entier_fr(assiette['soumis'])}"),
            typographier(f"Hors assiette, par raison : {entier_fr(-hors)}"),
            [Retrait(statut.libelle, assiette["hors"].get(statut.value, 0)) for statut in STATUTS_HORS],
            ["Chaque logement a un seul statut : la première raison qui s’applique l’emporte."],
        ),
        Etage(
            typographier(f"Assiette : {accorder(assiette['soumis'], 'logement')}"),
            assiette["soumis"],
            assiette["loues_ou_proposes"],
            typographier(f"Loués ou proposés à la location : {entier_fr(assiette['loues_ou_proposes'])}"),
            typographier(f"Ni loués ni proposés : {entier_fr(-vides)}"),
            notes=_note_de_rotation(calcul),
            notes_retraits=[
                typographier(
                    "Vides pour travaux, vente ou démolition, ou occupés autrement (RPLS : MODE 3, 4, 5)"
                )
            ],
        ),
    ]


def _note_de_rotation(calcul: CalculFlux) -> list[str]:
    taux = calcul.resultat["taux_rotation"]
    if taux is None:
        return []
    loues = calcul.resultat["assiette"]["loues_ou_proposes"]
    detail = next(e["detail"] for e in calcul.etapes if e["code"] == "flux.liberations")
    return [detail] if loues else []


def _etage_des_liberations(page: PageFlux, calcul: CalculFlux) -> Etage:
    flux = calcul.resultat["flux"]
    listees = [
        Soustraction(etape["code"].rpartition(".")[2])
        for etape in calcul.etapes
        if etape["code"].startswith("flux.soustractions.")
    ]
    mot = "constatées" if page.constate else "prévues"
    return Etage(
        typographier(f"Libérations {mot} en {calcul.annee} : {accorder(flux['liberations'], 'logement')}"),
        flux["liberations"],
        flux["flux"],
        typographier(f"Flux : {entier_fr(flux['flux'])}"),
        typographier(f"Soustractions, par catégorie : {entier_fr(-calcul.soustractions)}"),
        [Retrait(s.libelle, flux["soustractions"].get(s.value, 0)) for s in listees],
    )


def _parts_dessinees(page: PageFlux, calcul: CalculFlux) -> list[PartDessinee]:
    if not page.complet:
        siennes = [ligne for ligne in calcul.resultat["repartition"] if ligne["reservataire"] in page.noms]
        reste = calcul.flux - sum(ligne["objectif"] for ligne in siennes)
        return [
            *(
                PartDessinee(page.noms[ligne["reservataire"]], ligne["objectif"], "garde")
                for ligne in siennes
            ),
            PartDessinee("Autres parts", reste, "part-b"),
        ]
    parts: list[PartDessinee] = []
    for ligne in calcul.resultat["repartition"]:
        code, nombre = ligne["reservataire"], ligne["objectif"]
        if code == "ETAT":
            agents = min(calcul.resultat["agents_max"], nombre)
            parts.append(PartDessinee("État, prioritaires", nombre - agents, "garde"))
            parts.append(PartDessinee("Agents", agents, "garde"))
        else:
            parts.append(
                PartDessinee(
                    page.noms[code],
                    nombre,
                    "part-b" if code == "BAILLEUR" else "part",
                    _detail_de_part(calcul.resultat["lignes"].get(code, [])),
                )
            )
    return parts


def _detail_de_part(termes: Sequence[Mapping[str, str]]) -> str:
    points, base = _points(termes), base_des_termes(termes)
    if points is None or base is None:
        return ""
    return f"{taux_fr(points)} points de {_nombre(base)}"


def _note_de_l_etat(calcul: CalculFlux) -> str:
    part = next(p for p in calcul.resultat["repartition"] if p["reservataire"] == "ETAT")
    agents = min(calcul.resultat["agents_max"], part["objectif"])
    points = _points(calcul.resultat["lignes"].get("ETAT", []))
    if not part["objectif"]:
        return ""
    detail = f"{taux_fr(points)} points, " if points is not None else ""
    return typographier(
        f"État : {entier_fr(part['objectif'] - agents)} + {entier_fr(agents)} = {entier_fr(part['objectif'])} "
        f"({detail}arrondi par défaut)"
    )


# --- Two versions side by side --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    libelle: str
    avant: str
    apres: str
    ecart: int | None = None


def comparer(avant: CalculFlux, apres: CalculFlux, noms: Mapping[str, str]) -> dict[str, list[Difference]]:
    """What changed from one version to another: first what it was computed from, then the figures."""
    noms = dict(noms) | LIBELLES_PARTS
    return {
        "Ce qui a changé dans les entrées": _differences(_entrees_en_mots(avant), _entrees_en_mots(apres)),
        "Ce qui a changé dans les chiffres": [
            *_differences(_chiffres(avant.etapes), _chiffres(apres.etapes)),
            *_differences(_parts_en_mots(avant, noms), _parts_en_mots(apres, noms)),
        ],
    }


def _differences(avant: Mapping[str, str], apres: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(libelle, avant.get(libelle, "–"), apres.get(libelle, "–"), _ecart(avant, apres, libelle))
        for libelle in dict.fromkeys([*avant, *apres])
        if avant.get(libelle) != apres.get(libelle)
    ]


def _ecart(avant: Mapping[str, str], apres: Mapping[str, str], libelle: str) -> int | None:
    try:
        return _entier(apres.get(libelle, "0")) - _entier(avant.get(libelle, "0"))
    except ValueError:
        return None


def _entier(texte: str) -> int:
    return int(texte.replace("\u202f", "").replace("−", "-"))


def _entrees_en_mots(calcul: CalculFlux) -> dict[str, str]:
    entrees = calcul.entrees
    mots = {
        "RPLS": str(calcul.millesime or "aucun"),
        "Logements du parc": entier_fr(entrees["parc"]["logements"]),
        "Détail du parc": f"empreinte {entrees['parc']['empreinte'][:8]}",
        "Famille du bailleur": entrees["famille"],
    }
    if taux := entrees.get("taux_rotation"):
        mots["Taux de rotation"] = typographier(
            f"{rotation_fr(Fraction(taux['points']))} % ({OrigineTaux(taux['origine']).libelle})"
        )
    par_reservataire: dict[str, list[str]] = defaultdict(list)
    for acte in entrees["actes"]:
        par_reservataire[acte["reservataire"]].append(acte["libelle"])
    for code, libelles in par_reservataire.items():
        mots[f"Actes de {LIBELLES_PARTS.get(code, code)}"] = ", ".join(libelles)
    for code, nombre in entrees.get("soustractions", {}).items():
        mots[f"{Soustraction(code).libelle} (prévues)"] = entier_fr(nombre)
    for code, nombre in entrees["reports"].items():
        mots[f"Report, {LIBELLES_PARTS.get(code, code)}"] = entier_fr(nombre)
    if "liberations" in entrees:
        mots["Libérations lues"] = entier_fr(entrees["liberations"]["nombre"])
        mots["Imputations lues"] = entier_fr(entrees["imputations"]["nombre"])
    return mots


def _chiffres(etapes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {
        etape["libelle"]: etape["valeur"]
        for etape in etapes
        if etape["code"].startswith(("assiette.", "flux.")) and etape["valeur"]
    }


def _parts_en_mots(calcul: CalculFlux, noms: Mapping[str, str]) -> dict[str, str]:
    return {
        f"Part : {noms.get(ligne['reservataire'], ligne['reservataire'])}".replace(
            " :", "\u00a0:"
        ): entier_fr(ligne["objectif"])
        for ligne in calcul.resultat["repartition"]
    }
