"""The points d’étape: a document of the running year, sent to the DDETS by the bailleur, to each réservataire its own part
(CA, art. 7.1); nothing is closed by it."""

from dataclasses import replace
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from bilans.models import Bilan, DocumentBilan, PointEtape
from bilans.regles.cycle import ActeRefuse
from bilans.regles.donnees import depuis_json, empreinte
from bilans.regles.points import semestre_de, titre_du_point
from reservation.acteur import Acteur
from reservation.regles.typographie import typographier
from reservation.services.assistances import exiger_hors_assistance

from .cycle import transmettre_aux_reservataires
from .cycle_courriels import dire_aux_ddets, dire_point_aux_reservataires
from .documents import dernier_document
from .donnees_bilan import CalculAbsent, CalculPerime, lire_donnees


def points_de(bilan: Bilan) -> list[PointEtape]:
    """Those sent, the last first. One query."""
    return list(
        PointEtape.objects.filter(bilan=bilan)
        .select_related("par", "organisation", "document", "bailleur")
        .defer("document__donnees")
        .order_by("-semestre", "-version")
    )


def peut_transmettre(acteur: Acteur, bilan: Bilan) -> bool:
    """Whether somebody of its bailleur asks, who manages."""
    return (
        acteur.est_bailleur
        and acteur.organisation_id == bilan.bailleur_id
        and acteur.peut_gerer
        and not acteur.en_assistance
    )


def semestre_a_dire(bilan: Bilan, document: DocumentBilan | None) -> int | None:
    """The half-year that `document` would be sent for; None when it cannot be."""
    if document is None:
        return None
    try:
        return semestre_de(bilan.annee, document.donnees_au)
    except ActeRefuse:
        return None


@transaction.atomic
def transmettre_point(
    acteur: Acteur, bilan: Bilan, marque: str, observation: str = "", *, le: datetime | None = None
) -> PointEtape:
    """Send the document whose figures have the fingerprint `marque`: a new version of its half-year.

    `le`: now unless the demonstration tells the past. Raises `PermissionDenied`, or `ValidationError` with what is missing.
    """
    exiger_hors_assistance(acteur)
    if not peut_transmettre(acteur, bilan):
        raise PermissionDenied(
            "Le point d’étape est transmis par une personne du bailleur qui a le rôle Gestion."
        )
    bilan = (
        Bilan.objects.select_related("bailleur", "departement")
        .select_for_update(of=("self",))
        .get(pk=bilan.pk)
    )
    document = dernier_document(bilan)
    if document is None:
        raise ValidationError("Produisez le PDF et relisez-le : c’est lui que vous transmettez.")
    try:
        semestre = semestre_de(bilan.annee, document.donnees_au)
    except ActeRefuse as refus:
        raise ValidationError(typographier(str(refus))) from refus
    if document.empreinte_donnees != marque or not _memes_chiffres(bilan, document):
        raise ValidationError(
            "Les chiffres ou le texte ont changé depuis le PDF que vous avez lu : produisez-le de nouveau, relisez, "
            "transmettez."
        )
    deja = PointEtape.objects.filter(bilan=bilan, semestre=semestre).order_by("-version")
    dernier = deja.first()
    if dernier is not None and dernier.document_id == document.pk:
        raise ValidationError("Ce point d’étape est déjà transmis, et rien n’a changé depuis.")
    point = PointEtape.objects.create(
        bilan=bilan,
        bailleur_id=bilan.bailleur_id,
        departement_id=bilan.departement_id,
        semestre=semestre,
        version=dernier.version + 1 if dernier else 1,
        document=document,
        observation=observation.strip(),
        le=le or timezone.now(),
        par_id=acteur.utilisateur_id,
        organisation_id=acteur.organisation_id,
    )
    transmettre_aux_reservataires(document, point.le, point=point)
    dire_point_aux_reservataires(point)
    dire_aux_ddets(
        bilan,
        f"Point d’étape {bilan.annee} transmis",
        f"{bilan.bailleur.nom} vous transmet son point d’étape du {titre_du_point(semestre)} {bilan.annee}, version "
        f"{point.version} : les chiffres à ce jour, et l’atterrissage au 31 décembre.",
        "Il est sur la page de suivi du bilan, avec son PDF.",
        reverse("bilans:suivi", args=[bilan.pk]),
    )
    return point


def _memes_chiffres(bilan: Bilan, document: DocumentBilan) -> bool:
    """Whether the lines give, as of the day of the document, what it says; the moment of the reading apart."""
    try:
        vives = lire_donnees(bilan, document.donnees_au)
    except (CalculAbsent, CalculPerime) as erreur:
        raise ValidationError(str(erreur)) from erreur
    figees = depuis_json(DocumentBilan.objects.values_list("donnees", flat=True).get(pk=document.pk))
    return empreinte(replace(vives, situation=figees.situation)) == document.empreinte_donnees
