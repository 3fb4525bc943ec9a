"""Writes the imputations: for a batch of libérations, the one title of each in the bilan of each year.

Set-based: whatever the number of libérations of the batch, the same few queries; the rule decides in Python on
what they bring back, and one statement writes what changed.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from flux.models import Attribution, Liberation
from flux.models import Imputation as LigneImputation
from flux.regles.annuel import Destination, destination
from flux.regles.imputation import (
    Agent,
    Explication,
    FaitsAttribution,
    Imputation,
    attribution_qui_compte,
    contingent_impute,
    decrire_imputation,
    expliquer_imputation,
)
from flux.regles.imputation import (
    imputer as imputer_selon_les_regles,
)
from publics.models import CategorieLabel, GroupeDepartement, Labellisation
from publics.regles.groupes import Label, groupe_prioritaire, label_valide
from reservation.acteur import Acteur, TypeOrganisation
from reservation.models import Organisation
from reservation.perimetre import agir
from reservation.regles.actes import BAILLEUR, Reservataire
from reservation.regles.etapes import Etape

from .cadres import Cadre, Paire, charger_cadres, colonnes, reservataire_de

TAILLE_DU_LOT = 20_000


class _Attribution(NamedTuple):
    """One row of `ATTRIBUTIONS`: a libération and one of its attributions."""

    liberation: int
    bailleur: int
    departement: str
    jour: date
    qpv: bool
    usage: str
    premiere: bool
    annulee: bool
    dans_assiette: bool
    reservataire: int | None
    echouee: bool
    id: int
    date_caleol: date
    date_proposition: date | None
    date_bail: date | None
    statut: str
    motif: str
    agent: bool
    agent_valide_le: date | None
    agent_accord: bool
    agent_adapte: bool
    menage: int | None


@agir(Acteur.du_systeme("imputation"))
def imputer(
    *, liberations: Collection[int] = (), paires: Collection[Paire] = (), annee: int | None = None
) -> int:
    """Recompute imputations, for `liberations` (primary keys) or for all those of `paires`.

    `annee`: only the bilan of that year; None: every year in which they have an event. Returns how many rows
    were written or removed; nothing is written where nothing changed, nor in a year that its bilan has frozen.
    """
    with transaction.atomic():
        cibles = _verrouiller(liberations, paires, annee)
        return sum(
            _imputer_lot(cibles[debut : debut + TAILLE_DU_LOT], annee)
            for debut in range(0, len(cibles), TAILLE_DU_LOT)
        )


CIBLES_DES_PAIRES = """
    SELECT a.liberation_id
    FROM unnest(%(bailleurs)s::bigint[], %(departements)s::text[]) AS p(bailleur_id, departement_id)
    JOIN flux_attribution a USING (bailleur_id, departement_id)
    WHERE %(annee)s::int IS NULL OR a.date_caleol BETWEEN %(debut)s AND %(fin)s
       OR a.date_bail BETWEEN %(debut)s AND %(fin)s
    UNION
    SELECT i.liberation_id
    FROM unnest(%(bailleurs)s::bigint[], %(departements)s::text[]) AS p(bailleur_id, departement_id)
    JOIN flux_imputation i USING (bailleur_id, departement_id)
    WHERE %(annee)s::int IS NULL OR i.annee = %(annee)s
"""


def _verrouiller(liberations: Collection[int], paires: Collection[Paire], annee: int | None) -> list[int]:
    """Lock the libérations to impute, in one order: a change made meanwhile waits and imputes after us."""
    bailleurs, departements = colonnes(paires)
    cibles = CIBLES_DES_PAIRES if paires else "SELECT unnest(%(ids)s::bigint[])"
    with connection.cursor() as curseur:
        curseur.execute(
            f"SELECT id FROM flux_liberation WHERE id IN ({cibles}) ORDER BY id FOR NO KEY UPDATE",
            {
                "ids": list(liberations),
                "bailleurs": bailleurs,
                "departements": departements,
                "annee": annee,
                "debut": date(annee or 1, 1, 1),
                "fin": date(annee or 1, 12, 31),
            },
        )
        return [pk for (pk,) in curseur]


# A refused attribution that nothing follows yet stays of the contingent that it was made on, even if the dwelling has been
# oriented to somebody else since.
ATTRIBUTIONS = """
SELECT l.id, l.bailleur_id, l.departement_id, l.date, l.qpv, l.usage, l.premiere, l.annulee_le IS NOT NULL,
       l.dans_assiette,
       CASE WHEN l.designation_echouee_le IS NULL THEN coalesce(a.reservataire_id, l.reservataire_id)
            ELSE l.reservataire_id END,
       l.designation_echouee_le IS NOT NULL,
       a.id, a.date_caleol, a.date_proposition, a.date_bail, a.statut_emploi, a.motif_hors_prioritaire,
       a.agent,
       -- The préfet's answer prevails, then a validation that the État recorded (CA, art. 5-2). The date that the bailleur
       -- declares is no validation: it is signalled to the État, which grants or not.
       CASE WHEN d.accordee IS FALSE THEN NULL ELSE (
           SELECT min(v.decidee_le) FROM publics_dossieragent v
           WHERE v.menage_id = a.menage_id AND v.departement_id = l.departement_id AND v.etat = 'ACCORDEE'
             AND (v.fin IS NULL OR v.fin >= coalesce(a.date_proposition, a.date_caleol))
       ) END,
       d.accordee IS TRUE OR a.agent_accord_posterieur AND d.accordee IS NULL,
       -- The bailleur says that the dwelling fits what the household asks; what is recorded of it may say otherwise.
       a.agent_adapte AND NOT EXISTS (
           SELECT FROM publics_demandemenage s JOIN reservation_commune k ON k.code = l.commune_id
           WHERE s.menage_id = a.menage_id
             AND (s.tailles <> '{}' AND l.typologie <> ALL(s.tailles)
                  OR s.secteur <> '{}' AND l.commune_id <> ALL(s.secteur)
                     AND coalesce(k.epci_id, '') <> ALL(s.secteur))
       ), a.menage_id
FROM flux_liberation l JOIN flux_attribution a ON a.liberation_id = l.id
LEFT JOIN flux_decisionagent d ON d.attribution_id = a.id
WHERE l.id = ANY(%s)
ORDER BY l.id, a.date_caleol, a.id
"""
LABELS_ADMIS = """
SELECT attribution_id, labellisation_id FROM flux_attribution_labels_admis WHERE attribution_id = ANY(%s)
"""


def _imputer_lot(liberations: Sequence[int], annee: int | None) -> int:
    with connection.cursor() as curseur:
        curseur.execute(ATTRIBUTIONS, [list(liberations)])
        attributions = [_Attribution(*ligne) for ligne in curseur]
        curseur.execute(LABELS_ADMIS, [[a.id for a in attributions]])
        admis = frozenset(curseur)
    contexte = _Contexte(attributions, admis, annee)
    lignes = [
        ligne
        for _, siennes in groupby(attributions, key=lambda a: a.liberation)
        for ligne in _lignes(list(siennes), contexte, annee)
    ]
    return _ecrire(liberations, lignes, annee)


class _Contexte:
    """Everything that the imputations of a batch depend on besides their own rows."""

    def __init__(
        self, attributions: Sequence[_Attribution], admis: frozenset[tuple[int, int]], annee: int | None
    ) -> None:
        paires = {(a.bailleur, a.departement) for a in attributions}
        annees = {annee} if annee else {an for a in attributions for an in _exercices(a)}
        self.cadres: dict[int, dict[Paire, Cadre]] = {an: charger_cadres(paires, an) for an in sorted(annees)}
        self.regimes = {
            (an, paire): cadre.regime for an, cadres in self.cadres.items() for paire, cadre in cadres.items()
        }
        self.reservataires: dict[int, Reservataire] = {
            pk: reservataire_de(type_, code)
            for pk, type_, code in Organisation.objects.filter(
                pk__in={a.reservataire for a in attributions if a.reservataire}
            ).values_list("pk", "type", "code")
        }
        self.admis = admis
        self.labels: dict[int, list[tuple[int, str, date, date | None]]] = defaultdict(list)
        for menage, *label in (
            Labellisation.objects.filter(menage__in={a.menage for a in attributions if a.menage})
            .order_by("debut", "pk")
            .values_list("menage_id", "pk", "categorie_id", "debut", "fin")
        ):
            self.labels[menage].append(tuple(label))
        self.groupes = GroupesDates({departement for _, departement in paires})

    def labels_de(self, attribution: _Attribution) -> list[tuple[int, Label]]:
        return [
            (pk, Label(categorie, debut, fin, (attribution.id, pk) in self.admis))
            for pk, categorie, debut, fin in self.labels.get(attribution.menage, ())
        ]


class GroupesDates:
    """The groups that each département gives to the categories, on any date (chapter 7: dated configuration)."""

    def __init__(self, departements: Iterable[str]) -> None:
        self._defauts = dict(CategorieLabel.objects.values_list("code", "groupe_defaut"))
        self._dates: dict[str, list[tuple[date, str, int]]] = defaultdict(list)
        for departement, *valeur in (
            GroupeDepartement.objects.filter(departement__in=departements)
            .order_by("debut")
            .values_list("departement_id", "debut", "categorie_id", "groupe")
        ):
            self._dates[departement].append(tuple(valeur))
        self._calcules: dict[tuple[str, int], Mapping[str, int]] = {}

    def le(self, departement: str, jour: date) -> Mapping[str, int]:
        dates = self._dates.get(departement, ())
        en_vigueur = sum(debut <= jour for debut, _, _ in dates)
        cle = (departement, en_vigueur)
        if cle not in self._calcules:
            self._calcules[cle] = self._defauts | {
                categorie: groupe for _, categorie, groupe in dates[:en_vigueur]
            }
        return self._calcules[cle]


class Prevue(NamedTuple):
    """An attribution that is not made yet."""

    liberation: Liberation
    menage: int
    date_caleol: date
    date_proposition: date | None = None
    statut: str = "AUTRE"
    agent: bool = False
    agent_valide_le: date | None = None
    agent_adapte: bool = False


@agir(Acteur.du_systeme("imputation prévue"))
def prevoir(prevues: Sequence[Prevue]) -> dict[int, Imputation]:
    """Libération (primary key) → the title under which it would count, for those that would count somewhere.

    The rule of `imputer` on attributions that nobody has made: what a person reads before closing a commission.
    """
    attributions = [
        _Attribution(
            prevue.liberation.pk,
            prevue.liberation.bailleur_id,
            prevue.liberation.departement_id,
            prevue.liberation.date,
            prevue.liberation.qpv,
            prevue.liberation.usage,
            prevue.liberation.premiere,
            prevue.liberation.annulee_le is not None,
            prevue.liberation.dans_assiette,
            prevue.liberation.reservataire_id,
            prevue.liberation.designation_echouee_le is not None,
            -rang,
            prevue.date_caleol,
            prevue.date_proposition,
            None,
            prevue.statut,
            "",
            prevue.agent,
            prevue.agent_valide_le,
            False,
            prevue.agent_adapte,
            prevue.menage,
        )
        for rang, prevue in enumerate(prevues, 1)
    ]
    if not attributions:
        return {}
    contexte = _Contexte(attributions, frozenset(), None)
    return {
        attribution.liberation: Imputation(ligne[6], ligne[7])
        for attribution in attributions
        for ligne in _lignes([attribution], contexte, None)
    }


@agir(Acteur.du_systeme("effet d’une exception"))
def prevoir_exception(
    attribution: Attribution, label: int, admis: bool
) -> dict[int, tuple[Imputation | None, Imputation | None]]:
    """Year → (title now, title if this label were admitted for the attribution, or no longer)."""
    with connection.cursor() as curseur:
        curseur.execute(ATTRIBUTIONS, [[attribution.liberation_id]])
        lignes = [_Attribution(*ligne) for ligne in curseur]
        curseur.execute(LABELS_ADMIS, [[a.id for a in lignes]])
        maintenant = frozenset(curseur)
    vise = frozenset({(attribution.pk, label)})
    titres = [
        {
            ligne[1]: Imputation(ligne[6], ligne[7])
            for ligne in _lignes(lignes, _Contexte(lignes, ensemble, None), None)
        }
        for ensemble in (maintenant, maintenant | vise if admis else maintenant - vise)
    ]
    return {annee: (titres[0].get(annee), titres[1].get(annee)) for annee in sorted({*titres[0], *titres[1]})}


class ImputationPrevue(NamedTuple):
    """What `imputer` would write of one libération for a year."""

    liberation: int
    contingent: str
    titre: str
    qpv: bool
    date_caleol: date
    date_bail: date | None
    motif: str


@agir(Acteur.du_systeme("imputation simulée"), lecture_seule=True)
def prevoir_sous(cadre: Cadre, dans_assiette: Mapping[int, bool], annee: int) -> list[ImputationPrevue]:
    """What the bilan of `annee` would count of these libérations under other acts; nothing is written.

    `dans_assiette`: libération (primary key) → whether it is subject to the gestion en flux. All of one pair.
    """
    with connection.cursor() as curseur:
        curseur.execute(ATTRIBUTIONS, [list(dans_assiette)])
        attributions = [
            ligne._replace(dans_assiette=dans_assiette[ligne.liberation])
            for ligne in map(_Attribution._make, curseur)
        ]
        curseur.execute(LABELS_ADMIS, [[a.id for a in attributions]])
        admis = frozenset(curseur)
    if not attributions:
        return []
    contexte = _Contexte(attributions, admis, annee)
    contexte.cadres = {annee: {cadre.paire: cadre}}
    contexte.regimes = {(annee, cadre.paire): cadre.regime}
    return [
        ImputationPrevue(ligne[0], *ligne[6:12])
        for _, siennes in groupby(attributions, key=lambda a: a.liberation)
        for ligne in _lignes(list(siennes), contexte, annee)
    ]


def _exercices(attribution: _Attribution) -> set[int]:
    """Years whose bilan looks at this attribution: that of its CALEOL, that of its lease."""
    annees = {attribution.date_caleol.year}
    return annees | {attribution.date_bail.year} if attribution.date_bail else annees


def _lignes(
    attributions: Sequence[_Attribution], contexte: _Contexte, annee: int | None
) -> Iterable[tuple[Any, ...]]:
    """Rows of one libération, one per year in which the attribution that then counts has an event."""
    exercices = {an for a in attributions for an in _exercices(a)}
    for an in sorted(exercices & {annee} if annee else exercices):
        attribution = attribution_qui_compte(attributions, an, lambda a: a.date_caleol)
        if attribution is None or an not in _exercices(attribution) or not attribution.dans_assiette:
            continue
        paire = (attribution.bailleur, attribution.departement)
        labels = contexte.labels_de(attribution)
        groupes = contexte.groupes.le(attribution.departement, attribution.date_caleol)
        faits = _faits(attribution, [label for _, label in labels])
        regime = contexte.regimes[an, paire]
        sort = destination(
            attribution.jour, attribution.premiere, attribution.annulee, attribution.usage, an, regime
        )
        reservataire = contexte.reservataires.get(attribution.reservataire)
        imputation = imputer_selon_les_regles(
            sort, attribution.usage, reservataire, attribution.echouee, faits, groupes
        )
        if imputation is None:
            continue
        version = _version(contexte.cadres[an][paire], attribution, sort, reservataire)
        contingent = contingent_impute(reservataire, attribution.echouee)
        organisation = attribution.bailleur if contingent == BAILLEUR else attribution.reservataire
        yield (
            attribution.liberation,
            an,
            attribution.id,
            attribution.bailleur,
            attribution.departement,
            organisation if sort == Destination.FLUX else None,
            imputation.contingent,
            imputation.titre,
            attribution.qpv,
            attribution.date_caleol,
            attribution.date_bail,
            attribution.motif,
            version.id if version else None,
            json.dumps(
                {
                    "destination": sort.value,
                    "date": attribution.jour.isoformat(),
                    "usage": attribution.usage,
                    "premiere": attribution.premiere,
                    "oriente": reservataire and list(reservataire),
                    "echouee": attribution.echouee,
                    "proposition": attribution.date_proposition and attribution.date_proposition.isoformat(),
                    "emploi": attribution.statut,
                    "agent": _agent_json(faits.agent),
                    "labels": [
                        {
                            "id": pk,
                            "groupe": groupe_prioritaire(
                                [label._replace(exception=True)], attribution.date_caleol, groupes
                            ),
                            "valide": label_valide(label, attribution.date_caleol),
                            "exception": label.exception,
                        }
                        for pk, label in labels
                    ],
                    "convention": version.libelle if version else None,
                },
                ensure_ascii=False,
            ),
        )


def _faits(attribution: _Attribution, labels: Sequence[Label]) -> FaitsAttribution:
    agent = None
    if attribution.agent:
        agent = Agent(attribution.agent_valide_le, attribution.agent_accord, attribution.agent_adapte)
    return FaitsAttribution(
        date_caleol=attribution.date_caleol,
        date_proposition=attribution.date_proposition,
        date_bail=attribution.date_bail,
        statut=attribution.statut,
        labels=labels,
        agent=agent,
    )


def _agent_json(agent: Agent | None) -> dict[str, Any] | None:
    if agent is None:
        return None
    return agent._asdict() | {"validation": agent.validation and agent.validation.isoformat()}


def _version(cadre: Cadre, attribution: _Attribution, sort: Destination, reservataire: Reservataire | None):
    """The text that decided: the État's act that governs the year for what leaves the flux, else the act of the
    réservataire on the day of the libération."""
    if sort != Destination.FLUX:
        return cadre.version_regissante
    return cadre.version(reservataire.code, attribution.jour) if reservataire else None


ECRIRE = """
WITH nouvelles AS (
    SELECT liberation_id, annee, attribution_id, bailleur_id, departement_id, reservataire_id, titre, detail, qpv,
           date_caleol, date_bail, motif, version_id, explication::jsonb AS explication
    FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::text[],
                %s::text[], %s::boolean[], %s::date[], %s::date[], %s::text[], %s::bigint[], %s::text[])
         AS t(liberation_id, annee, attribution_id, bailleur_id, departement_id, reservataire_id, titre, detail,
              qpv, date_caleol, date_bail, motif, version_id, explication)
    WHERE NOT EXISTS (SELECT 1 FROM flux_gelexercice g WHERE g.fige AND (g.bailleur_id, g.departement_id, g.annee)
                      = (t.bailleur_id, t.departement_id, t.annee))
), perimees AS (
    DELETE FROM flux_imputation i
    WHERE i.liberation_id = ANY(%s) AND (%s::int IS NULL OR i.annee = %s)
      AND NOT EXISTS (SELECT 1 FROM flux_gelexercice g WHERE g.fige AND (g.bailleur_id, g.departement_id, g.annee)
                      = (i.bailleur_id, i.departement_id, i.annee))
      AND NOT EXISTS (SELECT 1 FROM nouvelles n WHERE (n.liberation_id, n.annee) = (i.liberation_id, i.annee))
    RETURNING 1
), ecrites AS (
    INSERT INTO flux_imputation AS i (
        liberation_id, annee, attribution_id, bailleur_id, departement_id, reservataire_id, titre, detail, qpv,
        date_caleol, date_bail, motif_hors_prioritaire, version_id, explication, calculee_le)
    SELECT *, %s FROM nouvelles
    ON CONFLICT (liberation_id, annee) DO UPDATE SET
        attribution_id = EXCLUDED.attribution_id, bailleur_id = EXCLUDED.bailleur_id,
        departement_id = EXCLUDED.departement_id, reservataire_id = EXCLUDED.reservataire_id,
        titre = EXCLUDED.titre, detail = EXCLUDED.detail, qpv = EXCLUDED.qpv,
        date_caleol = EXCLUDED.date_caleol, date_bail = EXCLUDED.date_bail,
        motif_hors_prioritaire = EXCLUDED.motif_hors_prioritaire, version_id = EXCLUDED.version_id,
        explication = EXCLUDED.explication, calculee_le = EXCLUDED.calculee_le
    WHERE (i.attribution_id, i.reservataire_id, i.titre, i.detail, i.qpv, i.date_caleol, i.date_bail,
           i.motif_hors_prioritaire, i.version_id, i.explication)
          IS DISTINCT FROM
          (EXCLUDED.attribution_id, EXCLUDED.reservataire_id, EXCLUDED.titre, EXCLUDED.detail, EXCLUDED.qpv,
           EXCLUDED.date_caleol, EXCLUDED.date_bail, EXCLUDED.motif_hors_prioritaire, EXCLUDED.version_id,
           EXCLUDED.explication)
    RETURNING 1
)
SELECT (SELECT count(*) FROM perimees) + (SELECT count(*) FROM ecrites)
"""


def _ecrire(liberations: Sequence[int], lignes: Sequence[tuple[Any, ...]], annee: int | None) -> int:
    colonnes_ = (
        [list(colonne) for colonne in zip(*lignes, strict=True)] if lignes else [[] for _ in range(14)]
    )
    with connection.cursor() as curseur:
        curseur.execute(ECRIRE, [*colonnes_, list(liberations), annee, annee, timezone.now()])
        return curseur.fetchone()[0]


# --- In words -----------------------------------------------------------------------------------------------


ALS = TypeOrganisation.ACTION_LOGEMENT
ETAPE_LABELS = "imputation.labels"
ETAPE_TITRE = "imputation.titre"


@agir(Acteur.du_systeme("explication d’une imputation"))
def expliquer(ligne: LigneImputation, acteur: Acteur) -> Explication:
    """Why this attribution counts where it does: facts with their articles, then the titles not kept.

    The ground of a label (violence, health…) is not part of it: a person asks for it, and the reading is written
    (`publics.services.lectures`). Labels are shown by their group; to a collectivité, as a yes or no (chapter 2).
    A label that the retention rule has erased leaves its group too.
    """
    faits = ligne.explication
    labels = {
        label.pk: label
        for label in Labellisation.objects.visibles_par(Acteur.du_systeme("explication")).filter(
            pk__in=[label["id"] for label in faits["labels"]]
        )
    }
    gardes = [
        (
            garde,
            Label(
                labels[garde["id"]].categorie_id,
                labels[garde["id"]].debut,
                labels[garde["id"]].fin,
                garde["exception"],
            ),
        )
        for garde in faits["labels"]
        if garde["id"] in labels
    ]
    oriente = faits["oriente"] and Reservataire(*faits["oriente"])
    agent = faits["agent"]
    explication = expliquer_imputation(
        Destination(faits["destination"]),
        faits["usage"],
        oriente,
        faits["echouee"],
        FaitsAttribution(
            date_caleol=ligne.date_caleol,
            date_proposition=faits["proposition"] and date.fromisoformat(faits["proposition"]),
            date_bail=ligne.date_bail,
            statut=faits["emploi"],
            labels=[label for _, label in gardes],
            agent=agent
            and Agent(
                agent["validation"] and date.fromisoformat(agent["validation"]),
                agent["accord_posterieur"],
                agent["adapte"],
            ),
        ),
        {label.type: garde["groupe"] for garde, label in gardes},
    )
    etapes = tuple(
        replace(etape, valeur=decrire_imputation(Imputation(ligne.titre, ligne.detail)))
        if etape.code == ETAPE_TITRE
        else etape
        for etape in explication.etapes
    )
    if not acteur.systeme or len(gardes) < len(faits["labels"]):
        groupes_lisibles = not (acteur.est_reservataire and acteur.type_organisation != ALS)
        etapes = _sans_motifs(etapes, faits["labels"], groupes_lisibles)
    return Explication(Imputation(ligne.titre, ligne.detail), etapes, explication.titres_ecartes)


def _sans_motifs(
    etapes: Iterable[Etape], labels: Sequence[Mapping[str, Any]], groupes_lisibles: bool
) -> tuple[Etape, ...]:
    """The same steps, the labels reduced to their group, or to a yes."""
    anonymes: list[Etape] = []
    for etape in etapes:
        if etape.code != ETAPE_LABELS:
            anonymes.append(etape)
        elif not any(e.code == ETAPE_LABELS for e in anonymes):
            anonymes += [
                Etape(
                    ETAPE_LABELS,
                    "Label",
                    _label_sans_motif(label, groupes_lisibles),
                    _detail_du_label(label),
                    etape.article,
                    niveau=1,
                )
                for label in labels
            ] or [etape]
    return tuple(anonymes)


def _detail_du_label(label: Mapping[str, Any]) -> str:
    if label["exception"]:
        return "postérieur à la CALEOL, admis par exception de la DDETS"
    return "" if label["valide"] else "pas valide à la date de la CALEOL"


def _label_sans_motif(label: Mapping[str, Any], groupe_lisible: bool) -> str:
    if not label["valide"]:
        return "sans effet"
    return f"groupe {label['groupe']}" if groupe_lisible else "prioritaire"
