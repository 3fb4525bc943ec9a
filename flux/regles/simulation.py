"""What-if: the rules of a year applied to other acts, and who gains or loses by it (R. 441-5 to R. 441-5-4).

Nothing is computed here in another way than in the year itself: acts are replaced, then `annee.calculer_definitif` is
called with them on the same libérations. What is compared is whole dwellings (which add up to the flux) and points of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from reservation.regles import articles
from reservation.regles.actes import (
    BAILLEUR,
    ETAT,
    ZERO,
    Acte,
    Derogation,
    Nature,
    Regime,
    Reservataire,
    Retrocession,
    periodes_de_taux,
    points,
)
from reservation.regles.periodes import annee_civile
from reservation.regles.typographie import accorder, decimal_fr, enumerer, taux_fr, typographier
from reservation.regles.validite import PLAFOND_AGENTS, PLAFOND_ETAT, PLAFOND_SOMME

from .annee import ResultatAnnuel
from .partage import Part


@dataclass(frozen=True, slots=True)
class Changements:
    """What an act under negotiation would change; None, or a code left out, is "as the acts in force".

    `taux`, `echec_consomme`: by code of réservataire. `derogation`, `retrocession`, `plancher_hors_qpv`: points that
    run all year, 0 for none. `echelle`: "DEPARTEMENT" or "COMMUNE"; it changes no share, only the table that is shown.
    """

    taux: Mapping[str, Fraction] = field(default_factory=dict)
    taux_agents: Fraction | None = None
    derogation: Fraction | None = None
    retrocession: Fraction | None = None
    plancher_hors_qpv: Fraction | None = None
    pli: bool | None = None
    residences_services: bool | None = None
    vente_demolition: bool | None = None
    locales: frozenset[str] | None = None
    premieres_mises_en_location: bool | None = None
    echec_consomme: Mapping[str, bool] = field(default_factory=dict)
    echelle: str | None = None

    @property
    def vides(self) -> bool:
        return self == Changements()


class SimulationImpossible(ValueError):
    """The acts so changed break a rule; `champ` is the field at fault, the message a French sentence."""

    def __init__(self, message: str, champ: str = "") -> None:
        super().__init__(typographier(message))
        self.champ = champ


# --- Replaced acts ------------------------------------------------------------------------------------------


def regime_change(regime: Regime, changements: Changements) -> Regime:
    """The régime of the year with what the simulation says of it."""
    exclusions = regime.exclusions
    for nom in ("pli", "residences_services", "vente_demolition", "locales"):
        valeur = getattr(changements, nom)
        if valeur is not None:
            exclusions = replace(exclusions, **{nom: valeur})
    regime = replace(regime, exclusions=exclusions)
    if changements.premieres_mises_en_location is not None:
        regime = replace(regime, premieres_mises_en_location=changements.premieres_mises_en_location)
    if changements.plancher_hors_qpv is not None:
        regime = replace(regime, plancher_hors_qpv=changements.plancher_hors_qpv or None)
    return regime


def remplacer(
    actes: Sequence[Acte],
    changements: Changements,
    annee: int,
    reservataires: Mapping[str, tuple[Reservataire, frozenset[str] | None]],
) -> tuple[Acte, ...]:
    """The acts of `annee` as if the changes had been in force; each keeps its own period, so that no date moves.

    A réservataire with a rate and no act in the year is given one for the whole year. `reservataires`: code →
    (who, its communes or None), of those that may need one. Without any change: the very acts that were given.
    """
    if changements.vides:
        return tuple(actes)
    nouveaux = [_changer(acte, changements, annee) for acte in actes]
    presents = {acte.reservataire.code for acte in actes}
    absents = [code for code in changements.taux if code not in presents]
    if ETAT.code not in presents and ETAT.code not in absents and _touche_l_etat(changements):
        absents.append(ETAT.code)
    an = annee_civile(annee)
    for code in absents:
        qui, communes = reservataires[code]
        neuf = Acte(
            qui,
            an.debut,
            an.fin,
            changements.taux.get(code, ZERO),
            changements.echec_consomme.get(code, False),
            communes,
            libelle="acte simulé",
        )
        nouveaux.append(_changer(neuf, changements, annee))
    return tuple(sorted(nouveaux, key=lambda acte: (acte.reservataire.rang, acte.debut)))


def _touche_l_etat(changements: Changements) -> bool:
    """Whether an act of the État is needed to carry a change."""
    return replace(changements, taux={}, echec_consomme={}, echelle=None) != Changements()


def _changer(acte: Acte, changements: Changements, annee: int) -> Acte:
    code = acte.reservataire.code
    taux = changements.taux.get(code, acte.taux)
    echec = changements.echec_consomme.get(code, acte.echec_consomme)
    acte = replace(acte, taux=taux, echec_consomme=echec)
    if acte.reservataire.nature != Nature.ETAT:
        return acte
    # Within the act's own days: no boundary appears in the year that was not there before.
    periode = acte.periode.commune_avec(annee_civile(annee)) or acte.periode
    if changements.taux_agents is not None:
        acte = replace(acte, taux_agents=changements.taux_agents)
    if changements.derogation is not None:
        derogation = Derogation(changements.derogation, periode.debut, periode.fin)
        acte = replace(acte, derogations=(derogation,) if changements.derogation else ())
    if changements.retrocession is not None:
        retrocession = None
        if changements.retrocession:
            retrocession = Retrocession(changements.retrocession, periode.debut, periode.fin)
            if acte.retrocession:
                retrocession = replace(retrocession, prise_sur=acte.retrocession.prise_sur)
        acte = replace(acte, retrocession=retrocession)
    return replace(acte, regime=regime_change(acte.regime, changements))


def verifier(actes: Sequence[Acte], changements: Changements, annee: int) -> None:
    """Refuse what no act may give (R. 441-5-2; domain, chapter 5). Raises `SimulationImpossible`.

    Only what the simulation touches is looked at: an act in force is as it was signed.
    """
    etat = changements.taux.get(ETAT.code)
    if etat is not None and etat > PLAFOND_ETAT:
        raise SimulationImpossible(
            f"L’État a {taux_fr(etat)} points du flux ; attendu : {taux_fr(PLAFOND_ETAT)} au plus. Au-delà, "
            f"simulez une dérogation ({articles.PART_ETAT}).",
            f"taux-{ETAT.code}",
        )
    agents = changements.taux_agents
    if agents is not None and agents > PLAFOND_AGENTS:
        raise SimulationImpossible(
            f"Les agents de l’État ont {taux_fr(agents)} points ; attendu : {taux_fr(PLAFOND_AGENTS)} points du "
            f"flux au plus ({articles.PART_ETAT}).",
            "taux_agents",
        )
    for acte in actes:
        if acte.reservataire != ETAT:
            continue
        if acte.taux_agents > acte.taux and (agents is not None or etat is not None):
            raise SimulationImpossible(
                f"Les agents auraient {taux_fr(acte.taux_agents)} points et l’État {taux_fr(acte.taux)} en "
                f"{annee} : la part des agents est comprise dans celle de l’État.",
                "taux_agents" if agents is not None else f"taux-{ETAT.code}",
            )
        for derogation in acte.derogations:
            if changements.derogation is not None and derogation.taux < acte.taux:
                raise SimulationImpossible(
                    f"La dérogation donne {taux_fr(derogation.taux)} points, moins que le taux de l’État "
                    f"({taux_fr(acte.taux)}) : elle ne peut que le relever.",
                    "derogation",
                )
        brut = min([acte.taux, *(d.taux for d in acte.derogations)])
        if acte.retrocession and acte.retrocession.taux > brut:
            raise SimulationImpossible(
                f"La rétrocession prend {taux_fr(acte.retrocession.taux)} points sur les {taux_fr(brut)} de l’État en "
                f"{annee} : elle ne peut pas le dépasser.",
                "retrocession_points" if changements.retrocession is not None else f"taux-{ETAT.code}",
            )
    communes = sorted({c for acte in actes for c in acte.communes or ()})
    for periode in periodes_de_taux(actes, annee):
        for commune in (None, *communes):
            if points(actes, BAILLEUR, periode.debut, commune) < 0:
                total = PLAFOND_SOMME - points(actes, BAILLEUR, periode.debut, commune)
                ou = f"sur la commune {commune}" if commune else "sur le département"
                raise SimulationImpossible(
                    f"En {annee}, les taux simulés réservent {taux_fr(total)} points du flux {ou} ; attendu : "
                    f"{taux_fr(PLAFOND_SOMME)} au plus. Baissez l’un d’eux."
                )


def echelle_simulee(echelle: str | None, changements: Changements) -> str:
    """Scale at which the État's share is shown; the département without an act that says otherwise."""
    return changements.echelle or echelle or "DEPARTEMENT"


# --- Comparison ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cote:
    """One réservataire on one side of the comparison. `taux`: points of its own base when one rate ran all year.

    `points`: its exact share, for 100 dwellings of the whole flux (0 without any flux). `requis`: the objective, report
    included; `atteint` None for the bailleur, whose rest is no objective.
    """

    taux: Fraction | None
    exacte: Fraction
    points: Fraction
    objectif: int
    requis: int
    realise: int
    atteint: bool | None

    @property
    def manque(self) -> int:
        return 0 if self.atteint is None else max(0, self.requis - self.realise)


@dataclass(frozen=True, slots=True)
class LigneComparee:
    """One réservataire in one year, under the acts in force and under the simulated ones."""

    reservataire: Reservataire
    avant: Cote
    apres: Cote

    @property
    def gain(self) -> int:
        """Whole dwellings; negative when it loses."""
        return self.apres.objectif - self.avant.objectif

    @property
    def gain_exact(self) -> Fraction:
        return self.apres.exacte - self.avant.exacte

    @property
    def gain_points(self) -> Fraction:
        return self.apres.points - self.avant.points


ABSENT = Cote(None, ZERO, ZERO, 0, 0, 0, True)


def comparer(avant: ResultatAnnuel, apres: ResultatAnnuel) -> tuple[LigneComparee, ...]:
    """Every réservataire of either side, in the order of the lists; objectives of a side add up to its flux."""
    gauche, droite = _cotes(avant), _cotes(apres)
    return tuple(
        LigneComparee(r, gauche.get(r, ABSENT), droite.get(r, ABSENT))
        for r in sorted(gauche.keys() | droite.keys(), key=lambda r: r.rang)
    )


def _cotes(resultat: ResultatAnnuel) -> dict[Reservataire, Cote]:
    flux = resultat.partage.flux
    realises = {r.reservataire: r for r in resultat.realise}
    return {
        part.reservataire: Cote(
            taux=_taux(part),
            exacte=part.exacte,
            points=100 * part.exacte / flux if flux else ZERO,
            objectif=part.objectif,
            requis=part.objectif_total,
            realise=realises[part.reservataire].realise,
            atteint=realises[part.reservataire].atteint,
        )
        for part in resultat.partage.parts
    }


def _taux(part: Part) -> Fraction | None:
    """The rate of the year; ALS has two terms when the rétrocession adds to its own act over the same days."""
    if part.points is not None:
        return part.points
    bases = {(ligne.periode, ligne.base) for ligne in part.lignes}
    return sum((ligne.points for ligne in part.lignes), ZERO) if len(bases) == 1 else None


# --- In sentences -------------------------------------------------------------------------------------------


def dire_gain(logements: int, exact: Fraction, points_gagnes: Fraction | None) -> str:
    """ "gagne 12 logements (+1,37 point)"; what less than a dwelling changes is said by its exact share.

    `points_gagnes` None: the reader does not know of the whole flux.
    """
    if points_gagnes is None:
        suite = ""
    elif not points_gagnes:
        suite = ", à points égaux"
    else:
        suite = f" ({_signe(points_gagnes)} {'point' if abs(points_gagnes) < 2 else 'points'} du flux)"
    if logements:
        verbe = "gagne" if logements > 0 else "perd"
        return typographier(f"{verbe} {accorder(abs(logements), 'logement')}{suite}")
    if exact:
        verbe = "gagne" if exact > 0 else "perd"
        return typographier(f"{verbe} moins d’un logement : {_signe(exact)}{suite}")
    return typographier(f"garde ses logements{suite}" if points_gagnes else "ne change pas")


def _signe(valeur: Fraction) -> str:
    texte = decimal_fr(valeur)
    if valeur and not any(c in "123456789" for c in texte):
        return "moins de 0,01"
    return f"+{texte}" if valeur > 0 else texte


def dire_objectif(avant: Cote, apres: Cote) -> str:
    """Whether the objective would have been met, beside what happened; empty for the bailleur."""
    if apres.atteint is None:
        return ""
    if not apres.requis:
        return "sans objectif à atteindre"
    if apres.atteint:
        verdict = "l’objectif aurait été atteint"
    else:
        verdict = f"il aurait manqué {accorder(apres.manque, 'logement')}"
    if bool(avant.atteint) == bool(apres.atteint):
        hier = "comme" if apres.atteint else f"{avant.manque}"
        return typographier(f"{verdict}, {hier} avec les actes en vigueur")
    hier = (
        "atteint avec les actes en vigueur"
        if avant.atteint
        else f"il en a manqué {avant.manque} avec les actes en vigueur"
    )
    return typographier(f"{verdict} ; {hier}")


def resumer(gains: Iterable[tuple[str, int]], annee: int, flux_avant: int, flux_apres: int) -> str:
    """One year in a sentence: who gains, who loses, and what became of the flux. `gains`: (name, dwellings)."""
    gagnants = [f"{nom} gagne {accorder(n, 'logement')}" for nom, n in gains if n > 0]
    perdants = [
        f"{nom} en perd {-n}" if gagnants else f"{nom} perd {accorder(-n, 'logement')}"
        for nom, n in gains
        if n < 0
    ]
    flux = ""
    if flux_apres != flux_avant:
        flux = f" Le flux passe de {flux_avant} à {accorder(flux_apres, 'logement')}."
    if not gagnants and not perdants:
        return typographier(f"En {annee}, personne ne gagne ni ne perd un logement entier.{flux}")
    return typographier(
        f"En {annee}, {' ; '.join(filter(None, (enumerer(gagnants), enumerer(perdants))))}.{flux}"
    )
