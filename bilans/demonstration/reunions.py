"""Two meetings of the COPIL of PACA, made by the services as the DREAL makes them: one closed in October, one that is prepared.

Their object says that they are demonstration data, and so does every page and PDF of a fictitious organisation.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta

from django.db import transaction
from django.utils import timezone

from bilans.models import InviteReunion, Reunion
from bilans.services import reunions
from bilans.services.reunions_compte_rendu import produire_compte_rendu
from reservation.acteur import Acteur, Role
from reservation.models import Courriel, Organisation

from .scenario import AUJOURDHUI, PACA

HIER = date(2026, 10, 6)
DEMAIN = AUJOURDHUI + timedelta(days=23)
Present = InviteReunion.Presence.PRESENT
# Organisation → (presence, functions).
PRESENCES = {
    "dreal": (Present, "cheffe du service logement, chargé de mission"),
    "union": (Present, "directeur régional"),
    "als": (Present, "déléguée territoriale"),
    "ddets-06": (Present, "cheffe de pôle"),
    "ddets-13": (InviteReunion.Presence.EXCUSE, ""),
}
NOTES = (
    (
        "L’État présente le réalisé de 2025, département par département : il est atteint en région, et inégal d’un bailleur "
        "à l’autre. Les Bouches-du-Rhône restent sous l’objectif.",
        "Les bailleurs sous 90 % de leur objectif remettent un plan de rattrapage à la DDETS.",
        "Remettre un plan de rattrapage pour 2027",
        ("littoral", 12),
    ),
    (
        "Le quart d’Action Logement Services est tenu dans quatre départements sur six.",
        "",
        "Présenter les causes des désignations échouées",
        ("als", -8),
    ),
    (
        "Les délais de proposition sont la première cause de refus.",
        "Le comité suit le délai de proposition à chaque réunion.",
        "Recenser les refus pour délai dépassé depuis janvier",
        ("ddets-13", -5),
    ),
)


@transaction.atomic
def tenir_les_reunions(acteur: Acteur, organisations: Mapping[str, Organisation]) -> int:
    """How many meetings were made; none where they are already, or where there is no DREAL."""
    dreal = organisations.get("dreal")
    if dreal is None or Reunion.objects.filter(organisation=dreal).exists():
        return 0
    acteur = replace(
        acteur,
        organisation_id=dreal.pk,
        type_organisation=dreal.type,
        roles=frozenset({Role.GESTION}),
        departements=PACA,
    )
    faits = {"heure": time(9, 30), "heure_fin": time(12), "lieu": "DREAL, Marseille, salle des Calanques"}
    passee = reunions.preparer(
        acteur, objet="Comité de pilotage d’automne (démonstration)", date=HIER, **faits
    )
    reunions.proposer_points(acteur, passee)
    reunions.convoquer(acteur, passee)
    passee = reunions.ouvrir(acteur, passee)
    _noter(acteur, passee, organisations)
    reunions.clore(acteur, passee)
    produire_compte_rendu(acteur, passee)
    reunions.envoyer(acteur, passee)
    _comme_tenue(passee, organisations)
    suivante = reunions.preparer(
        acteur, objet="Comité de pilotage d’hiver (démonstration)", date=DEMAIN, **faits
    )
    reunions.proposer_points(acteur, suivante)
    # Nobody of the demonstration has an address.
    Courriel.objects.filter(
        organisation__fictive=True, etat=Courriel.Etat.EN_ATTENTE, gabarit__endswith="_copil"
    ).update(etat=Courriel.Etat.ENVOYE, envoye_le=timezone.now(), essais=1)
    return 2


def _noter(acteur: Acteur, reunion: Reunion, organisations: Mapping[str, Organisation]) -> None:
    presences = {organisations[cle].pk: dit for cle, dit in PRESENCES.items() if cle in organisations}
    for invite in reunion.invites.all():
        presence, fonctions = presences.get(invite.organisation_id, (InviteReunion.Presence.ABSENT, ""))
        reunions.noter_presence(acteur, invite, presence, fonctions)
    responsables = set(reunions.organisations_responsables(reunion.region_id).values_list("pk", flat=True))
    for point, (notes, decision, libelle, (cle, jours)) in zip(
        reunion.points.order_by("rang"), NOTES, strict=False
    ):
        reunions.noter_debats(acteur, point, notes, 0)
        if decision:
            reunions.noter_decision(acteur, point, decision)
        if cle in organisations and organisations[cle].pk in responsables:
            reunions.noter_action(
                acteur,
                point,
                libelle=libelle,
                responsable=str(organisations[cle].pk),
                echeance=AUJOURDHUI + timedelta(days=jours),
            )


def _comme_tenue(reunion: Reunion, organisations: Mapping[str, Organisation]) -> None:
    """What ALS owed is done."""
    als = organisations.get("als")
    for action in reunion.actions.filter(organisation=als):
        reunions.faire(
            Acteur.du_systeme("données de démonstration"),
            action,
            realisee_le=AUJOURDHUI - timedelta(days=10),
            commentaire="Présenté au comité technique.",
        )
