"""The indicators of the priority households: what each counts, over which days, and what of it may be shown.

PACA, article 5: seven indicators "à partir des données disponibles dans SYPLO et dans le SNE"; here they are counted from
the same rows as the bilan, for each contingent. The 6 % of the regional strategy is PACA's preamble.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from publics.regles.groupes import TypeLabel
from reservation.regles.periodes import Periode, annee_civile

SIX_POUR_CENT = Fraction(6, 100)
# "Sortants d'hébergement et personnes à la rue". A household lodged by somebody (L. 441-1, k) is neither.
SORTANTS = frozenset(
    {TypeLabel.BPI, TypeLabel.HEBERGEMENT, TypeLabel.SANS_ABRI, TypeLabel.L441_1_B, TypeLabel.L441_1_D}
)

# Part of the year → (first month, last month); "" is the whole of it.
PERIODES = {
    "": (1, 12),
    "S1": (1, 6),
    "S2": (7, 12),
    "T1": (1, 3),
    "T2": (4, 6),
    "T3": (7, 9),
    "T4": (10, 12),
}
LIBELLES_PERIODE = {
    "": "année entière",
    "S1": "premier semestre",
    "S2": "second semestre",
    "T1": "janvier à mars",
    "T2": "avril à juin",
    "T3": "juillet à septembre",
    "T4": "octobre à décembre",
}


def jours_de(annee: int, periode: str) -> Periode:
    """First and last day of a part of the year; `KeyError` when there is no such part."""
    premier, dernier = PERIODES[periode]
    if dernier == 12:
        return Periode(date(annee, premier, 1), annee_civile(annee).fin)
    return Periode(date(annee, premier, 1), date.fromordinal(date(annee, dernier + 1, 1).toordinal() - 1))


class Source(StrEnum):
    """Where a figure is read."""

    PASSAGES = "candidatures des commissions closes"
    ATTRIBUTIONS = "décisions d’attribution"
    IMPUTATIONS = "imputations : une par logement attribué, celle du bilan"
    LABELS = "labels valables le jour de la CALEOL"


@dataclass(frozen=True, slots=True)
class Definition:
    """One of the seven indicators, in the order and the words of PACA, article 5."""

    code: str
    titre: str
    definition: str
    source: Source


INDICATEURS = (
    Definition(
        "decisions",
        "Décisions CALEOL",
        "Décisions prises, d’une seule des cinq sortes de l’article R. 441-3, par date de commission.",
        Source.PASSAGES,
    ),
    Definition(
        "dossiers",
        "Dossiers présentés en CALEOL",
        "Candidatures examinées : un ménage présenté pour deux logements compte deux fois.",
        Source.PASSAGES,
    ),
    Definition(
        "refus_caleol",
        "Refus CALEOL, par motif",
        "Non-attributions et irrecevabilités, par motif de la commission.",
        Source.PASSAGES,
    ),
    Definition(
        "refus_menages",
        "Refus des attributaires, par motif",
        "Attributions de la période que le ménage a refusées, silence et pièces manquantes compris, par motif.",
        Source.ATTRIBUTIONS,
    ),
    Definition(
        "baux",
        "Baux signés",
        "Baux signés dans la période, quelle que soit la date de la CALEOL.",
        Source.IMPUTATIONS,
    ),
    Definition(
        "priorite",
        "Ménage prioritaire ou non, et motif de priorité",
        "Attributions de la période selon le titre sous lequel elles comptent ; pour Action Logement Services, un ménage "
        "prioritaire est salarié ou demandeur d’emploi. Un ménage qui a plusieurs labels compte sous celui du meilleur "
        "groupe, le DALO d’abord.",
        Source.LABELS,
    ),
    Definition(
        "dalo",
        "Ménage DALO ou non",
        "Attributions de la période à un ménage dont le label DALO était valable, ou admis par exception.",
        Source.LABELS,
    ),
)
