from django.urls import include, path

from config import views
from config.admin import site as admin
from config.exploitation import vues

urlpatterns = [
    path("", views.accueil, name="accueil"),
    path("organisations/changer/", views.changer_organisation, name="changer_organisation"),
    path("aide/", views.aide, name="aide"),
    path("aide/glossaire/", views.glossaire, name="glossaire"),
    path("accessibilite/", views.accessibilite, name="accessibilite"),
    path("etat/", vues.etat_du_site, name="etat"),
    path("sante/", vues.sante, name="sante"),
    path("sante/prete/", vues.sante_prete, name="sante_prete"),
    path("metriques/", vues.metriques, name="metriques"),
    path("accessibilite/grille/", views.accessibilite_grille, name="accessibilite_grille"),
    path("plan-du-site/", views.plan_du_site, name="plan_du_site"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("api/", include(("config.api", "api"))),
    path("donnees-communes/", admin.urls),
    path("", include("config.comptes.urls")),
    path("", include("reservation.urls")),
    path("", include("publics.urls")),
    path("", include("flux.urls")),
    path("", include("bilans.urls")),
]

handler500 = "config.views.erreur_500"
