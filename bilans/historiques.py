"""Gates of the Historique of what this room writes: the same that open its pages."""

from django.urls import reverse

from bilans.models import Bilan, Lettre, Procedure, Reunion
from bilans.services.campagnes import territoires_de
from flux.services.lecture import presences_visibles
from reservation.acteur import Acteur, TypeOrganisation
from reservation.historiques import numero, paire
from reservation.services.historique import Objet, declarer


@declarer("bilan")
def bilan(acteur: Acteur, cle: str) -> Objet | None:
    trouve = (
        Bilan.objects.visibles_par(acteur)
        .filter(pk=numero(cle))
        .select_related("bailleur", "departement")
        .first()
    )
    if trouve is None:
        return None
    return Objet(
        "bilan",
        str(trouve.pk),
        f"Bilan {trouve.annee} de {trouve.bailleur}, {trouve.departement}",
        reverse("bilans:bilan", args=[trouve.pk]),
    )


@declarer("campagne")
def campagne(acteur: Acteur, cle: str) -> Objet | None:
    """The dates of a territory: read by those whose dates they are ("departement-06-2026")."""
    genre, _, reste = cle.partition("-")
    code, _, an = reste.rpartition("-")
    annee = numero(an)
    if annee is None or not 2000 <= annee < 2100:
        return None
    for territoire in territoires_de(acteur):
        if (territoire.genre, territoire.code) == (genre, code):
            return Objet(
                "campagne",
                territoire.cle(annee),
                f"Campagne {annee}, {territoire.nom}",
                reverse("bilans:campagne", args=[genre, code, annee]),
            )
    return None


@declarer("lettre")
def lettre(acteur: Acteur, cle: str) -> Objet | None:
    trouvee = Lettre.objects.visibles_par(acteur).sans_octets().filter(pk=numero(cle)).first()
    if trouvee is None or not acteur.est_service_etat:
        return None
    return Objet("lettre", str(trouvee.pk), str(trouvee), reverse("bilans:lettre", args=[trouvee.pk]))


@declarer("part_convenue")
def part_convenue(acteur: Acteur, cle: str) -> Objet | None:
    """The share of ALS in a year: read by the two that agree on it and by the State services."""
    debut, _, an = cle.rpartition("-")
    lue, annee = paire(debut), numero(an)
    if lue is None or annee is None or not 2000 <= annee < 2100:
        return None
    if not (
        acteur.est_bailleur
        or acteur.est_service_etat
        or acteur.type_organisation == TypeOrganisation.ACTION_LOGEMENT
    ):
        return None
    presence = presences_visibles(acteur).filter(bailleur=lue[0], departement=lue[1]).first()
    if presence is None:
        return None
    return Objet(
        "part_convenue",
        f"{lue[0]}-{lue[1]}-{annee}",
        f"Part d’Action Logement {annee}, {presence.bailleur}, {presence.departement}",
        reverse("bilans:projection", args=[*lue, annee]),
    )


@declarer("procedure")
def procedure(acteur: Acteur, cle: str) -> Objet | None:
    trouvee = (
        Procedure.objects.visibles_par(acteur)
        .filter(pk=numero(cle))
        .select_related("bailleur", "reservataire", "departement")
        .first()
    )
    if trouvee is None:
        return None
    return Objet(
        "procedure",
        str(trouvee.pk),
        f"{trouvee.regle.libelle} {trouvee.annee}, {trouvee.destinataire}, {trouvee.departement}",
        reverse("bilans:procedure", args=[trouvee.pk]),
    )


@declarer("reunion")
def reunion(acteur: Acteur, cle: str) -> Objet | None:
    """What was noted, then changed, is the DREAL's; the members read the minutes."""
    trouvee = Reunion.objects.visibles_par(acteur).filter(pk=numero(cle)).first()
    if trouvee is None or not acteur.est_dreal:
        return None
    return Objet("reunion", str(trouvee.pk), str(trouvee), reverse("bilans:reunion", args=[trouvee.pk]))
