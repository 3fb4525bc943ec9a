"""What an unjustified shortfall becomes the year after (domain, chapters 5, 11 and 13; CA, art. 8.2)."""

from collections.abc import Sequence
from typing import NamedTuple


class Report(NamedTuple):
    """Dwellings still due for the objective of `annee`."""

    annee: int
    nombre: int


def calculer_objectif(part: int, reports: Sequence[Report] = ()) -> int:
    """objectif(N) = whole-dwelling share of N + what earlier years carry over."""
    return part + sum(report.nombre for report in reports)


def reporter(
    annee: int,
    part: int,
    realise: int,
    *,
    reports: Sequence[Report] = (),
    justifies: int = 0,
    attributions_directes: int = 0,
    cumul: bool = True,
) -> tuple[Report, ...]:
    """What is carried over to `annee` + 1, oldest first; empty when the objective is met.

    What was done serves the oldest dwellings due first, then `part`, the objective of the year itself. What
    the point contradictoire found justified, and what the préfet attributed directly, is no longer due. A
    surplus gives no credit. `cumul` False (a convention may say so): only the year's own shortfall is
    carried, what remained due from earlier years lapses.
    """
    servis = realise + justifies + attributions_directes
    restes = []
    for report in [*sorted(reports), Report(annee, part)]:
        couvert = min(servis, report.nombre)
        servis -= couvert
        if report.nombre > couvert:
            restes.append(Report(report.annee, report.nombre - couvert))
    return tuple(restes if cumul else [report for report in restes if report.annee == annee])
