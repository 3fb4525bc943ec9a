"""What makes acts invalid, alone or together: the forms of conventions and the test bench ask the same questions.

Each function returns every anomaly that it finds, with the acts concerned and the figures; none raises.
Positions (`rangs`) are those of the sequence of acts that was given.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import combinations

from . import articles
from .actes import (
    CODES_RESERVES,
    ZERO,
    Acte,
    Droit,
    Nature,
    Reservataire,
    droits,
    taux_brut,
    taux_net,
    taux_retrocede,
)
from .periodes import Periode, decouper
from .typographie import date_fr, enumerer, taux_fr, typographier

PLAFOND_ETAT = Fraction(30)
PLAFOND_AGENTS = Fraction(5)
DUREE_DEROGATION = 366
PLAFOND_SOMME = Fraction(100)
SEUIL_GARANTIES = Fraction(20)


@dataclass(frozen=True, slots=True)
class Anomalie:
    """`code`: stable; `message`: what is wrong; `attendu`: what was expected, both in French.

    `rangs`: positions of the acts concerned; `champ`: the field at fault in the last of them
    ("taux_agents", "derogations[1].fin"), empty when none alone is; `donnees`: figures for the caller.
    """

    code: str
    message: str
    attendu: str
    rangs: tuple[int, ...]
    champ: str = ""
    donnees: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", typographier(self.message))
        object.__setattr__(self, "attendu", typographier(self.attendu))


def nommer(acte: Acte) -> str:
    """The name of the act, or its dates when it has none."""
    return acte.libelle or f"acte du {date_fr(acte.debut)} au {date_fr(acte.fin)}"


def verifier_acte(
    acte: Acte,
    rang: int = 0,
    *,
    plafond_etat: Fraction = PLAFOND_ETAT,
    plafond_agents: Fraction = PLAFOND_AGENTS,
    duree_derogation: int = DUREE_DEROGATION,
) -> list[Anomalie]:
    """An act by itself: dates in order, ceilings of the État, dérogations of one year at most (R. 441-5-2).

    `duree_derogation` in days, both ends counted: 366, so that a year is a year even when it is leap.
    """
    anomalies = []

    def signaler(code: str, champ: str, message: str, attendu: str, **donnees: object) -> None:
        anomalies.append(Anomalie(code, message, attendu, (rang,), champ, donnees))

    periodes = [
        ("", acte.periode),
        *((f"derogations[{i}].", d.periode) for i, d in enumerate(acte.derogations)),
    ]
    if acte.retrocession:
        periodes.append(("retrocession.", acte.retrocession.periode))
    for prefixe, periode in periodes:
        if periode.fin < periode.debut:
            signaler(
                "PERIODE_INVERSEE",
                f"{prefixe}fin",
                f"la fin ({date_fr(periode.fin)}) précède le début ({date_fr(periode.debut)})",
                "une fin égale ou postérieure au début",
            )
    if acte.reservataire.nature != Nature.ETAT:
        return anomalies
    if acte.taux > plafond_etat:
        signaler(
            "ETAT_AU_DESSUS_DU_PLAFOND",
            "taux",
            f"l’État a {taux_fr(acte.taux)} points du flux",
            f"{taux_fr(plafond_etat)} points au plus, sauf arrêté de dérogation ({articles.PART_ETAT})",
            taux=acte.taux,
        )
    if acte.taux_agents > plafond_agents:
        signaler(
            "AGENTS_AU_DESSUS_DU_PLAFOND",
            "taux_agents",
            f"les agents de l’État ont {taux_fr(acte.taux_agents)} points du flux",
            f"{taux_fr(plafond_agents)} points au plus ({articles.PART_ETAT})",
            taux=acte.taux_agents,
        )
    for i, derogation in enumerate(acte.derogations):
        if (jours := derogation.periode.jours) > duree_derogation:
            signaler(
                "DEROGATION_TROP_LONGUE",
                f"derogations[{i}].fin",
                f"la dérogation dure {jours} jours, premier et dernier comptés",
                f"un an au plus, soit {duree_derogation} jours ({articles.PART_ETAT})",
                jours=jours,
            )
    for (i, premiere), (j, seconde) in combinations(enumerate(acte.derogations), 2):
        if commun := premiere.periode.commune_avec(seconde.periode):
            signaler(
                "DEROGATIONS_QUI_SE_CHEVAUCHENT",
                f"derogations[{j}].debut",
                f"cette dérogation et derogations[{i}] courent toutes deux le {date_fr(commun.debut)}",
                "une seule dérogation par jour",
                jour=commun.debut,
            )
    return anomalies


def verifier_chevauchements(actes: Sequence[Acte]) -> list[Anomalie]:
    """One active act per réservataire on any day, in the year looked at or not (domain, chapter 5)."""
    anomalies = []
    for (i, premier), (j, second) in combinations(enumerate(actes), 2):
        commun = premier.periode.commune_avec(second.periode)
        if premier.reservataire == second.reservataire and commun:
            anomalies.append(
                Anomalie(
                    "ACTES_QUI_SE_CHEVAUCHENT",
                    f"deux actes pour {second.reservataire.titre} sont en vigueur le "
                    f"{date_fr(commun.debut)} : {nommer(premier)} et {nommer(second)}",
                    "un seul acte par réservataire et par jour",
                    (i, j),
                    "debut",
                    {"jour": commun.debut},
                )
            )
    return anomalies


def verifier_codes(reservataires: Sequence[Reservataire]) -> list[Anomalie]:
    """A code names one réservataire: two natures under one code would merge two shares."""
    anomalies = []
    natures: dict[str, Nature] = {}
    for rang, reservataire in enumerate(reservataires):
        if reservataire.nature in (Nature.ETAT, Nature.ALS, Nature.BAILLEUR):
            continue
        if reservataire.code in CODES_RESERVES:
            anomalies.append(
                Anomalie(
                    "CODE_RESERVE",
                    f"le code « {reservataire.code} » est réservé",
                    "un code autre que ETAT, ALS et BAILLEUR",
                    (rang,),
                    "code",
                )
            )
        elif natures.setdefault(reservataire.code, reservataire.nature) != reservataire.nature:
            anomalies.append(
                Anomalie(
                    "CODE_DE_DEUX_NATURES",
                    f"le code « {reservataire.code} » désigne à la fois une collectivité et un autre réservataire",
                    "un code par réservataire",
                    (rang,),
                    "code",
                )
            )
    return anomalies


def verifier_taux_net(actes: Sequence[Acte], periode: Periode) -> list[Anomalie]:
    """The État cannot give back more points than it has, on any day of `periode` (PACA, art. 4 c)."""
    anomalies = []
    for rang, acte in enumerate(actes):
        en_vigueur = acte.periode.commune_avec(periode)
        if en_vigueur is None:
            continue
        for jour in (partie.debut for partie in decouper(en_vigueur, acte.bornes)):
            if taux_net(acte, jour) < 0:
                anomalies.append(
                    Anomalie(
                        "TAUX_NET_NEGATIF",
                        f"le {date_fr(jour)}, la rétrocession ({taux_fr(taux_retrocede(acte, jour))}) dépasse le "
                        f"taux de l’État ({taux_fr(taux_brut(acte, jour))})",
                        "un taux net de l’État d’au moins 0 point chaque jour",
                        (rang,),
                        "taux",
                        {"jour": jour, "net": taux_net(acte, jour)},
                    )
                )
                break
    return anomalies


def verifier_somme(
    actes: Sequence[Acte], periode: Periode, plafond: Fraction = PLAFOND_SOMME
) -> list[Anomalie]:
    """The rest of the bailleur is never negative: at most 100 points on any commune, any day of `periode`.

    Communes are those that an act names; every other one has the rights of the whole département, tested
    first. One anomaly per set of acts, on the first day where it goes over, with all the communes where it does.
    """
    constats: dict[tuple[int, ...], tuple[date, Fraction, set[str], list[tuple[int, Droit]]]] = {}
    jour_departement = None
    for jour, commune, ouverts in _droits_par_commune(actes, periode):
        total = sum((droit.points for _, droit in ouverts), ZERO)
        if total > plafond and jour != jour_departement:
            if commune is None:
                jour_departement = jour  # every commune is over too: said once, for the département
            rangs = tuple(sorted({rang for rang, droit in ouverts if droit.points}))
            _, _, touchees, _ = constats.setdefault(rangs, (jour, total, set(), ouverts))
            if commune is not None:
                touchees.add(commune)
    return [
        Anomalie(
            "SOMME_AU_DESSUS_DE_100",
            f"le {date_fr(jour)}, {_lieu(touchees)}, les taux font {taux_fr(total)} points : "
            + enumerer(
                f"{taux_fr(d.points)} pour {d.reservataire.titre} ({nommer(actes[r])})" for r, d in ouverts
            ),
            f"{taux_fr(plafond)} points au plus, pour que la part du bailleur ne soit pas négative",
            rangs,
            "",
            {"jour": jour, "total": total, "communes": tuple(sorted(touchees))},
        )
        for rangs, (jour, total, touchees, ouverts) in constats.items()
    ]


def avertir_garanties(
    actes: Sequence[Acte], periode: Periode, seuil: Fraction = SEUIL_GARANTIES
) -> list[Anomalie]:
    """Warning, not a refusal: over 20 points for all the collectivités of one commune (R. 441-5-3).

    Rights held against a loan guarantee stop at 20 points; more needs another counterpart (land, subsidy).
    """
    avertissements = {}
    for jour, commune, ouverts in _droits_par_commune(actes, periode):
        locaux = [(r, d) for r, d in ouverts if d.reservataire.nature == Nature.COLLECTIVITE]
        total = sum((droit.points for _, droit in locaux), ZERO)
        if total > seuil and commune not in avertissements:
            avertissements[commune] = Anomalie(
                "COLLECTIVITES_AU_DELA_DES_GARANTIES",
                f"{_lieu({commune} if commune else set())}, les collectivités ont {taux_fr(total)} points : "
                + enumerer(f"{d.reservataire.titre} pour {taux_fr(d.points)}" for _, d in locaux),
                f"{taux_fr(seuil)} points au plus au titre des garanties d’emprunt "
                f"({articles.GARANTIE_EMPRUNTS}) : vérifiez qu’il existe une autre contrepartie",
                tuple(rang for rang, _ in locaux),
                "",
                {"jour": jour, "total": total, "communes": (commune,) if commune else ()},
            )
    return list(avertissements.values())


def verifier_actes(actes: Sequence[Acte], periode: Periode) -> list[Anomalie]:
    """All of the above on acts that live together. The sum is not tested while two acts overlap: it would
    count one réservataire twice and name a second fault that is the first one."""
    anomalies = [anomalie for rang, acte in enumerate(actes) for anomalie in verifier_acte(acte, rang)]
    chevauchements = verifier_chevauchements(actes)
    anomalies += verifier_codes([acte.reservataire for acte in actes])
    anomalies += chevauchements
    anomalies += verifier_taux_net(actes, periode)
    if not chevauchements:
        anomalies += verifier_somme(actes, periode)
    return anomalies


def _droits_par_commune(
    actes: Sequence[Acte], periode: Periode
) -> Iterator[tuple[date, str | None, list[tuple[int, Droit]]]]:
    """(first day, commune, open rights) of each part of `periode`, for the whole département (None), then for
    each commune that has rights of its own besides."""
    for partie in decouper(periode, [borne for acte in actes for borne in acte.bornes]):
        ouverts = [(rang, d) for rang, acte in enumerate(actes) for d in droits(acte, partie.debut)]
        communs = [(rang, droit) for rang, droit in ouverts if droit.communes is None]
        locaux: dict[str, list[tuple[int, Droit]]] = defaultdict(list)
        for rang, droit in ouverts:
            for commune in droit.communes or ():
                locaux[commune].append((rang, droit))
        yield partie.debut, None, communs
        for commune in sorted(locaux):
            yield partie.debut, commune, communs + locaux[commune]


def _lieu(communes: set[str], montrees: int = 5) -> str:
    """French place of an anomaly; a long list of communes is cut, the data keep it whole."""
    if not communes:
        return "dans tout le département"
    noms = sorted(communes)
    if len(noms) > montrees:
        noms = [*noms[:montrees], f"{len(communes) - montrees} autres"]
    return ("dans la commune " if len(communes) == 1 else "dans les communes ") + enumerer(noms)
