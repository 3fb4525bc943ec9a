"""Counts what the atterrissage of a point d'étape rests on: the past years to the same day, and what waits."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection

from bilans.regles.atterrissage import (
    AnneePassee,
    Compte,
    mesurer,
    phrase_besoin,
    phrase_methode,
    phrase_projection,
    projeter,
    repartir_hors_qpv,
)
from bilans.regles.donnees import ETAT, Atterrissage, DonneesBilan
from reservation.regles.typographie import decimales

# Years that are compared: those whose flux was observed here, the last three.
ANNEES = 3

# The libérations of the flux as the convention of this year counts them, in each year up to the same day, and in all.
SAISONS = """
SELECT extract(year FROM l.date)::int, count(*) FILTER (WHERE to_char(l.date, 'MMDD') <= %(quantieme)s), count(*)
FROM flux_liberation l
JOIN unnest(%(usages)s::text[], %(premieres)s::boolean[]) AS u(usage, premiere) USING (usage, premiere)
WHERE l.bailleur_id = %(bailleur)s AND l.departement_id = %(departement)s
  AND l.annulee_le IS NULL AND l.dans_assiette
  AND l.date BETWEEN make_date(%(annee)s - %(annees)s, 1, 1) AND %(fin)s
  AND (extract(year FROM l.date)::int = %(annee)s OR EXISTS (
      SELECT 1 FROM flux_calculflux c WHERE c.bailleur_id = l.bailleur_id AND c.departement_id = l.departement_id
      AND c.annee = extract(year FROM l.date)::int AND c.nature = 'DEFINITIF' AND c.en_vigueur))
GROUP BY 1
"""
# What is freed or announced and counts for nobody yet: of this year or the year before, no attribution of the year.
ATTENTES = """
SELECT l.reservataire_id, l.qpv, count(*)
FROM flux_liberation l
JOIN unnest(%(usages)s::text[], %(premieres)s::boolean[]) AS u(usage, premiere) USING (usage, premiere)
WHERE l.bailleur_id = %(bailleur)s AND l.departement_id = %(departement)s
  AND l.annulee_le IS NULL AND l.dans_assiette AND l.designation_echouee_le IS NULL
  AND l.date BETWEEN make_date(%(annee)s - 1, 1, 1) AND %(fin)s
  AND NOT EXISTS (SELECT 1 FROM flux_attribution a WHERE a.liberation_id = l.id AND a.refusee_le IS NULL)
  AND NOT EXISTS (SELECT 1 FROM flux_imputation i WHERE i.liberation_id = l.id AND i.annee = %(annee)s)
GROUP BY 1, 2
"""


def atterrir(donnees: DonneesBilan, parametres: Mapping[str, Any], codes: Mapping[int, str]) -> Atterrissage:
    """The atterrissage of the year of `donnees`, as of its day.

    `parametres`: those of the queries of the bilan; `codes`: organisation → code of réservataire.
    """
    jour = donnees.situation.donnees_au
    parametres = {**parametres, "quantieme": f"{jour:%m%d}", "annees": ANNEES}
    with connection.cursor() as curseur:
        curseur.execute(SAISONS, parametres)
        saisons = {annee: (a_date, total) for annee, a_date, total in curseur}
        curseur.execute(ATTENTES, parametres)
        attentes = Counter()
        for organisation, qpv, nombre in curseur:
            attentes[codes.get(organisation, "") if organisation else None, qpv] += nombre
    observe = saisons.pop(donnees.annee, (0, 0))[0]
    projection = projeter(jour, observe, [AnneePassee(an, *comptes) for an, comptes in saisons.items()])
    connu = donnees.flux.flux
    a_venir = max(0, projection.central - connu)
    libres = attentes[None, True] + attentes[None, False]
    etat, hors = _comptes(donnees, attentes[ETAT, True], attentes[ETAT, False])
    besoin = mesurer(a_venir, libres, etat, hors, repartir_hors_qpv(a_venir, connu, donnees.flux.hors_qpv))
    return Atterrissage(
        jour=jour,
        observe=observe,
        connu=connu,
        central=max(connu, projection.central),
        bas=None if projection.bas is None else max(connu, projection.bas),
        haut=None if projection.haut is None else max(connu, projection.haut),
        erreur=None if projection.erreur is None else Decimal(decimales(projection.erreur * 100, 1)),
        annees=projection.annees,
        nombre=besoin.nombre,
        sur=besoin.sur,
        hors_qpv=besoin.hors_qpv,
        insuffisants=besoin.insuffisants,
        besoin=phrase_besoin(besoin),
        projection=phrase_projection(projection),
        methode=phrase_methode(projection),
    )


def _comptes(donnees: DonneesBilan, orientes_qpv: int, orientes_hors: int) -> tuple[Compte, Compte | None]:
    """What the État's objective and its floor outside QPV have, and what each dwelling to come adds to them."""
    part = donnees.part(ETAT)
    taux = Fraction(part.taux[-1].net) / 100 if part.taux else Fraction(0)
    # Where the lease is what counts, an attribution without it is on its way as well.
    en_cours = max(0, part.attributions - part.baux) if donnees.regime.au_bail else 0
    etat = Compte(
        Fraction(part.exacte), taux, part.report, part.realise, orientes_qpv + orientes_hors + en_cours
    )
    if donnees.hors_qpv.objectif is None or donnees.regime.plancher_hors_qpv is None:
        return etat, None
    plancher = min(Fraction(donnees.regime.plancher_hors_qpv) / 100, taux)
    # Exact while one rate holds all year; else the whole dwellings of the calculation.
    base = plancher * donnees.flux.hors_qpv if len(part.taux) == 1 else Fraction(donnees.hors_qpv.objectif)
    return etat, Compte(base, plancher, 0, donnees.hors_qpv.etat, orientes_hors)
