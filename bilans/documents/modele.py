"""What a document is made of: sections of titled blocks, tables of typed cells. Declared once, rendered three times.

A cell keeps its value and its format: the page and the PDF print `texte`, the workbook writes the value itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from bilans.regles.verdicts import Verdict
from reservation.documents.typographie import baliser, composer, jour_court
from reservation.regles.typographie import decimal_fr, entier_fr, taux_fr


class Format(StrEnum):
    """How a value is written. POURCENT takes an exact ratio (`Fraction`), DESSIN a `Dessin`, VERDICT a `Verdict`."""

    TEXTE = "TEXTE"
    ENTIER = "ENTIER"
    ECART = "ECART"
    EXACT = "EXACT"
    POINTS = "POINTS"
    POURCENT = "POURCENT"
    JOUR = "JOUR"
    CODE = "CODE"
    DESSIN = "DESSIN"
    VERDICT = "VERDICT"


@dataclass(frozen=True, slots=True)
class Dessin:
    """A drawing in SVG; `alternative` is what it says to somebody who does not see it, and its only copy."""

    svg: str
    alternative: str

    @property
    def balisage(self) -> SafeString:
        return mark_safe(self.svg)


VIDE = "–"


@dataclass(frozen=True, slots=True)
class Cellule:
    """`valeur` None prints a dash; "" prints nothing. `style`: "fort", "second" (grey),
    "p", "a" (proposed, attributed), "z" (zero), "plie" (may take several lines), or ""."""

    valeur: Any
    format: Format = Format.TEXTE
    style: str = ""

    @property
    def texte(self) -> str:
        if self.valeur is None:
            return VIDE
        match self.format:
            case Format.ENTIER:
                return entier_fr(self.valeur)
            case Format.ECART:
                return f"+{entier_fr(self.valeur)}" if self.valeur > 0 else entier_fr(self.valeur)
            case Format.EXACT:
                return decimal_fr(self.valeur)
            case Format.POINTS:
                return taux_fr(self.valeur)
            case Format.POURCENT:
                return composer(f"{decimal_fr(self.valeur * 100, 1)} %")
            case Format.JOUR:
                return jour_court(self.valeur)
            case Format.DESSIN:
                return self.valeur.alternative
            case Format.VERDICT:
                return self.valeur.texte
        return composer(self.valeur)

    @property
    def balisage(self) -> SafeString:
        """The same as markup, for the page and the PDF."""
        if self.valeur is None:
            return mark_safe(VIDE)
        match self.format:
            case Format.DESSIN:
                return self.valeur.balisage
            case Format.VERDICT:
                v = self.valeur
                return mark_safe(
                    f'<span class="v v-{v.issue.lower()}"><span class="s">{v.signe}</span> {escape(v.mot)}</span>'
                )
            case Format.CODE:
                return mark_safe(f'<span class="mono">{escape(self.texte)}</span>')
            case Format.TEXTE:
                return baliser(self.texte)
        return mark_safe(self.texte)


def texte(valeur: str | None, style: str = "") -> Cellule:
    return Cellule(valeur, Format.TEXTE, style)


def code(valeur: str) -> Cellule:
    return Cellule(valeur, Format.CODE)


def entier(valeur: int | None, style: str = "") -> Cellule:
    return Cellule(valeur, Format.ENTIER, style)


def ecart(valeur: int | None, style: str = "") -> Cellule:
    return Cellule(valeur, Format.ECART, style)


def exact(valeur: Decimal | None, style: str = "") -> Cellule:
    return Cellule(valeur, Format.EXACT, style)


def points(valeur: Decimal | None) -> Cellule:
    return Cellule(valeur, Format.POINTS)


def pourcent(numerateur: int, denominateur: int) -> Cellule:
    """An exact ratio; a dash when there is nothing to divide by."""
    return Cellule(Fraction(numerateur, denominateur) if denominateur else None, Format.POURCENT)


def jour(valeur: date | None) -> Cellule:
    return Cellule(valeur, Format.JOUR)


def dessin(valeur: Dessin | None) -> Cellule:
    return Cellule(valeur, Format.DESSIN)


def verdict(valeur: Verdict) -> Cellule:
    return Cellule(valeur, Format.VERDICT)


@dataclass(frozen=True, slots=True)
class Colonne:
    """`largeur`: millimetres on paper ("11.5"), None for what is left. `aligne`: "d" (figures) or "g" (words)."""

    titre: str
    largeur: str | None = None
    aligne: str = "d"

    def __post_init__(self) -> None:
        object.__setattr__(self, "titre", composer(self.titre))


@dataclass(frozen=True, slots=True)
class Groupe:
    """A heading over `etendue` columns; "" over the columns that have none."""

    titre: str
    etendue: int


@dataclass(frozen=True, slots=True)
class Ligne:
    """One row: its heading, then a cell per column after the first. `genre`: "", "total", "sous" (subtotal)."""

    titre: str
    cellules: tuple[Cellule, ...]
    genre: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "titre", composer(self.titre))


@dataclass(frozen=True, slots=True)
class Tableau:
    """`numero` 0: an unnumbered list. `groupes` cover all columns but the first. `vide`: what an empty one says."""

    gabarit: ClassVar[str] = "tableau"

    numero: int
    titre: str
    colonnes: tuple[Colonne, ...]
    lignes: tuple[Ligne, ...]
    precision: str = ""
    note: str = ""
    groupes: tuple[Groupe, ...] = ()
    genre: str = ""
    vide: str = "Aucune ligne."

    def __post_init__(self) -> None:
        for champ in ("titre", "precision", "note", "vide"):
            object.__setattr__(self, champ, composer(getattr(self, champ)))
        attendues = len(self.colonnes) - 1
        for ligne in self.lignes:
            if len(ligne.cellules) != attendues:
                raise ValueError(f"{self.titre} : {len(ligne.cellules)} cellules pour {attendues} colonnes")
        if self.groupes and sum(groupe.etendue for groupe in self.groupes) != attendues:
            raise ValueError(f"{self.titre} : les groupes ne couvrent pas les colonnes")

    @property
    def etiquette(self) -> str:
        return composer(f"Tableau {self.numero}. {self.titre}") if self.numero else self.titre

    @property
    def rangees(self) -> Iterator[tuple[Ligne, Iterator[tuple[str, SafeString]]]]:
        """(row, its (class, markup) cells): what a template prints without looking at anything."""
        alignements = ["g" if colonne.aligne == "g" else "" for colonne in self.colonnes[1:]]
        for ligne in self.lignes:
            yield (
                ligne,
                (
                    (f"{alignement} {cellule.style}".strip(), cellule.balisage)
                    for alignement, cellule in zip(alignements, ligne.cellules, strict=True)
                ),
            )


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its title; it always stands beside the table of its figures. `liee`: kept on its page."""

    gabarit: ClassVar[str] = "figure"

    numero: int
    titre: str
    dessin: Dessin
    precision: str = ""
    liee: bool = False

    def __post_init__(self) -> None:
        for champ in ("titre", "precision"):
            object.__setattr__(self, champ, composer(getattr(self, champ)))

    @property
    def etiquette(self) -> str:
        return composer(f"Figure {self.numero}. {self.titre}")


@dataclass(frozen=True, slots=True)
class Texte:
    """A paragraph. `genre`: "", "chapo", "note", "absent" (an explicit blank)."""

    gabarit: ClassVar[str] = "texte"

    texte: str
    genre: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "texte", composer(self.texte))


@dataclass(frozen=True, slots=True)
class Intertitre:
    gabarit: ClassVar[str] = "intertitre"

    titre: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "titre", composer(self.titre))


@dataclass(frozen=True, slots=True)
class Puces:
    gabarit: ClassVar[str] = "puces"

    elements: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "elements", tuple(composer(e) for e in self.elements))


@dataclass(frozen=True, slots=True)
class Definitions:
    """(word, definition) pairs."""

    gabarit: ClassVar[str] = "definitions"

    entrees: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "entrees", tuple((composer(m), composer(d)) for m, d in self.entrees))


@dataclass(frozen=True, slots=True)
class Signatures:
    """(who signs, lines to fill) pairs."""

    gabarit: ClassVar[str] = "signatures"

    cadres: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class CoteACote:
    """Two tables that are read together."""

    gabarit: ClassVar[str] = "cote"

    tableaux: tuple[Tableau, ...]


Bloc = Tableau | Figure | Texte | Intertitre | Puces | Definitions | Signatures | CoteACote


@dataclass(frozen=True, slots=True)
class Section:
    """`paysage`: wide tables, on landscape pages of their own. `feuille`: begins on a new page, to be taken out alone."""

    ancre: str
    titre: str
    blocs: tuple[Bloc, ...]
    paysage: bool = False
    feuille: bool = False

    @property
    def tableaux(self) -> tuple[Tableau, ...]:
        """Every table of the section, in order."""
        return tuple(
            tableau
            for bloc in self.blocs
            for tableau in (bloc.tableaux if isinstance(bloc, CoteACote) else (bloc,))
            if isinstance(tableau, Tableau)
        )


@dataclass(frozen=True, slots=True)
class Chiffre:
    """A key figure: the number, its unit in small, what it is."""

    nombre: str
    unite: str
    libelle: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "unite", composer(self.unite))
        object.__setattr__(self, "libelle", composer(self.libelle))


@dataclass(frozen=True, slots=True)
class Encadre:
    """The verdict: paragraphs of (sentence, whether it is the one that decides)."""

    tenu: bool
    titre: str
    paragraphes: tuple[tuple[tuple[str, bool], ...], ...]

    def __post_init__(self) -> None:
        composes = tuple(tuple((composer(t), forte) for t, forte in corps) for corps in self.paragraphes)
        object.__setattr__(self, "paragraphes", composes)


@dataclass(frozen=True, slots=True)
class Une:
    """The first page: what the document is, the verdict, the key figures, the two tables that prove it."""

    surtitre: str
    titre: str
    soustitre: str
    fiches: tuple[tuple[tuple[str, str], ...], ...]
    verdict: Encadre
    chiffres: tuple[Chiffre, ...]
    blocs: tuple[Bloc, ...]

    def __post_init__(self) -> None:
        for champ in ("surtitre", "titre", "soustitre"):
            object.__setattr__(self, champ, composer(getattr(self, champ)))
        fiches = tuple(tuple((nom, composer(valeur)) for nom, valeur in fiche) for fiche in self.fiches)
        object.__setattr__(self, "fiches", fiches)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a document is called: its number, its version (0: not produced), the fingerprint of its figures."""

    numero: str
    version: int
    empreinte: str

    @property
    def nom(self) -> str:
        return f"{self.numero}, version {self.version}" if self.version else self.numero


@dataclass(frozen=True, slots=True)
class Document:
    """`courant`: running header, one line per element; `reference`: running footer; `cree_le`: ISO 8601."""

    titre: str
    auteur: str
    sujet: str
    mots_cles: str
    cree_le: str
    courant: tuple[str, ...]
    reference: str
    empreinte: str
    une: Une
    sections: tuple[Section, ...]
    sommaire: bool = False

    @property
    def tableaux(self) -> tuple[Tableau, ...]:
        """Every table, in reading order."""
        premiers = tuple(bloc for bloc in self.une.blocs if isinstance(bloc, Tableau))
        return premiers + tuple(t for section in self.sections for t in section.tableaux)


@dataclass(slots=True)
class Numeroteur:
    """Numbers of tables and figures, in the order in which they are composed."""

    tableaux: int = 0
    figures: int = 0

    def tableau(self, titre: str, colonnes: Sequence[Colonne], lignes: Iterable[Ligne], **options) -> Tableau:
        self.tableaux += 1
        return Tableau(self.tableaux, titre, tuple(colonnes), tuple(lignes), **options)

    def figure(self, titre: str, dessin_: Dessin, precision: str = "", *, liee: bool = False) -> Figure:
        self.figures += 1
        return Figure(self.figures, titre, dessin_, precision, liee)
