"""What several chapters share: réservataires as columns and as names, sizes of the tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bilans.documents.modele import Cellule, points, texte
from bilans.regles.donnees import (
    BAILLEUR,
    CompteReservataire,
    ConventionLue,
    DonneesBilan,
    FicheReservataire,
    Part,
)
from reservation.documents.typographie import jour as jour_ecrit
from reservation.regles.typographie import taux_fr

# A table with two columns per réservataire holds six of them across a page.
COLONNES_RESERVATAIRES = 6
# WeasyPrint slows down on very long tables: the annex is a suite of bounded ones.
LIGNES_PAR_TABLEAU = 100
# A table of more rows may be cut between two pages; a shorter one is kept whole.
LIGNES_INSECABLES = 34
NATURES = {
    "ETAT": "État",
    "ALS": "ALS",
    "COLLECTIVITE": "Collectivités",
    "AUTRE": "Autres",
    "BAILLEUR": "Bailleur",
}


@dataclass(frozen=True, slots=True)
class Contingent:
    """A column of the cross tables: one réservataire, or all the collectivités together."""

    titre: str
    codes: frozenset[str]


def contingents(donnees: DonneesBilan) -> tuple[Contingent, ...]:
    """Columns of the cross tables: every réservataire, or the collectivités and the others grouped over six."""
    fiches = donnees.reservataires
    if len(fiches) <= COLONNES_RESERVATAIRES:
        return tuple(Contingent(fiche.sigle, frozenset({fiche.code})) for fiche in fiches)
    return par_nature(donnees)


def par_nature(donnees: DonneesBilan) -> tuple[Contingent, ...]:
    """État, ALS, all the collectivités, all the others, the bailleur; one alone keeps its name."""
    groupes = []
    for nature, titre in NATURES.items():
        siennes = [fiche for fiche in donnees.reservataires if fiche.nature == nature]
        if siennes:
            nom = siennes[0].sigle if len(siennes) == 1 else titre
            groupes.append(Contingent(nom, frozenset(fiche.code for fiche in siennes)))
    return tuple(groupes)


def compter_par_contingent(
    comptes: Iterable[CompteReservataire], colonnes: Sequence[Contingent]
) -> tuple[int, ...]:
    par_code = {compte.reservataire: compte.nombre for compte in comptes}
    return tuple(sum(par_code.get(code_, 0) for code_ in colonne.codes) for colonne in colonnes)


def regroupes(donnees: DonneesBilan) -> tuple[FicheReservataire, ...]:
    """Réservataires that have no column of their own, in order: their figures are in a second table."""
    seuls = {c for contingent in contingents(donnees) if len(contingent.codes) == 1 for c in contingent.codes}
    return tuple(fiche for fiche in donnees.reservataires if fiche.code not in seuls)


def actes_de(donnees: DonneesBilan, reservataire: str) -> tuple[ConventionLue, ...]:
    return tuple(acte for acte in donnees.conventions if acte.reservataire == reservataire)


def nommer_actes(actes: Sequence[ConventionLue]) -> str:
    """ "convention n° 84-2025-07 du 12 juin 2025, avenant 1 du 3 mars 2025" """
    noms = []
    precedent = None
    for acte in actes:
        avenant = f"avenant {acte.rang} du {jour_ecrit(acte.effet)}" if acte.rang else ""
        if acte.numero == precedent:
            noms.append(avenant)
        else:
            noms.append(f"{acte.nature} n° {acte.numero} du {jour_ecrit(acte.signee_le)}")
            if avenant:
                noms.append(avenant)
        precedent = acte.numero
    return ", ".join(nom for nom in noms if nom)


def cellule_taux(part: Part) -> Cellule:
    """The net rate of the year; the successive ones when it changed."""
    if part.code == BAILLEUR:
        return texte("reste", "second")
    nets = list(dict.fromkeys(periode.net for periode in part.taux))
    if len(nets) <= 1:
        return points(nets[0] if nets else None)
    return texte(" puis ".join(taux_fr(Fraction(net)) for net in nets), "plie")
