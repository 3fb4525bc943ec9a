"""What row-level security costs: the same pages with it and without it, on the same data, in the same run.

Passes alternate, so that a warm cache or a noisy neighbour serves neither. Afterwards the tables are locked again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from .mesure import Contexte, Mesure, mediane, nombre_fr
from .pages import relever

BASES = ("nationale",)
OBJECTIF = 1.10
PASSES = 3


def mesurer(contexte: Contexte) -> list[Mesure]:
    """Seconds of SQL of all the pages, locked ÷ unlocked (the median of the passes of each page, then their sum)."""
    avec: dict[str, list[float]] = {}
    sans: dict[str, list[float]] = {}
    for _ in range(1 if contexte.rapide else PASSES):
        for nom, page in relever(contexte).items():
            avec.setdefault(nom, []).append(page["ms"])
        with _ouvert():
            for nom, page in relever(contexte).items():
                sans.setdefault(nom, []).append(page["ms"])
    total_avec = sum(mediane(durees) for durees in avec.values())
    total_sans = sum(mediane(durees) for durees in sans.values())
    rapports = {nom: mediane(avec[nom]) / mediane(sans[nom]) for nom in avec if mediane(sans[nom])}
    pire = max(rapports, key=rapports.get)
    return [
        Mesure(
            "verrou_pages",
            "SQL des pages avec le verrou ÷ sans",
            total_avec / total_sans,
            OBJECTIF,
            f"{len(avec)} pages, {nombre_fr(total_avec, 0)} ms et {nombre_fr(total_sans, 0)} ms ; "
            f"la plus touchée : {pire}, {nombre_fr(rapports[pire])}",
        )
    ]


@contextmanager
def _ouvert() -> Iterator[None]:
    """Without row-level security, for the measure."""
    from django.db import connection

    from reservation.perimetre import tables_de_locataires

    def regler(mot: str) -> None:
        with connection.cursor() as curseur:
            for table in sorted(tables_de_locataires()):
                curseur.execute(f'ALTER TABLE "{table}" {mot} ROW LEVEL SECURITY')

    regler("DISABLE")
    try:
        yield
    finally:
        regler("ENABLE")
