"""What a merger of bailleurs waits for: the bilans that nobody could submit, answer for or correct once the bailleur is closed."""

from django.db.models import Exists, OuterRef, Q

from bilans.models import Bilan
from bilans.regles.cycle import EtatBilan
from reservation.models import Convention

from .cycle import etats_des_bilans

EN_COURS = [etat.value for etat in EtatBilan if etat not in (EtatBilan.PREPARATION, EtatBilan.VALIDE)]


def sur_fusion_a_preparer(sender, absorbe, absorbant, effet, **_signal) -> tuple[dict[str, int], list[str]]:
    """Receiver of `reservation.signaux.fusion_a_preparer`.

    The bilan of the year before `effet` is owed where an act was in force (R. 441-5-1); one of an older year waits only
    if its submission was begun. From `effet` on there is one bilan for both: none may have been submitted by either.
    """
    annee = effet.year - 1
    actes = Convention.objects.filter(
        bailleur=OuterRef("bailleur"),
        departement=OuterRef("departement"),
        debut__year__lte=annee,
        fin__year__gte=annee,
    ).exclude(etat=Convention.Etat.BROUILLON)
    attendus = (
        Bilan.objects.filter(bailleur=absorbe, annee__lte=annee)
        .annotate(etat=etats_des_bilans())
        .filter(Q(etat__in=EN_COURS) | Q(Exists(actes), etat__isnull=True, annee=annee))
        .select_related("departement")
        .order_by("annee", "departement")
    )
    deja_soumis = (
        Bilan.objects.filter(
            bailleur__in=[absorbe, absorbant],
            departement__in=absorbe.presences.values("departement"),
            annee__gte=effet.year,
        )
        .annotate(etat=etats_des_bilans())
        .filter(etat__in=[*EN_COURS, EtatBilan.VALIDE.value])
        .select_related("bailleur", "departement")
        .order_by("annee", "departement", "bailleur")
    )
    obstacles = [
        f"Le bilan {bilan.annee} ({bilan.departement.nom}) de {bilan.bailleur.nom} est déjà soumis : la fusion changerait ses "
        f"chiffres. Choisissez pour date d’effet le 1er janvier {bilan.annee + 1}."
        for bilan in deja_soumis
    ]
    return {}, obstacles + [
        f"Le bilan {bilan.annee} ({bilan.departement.nom}) de {absorbe.nom} n’est pas validé : {absorbe.nom} ne pourrait plus le "
        "soumettre ni le corriger. Enregistrez la fusion après sa validation, avec la même date d’effet."
        for bilan in attendus
    ]
