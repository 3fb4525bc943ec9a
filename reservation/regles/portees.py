"""Scopes of an API token: which families of resources its program reads, and which it writes. Pure.

A scope is "famille:lire" or "famille:ecrire"; writing goes with reading. They bound the token beside its role and the
rights of its person: never more than the least of the three.
"""

from collections.abc import Iterable

LIRE, ECRIRE = "lire", "ecrire"
# Family → (what it holds, whether the API writes it).
FAMILLES: dict[str, tuple[str, bool]] = {
    "parc": ("Parc de logements", False),
    "liberations": ("Libérations, orientations, attributions, baux", True),
    "commissions": ("Commissions et candidatures", True),
    "labels": ("Labels et propositions", True),
    "flux": ("Flux, parts et objectifs", False),
    "bilans": ("Bilans et indicateurs", False),
    "rapprochements": ("Rapprochements et écarts", False),
}


def toutes_les_portees() -> list[str]:
    """Every scope, in the order of the pages: what the tokens opened before scopes had."""
    return [
        f"{famille}:{verbe}"
        for famille, (_, ecrite) in FAMILLES.items()
        for verbe in ((LIRE, ECRIRE) if ecrite else (LIRE,))
    ]


def completer(portees: Iterable[str]) -> list[str]:
    """The same, each writing with its reading, in order, once. Raises ValueError, with the code that is no scope."""
    demandees = set(portees)
    connues = toutes_les_portees()
    if inconnues := sorted(demandees - set(connues)):
        raise ValueError(inconnues[0])
    demandees |= {f"{p.partition(':')[0]}:{LIRE}" for p in demandees}
    return [p for p in connues if p in demandees]


def lecture_seule(portees: Iterable[str]) -> list[str]:
    """Those that write nothing."""
    return [p for p in portees if p.endswith(f":{LIRE}")]


def libelles(portees: Iterable[str]) -> list[str]:
    """One sentence per family, for the pages: "Parc de logements : lecture"."""
    tenues = set(portees)
    lignes = []
    for famille, (libelle, _) in FAMILLES.items():
        if f"{famille}:{ECRIRE}" in tenues:
            lignes.append(f"{libelle} : lecture et écriture")
        elif f"{famille}:{LIRE}" in tenues:
            lignes.append(f"{libelle} : lecture")
    return lignes
