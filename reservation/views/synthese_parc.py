"""What the pages of the parc say of one bailleur in one département: read from the aggregate, never from the lines.

Each figure carries the query string that gives its dwellings in the list, so that a number is always a link.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import QuerySet, Sum

from reservation.cascade import ETROIT, LARGE, Dessin, Etage, Retrait, dessiner
from reservation.filters import lister_classes
from reservation.models import (
    AgregatParc,
    ClasseFinancement,
    ClassePeriode,
    ClasseTypologie,
)
from reservation.regles import articles
from reservation.regles.statut import (
    MODES_LOUES_OU_PROPOSES,
    STATUTS_DANS,
    STATUTS_HORS,
    StatutLogement,
)
from reservation.regles.typographie import entier_fr, minuscule, typographier
from reservation.views.perimetre_parc import Parc

COMMUNES_MONTREES = 15


@dataclass(frozen=True)
class Ligne:
    """A line of the table of statuses."""

    libelle: str
    nombre: int
    origine: str
    article: str
    url: str = ""
    niveau: int = 0
    retranche: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "origine", typographier(self.origine))


@dataclass(frozen=True)
class LigneCroisee:
    """A line of a cross table: its label, its cells in the order of the columns, and its total."""

    libelle: str
    cellules: list[tuple[int, str]]
    total: int
    url: str


@dataclass(frozen=True)
class TableauCroise:
    colonnes: list[str]
    lignes: list[LigneCroisee]
    totaux: list[int]
    total: int


@dataclass(frozen=True)
class Synthese:
    """Everything that the page of a parc prints."""

    parc: Parc
    total: int
    assiette: int
    hors: int
    offerts: int
    lignes: list[Ligne]
    typologies: TableauCroise
    periodes: TableauCroise
    communes: TableauCroise
    communes_en_tout: int
    large: Dessin
    etroit: Dessin
    description: str
    exclusions: list[str] = field(default_factory=list)


def synthetiser(parc: Parc, toutes_les_communes: bool = False) -> Synthese:
    """Read the aggregate of `parc`; a fixed number of queries whatever its size."""
    par_statut, offerts = _compter_statuts(parc)
    total = sum(par_statut.values())
    assiette = sum(par_statut[s] for s in STATUTS_DANS)
    etages = _etages(parc, par_statut, offerts)
    communes = _par_commune(parc)
    montrees = communes.lignes if toutes_les_communes else communes.lignes[:COMMUNES_MONTREES]
    return Synthese(
        parc=parc,
        total=total,
        assiette=assiette,
        hors=total - assiette,
        offerts=offerts,
        lignes=_lignes(parc, par_statut, offerts),
        typologies=_typologie_par_financement(parc),
        periodes=_periode_par_qpv(parc),
        communes=TableauCroise(communes.colonnes, montrees, communes.totaux, communes.total),
        communes_en_tout=len(communes.lignes),
        large=dessiner(etages, LARGE),
        etroit=dessiner(etages, ETROIT),
        description=(
            f"Du parc de {entier_fr(total)} logements à l’assiette de {entier_fr(assiette)} logements, dont "
            f"{entier_fr(offerts)} loués ou proposés à la location. Les chiffres sont repris dans le tableau "
            "qui suit."
        ),
        exclusions=_exclusions_en_mots(parc),
    )


def _compter_statuts(parc: Parc) -> tuple[dict[StatutLogement, int], int]:
    """Dwellings by status, and those of the assiette that are let or on offer."""
    par_statut = dict.fromkeys(StatutLogement, 0)
    offerts = 0
    lignes = parc.agregat.order_by().values_list("statut", "mode").annotate(n=Sum("nombre"))
    for code, mode, nombre in lignes:
        statut = StatutLogement(code)
        par_statut[statut] += nombre
        if statut.dans_assiette and mode in MODES_LOUES_OU_PROPOSES:
            offerts += nombre
    return par_statut, offerts


def _etages(parc: Parc, par_statut: dict[StatutLogement, int], offerts: int) -> list[Etage]:
    total = sum(par_statut.values())
    assiette = sum(par_statut[s] for s in STATUTS_DANS)
    autres = assiette - offerts
    return [
        Etage(
            titre=f"1. Parc RPLS au 1er janvier {parc.millesime} : {entier_fr(total)} logements",
            total=total,
            garde=assiette,
            libelle_garde=f"Assiette : {entier_fr(assiette)}",
            titre_retraits=f"2. Hors de l’assiette, par raison : {entier_fr(assiette - total)}",
            retraits=[Retrait(s.libelle, par_statut[s]) for s in STATUTS_HORS],
            notes=["Chaque logement a un seul statut : la première raison qui s’applique l’emporte."],
        ),
        Etage(
            titre=f"3. Assiette : {entier_fr(assiette)} logements",
            total=assiette,
            garde=offerts,
            libelle_garde=f"Loués ou proposés à la location : {entier_fr(offerts)}",
            titre_retraits=f"Ni loués ni proposés : {entier_fr(-autres)}",
            notes=["Le taux de rotation s’applique à ces logements : la suite est sur la page du flux."],
            notes_retraits=[
                "Vides pour travaux, pris en charge ou occupés autrement (RPLS : MODE 3 et suivants)"
            ],
        ),
    ]


def _origine(statut: StatutLogement, parc: Parc) -> str:
    """Where the count of a status comes from, for this bailleur under this act."""
    exclusions = parc.exclusions
    sem = parc.bailleur.famille == "SEM"
    # What decides: the act, or what the law says where there is none.
    regle = "la convention" if parc.acte_etat else "la règle par défaut"
    match statut:
        case StatutLogement.CONVENTIONNE:
            return "RPLS : CONV 1" + (" (SEM comprises)" if sem else "")
        case StatutLogement.AVANT_1977:
            return "RPLS : CONV 2, FINAN 50 à 55 et 99"
        case StatutLogement.DECONVENTIONNE_L411_6:
            return "drapeau tenu par le bailleur"
        case StatutLogement.HORS_PARC:
            return "RPLS : SORTIEPATRIM 1 à 5, MODE 9"
        case StatutLogement.FOYER_RESIDENCE:
            if exclusions.residences_services:
                return "drapeaux tenus par le bailleur, résidences-services comprises"
            return "drapeaux tenus par le bailleur ; les résidences-services restent dans l’assiette"
        case StatutLogement.DEFENSE_SECURITE_SANTE:
            return "drapeaux tenus par le bailleur"
        case StatutLogement.SEM_NON_CONVENTIONNE:
            return "RPLS : CONV 2" if sem else "sans objet : ce bailleur n’est pas une SEM"
        case StatutLogement.PLI:
            return "RPLS : FINAN 16" if exclusions.pli else f"sans objet : {regle} garde les PLI"
        case StatutLogement.LOCALE:
            return "drapeaux tenus par le bailleur" if exclusions.locales else f"{regle} n’en prévoit pas"
        case StatutLogement.VENTE_DEMOLITION:
            if exclusions.vente_demolition:
                return "drapeaux tenus par le bailleur"
            return f"sans objet : {regle} les garde dans l’assiette"
        case StatutLogement.HORS_CHAMP:
            return "RPLS : CONV 2 et FINAN à partir de 1977"


def _lignes(parc: Parc, par_statut: dict[StatutLogement, int], offerts: int) -> list[Ligne]:
    """The table beside the drawing: parc, what goes out, the assiette and what it is made of, the base of rotation."""
    total = sum(par_statut.values())
    assiette = sum(par_statut[s] for s in STATUTS_DANS)
    autres = assiette - offerts

    def raison(statut: StatutLogement, retranche: bool) -> Ligne:
        nombre = par_statut[statut]
        url = parc.url_liste(statut=statut) if nombre else ""
        return Ligne(
            statut.libelle, nombre, _origine(statut, parc), statut.article, url, niveau=1, retranche=retranche
        )

    return [
        Ligne(
            f"1. Parc au 1er janvier {parc.millesime}",
            total,
            f"RPLS {parc.millesime}",
            articles.REPERTOIRE,
            parc.url_liste(),
        ),
        Ligne(
            "2. Hors de l’assiette",
            total - assiette,
            "la somme des raisons ; chaque logement n’en a qu’une",
            articles.ASSIETTE,
            parc.url_liste(statut="hors") if total > assiette else "",
            retranche=True,
        ),
        *(raison(statut, True) for statut in STATUTS_HORS),
        Ligne(
            "3. Assiette",
            assiette,
            f"{entier_fr(total)} − {entier_fr(total - assiette)}",
            articles.ASSIETTE,
            parc.url_liste(statut="dans"),
        ),
        *(raison(statut, False) for statut in STATUTS_DANS),
        Ligne(
            "Ni loués ni proposés à la location",
            autres,
            "RPLS : MODE 3, 4 et 5",
            "",
            parc.url_liste(statut="dans", occupation="autres") if autres else "",
            niveau=1,
            retranche=True,
        ),
        Ligne(
            "4. Loués ou proposés à la location",
            offerts,
            f"{entier_fr(assiette)} − {entier_fr(autres)}",
            "",
            parc.url_liste(statut="dans", occupation="offerts"),
        ),
    ]


def _croiser(
    comptes: dict[tuple[str, str], int],
    lignes: list[tuple[str, str]],
    colonnes: list[tuple[str, str]],
    url_ligne,
    url_cellule,
) -> TableauCroise:
    """Cross table of `comptes[(line code, column code)]`; `lignes` and `colonnes`: (code, label), in order.

    A code that no class names any more (edited classes, parc not recomputed yet) keeps its line: totals hold.
    """
    lignes = [*lignes, *((c, c) for c in sorted({c for c, _ in comptes} - {c for c, _ in lignes}))]
    colonnes = [*colonnes, *((c, c) for c in sorted({c for _, c in comptes} - {c for c, _ in colonnes}))]
    faites = []
    for code, libelle in lignes:
        cellules = [comptes.get((code, colonne), 0) for colonne, _ in colonnes]
        if not any(cellules):
            continue
        faites.append(
            LigneCroisee(
                libelle,
                [
                    (nombre, url_cellule(code, colonne) if nombre else "")
                    for nombre, (colonne, _) in zip(cellules, colonnes, strict=True)
                ],
                sum(cellules),
                url_ligne(code),
            )
        )
    totaux = [sum(ligne.cellules[rang][0] for ligne in faites) for rang in range(len(colonnes))]
    return TableauCroise([libelle for _, libelle in colonnes], faites, totaux, sum(totaux))


def _dans(parc: Parc) -> QuerySet[AgregatParc]:
    return parc.agregat.filter(statut__in=STATUTS_DANS).order_by()


def _typologie_par_financement(parc: Parc) -> TableauCroise:
    comptes = {
        (typologie, financement): n
        for typologie, financement, n in _dans(parc)
        .values_list("typologie", "financement")
        .annotate(n=Sum("nombre"))
    }
    return _croiser(
        comptes,
        lister_classes(ClasseTypologie),
        [(code, code) for code in ClasseFinancement.objects.values_list("code", flat=True)],
        lambda typologie: parc.url_liste(statut="dans", typologie=typologie),
        lambda typologie, financement: parc.url_liste(
            statut="dans", typologie=typologie, financement=financement
        ),
    )


def _periode_par_qpv(parc: Parc) -> TableauCroise:
    comptes = {
        (periode, "oui" if qpv else "non"): n
        for periode, qpv, n in _dans(parc).values_list("periode", "qpv").annotate(n=Sum("nombre"))
    }
    return _croiser(
        comptes,
        lister_classes(ClassePeriode),
        [("non", "Hors QPV"), ("oui", "En QPV")],
        lambda periode: parc.url_liste(statut="dans", periode=periode),
        lambda periode, qpv: parc.url_liste(statut="dans", periode=periode, qpv=qpv),
    )


def _par_commune(parc: Parc) -> TableauCroise:
    """Communes by size of their assiette; the columns are parts of it, and what is out."""
    comptes: dict[tuple[str, str], int] = defaultdict(int)
    noms: dict[str, str] = {}
    cles: dict[str, str] = {}
    lignes = (
        parc.agregat.order_by()
        .values_list("commune", "commune__nom", "commune__nom_tri", "qpv", "statut")
        .annotate(n=Sum("nombre"))
    )
    for commune, nom, cle, qpv, statut, nombre in lignes:
        dans = StatutLogement(statut).dans_assiette
        comptes[commune, ("oui" if qpv else "non") if dans else "hors"] += nombre
        noms[commune], cles[commune] = nom, cle
    ordre = sorted(noms, key=lambda c: (-comptes[c, "non"] - comptes[c, "oui"], cles[c], c))
    filtres = {
        "non": {"statut": "dans", "qpv": "non"},
        "oui": {"statut": "dans", "qpv": "oui"},
        "hors": {"statut": "hors"},
    }
    return _croiser(
        comptes,
        [(commune, noms[commune]) for commune in ordre],
        [("non", "Assiette hors QPV"), ("oui", "Assiette en QPV"), ("hors", "Hors de l’assiette")],
        lambda commune: parc.url_liste(commune=commune),
        lambda commune, colonne: parc.url_liste(commune=commune, **filtres[colonne]),
    )


def _exclusions_en_mots(parc: Parc) -> list[str]:
    """What the act of the year takes out of the assiette, in words."""
    exclusions = parc.exclusions
    mots = [
        (exclusions.pli, "les logements financés en PLI"),
        (exclusions.residences_services, "les résidences-services"),
        (exclusions.vente_demolition, "les plans de vente et les démolitions"),
        (bool(exclusions.locales), "des exclusions locales convenues avec le préfet"),
    ]
    return [minuscule(texte) for exclu, texte in mots if exclu]
