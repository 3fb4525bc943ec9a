"""Priority labels, the groups in which a département ranks them, and its order (domain, chapter 7; L. 441-1; CA, art. 4.1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeVar

from reservation.regles.typographie import date_fr

GROUPES = (1, 2, 3)
LETTRE = "L441_1_"


class TypeLabel(StrEnum):
    """Grounds of priority: the situations that a convention ranks, and the letters of L. 441-1 (a to m, g bis)."""

    DALO = "DALO"
    BPI = "BPI"
    HEBERGEMENT = "HEBERGEMENT"
    SANS_ABRI = "SANS_ABRI"
    VIOLENCES = "VIOLENCES"
    EXPULSION = "EXPULSION"
    LOGEMENT_TEMPORAIRE = "LOGEMENT_TEMPORAIRE"
    L441_1_A = "L441_1_A"
    L441_1_B = "L441_1_B"
    L441_1_C = "L441_1_C"
    L441_1_D = "L441_1_D"
    L441_1_E = "L441_1_E"
    L441_1_F = "L441_1_F"
    L441_1_G = "L441_1_G"
    L441_1_G_BIS = "L441_1_G_BIS"
    L441_1_H = "L441_1_H"
    L441_1_I = "L441_1_I"
    L441_1_J = "L441_1_J"
    L441_1_K = "L441_1_K"
    L441_1_L = "L441_1_L"
    L441_1_M = "L441_1_M"

    @property
    def libelle(self) -> str:
        """Short French name; a letter of L. 441-1 is named by its article."""
        return LIBELLES_LABEL.get(self) or nommer(self)


LIBELLES_LABEL = {
    TypeLabel.DALO: "DALO",
    TypeLabel.BPI: "protection internationale (BPI)",
    TypeLabel.HEBERGEMENT: "hébergement",
    TypeLabel.SANS_ABRI: "sans abri",
    TypeLabel.VIOLENCES: "violences",
    TypeLabel.EXPULSION: "menace d’expulsion",
    TypeLabel.LOGEMENT_TEMPORAIRE: "logement temporaire",
}


def nommer(code: str) -> str:
    """Short French name of a ground, of those that an administrator added too: "L441_1_N" → "L. 441-1 n"."""
    if code in LIBELLES_LABEL:
        return LIBELLES_LABEL[TypeLabel(code)]
    if code.startswith(LETTRE):
        return "L. 441-1 " + code.removeprefix(LETTRE).replace("_", " ").lower()
    return code.replace("_", " ").lower()


_GROUPE_1 = {TypeLabel.DALO, TypeLabel.BPI}
_GROUPE_2 = {
    TypeLabel.HEBERGEMENT,
    TypeLabel.SANS_ABRI,
    TypeLabel.VIOLENCES,
    TypeLabel.EXPULSION,
    TypeLabel.LOGEMENT_TEMPORAIRE,
    TypeLabel.L441_1_D,
    TypeLabel.L441_1_G,
    TypeLabel.L441_1_L,
}
GROUPES_PAR_DEFAUT: Mapping[str, int] = {
    label: 1 if label in _GROUPE_1 else 2 if label in _GROUPE_2 else 3 for label in TypeLabel
}


class Label(NamedTuple):
    """Recognition of a household as priority. `fin` None: open; `exception`: reasoned decision of the DDETS.

    `depuis`: first day of the first of a chain of renewals; None: `debut`.
    """

    type: str
    debut: date
    fin: date | None = None
    exception: bool = False
    manuel: bool = True
    depuis: date | None = None


def label_valide(label: Label, date_caleol: date) -> bool:
    """A label counts if it was valid on the CALEOL date, both ends included, or by exception (PACA, art. 3)."""
    if label.exception:
        return True
    return label.debut <= date_caleol and (label.fin is None or date_caleol <= label.fin)


def labels_valides(labels: Iterable[Label], date_caleol: date) -> tuple[Label, ...]:
    """Those of `labels` that count for an attribution of that day, in their order."""
    return tuple(label for label in labels if label_valide(label, date_caleol))


def groupe_prioritaire(
    labels: Iterable[Label], date_caleol: date, groupes: Mapping[str, int] = GROUPES_PAR_DEFAUT
) -> int | None:
    """Best group (1 before 2 before 3) among the labels valid on the CALEOL date; None without any.

    `groupes` is the département's configuration; a type that it does not name keeps its default group.
    """
    rangs = [
        groupes[label.type] if label.type in groupes else GROUPES_PAR_DEFAUT[label.type]
        for label in labels
        if label_valide(label, date_caleol)
    ]
    return min(rangs, default=None)


def decrire_label(label: Label) -> str:
    """ "DALO du 3 mars 2025 au 3 mars 2026", "hébergement du 3 mars 2025, par exception"."""
    fin = f" au {date_fr(label.fin)}" if label.fin else ""
    exception = ", admis par exception de la DDETS" if label.exception else ""
    return f"{nommer(label.type)} du {date_fr(label.debut)}{fin}{exception}"


# --- The order of a département -------------------------------------------------------------------------------------

T = TypeVar("T")
SEUL_C = TypeLabel.L441_1_C


class Critere(StrEnum):
    """What the order of a département may look at; its configuration says which, and in what order."""

    SEUL_C = "SEUL_C"
    GROUPE = "GROUPE"
    MANUEL = "MANUEL"
    ANCIENNETE = "ANCIENNETE"

    @property
    def libelle(self) -> str:
        return LIBELLES_CRITERE[self]


LIBELLES_CRITERE = {
    Critere.SEUL_C: "le ménage dont le seul motif est le c de l’article L. 441-1 passe après tous les autres",
    Critere.GROUPE: "groupe 1, puis 2, puis 3",
    Critere.MANUEL: "label manuel avant label automatique",
    Critere.ANCIENNETE: "label le plus ancien d’abord",
}
# Without any setting of the département (CA, art. 4.1).
CRITERES_PAR_DEFAUT = (Critere.SEUL_C, Critere.GROUPE, Critere.MANUEL, Critere.ANCIENNETE)


@dataclass(frozen=True, slots=True)
class Rang:
    """Where a household stands. `cle` compares: the smaller comes first. `raisons`: why, in the order of the criteria.

    `groupe`, `manuel`, `depuis` are those of the label that ranks best; `seul_c`: no other ground is valid.
    """

    cle: tuple[int, ...]
    groupe: int
    manuel: bool
    depuis: date
    seul_c: bool
    raisons: tuple[str, ...]


def classer(
    labels: Iterable[Label],
    jour: date,
    groupes: Mapping[str, int] = GROUPES_PAR_DEFAUT,
    criteres: Sequence[str] = CRITERES_PAR_DEFAUT,
) -> Rang | None:
    """The rank of a household on `jour` from the labels valid that day; None without any.

    A household has one rank, whatever the number of its labels: that of the best of them.
    """
    valides = labels_valides(labels, jour)
    if not valides:
        return None
    seul_c = all(label.type == SEUL_C for label in valides)
    return min(
        (_rang(label, seul_c, jour, groupes, criteres) for label in valides), key=lambda rang: rang.cle
    )


def _rang(
    label: Label, seul_c: bool, jour: date, groupes: Mapping[str, int], criteres: Sequence[str]
) -> Rang:
    groupe = groupe_prioritaire([label._replace(exception=True)], jour, groupes)
    depuis = label.depuis or label.debut
    valeurs = {
        Critere.SEUL_C: int(seul_c),
        Critere.GROUPE: groupe,
        Critere.MANUEL: int(not label.manuel),
        Critere.ANCIENNETE: depuis.toordinal(),
    }
    phrases = {
        Critere.SEUL_C: "classé en dernier : son seul motif est celui que la convention demande d’écarter autant que possible"
        if seul_c
        else "",
        Critere.GROUPE: f"groupe {groupe}",
        Critere.MANUEL: "label manuel, avant les labels automatiques"
        if label.manuel
        else "label automatique, après les labels manuels",
        Critere.ANCIENNETE: f"label depuis le {date_fr(depuis)}",
    }
    return Rang(
        tuple(valeurs[Critere(critere)] for critere in criteres),
        groupe,
        label.manuel,
        depuis,
        seul_c,
        tuple(phrase for critere in criteres if (phrase := phrases[Critere(critere)])),
    )


def ordonner(
    menages: Iterable[tuple[T, Sequence[Label]]],
    jour: date,
    groupes: Mapping[str, int] = GROUPES_PAR_DEFAUT,
    criteres: Sequence[str] = CRITERES_PAR_DEFAUT,
) -> list[tuple[T, Rang]]:
    """Households with a label valid on `jour`, in the order of the département; equal ones stay as they came."""
    ranges = [
        (menage, rang) for menage, labels in menages if (rang := classer(labels, jour, groupes, criteres))
    ]
    return sorted(ranges, key=lambda paire: paire[1].cle)


def se_chevauchent(debut: date, fin: date | None, autre_debut: date, autre_fin: date | None) -> bool:
    """Whether two periods have a day in common, both ends included; an empty period has none."""
    if (fin and fin < debut) or (autre_fin and autre_fin < autre_debut):
        return False
    return (autre_fin is None or debut <= autre_fin) and (fin is None or autre_debut <= fin)
