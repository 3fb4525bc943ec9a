"""A meeting read as one tree, and its minutes as PDF: the page, the draft and the minutes print the same tree.

The minutes of a closing are kept with their hash. No lock is held while the PDF is made; two at once make one version.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from bilans.models import (
    ActionReunion,
    CompteRendu,
    DecisionReunion,
    InviteReunion,
    PointReunion,
    Reunion,
)
from bilans.models.reunions import numero_de_compte_rendu
from bilans.regles.reunions import EtatReunion, Rubrique, ce_qui_manque
from reservation.acteur import Acteur
from reservation.documents.pdf import Pdf, rendre_texte
from reservation.regles.typographie import jour_semaine_fr

from .reunions import actions_a_suivre
from .reunions_courriels import decrire

_PARAGRAPHES = re.compile(r"\n\s*\n|\n")


@dataclass(frozen=True, slots=True)
class PointLu:
    """An item with what was noted under it; `suivies`: the open actions that it takes up."""

    point: PointReunion
    decisions: Sequence[DecisionReunion]
    actions: Sequence[ActionReunion]
    suivies: Sequence[ActionReunion] = ()

    @property
    def paragraphes(self) -> list[str]:
        return [p.strip() for p in _PARAGRAPHES.split(self.point.notes) if p.strip()]

    @property
    def traite(self) -> bool:
        return bool(self.point.notes or self.decisions or self.actions)


@dataclass(frozen=True, slots=True)
class ReunionLue:
    """What somebody reads of a meeting: members, items in their order, and what is counted of them."""

    reunion: Reunion
    invites: Sequence[InviteReunion]
    points: Sequence[PointLu]

    @property
    def decisions(self) -> list[DecisionReunion]:
        return [d for lu in self.points for d in lu.decisions]

    @property
    def actions(self) -> list[ActionReunion]:
        return [a for lu in self.points for a in lu.actions]

    @property
    def duree(self) -> int:
        """Minutes that the agenda foresees."""
        return sum(lu.point.duree or 0 for lu in self.points)

    @property
    def manques(self) -> list[str]:
        """What is said before closing."""
        return ce_qui_manque(
            len(self.points),
            sum(not lu.traite for lu in self.points),
            sum(not invite.presence for invite in self.invites),
        )


def lire_reunion(acteur: Acteur, reunion: Reunion) -> ReunionLue:
    """What `acteur` reads of a meeting: a fixed number of queries. What is being noted is the DREAL's alone."""
    decisions: dict[int, list] = {}
    for decision in DecisionReunion.objects.visibles_par(acteur).filter(reunion=reunion).order_by("pk"):
        decisions.setdefault(decision.point_id, []).append(decision)
    actions: dict[int, list] = {}
    siennes = ActionReunion.objects.visibles_par(acteur).filter(reunion=reunion)
    if not _lit_la_seance(acteur, reunion):
        siennes = siennes.none()
    for action in siennes.select_related("organisation").order_by("pk"):
        actions.setdefault(action.point_id, []).append(action)
    points = list(reunion.points.order_by("rang", "pk"))
    suivies = ()
    if any(point.rubrique == Rubrique.ACTIONS for point in points) and reunion.etat != EtatReunion.CLOSE:
        suivies = tuple(
            ActionReunion.objects.visibles_par(acteur)
            .filter(pk__in=actions_a_suivre(reunion).values("pk"))
            .select_related("organisation")
            .order_by("echeance", "pk")
        )
    if not _lit_la_seance(acteur, reunion):
        for point in points:
            point.notes = ""
    return ReunionLue(
        reunion,
        list(reunion.invites.select_related("organisation").order_by("organisation__nom_tri", "pk")),
        [
            PointLu(
                point,
                decisions.get(point.pk, ()),
                actions.get(point.pk, ()),
                suivies if point.rubrique == Rubrique.ACTIONS else (),
            )
            for point in points
        ],
    )


def _lit_la_seance(acteur: Acteur, reunion: Reunion) -> bool:
    """What is noted is read by all members once the meeting is closed, by the DREAL before."""
    return acteur.systeme or acteur.est_dreal or reunion.etat == EtatReunion.CLOSE


def composer(lue: ReunionLue, version: int) -> Pdf:
    """The minutes, or their draft (with its watermark) as long as the meeting is not closed."""
    reunion = lue.reunion
    presents = [i for i in lue.invites if i.presence == InviteReunion.Presence.PRESENT]
    contenu = render_to_string(
        "pdf/reunion/compte_rendu.html",
        {
            "lue": lue,
            "reunion": reunion,
            "projet": reunion.etat != EtatReunion.CLOSE,
            "jour": jour_semaine_fr(reunion.date),
            "seance": decrire(reunion),
            "reference": numero_de_compte_rendu(reunion, version),
            "version": version,
            "presents": presents,
            "excuses": [i for i in lue.invites if i.presence == InviteReunion.Presence.EXCUSE],
            "absents": [i for i in lue.invites if i.presence == InviteReunion.Presence.ABSENT],
            "close_le": timezone.localtime(reunion.close_le) if reunion.close_le else None,
            "fictive": reunion.organisation.fictive,
        },
    )
    return rendre_texte(contenu)


def produire_compte_rendu(acteur: Acteur, reunion: Reunion) -> CompteRendu:
    """The minutes of the last closing; those that exist already if they were made since."""
    if not Reunion.objects.modifiables_par(acteur).filter(pk=reunion.pk).exists():
        raise PermissionDenied("Seule la DREAL qui tient cette réunion produit son compte rendu.")
    reunion = Reunion.objects.select_related("organisation", "region").get(pk=reunion.pk)
    if reunion.etat != EtatReunion.CLOSE:
        raise ValidationError("Le compte rendu se produit une fois la réunion close.")
    while True:
        dernier = reunion.comptes_rendus.defer("octets").order_by("-version").first()
        if dernier is not None and dernier.produit_le >= reunion.close_le:
            return dernier
        version = dernier.version + 1 if dernier else 1
        pdf = composer(lire_reunion(acteur, reunion), version)
        if produit := _garder(reunion, version, pdf):
            return produit


def _garder(reunion: Reunion, version: int, pdf: Pdf) -> CompteRendu | None:
    """Keep this version, unless somebody kept it meanwhile, or reopened the meeting."""
    with transaction.atomic():
        actuelle = Reunion.objects.select_for_update().get(pk=reunion.pk)
        if reunion.comptes_rendus.filter(version__gte=version).exists():
            return None
        if actuelle.close_le != reunion.close_le:
            raise ValidationError("La réunion a été rouverte pendant que le compte rendu se faisait.")
        return CompteRendu.objects.create(
            reunion=reunion, version=version, octets=pdf.octets, empreinte=pdf.empreinte, pages=pdf.pages
        )


def projet(acteur: Acteur, reunion: Reunion) -> Pdf:
    """The minutes as they would be now, marked as a draft; the agenda alone before the meeting."""
    dernier = reunion.comptes_rendus.order_by("-version").values_list("version", flat=True).first()
    return composer(lire_reunion(acteur, reunion), (dernier or 0) + 1)
