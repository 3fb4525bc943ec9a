"""The bailleur takes a dwelling back from its réservataire for one letting, where the convention says so (chapter 5).

The dwelling is then non réservé for this letting alone: it counts for nobody's objective, the share of the réservataire
stays whole, and so it comes first among the suggestions that follow.
"""

from datetime import date

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from flux.models import CodeMotif, Designation, Liberation, Orientation, ReprisePourUnTour, Usage
from reservation import contexte
from reservation.acteur import Acteur
from reservation.models import Organisation, VersionConvention
from reservation.regles.typographie import date_fr

from .actes import conclure, enregistrer, exiger, exiger_motif, verrouiller
from .designations import fermer, prevenir, texte_en_vigueur
from .orientations import garder_sans_suggestion, orienter_vers, une_a_la_fois

Nature = ReprisePourUnTour.Nature


def version_qui_permet(liberation: Liberation) -> VersionConvention | None:
    """The text of the réservataire under which the dwelling was oriented, if it lets the bailleur take it back."""
    if liberation.reservataire_id in (None, liberation.bailleur_id):
        return None
    designation = (
        Designation.objects.vivantes().filter(liberation=liberation).select_related("version").first()
    )
    version = designation.version if designation else texte_en_vigueur(liberation, liberation.orientee_le)
    return version if version is not None and version.reprise_pour_un_tour else None


def reprise_en_cours(liberation: Liberation) -> ReprisePourUnTour | None:
    """The act by which the bailleur holds the dwelling now; None once it was given back, or oriented anew."""
    derniere = (
        ReprisePourUnTour.objects.filter(liberation=liberation)
        .select_related("reservataire", "motif", "version__convention")
        .last()
    )
    if derniere is None or derniere.nature == Nature.RETOUR:
        return None
    depuis = Orientation.objects.filter(liberation=liberation, faite_le__gt=derniere.faite_le)
    return None if depuis.exists() else derniere


def repris_a(acteur: Acteur):
    """What bailleurs took back from the actor's organisation, or gave back, latest first."""
    return (
        ReprisePourUnTour.objects.visibles_par(acteur)
        .filter(reservataire=acteur.organisation_id)
        .select_related("bailleur", "motif", "version__convention")
        .order_by("-pk")
    )


@transaction.atomic
def reprendre_pour_un_tour(
    acteur: Acteur, liberation: Liberation, *, motif: CodeMotif, date: date
) -> ReprisePourUnTour:
    """Take the dwelling back, before anybody was attributed it; its réservataire is told."""
    une_a_la_fois(liberation)
    liberation = verrouiller(acteur, liberation)
    exiger_motif(motif, CodeMotif.Acte.REPRISE)
    exiger(motif.actif, "Ce motif n’est plus proposé.")
    exiger(
        liberation.reservataire_id not in (None, liberation.bailleur_id),
        "Seul un logement orienté vers un réservataire se reprend.",
    )
    _exiger_libre(liberation)
    exiger(
        liberation.designation_echouee_le is None,
        "La désignation du réservataire a échoué : le logement n’est plus à reprendre.",
    )
    version = version_qui_permet(liberation)
    reservataire = liberation.reservataire
    exiger(
        version is not None,
        f"La convention de {reservataire.nom} ne prévoit pas de reprise pour un tour.",
    )
    exiger(
        date >= liberation.orientee_le,
        f"La reprise suit l’orientation, qui est du {date_fr(liberation.orientee_le)}.",
    )
    exiger(
        date <= timezone.localdate(), "La reprise porte une date à venir : indiquez le jour où c’est arrivé."
    )
    contexte.motiver(motif.libelle)
    fermer(liberation)
    liberation.reservataire_id, liberation.orientee_le = liberation.bailleur_id, date
    enregistrer(liberation)
    garder_sans_suggestion(acteur, liberation, date)
    reprise = _noter(acteur, liberation, Nature.REPRISE, reservataire, version, motif, date)
    prevenir(
        reservataire,
        "logement_repris",
        {
            "bailleur": liberation.bailleur.nom,
            "reservataire": reservataire.nom,
            "reference": liberation.reference,
            "commune": liberation.commune.nom,
            "date": date_fr(date),
            "motif": motif.libelle,
            "page": reverse("flux:liste_a_pourvoir"),
        },
    )
    conclure(liberation, f"Libération du {date_fr(liberation.date)} reprise pour un tour")
    return reprise


@transaction.atomic
def rendre_au_reservataire(acteur: Acteur, liberation: Liberation, *, motif: CodeMotif) -> ReprisePourUnTour:
    """Give back what was taken for one letting: the réservataire is asked for candidates from today on."""
    une_a_la_fois(liberation)
    liberation = verrouiller(acteur, liberation)
    exiger_motif(motif, CodeMotif.Acte.CORRECTION)
    reprise = reprise_en_cours(liberation)
    exiger(reprise is not None, "Ce logement n’est pas repris pour un tour.")
    _exiger_libre(liberation)
    contexte.motiver(motif.libelle)
    jour = timezone.localdate()
    orienter_vers(liberation, reprise.reservataire, jour)
    garder_sans_suggestion(acteur, liberation, jour)
    return _noter(acteur, liberation, Nature.RETOUR, reprise.reservataire, reprise.version, motif, jour)


def _exiger_libre(liberation: Liberation) -> None:
    exiger(liberation.annulee_le is None, "Cette libération est annulée.")
    exiger(liberation.usage == Usage.FLUX, "Ce logement est déjà pris hors du flux.")
    exiger(
        not liberation.attributions.filter(refusee_le__isnull=True).exists(),
        "Ce logement a une attribution en cours : son orientation ne change plus.",
    )


def _noter(
    acteur: Acteur,
    liberation: Liberation,
    nature: str,
    reservataire: Organisation,
    version: VersionConvention,
    motif: CodeMotif,
    jour: date,
) -> ReprisePourUnTour:
    acte = ReprisePourUnTour(
        bailleur_id=liberation.bailleur_id,
        departement_id=liberation.departement_id,
        reservataire=reservataire,
        liberation=liberation,
        version=version,
        reference=liberation.reference,
        nature=nature,
        motif=motif,
        date=jour,
        faite_par_id=acteur.utilisateur_id,
    )
    enregistrer(acte)
    return acte
