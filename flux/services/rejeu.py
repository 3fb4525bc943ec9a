"""Replays the years of a pair under other acts: reads what the yearly calculation reads, and writes nothing.

Everything here runs while nothing may be written, whoever acts (`agir(..., lecture_seule=True)`: PostgreSQL refuses). The
rules are those of the year; only the acts differ. Where an exclusion or the première mise en location changes, the
libérations that it moves, and they alone, are looked at again one by one: all the others keep their status and imputation.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import NamedTuple

from django.db import connection, transaction

from flux.models import CalculFlux, Nature
from flux.regles.annee import ResultatAnnuel
from flux.regles.annuel import destination
from flux.regles.partage import PartageImpossible
from flux.regles.simulation import Changements, SimulationImpossible, remplacer, verifier
from reservation.acteur import Acteur
from reservation.models import Organisation
from reservation.perimetre import agir
from reservation.regles.actes import Regime, Reservataire, periodes_de_taux, regime_de_l_annee
from reservation.regles.statut import statut_logement

from .cadres import Cadre, Paire, charger_cadres, reservataire_de
from .entrees import Entrees, LigneImputations, LigneLiberations, drapeaux, empreinte, lire_entrees
from .imputations import prevoir_sous
from .statuts import MODE_LOUE, SORTIE_AUCUNE

ANNEES = 3
Titulaires = Mapping[str, tuple[Reservataire, frozenset[str] | None]]

REJEU = partial(agir, Acteur.du_systeme("simulation"), lecture_seule=True)


@dataclass(frozen=True, slots=True)
class AnneeRejouee:
    """One year on both sides. `calcul`: the live version of the real calculation; `a_jour`: it read the same inputs."""

    annee: int
    entrees: Entrees
    simulees: Entrees
    avant: ResultatAnnuel
    apres: ResultatAnnuel
    calcul: CalculFlux | None
    a_jour: bool


@REJEU()
def annees_a_rejouer(paire: Paire, aujourd_hui: date) -> list[int]:
    """The last complete years that the application has observed, three at most; failing any, the year under way."""
    calculees = list(
        CalculFlux.objects.filter(
            bailleur=paire[0],
            departement=paire[1],
            nature=Nature.DEFINITIF,
            en_vigueur=True,
            annee__lte=aujourd_hui.year,
        )
        .order_by("-annee")
        .values_list("annee", flat=True)[: ANNEES + 1]
    )
    closes = [annee for annee in calculees if annee < aujourd_hui.year][:ANNEES]
    return sorted(closes or calculees[:1])


@REJEU()
@transaction.atomic
def rejouer(
    paire: Paire,
    annees: Sequence[int],
    changements: Changements,
    titulaires: Titulaires,
    aujourd_hui: date,
) -> list[AnneeRejouee]:
    """Each year under the acts in force and under the changed ones. Raises `SimulationImpossible`."""
    calculs = {
        calcul.annee: calcul
        for calcul in CalculFlux.objects.filter(
            bailleur=paire[0],
            departement=paire[1],
            annee__in=annees,
            nature=Nature.DEFINITIF,
            en_vigueur=True,
        ).only("id", "annee", "version", "calcule_le", "empreinte")
    }
    rejouees = []
    for annee in annees:
        entrees = lire_entrees([paire], annee, [Nature.DEFINITIF], aujourd_hui)[paire]
        simulees = _simuler(entrees, changements, titulaires)
        try:
            avant, apres = entrees.constater(), simulees.constater()
        except PartageImpossible as erreur:
            raise SimulationImpossible(f"Pour {annee}, {erreur}.") from erreur
        calcul = calculs.get(annee)
        lues = empreinte(entrees.en_json(Nature.DEFINITIF, None))
        rejouees.append(
            AnneeRejouee(
                annee, entrees, simulees, avant, apres, calcul, bool(calcul) and calcul.empreinte == lues
            )
        )
    return rejouees


def _simuler(entrees: Entrees, changements: Changements, titulaires: Titulaires) -> Entrees:
    """The same inputs under the changed acts."""
    cadre = entrees.cadre
    actes = remplacer(cadre.actes, changements, cadre.annee, titulaires)
    verifier(actes, changements, cadre.annee)
    nouveau = replace(cadre, actes=actes)
    simulees = Entrees(
        cadre=nouveau,
        millesime=entrees.millesime,
        parc=entrees.parc,
        liberations=entrees.liberations,
        imputations=entrees.imputations,
        reports=entrees.reports,
        reservataires=entrees.reservataires,
    )
    avant, apres = cadre.regime, nouveau.regime
    if (avant.exclusions, avant.premieres_mises_en_location) != (
        apres.exclusions,
        apres.premieres_mises_en_location,
    ):
        _deplacer(simulees, cadre, nouveau, changements, titulaires)
    return simulees


# --- What an exclusion, or the première mise en location, moves ---------------------------------------------


class _Liberation(NamedTuple):
    """One freed dwelling that the year looks at: freed in it, or imputed or attributed in it."""

    id: int
    jour: date
    usage: str
    premiere: bool
    annulee: bool
    dans_assiette: bool
    oriente: int | None
    commune: str
    qpv: bool
    finan: str
    conv: str
    mode: str
    sortie: str
    drapeaux: str


# Mode, exit and flags are those of the dwelling in the millésime of the year in which it was freed (services/statuts.py).
LIBERATIONS = """
WITH vues AS (
    SELECT id FROM flux_liberation
    WHERE bailleur_id = %(bailleur)s AND departement_id = %(departement)s AND date BETWEEN %(debut)s AND %(fin)s
    UNION
    SELECT liberation_id FROM flux_attribution
    WHERE bailleur_id = %(bailleur)s AND departement_id = %(departement)s
      AND (date_caleol BETWEEN %(debut)s AND %(fin)s OR date_bail BETWEEN %(debut)s AND %(fin)s)
    UNION
    SELECT liberation_id FROM flux_imputation
    WHERE bailleur_id = %(bailleur)s AND departement_id = %(departement)s AND annee = %(annee)s
), etats AS (
    SELECT annee, (SELECT max(e.millesime) FROM reservation_etatparc e
                   WHERE e.bailleur_id = %(bailleur)s AND e.departement_id = %(departement)s
                     AND e.millesime <= annee) AS millesime
    FROM (SELECT DISTINCT extract(year FROM date)::int AS annee FROM flux_liberation JOIN vues USING (id)) AS annees
)
SELECT l.id, l.date, l.usage, l.premiere, l.annulee_le IS NOT NULL, l.dans_assiette,
       CASE WHEN l.designation_echouee_le IS NOT NULL AND l.reservataire_id <> l.bailleur_id THEN l.reservataire_id END,
       l.commune_id, l.qpv, l.finan, l.conv, coalesce(g.mode, %(mode)s), coalesce(g.sortie, %(sortie)s),
       coalesce(array_to_string(g.drapeaux, ','), '')
FROM vues JOIN flux_liberation l USING (id)
JOIN etats ON etats.annee = extract(year FROM l.date)::int
LEFT JOIN reservation_logement g
       ON (g.bailleur_id, g.millesime, g.cle) = (l.bailleur_id, etats.millesime, l.cle_logement)
ORDER BY l.id
"""

IMPUTATIONS = """
SELECT titre, detail, motif_hors_prioritaire <> '', date_caleol BETWEEN %(debut)s AND %(fin)s,
       coalesce(date_bail BETWEEN %(debut)s AND %(fin)s, false), qpv
FROM flux_imputation
WHERE annee = %(annee)s AND liberation_id = ANY(%(liberations)s) AND titre NOT IN ('SOUSTRACTION', 'HORS_FLUX')
"""


def _deplacer(
    simulees: Entrees, cadre: Cadre, nouveau: Cadre, changements: Changements, titulaires: Titulaires
) -> None:
    """Count the year's libérations and imputations again, with those that change place where they then are."""
    annee, (bailleur, departement) = cadre.annee, cadre.paire
    debut, fin = date(annee, 1, 1), date(annee, 12, 31)
    parametres = {
        "bailleur": bailleur,
        "departement": departement,
        "annee": annee,
        "debut": debut,
        "fin": fin,
        "mode": MODE_LOUE,
        "sortie": SORTIE_AUCUNE,
    }
    with connection.cursor() as curseur:
        curseur.execute(LIBERATIONS, parametres)
        vues = [_Liberation(*ligne) for ligne in curseur]
    regimes = _regimes({vue.jour.year for vue in vues}, cadre, nouveau, changements, titulaires)
    deplacees: dict[int, bool] = {}
    comptes: dict[tuple, Counter[tuple[str, bool]]] = defaultdict(Counter)
    departs = [periode.debut for periode in periodes_de_taux(cadre.actes, annee)]
    for vue in vues:
        dans = _dans_assiette(vue, cadre.famille, *regimes[vue.jour.year])
        places = [
            soumis and destination(vue.jour, vue.premiere, vue.annulee, vue.usage, annee, regime)
            for soumis, regime in ((vue.dans_assiette, cadre.regime), (dans, nouveau.regime))
        ]
        if places[0] != places[1]:
            deplacees[vue.id] = dans
        if dans and not vue.annulee and vue.jour.year == annee:
            depart = max(jour for jour in departs if jour <= vue.jour)
            comptes[depart, vue.usage, vue.premiere, vue.oriente][vue.commune, vue.qpv] += 1
    simulees.liberations = [
        LigneLiberations(
            *cle,
            sum(lieux.values()),
            " ".join(f"{commune}{'+' if qpv else '-'}{n}" for (commune, qpv), n in sorted(lieux.items())),
        )
        for cle, lieux in comptes.items()
    ]
    inconnus = {cle[3] for cle in comptes if cle[3]} - simulees.reservataires.keys()
    if inconnus:
        simulees.reservataires = {**simulees.reservataires, **_reservataires(inconnus)}
    if deplacees:
        simulees.imputations = _reimputer(simulees, nouveau, deplacees, parametres)


def _reservataires(organisations: set[int]) -> dict[int, Reservataire]:
    lignes = Organisation.objects.filter(pk__in=organisations).values_list("pk", "type", "code")
    return {pk: reservataire_de(type_, code) for pk, type_, code in lignes}


def _regimes(
    annees: set[int], cadre: Cadre, nouveau: Cadre, changements: Changements, titulaires: Titulaires
) -> dict[int, tuple[Regime, Regime]]:
    """Year of a libération → its régime under the acts in force, and under the changed ones."""
    regimes = {cadre.annee: (cadre.regime, nouveau.regime)}
    for annee in sorted(annees - {cadre.annee}):
        actes = charger_cadres([cadre.paire], annee)[cadre.paire].actes
        regimes[annee] = (
            regime_de_l_annee(actes, annee),
            regime_de_l_annee(remplacer(actes, changements, annee, titulaires), annee),
        )
    return regimes


def _dans_assiette(vue: _Liberation, famille: str, avant: Regime, apres: Regime) -> bool:
    """Its status as it is kept, unless the changed exclusions give another one than those in force."""
    profil = (vue.finan, vue.conv, vue.mode, vue.sortie, drapeaux(vue.drapeaux), famille)
    simule = statut_logement(*profil, apres.exclusions).dans_assiette
    if statut_logement(*profil, avant.exclusions).dans_assiette == simule:
        return vue.dans_assiette
    return simule


def _reimputer(
    simulees: Entrees, nouveau: Cadre, deplacees: Mapping[int, bool], parametres: Mapping[str, object]
) -> list[LigneImputations]:
    """The imputations of the year: the stored ones, without those of what moves, with what then counts of it."""
    comptes: Counter[tuple] = Counter()
    for ligne in simulees.imputations:
        comptes[ligne[:-1]] += ligne.nombre
    with connection.cursor() as curseur:
        curseur.execute(IMPUTATIONS, {**parametres, "liberations": list(deplacees)})
        for ligne in curseur:
            comptes[tuple(ligne)] -= 1
    for prevue in prevoir_sous(nouveau, deplacees, nouveau.annee):
        if prevue.contingent in ("SOUSTRACTION", "HORS_FLUX"):
            continue
        bail = prevue.date_bail
        comptes[
            prevue.contingent,
            prevue.titre,
            prevue.motif != "",
            prevue.date_caleol.year == nouveau.annee,
            bail is not None and bail.year == nouveau.annee,
            prevue.qpv,
        ] += 1
    return [LigneImputations(*cle, nombre) for cle, nombre in comptes.items() if nombre]
