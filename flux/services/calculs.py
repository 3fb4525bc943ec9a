"""Makes the dated versions of the annual flux: read a batch, apply the rules, write what changed.

One path for one pair and for two thousand: `calculer` is a batch of one. A version is never edited; the live one
is superseded when the fingerprint of the inputs changes, and kept.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from flux.banc_essai.resultat import en_json
from flux.models import CalculFlux, Nature
from flux.regles.annee import ResultatAnnuel, calculer_previsionnel
from flux.regles.annuel import (
    FluxNegatif,
    FluxTerritoire,
    LotLiberations,
    TauxRotation,
    ventiler_liberations,
    ventiler_previsionnel,
)
from flux.regles.annuel import Nature as NatureRegle
from flux.regles.partage import PartageImpossible, partager_par_commune
from reservation.acteur import Acteur
from reservation.copie import copie_vers
from reservation.models import VersionConvention
from reservation.perimetre import agir
from reservation.regles.actes import (
    ETAT,
    ZERO,
    acte_en_vigueur,
    periodes_de_taux,
    taux_brut,
    taux_des_agents,
    taux_net,
    taux_retrocede,
)
from reservation.regles.typographie import decimales, typographier

from .avertissements import avertir
from .cadres import Paire
from .entrees import Entrees, calculs_en_vigueur, empreinte, lire_entrees

journal = logging.getLogger(__name__)

VERROU = 7_361  # first key of the advisory locks of this job


class CalculImpossible(ValueError):
    """The inputs contradict each other or are missing; the message is a French sentence for the person who can
    mend them."""


@dataclass(slots=True)
class Calculs:
    """What a batch did, by pair: live versions written, and what prevented others (nature → sentence)."""

    nouveaux: dict[Paire, list[Nature]] = field(default_factory=lambda: defaultdict(list))
    erreurs: dict[Paire, dict[Nature, str]] = field(default_factory=lambda: defaultdict(dict))


def natures_de(annee: int, aujourd_hui: date) -> list[Nature]:
    """A year to come is only projected; a year begun is also observed, from its first day."""
    return [Nature.PREVISIONNEL, Nature.DEFINITIF] if annee <= aujourd_hui.year else [Nature.PREVISIONNEL]


@agir(Acteur.du_systeme("calcul du flux"))
def calculer(bailleur_id: int, departement: str, annee: int, nature: Nature, raison: str) -> CalculFlux:
    """The live version of one calculation, made anew if its inputs changed. Raises `CalculImpossible`."""
    paire = (bailleur_id, departement)
    with transaction.atomic():
        verrouiller([paire], annee)
        calculs = calculer_lot([paire], annee, [nature], {paire: raison}, timezone.now())
    if calculs.erreurs:
        raise CalculImpossible(calculs.erreurs[paire][nature])
    return CalculFlux.objects.get(
        bailleur_id=bailleur_id, departement_id=departement, annee=annee, nature=nature, en_vigueur=True
    )


def verrouiller(paires: Collection[Paire], annee: int) -> None:
    """Wait for the exclusive right to compute `paires` for `annee`, in one order for everybody, until the
    transaction ends."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT pg_advisory_xact_lock(%s, cle) FROM (SELECT DISTINCT hashtext(nom) AS cle "
            "FROM unnest(%s::text[]) AS nom ORDER BY 1) AS cles",
            [VERROU, noms_de_verrou(paires, annee)],
        )


def verrouiller_libres(paires: Sequence[Paire], annee: int) -> list[Paire]:
    """Take the exclusive right on those of `paires` that nobody is computing for `annee`, without waiting."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT rang FROM (SELECT rang, pg_try_advisory_xact_lock(%s, hashtext(nom)) AS pris "
            "FROM unnest(%s::text[]) WITH ORDINALITY AS t(nom, rang) OFFSET 0) AS essais WHERE pris ORDER BY rang",
            [VERROU, noms_de_verrou(paires, annee)],
        )
        return [paires[rang - 1] for (rang,) in curseur]


def noms_de_verrou(paires: Collection[Paire], annee: int) -> list[str]:
    """The year is in the name: two workers may do two years of one pair, and neither leaves the other's behind."""
    return [f"{bailleur}/{departement}/{annee}" for bailleur, departement in paires]


@agir(Acteur.du_systeme("calcul du flux"))
def calculer_lot(
    paires: Collection[Paire],
    annee: int,
    natures: Collection[Nature],
    raisons: Mapping[Paire, str],
    maintenant: datetime,
) -> Calculs:
    """Compute `paires` for `annee` and write the versions whose inputs changed.

    The caller holds their locks, in a transaction. A constant number of queries, whatever the number of pairs.
    A pair that cannot be computed keeps its live version and is reported; the others are written.
    """
    calculs = Calculs()
    if not paires:
        return calculs
    entrees = lire_entrees(paires, annee, natures, timezone.localdate(maintenant))
    vivants = calculs_en_vigueur(paires, annee)
    lignes = []
    for paire, siennes in entrees.items():
        for nature in natures:
            try:
                version, ancienne = vivants.get((paire, nature), (0, None))
                ligne = _calculer(siennes, nature, ancienne)
            except (CalculImpossible, FluxNegatif, PartageImpossible) as erreur:
                calculs.erreurs[paire][nature] = typographier(f"Flux {nature.label} : {erreur}.")
                continue
            except Exception as erreur:
                # No query runs here: the transaction is sound, and one pair must not stop the others.
                journal.exception("Calcul %s %s %s %s", *paire, annee, nature)
                calculs.erreurs[paire][nature] = typographier(
                    f"Flux {nature.label} : erreur du programme ({type(erreur).__name__})."
                )
                continue
            if ligne is not None:
                calculs.nouveaux[paire].append(nature)
                lignes.append((paire, nature, version + 1, raisons[paire], ligne))
    if lignes:
        _ecrire(lignes, annee, maintenant)
    return calculs


@dataclass(slots=True)
class _Ligne:
    """One version ready to be written."""

    empreinte: str
    entrees: dict[str, Any]
    resultat: ResultatAnnuel
    json: dict[str, Any]
    avertissements: list[dict[str, Any]]
    millesime: int | None
    organisations: dict[str, int]


def _calculer(entrees: Entrees, nature: Nature, ancienne: str | None) -> _Ligne | None:
    """Apply the rules to the inputs of a pair; None when they are those of the live version."""
    taux = entrees.taux_rotation() if nature == Nature.PREVISIONNEL else None
    sources = entrees.en_json(nature, taux)
    nouvelle = empreinte(sources)
    if nouvelle == ancienne:
        return None
    annee = entrees.cadre.annee
    assiette = entrees.assiette
    liberations: list[LotLiberations] = []
    if nature == Nature.PREVISIONNEL:
        if taux is None and assiette.loues_ou_proposes:
            raise CalculImpossible(
                "aucun taux de rotation n’est connu. Fixez-en un dans la convention de l’État, ou importez un RPLS "
                "qui donne les dates de bail"
            )
        resultat = calculer_previsionnel(
            annee,
            entrees.cadre.actes,
            assiette,
            taux.points if taux else ZERO,  # nothing is let: nothing will be freed, at any rate
            entrees.soustractions,
            entrees.reports,
            taux.origine if taux else None,
        )
    else:
        liberations = entrees.lots_liberations()
        resultat = entrees.constater()
    return _Ligne(
        empreinte=nouvelle,
        entrees=sources,
        resultat=resultat,
        json=resultat_en_json(resultat, liberations, taux, sources["echelle"]),
        avertissements=avertir(entrees.cadre, resultat, entrees.questions(), entrees.millesime),
        millesime=entrees.millesime,
        organisations=entrees.cadre.organisations,
    )


def resultat_en_json(
    resultat: ResultatAnnuel,
    liberations: Sequence[LotLiberations],
    taux: TauxRotation | None,
    echelle: str | None,
) -> dict[str, Any]:
    """The bench's result, without its lines (imputations are rows), and what pages add to it.

    `territoires`: per commune × QPV. `communes`: the table of the parts in each commune, with échelle commune.
    `lignes`: the terms of each part (points × base ÷ 100). `taux_etat`: the État's rates, by period of the year.
    """
    forme = en_json("", resultat, {})
    del forme["titre"], forme["imputations"]
    forme["taux_rotation"] = taux and {"points": str(taux.points), "origine": taux.origine.value}
    forme["agents_exact"] = decimales(resultat.partage.agents_exact, 4)
    forme["lignes"] = {
        part.reservataire.code: [
            {
                "debut": ligne.periode.debut.isoformat(),
                "fin": ligne.periode.fin.isoformat(),
                "points": decimales(ligne.points, 4),
                "base": decimales(ligne.base, 4),
            }
            for ligne in part.lignes
        ]
        for part in resultat.partage.parts
        if part.lignes
    }
    forme["taux_etat"] = _taux_etat(resultat)
    forme["territoires"] = _territoires(resultat, liberations)
    if echelle == VersionConvention.Echelle.COMMUNE:
        forme["communes"] = {
            commune: {
                "flux": partage.flux,
                "parts": [
                    {
                        "reservataire": part.reservataire.code,
                        "part_exacte": decimales(part.exacte, 4),
                        "objectif": part.objectif,
                    }
                    for part in partage.parts
                ],
            }
            for commune, partage in partager_par_commune(
                resultat.flux, resultat.assiette, resultat.actes, resultat.annee
            ).items()
        }
    return forme


def _taux_etat(resultat: ResultatAnnuel) -> list[dict[str, str]]:
    """Gross, given back, net and agents, over each period of the year in which they do not change."""
    taux: list[dict[str, str]] = []
    for periode in periodes_de_taux(resultat.actes, resultat.annee):
        acte = acte_en_vigueur(resultat.actes, ETAT, periode.debut)
        if acte is None:
            continue
        ligne = {
            "brut": decimales(taux_brut(acte, periode.debut), 4),
            "retrocede": decimales(taux_retrocede(acte, periode.debut), 4),
            "net": decimales(taux_net(acte, periode.debut), 4),
            "agents": decimales(taux_des_agents(acte, periode.debut), 4),
            "derogation": taux_brut(acte, periode.debut) != acte.taux,
        }
        if taux and ligne.items() <= taux[-1].items():
            taux[-1]["fin"] = periode.fin.isoformat()
        else:
            taux.append(ligne | {"debut": periode.debut.isoformat(), "fin": periode.fin.isoformat()})
    return taux


def _territoires(
    resultat: ResultatAnnuel, liberations: Sequence[LotLiberations]
) -> list[dict[str, str | bool | int]]:
    """Everything per commune × QPV, by the same rule."""
    soumis = resultat.assiette.soumis_par_commune
    if resultat.nature == NatureRegle.PREVISIONNEL:
        flux = ventiler_previsionnel(resultat.flux, resultat.assiette)
        return [
            {"commune": commune, "qpv": qpv, "soumis": soumis.get((commune, qpv), 0), "flux": nombre}
            for (commune, qpv), nombre in flux.items()
        ]
    par_territoire = ventiler_liberations(liberations, resultat.annee, resultat.regime)
    rien = FluxTerritoire()
    return [
        {
            "commune": cle[0],
            "qpv": cle[1],
            "soumis": soumis.get(cle, 0),
            "liberations": flux.liberations,
            "soustractions": flux.liberations - flux.flux,
            "premieres_hors_flux": flux.premieres_hors_flux,
            "flux": flux.flux,
        }
        for cle in sorted(soumis.keys() | par_territoire.keys())
        for flux in (par_territoire.get(cle, rien),)
    ]


# --- Writing ------------------------------------------------------------------------------------------------


SUPPLANTER = """
UPDATE flux_calculflux c SET en_vigueur = false
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n(bailleur_id, departement_id, nature)
WHERE (c.bailleur_id, c.departement_id, c.nature) = (n.bailleur_id, n.departement_id, n.nature)
  AND c.annee = %s AND c.en_vigueur
"""
COLONNES_CALCUL = (
    *(
        "id",
        "bailleur_id",
        "departement_id",
        "annee",
        "nature",
        "version",
        "en_vigueur",
        "millesime",
        "calcule_le",
    ),
    *("empreinte", "raison", "parc", "soumis", "liberations", "soustractions", "flux"),
    *("entrees", "resultat", "etapes", "avertissements"),
)
COLONNES_PART = (
    *("calcul_id", "bailleur_id", "departement_id", "reservataire_id", "code", "rang"),
    *("part_exacte", "objectif", "report", "objectif_total", "realise"),
)


def _ecrire(
    lignes: Sequence[tuple[Paire, Nature, int, str, _Ligne]], annee: int, maintenant: datetime
) -> None:
    with connection.cursor() as curseur:
        curseur.execute(
            SUPPLANTER,
            [
                [paire[0] for paire, *_ in lignes],
                [paire[1] for paire, *_ in lignes],
                [nature.value for _, nature, *_ in lignes],
                annee,
            ],
        )
        curseur.execute(
            "SELECT nextval(pg_get_serial_sequence('flux_calculflux', 'id')) FROM generate_series(1, %s)",
            [len(lignes)],
        )
        numeros = [pk for (pk,) in curseur]
        with copie_vers(curseur, "flux_calculflux", COLONNES_CALCUL) as copie:
            for pk, (paire, nature, version, raison, ligne) in zip(numeros, lignes, strict=True):
                flux = ligne.resultat.flux
                copie.write_row(
                    (
                        pk,
                        *paire,
                        annee,
                        nature.value,
                        version,
                        True,
                        ligne.millesime,
                        maintenant,
                        ligne.empreinte,
                        raison,
                        ligne.resultat.assiette.parc,
                        ligne.resultat.assiette.soumis,
                        flux.liberations,
                        flux.liberations - flux.flux,
                        flux.flux,
                        _texte(ligne.entrees),
                        _texte(ligne.json),
                        _texte([etape.en_json() for etape in ligne.resultat.expliquer()]),
                        _texte(ligne.avertissements),
                    )
                )
        with copie_vers(curseur, "flux_partflux", COLONNES_PART) as copie:
            for pk, (paire, _, _, _, ligne) in zip(numeros, lignes, strict=True):
                parts, realises = ligne.resultat.partage.parts, ligne.resultat.realise
                for rang, (part, realise) in enumerate(zip(parts, realises, strict=True)):
                    copie.write_row(
                        (
                            pk,
                            *paire,
                            ligne.organisations.get(part.reservataire.code),
                            part.reservataire.code,
                            rang,
                            decimales(part.exacte, 4),
                            part.objectif,
                            part.report,
                            part.objectif_total,
                            realise.realise,
                        )
                    )


_texte = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
