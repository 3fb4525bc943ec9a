"""The campaigns of the story: projections sent and acknowledged, shares of Action Logement proposed, agreed, unanswered.

Rows are written with the days of the story, not by the services, whose acts are of now; same shapes, same receipts. One
bailleur never sent its projection of the year, one has a share that waits: the reminders and the tableau de bord have
something to say.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from bilans.models import EcheanceCampagne, EnvoiProjection, PartConvenue, RemiseProjection
from bilans.regles.campagne import NatureEcheance
from bilans.services.projections import als_de, destinataires, nombres_saisis
from reservation.models import Organisation, Presence
from reservation.perimetre import agir

from .scenario import AUJOURDHUI

# Never sent its projection; agreed on nothing with Action Logement.
EN_RETARD = "sem"
SANS_ACCORD = ("littoral", "toit")
# Sent that of the year to come already.
EN_AVANCE = ("azur", "metropole")
HEURE = time(10, 30, tzinfo=UTC)


def ouvrir_les_campagnes(acteur, organisations: Mapping[str, Organisation]) -> int:
    """The campaigns of this year and of the next; returns how many projections were sent."""
    with agir(acteur):
        if EnvoiProjection.objects.exists():
            return 0
        cles = {o.pk: cle for cle, o in organisations.items()}
        annee, envois = AUJOURDHUI.year, 0
        for presence in (
            Presence.objects.filter(bailleur__in=cles)
            .select_related("bailleur")
            .order_by("bailleur", "departement")
        ):
            cle = cles[presence.bailleur_id]
            if cle != EN_RETARD:
                envois += _transmettre(presence, annee, date(annee - 1, 12, 11))
                _convenir(presence, annee, date(annee, 1, 14), accord=cle not in SANS_ACCORD)
            if cle in EN_AVANCE:
                envois += _transmettre(presence, annee + 1, AUJOURDHUI - timedelta(days=6))
        _deplacer(annee + 1)
    return envois


def _transmettre(presence: Presence, annee: int, jour: date) -> int:
    """One version, received by all; those of the past year are acknowledged, those to come wait."""
    le = datetime.combine(jour, HEURE)
    nombres = nombres_saisis(presence.bailleur_id, presence.departement_id, annee)
    envoi = EnvoiProjection.objects.create(
        bailleur=presence.bailleur,
        departement_id=presence.departement_id,
        annee=annee,
        version=1,
        nombres=nombres,
        total=sum(nombres.values()),
        envoye_le=le,
    )
    lue = le + timedelta(days=5) if annee <= AUJOURDHUI.year else None
    RemiseProjection.objects.bulk_create(
        RemiseProjection(
            envoi=envoi,
            bailleur=presence.bailleur,
            departement_id=presence.departement_id,
            reservataire=reservataire,
            comptes=1,
            remise_le=le,
            lue_le=lue,
        )
        for reservataire in destinataires(presence.bailleur, presence.departement_id, annee)
    )
    return 1


def _convenir(presence: Presence, annee: int, jour: date, *, accord: bool) -> None:
    """A share proposed by the bailleur; accepted six days later, the préfet told, or never answered."""
    als = als_de(presence.bailleur, presence.departement_id, annee)
    if als is None:
        return
    le = datetime.combine(jour, HEURE)
    acceptee = le + timedelta(days=6) if accord else None
    PartConvenue.objects.create(
        bailleur=presence.bailleur,
        departement_id=presence.departement_id,
        reservataire=als,
        annee=annee,
        version=1,
        logements=6 + int(presence.bailleur.siren[-3:]) % 20,
        observation="D’après le rythme des deux dernières années." if accord else "",
        etat=PartConvenue.Etat.ACCEPTEE if accord else PartConvenue.Etat.PROPOSEE,
        proposee_pour=presence.bailleur,
        proposee_le=le,
        acceptee_le=acceptee,
        prefet_informe_le=acceptee,
    )


def _deplacer(annee: int) -> None:
    """The DDETS of the Alpes-Maritimes wants the projections before its meeting of December."""
    due = date(annee - 1, 12, 17)
    EcheanceCampagne.objects.get_or_create(
        annee=annee,
        departement_id="06",
        nature=NatureEcheance.PROJECTION,
        defaults={"due": due, "tolerance": due, "raison": "Réunion des bailleurs du 18 décembre, à la DDETS"},
    )
