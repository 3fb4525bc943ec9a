"""The audit grid of the RGAA 4.1, read from `donnees/rgaa.toml`: what the declaration of accessibility says, and its rate."""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path

FICHIER = Path(__file__).parent / "donnees" / "rgaa.toml"
# Number of criteria of each theme of the RGAA 4.1, which has 106.
THEMES = {
    1: ("Images", 9),
    2: ("Cadres", 2),
    3: ("Couleurs", 3),
    4: ("Multimédia", 13),
    5: ("Tableaux", 8),
    6: ("Liens", 2),
    7: ("Scripts", 5),
    8: ("Éléments obligatoires", 10),
    9: ("Structuration de l’information", 4),
    10: ("Présentation de l’information", 14),
    11: ("Formulaires", 13),
    12: ("Navigation", 11),
    13: ("Consultation", 12),
}
CONTROLES = {
    "axe": "axe",
    "structure": "structure des pages",
    "navigateur": "navigateur",
    "clavier": "clavier",
    "pdf": "structure des PDF",
    "lecture": "lecture",
}


class Resultat(StrEnum):
    CONFORME = "C"
    NON_CONFORME = "NC"
    NON_APPLICABLE = "NA"

    @property
    def libelle(self) -> str:
        return {"C": "conforme", "NC": "non conforme", "NA": "non applicable"}[self.value]


@dataclass(frozen=True)
class PageAuditee:
    """One page of the sample. `url`: its name; `role`: who reads it."""

    titre: str
    url: str
    role: str


@dataclass(frozen=True)
class Critere:
    """One criterion. `controles`: keys of CONTROLES; `pages`: titles of the sampled pages where it is not met."""

    numero: str
    objet: str
    resultat: Resultat
    controles: tuple[str, ...]
    note: str
    pages: tuple[str, ...] = ()

    @property
    def theme(self) -> int:
        return int(self.numero.partition(".")[0])

    @property
    def comment(self) -> str:
        return ", ".join(CONTROLES[controle] for controle in self.controles)


@dataclass(frozen=True)
class Grille:
    referentiel: str
    date: date
    genre: str
    auteur: str
    technologies: tuple[str, ...]
    environnement: str
    outils: tuple[str, ...]
    pages: tuple[PageAuditee, ...]
    criteres: tuple[Critere, ...]

    def par(self, resultat: Resultat) -> list[Critere]:
        return [critere for critere in self.criteres if critere.resultat == resultat]

    @property
    def conformes(self) -> list[Critere]:
        return self.par(Resultat.CONFORME)

    @property
    def non_conformes(self) -> list[Critere]:
        return self.par(Resultat.NON_CONFORME)

    @property
    def non_applicables(self) -> list[Critere]:
        return self.par(Resultat.NON_APPLICABLE)

    @property
    def applicables(self) -> int:
        return len(self.conformes) + len(self.non_conformes)

    @property
    def taux(self) -> Decimal:
        """Share of the applicable criteria that are met, in hundredths, to one decimal and never rounded up."""
        return (Decimal(100 * len(self.conformes)) / self.applicables).quantize(Decimal("0.1"), ROUND_DOWN)

    @property
    def etat(self) -> str:
        """The word that the law asks for: totally, partially (half at least) or not."""
        if not self.non_conformes:
            return "totalement conforme"
        return "partiellement conforme" if 2 * len(self.conformes) >= self.applicables else "non conforme"

    @property
    def themes(self) -> list[tuple[int, str, list[Critere]]]:
        return [
            (theme, titre, [critere for critere in self.criteres if critere.theme == theme])
            for theme, (titre, _) in THEMES.items()
        ]


@cache
def lire_grille() -> Grille:
    lu = tomllib.loads(FICHIER.read_text(encoding="utf-8"))
    audit = lu["audit"]
    return Grille(
        **{champ: audit[champ] for champ in ("referentiel", "date", "genre", "auteur", "environnement")},
        technologies=tuple(audit["technologies"]),
        outils=tuple(audit["outils"]),
        pages=tuple(PageAuditee(**page) for page in lu["pages"]),
        criteres=tuple(
            Critere(
                critere["numero"],
                critere["objet"],
                Resultat(critere["resultat"]),
                tuple(critere["controle"]),
                critere["note"],
                tuple(critere.get("pages", ())),
            )
            for critere in lu["criteres"]
        ),
    )
