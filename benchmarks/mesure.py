"""What a measure is, where it may work, and how results are said."""

import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

MILLE = "\u202f"


@dataclass(frozen=True)
class Mesure:
    """`ratio` is what is compared with `objectif` (at most); None: a figure for the record, without goal.

    `nom`: stable, one word; `libelle` and `detail`: French, for the table ("12,3 s pour 5,1 s").
    """

    nom: str
    libelle: str
    ratio: float
    objectif: float | None = None
    detail: str = ""
    unite: str = ""

    @property
    def tenu(self) -> bool | None:
        return None if self.objectif is None else self.ratio <= self.objectif


@dataclass
class Contexte:
    """Where and how large. `rapide`: sizes of a smoke test, whose figures mean nothing.

    `dossier`: scratch files, emptied at the end. `bases`: RESERVATION_DATA of each role; `mesurer` runs in a
    process of its own on the first one of `BASES` of its module. `lignes_import`: dwellings of the import
    benchmark. `annee`: the complete year of the data.
    """

    dossier: Path
    bases: dict[str, Path]
    rapide: bool = False
    annee: int = 2025

    @property
    def lignes_import(self) -> int:
        return 4_000 if self.rapide else 1_000_000


class Duree:
    """Seconds of a `chrono` block, known when it ends."""

    secondes: float = 0.0


@contextmanager
def chrono() -> Iterator[Duree]:
    """`with chrono() as duree: …` then `duree.secondes`."""
    duree = Duree()
    debut = time.perf_counter()
    try:
        yield duree
    finally:
        duree.secondes = time.perf_counter() - debut


def mediane(valeurs: Sequence[float]) -> float:
    """Middle value; of an even number, the lower one."""
    return sorted(valeurs)[(len(valeurs) - 1) // 2]


def nombre_fr(valeur: float, decimales: int = 2) -> str:
    """1234.5 → "1 234,50" (narrow no-break space)."""
    return f"{valeur:,.{decimales}f}".replace(",", MILLE).replace(".", ",")


def machine() -> list[tuple[str, str]]:
    """What the figures depend on, without naming the machine: processor, cores, memory, version, date."""
    with open("/proc/cpuinfo") as fichier:
        modele = next(
            (ligne.split(":", 1)[1].strip() for ligne in fichier if "model name" in ligne), "inconnu"
        )
    with open("/proc/meminfo") as fichier:
        memoire = int(fichier.readline().split()[1]) / 1024**2
    return [
        ("Le", f"{date.today():%d/%m/%Y}"),
        ("processeur", modele),
        ("cœurs", str(os.cpu_count())),
        ("mémoire", f"{nombre_fr(memoire, 0)} Gio"),
        ("Python", platform.python_version()),
    ]


def tableau(mesures: Sequence[Mesure]) -> list[str]:
    """Rows of the Markdown table that the terminal shows too."""
    lignes = [
        "| mesure | valeur | objectif | détail |",
        "|---|---:|---:|---|",
    ]
    for m in mesures:
        objectif = "–" if m.objectif is None else f"≤ {nombre_fr(m.objectif)}{m.unite}"
        signe = {True: "✓ ", False: "▲ ", None: ""}[m.tenu]
        lignes.append(f"| {m.libelle} | {signe}{nombre_fr(m.ratio)}{m.unite} | {objectif} | {m.detail} |")
    return lignes


def lignes_machine(mesures: Sequence[Mesure]) -> list[str]:
    """One line per measure: name, ratio, goal, separated by tabs (an empty goal when there is none)."""
    return [f"{m.nom}\t{m.ratio:.4f}\t{'' if m.objectif is None else f'{m.objectif:g}'}" for m in mesures]


def dire(texte: str) -> None:
    """Progress, on the standard error: the standard output is for the results."""
    print(texte, file=sys.stderr, flush=True)


def gestionnaire_de(organisation):
    """Somebody of these databases who may agree to a deposit for `organisation`; made once."""
    from datetime import date

    from reservation.models import Rattachement, Utilisateur

    qui, _ = Utilisateur.objects.get_or_create(
        courriel="mesure@demonstration.invalid", defaults={"nom": "Mesure"}
    )
    Rattachement.objects.get_or_create(
        utilisateur=qui, organisation=organisation, role="GESTION", defaults={"debut": date(2020, 1, 1)}
    )
    return qui
