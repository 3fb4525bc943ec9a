"""The queue of the job: who is to be computed again, in the database, and what a worker does with it.

A change writes a row here in its own transaction (`marquer_a_calculer`); once it is committed a task empties the
queue of the département (`traiter`). Nothing else remembers work to do: a lost message, a killed worker or a
stopped broker lose nothing, the rows are still there for the next one.

    change → row (one per pair and year, its mark rises) → task → batch: locks, inputs, versions, rows deleted
    only if their mark is the one read → progress of the requests that wait.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from flux.models import CalculAFaire, CalculFlux, EtapeRecalcul, Nature, Recalcul
from reservation.acteur import Acteur
from reservation.memoire import sans_ramasse_miettes
from reservation.models import Departement, Organisation, Presence, Region
from reservation.perimetre import agir
from reservation.regles.typographie import typographier

from .cadres import Paire, colonnes
from .calculs import Calculs, calculer_lot, natures_de, verrouiller_libres
from .imputations import imputer
from .statuts import reevaluer_statuts

journal = logging.getLogger(__name__)

TAILLE_DU_LOT = 200
PAIRES_PAR_TACHE = 100
LONGUEUR_RAISON = 200


# --- Asking -------------------------------------------------------------------------------------------------


MARQUER = """
INSERT INTO flux_calculafaire AS f (bailleur_id, departement_id, annee, marque, imputer, raison, erreur, depuis)
SELECT p.bailleur_id, p.departement_id, a.annee, 1, %(imputer)s, %(raison)s, '', %(depuis)s
FROM unnest(%(bailleurs)s::bigint[], %(departements)s::text[]) AS p(bailleur_id, departement_id)
CROSS JOIN unnest(%(annees)s::int[]) AS a(annee)
JOIN reservation_organisation o ON o.id = p.bailleur_id
-- The flux of a bailleur that was absorbed ends with the year before.
WHERE o.fermee_le IS NULL OR a.annee < extract(year FROM o.fermee_le)
ORDER BY p.bailleur_id, p.departement_id, a.annee
ON CONFLICT (bailleur_id, departement_id, annee) DO UPDATE SET
    marque = f.marque + 1,
    imputer = f.imputer OR EXCLUDED.imputer,
    raison = CASE WHEN f.erreur <> '' OR position(EXCLUDED.raison IN f.raison) > 0 THEN EXCLUDED.raison
                  ELSE left(f.raison || %(puis)s || EXCLUDED.raison, %(longueur)s) END,
    depuis = CASE WHEN f.erreur <> '' THEN EXCLUDED.depuis ELSE f.depuis END,
    erreur = ''
"""


@agir(Acteur.du_systeme("file de calcul"))
def marquer_a_calculer(
    paires: Collection[Paire],
    annees: Collection[int],
    raison: str,
    *,
    imputer: bool = False,
    appeler: bool = True,
    maintenant: datetime | None = None,
) -> None:
    """Ask for the calculation of `paires` for `annees`, in the transaction of what changes their inputs.

    However often it is asked, one row; a worker is called once the transaction is committed. `imputer`: statuses
    and imputations depend on what changed (acts, flags, parc) and are to be looked at again first. `appeler`: False
    when the caller empties the queue itself.
    """
    if not paires or not annees:
        return
    bailleurs, departements = colonnes(paires)
    with connection.cursor() as curseur:
        curseur.execute(
            MARQUER,
            {
                "bailleurs": bailleurs,
                "departements": departements,
                "annees": sorted(annees),
                "imputer": imputer,
                "raison": typographier(raison)[:LONGUEUR_RAISON],
                "puis": typographier(" ; "),
                "longueur": LONGUEUR_RAISON,
                "depuis": maintenant or timezone.now(),
            },
        )
    if appeler:
        appeler_travailleur((departement, annee) for departement in departements for annee in annees)


def appeler_travailleur(
    files: Iterable[tuple[str, int]] = (), *, groupes: Iterable[tuple[Sequence[str], int]] = ()
) -> None:
    """Send, after commit, one task per département and year, and one per group of départements. A broker that is
    down is no error: the rows stay, and `reprendre` sends them again."""
    from flux.tasks import recalculer_departement

    for (departement, *autres), annee in (
        *(([departement], annee) for departement, annee in sorted(set(files))),
        *groupes,
    ):
        transaction.on_commit(
            lambda arguments=(departement, annee, *autres): recalculer_departement.delay(*arguments),
            robust=True,
        )


def grouper(paires: Iterable[Paire]) -> list[list[str]]:
    """Départements of these pairs in groups of the same size, about `PAIRES_PAR_TACHE` pairs: what a batch costs
    whatever its size is then paid a few times and not a hundred, and workers still have groups to share."""
    comptes = Counter(departement for _, departement in paires)
    taille = comptes.total() / (-(-comptes.total() // PAIRES_PAR_TACHE) or 1)
    groupes: dict[int, list[str]] = {}
    avant = 0
    for departement, nombre in sorted(comptes.items()):
        groupes.setdefault(int((avant + nombre / 2) / taille), []).append(departement)
        avant += nombre
    return list(groupes.values())


def annees_ouvertes(paires: Collection[Paire], depuis: int | None, aujourd_hui: date) -> list[int]:
    """Years that a change of acts or parc may still move: the last one (its bilan is due in February), this one,
    and those to come that were already projected. `depuis`: the first year that the change matters for."""
    bailleurs, departements = colonnes(paires)
    projetees = (
        CalculFlux.objects.filter(
            bailleur__in=set(bailleurs), departement__in=set(departements), annee__gt=aujourd_hui.year
        )
        .order_by("annee")
        .values_list("annee", flat=True)
        .distinct()
    )
    annees = {aujourd_hui.year - 1, aujourd_hui.year, *projetees}
    return sorted(annee for annee in annees if depuis is None or annee >= depuis)


def sur_entrees_modifiees(sender, paires, annee, raison, **_signal) -> None:
    """Receiver of `reservation.signaux.entrees_modifiees`."""
    marquer_a_calculer(paires, annees_ouvertes(paires, annee, timezone.localdate()), raison, imputer=True)


def lancer_recalcul(
    acteur: Acteur,
    annee: int,
    raison: str,
    *,
    departements: Collection[str] = (),
    bailleur: Organisation | None = None,
    imputer: bool = True,
    appeler: bool = True,
) -> Recalcul:
    """Ask for a whole perimeter: a bailleur, some départements, both, or everything; returns the row to watch.

    A bailleur asks for itself, a DDETS for its département, the application for all. Raises `PermissionDenied`.
    `imputer`: look at the imputations again first. `appeler`: False when the caller empties the queue itself.
    """
    presences = Presence.objects.all()
    if bailleur is not None:
        presences = presences.filter(bailleur=bailleur)
    if departements:
        presences = presences.filter(departement__in=departements)
    paires = list(presences.order_by("bailleur", "departement").values_list("bailleur_id", "departement_id"))
    if not peut_recalculer(acteur, paires):
        raise PermissionDenied("Vous pouvez demander le recalcul de votre périmètre seulement.")
    maintenant = timezone.now()
    with transaction.atomic():
        recalcul = Recalcul.objects.create(
            annee=annee,
            libelle=_libelle(departements, bailleur),
            bailleur=bailleur,
            departements=sorted({departement for _, departement in paires}),
            raison=raison[:LONGUEUR_RAISON],
            demande_par_id=acteur.utilisateur_id,
            demande_le=maintenant,
            **({} if paires else {"etat": Recalcul.Etat.TERMINE, "termine_le": maintenant}),
        )
        EtapeRecalcul.objects.bulk_create(
            EtapeRecalcul(
                recalcul=recalcul,
                departement_id=code,
                total=sum(departement == code for _, departement in paires),
            )
            for code in recalcul.departements
        )
        marquer_a_calculer(paires, [annee], raison, imputer=imputer, appeler=False, maintenant=maintenant)
        if appeler:
            appeler_travailleur(groupes=[(groupe, annee) for groupe in grouper(paires)])
    return recalcul


def peut_recalculer(acteur: Acteur, paires: Collection[Paire]) -> bool:
    """Whether `acteur` may ask for these calculations again: its bailleur, or the DDETS of the département."""
    if acteur.systeme:
        return True
    if not acteur.peut_gerer:
        return False
    if acteur.est_bailleur:
        return all(bailleur == acteur.organisation_id for bailleur, _ in paires)
    return acteur.est_ddets and all(departement in acteur.departements for _, departement in paires)


def _libelle(departements: Collection[str], bailleur: Organisation | None) -> str:
    noms = list(Departement.objects.filter(pk__in=departements).values_list("nom", flat=True))
    lieux = ", ".join(noms) if len(noms) <= 3 else f"{len(noms)} départements"
    return " – ".join(filter(None, [bailleur.nom if bailleur else "", lieux])) or "France entière"


def toutes_les_paires() -> list[Paire]:
    """Every bailleur × département that has a presence, in a fixed order."""
    return list(Presence.objects.order_by("pk").values_list("bailleur_id", "departement_id"))


def departements_de_la_region(code: str) -> list[str]:
    """Codes of the départements of a région. Raises `Region.DoesNotExist`."""
    return list(Region.objects.get(pk=code).departements.order_by("pk").values_list("pk", flat=True))


# --- Doing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fait:
    """What a worker did: pairs computed, of which some got a new version, of which some failed."""

    paires: int = 0
    nouveaux: int = 0
    erreurs: int = 0

    def __add__(self, autre: "Fait") -> "Fait":
        return Fait(self.paires + autre.paires, self.nouveaux + autre.nouveaux, self.erreurs + autre.erreurs)


def traiter(departement: str, annee: int, *autres: str) -> Fait:
    """Empty the queue of a département (and of `autres`, together) for a year, batch by batch; may run twice, and at
    the same time.

    Killed between two statements, it leaves versions and queue as they were before its batch.
    """
    departements = [departement, *autres]
    fait = Fait()
    vues: dict[Paire, int] = {}
    actualiser_avancement(departements, annee)
    while prochaines := _prochaines(departements, annee, vues):
        vues |= prochaines
        fait += _traiter_lot(list(prochaines), annee)
        actualiser_avancement(departements, annee)
    return fait


def _prochaines(departements: Collection[str], annee: int, vues: Mapping[Paire, int]) -> dict[Paire, int]:
    """The next pairs that wait, with their marks, without those that this worker saw under the same mark.

    Seen and still there: another worker holds the pair, and will see a new mark as we do; or somebody is changing
    it, and will call a worker when done. Waiting here would only spin.
    """
    lignes = (
        CalculAFaire.objects.filter(departement__in=departements, annee=annee, erreur="")
        .order_by("depuis", "pk")
        .values_list("bailleur_id", "departement_id", "marque")
    )
    neuves = (
        ((bailleur, code), marque)
        for bailleur, code, marque in lignes
        if vues.get((bailleur, code)) != marque
    )
    return dict(islice(neuves, TAILLE_DU_LOT))


@dataclass(frozen=True, slots=True)
class _AFaire:
    pk: int
    paire: Paire
    marque: int
    imputer: bool
    raison: str


def _traiter_lot(paires: Sequence[Paire], annee: int) -> Fait:
    """One batch in one transaction; when the database refuses it, pair by pair, so that one cannot stop the rest."""
    try:
        with transaction.atomic(), sans_ramasse_miettes():
            return _calculer_et_retirer(paires, annee)
    except (DatabaseError, ValidationError) as erreur:
        journal.exception("Lot de %s calculs, %s", len(paires), annee)
        if len(paires) == 1:
            _noter_erreur(paires[0], annee, erreur)
            return Fait(1, 0, 1)
    return sum((_traiter_lot([paire], annee) for paire in paires), Fait())


def _calculer_et_retirer(candidates: Sequence[Paire], annee: int) -> Fait:
    maintenant = timezone.now()
    aujourd_hui = timezone.localdate(maintenant)
    a_faire = _lire_marques(verrouiller_libres(candidates, annee), annee)
    if not a_faire:
        return Fait()
    a_imputer = [f.paire for f in a_faire if f.imputer]
    if a_imputer:
        reevaluer_statuts(a_imputer, annee)
        imputer(paires=a_imputer, annee=annee)
    calculs = calculer_lot(
        [f.paire for f in a_faire],
        annee,
        natures_de(annee, aujourd_hui),
        {f.paire: f.raison for f in a_faire},
        maintenant,
    )
    erreurs = {
        paire: " ".join(phrases)
        for paire, par_nature in calculs.erreurs.items()
        if (phrases := [p for n, p in par_nature.items() if _attendu(n, annee, aujourd_hui)])
    }
    _retirer(a_faire, erreurs)
    propager(calculs, annee, aujourd_hui)
    return Fait(len(a_faire), len(calculs.nouveaux), len(erreurs))


def _attendu(nature: Nature, annee: int, aujourd_hui: date) -> bool:
    """Whether a calculation that fails is work to do: nobody projects a year that is over."""
    return nature == Nature.DEFINITIF or annee >= aujourd_hui.year


def _lire_marques(paires: Sequence[Paire], annee: int) -> list[_AFaire]:
    """The marks, read before any input: what changes after this raises them, and the row stays."""
    bailleurs, departements = colonnes(paires)
    return [
        _AFaire(pk, (bailleur, departement), marque, imputer_, raison)
        for pk, bailleur, departement, marque, imputer_, raison in CalculAFaire.objects.filter(
            bailleur__in=bailleurs, departement__in=set(departements), annee=annee, erreur=""
        )
        .order_by("pk")
        .values_list("pk", "bailleur_id", "departement_id", "marque", "imputer", "raison")
        if (bailleur, departement) in set(paires)
    ]


RETIRER = """
WITH faits AS (
    SELECT f.id, t.erreur
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS t(id, marque, erreur)
    JOIN flux_calculafaire f USING (id, marque)
    FOR UPDATE OF f SKIP LOCKED
), en_erreur AS (
    UPDATE flux_calculafaire f SET erreur = faits.erreur FROM faits WHERE f.id = faits.id AND faits.erreur <> ''
)
DELETE FROM flux_calculafaire f USING faits WHERE f.id = faits.id AND faits.erreur = ''
"""


def _retirer(a_faire: Sequence[_AFaire], erreurs: Mapping[Paire, str]) -> None:
    """Take off the queue what was computed from the marks read; a row that somebody is changing is left."""
    with connection.cursor() as curseur:
        curseur.execute(
            RETIRER,
            [
                [f.pk for f in a_faire],
                [f.marque for f in a_faire],
                [erreurs.get(f.paire, "") for f in a_faire],
            ],
        )


def _noter_erreur(paire: Paire, annee: int, erreur: Exception) -> None:
    CalculAFaire.objects.filter(bailleur=paire[0], departement=paire[1], annee=annee).update(
        erreur=f"Erreur de la base de données ({type(erreur).__name__})."
    )


def propager(calculs: Calculs, annee: int, aujourd_hui: date) -> None:
    """A complete year that changes moves the observed rate of rotation of the next projection, unless agreed.

    A next year that has no version yet is asked for too: it may be under calculation by somebody who cannot see
    ours, as we cannot see theirs.
    """
    if annee >= aujourd_hui.year:
        return
    observes = {p for p, natures in calculs.nouveaux.items() if Nature.DEFINITIF in natures}
    bailleurs, departements = colonnes(observes)
    convenus = CalculFlux.objects.filter(
        bailleur__in=bailleurs,
        departement__in=set(departements),
        annee=annee + 1,
        nature=Nature.PREVISIONNEL,
        en_vigueur=True,
        resultat__taux_rotation__origine="CONVENU",
    )
    marquer_a_calculer(
        observes - set(convenus.values_list("bailleur_id", "departement_id")),
        [annee + 1],
        f"Flux {annee} constaté modifié (taux de rotation observé)",
    )


# --- Progress -----------------------------------------------------------------------------------------------


ACTUALISER_ETAPES = """
WITH r AS (
    SELECT r.id, r.annee, r.bailleur_id, r.demande_le, e.id AS etape, e.departement_id, e.total
    FROM flux_recalcul r JOIN flux_etaperecalcul e ON e.recalcul_id = r.id
    WHERE r.id = ANY(%(recalculs)s) AND e.departement_id = ANY(%(departements)s) AND e.termine_le IS NULL
), comptes AS (
    SELECT r.etape, r.total,
           (SELECT count(*) FROM flux_calculafaire f
            WHERE f.departement_id = r.departement_id AND f.annee = r.annee AND f.depuis <= r.demande_le
              AND (r.bailleur_id IS NULL OR f.bailleur_id = r.bailleur_id) AND f.erreur = '') AS restent,
           (SELECT count(*) FROM flux_calculafaire f
            WHERE f.departement_id = r.departement_id AND f.annee = r.annee AND f.depuis <= r.demande_le
              AND (r.bailleur_id IS NULL OR f.bailleur_id = r.bailleur_id) AND f.erreur <> '') AS erreurs,
           (SELECT count(*) FROM (
                SELECT c.bailleur_id FROM flux_calculflux c
                WHERE c.departement_id = r.departement_id AND c.annee = r.annee AND c.calcule_le >= r.demande_le
                  AND (r.bailleur_id IS NULL OR c.bailleur_id = r.bailleur_id)
                UNION
                SELECT f.bailleur_id FROM flux_calculafaire f
                WHERE f.departement_id = r.departement_id AND f.annee = r.annee AND f.depuis <= r.demande_le
                  AND (r.bailleur_id IS NULL OR f.bailleur_id = r.bailleur_id)) AS t) AS changes
    FROM r
)
UPDATE flux_etaperecalcul e SET
    faits = greatest(0, c.total - c.restent),
    erreurs = least(c.erreurs, c.total),
    inchanges = greatest(0, c.total - c.changes),
    termine_le = CASE WHEN c.restent = 0 THEN %(maintenant)s END
FROM comptes c WHERE e.id = c.etape
"""
ACTUALISER_RECALCULS = """
UPDATE flux_recalcul r SET
    commence_le = coalesce(r.commence_le, %(maintenant)s),
    etat = CASE WHEN NOT c.fini THEN 'EN_COURS' WHEN c.erreurs > 0 THEN 'ECHEC' ELSE 'TERMINE' END,
    termine_le = CASE WHEN c.fini THEN %(maintenant)s END
FROM (
    SELECT r.id, coalesce(bool_and(e.termine_le IS NOT NULL), true) AS fini, coalesce(sum(e.erreurs), 0) AS erreurs
    FROM flux_recalcul r LEFT JOIN flux_etaperecalcul e ON e.recalcul_id = r.id
    WHERE r.id = ANY(%(recalculs)s) GROUP BY r.id
) c
WHERE r.id = c.id
"""


def actualiser_avancement(departements: Sequence[str], annee: int) -> None:
    """Bring the progress of the requests that wait for these départements up to what the queue says.

    Counted from the queue each time, never added up: killed anywhere, it is right again at the next call.
    """
    with transaction.atomic():
        recalculs = list(
            Recalcul.objects.filter(
                departements__has_any_keys=departements,
                annee=annee,
                etat__in=[Recalcul.Etat.EN_ATTENTE, Recalcul.Etat.EN_COURS],
            )
            .select_for_update()
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        if not recalculs:
            return
        parametres = {"recalculs": recalculs, "departements": departements, "maintenant": timezone.now()}
        with connection.cursor() as curseur:
            curseur.execute(ACTUALISER_ETAPES, parametres)
            curseur.execute(ACTUALISER_RECALCULS, parametres)


def reprendre(avant: datetime) -> int:
    """Call a worker for every row that waits since before `avant`: its message was lost. Returns how many tasks."""
    files = set(
        CalculAFaire.objects.filter(erreur="", depuis__lt=avant)
        .order_by("departement", "annee")
        .values_list("departement_id", "annee")
        .distinct()
    ) | {
        (departement, annee)
        for departements, annee in Recalcul.objects.filter(
            etat__in=[Recalcul.Etat.EN_ATTENTE, Recalcul.Etat.EN_COURS], demande_le__lt=avant
        ).values_list("departements", "annee")
        for departement in departements
    }
    appeler_travailleur(files)
    return len(files)
