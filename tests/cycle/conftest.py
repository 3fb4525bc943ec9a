"""The life of a bilan: the bailleur-year of tests/bilans, with those who submit it and review it."""

from tests import proprietes
from tests.bilans.conftest import bilan, cast, sans_rendu

__all__ = ["bilan", "cast", "proprietes", "sans_rendu"]
