"""Status and classes of the dwellings, and the aggregate that every screen reads: set-based, one pair at a time.

The rule is asked once per distinct profile (a parc of a million dwellings has a few hundred), the answers are
joined back. The same functions serve the import, which computes them before the COPY, and `recalculer_parc`,
which brings lines already there up to date.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from reservation.models import (
    AgregatParc,
    ClasseFinancement,
    ClassePeriode,
    ClasseTypologie,
    Drapeau,
    EtatParc,
    ImportRpls,
    Logement,
    Organisation,
)
from reservation.models.parc import CLASSE_NON_RENSEIGNEE, CodeDrapeau
from reservation.regles.actes import regime_de_l_annee
from reservation.regles.statut import Exclusions, statut_logement
from reservation.services.conventions import actes_par_paire
from reservation.signaux import entrees_modifiees

from .verrous import verrouiller_bailleurs

Paire = tuple[int, str]
PIECES_MAX = 99
ANNEES = range(1000, 2101)
# The answer "ordinary" to the question of TYPECONST E: it closes a question, it changes no status.
SANS_EFFET = frozenset({CodeDrapeau.ORDINAIRE.value})


@dataclass(frozen=True)
class Classes:
    """The classes of the bilan (reference data), as lookups of a dwelling's values."""

    typologies: Sequence[ClasseTypologie]
    periodes: Sequence[ClassePeriode]
    financements: Sequence[ClasseFinancement]

    @classmethod
    def lire(cls) -> "Classes":
        return cls(
            list(ClasseTypologie.objects.order_by("rang")),
            list(ClassePeriode.objects.order_by("rang")),
            list(ClasseFinancement.objects.order_by("rang")),
        )

    @cached_property
    def typologie_par_pieces(self) -> dict[int, str]:
        return {
            pieces: classe.code
            for classe in reversed(self.typologies)
            for pieces in range(classe.pieces_min, (classe.pieces_max or PIECES_MAX) + 1)
        }

    @cached_property
    def periode_par_annee(self) -> dict[int, str]:
        return {
            annee: classe.code
            for classe in reversed(self.periodes)
            for annee in range(classe.annee_min or ANNEES[0], (classe.annee_max or ANNEES[-1]) + 1)
        }

    @cached_property
    def _financements_nommes(self) -> dict[str, str]:
        return {finan: classe.code for classe in self.financements for finan in classe.finans}

    @cached_property
    def financement_par_defaut(self) -> str:
        return next((c.code for c in self.financements if c.par_defaut), CLASSE_NON_RENSEIGNEE)

    def financement(self, finan: str, conv: str) -> str:
        """Class of a (FINAN, CONV) pair: the pair first, then FINAN alone, then the default class."""
        nommes = self._financements_nommes
        return nommes.get(f"{finan}/{conv}") or nommes.get(finan) or self.financement_par_defaut


class Statuts:
    """The rule under the act that governs the year of a millésime, pair by pair; the law's defaults without any."""

    def __init__(self, familles: Mapping[int, str], exclusions: Mapping[Paire, Exclusions]):
        self.familles = familles
        self.exclusions = exclusions

    @classmethod
    def lire(cls, millesime: int, familles: Mapping[int, str], paires: Collection[Paire]) -> "Statuts":
        """`familles`: bailleur → family. Acts of the civil year of the millésime, a constant number of queries."""
        actes = actes_par_paire(millesime, paires=paires)
        return cls(
            familles,
            {paire: regime_de_l_annee(actes.get(paire, []), millesime).exclusions for paire in paires},
        )

    def statut(
        self, paire: Paire, finan: str, conv: str, mode: str, sortie: str, drapeaux: Iterable[str]
    ) -> str:
        return statut_logement(
            finan=finan,
            conv=conv,
            mode=mode,
            sortie=sortie,
            drapeaux=frozenset(drapeaux) - SANS_EFFET,
            famille=self.familles[paire[0]],
            exclusions=self.exclusions.get(paire) or Exclusions(),
        ).value


def familles_de(bailleurs: Iterable[int]) -> dict[int, str]:
    """Bailleur → family (OPH, ESH, COOP, SEM, AUTRE): what the rule of the status asks."""
    return dict(Organisation.objects.filter(pk__in=set(bailleurs)).order_by().values_list("pk", "famille"))


# --- Bringing lines up to date --------------------------------------------------------------------------------------

_PAIRES = "unnest(%(bailleurs)s::bigint[], %(departements)s::text[]) AS p(bailleur_id, departement_id)"
# Lines of the pairs: by the bailleurs, whom the index knows, then by the pairs.
_LIGNES = f"{{table}} l JOIN {_PAIRES} USING (bailleur_id, departement_id)"
_PARMI = "l.bailleur_id = ANY(%(bailleurs)s) AND l.millesime = ANY(%(millesimes)s)"
_LOGEMENT, _AGREGAT, _ETAT = (m._meta.db_table for m in (Logement, AgregatParc, EtatParc))
_LIGNES = _LIGNES.format(table=_LOGEMENT)

_POSER_LES_DRAPEAUX = f"""
WITH actifs AS (
    SELECT d.bailleur_id, d.departement_id, d.portee, d.cible, d.code
    FROM {Drapeau._meta.db_table} d JOIN {_PAIRES} USING (bailleur_id, departement_id)
    WHERE d.retire_le IS NULL
), poses AS (
    SELECT l.id, a.code FROM {_LOGEMENT} l
    JOIN actifs a ON a.portee = 'LOGEMENT' AND (a.bailleur_id, a.departement_id, a.cible)
        = (l.bailleur_id, l.departement_id, l.cle)
    WHERE {_PARMI}
    UNION
    SELECT l.id, a.code FROM {_LOGEMENT} l
    JOIN actifs a ON a.portee = 'PROGRAMME' AND (a.bailleur_id, a.departement_id, a.cible)
        = (l.bailleur_id, l.departement_id, l.programme)
    WHERE l.programme <> '' AND {_PARMI}
), voulus AS (
    SELECT l.id, coalesce(array_agg(poses.code ORDER BY poses.code) FILTER (WHERE poses.code IS NOT NULL), '{{}}')
        AS drapeaux
    FROM {_LIGNES} LEFT JOIN poses USING (id)
    WHERE {_PARMI}
    GROUP BY l.id
)
UPDATE {_LOGEMENT} l SET drapeaux = voulus.drapeaux FROM voulus
WHERE l.id = voulus.id AND l.drapeaux IS DISTINCT FROM voulus.drapeaux
"""

_CLASSER = f"""
UPDATE {_LOGEMENT} l
SET typologie = v.typologie, financement = v.financement, periode = v.periode
FROM (
    SELECT l.id, coalesce(t.code, %(inconnue)s) AS typologie, f.code AS financement,
           coalesce(a.code, %(inconnue)s) AS periode
    FROM {_LIGNES}
    LEFT JOIN unnest(%(pieces)s::int[], %(typologies)s::text[]) AS t(pieces, code) ON t.pieces = l.nbpiece
    LEFT JOIN unnest(%(annees)s::int[], %(periodes)s::text[]) AS a(annee, code)
        ON a.annee = coalesce(l.construct, l.locat)
    JOIN unnest(%(finans)s::text[], %(convs)s::text[], %(financements)s::text[]) AS f(finan, conv, code)
        ON f.finan = l.finan AND f.conv = l.conv
    WHERE {_PARMI}
) v
WHERE l.id = v.id AND (l.typologie, l.financement, l.periode) IS DISTINCT FROM (v.typologie, v.financement, v.periode)
"""

_PROFILS = f"""
SELECT l.bailleur_id, l.departement_id, l.millesime, l.finan, l.conv, l.mode, l.sortie, l.drapeaux, l.statut
FROM {_LIGNES}
WHERE {_PARMI}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""

_CHANGER_LES_STATUTS = f"""
UPDATE {_LOGEMENT} l SET statut = v.statut
FROM unnest(%(b)s::bigint[], %(d)s::text[], %(m)s::int[], %(finan)s::text[], %(conv)s::text[], %(mode)s::text[],
            %(sortie)s::text[], %(drapeaux)s::text[], %(avant)s::text[], %(statut)s::text[])
    AS v(bailleur_id, departement_id, millesime, finan, conv, mode, sortie, drapeaux, avant, statut)
WHERE l.bailleur_id = v.bailleur_id AND l.departement_id = v.departement_id AND l.millesime = v.millesime
  AND l.finan = v.finan AND l.conv = v.conv AND l.mode = v.mode AND l.sortie = v.sortie
  AND l.drapeaux = v.drapeaux::varchar[] AND l.statut = v.avant
"""


@contextmanager
def plan_par_hachage(curseur) -> Iterator[None]:
    """Hash joins and hash aggregates only, in memory, for the statements of the block; in a transaction.

    The lines have just been written by COPY: no statistics tell the planner how many there are, it guesses one per
    pair, loops over the pairs and sorts the whole parc by fifteen columns, five times slower.
    """
    reglages = {
        "enable_nestloop": "off",
        "enable_sort": "off",
        "enable_mergejoin": "off",
        "work_mem": "'256MB'",
    }
    curseur.execute("; ".join(f"SET LOCAL {nom} = {valeur}" for nom, valeur in reglages.items()))
    yield
    curseur.execute("; ".join(f"SET LOCAL {nom} TO DEFAULT" for nom in reglages))


def mettre_a_jour_les_lignes(paires: Collection[Paire], millesimes: Collection[int]) -> int:
    """Flags, classes and statuses of the lines of `paires`; return the number of lines whose status changed."""
    classes = Classes.lire()
    finans = list(
        Logement.objects.filter(millesime__in=millesimes, bailleur__in={b for b, _ in paires})
        .order_by()
        .values_list("finan", "conv")
        .distinct()
    )
    parametres = _parametres(paires) | {
        "millesimes": sorted(millesimes),
        "inconnue": CLASSE_NON_RENSEIGNEE,
        "pieces": list(classes.typologie_par_pieces),
        "typologies": list(classes.typologie_par_pieces.values()),
        "annees": list(classes.periode_par_annee),
        "periodes": list(classes.periode_par_annee.values()),
        "finans": [finan for finan, _ in finans],
        "convs": [conv for _, conv in finans],
        "financements": [classes.financement(finan, conv) for finan, conv in finans],
    }
    familles = familles_de(b for b, _ in paires)
    regles = {millesime: Statuts.lire(millesime, familles, paires) for millesime in millesimes}
    with connection.cursor() as curseur, plan_par_hachage(curseur):
        curseur.execute(_POSER_LES_DRAPEAUX, parametres)
        curseur.execute(_CLASSER, parametres)
        curseur.execute(_PROFILS, parametres)
        changes = []
        for bailleur, departement, millesime, *profil, drapeaux, avant in curseur.fetchall():
            statut = regles[millesime].statut((bailleur, departement), *profil, drapeaux)
            if statut != avant:
                texte = "{" + ",".join(drapeaux) + "}"
                changes.append((bailleur, departement, millesime, *profil, texte, avant, statut))
        if not changes:
            return 0
        noms = ("b", "d", "m", "finan", "conv", "mode", "sortie", "drapeaux", "avant", "statut")
        curseur.execute(
            _CHANGER_LES_STATUTS, dict(zip(noms, map(list, zip(*changes, strict=True)), strict=True))
        )
        return curseur.rowcount


# --- The aggregate ----------------------------------------------------------------------------------------------------

# By the bailleurs first, whom the index knows: joined by hashing, the pairs alone would read the whole country.
_VIDER_L_AGREGAT = f"""
DELETE FROM {_AGREGAT} a USING {_PAIRES}
WHERE (a.bailleur_id, a.departement_id) = (p.bailleur_id, p.departement_id) AND a.millesime = ANY(%(millesimes)s)
  AND a.bailleur_id = ANY(%(bailleurs)s)
"""

# Mobility of the year before (domain, chapter 4): leases signed since, on what was already on offer before it. An
# open file says neither occupation nor lease: its dwellings count in none of the two, so that no rate comes of them.
# In order, so that the rows of a pair lie together on the disk: the job reads them twice as fast as scattered ones.
_REMPLIR_L_AGREGAT = f"""
INSERT INTO {_AGREGAT} (bailleur_id, departement_id, millesime, commune_id, qpv, typologie, financement, periode,
                        finan, conv, mode, sortie, typeconst, drapeaux, statut, nombre, anciens, emmenages)
SELECT bailleur_id, departement_id, millesime, commune_id, qpv, typologie, financement, periode,
       finan, conv, mode, sortie, typeconst, drapeaux, statut, count(*),
       count(*) FILTER (WHERE mode IN ('1', '2') AND locat < millesime - 1 AND import_rpls_id <> ALL(%(ouverts)s)),
       count(*) FILTER (WHERE mode IN ('1', '2') AND locat < millesime - 1
                        AND bail >= make_date(millesime - 1, 1, 1))
FROM {_LIGNES}
WHERE {_PARMI}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
ORDER BY 1, 2, 3, 4
"""

_DIRE_L_ETAT = f"""
INSERT INTO {_ETAT} AS e (bailleur_id, departement_id, millesime, logements, import_rpls_id, revision, calcule_le)
SELECT p.bailleur_id, p.departement_id, m.millesime, coalesce(sum(a.nombre), 0), %(import)s, 1, %(maintenant)s
FROM {_PAIRES} CROSS JOIN unnest(%(millesimes)s::int[]) AS m(millesime)
LEFT JOIN (
    SELECT bailleur_id, departement_id, millesime, nombre FROM {_AGREGAT} WHERE bailleur_id = ANY(%(bailleurs)s)
) a USING (bailleur_id, departement_id, millesime)
GROUP BY 1, 2, 3
ON CONFLICT (bailleur_id, departement_id, millesime) DO UPDATE SET
    logements = excluded.logements, revision = e.revision + 1, calcule_le = excluded.calcule_le,
    import_rpls_id = coalesce(%(import)s, e.import_rpls_id)
"""

_REDIRE_L_ETAT = f"""
UPDATE {_ETAT} e SET revision = e.revision + 1, calcule_le = %(maintenant)s
FROM {_PAIRES}
WHERE (e.bailleur_id, e.departement_id) = (p.bailleur_id, p.departement_id) AND e.millesime = ANY(%(millesimes)s)
"""


def rafraichir_l_agregat(
    paires: Collection[Paire],
    millesimes: Collection[int],
    import_rpls: ImportRpls | None = None,
    remplir: Callable[[CursorWrapper], None] | None = None,
) -> None:
    """Count the lines of `paires` again; `import_rpls`: the import that has just written them.

    `remplir`: adds the rows of the aggregate, for who has counted these lines already.
    """
    parametres = _parametres(paires) | {
        "millesimes": sorted(millesimes),
        "maintenant": timezone.now(),
        "import": import_rpls.pk if import_rpls else None,
        "ouverts": list(
            ImportRpls.objects.filter(
                famille=ImportRpls.Famille.OUVERT, millesime__in=millesimes
            ).values_list("pk", flat=True)
        ),
    }
    with connection.cursor() as curseur, plan_par_hachage(curseur):
        curseur.execute(_VIDER_L_AGREGAT, parametres)
        if remplir is None:
            curseur.execute(_REMPLIR_L_AGREGAT, parametres)
        else:
            remplir(curseur)
        curseur.execute(_DIRE_L_ETAT if import_rpls else _REDIRE_L_ETAT, parametres)


def _parametres(paires: Collection[Paire]) -> dict:
    ordonnees = sorted(paires)
    return {"bailleurs": [b for b, _ in ordonnees], "departements": [d for _, d in ordonnees]}


def recalculer_parc(paires: Collection[Paire], millesime: int | None = None, *, raison: str) -> int:
    """Bring statuses, classes and aggregate of (bailleur id, département code) pairs up to date.

    To be called after a change of flags or classes, in its transaction or out of any. `millesime`: that one only;
    by default every millésime loaded, since a flag or a class bears on all of them. `raison`: French sentence for
    the history of the calculations that follow. Returns the number of dwellings whose status changed. The lines
    of other pairs are not read.
    """
    with transaction.atomic():
        concernees, millesimes, changes = _recalculer(paires, millesime, millesime)
        if concernees:
            entrees_modifiees.send(sender=Logement, paires=concernees, annee=min(millesimes), raison=raison)
    return changes


def sur_acte_modifie(sender, paires: Collection[Paire], annee: int | None, **_signal) -> None:
    """Receiver of `entrees_modifiees` from the conventions: the act of a year decides the statuses of its millésime.

    Sends nothing itself: the change of the act has just been told to everybody.
    """
    _recalculer(paires, annee, None)


def _recalculer(
    paires: Collection[Paire], depuis: int | None, jusqu_a: int | None
) -> tuple[set[Paire], set[int], int]:
    """(pairs that have a parc, millésimes, dwellings whose status changed)."""
    paires = set(paires)
    with transaction.atomic():
        verrouiller_bailleurs(b for b, _ in paires)
        etats = EtatParc.objects.filter(bailleur__in={b for b, _ in paires}).order_by()
        if depuis is not None:
            etats = etats.filter(millesime__gte=depuis)
        if jusqu_a is not None:
            etats = etats.filter(millesime__lte=jusqu_a)
        charges = [
            (bailleur, departement, millesime)
            for bailleur, departement, millesime in etats.values_list("bailleur", "departement", "millesime")
            if (bailleur, departement) in paires
        ]
        concernees, millesimes = {(b, d) for b, d, _ in charges}, {m for _, _, m in charges}
        if not concernees:
            return set(), set(), 0
        changes = mettre_a_jour_les_lignes(concernees, millesimes)
        rafraichir_l_agregat(concernees, millesimes)
        return concernees, millesimes, changes
