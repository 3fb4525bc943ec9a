from publics.views import agents, demandes, donnees_personnelles, droits, labellisations, labels, reglages

app_name = "publics"
urlpatterns = [
    *labellisations.urlpatterns,
    *reglages.urlpatterns,
    *labels.urlpatterns,
    *demandes.urlpatterns,
    *agents.urlpatterns,
    *droits.urlpatterns,
    *donnees_personnelles.urlpatterns,
]
