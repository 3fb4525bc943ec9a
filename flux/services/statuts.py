"""Keeps the status of freed dwellings right when the acts or the flags of their year change."""

from collections.abc import Collection
from datetime import date

from django.db import connection

from reservation.regles.statut import statut_logement

from .cadres import Paire, charger_cadres, colonnes

# A freed dwelling has the facts copied when it was declared; mode, exit and flags are those of the dwelling in the
# millésime of its year. A dwelling that RPLS does not know yet is let and still in the parc.
MODE_LOUE, SORTIE_AUCUNE = "1", "9"

LOGEMENTS = """
WITH p AS (SELECT * FROM unnest(%(bailleurs)s::bigint[], %(departements)s::text[]) AS p(bailleur_id, departement_id)),
etat AS (
    SELECT DISTINCT ON (e.bailleur_id, e.departement_id) e.bailleur_id, e.departement_id, e.millesime
    FROM p JOIN reservation_etatparc e USING (bailleur_id, departement_id)
    WHERE e.millesime <= %(annee)s
    ORDER BY e.bailleur_id, e.departement_id, e.millesime DESC
), faits AS (
    SELECT l.id, l.bailleur_id, l.departement_id, l.finan, l.conv, coalesce(g.mode, %(mode)s) AS mode,
           coalesce(g.sortie, %(sortie)s) AS sortie, coalesce(array_to_string(g.drapeaux, ','), '') AS drapeaux,
           l.statut_logement
    FROM p JOIN flux_liberation l USING (bailleur_id, departement_id)
    LEFT JOIN etat USING (bailleur_id, departement_id)
    LEFT JOIN reservation_logement g
           ON (g.bailleur_id, g.millesime, g.cle) = (l.bailleur_id, etat.millesime, l.cle_logement)
    WHERE l.date BETWEEN %(debut)s AND %(fin)s
      -- What was submitted keeps the statuses it was submitted with, until its lines are open again.
      AND NOT EXISTS (
          SELECT FROM flux_gelexercice f
          WHERE (f.bailleur_id, f.departement_id, f.annee) = (l.bailleur_id, l.departement_id, %(annee)s)
            AND NOT 'LIBERATIONS' = ANY (f.ouvertes))
)
"""
PROFILS = (
    LOGEMENTS + "SELECT DISTINCT bailleur_id, departement_id, finan, conv, mode, sortie, drapeaux FROM faits"
)
METTRE_A_JOUR = (
    LOGEMENTS
    + """
UPDATE flux_liberation l SET statut_logement = n.statut, dans_assiette = n.dans
FROM unnest(%(b)s::bigint[], %(d)s::text[], %(f)s::text[], %(c)s::text[], %(m)s::text[], %(s)s::text[], %(x)s::text[],
            %(statuts)s::text[], %(dans)s::boolean[])
     AS n(bailleur_id, departement_id, finan, conv, mode, sortie, drapeaux, statut, dans)
JOIN faits USING (bailleur_id, departement_id, finan, conv, mode, sortie, drapeaux)
WHERE l.id = faits.id AND faits.statut_logement <> n.statut
"""
)


def reevaluer_statuts(paires: Collection[Paire], annee: int) -> int:
    """Apply the rule again to the libérations of `annee`: one verdict per distinct profile, one statement to write.

    Those of a closed year are left alone. Returns how many changed.
    """
    cadres = charger_cadres(paires, annee)
    bailleurs, departements = colonnes(paires)
    parametres = {
        "bailleurs": bailleurs,
        "departements": departements,
        "annee": annee,
        "debut": date(annee, 1, 1),
        "fin": date(annee, 12, 31),
        "mode": MODE_LOUE,
        "sortie": SORTIE_AUCUNE,
    }
    with connection.cursor() as curseur:
        curseur.execute(PROFILS, parametres)
        profils = curseur.fetchall()
        statuts = [
            statut_logement(
                finan,
                conv,
                mode,
                sortie,
                frozenset(filter(None, drapeaux.split(","))),
                cadres[bailleur, departement].famille,
                cadres[bailleur, departement].regime.exclusions,
            )
            for bailleur, departement, finan, conv, mode, sortie, drapeaux in profils
        ]
        listes = [list(c) for c in zip(*profils, strict=True)] if profils else [[] for _ in "bdfcmsx"]
        curseur.execute(
            METTRE_A_JOUR,
            parametres
            | dict(zip("bdfcmsx", listes, strict=True))
            | {"statuts": [s.value for s in statuts], "dans": [s.dans_assiette for s in statuts]},
        )
        return curseur.rowcount
