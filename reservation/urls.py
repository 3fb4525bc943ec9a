from reservation.views import (
    acces,
    acte_imprime,
    assistance,
    conventions,
    imports,
    jetons,
    organisations,
    parc,
    traces,
    webhooks,
)

app_name = "reservation"
urlpatterns = [
    *parc.urlpatterns,
    *imports.urlpatterns,
    *conventions.urlpatterns,
    *acte_imprime.urlpatterns,
    *traces.urlpatterns,
    *assistance.urlpatterns,
    *acces.urlpatterns,
    *organisations.urlpatterns,
    *jetons.urlpatterns,
    *webhooks.urlpatterns,
]
