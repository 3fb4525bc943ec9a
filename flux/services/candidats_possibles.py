"""Labelled households that fit a freed dwelling, in the order of the département: a help to designate, never a choice.

One query whatever the number of households: labels valid today, their rank, what fits, the page, and why a household of the
page is not free. Who reads them (chapter 2): the DDETS on its contingent, every labelled household of the département; a
bailleur that designates by delegation and ALS on their dwellings, only the households that are theirs already (candidates
of their own, labels that they entered); nobody else, for a yes or a no is all that the others may read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection

from flux.models import Candidat, Designation, Liberation
from flux.services import designations
from publics.models import Menage
from publics.regles.groupes import SEUL_C, Critere, Label, Rang, classer
from publics.services.reglages import Reglage, reglage_le
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Commune, VersionConvention
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr

from .actes import exiger

OUVERTES = (Designation.Etat.EN_ATTENTE, Designation.Etat.PROPOSEE)


@dataclass(frozen=True, slots=True)
class CandidatPossible:
    """`rang`: where it stands and why; `occupe`: why it is not free, "" when it is."""

    menage: int
    numero: str
    position: int
    rang: Rang
    occupe: str


@dataclass(frozen=True, slots=True)
class CandidatsPossibles:
    """One page. `total`: all that fit; `reglage`: the order of the département that day."""

    candidats: tuple[CandidatPossible, ...]
    total: int
    reglage: Reglage


def designation_lisible(acteur: Acteur, liberation: Liberation) -> Designation | None:
    """The running designation of a dwelling whose possible candidates `acteur` may read; None: no such list for it."""
    designation = (
        Designation.objects.visibles_par(acteur)
        .vivantes()
        .filter(liberation=liberation, etat__in=OUVERTES, liberation__annulee_le=None)
        .select_related("reservataire", "bailleur")
        .first()
    )
    if designation is None:
        return None
    if acteur.est_bailleur:
        lit = designation.gestion == VersionConvention.Gestion.DELEGUEE
    else:
        lit = designation.reservataire_id == acteur.organisation_id and (
            acteur.est_ddets or acteur.type_organisation == TypeOrganisation.ACTION_LOGEMENT
        )
    return designation if lit else None


def candidats_possibles(
    acteur: Acteur, designation: Designation, jour: date, *, debut: int = 0, nombre: int = 50
) -> CandidatsPossibles:
    """The households of ranks `debut` + 1 to `debut` + `nombre`. The caller has checked `designation_lisible`."""
    reglage = reglage_le(designation.departement_id, jour)
    lignes = _lire(acteur, designation, reglage, jour, debut=debut, nombre=nombre)
    candidats = tuple(
        CandidatPossible(
            menage,
            f"…{fin}",
            debut + place,
            _lisible(acteur, _rang(labels, jour, reglage)),
            _occupation(ici, json.loads(occupations)),
        )
        for place, (menage, fin, _, labels, ici, occupations) in enumerate(lignes, 1)
    )
    return CandidatsPossibles(candidats, lignes[0][2] if lignes else 0, reglage)


def proposer_possible(acteur: Acteur, designation: Designation, menage: int, jour: date) -> Candidat:
    """Propose one household of the list, as if its numéro unique had been typed: one act of one person, one household.

    `PermissionDenied` when it is not in the list of this actor; a French sentence when it is not free any more.
    """
    reglage = reglage_le(designation.departement_id, jour)
    lignes = _lire(acteur, designation, reglage, jour, menage=menage)
    if not lignes:
        raise PermissionDenied("Ce ménage ne fait pas partie des candidats possibles pour ce logement.")
    [(_, _, _, _, ici, occupations)] = lignes
    occupe = _occupation(ici, json.loads(occupations))
    exiger(not occupe, f"Ce ménage n’est pas libre : {occupe}.")
    return designations.proposer_menage(acteur, designation, menage=Menage.objects.get(pk=menage), date=jour)


def _rang(labels: str, jour: date, reglage: Reglage) -> Rang:
    """The rank of a household by the rule: the query gives the order, the rule the reasons."""
    lus = [
        Label(
            categorie,
            date.fromisoformat(debut),
            fin and date.fromisoformat(fin),
            False,
            manuel,
            date.fromisoformat(depuis),
        )
        for categorie, debut, fin, manuel, depuis in json.loads(labels)
    ]
    return classer(lus, jour, reglage.groupes, reglage.criteres)


def _lisible(acteur: Acteur, rang: Rang) -> Rang:
    """The reasons without the ground of a label, for those who may not read it."""
    if acteur.systeme or acteur.est_ddets or not rang.seul_c:
        return rang
    raisons = tuple(
        "classé en dernier, selon la convention" if raison.startswith("classé en dernier") else raison
        for raison in rang.raisons
    )
    return replace(rang, raisons=raisons)


def _occupation(ici: str | None, occupations: Sequence[tuple[str, str]]) -> str:
    """Why a household is not free: the first reason that holds, in the order of the query."""
    if ici:
        return f"déjà proposé pour ce logement, le {date_fr(date.fromisoformat(ici))}"
    for nature, jour in occupations:
        return f"{OCCUPATIONS[nature]} {date_fr(date.fromisoformat(jour))}"
    return ""


OCCUPATIONS = {
    "1": "logement attribué le",
    "2": "proposé pour un autre logement le",
    "3": "inscrit à la commission du",
}

# Position of a label in the order of the département, one number a criterion, the smaller first; the criterion that bears
# on the whole household is known once its labels are together.
CRITERES: Mapping[str, str] = {
    Critere.SEUL_C: "0",
    Critere.GROUPE: "g.groupe",
    Critere.MANUEL: "(NOT e.manuelle)::int",
    Critere.ANCIENNETE: "coalesce(a.depuis, e.debut) - DATE '0001-01-01'",
}
# Households that ask for another place, for another size. Sub-queries without any column of the others: hashed once,
# where a join would look each household up, for the planner cannot see through row-level security how many there are.
AILLEURS = """
SELECT d.menage_id FROM publics_demandemenage d
WHERE d.departement_id = %(departement)s AND d.secteur <> '{}' AND NOT d.secteur::text[] && %(lieux)s::text[]
"""
AUTRE_TAILLE = """
SELECT d.menage_id FROM publics_demandemenage d
WHERE d.departement_id = %(departement)s AND d.tailles <> '{}' AND NOT %(typologie)s = ANY(d.tailles)
"""
REQUETE = """
WITH RECURSIVE chaine AS (
    SELECT e.id, e.renouvelle_id, e.debut FROM publics_labellisation e
    WHERE e.departement_id = %(departement)s AND e.renouvelle_id IS NOT NULL
      AND e.debut <= %(jour)s AND (e.fin IS NULL OR e.fin >= %(jour)s)
    UNION ALL
    SELECT c.id, p.renouvelle_id, p.debut FROM chaine c JOIN publics_labellisation p ON p.id = c.renouvelle_id
), anciens AS (
    SELECT id, min(debut) AS depuis FROM chaine GROUP BY id
), valides AS (
    SELECT e.menage_id, e.categorie_id = %(seul_c)s AS c, e.debut, ARRAY[{cle}] AS cle,
           CASE WHEN e.categorie_id = 'DALO' THEN
               (e.secteur = '{{}}' OR e.secteur::text[] && %(lieux)s::text[])
               AND CASE WHEN e.tailles <> '{{}}' THEN %(typologie)s = ANY(e.tailles)
                   ELSE NOT (e.menage_id IN ({autre_taille})) END
           END AS dalo,
           NOT (e.menage_id IN ({ailleurs})) AND NOT (e.menage_id IN ({autre_taille})) AS demande
    FROM publics_labellisation e
    JOIN unnest(%(categories)s::text[], %(groupes)s::int[]) AS g(code, groupe) ON g.code = e.categorie_id
    LEFT JOIN anciens a ON a.id = e.id
    WHERE e.departement_id = %(departement)s AND e.debut <= %(jour)s AND (e.fin IS NULL OR e.fin >= %(jour)s)
      {perimetre}
), menages AS (
    SELECT menage_id, min(cle) AS cle, bool_and(c) AS seul_c, min(debut) AS debut
    FROM valides GROUP BY menage_id
    HAVING CASE WHEN count(dalo) > 0 THEN bool_or(dalo) ELSE bool_and(demande) END
), places AS (
    SELECT n.menage_id, n.debut, n.seul_c, n.cle, count(*) OVER () AS total
    FROM menages n
    WHERE n.menage_id NOT IN (SELECT m.id FROM publics_menage m WHERE m.efface_le IS NOT NULL)
    ORDER BY {ordre}, n.menage_id
    LIMIT %(nombre)s OFFSET %(saut)s
)
SELECT p.menage_id, (SELECT m.numero_fin FROM publics_menage m WHERE m.id = p.menage_id), p.total,
    (SELECT jsonb_agg(jsonb_build_array(e.categorie_id, e.debut, e.fin, e.manuelle, coalesce(a.depuis, e.debut))
                      ORDER BY e.debut, e.id)
     FROM publics_labellisation e LEFT JOIN anciens a ON a.id = e.id
     WHERE e.menage_id = p.menage_id AND e.departement_id = %(departement)s
       AND e.debut <= %(jour)s AND (e.fin IS NULL OR e.fin >= %(jour)s))::text,
    (SELECT k.propose_le::text FROM flux_candidat k
     WHERE k.menage_id = p.menage_id AND k.liberation_id = %(liberation)s LIMIT 1),
    (SELECT coalesce(jsonb_agg(jsonb_build_array(o.nature, o.jour) ORDER BY o.nature, o.jour DESC), '[]')
     FROM (
        SELECT '1' AS nature, t.date_caleol AS jour FROM flux_attribution t
        JOIN flux_liberation l ON l.id = t.liberation_id
        WHERE t.menage_id = p.menage_id AND t.refusee_le IS NULL AND t.date_caleol >= p.debut {du_sien_t}
        UNION ALL
        SELECT '2', k.propose_le FROM flux_candidat k
        JOIN flux_designation s ON s.id = k.designation_id AND s.etat = 'PROPOSEE'
        JOIN flux_liberation l ON l.id = k.liberation_id AND l.annulee_le IS NULL
        WHERE k.menage_id = p.menage_id AND k.liberation_id <> %(liberation)s {du_sien_k}
          AND NOT EXISTS (SELECT FROM flux_attribution t WHERE t.liberation_id = l.id AND t.refusee_le IS NULL)
          AND NOT EXISTS (SELECT FROM flux_passage r WHERE r.liberation_id = l.id AND r.menage_id = k.menage_id
                          AND r.definitif AND r.decision IN ('NON_ATTR', 'IRRECEV'))
        UNION ALL
        SELECT '3', s.date FROM flux_passage r
        JOIN flux_commission s ON s.id = r.commission_id AND s.etat IN ('PREPARATION', 'CONVOQUEE')
        JOIN flux_liberation l ON l.id = r.liberation_id
        WHERE r.menage_id = p.menage_id AND r.decision = '' AND r.liberation_id <> %(liberation)s {du_sien_r}
     ) o)::text
FROM places p ORDER BY {ordre_p}, p.menage_id
"""
# The households that are an actor's own already: its candidates, before a commission or in one; the labels it entered.
DU_BAILLEUR = """
AND (e.saisie_par_id = %(organisation)s
     OR EXISTS (SELECT FROM flux_passage x WHERE x.menage_id = e.menage_id AND x.bailleur_id = %(organisation)s)
     OR EXISTS (SELECT FROM flux_candidat x WHERE x.menage_id = e.menage_id AND x.bailleur_id = %(organisation)s))
"""
DU_RESERVATAIRE = """
AND (e.saisie_par_id = %(organisation)s
     OR EXISTS (SELECT FROM flux_candidat x WHERE x.menage_id = e.menage_id AND x.reservataire_id = %(organisation)s)
     OR EXISTS (SELECT FROM flux_passage x JOIN flux_liberation l ON l.id = x.liberation_id
                WHERE x.menage_id = e.menage_id AND l.reservataire_id = %(organisation)s))
"""


def _perimetre(acteur: Acteur) -> dict[str, str]:
    """What bounds the query to what the actor may know of, households and what became of them."""
    if acteur.systeme or acteur.est_ddets:
        return {"perimetre": "", "du_sien_t": "", "du_sien_k": "", "du_sien_r": ""}
    colonne = "bailleur_id" if acteur.est_bailleur else "reservataire_id"
    sien = f"AND l.{colonne} = %(organisation)s"
    return {
        "perimetre": DU_BAILLEUR if acteur.est_bailleur else DU_RESERVATAIRE,
        "du_sien_t": sien,
        "du_sien_k": sien,
        "du_sien_r": sien,
    }


def _ordre(criteres: Sequence[str], table: str) -> str:
    """The criteria of the département, first to last, as ORDER BY has them."""
    rangs = []
    for position, critere in enumerate(criteres, 1):
        rangs.append(f"{table}.seul_c" if critere == Critere.SEUL_C else f"{table}.cle[{position}]")
    return ", ".join(rangs)


@agir(Acteur.du_systeme("candidats possibles"))
def _lire(
    acteur: Acteur,
    designation: Designation,
    reglage: Reglage,
    jour: date,
    *,
    debut: int = 0,
    nombre: int = 1,
    menage: int | None = None,
) -> list[tuple[Any, ...]]:
    """Rows of `REQUETE`. A label is ranked for somebody who may not read it: the perimeter is in the query."""
    liberation = designation.liberation
    commune = Commune.objects.only("code", "epci").get(pk=liberation.commune_id)
    bornes = _perimetre(acteur)
    if menage is not None:
        bornes["perimetre"] += " AND e.menage_id = %(menage)s"
    requete = REQUETE.format(
        cle=", ".join(CRITERES[critere] for critere in reglage.criteres),
        ordre=_ordre(reglage.criteres, "n"),
        ordre_p=_ordre(reglage.criteres, "p"),
        ailleurs=AILLEURS,
        autre_taille=AUTRE_TAILLE,
        **bornes,
    )
    with connection.cursor() as curseur:
        curseur.execute(
            requete,
            {
                "departement": designation.departement_id,
                "jour": jour,
                "seul_c": str(SEUL_C),
                "lieux": [code for code in (commune.pk, commune.epci_id) if code],
                "typologie": liberation.typologie,
                "categories": list(reglage.groupes),
                "groupes": list(reglage.groupes.values()),
                "liberation": liberation.pk,
                "organisation": acteur.organisation_id,
                "menage": menage,
                "nombre": nombre,
                "saut": debut,
            },
        )
        return curseur.fetchall()
