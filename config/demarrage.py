"""What every entry point does first (web, worker, beat, commands that use the database)."""

from django.conf import settings

from config import serveurs, verifications


def preparer() -> None:
    """Start the embedded servers, or check that a site on its own servers may run."""
    if settings.SERVEURS_EMBARQUES:
        serveurs.demarrer()
    else:
        verifications.exiger_reglages_surs()
