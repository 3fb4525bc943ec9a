"""A meeting that is closed, with an action that a bailleur owes, and one that is convened; `marque` in every free text."""

import hashlib
from datetime import date, time

from django.utils import timezone

from bilans.models import (
    ActionReunion,
    CompteRendu,
    DecisionReunion,
    EvenementReunion,
    InviteReunion,
    PointReunion,
    Reunion,
)
from tests.personnages import Distribution


def reunir(cast: Distribution, bailleur, octets: bytes, marque: str) -> dict:
    """The objects that the matrix asks for: `reunion`, `reunion_convoquee`, `action_copil`, `compte_rendu` and their parts."""
    le = timezone.now()
    commun = {
        "region_id": "93",
        "organisation": cast.dreal_paca,
        "objet": f"objet {marque}",
        "heure": time(9, 30),
        "lieu": f"lieu {marque}",
        "publiee_le": le,
    }
    reunion = Reunion.objects.create(**commun, date=date(2025, 10, 8), etat="OUVERTE", ouverte_le=le)
    convoquee = Reunion.objects.create(**commun, date=date(2099, 6, 4), etat="CONVOQUEE")
    point = PointReunion.objects.create(
        reunion=reunion, rang=1, titre=f"point {marque}", texte=f"texte {marque}", notes=f"notes {marque}"
    )
    PointReunion.objects.create(reunion=convoquee, rang=1, rubrique="ACTIONS", titre=f"suites {marque}")
    decision = DecisionReunion.objects.create(reunion=reunion, point=point, texte=f"décision {marque}")
    action = ActionReunion.objects.create(
        reunion=reunion,
        point=point,
        comite=cast.dreal_paca,
        region_id="93",
        seance=reunion.date,
        libelle=f"action {marque}",
        organisation=bailleur,
        echeance=date(2099, 1, 1),
        publiee_le=le,
        commentaire=f"commentaire {marque}",
    )
    invite = InviteReunion.objects.create(
        reunion=reunion, organisation=cast.als, presence="PRESENT", fonctions=f"fonctions {marque}"
    )
    EvenementReunion.objects.create(
        reunion=reunion, acte="ROUVRIR", motif=f"motif {marque}", par=cast.gens["charge_dreal"]
    )
    compte_rendu = CompteRendu.objects.create(
        reunion=reunion, version=1, octets=octets, empreinte=hashlib.sha256(octets).hexdigest(), pages=1
    )
    Reunion.objects.filter(pk=reunion.pk).update(etat="CLOSE", close_le=le)
    return {
        "reunion": reunion,
        "reunion_convoquee": convoquee,
        "point_copil": point,
        "decision_copil": decision,
        "action_copil": action,
        "invite_copil": invite,
        "compte_rendu": compte_rendu,
    }
