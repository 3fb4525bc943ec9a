"""Readings of what is sensitive: nobody is shown the ground of a label without a row that says so."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction

from publics.models import Labellisation, LectureSensible, PropositionLabel
from reservation.acteur import Acteur
from reservation.regles.typographie import date_fr, typographier
from reservation.services.assistances import exiger_hors_assistance

LONGUEUR_PAGE = 200


@dataclass(frozen=True)
class MotifLu:
    """The ground of a label, as it is shown: its words, its text of law, for how long, and what it was seen from.

    `preuve`: nature and date of what was seen; `case_cerfa`: the box that the request bears. Both would tell the ground.
    """

    libelle: str
    article: str
    manuelle: bool
    debut: date
    fin: date | None
    preuve: str
    case_cerfa: str


def lire_motif(acteur: Acteur, labellisation: Labellisation, page: str) -> MotifLu:
    """The ground of `labellisation`, once the reading is written down. `page`: path of the page it is read from.

    Read by the DDETS of the département and by who entered it (chapter 2); a reading has a reader: neither the
    application itself nor somebody without organisation is one.
    """
    exiger_hors_assistance(acteur)
    lisible = Labellisation.objects.motif_lisible_par(acteur).filter(pk=labellisation.pk).exists()
    if not (lisible and acteur.utilisateur_id and acteur.organisation_id):
        raise PermissionDenied(
            "Le motif d’un label est lu par la DDETS du département et par celui qui l’a saisi."
        )
    with transaction.atomic():
        LectureSensible.objects.create(
            utilisateur_id=acteur.utilisateur_id,
            organisation_id=acteur.organisation_id,
            departement_id=labellisation.departement_id,
            objet=f"label {labellisation.pk}",
            page=page[:LONGUEUR_PAGE],
        )
    return MotifLu(
        labellisation.categorie.libelle,
        labellisation.categorie.article,
        labellisation.manuelle,
        labellisation.debut,
        labellisation.fin,
        f"{labellisation.preuve}, {date_fr(labellisation.preuve_le)}" if labellisation.preuve else "",
        labellisation.case_cerfa,
    )


def lire_motifs_proposes(
    acteur: Acteur, propositions: Collection[PropositionLabel], page: str
) -> dict[int, str]:
    """Proposal → its ground, for those whose ground `acteur` may be told; one row of the journal for each.

    The DDETS decides on the ground: it is shown to it line by line, or for the whole page at once, never unasked.
    """
    exiger_hors_assistance(acteur)
    lisibles = list(
        PropositionLabel.objects.motif_lisible_par(acteur)
        .filter(pk__in=[p.pk for p in propositions])
        .select_related("categorie", "preuve")
        .order_by("pk")
    )
    if not (acteur.utilisateur_id and acteur.organisation_id):
        raise PermissionDenied(
            "Le motif d’un label est lu par la DDETS du département et par celui qui l’a saisi."
        )
    LectureSensible.objects.bulk_create(
        LectureSensible(
            utilisateur_id=acteur.utilisateur_id,
            organisation_id=acteur.organisation_id,
            departement_id=proposition.departement_id,
            objet=f"proposition {proposition.pk}",
            page=page[:LONGUEUR_PAGE],
        )
        for proposition in lisibles
    )
    return {p.pk: _motif_propose(p) for p in lisibles}


def _motif_propose(proposition: PropositionLabel) -> str:
    preuve = (
        f" ; preuve : {proposition.preuve}, {date_fr(proposition.preuve_le)}" if proposition.preuve else ""
    )
    case = f" ; case {proposition.case_cerfa}" if proposition.case_cerfa else ""
    return typographier(f"{proposition.categorie.libelle}{case}{preuve}")
