"""To whom a freed dwelling is best oriented today (domain, chapters 4, 5 and 13; R. 441-5 to R. 441-5-4).

The flux and its shares bear on the libérations of the year, so the balance does too: what each réservataire is due of
the dwellings freed so far, against those that it was already given. The shares come from `partage`, what counts for an
objective from `realise`: no rate is applied here. The result is a suggestion, never a decision.

In this order, for one dwelling of the flux:
1. those whose rights do not bear on the commune, or did not run on the day of the libération, cannot have it;
2. outside QPV the État passes first while it is short of a whole dwelling of its floor (R. 441-5-2; CA, art. 3);
3. a PLAI adapté goes to the État while it is behind: its public is in its contingent;
4. who needs every libération still expected on its territory until 31 December, since it will find no other;
5. who is furthest behind its share; ties in the order of every list (État, ALS, collectivités, autres, bailleur).
A première mise en location out of the flux follows the distribution agreed for its programme, and nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from reservation.regles import articles
from reservation.regles.actes import (
    BAILLEUR,
    ETAT,
    ZERO,
    Acte,
    Reservataire,
    droits,
    periodes_de_taux,
    points,
    regime_de_l_annee,
)
from reservation.regles.periodes import Periode
from reservation.regles.typographie import (
    accorder,
    date_fr,
    decimal_fr,
    entier_fr,
    taux_fr,
    typographier,
)

from .annuel import (
    FluxAnnuel,
    LotFlux,
    LotLiberations,
    Nature,
    calculer_flux_definitif,
    ventiler_previsionnel,
)
from .arrondis import repartir_plus_forts_restes
from .assiette import Assiette
from .imputation import Titre
from .partage import Partage, part_hors_qpv, partager_definitif
from .realise import LotEchecs, LotImpute, compte_pour_l_etat, compter_echecs

UN_LOGEMENT = Fraction(1)


# --- What is already done of the year ---------------------------------------------------------------------------


class Issue(StrEnum):
    """What became of an orientation."""

    EN_COURS = "EN_COURS"
    ATTRIBUEE = "ATTRIBUEE"
    ECHOUEE = "ECHOUEE"


class LotOriente(NamedTuple):
    """`nombre` dwellings of the year's flux oriented alike. `jour`: any day of their period of rates.

    `agents`: oriented to the agents of the État, or counted as one. `titre`, `motif`: of their imputation, once
    attributed (see `LotImpute`).
    """

    jour: date
    reservataire: Reservataire
    agents: bool
    qpv: bool
    issue: Issue
    titre: str
    motif: bool
    nombre: int


@dataclass(frozen=True, slots=True)
class Engages:
    """Dwellings of the year's flux that are somebody's, by code; `agents` and `etat_hors_qpv` are part of the État's."""

    par_code: Mapping[str, int] = field(default_factory=dict)
    agents: int = 0
    etat_hors_qpv: int = 0

    def de(self, reservataire: Reservataire) -> int:
        """How many dwellings of the flux are already this réservataire's."""
        return self.par_code.get(reservataire.code, 0)

    def avec(self, reservataire: Reservataire, qpv: bool, agents: bool = False) -> "Engages":
        """The same with one more dwelling for `reservataire`."""
        comptes = {**self.par_code, reservataire.code: self.de(reservataire) + 1}
        etat = reservataire == ETAT
        return Engages(comptes, self.agents + (etat and agents), self.etat_hors_qpv + (etat and not qpv))


def compter_engages(orientes: Iterable[LotOriente], actes: Sequence[Acte]) -> Engages:
    """Who has what of the dwellings oriented so far.

    A failed designation that uses up the right stays its réservataire's, any other is the bailleur's (chapter 13). An
    attribution of the État that fills no objective is nobody's: its contingent is still due the dwelling (chapter 6).
    """
    comptes: Counter[str] = Counter()
    agents = etat_hors_qpv = 0
    for lot in orientes:
        titulaire = _titulaire(lot, actes)
        if titulaire is None:
            continue
        comptes[titulaire.code] += lot.nombre
        if titulaire == ETAT:
            agents += lot.nombre if lot.agents and lot.issue != Issue.ECHOUEE else 0
            etat_hors_qpv += 0 if lot.qpv else lot.nombre
    return Engages(dict(comptes), agents, etat_hors_qpv)


def _titulaire(lot: LotOriente, actes: Sequence[Acte]) -> Reservataire | None:
    """Whose the dwellings of a lot are; None when they fill no objective."""
    if lot.issue == Issue.ECHOUEE and lot.reservataire != BAILLEUR:
        echec = LotEchecs(lot.reservataire, LotFlux(lot.jour, "", lot.qpv, lot.nombre))
        return lot.reservataire if compter_echecs([echec], actes) else BAILLEUR
    if lot.issue == Issue.ATTRIBUEE and lot.reservataire == ETAT:
        impute = LotImpute(ETAT.code, lot.titre or Titre.AUTRE, lot.motif, True, True, lot.qpv, lot.nombre)
        return ETAT if compte_pour_l_etat(impute) else None
    return lot.reservataire


# --- Where the year stands --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Balance:
    """The year of a bailleur in a département, as an orientation sees it.

    `a_ce_jour`: split of the flux declared so far; `projete`: the same with what is expected until 31 December.
    `hors_qpv`: exact dwellings outside QPV due to the État so far, None without the clause. `restants`: by commune,
    dwellings still to orient, declared or expected. `sans_convention`: codes that have points but signed nothing: their
    share stays with the bailleur until the préfet decides (chapter 13).
    """

    annee: int
    actes: tuple[Acte, ...]
    a_ce_jour: Partage
    projete: Partage
    hors_qpv: Fraction | None
    engages: Engages
    restants: Mapping[str, int]
    sans_convention: frozenset[str] = frozenset()

    @property
    def reservataires(self) -> tuple[Reservataire, ...]:
        return tuple(part.reservataire for part in self.a_ce_jour.parts)

    def attendu(self, reservataire: Reservataire) -> Fraction:
        """Exact dwellings due so far: the share of the flux declared, and as much of the report as of the flux."""
        part = self.a_ce_jour.part(reservataire)
        if reservataire == BAILLEUR:
            return part.exacte - self._reports_a_ce_jour(sum(p.report for p in self.a_ce_jour.parts))
        return part.exacte + self._reports_a_ce_jour(part.report)

    def _reports_a_ce_jour(self, report: int) -> Fraction:
        return Fraction(report * self.a_ce_jour.flux, self.projete.flux) if self.projete.flux else ZERO

    def retard(self, reservataire: Reservataire) -> Fraction:
        """Dwellings by which it is behind what it is due so far; negative when it is ahead."""
        return self.attendu(reservataire) - self.engages.de(reservataire)

    def objectif(self, reservataire: Reservataire) -> int:
        """Whole dwellings of the year, as projected today, report included."""
        return self.projete.part(reservataire).objectif_total

    @property
    def retard_hors_qpv(self) -> Fraction:
        """Dwellings outside QPV by which the État is short of its floor."""
        return ZERO if self.hors_qpv is None else self.hors_qpv - self.engages.etat_hors_qpv

    @property
    def agents_ouverts(self) -> int:
        """Dwellings that may still go to agents of the État under the ceiling of the flux declared so far."""
        return max(0, self.a_ce_jour.agents_max - self.engages.agents)

    def chances(self, reservataire: Reservataire, jour: date) -> int:
        """Dwellings still to orient until 31 December on which its rights bear."""
        siens = [
            d
            for acte in self.actes
            for d in droits(acte, jour)
            if d.reservataire == reservataire and d.points > 0
        ]
        if reservataire == BAILLEUR or any(d.communes is None for d in siens):
            return sum(self.restants.values())
        communes = frozenset().union(*(d.communes for d in siens))
        return sum(nombre for commune, nombre in self.restants.items() if commune in communes)

    def apres(self, commune: str, reservataire: Reservataire, qpv: bool, agents: bool = False) -> "Balance":
        """The balance once a dwelling still to orient is given to `reservataire`."""
        restants = {**self.restants, commune: max(0, self.restants.get(commune, 0) - 1)}
        return replace(self, engages=self.engages.avec(reservataire, qpv, agents), restants=restants)


def etaler_attendues(
    reste: int, assiette: Assiette, actes: Sequence[Acte], annee: int, jour: date
) -> tuple[LotFlux, ...]:
    """Where and when the `reste` dwellings still expected from `jour` to 31 December should be freed.

    Over the days of each period of rates, then over the communes as the projected flux is. Whole dwellings.
    """
    if reste <= 0:
        return ()
    avenir = Periode(max(jour, date(annee, 1, 1)), date(annee, 12, 31))
    periodes = [p.commune_avec(avenir) for p in periodes_de_taux(actes, annee)]
    periodes = [p for p in periodes if p is not None]
    nombres = repartir_plus_forts_restes([Fraction(reste * p.jours, avenir.jours) for p in periodes], reste)
    lots = []
    for periode, nombre in zip(periodes, nombres, strict=True):
        prevu = FluxAnnuel(Nature.PREVISIONNEL, nombre, 0, {}, nombre, None, ())
        for (commune, qpv), ici in ventiler_previsionnel(prevu, assiette).items():
            if ici:
                lots.append(LotFlux(periode.debut, commune, qpv, ici))
    return tuple(lots)


def dresser_balance(
    annee: int,
    actes: Sequence[Acte],
    flux: FluxAnnuel,
    attendues: Sequence[LotFlux],
    orientes: Sequence[LotOriente],
    a_orienter: Mapping[str, int],
    reports: Mapping[str, int] | None = None,
    sans_convention: frozenset[str] = frozenset(),
) -> Balance:
    """`flux`: observed so far, the dwellings still to orient included, `a_orienter` of them by commune.

    Raises `PartageImpossible`, as the split does.
    """
    regime = regime_de_l_annee(actes, annee)
    projete = calculer_flux_definitif(
        [LotLiberations(lot.jour, lot.commune, lot.qpv, "FLUX", False, False, lot.nombre)
         for lot in (*flux.lots, *attendues)],
        annee,
        regime,
    )  # fmt: skip
    restants = Counter(a_orienter)
    for lot in attendues:
        restants[lot.commune] += lot.nombre
    return Balance(
        annee=annee,
        actes=tuple(actes),
        a_ce_jour=partager_definitif(flux, actes, annee, reports),
        projete=partager_definitif(projete, actes, annee, reports),
        hors_qpv=part_hors_qpv(flux.lots, actes, annee, regime.plancher_hors_qpv),
        engages=compter_engages(orientes, actes),
        restants=dict(restants),
        sans_convention=sans_convention,
    )


# --- One dwelling -----------------------------------------------------------------------------------------------


class Logement(NamedTuple):
    """A dwelling to orient. `cle`: orders the dwellings freed on one day, the same way each time.

    `exclus`: codes of those that had it already, and whose designation failed. `tour`: for a première mise en location
    out of the flux, dwellings left to each code by the distribution agreed for `programme`; None otherwise.
    """

    cle: str
    jour: date
    commune: str
    qpv: bool
    plai_adapte: bool = False
    exclus: frozenset[str] = frozenset()
    tour: tuple[tuple[str, int], ...] | None = None
    programme: str = ""


class Raison(StrEnum):
    """Why a réservataire is suggested, could be, or cannot be: stable codes."""

    PLANCHER = "PLANCHER"
    PLAI_ADAPTE = "PLAI_ADAPTE"
    DERNIERES_CHANCES = "DERNIERES_CHANCES"
    RETARD = "RETARD"
    TOUR = "TOUR"
    MOINS_EN_RETARD = "MOINS_EN_RETARD"
    EGALITE = "EGALITE"
    EN_AVANCE = "EN_AVANCE"
    SANS_ACTE = "SANS_ACTE"
    SANS_CONVENTION = "SANS_CONVENTION"
    HORS_TERRITOIRE = "HORS_TERRITOIRE"
    DESIGNATION_ECHOUEE = "DESIGNATION_ECHOUEE"
    TOUR_EPUISE = "TOUR_EPUISE"

    @property
    def interdit(self) -> bool:
        return self in (
            Raison.SANS_ACTE,
            Raison.SANS_CONVENTION,
            Raison.HORS_TERRITOIRE,
            Raison.DESIGNATION_ECHOUEE,
        )


@dataclass(frozen=True, slots=True)
class Choix:
    """One réservataire before one dwelling. `points`: its rate there on that day; `engages`: dwellings already its.

    `ecart` and `ecart_apres`: engaged less due, now and if the dwelling were its. `texte`: the reason, a French clause.
    """

    reservataire: Reservataire
    points: Fraction
    engages: int
    objectif: int
    attendu: Fraction
    chances: int
    raison: Raison
    texte: str

    @property
    def possible(self) -> bool:
        return not self.raison.interdit

    @property
    def ecart(self) -> Fraction:
        return self.engages - self.attendu

    @property
    def ecart_apres(self) -> Fraction:
        return self.ecart + 1


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`choix`: every réservataire of the split, in the order of the lists. `phrase`: why `retenu`, with the figures.

    `agents_ouverts`: dwellings that may still go to agents of the État; the ceiling of the flux so far forbids more.
    `retenu` is None when nobody may have the dwelling but by a decision that the rule cannot make.
    """

    logement: Logement
    choix: tuple[Choix, ...]
    retenu: Reservataire | None
    raison: Raison | None
    phrase: str
    agents_engages: int
    agents_max: int

    @property
    def agents_ouverts(self) -> int:
        return max(0, self.agents_max - self.agents_engages)

    def pour(self, code: str) -> Choix | None:
        """The line of this réservataire."""
        return next((c for c in self.choix if c.reservataire.code == code), None)


def suggerer(balance: Balance, logement: Logement, noms: Mapping[str, str] | None = None) -> Suggestion:
    """The réservataire to whom this dwelling is best oriented, and why the others come after it or cannot have it.

    `noms`: names by code, for the sentences.
    """
    nommer = _Noms(noms or {})
    if logement.tour is not None:
        return _suggerer_un_tour(balance, logement, nommer)
    possibles: list[Reservataire] = []
    interdits: dict[Reservataire, Raison] = {}
    for reservataire in balance.reservataires:
        raison = _interdit(balance, logement, reservataire)
        if raison is None:
            possibles.append(reservataire)
        else:
            interdits[reservataire] = raison
    retenu, raison = _choisir(balance, logement, possibles)
    meilleur = balance.retard(retenu)
    choix = []
    for r in balance.reservataires:
        sienne = interdits.get(r) or (raison if r == retenu else _comparer(balance, r, meilleur))
        choix.append(_ligne(balance, logement, r, sienne, nommer))
    phrase = _phrase(balance, logement, retenu, raison, nommer)
    return _suggestion(balance, logement, choix, retenu, raison, phrase)


def suggerer_suite(
    balance: Balance, logements: Iterable[Logement], noms: Mapping[str, str] | None = None
) -> dict[str, Suggestion]:
    """The suggestion of each dwelling (by `cle`), the earlier ones being oriented as suggested.

    From the oldest libération, then by `cle`: dwellings freed on one day get the same suggestions whatever the order in
    which they are given, and following them all keeps everybody near its share.
    """
    suggestions = {}
    pris: Counter[tuple[str, str]] = Counter()
    for logement in sorted(logements, key=lambda lgt: (lgt.jour, lgt.cle)):
        if logement.tour is not None:
            reste = tuple((code, nombre - pris[logement.programme, code]) for code, nombre in logement.tour)
            logement = logement._replace(tour=reste)
        suggestion = suggerer(balance, logement, noms)
        suggestions[logement.cle] = suggestion
        if suggestion.retenu is None:
            continue
        if logement.tour is None:
            balance = balance.apres(logement.commune, suggestion.retenu, logement.qpv)
        else:
            pris[logement.programme, suggestion.retenu.code] += 1
    return suggestions


def _suggestion(
    balance: Balance,
    logement: Logement,
    choix: Sequence[Choix],
    retenu: Reservataire | None,
    raison: Raison | None,
    phrase: str,
) -> Suggestion:
    return Suggestion(
        logement,
        tuple(choix),
        retenu,
        raison,
        typographier(phrase),
        balance.engages.agents,
        balance.a_ce_jour.agents_max,
    )


def _interdit(balance: Balance, logement: Logement, reservataire: Reservataire) -> Raison | None:
    if reservataire == BAILLEUR:
        return None
    if reservataire.code in logement.exclus:
        return Raison.DESIGNATION_ECHOUEE
    if reservataire.code in balance.sans_convention:
        return Raison.SANS_CONVENTION
    if points(balance.actes, reservataire, logement.jour, logement.commune) > 0:
        return None
    ouverts = (d for acte in balance.actes for d in droits(acte, logement.jour))
    if any(d.reservataire == reservataire and d.points > 0 for d in ouverts):
        return Raison.HORS_TERRITOIRE
    return Raison.SANS_ACTE


def _choisir(
    balance: Balance, logement: Logement, possibles: Sequence[Reservataire]
) -> tuple[Reservataire, Raison]:
    """`possibles` holds the bailleur at least, in the order of the lists: the first wins a tie."""
    if ETAT in possibles:
        if not logement.qpv and balance.retard_hors_qpv >= UN_LOGEMENT:
            return ETAT, Raison.PLANCHER
        if logement.plai_adapte and balance.retard(ETAT) > 0:
            return ETAT, Raison.PLAI_ADAPTE
    presses = [r for r in possibles if _presse(balance, logement, r)]
    # Somebody else already a whole dwelling behind has waited longer than who may still be served by the last ones.
    retenu = max(possibles, key=balance.retard)
    if presses:
        presse = max(presses, key=balance.retard)
        if presse != retenu and balance.retard(retenu) < UN_LOGEMENT:
            return presse, Raison.DERNIERES_CHANCES
    return retenu, Raison.RETARD


def _presse(balance: Balance, logement: Logement, reservataire: Reservataire) -> bool:
    """Whether it is behind, and due as many dwellings as will still be freed where it has rights."""
    if reservataire == BAILLEUR or balance.retard(reservataire) <= 0:
        return False
    dus = balance.objectif(reservataire) - balance.engages.de(reservataire)
    return 0 < balance.chances(reservataire, logement.jour) <= dus


def _comparer(balance: Balance, reservataire: Reservataire, meilleur: Fraction) -> Raison:
    retard = balance.retard(reservataire)
    if retard <= 0:
        return Raison.EN_AVANCE
    return Raison.EGALITE if retard == meilleur else Raison.MOINS_EN_RETARD


# --- A first letting out of the flux ----------------------------------------------------------------------------


def _suggerer_un_tour(balance: Balance, logement: Logement, nommer: "_Noms") -> Suggestion:
    """Rights for one letting: who has most dwellings left of the distribution agreed, ties in the order of the lists."""
    restes = dict(logement.tour or ())
    choix, ouverts = [], []
    for r in balance.reservataires:
        if restes.get(r.code, 0) > 0 and r.code not in logement.exclus:
            ouverts.append((r, restes[r.code]))
    retenu = max(ouverts, key=lambda paire: paire[1])[0] if ouverts else None
    for r in balance.reservataires:
        if r == retenu:
            raison, texte = Raison.TOUR, _reste_du_tour(restes[r.code])
        elif r.code in logement.exclus:
            raison, texte = (
                Raison.DESIGNATION_ECHOUEE,
                "Impossible : sa désignation a échoué sur ce logement.",
            )
        elif restes.get(r.code, 0) > 0:
            raison, texte = Raison.MOINS_EN_RETARD, _reste_du_tour(restes[r.code])
        else:
            raison, texte = (
                Raison.TOUR_EPUISE,
                "La répartition convenue ne lui laisse plus de logement de ce programme.",
            )
        choix.append(_ligne(balance, logement, r, raison, nommer, texte))
    if retenu is None:
        phrase = "La répartition convenue en concertation est épuisée : le choix revient au bailleur."
        return _suggestion(balance, logement, choix, None, None, phrase)
    phrase = (
        f"Première mise en location, hors flux : la répartition convenue en concertation laisse "
        f"{accorder(restes[retenu.code], 'logement')} de ce programme à {nommer(retenu)}, le plus grand reste."
    )
    return _suggestion(balance, logement, choix, retenu, Raison.TOUR, phrase)


def _reste_du_tour(reste: int) -> str:
    return f"Droits pour un tour : il lui reste {accorder(reste, 'logement')} de ce programme."


# --- In words ---------------------------------------------------------------------------------------------------


class _Noms:
    """Names of réservataires in the sentences."""

    def __init__(self, noms: Mapping[str, str]) -> None:
        self._noms = noms

    def __call__(self, reservataire: Reservataire) -> str:
        """ "l’État", "Action Logement Services", "Commune de Cannes", "le bailleur"."""
        if reservataire == ETAT:
            return "l’État"
        if reservataire == BAILLEUR:
            return "le bailleur"
        return self._noms.get(reservataire.code) or reservataire.titre


def _ligne(
    balance: Balance,
    logement: Logement,
    reservataire: Reservataire,
    raison: Raison,
    nommer: _Noms,
    texte: str = "",
) -> Choix:
    return Choix(
        reservataire=reservataire,
        points=points(balance.actes, reservataire, logement.jour, logement.commune),
        engages=balance.engages.de(reservataire),
        objectif=balance.objectif(reservataire),
        attendu=balance.attendu(reservataire),
        chances=balance.chances(reservataire, logement.jour),
        raison=raison,
        texte=typographier(texte or _pourquoi(balance, logement, reservataire, raison)),
    )


def _pourquoi(balance: Balance, logement: Logement, reservataire: Reservataire, raison: Raison) -> str:
    retard = balance.retard(reservataire)
    match raison:
        case Raison.SANS_ACTE:
            return f"Impossible : aucun acte ne lui donnait de droits le {date_fr(logement.jour)}."
        case Raison.SANS_CONVENTION:
            return "Impossible : aucune convention signée ; sa part reste au bailleur, en attente du préfet."
        case Raison.HORS_TERRITOIRE:
            return "Impossible : le logement n’est pas sur son territoire."
        case Raison.DESIGNATION_ECHOUEE:
            return "Impossible : sa désignation a échoué sur ce logement."
        case Raison.PLANCHER:
            return f"Plancher hors QPV : {_hors_qpv(balance)}. Il passe d’abord."
        case Raison.PLAI_ADAPTE:
            return f"PLAI adapté, destiné à son public ; en retard de {_logements(retard)}."
        case Raison.DERNIERES_CHANCES:
            return f"En retard de {_logements(retard)} ; {_chances(balance, logement, reservataire)}."
        case Raison.RETARD if retard > 0:
            return f"Le plus en retard sur sa part : {_logements(retard)}."
        case Raison.RETARD:
            return "Le moins en avance sur sa part."
        case Raison.EGALITE:
            return f"Autant en retard : {_logements(retard)} ; l’ordre des réservataires départage."
        case Raison.MOINS_EN_RETARD:
            meilleur = retard >= max(balance.retard(r) for r in balance.reservataires)
            debut = "Plus en retard" if meilleur else "En retard aussi"
            return f"{debut} ({_logements(retard)}), servi après."
        case _:
            return f"En avance sur sa part de {_logements(-retard)}." if retard else "Juste à sa part."


def _logements(nombre: Fraction) -> str:
    """ "0,72 logement", "2,40 logements"."""
    return f"{decimal_fr(nombre)} logement{'s' if nombre >= 2 else ''}"


def _hors_qpv(balance: Balance) -> str:
    return (
        f"{entier_fr(balance.engages.etat_hors_qpv)} engagés hors QPV, "
        f"{decimal_fr(balance.hors_qpv or ZERO)} attendus"
    )


def _chances(balance: Balance, logement: Logement, reservataire: Reservataire) -> str:
    nombre = balance.chances(reservataire, logement.jour)
    return f"{accorder(nombre, 'libération attendue', 'libérations attendues')} où il a des droits d’ici au 31 décembre"


def _phrase(balance: Balance, logement: Logement, retenu: Reservataire, raison: Raison, nommer: _Noms) -> str:
    """One sentence, with the figures that decided."""
    qui = nommer(retenu)
    engages, attendu = entier_fr(balance.engages.de(retenu)), decimal_fr(balance.attendu(retenu))
    objectif = entier_fr(balance.objectif(retenu))
    situation = (
        f"{engages} engagés sur {objectif} visés en {balance.annee}, pour {attendu} attendus à ce jour"
    )
    match raison:
        case Raison.PLANCHER:
            return (
                f"Le logement est hors QPV et l’État y est sous son plancher : {_hors_qpv(balance)} à ce jour "
                f"({articles.PART_ETAT})."
            )
        case Raison.PLAI_ADAPTE:
            return f"Le logement est un PLAI adapté, destiné au public de l’État, en retard sur sa part : {situation}."
        case Raison.DERNIERES_CHANCES:
            return f"Il ne reste que {_chances(balance, logement, retenu)} pour {qui}, en retard sur sa part : {situation}."
    if retenu == BAILLEUR:
        taux = taux_fr(points(balance.actes, retenu, logement.jour, logement.commune))
        return (
            f"Aucun réservataire n’est plus en retard que la part non réservée ({taux} points ici) : {engages} "
            f"gardés par le bailleur, pour {attendu} attendus à ce jour."
        )
    return f"Le plus en retard sur sa part est {qui} : {situation}."
