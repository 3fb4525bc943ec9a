"""A simulation on paper: what its page says to this very reader, with what it was computed from."""

from django.template.loader import render_to_string

from flux.models import Simulation, VersionSimulation
from flux.services.simulations import Lecture
from reservation.documents.pdf import Pdf, rendre_texte


def composer_simulation(simulation: Simulation, version: VersionSimulation, lecture: Lecture) -> Pdf:
    """A PDF/UA; the same version for the same kind of reader, the same bytes."""
    return rendre_texte(
        render_to_string(
            "pdf/simulation.html",
            {
                "simulation": simulation,
                "version": version,
                "lecture": lecture,
                "reference": f"SIM-{simulation.departement_id}-{simulation.pk}, version {version.rang}, "
                f"{version.empreinte[:12]}",
            },
        )
    )
