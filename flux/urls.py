from flux.views import (
    agenda,
    agents,
    banc_essai,
    candidats_possibles,
    commissions,
    depots,
    exceptions,
    flux,
    liberations,
    orientations,
    programmes,
    rapprochements,
    simulations,
)

app_name = "flux"
urlpatterns = [
    *candidats_possibles.urlpatterns,
    *liberations.urlpatterns,
    *orientations.urlpatterns,
    *exceptions.urlpatterns,
    *programmes.urlpatterns,
    *commissions.urlpatterns,
    *agenda.urlpatterns,
    *agents.urlpatterns,
    *depots.urlpatterns,
    *rapprochements.urlpatterns,
    *flux.urlpatterns,
    *banc_essai.urlpatterns,
    *simulations.urlpatterns,
]
