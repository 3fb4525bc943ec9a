"""A freed dwelling is declared, corrected, cancelled, restored; alone or several at once."""

from collections.abc import Callable, Collection
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q

from flux.models import Attribution, CodeMotif, Liberation, Usage
from reservation import contexte
from reservation.acteur import Acteur
from reservation.models import (
    ClasseFinancement,
    ClassePeriode,
    ClasseTypologie,
    Commune,
    Logement,
    Organisation,
)
from reservation.regles.statut import statut_logement
from reservation.regles.typographie import accorder, date_fr, typographier

from .actes import (
    conclure,
    conclure_ensemble,
    enregistrer,
    exiger,
    exiger_motif,
    verrouiller,
    verrouiller_ensemble,
)
from .cadres import charger_cadres
from .statuts import MODE_LOUE, SORTIE_AUCUNE


@transaction.atomic
def enregistrer_liberation(
    acteur: Acteur,
    bailleur: Organisation,
    *,
    date: date,
    reference: str,
    logement: Logement | None = None,
    usage: str = Usage.FLUX,
    preuve: str = "",
    premiere: bool = False,
    date_preavis: date | None = None,
    date_disponibilite: date | None = None,
    commune: str = "",
    adresse: str = "",
    qpv: bool = False,
    finan: str = "",
    conv: str = "",
    nbpiece: int | None = None,
    construct: int | None = None,
) -> Liberation:
    """Declare a freed dwelling. Its facts are those of `logement` (the parc), else those given (new programme).

    Whether it is in the assiette is decided here, by the rule, under the acts of the year of the libération.
    """
    if not (
        acteur.systeme
        or (acteur.est_bailleur and acteur.peut_gerer and acteur.organisation_id == bailleur.pk)
    ):
        raise PermissionDenied("Seul le bailleur déclare ses libérations.")
    if logement is not None:
        faits = _faits_du_parc(logement)
        mode, sortie, drapeaux = logement.mode, logement.sortie, frozenset(logement.drapeaux)
    else:
        faits = _faits_saisis(reference, commune, adresse, qpv, finan, conv, nbpiece, construct)
        mode, sortie, drapeaux = MODE_LOUE, SORTIE_AUCUNE, frozenset()
    paire = (bailleur.pk, faits["departement_id"])
    cadre = charger_cadres([paire], date.year)[paire]
    statut = statut_logement(
        faits["finan"], faits["conv"], mode, sortie, drapeaux, bailleur.famille, cadre.regime.exclusions
    )
    liberation = Liberation(
        bailleur=bailleur,
        **faits,
        date=date,
        date_preavis=date_preavis,
        date_disponibilite=date_disponibilite,
        usage=usage,
        preuve=preuve,
        premiere=premiere,
        statut_logement=statut.value,
        dans_assiette=statut.dans_assiette,
        cree_par_id=acteur.utilisateur_id,
    )
    enregistrer(liberation)
    conclure(liberation, f"Libération du {date_fr(date)} déclarée")
    return liberation


def _faits_du_parc(logement: Logement) -> dict[str, Any]:
    champs = (
        "departement_id",
        "commune_id",
        "adresse",
        "qpv",
        "finan",
        "conv",
        "nbpiece",
        "typologie",
        "financement",
        "periode",
    )
    return {champ: getattr(logement, champ) for champ in champs} | {
        "cle_logement": logement.cle,
        "reference": logement.ident_int or logement.ident_rep or logement.cle,
    }


def _faits_saisis(
    reference: str,
    commune: str,
    adresse: str,
    qpv: bool,
    finan: str,
    conv: str,
    nbpiece: int | None,
    construct: int | None,
) -> dict[str, Any]:
    """Facts of a dwelling that RPLS does not know yet, with the classes of the bilan's tables."""
    exiger(
        bool(finan and conv and nbpiece and construct),
        "Un logement que le RPLS ne connaît pas se décrit : financement, conventionnement, pièces, année.",
    )
    lieu = Commune.objects.filter(pk=commune).first()
    if lieu is None:
        raise ValidationError({"commune": f"« {commune} » n’est pas le code d’une commune."})
    typologie = ClasseTypologie.objects.filter(
        Q(pieces_max__isnull=True) | Q(pieces_max__gte=nbpiece), pieces_min__lte=nbpiece
    ).first()
    financement = (
        ClasseFinancement.objects.filter(Q(finans__overlap=[finan, f"{finan}/{conv}"]) | Q(par_defaut=True))
        .order_by("par_defaut")
        .first()
    )
    periode = ClassePeriode.objects.filter(
        Q(annee_min__isnull=True) | Q(annee_min__lte=construct),
        Q(annee_max__isnull=True) | Q(annee_max__gte=construct),
    ).first()
    return {
        "cle_logement": reference,
        "reference": reference,
        "commune_id": lieu.pk,
        "departement_id": lieu.departement_id,
        "adresse": adresse,
        "qpv": qpv,
        "finan": finan,
        "conv": conv,
        "nbpiece": nbpiece,
        "typologie": typologie.code,
        "financement": financement.code,
        "periode": periode.code,
    }


@transaction.atomic
def corriger_liberation(
    acteur: Acteur,
    liberation: Liberation,
    *,
    date: date,
    usage: str,
    preuve: str = "",
    premiere: bool = False,
    date_preavis: date | None = None,
    date_disponibilite: date | None = None,
) -> Liberation:
    """The dates and the use of a libération, known later or better. Its dwelling does not change.

    Another year is another libération: the acts of that year decide whether the dwelling is in the assiette.
    """
    liberation = verrouiller(acteur, liberation)
    exiger(liberation.annulee_le is None, "Cette libération est annulée.")
    exiger(
        date.year == liberation.date.year,
        f"La libération est de {liberation.date.year} : pour une autre année, annulez-la et déclarez-la de nouveau.",
    )
    _utiliser(liberation, usage, preuve)
    liberation.date, liberation.premiere = date, premiere
    liberation.date_preavis, liberation.date_disponibilite = date_preavis, date_disponibilite
    enregistrer(liberation)
    conclure(liberation, f"Libération du {date_fr(liberation.date)} corrigée")
    return liberation


def _utiliser(liberation: Liberation, usage: str, preuve: str) -> None:
    exiger(
        usage == Usage.FLUX or bool(preuve.strip()),
        "Une soustraction demande la référence de son justificatif.",
    )
    liberation.usage, liberation.preuve = usage, preuve.strip()


@transaction.atomic
def annuler_liberation(
    acteur: Acteur, liberation: Liberation, *, date: date, motif: CodeMotif, precision: str = ""
) -> Liberation:
    """The tenant stays: the libération leaves the flux, with its attributions."""
    liberation = verrouiller(acteur, liberation)
    _annuler(liberation, date, motif, precision, _ont_un_bail([liberation.pk]))
    conclure(liberation, f"Libération du {date_fr(liberation.date)} annulée")
    return liberation


def _ont_un_bail(cles: Collection[int]) -> frozenset[int]:
    baux = Attribution.objects.filter(liberation__in=cles, date_bail__isnull=False, refusee_le__isnull=True)
    return frozenset(baux.order_by().values_list("liberation", flat=True))


def _annuler(
    liberation: Liberation, date: date, motif: CodeMotif, precision: str, louees: frozenset[int]
) -> None:
    exiger(liberation.annulee_le is None, "Cette libération est déjà annulée.")
    exiger_motif(motif, CodeMotif.Acte.ANNULATION)
    exiger(
        liberation.pk not in louees,
        "Un bail est signé sur ce logement : la libération ne peut plus être annulée.",
    )
    mots = f"{motif.libelle} : {precision.strip()}" if precision.strip() else motif.libelle
    liberation.annulee_le, liberation.code_annulation = date, motif
    liberation.motif_annulation = typographier(mots)
    contexte.motiver(liberation.motif_annulation)
    enregistrer(liberation)


@transaction.atomic
def retablir_liberation(acteur: Acteur, liberation: Liberation, *, motif: CodeMotif) -> Liberation:
    """A cancellation is taken back: the libération counts again, with what followed it."""
    liberation = verrouiller(acteur, liberation)
    exiger(liberation.annulee_le is not None, "Cette libération n’est pas annulée.")
    exiger_motif(motif, CodeMotif.Acte.CORRECTION)
    liberation.annulee_le, liberation.code_annulation, liberation.motif_annulation = None, None, ""
    contexte.motiver(motif.libelle)
    enregistrer(liberation)
    conclure(liberation, f"Libération du {date_fr(liberation.date)} rétablie")
    return liberation


# --- Several at once --------------------------------------------------------------------------------------------


@transaction.atomic
def dater_la_disponibilite(
    acteur: Acteur, cles: Collection[int], *, date_disponibilite: date
) -> list[Liberation]:
    """One available date for several libérations."""
    return _ensemble(acteur, cles, lambda liberation: _disponible(liberation, date_disponibilite), "datées")


def _disponible(liberation: Liberation, jour: date) -> None:
    exiger(liberation.annulee_le is None, "Cette libération est annulée.")
    liberation.date_disponibilite = jour
    enregistrer(liberation)


@transaction.atomic
def changer_l_usage(
    acteur: Acteur, cles: Collection[int], *, usage: str, preuve: str = ""
) -> list[Liberation]:
    """One use, and its proof, for several libérations (an operation of renovation takes a whole building)."""

    def changer(liberation: Liberation) -> None:
        exiger(liberation.annulee_le is None, "Cette libération est annulée.")
        _utiliser(liberation, usage, preuve)
        enregistrer(liberation)

    return _ensemble(acteur, cles, changer, "changées d’usage")


@transaction.atomic
def annuler_ensemble(
    acteur: Acteur, cles: Collection[int], *, date: date, motif: CodeMotif, precision: str = ""
) -> list[Liberation]:
    """Cancel several libérations for the same reason."""
    louees = _ont_un_bail(cles)
    return _ensemble(
        acteur, cles, lambda liberation: _annuler(liberation, date, motif, precision, louees), "annulées"
    )


def _ensemble(
    acteur: Acteur, cles: Collection[int], changer: Callable[[Liberation], None], quoi: str
) -> list[Liberation]:
    """All or none: every refusal is said, with the reference that it is about."""
    liberations = verrouiller_ensemble(acteur, cles)
    exiger(bool(liberations), "Choisissez au moins une libération.")
    refus = []
    for liberation in liberations:
        try:
            changer(liberation)
        except ValidationError as erreur:
            refus += [typographier(f"{liberation.reference} : {phrase}") for phrase in erreur.messages]
    if refus:
        raise ValidationError(refus)
    conclure_ensemble(liberations, f"{accorder(len(liberations), 'libération')} {quoi} ensemble"[:200])
    return liberations
