"""The contingent of a réservataire as files: what its home page shows, line by line."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from bilans.exports_indicateurs import MASQUE
from bilans.services.contingents import Contingent, LigneContingent
from reservation.exports import Colonne, Format
from reservation.regles.typographie import decimal_fr, taux_fr


class LigneRefus(NamedTuple):
    qui: str
    motif: str
    nombre: int


class LignePublics(NamedTuple):
    departement: str
    attributions: int
    prioritaires: int
    manque: int
    dalo: int | None
    autres: int | None
    salaries: int | None
    demandeurs: int | None
    sans_emploi: int | None


def _points(ligne: LigneContingent, champ: str) -> str:
    """Points of each rate of the year: one, or several when it changes."""
    return ", puis ".join(dict.fromkeys(taux_fr(getattr(t, champ)) for t in ligne.taux))


def _exact(valeur: Decimal | None) -> str | None:
    return None if valeur is None else decimal_fr(valeur)


COLONNES_BAILLEURS: Sequence[Colonne] = (
    Colonne("Département", lambda li: li.departement),
    Colonne("Bailleur", lambda li: li.bailleur.nom, largeur=30),
    Colonne("Flux retenu", lambda li: li.nature.lower(), largeur=14),
    Colonne("Taux de l’acte (points)", lambda li: _points(li, "acte")),
    Colonne("Rétrocession (points)", lambda li: _points(li, "retrocede")),
    Colonne("Flux sur lequel porte la part", lambda li: _exact(li.flux)),
    Colonne("Part exacte", lambda li: _exact(li.part.exacte if li.part else None)),
    Colonne("dont rétrocédée par l’État", lambda li: _exact(li.part.retrocedee if li.part else None)),
    Colonne("Objectif", lambda li: li.objectif, Format.ENTIER),
    Colonne("dont report", lambda li: li.report, Format.ENTIER),
    Colonne("Orientés", lambda li: li.orientes.nombre, Format.ENTIER),
    Colonne("Attribués", lambda li: li.attributions.nombre, Format.ENTIER),
    Colonne("Baux signés", lambda li: li.baux.nombre, Format.ENTIER),
    Colonne("Réalisé", lambda li: li.realise, Format.ENTIER),
    Colonne("Écart à l’objectif", lambda li: li.ecart, Format.ENTIER),
    Colonne("Attributions à des prioritaires", lambda li: li.prioritaires.nombre, Format.ENTIER),
    Colonne("Restent pour le quart", lambda li: li.manque, Format.ENTIER),
    Colonne("Refus de la CALEOL", lambda li: li.refus_caleol.nombre, Format.ENTIER),
    Colonne("Refus des ménages", lambda li: li.refus_menages.nombre, Format.ENTIER),
    Colonne("Bilan reçu", lambda li: f"version {li.recu.version}" if li.recu else "", largeur=14),
)
COLONNES_PUBLICS: Sequence[Colonne] = (
    Colonne("Département", lambda li: li.departement),
    Colonne("Attributions", lambda li: li.attributions, Format.ENTIER),
    Colonne("Prioritaires", lambda li: li.prioritaires, Format.ENTIER),
    Colonne("Restent pour le quart", lambda li: li.manque, Format.ENTIER),
)
COLONNES_PUBLICS_ALS: Sequence[Colonne] = (
    *COLONNES_PUBLICS,
    Colonne("dont DALO", lambda li: li.dalo, Format.ENTIER),
    Colonne("dont autres prioritaires", lambda li: li.autres, Format.ENTIER),
    Colonne("Secret statistique (DALO)", lambda li: MASQUE if li.dalo is None else ""),
    Colonne("Prioritaires salariés", lambda li: li.salaries, Format.ENTIER),
    Colonne("Prioritaires demandeurs d’emploi", lambda li: li.demandeurs, Format.ENTIER),
    Colonne("Labellisés hors emploi, non comptés", lambda li: li.sans_emploi, Format.ENTIER),
)
COLONNES_REFUS: Sequence[Colonne] = (
    Colonne("Qui refuse", lambda li: li.qui, largeur=24),
    Colonne("Motif", lambda li: li.motif, largeur=48),
    Colonne("Nombre", lambda li: li.nombre, Format.ENTIER),
)


def lignes_des_bailleurs(lu: Contingent) -> Iterable[LigneContingent]:
    return lu.lignes


def lignes_des_publics(lu: Contingent) -> Iterable[LignePublics]:
    for departement in lu.departements:
        q, p = departement.quart, departement.publics
        yield LignePublics(
            departement.code,
            q.attributions.nombre if q else 0,
            q.prioritaires.nombre if q else 0,
            q.manque if q else 0,
            p.dalo if p else None,
            p.autres_prioritaires if p else None,
            p.salaries.nombre if p else None,
            p.demandeurs.nombre if p else None,
            p.sans_emploi if p else None,
        )


def lignes_des_refus(lu: Contingent) -> Iterable[LigneRefus]:
    for qui, details in (("Commission (CALEOL)", lu.refus_caleol), ("Ménage", lu.refus_menages)):
        for detail in details:
            if not detail.total:
                yield LigneRefus(qui, detail.libelle, detail.chiffre.nombre)
