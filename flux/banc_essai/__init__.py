"""The test bench of the rules: a bailleur-year written as one JSON file, computed by the application's rules.

    examen = examiner(contenu, "cas.json")
    examen.erreurs       the faults of the file, all of them, in French; the rest is empty when there are any
    examen.resultat      the figures, in the form of the format
    examen.differences   where `attendu` does not hold
    examen.etapes        every step of the calculation, with its article
    examen.explications  why each attribution counts where it does

Used by the command `banc_essai` and by the page of the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flux.regles.annuel import FluxNegatif
from flux.regles.imputation import Explication
from reservation.regles.etapes import Etape

from .champs import Erreur, JSONIllisible, analyser_json
from .comparaison import Difference, comparer
from .execution import executer, expliquer_imputations
from .lecture import lire_scenario
from .resultat import en_json
from .scenario import Scenario

__all__ = ["CAS_LIVRES", "CasLivre", "Difference", "Erreur", "Examen", "examiner", "lister_cas_livres"]

CAS_LIVRES = Path(__file__).parent / "cas"


@dataclass(frozen=True, slots=True)
class Examen:
    """One file examined. With `erreurs`, everything else but `nom` is empty."""

    nom: str
    erreurs: tuple[Erreur, ...] = ()
    scenario: Scenario | None = None
    resultat: Mapping[str, Any] | None = None
    differences: tuple[Difference, ...] = ()
    etapes: tuple[Etape, ...] = ()
    explications: Mapping[str, Explication] | None = None

    @property
    def valide(self) -> bool:
        return not self.erreurs

    @property
    def conforme(self) -> bool | None:
        """Whether `attendu` holds; None for a file without one, or invalid."""
        if self.scenario is None or self.scenario.attendu is None:
            return None
        return not self.differences


def examiner(contenu: bytes | Mapping[str, Any], nom: str = "", *, expliquer: bool = True) -> Examen:
    """Read, check, compute and compare one scenario: the bytes of a file, or its JSON already parsed.

    Never raises on account of the content: a fault is an `Erreur`. `expliquer` False skips the steps.
    """
    try:
        brut = analyser_json(contenu) if isinstance(contenu, bytes) else contenu
    except JSONIllisible as erreur:
        return Examen(nom, (Erreur("", str(erreur), "un fichier JSON, un objet par fichier"),))
    scenario, erreurs = lire_scenario(brut)
    if scenario is None:
        return Examen(nom, tuple(erreurs))
    try:
        execution = executer(scenario)
    except FluxNegatif as erreur:
        attendu = "pas plus de soustractions que de libérations"
        return Examen(nom, (Erreur("soustractions_previsionnelles", f"flux négatif : {erreur}", attendu),))
    resultat = en_json(scenario.titre, execution.resultat, execution.imputations)
    attendu = scenario.attendu
    return Examen(
        nom=nom,
        scenario=scenario,
        resultat=resultat,
        differences=() if attendu is None else tuple(comparer(attendu, resultat)),
        etapes=execution.resultat.expliquer() if expliquer else (),
        explications=expliquer_imputations(scenario) if expliquer else {},
    )


@dataclass(frozen=True, slots=True)
class CasLivre:
    """A case that ships with the application. `cle` names it in an address."""

    cle: str
    chemin: Path


def lister_cas_livres() -> tuple[CasLivre, ...]:
    """The shipped cases, by name. A page picks one by `cle` in this list, never by a path."""
    return tuple(CasLivre(chemin.stem, chemin) for chemin in sorted(CAS_LIVRES.glob("*.json")))
