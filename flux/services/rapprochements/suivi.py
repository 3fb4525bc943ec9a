"""What people do with the gaps: change their state or who must act, match and un-match by hand, with coded reasons."""

from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from flux.models import (
    Attribution,
    CorrectionRapprochement,
    EcartRapprochement,
    EtatEcart,
    EvenementEcart,
    LigneRapprochement,
    MotifEcart,
    Rapprochement,
    ResponsableEcart,
)
from flux.regles.rapprochement import AttributionLocale, Fait, Proche, Tolerances, proches
from reservation.acteur import Acteur
from reservation.regles.typographie import accorder
from reservation.services.assistances import exiger_hors_assistance

AVEC_MOTIF = (EtatEcart.EXPLIQUE, EtatEcart.SANS_SUITE)
MOTIFS_ETAT = (
    MotifEcart.EXCEPTION_DDETS,
    MotifEcart.CONVENTION,
    MotifEcart.TRANSMISSION,
    MotifEcart.SNE_FERME,
    MotifEcart.DOUBLON,
    MotifEcart.VERIFIE,
)
MOTIFS_LIER = (
    MotifEcart.NUMERO_MAL_SAISI,
    MotifEcart.DATE_MAL_SAISIE,
    MotifEcart.LOGEMENT_MAL_SAISI,
    MotifEcart.VERIFIE,
)
MOTIFS_SEPARER = (MotifEcart.AUTRE_ATTRIBUTION, MotifEcart.DOUBLON, MotifEcart.VERIFIE)
REFUS = "Votre rôle permet de lire ce rapprochement, non d’y agir."


# --- Gaps ----------------------------------------------------------------------------------------------------


@transaction.atomic
def changer_etat(acteur: Acteur, ecarts: QuerySet[EcartRapprochement], etat: str, motif: str = "") -> int:
    """Put gaps in a state, all or none; returns how many changed. Each leaves a line of its history.

    A state that ends the matter without a correction needs its reason; the others carry none.
    """
    exiger_hors_assistance(acteur)
    if etat not in EtatEcart.values:
        raise ValidationError({"etat": "Cet état n’existe pas."})
    if etat in AVEC_MOTIF and motif not in MOTIFS_ETAT:
        raise ValidationError({"motif": "Dites pourquoi : un écart expliqué ou sans suite porte son motif."})
    motif = motif if etat in AVEC_MOTIF else ""
    a_changer = [e for e in _verrouiller(acteur, ecarts) if (e.etat, e.motif) != (etat, motif)]
    _noter(acteur, a_changer, EvenementEcart.Acte.ETAT, "etat", etat, motif)
    EcartRapprochement.objects.filter(pk__in=[e.pk for e in a_changer]).update(etat=etat, motif=motif)
    return len(a_changer)


@transaction.atomic
def changer_responsable(acteur: Acteur, ecarts: QuerySet[EcartRapprochement], responsable: str) -> int:
    """Say that somebody else must act; returns how many gaps changed hands."""
    exiger_hors_assistance(acteur)
    if responsable not in ResponsableEcart.values:
        raise ValidationError({"responsable": "Ce responsable n’existe pas."})
    a_changer = [e for e in _verrouiller(acteur, ecarts) if e.responsable != responsable]
    _noter(acteur, a_changer, EvenementEcart.Acte.RESPONSABLE, "responsable", responsable, "")
    EcartRapprochement.objects.filter(pk__in=[e.pk for e in a_changer]).update(responsable=responsable)
    return len(a_changer)


def _verrouiller(acteur: Acteur, ecarts: QuerySet[EcartRapprochement]) -> list[EcartRapprochement]:
    voulus = list(ecarts.order_by("pk").values_list("pk", flat=True))
    siens = list(
        EcartRapprochement.objects.modifiables_par(acteur)
        .filter(pk__in=voulus)
        .order_by("pk")
        .select_for_update()
    )
    if len(siens) != len(voulus):
        raise PermissionDenied(REFUS)
    return siens


def _noter(
    acteur: Acteur, ecarts: Collection[EcartRapprochement], acte: str, champ: str, apres: str, motif: str
) -> None:
    maintenant = timezone.now()
    EvenementEcart.objects.bulk_create(
        EvenementEcart(
            ecart=ecart,
            bailleur_id=ecart.bailleur_id,
            departement_id=ecart.departement_id,
            acte=acte,
            avant=getattr(ecart, champ),
            apres=apres,
            motif=motif,
            par_id=acteur.utilisateur_id,
            le=maintenant,
        )
        for ecart in ecarts
    )


# --- Matching by hand ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """An attribution to match by hand with a line that only the extract has."""

    ligne: LigneRapprochement
    proche: Proche

    @property
    def pourquoi(self) -> str:
        jours = "même jour" if not self.proche.jours else f"{accorder(self.proche.jours, 'jour')} d’écart"
        logement = "même logement, " if self.proche.meme_logement else ""
        menage = "même ménage, " if self.proche.meme_menage else ""
        return logement + menage + jours


def proposer_proches(acteur: Acteur, ligne: LigneRapprochement) -> list[Candidate]:
    """The lonely attributions of the same run that could be what a lonely line of the extract tells."""
    seules = (
        LigneRapprochement.objects.visibles_par(acteur)
        .filter(
            rapprochement=ligne.rapprochement_id, presente=True, evenement=None, attribution__isnull=False
        )
        .select_related("attribution__liberation")
        .order_by("pk")
    )
    par_attribution = {seule.attribution_id: seule for seule in seules}
    fait = Fait(
        ligne.cle_fait.split("|")[0],
        [],
        caleol=ligne.caleol_sne,
        bail=ligne.bail_sne,
        radie=ligne.jour,
        logement=ligne.cle_fait.rpartition("|")[2],
    )
    if fait.jour is None:
        return []
    siennes = [
        AttributionLocale(
            pk,
            f"m{seule.attribution.menage_id}",
            seule.attribution.date_caleol,
            logement=seule.attribution.liberation.cle_logement,
        )
        for pk, seule in par_attribution.items()
    ]
    return [Candidate(par_attribution[proche.id], proche) for proche in proches(fait, siennes, Tolerances())]


def lier(
    acteur: Acteur, ligne: LigneRapprochement, attribution: Attribution, motif: str
) -> CorrectionRapprochement:
    """Say that a line of the extract and an attribution are one; the run is to be made again."""
    if not ligne.cle_fait or ligne.attribution_id is not None:
        raise ValidationError("Cette ligne de l’extrait est déjà rapprochée : séparez-la d’abord.")
    return _decider(acteur, ligne, attribution, CorrectionRapprochement.Genre.LIER, motif, MOTIFS_LIER)


def separer(acteur: Acteur, ligne: LigneRapprochement, motif: str) -> CorrectionRapprochement | None:
    """Say that a line and the attribution it was matched with are two; None when the match was itself a decision,
    which is then withdrawn."""
    if not ligne.cle_fait or ligne.attribution_id is None:
        raise ValidationError("Cette ligne n’est pas rapprochée.")
    liee = CorrectionRapprochement.objects.filter(
        cle_fait=ligne.cle_fait,
        attribution=ligne.attribution_id,
        genre=CorrectionRapprochement.Genre.LIER,
        retiree_le=None,
    ).first()
    if liee is not None:
        retirer_correction(acteur, liee)
        return None
    return _decider(
        acteur, ligne, ligne.attribution, CorrectionRapprochement.Genre.SEPARER, motif, MOTIFS_SEPARER
    )


def _decider(
    acteur: Acteur,
    ligne: LigneRapprochement,
    attribution: Attribution,
    genre: str,
    motif: str,
    motifs: Collection[str],
) -> CorrectionRapprochement:
    exiger_hors_assistance(acteur)
    siennes = Attribution.objects.visibles_par(acteur).filter(
        pk=attribution.pk, bailleur=ligne.bailleur_id, departement=ligne.departement_id
    )
    rapprochements = Rapprochement.objects.modifiables_par(acteur).filter(pk=ligne.rapprochement_id)
    if not rapprochements.exists() or not siennes.exists():
        raise PermissionDenied(REFUS)
    if motif not in motifs:
        raise ValidationError({"motif": "Dites pourquoi."})
    try:
        with transaction.atomic():
            return CorrectionRapprochement.objects.create(
                bailleur_id=ligne.bailleur_id,
                departement_id=ligne.departement_id,
                genre=genre,
                cle_fait=ligne.cle_fait,
                attribution=attribution,
                motif=motif,
                par_id=acteur.utilisateur_id,
            )
    except IntegrityError:
        raise ValidationError("Ces deux lignes ont déjà été rapprochées ou séparées à la main.") from None


def retirer_correction(acteur: Acteur, correction: CorrectionRapprochement) -> None:
    """Go back on a decision; the row stays, with who withdrew it and when."""
    exiger_hors_assistance(acteur)
    retirees = (
        CorrectionRapprochement.objects.modifiables_par(acteur)
        .filter(pk=correction.pk, retiree_le=None)
        .update(retiree_le=timezone.now(), retiree_par=acteur.utilisateur_id)
    )
    if not retirees:
        raise PermissionDenied(REFUS)
