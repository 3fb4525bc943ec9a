"""The candidates that fit a dwelling among 100 000 labelled households of a département, against a bare statement.

The bare statement ranks the same households by the same three numbers and keeps the same fifty: no recommendation of a
COMED, no renewals, no reason why somebody is not free. Both go through the same row-level security.
"""

from datetime import date
from types import SimpleNamespace

from .mesure import Contexte, Mesure, chrono, mediane, nombre_fr

BASES = ("vide",)
MENAGES = 100_000
PASSES = 7

REMPLIR = """
WITH menages AS (
    INSERT INTO publics_menage (departement_id, numero_hache, numero_fin, cle_numero)
    SELECT '06', lpad(n::text, 64, '0'), lpad((n %% 10000)::text, 4, '0'), '' FROM generate_series(1, %(nombre)s) AS n
    RETURNING id
), labels AS (
    INSERT INTO publics_labellisation (departement_id, menage_id, categorie_id, manuelle, debut, secteur, tailles)
    SELECT '06', m.id, c.code, m.id %% 3 > 0, DATE '2023-01-01' + (m.id %% 900)::int,
           CASE WHEN c.code = 'DALO' AND m.id %% 2 = 0 THEN ARRAY['06029', '06004'] ELSE '{}'::varchar[] END, '{}'
    FROM menages m JOIN LATERAL (
        SELECT code FROM publics_categorielabel ORDER BY (hashtext(code) + m.id) %% 21, code LIMIT 1 + (m.id %% 2)::int
    ) c ON true
    RETURNING 1
)
INSERT INTO publics_demandemenage (departement_id, menage_id, secteur, tailles, modifiee_le)
SELECT '06', id, CASE WHEN id %% 4 = 0 THEN ARRAY['06088'] ELSE '{}'::varchar[] END,
       CASE WHEN id %% 2 = 0 THEN ARRAY['T3'] ELSE ARRAY['T2', 'T3'] END, now()
FROM menages
"""
NU = """
SELECT e.menage_id, min(ARRAY[c.groupe_defaut, (NOT e.manuelle)::int, e.debut - DATE '0001-01-01']) AS cle
FROM publics_labellisation e
JOIN publics_categorielabel c ON c.code = e.categorie_id
LEFT JOIN publics_demandemenage d ON d.menage_id = e.menage_id
WHERE e.departement_id = '06' AND e.debut <= %(jour)s AND (e.fin IS NULL OR e.fin >= %(jour)s)
  AND (d.secteur IS NULL OR d.secteur = '{}' OR '06029' = ANY(d.secteur))
  AND (d.tailles IS NULL OR d.tailles = '{}' OR 'T3' = ANY(d.tailles))
GROUP BY e.menage_id ORDER BY cle, e.menage_id LIMIT 50
"""


def mesurer(contexte: Contexte) -> list[Mesure]:
    """Ratio of the first page to the bare statement; nothing is kept of the households."""
    from django.db import connection, transaction

    from flux.services.candidats_possibles import candidats_possibles
    from reservation.acteur import Acteur
    from reservation.perimetre import agir

    nombre = 2_000 if contexte.rapide else MENAGES
    acteur, jour = Acteur.du_systeme("mesure"), date(2026, 6, 1)
    designation = SimpleNamespace(
        departement_id="06", liberation=SimpleNamespace(pk=0, commune_id="06029", typologie="T3")
    )
    notres, nus = [], []
    with agir(acteur), transaction.atomic():
        with connection.cursor() as curseur:
            curseur.execute(REMPLIR, {"nombre": nombre})
            curseur.execute("ANALYZE publics_menage, publics_labellisation, publics_demandemenage")
        for _ in range(PASSES):
            with chrono() as duree:
                lus = candidats_possibles(acteur, designation, jour)
            notres.append(duree.secondes)
            with chrono() as duree, connection.cursor() as curseur:
                curseur.execute(NU, {"jour": jour})
                nue = curseur.fetchall()
            nus.append(duree.secondes)
            assert len(lus.candidats) == len(nue) == 50
        transaction.set_rollback(True)
    total, nu = mediane(notres), mediane(nus)
    return [
        Mesure(
            "candidats_possibles",
            f"Candidats possibles parmi {nombre_fr(nombre, 0)} ménages ÷ SQL nu",
            total / nu,
            3.0,
            f"{nombre_fr(1000 * total, 0)} ms pour {nombre_fr(1000 * nu, 0)} ms ; {nombre_fr(lus.total, 0)} conviennent",
        )
    ]
