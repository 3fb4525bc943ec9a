"""What counts for the État in a year, line by line: a number of the tableau de bord and its lines are one and the same query.

The rules are those of the realised (`flux.regles.realise`): by the CALEOL or by the lease as the convention says, an agent
always by the lease and up to the ceiling, another household only with a logged reason.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from functools import reduce
from operator import or_

from django.db.models import Case, Count, F, Q, QuerySet, When

from flux.models import CalculFlux, Imputation, Nature
from flux.regles.imputation import Titre
from flux.services.cadres import Paire, charger_cadres
from flux.services.lecture import presences_visibles
from reservation.acteur import Acteur
from reservation.regles.actes import ETAT, FaitGenerateur


class Compte(StrEnum):
    """What a number of the État's line counts."""

    REALISE = "realise"
    HORS_QPV = "hors_qpv"
    AGENTS = "agents"
    GROUPE_1 = "groupe_1"
    GROUPE_2 = "groupe_2"
    GROUPE_3 = "groupe_3"
    AUTRES = "autres"
    SANS_MOTIF = "sans_motif"


LIBELLES = {
    Compte.REALISE: "comptées pour l’objectif de l’État",
    Compte.HORS_QPV: "comptées pour l’État, hors QPV",
    Compte.AGENTS: "agents de l’État, bail signé dans l’année",
    Compte.GROUPE_1: "groupe de priorité 1",
    Compte.GROUPE_2: "groupe de priorité 2",
    Compte.GROUPE_3: "groupe de priorité 3",
    Compte.AUTRES: "autres ménages, motif consigné",
    Compte.SANS_MOTIF: "autres ménages sans motif : ne comptent pas",
}
GROUPES = {
    Compte.GROUPE_1: Titre.PRIORITE_1,
    Compte.GROUPE_2: Titre.PRIORITE_2,
    Compte.GROUPE_3: Titre.PRIORITE_3,
}
AGENT = Q(detail=Titre.AGENT)
MOTIVEE = ~Q(detail=Titre.AUTRE) | ~Q(motif_hors_prioritaire="")


def paires_au_bail(paires: Collection[Paire], annee: int) -> frozenset[Paire]:
    """Those whose convention counts leases. A fixed number of queries."""
    cadres = charger_cadres(paires, annee)
    return frozenset(
        paire for paire, cadre in cadres.items() if cadre.regime.fait_generateur == FaitGenerateur.BAIL
    )


def _des_paires(paires: Iterable[Paire]) -> Q:
    return reduce(or_, (Q(bailleur=b, departement=d) for b, d in sorted(paires)), Q(pk__in=[]))


def dater(imputations: QuerySet[Imputation], au_bail: Collection[Paire]) -> QuerySet[Imputation]:
    """Those that meet an objective, each with `compte_le`: the day that makes it count, in its year."""
    return imputations.annotate(
        compte_le=Case(When(AGENT | _des_paires(au_bail), then=F("date_bail")), default=F("date_caleol"))
    ).filter(compte_le__year=F("annee"))


def filtre(compte: Compte) -> Q:
    """The lines of a number, among those that `dater` gives; agents over their ceiling are still there."""
    match compte:
        case Compte.REALISE:
            return MOTIVEE
        case Compte.HORS_QPV:
            return MOTIVEE & Q(qpv=False)
        case Compte.AGENTS:
            return AGENT
        case Compte.AUTRES:
            return Q(detail=Titre.AUTRE) & ~Q(motif_hors_prioritaire="")
        case Compte.SANS_MOTIF:
            return Q(detail=Titre.AUTRE, motif_hors_prioritaire="")
        case _:
            return Q(detail=GROUPES[compte])


def compter(lignes: QuerySet[Imputation]) -> dict[Paire, dict[Compte, int]]:
    """Each number of each pair, in one query; agents not yet held to their ceiling (see `plafonner`)."""
    return {
        (ligne["bailleur"], ligne["departement"]): {compte: ligne[f"n_{compte}"] for compte in Compte}
        for ligne in lignes.order_by()
        .values("bailleur", "departement")
        .annotate(**{f"n_{compte}": Count("pk", filter=filtre(compte)) for compte in Compte})
    }


def plafonds(calculs: Iterable[Mapping]) -> dict[Paire, int]:
    """Ceiling of the agents, as the calculation in force holds it: of the observed flux, else of the forecast one.

    `calculs`: rows with bailleur, departement, nature and agents (dwellings).
    """
    par_nature = sorted(calculs, key=lambda c: c["nature"] == Nature.DEFINITIF)
    return {(c["bailleur"], c["departement"]): c["agents"] for c in par_nature}


def plafonner(nombres: Mapping[Compte, int], plafond: int | None) -> int:
    """What counts for the objective: agents up to their ceiling, when there is one."""
    trop = 0 if plafond is None else max(0, nombres[Compte.AGENTS] - plafond)
    return nombres[Compte.REALISE] - trop


def _agents_en_trop(lignes: QuerySet[Imputation], limites: Mapping[Paire, int]) -> list[int]:
    """Those over the ceiling: the last leases of each pair."""
    vus: dict[Paire, int] = {}
    trop = []
    for pk, *paire in (
        lignes.filter(AGENT).order_by("date_bail", "pk").values_list("pk", "bailleur", "departement")
    ):
        cle = tuple(paire)
        vus[cle] = vus.get(cle, 0) + 1
        if cle in limites and vus[cle] > limites[cle]:
            trop.append(pk)
    return trop


def lignes_du_compte(
    acteur: Acteur, compte: Compte, annee: int, departement: str = "", bailleur: int | None = None
) -> QuerySet[Imputation]:
    """The lines behind a number of the tableau de bord, within the perimeter of `acteur`."""
    lieu = {"departement": departement} if departement else {}
    if bailleur is not None:
        lieu["bailleur"] = bailleur
    paires = set(presences_visibles(acteur).filter(**lieu).values_list("bailleur", "departement"))
    imputations = Imputation.objects.visibles_par(acteur).filter(annee=annee, **lieu)
    paires |= set(imputations.order_by().values_list("bailleur", "departement").distinct())
    lignes = dater(imputations.filter(titre=ETAT.code), paires_au_bail(paires, annee))
    if compte == Compte.REALISE:
        calculs = (
            CalculFlux.objects.visibles_par(acteur)
            .en_vigueur()
            .filter(annee=annee, **lieu)
            .values("bailleur", "departement", "nature", agents=F("resultat__agents_max"))
        )
        lignes = lignes.exclude(pk__in=_agents_en_trop(lignes, plafonds(calculs)))
    return lignes.filter(filtre(compte))
