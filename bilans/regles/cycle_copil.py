"""What the COPIL reads of a validated bilan: dwellings counted, and of the households only what cannot name one of them.

Taken from the frozen tree of the validated version. Objectives and flux are read by the COPIL anyway (chapter 2); what
is said of households (priority or not, title, refusals) is hidden under eleven, and where the totals would give it back.
"""

from dataclasses import dataclass
from datetime import date

from publics.regles.secret_statistique import masquer_tests

from .consolidation import REFUS, effectifs_des_menages, est_tu, lire_titres, masquer_menages
from .donnees import (
    BAILLEUR,
    Compte,
    DonneesBilan,
    FicheBailleur,
    Situation,
    Territoire,
)


@dataclass(frozen=True, slots=True)
class LigneCopil:
    """One réservataire: dwellings due and counted. `ecart`, `objectif` None for the bailleur, which owes itself nothing."""

    nom: str
    objectif: int | None
    realise: int
    ecart: int | None


@dataclass(frozen=True, slots=True)
class QuartCopil:
    """One contingent; both None when either side is under eleven."""

    nom: str
    attributions: int
    prioritaires: int | None
    manque: int | None


@dataclass(frozen=True, slots=True)
class CompteMasque:
    """Households under one heading; None: hidden."""

    libelle: str
    nombre: int | None


@dataclass(frozen=True, slots=True)
class BilanCopil:
    """`bilan_numero`, `bilan_empreinte`: what was validated, which this is taken from. `attributions` None: hidden."""

    annee: int
    departement: Territoire
    bailleur: FicheBailleur
    situation: Situation
    bilan_numero: str
    bilan_empreinte: str
    valide_le: date
    parc: int
    soumis: int
    liberations: int
    soustraits: int
    flux: int
    hors_qpv: int
    soustractions: tuple[Compte, ...]
    lignes: tuple[LigneCopil, ...]
    attributions: int | None
    quarts: tuple[QuartCopil, ...]
    etat: tuple[CompteMasque, ...]
    refus: int | None


def resumer(donnees: DonneesBilan, numero: str, marque: str, valide_le: date) -> BilanCopil:
    """The version of the COPIL of the validated tree `donnees`."""
    noms = {fiche.code: fiche.nom for fiche in donnees.reservataires}
    montrees = masquer_tests({q.code: (q.prioritaires, q.attributions) for q in donnees.quarts}).lignes
    tables = effectifs_des_menages(donnees)
    lieu = (donnees.departement.code,)
    seul = masquer_menages({nom: {lieu: lignes[()]} for nom, lignes in tables.items() if () in lignes})
    lus = {nom: lignes[lieu] for nom, lignes in seul.items()}
    titres = lire_titres(lus)
    return BilanCopil(
        annee=donnees.annee,
        departement=donnees.departement,
        bailleur=donnees.bailleur,
        situation=donnees.situation,
        bilan_numero=numero,
        bilan_empreinte=marque,
        valide_le=valide_le,
        parc=donnees.parc.total,
        soumis=donnees.parc.soumis,
        liberations=donnees.flux.liberations,
        soustraits=donnees.flux.soustraits,
        flux=donnees.flux.flux,
        hors_qpv=donnees.flux.hors_qpv,
        soustractions=tuple(
            Compte(s.code, s.libelle, s.realise, s.fondement) for s in donnees.flux.soustractions
        ),
        lignes=tuple(
            LigneCopil(
                "non réservés" if part.code == BAILLEUR else noms[part.code],
                None if part.code == BAILLEUR else part.objectif_total,
                part.realise,
                part.ecart,
            )
            for part in donnees.parts
        ),
        attributions=None if est_tu(lus, "attributions") else donnees.pont.attributions,
        quarts=tuple(
            QuartCopil(
                noms[q.code],
                q.attributions,
                q.prioritaires if q.code in montrees else None,
                q.manque if q.code in montrees else None,
            )
            for q in donnees.quarts
        ),
        etat=tuple(CompteMasque(ligne.libelle, titres[ligne.titre]) for ligne in donnees.etat),
        refus=lus[REFUS][REFUS],
    )
