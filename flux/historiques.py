"""Gates of the Historique of what this room writes: the same that open its pages."""

from django.urls import reverse

from flux.models import Commission, Depot, Liberation, Programme, Simulation
from reservation.acteur import Acteur
from reservation.historiques import numero, paire
from reservation.models import Presence
from reservation.services.historique import Objet, declarer


@declarer("liberation")
def liberation(acteur: Acteur, cle: str) -> Objet | None:
    trouvee = Liberation.objects.visibles_par(acteur).filter(pk=numero(cle)).first()
    if trouvee is None:
        return None
    return Objet(
        "liberation",
        str(trouvee.pk),
        f"Libération de {trouvee.reference}",
        reverse("flux:liberation", args=[trouvee.pk]),
    )


@declarer("commission")
def commission(acteur: Acteur, cle: str) -> Objet | None:
    trouvee = Commission.objects.visibles_par(acteur).filter(pk=numero(cle)).first()
    if trouvee is None:
        return None
    return Objet("commission", str(trouvee.pk), str(trouvee), reverse("flux:commission", args=[trouvee.pk]))


@declarer("depot")
def depot(acteur: Acteur, cle: str) -> Objet | None:
    trouve = Depot.objects.visibles_par(acteur).filter(pk=numero(cle)).first()
    if trouve is None:
        return None
    return Objet(
        "depot", str(trouve.pk), f"Dépôt {trouve.nom_fichier}", reverse("flux:depot", args=[trouve.pk])
    )


@declarer("programme")
def programme(acteur: Acteur, cle: str) -> Objet | None:
    """The record of the concertation: a réservataire reads its own line of it, not how it was written."""
    if acteur.est_reservataire:
        return None
    trouve = Programme.objects.visibles_par(acteur).filter(pk=numero(cle)).first()
    if trouve is None:
        return None
    return Objet("programme", str(trouve.pk), trouve.nom, reverse("flux:programme", args=[trouve.pk]))


@declarer("simulation")
def simulation(acteur: Acteur, cle: str) -> Objet | None:
    """Whoever made it: those with whom it is shared read its result, not how it was prepared."""
    trouvee = (
        Simulation.objects.visibles_par(acteur)
        .filter(pk=numero(cle), proprietaire=acteur.organisation_id)
        .first()
    )
    if trouvee is None:
        return None
    return Objet("simulation", str(trouvee.pk), trouvee.titre, reverse("flux:simulation", args=[trouvee.pk]))


def _paire_et_annee(acteur: Acteur, cle: str) -> tuple[Presence, int] | None:
    """What a key "bailleur-département-year" names, for its bailleur and the State services of the département."""
    debut, _, an = cle.rpartition("-")
    lue, annee = paire(debut), numero(an)
    if lue is None or annee is None or not 2000 <= annee < 2100:
        return None
    bailleur, departement = lue
    if not (
        (acteur.est_bailleur and acteur.organisation_id == bailleur)
        or (acteur.est_service_etat and departement in acteur.departements)
    ):
        return None
    presence = (
        Presence.objects.filter(bailleur=bailleur, departement=departement)
        .select_related("bailleur", "departement")
        .first()
    )
    return None if presence is None else (presence, annee)


@declarer("soustractions")
def soustractions(acteur: Acteur, cle: str) -> Objet | None:
    """What a bailleur foresees for a year: read by it and by the State services of the département."""
    trouvee = _paire_et_annee(acteur, cle)
    if trouvee is None:
        return None
    presence, annee = trouvee
    lieu = (presence.bailleur_id, presence.departement_id, annee)
    return Objet(
        "soustractions",
        "-".join(map(str, lieu)),
        f"Soustractions prévisionnelles {annee} de {presence.bailleur}, {presence.departement}",
        reverse("flux:soustractions", args=lieu),
    )


@declarer("assiette_convenue")
def assiette_convenue(acteur: Acteur, cle: str) -> Objet | None:
    """The assiette of a year: read by the two that agree on it, the bailleur and the State."""
    trouvee = _paire_et_annee(acteur, cle)
    if trouvee is None:
        return None
    presence, annee = trouvee
    lieu = (presence.bailleur_id, presence.departement_id, annee)
    return Objet(
        "assiette_convenue",
        "-".join(map(str, lieu)),
        f"Assiette {annee} de {presence.bailleur}, {presence.departement}",
        reverse("flux:detail", args=lieu),
    )
