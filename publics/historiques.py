"""Gate of the Historique of a household: the State's of its département. Grounds of labels are written there for nobody."""

from django.urls import reverse

from publics.models import Labellisation, Menage
from reservation.acteur import Acteur
from reservation.historiques import numero
from reservation.services.historique import Objet, declarer


@declarer("menage")
def menage(acteur: Acteur, cle: str) -> Objet | None:
    if not acteur.est_service_etat:
        return None
    trouve = Menage.objects.visibles_par(acteur).filter(pk=numero(cle)).first()
    if trouve is None:
        return None
    label = Labellisation.objects.visibles_par(acteur).filter(menage=trouve).order_by("-debut", "-pk").first()
    url = reverse("publics:label", args=[label.pk]) if label else reverse("publics:labels")
    return Objet("menage", str(trouve.pk), f"Demande {trouve}", url)
