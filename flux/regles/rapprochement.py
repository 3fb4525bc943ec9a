"""Reconciliation: what the SNE, SYPLO and Imhoweb say, line by line, against the attributions recorded here.

Lines of one household that tell one attribution (decision, lease, radiation) are one `Fait`. Facts and attributions are
matched one to one within a household, by their dates, then the gaps of each line are named (domain, chapters 6, 7 and
9). Pure and deterministic: the order of the lines changes nothing, every line ends in exactly one place.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from publics.regles.groupes import Label, label_valide

RADIATION_ATTRIBUTION = "RADATT"
SANS_ATTRIBUTION = frozenset({"NON_ATTR", "IRRECEV"})
DELAI_BAIL = 183  # a lease follows its CALEOL within six months
DELAI_RADIATION = 366  # the radiation of an attribution, within the year (R. 441-2-8)


class Contingent(StrEnum):
    """Whose dwelling an attribution was, with the code that the SNE gives it."""

    ETAT_PRIORITAIRE = "ETAT_PRIORITAIRE"
    ETAT_AGENT = "ETAT_AGENT"
    ALS = "ALS"
    COLLECTIVITE = "COLLECTIVITE"
    AUTRE = "AUTRE"
    BAILLEUR = "BAILLEUR"

    @property
    def libelle(self) -> str:
        return _CONTINGENTS[self][0]

    @property
    def code_sne(self) -> str:
        return _CONTINGENTS[self][1]


_CONTINGENTS = {
    Contingent.ETAT_PRIORITAIRE: ("État, prioritaires", "PPRIOR"),
    Contingent.ETAT_AGENT: ("État, agents civils et militaires", "PFONCT"),
    Contingent.ALS: ("Action Logement Services", "COLACT"),
    Contingent.COLLECTIVITE: ("collectivités", "COLTER"),
    Contingent.AUTRE: ("autres réservataires", "AUTRES"),
    Contingent.BAILLEUR: ("hors contingent, non réservé", "AUCUN"),
}


class NatureEcart(StrEnum):
    """What does not agree; a line may have several, of different natures, one of the three of labels at most."""

    SNE_SEUL = "SNE_SEUL"
    ICI_SEUL = "ICI_SEUL"
    LABEL_ABSENT = "LABEL_ABSENT"
    LABEL_TARDIF = "LABEL_TARDIF"
    LABEL_EXPIRE = "LABEL_EXPIRE"
    CONTINGENT = "CONTINGENT"
    MOTIF = "MOTIF"
    RADIATION = "RADIATION"
    BAIL_ABSENT = "BAIL_ABSENT"

    @property
    def libelle(self) -> str:
        return LIBELLES_ECART[self]


LIBELLES_ECART = {
    NatureEcart.SNE_SEUL: "dans le SNE, pas ici",
    NatureEcart.ICI_SEUL: "ici, pas dans le SNE",
    NatureEcart.LABEL_ABSENT: "label absent à la CALEOL",
    NatureEcart.LABEL_TARDIF: "label postérieur à la CALEOL",
    NatureEcart.LABEL_EXPIRE: "label échu à la CALEOL",
    NatureEcart.CONTINGENT: "contingent différent",
    NatureEcart.MOTIF: "motif de priorité différent",
    NatureEcart.RADIATION: "motif de radiation différent",
    NatureEcart.BAIL_ABSENT: "bail manquant",
}
NATURES_LABEL = (NatureEcart.LABEL_ABSENT, NatureEcart.LABEL_TARDIF, NatureEcart.LABEL_EXPIRE)


class Lieu(StrEnum):
    """Where the correction is made."""

    SNE = "SNE"
    LABELS = "LABELS"  # the tool that keeps the labels: SYPLO, or Imhoweb
    ICI = "ICI"


class Responsable(StrEnum):
    """Who must act."""

    BAILLEUR = "BAILLEUR"
    DDETS = "DDETS"
    ALS = "ALS"
    COLLECTIVITE = "COLLECTIVITE"

    @property
    def libelle(self) -> str:
        return {
            "BAILLEUR": "bailleur",
            "DDETS": "DDETS",
            "ALS": "Action Logement Services",
            "COLLECTIVITE": "collectivité",
        }[self.value]


class Place(StrEnum):
    """Where a line ends: each in exactly one."""

    RAPPROCHEE = "RAPPROCHEE"
    SEULE = "SEULE"
    HORS_PERIODE = "HORS_PERIODE"
    LABEL = "LABEL"  # tells a label only: read with the attributions of its household
    SANS_OBJET = "SANS_OBJET"  # nothing here nor there that it could be about
    NON_COUVERTE = "NON_COUVERTE"  # here, on a day that no extract covers
    REFUSEE = "REFUSEE"  # here, refused by the household, and nothing in the SNE: nothing to compare


class Evenement(NamedTuple):
    """One line of an extract. `menage`: the same text for the same household on both sides.

    `caleol`: decision, or attribution when the file gives no other date. `contingent`: `Contingent`, "" unread.
    `motif`: category that the line gives as motive. `label`: category of the label it tells, with its period.
    """

    id: int
    menage: str
    caleol: date | None = None
    bail: date | None = None
    radie: date | None = None
    radiation: str = ""
    decision: str = ""
    logement: str = ""
    contingent: str = ""
    motif: str = ""
    label: str = ""
    label_debut: date | None = None
    label_fin: date | None = None

    @property
    def attribue(self) -> bool:
        """Whether the line tells an attribution: a decision that is one, a lease, a radiation for that reason."""
        if self.decision in SANS_ATTRIBUTION:
            return False
        return bool(self.caleol or self.bail or (self.radie and self.radiation == RADIATION_ATTRIBUTION))


class AttributionLocale(NamedTuple):
    """One attribution recorded here. `contingent`: `Contingent`, "" when it leaves the flux (nothing to compare).

    `attendu`: a label is due (contingent of the État outside agents, without a logged reason). `connu_du`, `connu_au`:
    days that the extracts of its bailleur cover; what happened here outside them is no gap. None: no limit.
    """

    id: int
    menage: str
    caleol: date
    bail: date | None = None
    refusee: bool = False
    logement: str = ""
    contingent: str = ""
    attendu: bool = False
    labels: tuple[Label, ...] = ()
    connu_du: date | None = None
    connu_au: date | None = None

    def couvre(self, jour: date) -> bool:
        return (self.connu_du is None or self.connu_du <= jour) and (
            self.connu_au is None or jour <= self.connu_au
        )


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Days between two dates of one act: of the same act, and when the dwelling is the same on both sides."""

    dates: int = 7
    logement: int = 31


@dataclass(frozen=True, slots=True)
class Corrections:
    """What people decided: (key of a fact, attribution) that are one, or that are not."""

    lies: Collection[tuple[str, int]] = frozenset()
    separes: Collection[tuple[str, int]] = frozenset()


@dataclass(slots=True)
class Fait:
    """The lines that tell one attribution. `cle`: stable from one extract to the next, for the decisions of people."""

    menage: str
    lignes: list[Evenement]
    caleol: date | None = None
    bail: date | None = None
    radie: date | None = None
    radiation: str = ""
    logement: str = ""
    contingent: str = ""
    motif: str = ""

    @property
    def jour(self) -> date:
        return self.caleol or self.bail or self.radie

    @property
    def cle(self) -> str:
        return f"{self.menage}|{self.jour.isoformat()}|{self.logement}"

    @property
    def loue(self) -> bool:
        """A signed lease is told: its date, or the radiation that it brings (R. 441-2-8, a)."""
        return self.bail is not None or self.radiation == RADIATION_ATTRIBUTION


class Lien(StrEnum):
    """Why a fact and an attribution are one."""

    DATE = "DATE"
    INVERSION = "INVERSION"
    LOGEMENT = "LOGEMENT"
    BAIL = "BAIL"
    RADIATION = "RADIATION"
    MANUEL = "MANUEL"


class Appariement(NamedTuple):
    """`jours`: between the two dates compared. `autre_logement`: both name a dwelling, and not the same."""

    lien: Lien
    jours: int = 0
    autre_logement: bool = False


class Ecart(NamedTuple):
    """`sne`, `ici`: the two values that differ (codes, or dates as ISO). `recuperable`: mended here, the attribution
    would count, or count for more."""

    nature: NatureEcart
    lieu: Lieu
    responsable: Responsable
    sne: str = ""
    ici: str = ""
    recuperable: bool = False


class Ligne(NamedTuple):
    """One line of the result: a fact, an attribution, or both; then how they were matched, and what differs."""

    fait: Fait | None
    attribution: AttributionLocale | None
    appariement: Appariement | None
    ecarts: tuple[Ecart, ...] = ()


@dataclass(slots=True)
class Resultat:
    """`places`: of each external line; `places_ici`: of each attribution. `lignes`: in a stable order."""

    lignes: list[Ligne] = field(default_factory=list)
    places: dict[int, Place] = field(default_factory=dict)
    places_ici: dict[int, Place] = field(default_factory=dict)

    @property
    def rapprochees(self) -> int:
        return sum(ligne.appariement is not None for ligne in self.lignes)

    def compter(self) -> dict[str, int]:
        """Gaps by nature, all natures there."""
        comptes = dict.fromkeys(NatureEcart, 0)
        for ligne in self.lignes:
            for ecart in ligne.ecarts:
                comptes[ecart.nature] += 1
        return {nature.value: nombre for nature, nombre in comptes.items()}


def rapprocher(
    evenements: Iterable[Evenement],
    attributions: Iterable[AttributionLocale],
    debut: date,
    fin: date,
    *,
    tolerances: Tolerances = Tolerances(),
    corrections: Corrections = Corrections(),
    avec_labels: bool = True,
) -> Resultat:
    """Reconcile the period `debut`..`fin` (both included).

    What lies outside the period is given too (a few days around), to be matched; alone, it is left out. `avec_labels`:
    an extract of labels is among the sources; without any, only the labels recorded here are judged.
    """
    resultat = Resultat()
    # A household has one line here, one there, nearly always: plain lists, sorted once.
    externes: dict[str, list[Evenement]] = defaultdict(list)
    labels: dict[str, list[Label]] = defaultdict(list)
    for evenement in evenements:
        if evenement.label and evenement.label_debut:
            labels[evenement.menage].append(
                Label(evenement.label, evenement.label_debut, evenement.label_fin)
            )
        externes[evenement.menage].append(evenement)
    locales: dict[str, list[AttributionLocale]] = defaultdict(list)
    par_id: dict[int, AttributionLocale] = {}
    for attribution in attributions:
        locales[attribution.menage].append(attribution)
        par_id[attribution.id] = attribution
    lies = dict(sorted(corrections.lies))
    separes = frozenset(corrections.separes)
    juge = _Juge(debut, fin, labels if avec_labels else None)
    faits: dict[str, tuple[list[Fait], list[Evenement]]] = {
        menage: regrouper(lignes, tolerances) for menage, lignes in externes.items()
    }
    pris_a_la_main = _lier_a_la_main(faits, par_id, lies, resultat, juge)
    for menage in sorted(externes.keys() | locales.keys()):
        siens, isolees = faits.get(menage, ((), ()))
        libres = [fait for fait in siens if fait.cle not in pris_a_la_main[0]]
        ici = [a for a in locales.get(menage, ()) if a.id not in pris_a_la_main[1]]
        ici.sort(key=lambda a: (a.caleol, a.id))
        paires = apparier(libres, ici, tolerances, separes)
        radiations = _rattacher(isolees, ici, tolerances, resultat)
        for rang, fait in enumerate(libres):
            if rang in paires:
                continue
            dehors = not debut <= fait.jour <= fin
            _placer(resultat, fait, Place.HORS_PERIODE if dehors else Place.SEULE)
            if not dehors:
                resultat.lignes.append(Ligne(fait, None, None, (juge.fait_seul(fait),)))
        inverse = {rang_ici: (rang, lien) for rang, (rang_ici, lien) in paires.items()}
        for rang_ici, attribution in enumerate(ici):
            if rang_ici in inverse:
                rang, appariement = inverse[rang_ici]
                juge.retenir(resultat, libres[rang], attribution, appariement, radiations.get(attribution.id))
                continue
            place = _place_ici(attribution, debut, fin)
            resultat.places_ici[attribution.id] = place
            if place == Place.SEULE:
                resultat.lignes.append(
                    Ligne(None, attribution, None, juge.ici_seul(attribution, radiations.get(attribution.id)))
                )
    return resultat


def _lier_a_la_main(faits, par_id, lies: Mapping[str, int], resultat: Resultat, juge: "_Juge"):
    """What people linked is one, whatever the dates and the households say; returns the keys taken on each side."""
    pris_faits: set[str] = set()
    pris_ici: set[int] = set()
    if lies:
        par_cle = {fait.cle: fait for siens, _ in faits.values() for fait in siens}
        for cle, pk in lies.items():
            fait, attribution = par_cle.get(cle), par_id.get(pk)
            if fait is None or attribution is None or pk in pris_ici:
                continue
            pris_faits.add(cle)
            pris_ici.add(pk)
            appariement = Appariement(Lien.MANUEL, abs((fait.jour - attribution.caleol).days))
            juge.retenir(resultat, fait, attribution, appariement, None)
    return pris_faits, pris_ici


def _placer(resultat: Resultat, fait: Fait, place: Place) -> None:
    for ligne in fait.lignes:
        resultat.places[ligne.id] = place


def _place_ici(attribution: AttributionLocale, debut: date, fin: date) -> Place:
    if not debut <= attribution.caleol <= fin:
        return Place.HORS_PERIODE
    if attribution.refusee:
        return Place.REFUSEE
    return Place.SEULE if attribution.couvre(attribution.caleol) else Place.NON_COUVERTE


# --- Lines that tell one attribution ------------------------------------------------------------------------


def regrouper(lignes: Sequence[Evenement], tolerances: Tolerances) -> tuple[list[Fait], list[Evenement]]:
    """The attributions that the lines of one household tell, in order, and the lines that tell none."""
    if len(lignes) == 1:
        ligne = lignes[0]
        return ([_nouveau(ligne)], []) if ligne.attribue else ([], [ligne])
    ordre = sorted(lignes, key=_ordre)
    faits: list[Fait] = []
    isolees: list[Evenement] = []
    for ligne in ordre:
        if not ligne.attribue:
            isolees.append(ligne)
            continue
        accueils = [
            (d, rang) for rang, fait in enumerate(faits) if (d := _jours(fait, ligne, tolerances)) is not None
        ]
        if accueils:
            _ajouter(faits[min(accueils)[1]], ligne)
        else:
            faits.append(_nouveau(ligne))
    return faits, isolees


def _ordre(ligne: Evenement) -> tuple:
    """Decisions first, then leases, then radiations; each by date, whatever the order of the file."""
    rang = 0 if ligne.caleol else 1 if ligne.bail else 2
    jour = ligne.caleol or ligne.bail or ligne.radie or date.min
    return (rang, jour, ligne.logement, ligne.contingent, ligne.id)


def _nouveau(ligne: Evenement) -> Fait:
    return Fait(
        ligne.menage,
        [ligne],
        ligne.caleol,
        ligne.bail,
        ligne.radie,
        ligne.radiation,
        ligne.logement,
        ligne.contingent,
        ligne.motif,
    )


def _ajouter(fait: Fait, ligne: Evenement) -> None:
    fait.lignes.append(ligne)
    fait.caleol = fait.caleol or ligne.caleol
    fait.bail = fait.bail or ligne.bail
    if ligne.radie and not fait.radie:
        fait.radie, fait.radiation = ligne.radie, ligne.radiation
    fait.logement = fait.logement or ligne.logement
    fait.contingent = fait.contingent or ligne.contingent
    fait.motif = fait.motif or ligne.motif


def _jours(fait: Fait, ligne: Evenement, tolerances: Tolerances) -> int | None:
    """How far a line is from a fact that it may belong to; None when it tells another attribution."""
    if fait.logement and ligne.logement and fait.logement != ligne.logement:
        return None
    if fait.caleol and ligne.caleol:
        ecart = abs((fait.caleol - ligne.caleol).days)
        return ecart if ecart <= tolerances.dates else None
    if fait.bail and ligne.bail:
        ecart = abs((fait.bail - ligne.bail).days)
        return ecart if ecart <= tolerances.dates else None
    suite = ligne.bail or ligne.radie
    limite = DELAI_BAIL if ligne.bail else DELAI_RADIATION
    ecart = (suite - fait.jour).days
    return abs(ecart) if -tolerances.dates <= ecart <= limite else None


# --- Facts and attributions, one to one ----------------------------------------------------------------------


def apparier(
    faits: Sequence[Fait],
    attributions: Sequence[AttributionLocale],
    tolerances: Tolerances,
    separes: Collection[tuple[str, int]] = frozenset(),
) -> dict[int, tuple[int, Appariement]]:
    """Rank of a fact → rank of its attribution and why: as many pairs as possible, then the closest ones.

    Both sequences in a stable order, which alone decides between equals.
    """
    possibles: dict[tuple[int, int], tuple[int, Appariement]] = {}
    for i, fait in enumerate(faits):
        for j, attribution in enumerate(attributions):
            if separes and (fait.cle, attribution.id) in separes:
                continue
            lien = _comparer(fait, attribution, tolerances)
            if lien is not None:
                possibles[i, j] = lien
    if len(possibles) <= 1:
        return {i: (j, lien) for (i, j), (_, lien) in possibles.items()}
    couples = _affecter({cle: cout for cle, (cout, _) in possibles.items()}, len(faits), len(attributions))
    return {i: (j, possibles[i, j][1]) for i, j in couples.items()}


_RANG_LIEN = {Lien.DATE: 0, Lien.INVERSION: 1, Lien.LOGEMENT: 2, Lien.BAIL: 3, Lien.RADIATION: 4}


def _comparer(
    fait: Fait, attribution: AttributionLocale, tolerances: Tolerances
) -> tuple[int, Appariement] | None:
    memes = fait.logement and fait.logement == attribution.logement
    autre = bool(fait.logement and attribution.logement and not memes)
    if fait.caleol:
        ecart = abs((fait.caleol - attribution.caleol).days)
        if ecart <= tolerances.dates:
            lien = Lien.DATE
        elif inverser(fait.caleol) == attribution.caleol:
            lien = Lien.INVERSION
        elif memes and ecart <= tolerances.logement:
            lien = Lien.LOGEMENT
        else:
            return None
    elif fait.bail:
        apres = (fait.bail - attribution.caleol).days
        if attribution.bail:
            ecart = abs((fait.bail - attribution.bail).days)
            if ecart > tolerances.dates and inverser(fait.bail) != attribution.bail:
                return None
        elif -tolerances.dates <= apres <= DELAI_BAIL:
            ecart = abs(apres)
        else:
            return None
        lien = Lien.BAIL
    else:
        apres = (fait.radie - (attribution.bail or attribution.caleol)).days
        if not -tolerances.dates <= apres <= DELAI_RADIATION:
            return None
        ecart, lien = abs(apres), Lien.RADIATION
    cout = ((_RANG_LIEN[lien] * 2 + autre) * 2 + attribution.refusee) * 10_000 + ecart
    return cout, Appariement(lien, ecart, autre)


def inverser(jour: date) -> date | None:
    """Day and month the other way round, a usual mistake of spreadsheets; None when that is no date, or the same."""
    if jour.day > 12 or jour.day == jour.month:
        return None
    return date(jour.year, jour.day, jour.month)


def _affecter(couts: Mapping[tuple[int, int], int], lignes: int, colonnes: int) -> dict[int, int]:
    """Largest assignment of the least cost (successive shortest augmenting paths); a household has a few of each."""
    de_ligne: dict[int, int] = {}
    de_colonne: dict[int, int] = {}
    while True:
        # Shortest distance to each column from a free row, passing through the pairs already made.
        distance: dict[int, int] = {}
        origine: dict[int, int] = {}
        a_voir = [(i, 0) for i in range(lignes) if i not in de_ligne]
        while a_voir:
            suivants: dict[int, int] = {}
            for i, base in a_voir:
                for j in range(colonnes):
                    if (i, j) not in couts or de_ligne.get(i) == j:
                        continue
                    total = base + couts[i, j]
                    if j not in distance or total < distance[j]:
                        distance[j], origine[j] = total, i
                        if j in de_colonne:
                            suivants[de_colonne[j]] = total - couts[de_colonne[j], j]
            a_voir = sorted(suivants.items())
        libres = [(distance[j], j) for j in distance if j not in de_colonne]
        if not libres:
            return de_ligne
        j = min(libres)[1]
        while True:
            i = origine[j]
            ancienne = de_ligne.get(i)
            de_ligne[i], de_colonne[j] = j, i
            if ancienne is None:
                break
            j = ancienne


def _rattacher(
    isolees: Sequence[Evenement],
    attributions: Sequence[AttributionLocale],
    tolerances: Tolerances,
    resultat: Resultat,
) -> dict[int, Evenement]:
    """Attribution → the radiation for another reason that followed it; the other lines that tell no attribution are
    put aside."""
    trouvees: dict[int, Evenement] = {}
    for ligne in isolees:
        place = Place.LABEL if ligne.label and not ligne.radie else Place.SANS_OBJET
        if ligne.radie and ligne.radiation and ligne.radiation != RADIATION_ATTRIBUTION:
            suivies = [
                ((ligne.radie - (a.bail or a.caleol)).days, a.id)
                for a in attributions
                if not a.refusee and a.id not in trouvees
            ]
            suivies = [s for s in suivies if -tolerances.dates <= s[0] <= DELAI_RADIATION]
            if suivies:
                trouvees[min(suivies)[1]] = ligne
                place = Place.RAPPROCHEE
        resultat.places[ligne.id] = place
    return trouvees


# --- What differs --------------------------------------------------------------------------------------------


class _Juge:
    """Names the gaps of a line; `labels`: those of the extracts by household, None without an extract of labels."""

    def __init__(self, debut: date, fin: date, labels: Mapping[str, Sequence[Label]] | None) -> None:
        self._debut, self._fin, self._labels = debut, fin, labels

    def retenir(
        self,
        resultat: Resultat,
        fait: Fait,
        attribution: AttributionLocale,
        appariement: Appariement,
        radiation: Evenement | None,
    ) -> None:
        """Put a pair where it belongs: a line of the result when one of its days is in the period."""
        dedans = any(self._debut <= jour <= self._fin for jour in (attribution.caleol, fait.jour))
        place = Place.RAPPROCHEE if dedans else Place.HORS_PERIODE
        _placer(resultat, fait, place)
        resultat.places_ici[attribution.id] = place
        if dedans:
            ecarts = self.paire(fait, attribution, radiation)
            resultat.lignes.append(Ligne(fait, attribution, appariement, ecarts))

    def fait_seul(self, fait: Fait) -> Ecart:
        return Ecart(NatureEcart.SNE_SEUL, Lieu.ICI, Responsable.BAILLEUR, fait.contingent, "", True)

    def ici_seul(self, attribution: AttributionLocale, radiation: Evenement | None) -> tuple[Ecart, ...]:
        ecarts = [
            Ecart(NatureEcart.ICI_SEUL, Lieu.SNE, Responsable.BAILLEUR, "", attribution.contingent),
            *self._label(attribution, attribution.menage, ""),
            *self._radiation(attribution, radiation.radiation if radiation else ""),
        ]
        return tuple(ecarts)

    def paire(
        self, fait: Fait, attribution: AttributionLocale, radiation: Evenement | None
    ) -> tuple[Ecart, ...]:
        ecarts = list(self._label(attribution, fait.menage, fait.motif))
        if fait.contingent and attribution.contingent and fait.contingent != attribution.contingent:
            ecarts.append(
                Ecart(
                    NatureEcart.CONTINGENT,
                    Lieu.SNE,
                    _qui_saisit(fait.contingent, attribution.contingent),
                    fait.contingent,
                    attribution.contingent,
                )
            )
        autre = radiation.radiation if radiation else fait.radiation
        ecarts += self._radiation(attribution, autre)
        if attribution.bail and not fait.loue and attribution.couvre(attribution.bail):
            ecarts.append(
                Ecart(
                    NatureEcart.BAIL_ABSENT,
                    Lieu.SNE,
                    Responsable.BAILLEUR,
                    "",
                    attribution.bail.isoformat(),
                )
            )
        elif fait.loue and not attribution.bail:
            ecarts.append(
                Ecart(
                    NatureEcart.BAIL_ABSENT,
                    Lieu.ICI,
                    Responsable.BAILLEUR,
                    fait.bail.isoformat() if fait.bail else "",
                    "",
                    True,
                )
            )
        return tuple(ecarts)

    def _radiation(self, attribution: AttributionLocale, code: str) -> list[Ecart]:
        """Radiated for another reason than the attribution, though the lease is signed (R. 441-2-8)."""
        if not code or code == RADIATION_ATTRIBUTION or attribution.bail is None:
            return []
        return [
            Ecart(
                NatureEcart.RADIATION,
                Lieu.SNE,
                Responsable.BAILLEUR,
                code,
                RADIATION_ATTRIBUTION,
            )
        ]

    def _label(self, attribution: AttributionLocale, menage: str, motif: str) -> list[Ecart]:
        """`menage`: the household as the other tool knows it, when people said that it is the same."""
        if (
            not attribution.contingent
            or attribution.refusee
            or attribution.contingent == Contingent.ETAT_AGENT
        ):
            return []
        ici = juger_labels(attribution.labels, attribution.caleol)
        responsable = _qui_labellise(attribution.contingent)
        if self._labels is None:
            if ici == EtatLabel.VALIDE or not attribution.attendu:
                return []
            return [Ecart(NATURE_DE[ici], Lieu.ICI, responsable, "", ici)]
        externes = self._labels.get(attribution.menage, ())
        if menage != attribution.menage:
            externes = (*externes, *self._labels.get(menage, ()))
        dehors = juger_labels(externes, attribution.caleol)
        valide = EtatLabel.VALIDE
        if ici == valide and dehors == valide:
            return self._motif(attribution, externes, motif)
        if ici == valide:
            # Admitted by a reasoned decision of the DDETS: the other tool cannot agree, and need not.
            if not any(
                label_valide(label._replace(exception=False), attribution.caleol)
                for label in attribution.labels
            ):
                return []
            return [Ecart(NATURE_DE[dehors], Lieu.LABELS, responsable, dehors, ici)]
        if dehors == valide:
            return [Ecart(NATURE_DE[ici], Lieu.ICI, responsable, dehors, ici, True)]
        if not attribution.attendu:
            return []
        dit = ici if dehors == EtatLabel.ABSENT else dehors
        return [Ecart(NATURE_DE[dit], Lieu.LABELS, responsable, dehors, ici)]

    def _motif(self, attribution: AttributionLocale, externes: Sequence[Label], motif: str) -> list[Ecart]:
        """Valid on both sides, and not for the same ground: the motive of the attribution, else the labels."""
        ici = sorted({label.type for label in attribution.labels if label_valide(label, attribution.caleol)})
        la_bas = (
            [motif]
            if motif
            else sorted({label.type for label in externes if label_valide(label, attribution.caleol)})
        )
        if set(ici) & set(la_bas):
            return []
        return [
            Ecart(
                NatureEcart.MOTIF,
                Lieu.SNE if motif else Lieu.LABELS,
                Responsable.DDETS,
                ",".join(la_bas),
                ",".join(ici),
            )
        ]


class EtatLabel(StrEnum):
    """What the labels of a household are worth on one day."""

    VALIDE = "VALIDE"
    TARDIF = "TARDIF"
    EXPIRE = "EXPIRE"
    ABSENT = "ABSENT"


NATURE_DE = {
    EtatLabel.ABSENT: NatureEcart.LABEL_ABSENT,
    EtatLabel.TARDIF: NatureEcart.LABEL_TARDIF,
    EtatLabel.EXPIRE: NatureEcart.LABEL_EXPIRE,
}


def juger_labels(labels: Iterable[Label], jour: date) -> EtatLabel:
    """Valid on `jour` (both ends included, or by exception); else the one that missed it by the fewest days.

    A label that was annulled ends before it begins: it never counted, nobody is told that it expired.
    """
    proche: tuple[int, EtatLabel] | None = None
    for label in labels:
        if label_valide(label, jour):
            return EtatLabel.VALIDE
        if label.fin is not None and label.fin < label.debut:
            continue
        # Ended before: expired, unless it begins later (a label never does both).
        manque = (
            ((label.debut - jour).days, EtatLabel.TARDIF)
            if label.debut > jour
            else ((jour - label.fin).days, EtatLabel.EXPIRE)
        )
        if proche is None or (manque[0], manque[1].value) < (proche[0], proche[1].value):
            proche = manque
    return proche[1] if proche else EtatLabel.ABSENT


def _qui_labellise(contingent: str) -> Responsable:
    """Who follows the label of its own candidates; the DDETS decides in the end (domain, chapter 7)."""
    if contingent == Contingent.ALS:
        return Responsable.ALS
    return Responsable.COLLECTIVITE if contingent == Contingent.COLLECTIVITE else Responsable.DDETS


def _qui_saisit(la_bas: str, ici: str) -> Responsable:
    """The bailleur records attributions in the SNE; what is between ALS and somebody else, ALS settles with it."""
    return Responsable.ALS if Contingent.ALS in (la_bas, ici) else Responsable.BAILLEUR


# --- By hand -------------------------------------------------------------------------------------------------


class Proche(NamedTuple):
    """An attribution that could be the one that a lonely fact tells, and how near it is."""

    id: int
    jours: int
    meme_logement: bool
    meme_menage: bool


def proches(
    fait: Fait, attributions: Iterable[AttributionLocale], tolerances: Tolerances, nombre: int = 8
) -> list[Proche]:
    """Those to propose for a manual match: same dwelling or same household, else near dates; the likeliest first."""
    candidates = []
    for attribution in attributions:
        jours = abs((fait.jour - attribution.caleol).days)
        logement = bool(fait.logement) and fait.logement == attribution.logement
        menage = fait.menage == attribution.menage
        if jours > DELAI_BAIL or not (logement or menage or jours <= tolerances.dates):
            continue
        candidates.append(
            (
                (not logement, not menage, jours, attribution.id),
                Proche(attribution.id, jours, logement, menage),
            )
        )
    return [proche for _, proche in sorted(candidates)[:nombre]]


def echeance_du_bilan(annee: int) -> date:
    """Last day on which a correction is in the bilan of `annee` (R. 441-5-1: before 28 February of the next year)."""
    return date(annee + 1, 2, 28) - timedelta(days=1)
