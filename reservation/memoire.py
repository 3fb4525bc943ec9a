"""Memory of the jobs that hold a whole batch at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sans_ramasse_miettes() -> Iterator[None]:
    """Without the collector of cycles, for a batch of a few hundred thousand plain objects at most.

    It looks at all of them again and again while they are made, and finds nothing: none refers to itself. Objects out
    of use are freed at once all the same (reference counts).
    """
    actif = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if actif:
            gc.enable()
