"""The ledger of what a bailleur owes a réservataire: an unjustified shortfall and what became of it (CA, art. 8.2).

A debt is opened for a year by a decision. Each of its dwellings is then, at any moment, in one place only:

    à décider ──REPORT──► reportés ──PAIEMENT──► payés
        │  ◄──REPRISE───
        └──ATTRIBUTION──► attribués directement ──IMPUTATION──► imputés
    à décider, reportés, attribués ──ANNULATION──► annulés

so that a shortfall is never both reported and directly attributed. CLOTURE moves nothing: the objective of a closed year is
past, nothing is reported on it nor taken from it any more. Entries are only ever added; what was wrong is
corrected by another entry, with its own basis. `report_de` gives the dwellings that the objective of a year inherits: the
only source of what the flux adds to an objective.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from flux.regles.report import Report, reporter
from reservation.regles.typographie import accorder


class Nature(StrEnum):
    """Kinds of entries."""

    OUVERTURE = "OUVERTURE"
    APPORT = "APPORT"
    REPORT = "REPORT"
    PAIEMENT = "PAIEMENT"
    REPRISE = "REPRISE"
    ATTRIBUTION = "ATTRIBUTION"
    IMPUTATION = "IMPUTATION"
    ANNULATION = "ANNULATION"
    CLOTURE = "CLOTURE"

    @property
    def libelle(self) -> str:
        return {
            "OUVERTURE": "dette ouverte",
            "APPORT": "dette reprise d’un bailleur absorbé",
            "REPORT": "reportée sur l’objectif",
            "PAIEMENT": "payée par les attributions de l’année",
            "REPRISE": "report repris",
            "ATTRIBUTION": "attribution directe décidée",
            "IMPUTATION": "attribution du préfet imputée",
            "ANNULATION": "annulée",
            "CLOTURE": "année close",
        }[self.value]


class Poste(StrEnum):
    """Where a dwelling of a debt is."""

    A_DECIDER = "A_DECIDER"
    REPORTES = "REPORTES"
    PAYES = "PAYES"
    ATTRIBUES = "ATTRIBUES"
    IMPUTES = "IMPUTES"
    ANNULES = "ANNULES"

    @property
    def libelle(self) -> str:
        return {
            "A_DECIDER": "à décider",
            "REPORTES": "reportés",
            "PAYES": "payés",
            "ATTRIBUES": "à attribuer par le préfet",
            "IMPUTES": "attribués et imputés",
            "ANNULES": "annulés",
        }[self.value]


OUVERTS_DANS_L_ORDRE = (Poste.A_DECIDER, Poste.REPORTES, Poste.ATTRIBUES)
OUVERTS = frozenset(OUVERTS_DANS_L_ORDRE)
# From where to where each entry moves dwellings; an ANNULATION says itself from where.
_MOUVEMENTS: Mapping[Nature, tuple[Poste | None, Poste]] = {
    Nature.OUVERTURE: (None, Poste.A_DECIDER),
    Nature.APPORT: (None, Poste.A_DECIDER),
    Nature.REPORT: (Poste.A_DECIDER, Poste.REPORTES),
    Nature.PAIEMENT: (Poste.REPORTES, Poste.PAYES),
    Nature.REPRISE: (Poste.REPORTES, Poste.A_DECIDER),
    Nature.ATTRIBUTION: (Poste.A_DECIDER, Poste.ATTRIBUES),
    Nature.IMPUTATION: (Poste.ATTRIBUES, Poste.IMPUTES),
}


class Ecriture(NamedTuple):
    """`nombre` dwellings of the debt of `dette` (a year). `annee`: year of the objective that the entry bears on (the one
    that inherits, that pays, or from which it no longer inherits). `poste`: of an ANNULATION, what it cancels.
    """

    nature: Nature
    dette: int
    annee: int
    nombre: int
    jour: date
    fondement: str
    poste: Poste | None = None


class EcritureRefusee(ValueError):
    """An entry that the ledger does not hold; the text says what there is and what was asked."""


@dataclass(frozen=True, slots=True)
class Dette:
    """The dwellings of one year's shortfall, by place; their sum is what was opened."""

    annee: int
    a_decider: int = 0
    reportes: int = 0
    payes: int = 0
    attribues: int = 0
    imputes: int = 0
    annules: int = 0

    def de(self, poste: Poste) -> int:
        """Dwellings in one place."""
        return getattr(self, poste.value.lower())

    @property
    def ouverte(self) -> int:
        """What was opened: each dwelling is somewhere."""
        return sum(self.de(poste) for poste in Poste)

    @property
    def reste(self) -> int:
        """Still due, in one way or another."""
        return sum(self.de(poste) for poste in OUVERTS)

    def deplacer(self, de: Poste | None, vers: Poste, nombre: int) -> "Dette":
        """`nombre` dwellings from one place to another; nothing is lost. `de` None: they come in."""
        champs = {vers.value.lower(): self.de(vers) + nombre}
        if de is not None:
            champs[de.value.lower()] = self.de(de) - nombre
        return replace(self, **champs)


@dataclass(frozen=True, slots=True)
class Compte:
    """One bailleur, one réservataire, one département. `ecritures` in the order in which they were written."""

    ecritures: tuple[Ecriture, ...] = ()
    dettes: tuple[Dette, ...] = ()

    def dette(self, annee: int) -> Dette:
        """The debt of a year, empty when there is none."""
        return next((d for d in self.dettes if d.annee == annee), Dette(annee))

    @property
    def reste(self) -> int:
        return sum(d.reste for d in self.dettes)

    def total(self, poste: Poste) -> int:
        """Dwellings in one place, every year together."""
        return sum(d.de(poste) for d in self.dettes)

    @property
    def close(self) -> int:
        """Last year closed, 0 before the first."""
        return max((e.annee for e in self.ecritures if e.nature == Nature.CLOTURE), default=0)

    def ecrire(self, ecriture: Ecriture) -> "Compte":
        """The account with one more entry. Raises `EcritureRefusee`; the account is unchanged."""
        e = ecriture
        if not e.fondement.strip():
            raise EcritureRefusee("Une écriture dit sur quoi elle se fonde : article, décision, date.")
        if self.ecritures and e.jour < self.ecritures[-1].jour:
            raise EcritureRefusee(
                f"Le registre va jusqu’au {self.ecritures[-1].jour:%d/%m/%Y} : rien ne s’y écrit avant."
            )
        if e.annee <= self.close and (e.nature in _SUR_L_ANNEE or e.poste == Poste.REPORTES):
            raise EcritureRefusee(f"L’année {e.annee} est close (dernière année close : {self.close}).")
        if e.nature == Nature.CLOTURE:
            if e.nombre:
                raise EcritureRefusee("Une clôture ne déplace aucun logement.")
            return Compte((*self.ecritures, e), self.dettes)
        if e.nombre < 1:
            raise EcritureRefusee("Une écriture porte sur un logement au moins.")
        return self._deplacer(e, *_mouvement(e))

    def _deplacer(self, e: Ecriture, de: Poste | None, vers: Poste) -> "Compte":
        dette = self.dette(e.dette)
        if e.nature == Nature.OUVERTURE and dette.ouverte:
            raise EcritureRefusee(
                f"La dette de {e.dette} est déjà ouverte, pour {accorder(dette.ouverte, 'logement')}."
            )
        if de is not None and dette.de(de) < e.nombre:
            raise EcritureRefusee(
                f"Dette de {e.dette} : {accorder(e.nombre, 'logement demandé', 'logements demandés')}, "
                f"il y en a {dette.de(de)} « {de.libelle} »."
            )
        if e.nature == Nature.REPORT and e.annee <= e.dette:
            raise EcritureRefusee(
                f"Ce qui manque à {e.dette} se reporte sur {e.dette + 1} au plus tôt, non sur {e.annee}."
            )
        if e.nature == Nature.PAIEMENT:
            self._exiger_ordre(e)
        suivante = dette.deplacer(de, vers, e.nombre)
        autres = [d for d in self.dettes if d.annee != e.dette]
        dettes = tuple(sorted([*autres, suivante], key=lambda d: d.annee))
        compte = Compte((*self.ecritures, e), dettes)
        compte._exiger_equilibre(e)
        return compte

    def _exiger_equilibre(self, e: Ecriture) -> None:
        """On every year still open, what is inherited from this debt is between nothing and what is still reported."""
        reportes = self.dette(e.dette).reportes
        annees = [x.annee for x in self.ecritures if x.dette == e.dette]
        for annee in range(max(self.close + 1, min(annees)), max(annees) + 2):
            if not 0 <= self._herite(e.dette, annee) <= reportes:
                raise EcritureRefusee(
                    f"La dette de {e.dette} ne porte pas {accorder(e.nombre, 'logement')} sur l’objectif de {e.annee} : "
                    f"vérifiez l’année sur laquelle elle est reportée."
                )

    def _exiger_ordre(self, e: Ecriture) -> None:
        """Oldest first: what an older year still carries into `annee` is paid before."""
        for dette in self.dettes:
            if dette.annee < e.dette and self._herite(dette.annee, e.annee):
                raise EcritureRefusee(
                    f"La dette de {dette.annee} n’est pas soldée ({accorder(self._herite(dette.annee, e.annee), 'logement')} "
                    f"sur l’objectif de {e.annee}) : la plus ancienne se paie d’abord."
                )

    def _herite(self, dette: int, annee: int) -> int:
        """Dwellings of one debt that are still to be paid on the objective of `annee`."""
        return self._entre(dette, annee) - sum(
            e.nombre
            for e in self.ecritures
            if e.nature == Nature.PAIEMENT and e.dette == dette and e.annee == annee
        )

    def _entre(self, dette: int, annee: int) -> int:
        """Dwellings of one debt that the objective of `annee` inherited on its first day, less what was taken back or
        cancelled since for that year. What is paid in a year stays in the objective of that very year."""
        nombre = 0
        for e in self.ecritures:
            if e.dette != dette:
                continue
            if e.nature == Nature.REPORT and e.annee <= annee:
                nombre += e.nombre
            elif (e.nature == Nature.PAIEMENT and e.annee < annee) or (
                (e.nature == Nature.REPRISE or (e.nature == Nature.ANNULATION and e.poste == Poste.REPORTES))
                and e.annee <= annee
            ):
                nombre -= e.nombre
        return nombre

    def reports_de(self, annee: int) -> tuple[Report, ...]:
        """What the objective of `annee` inherits, per year of debt, oldest first."""
        return tuple(
            Report(d.annee, self._entre(d.annee, annee))
            for d in self.dettes
            if self._entre(d.annee, annee) > 0
        )

    def report_de(self, annee: int) -> int:
        """Dwellings added to the share of `annee`: the value that the flux reads."""
        return sum(report.nombre for report in self.reports_de(annee))

    def decharges_de(self, annee: int) -> int:
        """Attributions of the préfet that count in `annee` and discharge an older debt: they are done for that debt, and
        serve neither the part of the year nor its reports."""
        return sum(e.nombre for e in self.ecritures if e.nature == Nature.IMPUTATION and e.annee == annee)

    @property
    def augmentations(self) -> dict[int, int]:
        """Year → what is added to its own part: the report that it inherits, and the attributions of the préfet that count
        in what was done in it. Added to both sides, they count once: for the debt that they discharge."""
        decharges = {e.annee for e in self.ecritures if e.nature == Nature.IMPUTATION}
        reports = self.reports
        return {
            annee: reports.get(annee, 0) + self.decharges_de(annee)
            for annee in sorted(reports.keys() | decharges)
        }

    @property
    def reports(self) -> dict[int, int]:
        """Year → dwellings that its objective inherits, from the first report to the last year that is known.

        What a year inherits is known once the year before is closed, or when it was reported on that very year.
        """
        annees = [e.annee for e in self.ecritures if e.nature == Nature.REPORT]
        if not annees:
            return {}
        return {
            annee: self.report_de(annee)
            for annee in range(min(annees), max(*annees, self.close + 1) + 1)
            if self.report_de(annee)
        }


def transferer(
    absorbe: Compte, absorbant: Compte, annee: int, jour: date, fondement: str
) -> tuple[Compte, Compte]:
    """What is still due follows a merger of bailleurs: cancelled on one side, brought in on the other, place by place.

    What is reported on a year before `annee` that is not closed stays: the objective of that year is the absorbed one's.
    """
    for dette in absorbe.dettes:
        for poste in OUVERTS_DANS_L_ORDRE:
            depuis = annee
            nombre = dette.de(poste)
            if poste == Poste.REPORTES:
                depuis = max(annee, absorbe.close + 1)
                ouvertes = range(absorbe.close + 1, depuis)
                nombre = 0 if any(absorbe._herite(dette.annee, a) for a in ouvertes) else nombre
                nombre = min(nombre, absorbe._herite(dette.annee, depuis))
            if not nombre:
                continue
            sortie = Ecriture(Nature.ANNULATION, dette.annee, depuis, nombre, jour, fondement, poste)
            absorbe = absorbe.ecrire(sortie)
            absorbant = absorbant.ecrire(sortie._replace(nature=Nature.APPORT, poste=None))
            suite = {Poste.REPORTES: Nature.REPORT, Poste.ATTRIBUES: Nature.ATTRIBUTION}.get(poste)
            if suite:
                reprise = sortie._replace(
                    nature=suite, poste=None, annee=max(depuis, absorbant.close + 1, dette.annee + 1)
                )
                absorbant = absorbant.ecrire(reprise)
    return absorbe, absorbant


_SUR_L_ANNEE = frozenset({Nature.REPORT, Nature.PAIEMENT, Nature.REPRISE, Nature.CLOTURE})


def _mouvement(e: Ecriture) -> tuple[Poste | None, Poste]:
    if e.nature != Nature.ANNULATION:
        if e.poste is not None:
            raise EcritureRefusee("Seule une annulation dit ce qu’elle annule.")
        return _MOUVEMENTS[e.nature]
    if e.poste not in OUVERTS:
        raise EcritureRefusee(
            "Une annulation porte sur des logements à décider, reportés ou à attribuer, non sur ce qui est fait."
        )
    return e.poste, Poste.ANNULES


def lire(ecritures: Iterable[Ecriture]) -> Compte:
    """The account, replayed from its first entry. Raises `EcritureRefusee` if one of them could not have been written."""
    compte = Compte()
    for ecriture in ecritures:
        compte = compte.ecrire(ecriture)
    return compte


def clore(
    compte: Compte,
    annee: int,
    part: int,
    realise: int,
    jour: date,
    fondement: str,
    *,
    cumul: bool = True,
) -> Compte:
    """The year is over: what was done (`realise`) serves the oldest dwellings due first, then `part`, its own objective.

    What remains stays reported, and the next objective inherits it; `cumul` False (a convention may say so): it lapses. A
    surplus gives no credit. Raises `EcritureRefusee` when the year is closed already.
    """
    dus = compte.reports_de(annee)
    restes = dict(reporter(annee, part, realise, reports=dus))
    for dette, nombre in dus:
        paye = nombre - restes.get(dette, 0)
        if paye:
            compte = compte.ecrire(Ecriture(Nature.PAIEMENT, dette, annee, paye, jour, fondement))
    compte = compte.ecrire(Ecriture(Nature.CLOTURE, annee, annee, 0, jour, fondement))
    for dette, nombre in () if cumul else compte.reports_de(annee + 1):
        if restes.get(dette):
            ecriture = Ecriture(
                Nature.ANNULATION,
                dette,
                annee + 1,
                min(nombre, restes[dette]),
                jour,
                fondement,
                Poste.REPORTES,
            )
            compte = compte.ecrire(ecriture)
    return compte


def corriger_la_cloture(
    compte: Compte, annee: int, part: int, realise: int, jour: date
) -> tuple["Compte", int]:
    """The bilan of a closed year was corrected: the account, and the dwellings paid that the new figures would not pay.

    A closed year is never opened again. What more would have been paid is cancelled where it was carried (the first open
    year); what was paid stays paid: what a bailleur was told that it no longer owes is not claimed again.
    """
    fondement = fondement_de_correction(annee)
    dus = compte.reports_de(annee)
    restes = dict(reporter(annee, part, realise, reports=dus))
    en_trop = 0
    for dette, nombre in dus:
        voulu = nombre - restes.get(dette, 0)
        fait = sum(
            e.nombre
            for e in compte.ecritures
            if e.dette == dette
            and (
                (e.nature == Nature.PAIEMENT and e.annee == annee)
                or (e.nature == Nature.ANNULATION and e.fondement == fondement)
            )
        )
        en_trop += max(0, fait - voulu)
        en_plus = min(voulu - fait, compte.dette(dette).reportes)
        if en_plus > 0:
            compte = compte.ecrire(
                Ecriture(Nature.ANNULATION, dette, compte.close + 1, en_plus, jour, fondement, Poste.REPORTES)
            )
    return compte, en_trop


def fondement_de_correction(annee: int) -> str:
    """The basis of what a correction cancels; it is found again by it."""
    return f"Correction du bilan {annee}, validée après la clôture de l’année"


def repartir(compte: Compte, poste: Poste, nombre: int) -> tuple[tuple[int, int], ...]:
    """(year of debt, dwellings), oldest first, for `nombre` dwellings in one place. Raises `EcritureRefusee`."""
    if compte.total(poste) < nombre:
        raise EcritureRefusee(
            f"{accorder(nombre, 'logement demandé', 'logements demandés')}, il y en a {compte.total(poste)} « {poste.libelle} »."
        )
    parts = []
    for dette in compte.dettes:
        pris = min(nombre, dette.de(poste))
        if pris:
            parts.append((dette.annee, pris))
            nombre -= pris
    return tuple(parts)


def manque_de_l_annee(annee: int, part: int, realise: int, reports: Sequence[Report] = ()) -> int:
    """What the year's own objective lacks, once the oldest dwellings due are served: the most a new debt may open."""
    return dict(reporter(annee, part, realise, reports=reports)).get(annee, 0)
