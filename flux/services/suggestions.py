"""Reads where a bailleur stands in a year, for the rule that suggests réservataires (`flux.regles.orientation`).

A constant number of queries, whatever the number of dwellings to orient. The balance is that of the moment, not that
of the last calculation: an orientation made a second ago weighs on the next suggestion.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from flux.models import CalculFlux, Consultation, Liberation, LogementDeProgramme, Nature, Programme
from flux.regles.annuel import Destination, calculer_flux_definitif, destination
from flux.regles.orientation import (
    Balance,
    Issue,
    Logement,
    LotOriente,
    Suggestion,
    dresser_balance,
    etaler_attendues,
    suggerer_suite,
)
from flux.regles.partage import PartageImpossible
from flux.regles.realise import Realise, calculer_realise, compter_echecs
from reservation.regles.actes import Reservataire, lister_reservataires

from .cadres import Cadre, Paire, reservataire_de
from .entrees import Entrees, lire_entrees

# A dwelling is to orient when it has no réservataire yet, or when the failure of a designation gives it back to the
# choice of the bailleur. Those out of the flux are to orient only as dwellings of a programme.
LIGNES = """
WITH etat AS (
    SELECT max(millesime) AS millesime FROM reservation_etatparc
    WHERE bailleur_id = %(bailleur)s AND departement_id = %(departement)s AND millesime <= %(annee)s
), lignes AS (
    SELECT l.*,
           NOT EXISTS (SELECT 1 FROM flux_attribution a WHERE a.liberation_id = l.id AND a.refusee_le IS NULL)
           AND (l.reservataire_id IS NULL OR l.id IS NOT DISTINCT FROM %(cible)s::bigint OR EXISTS (
               SELECT 1 FROM flux_designation d
               WHERE d.liberation_id = l.id AND d.etat = 'ECHOUEE' AND d.sans_proposition = 'AUTRE_RESERVATAIRE'
           )) AS a_orienter
    FROM flux_liberation l
    WHERE l.bailleur_id = %(bailleur)s AND l.departement_id = %(departement)s
      AND l.date BETWEEN make_date(%(annee)s, 1, 1) AND make_date(%(annee)s, 12, 31)
      AND l.annulee_le IS NULL AND l.dans_assiette
)
"""
ORIENTEES = (
    LIGNES
    + """
SELECT l.date, r.type, r.code, coalesce(i.detail = 'AGENT', o.agents, false), l.qpv,
       l.designation_echouee_le IS NOT NULL, i.detail, coalesce(i.motif_hors_prioritaire <> '', false),
       l.usage, l.premiere, count(*)
FROM lignes l
JOIN reservation_organisation r ON r.id = l.reservataire_id
LEFT JOIN LATERAL (
    SELECT agents FROM flux_orientation o WHERE o.liberation_id = l.id ORDER BY o.id DESC LIMIT 1
) o ON true
LEFT JOIN LATERAL (
    SELECT i.detail, i.motif_hors_prioritaire FROM flux_imputation i
    WHERE i.liberation_id = l.id ORDER BY i.annee DESC LIMIT 1
) i ON true
WHERE NOT l.a_orienter
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""
)
A_ORIENTER = (
    LIGNES
    + """
SELECT l.id, l.date, l.cle_logement, l.reference, l.adresse, c.nom, l.commune_id, l.qpv, l.typologie, l.financement,
       l.usage, l.premiere,
       EXISTS (SELECT 1 FROM reservation_logement g, etat
               WHERE (g.bailleur_id, g.millesime, g.cle) = (l.bailleur_id, etat.millesime, l.cle_logement)
                 AND 'PLAI_ADAPTE' = ANY (g.drapeaux)),
       ARRAY(SELECT d.reservataire_id FROM flux_designation d
             WHERE d.liberation_id = l.id AND d.close_le IS NOT NULL)
FROM lignes l JOIN reservation_commune c ON c.code = l.commune_id
WHERE l.a_orienter
ORDER BY l.date, l.cle_logement, l.id
"""
)


@dataclass(frozen=True, slots=True)
class AOrienter:
    """A freed dwelling that waits for its réservataire, as the board shows it."""

    liberation: int
    date: date
    reference: str
    adresse: str
    commune: str
    qpv: bool
    typologie: str
    financement: str
    premiere: bool
    logement: Logement


@dataclass(frozen=True, slots=True)
class Tableau:
    """A bailleur × département × year before its orientations. `suggestions`: by primary key of the libération.

    `realises`: attributions made in the year, as the calculation of the flux counts them. `organisations`, `noms`: of
    each réservataire, by code. `empechement`: why nothing can be suggested, a French sentence.
    """

    cadre: Cadre
    balance: Balance | None
    realises: dict[str, Realise]
    a_orienter: tuple[AOrienter, ...]
    suggestions: dict[int, Suggestion]
    organisations: dict[str, int]
    noms: dict[str, str]
    attendues: int
    empechement: str = ""

    def organisation(self, reservataire: Reservataire) -> int | None:
        """Primary key of the organisation that holds its rights."""
        return self.organisations.get(reservataire.code)


def charger_tableau(
    paire: Paire, annee: int, *, cible: int | None = None, aujourd_hui: date | None = None
) -> Tableau:
    """Everything that the orientations of a pair in a year rest on.

    `cible`: a libération to look at as if it were still to orient.
    """
    aujourd_hui = aujourd_hui or timezone.localdate()
    entrees = lire_entrees([paire], annee, [Nature.DEFINITIF], aujourd_hui)[paire]
    cadre = entrees.cadre
    actes = entrees.actes_du_definitif()
    noms = {v.reservataire.code: v.nom for v in cadre.versions}
    organisations = cadre.organisations
    parametres = {"bailleur": paire[0], "departement": paire[1], "annee": annee, "cible": cible}
    orientes = _orientees(parametres, cadre)
    lignes = _a_orienter(parametres, cadre)
    flux = calculer_flux_definitif(entrees.lots_liberations(), annee, cadre.regime)
    reste = _attendues(paire, annee, flux.flux, aujourd_hui)
    attendues = etaler_attendues(reste, entrees.assiette, actes, annee, aujourd_hui)
    dans_le_flux = Counter(ligne.logement.commune for ligne in lignes if ligne.logement.tour is None)
    try:
        balance = dresser_balance(
            annee,
            actes,
            flux,
            attendues,
            orientes,
            dans_le_flux,
            entrees.reports,
            frozenset(r.code for r in lister_reservataires(actes) if r.code not in organisations),
        )
    except PartageImpossible as erreur:
        return Tableau(
            cadre, None, {}, lignes, {}, organisations, noms, reste, f"Aucune suggestion : {erreur}."
        )
    suite = suggerer_suite(balance, [ligne.logement for ligne in lignes], noms)
    return Tableau(
        cadre,
        balance,
        _realises(entrees, balance),
        lignes,
        {ligne.liberation: suite[ligne.logement.cle] for ligne in lignes},
        organisations,
        noms,
        sum(lot.nombre for lot in attendues),
    )


def suggestion_de(
    liberation: Liberation, aujourd_hui: date | None = None
) -> tuple[Tableau, Suggestion | None]:
    """The suggestion for one libération, the earlier ones that wait being oriented as suggested.

    None when it is not for the flux nor of a programme whose distribution is agreed, or when it cannot be computed.
    """
    tableau = charger_tableau(
        (liberation.bailleur_id, liberation.departement_id),
        liberation.date.year,
        cible=liberation.pk,
        aujourd_hui=aujourd_hui,
    )
    return tableau, tableau.suggestions.get(liberation.pk)


def _realises(entrees: Entrees, balance: Balance) -> dict[str, Realise]:
    """As the definitive calculation counts them (`flux.regles.realise`)."""
    realises = calculer_realise(
        entrees.lots_imputes(),
        compter_echecs(entrees.lots_echecs(), balance.actes),
        balance.projete,
        entrees.cadre.regime.fait_generateur,
    )
    return {realise.reservataire.code: realise for realise in realises}


def _attendues(paire: Paire, annee: int, declarees: int, aujourd_hui: date) -> int:
    """Dwellings of the projected flux that nobody has declared yet; none once the year is over."""
    if aujourd_hui.year > annee:
        return 0
    prevu = (
        CalculFlux.objects.en_vigueur()
        .filter(bailleur=paire[0], departement=paire[1], annee=annee, nature=Nature.PREVISIONNEL)
        .values_list("flux", flat=True)
        .first()
    )
    return max(0, (prevu or 0) - declarees)


def _orientees(parametres: dict[str, Any], cadre: Cadre) -> list[LotOriente]:
    lots = []
    with connection.cursor() as curseur:
        curseur.execute(ORIENTEES, parametres)
        for jour, type_, code, agents, qpv, echouee, titre, motif, usage, premiere, nombre in curseur:
            if _destination(jour, premiere, usage, cadre) != Destination.FLUX:
                continue
            issue = Issue.ECHOUEE if echouee else Issue.ATTRIBUEE if titre else Issue.EN_COURS
            lots.append(
                LotOriente(jour, reservataire_de(type_, code), agents, qpv, issue, titre or "", motif, nombre)
            )
    return lots


def _destination(jour: date, premiere: bool, usage: str, cadre: Cadre) -> Destination:
    return destination(jour, premiere, False, usage, cadre.annee, cadre.regime)


def _a_orienter(parametres: dict[str, Any], cadre: Cadre) -> tuple[AOrienter, ...]:
    with connection.cursor() as curseur:
        curseur.execute(A_ORIENTER, parametres)
        lues = curseur.fetchall()
    codes = {pk: code for code, pk in cadre.organisations.items()}
    premieres = [pk for pk, *_, usage, premiere, _, _ in lues if premiere]
    programmes = _programmes(premieres, codes) if premieres else {}
    lignes = []
    for pk, jour, cle, reference, adresse, nom, commune, qpv, typologie, financement, *suite in lues:
        usage, premiere, plai_adapte, echoues = suite
        ou = _destination(jour, premiere, usage, cadre)
        if ou == Destination.FLUX:
            programme, tour = "", None
        elif ou == Destination.HORS_FLUX and pk in programmes:
            programme, tour = programmes[pk]
        else:
            continue
        exclus = frozenset(codes[e] for e in echoues if e in codes)
        logement = Logement(f"{cle}/{pk}", jour, commune, qpv, plai_adapte, exclus, tour, programme)
        lignes.append(
            AOrienter(pk, jour, reference, adresse, nom, qpv, typologie, financement, premiere, logement)
        )
    return tuple(lignes)


def _programmes(
    liberations: Iterable[int], codes: dict[int, str]
) -> dict[int, tuple[str, tuple[tuple[str, int], ...]]]:
    """Libération → (programme, dwellings left to each code) of those whose distribution is agreed."""
    liens = dict(
        LogementDeProgramme.objects.filter(
            liberation__in=list(liberations), programme__etat=Programme.Etat.ARRETEE
        ).values_list("liberation_id", "programme_id")
    )
    if not liens:
        return {}
    convenus: dict[int, Counter[str]] = {}
    for programme, reservataire, nombre in Consultation.objects.filter(
        programme__in=set(liens.values())
    ).values_list("programme_id", "reservataire_id", "logements"):
        if reservataire in codes:
            convenus.setdefault(programme, Counter())[codes[reservataire]] += nombre
    for programme, nombre in Programme.objects.filter(pk__in=set(liens.values())).values_list(
        "pk", "non_reserves"
    ):
        convenus.setdefault(programme, Counter())["BAILLEUR"] += nombre
    for programme, reservataire in LogementDeProgramme.objects.filter(
        programme__in=set(liens.values()),
        liberation__reservataire__isnull=False,
        liberation__annulee_le__isnull=True,
    ).values_list("programme_id", "liberation__reservataire_id"):
        if reservataire in codes:
            convenus[programme][codes[reservataire]] -= 1
    return {
        liberation: (str(programme), tuple(sorted((c, max(0, n)) for c, n in convenus[programme].items())))
        for liberation, programme in liens.items()
    }
