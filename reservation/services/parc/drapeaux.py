"""Flags: what RPLS does not say of a dwelling or of a programme, with who, when and why (domain, chapter 3)."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from reservation import contexte
from reservation.acteur import Acteur
from reservation.models import Departement, Drapeau, Logement, Organisation
from reservation.models.parc import CodeDrapeau
from reservation.regles.typographie import enumerer, typographier

from .calcul import recalculer_parc

# "Ordinary" answers the question of TYPECONST E: it cannot stand beside a flag that answers the contrary.
_CONTRAIRES = (
    CodeDrapeau.LOGEMENT_FOYER,
    CodeDrapeau.RESIDENCE_UNIVERSITAIRE,
    CodeDrapeau.RESIDENCE_SERVICES,
)


def poser_drapeau(
    acteur: Acteur,
    *,
    bailleur: Organisation,
    departement: Departement,
    portee: str,
    cible: str,
    code: str,
    motif: str,
) -> Drapeau:
    """Set a flag on a dwelling (`cible` = its `cle`) or a programme (its name), and recompute the pair.

    Raises PermissionDenied when the actor does not manage this bailleur, ValidationError when the flag is already
    there, names nothing of this parc, has no reason, or contradicts another one.
    """
    (drapeau,) = poser_drapeaux(
        acteur, bailleur=bailleur, departement=departement, portee=portee, codes={cible: code}, motif=motif
    )
    return drapeau


def poser_drapeaux(
    acteur: Acteur,
    *,
    bailleur: Organisation,
    departement: Departement,
    portee: str,
    codes: Mapping[str, str],
    motif: str,
) -> list[Drapeau]:
    """Set one flag on each target, all of them or none, and recompute the pair once. `codes`: nature by `cible`.

    Raises what `poser_drapeau` raises, for the first target that is refused.
    """
    _exiger_gestion(acteur, bailleur)
    drapeaux = [
        Drapeau(
            bailleur=bailleur,
            departement=departement,
            portee=portee,
            cible=cible,
            code=code,
            motif=motif.strip(),
            pose_par_id=acteur.utilisateur_id,
        )
        for cible, code in codes.items()
    ]
    contexte.motiver(motif)
    with transaction.atomic():
        for drapeau in drapeaux:
            drapeau.full_clean()
            _exiger_cible(drapeau)
            _refuser_contraire(drapeau)
            drapeau.save()
        natures = enumerer(sorted({d.get_code_display() for d in drapeaux}))
        poses = "Drapeau posé" if len(drapeaux) == 1 else f"{len(drapeaux)} drapeaux posés"
        recalculer_parc({(bailleur.pk, departement.pk)}, raison=typographier(f"{poses} : {natures}"))
    return drapeaux


def retirer_drapeau(acteur: Acteur, drapeau: Drapeau, *, motif: str) -> Drapeau:
    """Withdraw a flag, which stays in the history with who, when and why; recompute the pair."""
    _exiger_gestion(acteur, drapeau.bailleur)
    with transaction.atomic():
        drapeau = Drapeau.objects.select_for_update(of=("self",)).get(pk=drapeau.pk)
        if drapeau.retire_le is not None:
            raise ValidationError("Ce drapeau est déjà retiré.")
        if not motif.strip():
            raise ValidationError({"motif_retrait": "Le retrait d’un drapeau demande un motif."})
        contexte.motiver(motif)
        drapeau.retire_le = timezone.now()
        drapeau.retire_par_id = acteur.utilisateur_id
        drapeau.motif_retrait = motif.strip()
        drapeau.full_clean()
        drapeau.save()
        recalculer_parc(
            {(drapeau.bailleur_id, drapeau.departement_id)},
            raison=_raison("retiré", drapeau),
        )
    return drapeau


def _raison(acte: str, drapeau: Drapeau) -> str:
    return typographier(f"Drapeau {acte} : {drapeau.get_code_display()}")


def _exiger_gestion(acteur: Acteur, bailleur: Organisation) -> None:
    if acteur.systeme:
        return
    if not (acteur.est_bailleur and acteur.peut_gerer and acteur.organisation_id == bailleur.pk):
        raise PermissionDenied(
            "Seul le bailleur pose ou retire un drapeau, par un membre qui a le rôle de gestion."
        )


def _exiger_cible(drapeau: Drapeau) -> None:
    champ = "cle" if drapeau.portee == Drapeau.Portee.LOGEMENT else "programme"
    connus = Logement.objects.filter(
        bailleur=drapeau.bailleur, departement=drapeau.departement, **{champ: drapeau.cible}
    )
    if not connus.exists():
        quoi = "logement" if champ == "cle" else "programme"
        raise ValidationError(
            {"cible": typographier(f"Aucun {quoi} « {drapeau.cible} » dans ce parc.")}, code="inconnue"
        )


def _refuser_contraire(drapeau: Drapeau) -> None:
    if drapeau.code == CodeDrapeau.ORDINAIRE:
        contraires = _CONTRAIRES
    elif drapeau.code in _CONTRAIRES:
        contraires = (CodeDrapeau.ORDINAIRE,)
    else:
        return
    autre = Drapeau.objects.filter(
        bailleur=drapeau.bailleur,
        departement=drapeau.departement,
        portee=drapeau.portee,
        cible=drapeau.cible,
        code__in=contraires,
        retire_le=None,
    ).first()
    if autre:
        raise ValidationError(
            typographier(
                f"Le drapeau « {drapeau.get_code_display()} » contredit « {autre.get_code_display()} », posé "
                "auparavant : retirez celui-ci d’abord."
            ),
            code="contraire",
        )
