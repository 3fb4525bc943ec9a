"""What a process loads before it does anything: each command, each worker, each web process pays for it."""

import subprocess
import sys

import pytest

from config.serveurs import RACINE

PROGRAMME = """
import sys, django
django.setup()
import config.urls
from config.celery import app
app.loader.import_default_modules()
print(*(nom for nom in ("polars", "weasyprint", "pyhanko", "openpyxl") if nom in sys.modules))
"""


@pytest.mark.lent
def test_heavy_libraries_wait_for_who_needs_them():
    """polars moreover has threads, which do not survive the fork of a worker that would have loaded it."""
    charges = subprocess.run(
        [sys.executable, "-c", PROGRAMME], cwd=RACINE, capture_output=True, text=True, check=True
    ).stdout
    assert charges.split() == []
