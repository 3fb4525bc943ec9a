"""Properties of these rooms are checked under the profile of the house."""

from tests import proprietes

__all__ = ["proprietes"]
