"""A label that came after the CALEOL counts only if the DDETS admits it, with a coded reason (chapter 7; PACA, art. 3)."""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from flux.models import Attribution, CodeMotif, ExceptionLabel, Liberation
from publics.models import Labellisation
from reservation import contexte
from reservation.acteur import Acteur
from reservation.perimetre import agir
from reservation.regles.typographie import date_fr
from reservation.services.assistances import exiger_hors_assistance

from .actes import conclure, enregistrer, exiger
from .designations import prevenir

Nature = ExceptionLabel.Nature


def peut_decider(acteur: Acteur, objet: Attribution | Liberation) -> bool:
    """The DDETS of the département, with the role of managing."""
    return acteur.systeme or (
        acteur.est_ddets and acteur.peut_gerer and objet.departement_id in acteur.departements
    )


def labels_posterieurs(acteur: Acteur, attribution: Attribution):
    """Labels of the household that began after the CALEOL: those on which the DDETS may decide."""
    return (
        Labellisation.objects.visibles_par(acteur)
        .filter(menage=attribution.menage_id, debut__gt=attribution.date_caleol)
        .order_by("debut", "pk")
    )


def labels_des_menages(acteur: Acteur, menages: Collection[int]):
    """All labels of these households that `acteur` may read."""
    return Labellisation.objects.visibles_par(acteur).filter(menage__in=menages).order_by("debut", "pk")


@transaction.atomic
def admettre_label(
    acteur: Acteur, attribution: Attribution, label: Labellisation, *, motif: CodeMotif
) -> ExceptionLabel:
    """The label counts for this attribution as if it had been valid that day; the bailleur is told, and it is imputed
    again."""
    attribution = _verrouiller(acteur, attribution)
    exiger(
        motif.acte == CodeMotif.Acte.EXCEPTION and motif.actif,
        "Ce motif n’est pas celui d’une exception.",
    )
    exiger(
        attribution.menage_id is not None and label.menage_id == attribution.menage_id,
        "Ce label n’est pas celui du ménage attributaire.",
    )
    exiger(
        label.debut > attribution.date_caleol,
        "Seul un label postérieur à la CALEOL s’admet par exception : "
        f"celui-ci vaut depuis le {date_fr(label.debut)}.",
    )
    exiger(
        not attribution.labels_admis.filter(pk=label.pk).exists(), "Ce label est déjà admis par exception."
    )
    attribution.labels_admis.add(label)
    return _noter(acteur, attribution, label, Nature.ADMISSION, motif)


@transaction.atomic
def retirer_exception(
    acteur: Acteur, attribution: Attribution, label: Labellisation, *, motif: CodeMotif
) -> ExceptionLabel:
    """Take the exception back: the attribution counts again as the labels of the day say."""
    attribution = _verrouiller(acteur, attribution)
    exiger(motif.acte == CodeMotif.Acte.CORRECTION, "Ce motif n’est pas celui d’une correction.")
    exiger(attribution.labels_admis.filter(pk=label.pk).exists(), "Ce label n’est pas admis par exception.")
    attribution.labels_admis.remove(label)
    return _noter(acteur, attribution, label, Nature.RETRAIT, motif)


def _verrouiller(acteur: Acteur, attribution: Attribution) -> Attribution:
    """The attribution as it is now, its libération locked until the end of the transaction."""
    exiger_hors_assistance(acteur)
    if not peut_decider(acteur, attribution):
        raise PermissionDenied("Seule la DDETS du département admet un label, avec le rôle de gestion.")
    with agir(Acteur.du_systeme("verrou d’une libération")):  # the bailleur's: the State does not write it
        Liberation.objects.select_for_update().get(pk=attribution.liberation_id)
    relue = Attribution.objects.select_related("liberation__bailleur").filter(pk=attribution.pk).first()
    exiger(relue is not None, "Cette attribution n’existe plus.")
    return relue


def _noter(
    acteur: Acteur, attribution: Attribution, label: Labellisation, nature: str, motif: CodeMotif
) -> ExceptionLabel:
    contexte.motiver(motif.libelle)
    decision = ExceptionLabel(
        bailleur_id=attribution.bailleur_id,
        departement_id=attribution.departement_id,
        liberation_id=attribution.liberation_id,
        attribution_id=attribution.pk,
        label_id=label.pk,
        nature=nature,
        motif=motif,
        date_caleol=attribution.date_caleol,
        label_depuis=label.debut,
        faite_par_id=acteur.utilisateur_id,
    )
    enregistrer(decision)
    liberation = attribution.liberation
    prevenir(
        liberation.bailleur,
        "exception_label",
        {
            "admise": nature == Nature.ADMISSION,
            "bailleur": liberation.bailleur.nom,
            "reference": liberation.reference,
            "caleol": date_fr(attribution.date_caleol),
            "motif": motif.libelle,
            "page": reverse("flux:liberation", args=[liberation.pk]),
        },
    )
    quoi = "admis par exception" if nature == Nature.ADMISSION else "plus admis par exception"
    conclure(liberation, f"Label du {date_fr(label.debut)} {quoi}")
    return decision
