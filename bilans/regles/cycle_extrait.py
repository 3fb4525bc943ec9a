"""What a réservataire receives of a bilan: its own contingent and nothing of the others' (chapter 2).

Taken from the frozen tree of the bilan, never from live data. The soustractions of the year are told to every
réservataire (R. 441-5, I); the flux of the whole département to those that read it (Action Logement). A household is
"prioritaire" or not: neither its group, nor the ground of its label, nor anything that leads to a person.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from .cycle_copil import BilanCopil
from .donnees import (
    Classe,
    Compte,
    ControleQuart,
    ConventionLue,
    DonneesBilan,
    FicheBailleur,
    FicheReservataire,
    Part,
    Situation,
    Suite,
    Territoire,
    en_json,
)


@dataclass(frozen=True, slots=True)
class LigneExtrait:
    """One attribution on its contingent. `prioritaire`: yes or no."""

    date_caleol: date
    logement: str
    commune: str
    qpv: bool
    typologie: str
    financement: str
    prioritaire: bool
    date_bail: date | None
    refusee_le: date | None


@dataclass(frozen=True, slots=True)
class CelluleExtrait:
    """Dwellings of one class: proposed to this réservataire, attributed on its contingent."""

    classe: str
    proposes: int
    attribues: int


@dataclass(frozen=True, slots=True)
class CroiseExtrait:
    """Proposed and attributed to this réservataire, by one dimension; `classes` are those where it has something."""

    dimension: str
    titre: str
    classes: tuple[Classe, ...]
    cellules: tuple[CelluleExtrait, ...]


@dataclass(frozen=True, slots=True)
class ExtraitBilan:
    """One réservataire's version. `bilan`: number and fingerprint of what was submitted, which this is taken from.

    `flux` None for those that do not read the flux of the whole département.
    """

    annee: int
    departement: Territoire
    bailleur: FicheBailleur
    situation: Situation
    bilan_numero: str
    bilan_empreinte: str
    soumis_le: date
    reservataire: FicheReservataire
    conventions: tuple[ConventionLue, ...]
    flux: int | None
    soustractions: tuple[Compte, ...]
    part: Part
    quart: ControleQuart | None
    suite: Suite | None
    prononcees: int
    refus: tuple[Compte, ...]
    croises: tuple[CroiseExtrait, ...]
    lignes: tuple[LigneExtrait, ...]


def extraire(
    donnees: DonneesBilan, code: str, numero: str, marque: str, soumis_le: date, *, flux_entier: bool
) -> ExtraitBilan:
    """The version of the réservataire `code`, which must have a part in the bilan (`StopIteration` otherwise)."""
    return ExtraitBilan(
        annee=donnees.annee,
        departement=donnees.departement,
        bailleur=donnees.bailleur,
        situation=donnees.situation,
        bilan_numero=numero,
        bilan_empreinte=marque,
        soumis_le=soumis_le,
        reservataire=donnees.reservataire(code),
        conventions=tuple(c for c in donnees.conventions if c.reservataire == code),
        flux=donnees.flux.flux if flux_entier else None,
        soustractions=tuple(
            Compte(s.code, s.libelle, s.realise, s.fondement) for s in donnees.flux.soustractions
        ),
        part=donnees.part(code),
        quart=next((q for q in donnees.quarts if q.code == code), None),
        suite=next((s for s in donnees.suites if s.code == code), None),
        prononcees=sum(c.nombre for c in donnees.caleol.prononcees if c.reservataire == code),
        refus=tuple(
            Compte(refus.code, refus.libelle, nombre)
            for refus in donnees.caleol.refus_menages
            if (nombre := sum(c.nombre for c in refus.par_contingent if c.reservataire == code))
        ),
        croises=tuple(_croise(croise, code) for croise in donnees.croises),
        lignes=tuple(
            LigneExtrait(
                x.date_caleol,
                x.logement,
                x.commune,
                x.qpv,
                x.typologie,
                x.financement,
                x.prioritaire,
                x.date_bail,
                x.refusee_le,
            )
            for x in donnees.attributions
            if x.contingent == code
        ),
    )


def _croise(croise, code: str) -> CroiseExtrait:
    siennes = {
        c.classe: CelluleExtrait(c.classe, c.proposes, c.attribues)
        for c in croise.cellules
        if c.reservataire == code and (c.proposes or c.attribues)
    }
    classes = tuple(classe for classe in croise.classes if classe.code in siennes)
    return CroiseExtrait(
        croise.dimension, croise.titre, classes, tuple(siennes[classe.code] for classe in classes)
    )


def empreinte_extrait(extrait: ExtraitBilan | BilanCopil) -> str:
    """SHA-256 of its canonical writing, as that of a bilan."""
    texte = json.dumps(en_json(extrait), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(texte.encode()).hexdigest()
