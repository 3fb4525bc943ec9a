"""What every page needs: the site's name, the actor's organisation."""

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from config.accessibilite import lire_grille
from config.exploitation import maintenance
from config.navigation import menu
from reservation.models import Organisation
from reservation.services.assistances import assistance_en_cours


def site(request):
    acteur = getattr(request, "acteur", None)

    def organisation():
        if acteur is None or not acteur.organisation_id:
            return None
        return Organisation.objects.get(pk=acteur.organisation_id)

    return {
        "SITE_NOM": settings.SITE_NOM,
        "SITE_SOUS_TITRE": settings.SITE_SOUS_TITRE,
        "SITE_ETAT": settings.SITE_ETAT,
        "ACCESSIBILITE_ETAT": lire_grille().etat,
        "SECOND_FACTEUR_OBLIGATOIRE": settings.SECOND_FACTEUR_OBLIGATOIRE,
        "acteur": acteur,
        "organisation_active": SimpleLazyObject(organisation),
        "assistance": SimpleLazyObject(
            lambda: assistance_en_cours(request.user, request.session.get("assistance_id"))
        )
        if acteur is not None and acteur.en_assistance
        else None,
        "maintenance_du_site": maintenance.lire(),
        "menu": menu(acteur, request.path) if acteur is not None else [],
    }
