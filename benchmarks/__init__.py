"""Measures of the project, as ratios against named baselines: `make bench`.

A measure is a module of this folder with `mesurer(contexte) -> list[Mesure]` and `BASES`, the bases it needs
("vide": migrated and empty, "demo", "nationale"), the first being the one of its process. `__main__` runs them and
writes docs/performance.md. A ratio is taken in one run, on one machine: it means the same elsewhere, seconds do not.
"""

from .mesure import Contexte, Mesure, chrono

__all__ = ["Contexte", "Mesure", "chrono"]
