"""Asking for documents and making them: one row per document asked, one task per row.

The rows remember what is to be done; a task may be lost or run twice, the row says what became of it.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from bilans.models import Bilan, LotBilans, ProductionBilan
from bilans.regles.coherence import ChiffresIncoherents
from bilans.regles.cycle import Rubrique
from flux.models import CalculFlux, Nature
from flux.services import file_de_calcul
from reservation.acteur import Acteur
from reservation.models import Departement, Organisation
from reservation.regles.typographie import accorder, typographier
from reservation.services.assistances import exiger_hors_assistance

from .cycle import exiger_ouverte, figes, lire_cycle
from .documents import produire_document
from .donnees_bilan import CalculAbsent, CalculPerime

journal = logging.getLogger(__name__)

Etat = ProductionBilan.Etat


# --- The bilans of a year -----------------------------------------------------------------------------------


def a_ouvrir(acteur: Acteur, annee: int | None = None):
    """Observed calculations of the perimeter that have no bilan yet; of every year, or of `annee`."""
    calculs = (
        CalculFlux.objects.visibles_par(acteur)
        .filter(en_vigueur=True, nature=Nature.DEFINITIF)
        .exclude(
            Exists(
                Bilan.objects.filter(
                    bailleur=OuterRef("bailleur"),
                    departement=OuterRef("departement"),
                    annee=OuterRef("annee"),
                )
            )
        )
    )
    return calculs if annee is None else calculs.filter(annee=annee)


def ouvrir_bilans(acteur: Acteur, annee: int | None = None) -> int:
    """Make the missing bilans of every observed bailleur × département × year; returns how many.

    Safe to repeat. The bailleur opens its own, the DDETS those of its département, the application all.
    """
    if not acteur.peut_gerer or not (acteur.systeme or acteur.est_bailleur or acteur.est_ddets):
        raise PermissionDenied("Votre rôle ne permet pas d’ouvrir des bilans.")
    manquants = [
        Bilan(bailleur_id=bailleur, departement_id=departement, annee=an)
        for bailleur, departement, an in a_ouvrir(acteur, annee)
        .order_by("annee", "departement", "bailleur")
        .values_list("bailleur_id", "departement_id", "annee")
    ]
    Bilan.objects.bulk_create(manquants, ignore_conflicts=True)
    return len(manquants)


@transaction.atomic
def rediger_appreciation(acteur: Acteur, bilan: Bilan, texte: str) -> None:
    """Write the bailleur's own words (R. 441-5-1; CA, art. 7.1): nobody writes them for it."""
    exiger_hors_assistance(acteur)
    verrouille = Bilan.objects.modifiables_par(acteur).select_for_update().filter(pk=bilan.pk).first()
    if verrouille is None or not (acteur.systeme or acteur.est_bailleur):
        raise PermissionDenied("L’appréciation est écrite par le bailleur.")
    exiger_ouverte(verrouille, Rubrique.APPRECIATION)
    verrouille.appreciation = texte.strip()
    verrouille.save(update_fields=["appreciation"])


# --- Asking -------------------------------------------------------------------------------------------------


@transaction.atomic
def demander_production(acteur: Acteur, bilan: Bilan) -> ProductionBilan:
    """Ask for the PDF of one bilan. Asked again while one is under way: the same row, and its task once more."""
    exiger_hors_assistance(acteur)
    if not Bilan.objects.modifiables_par(acteur).filter(pk=bilan.pk).exists():
        raise PermissionDenied("Votre rôle ne permet pas de produire ce bilan.")
    if lire_cycle(bilan).document_soumis is not None:
        raise ValidationError("Ce bilan est soumis : son document est figé, il ne s’en produit pas d’autre.")
    ouvertes = _inscrire(acteur, [bilan], None)
    _appeler([production.pk for production in ouvertes])
    # None open: the one that was under way has just ended, its document is that of this moment.
    return ouvertes[0] if ouvertes else bilan.productions.latest("pk")


@transaction.atomic
def demander_lot(
    acteur: Acteur,
    annee: int,
    *,
    departements: Collection[str] = (),
    bailleur: Organisation | None = None,
    appeler: bool = True,
) -> LotBilans:
    """Ask for all the bilans of a year in a perimeter, those that `acteur` may produce; returns the row to watch.

    `appeler`: False when the caller makes them itself. Raises `ValidationError` when there is none.
    """
    exiger_hors_assistance(acteur)
    bilans = Bilan.objects.modifiables_par(acteur).filter(annee=annee)
    if departements:
        bilans = bilans.filter(departement__in=departements)
    if bailleur is not None:
        bilans = bilans.filter(bailleur=bailleur)
    bilans = bilans.exclude(pk__in=figes())
    voulus = list(bilans.order_by("departement", "bailleur__nom_tri", "pk"))
    if not voulus:
        raise ValidationError(f"Aucun bilan de {annee} à produire dans ce périmètre.")
    lot = LotBilans.objects.create(
        annee=annee,
        libelle=_libelle({b.departement_id for b in voulus}, bailleur),
        departements=sorted({b.departement_id for b in voulus}),
        demande_par_id=acteur.utilisateur_id,
    )
    productions = _inscrire(acteur, voulus, lot)
    if appeler:
        _appeler([production.pk for production in productions])
    return lot


def _inscrire(acteur: Acteur, bilans: Collection[Bilan], lot: LotBilans | None) -> list[ProductionBilan]:
    """One open row per bilan, those already open included, in the order given."""
    ProductionBilan.objects.bulk_create(
        (
            ProductionBilan(
                bilan=bilan,
                bailleur_id=bilan.bailleur_id,
                departement_id=bilan.departement_id,
                lot=lot,
                demande_par_id=acteur.utilisateur_id,
            )
            for bilan in bilans
        ),
        ignore_conflicts=True,
    )
    ouvertes = ProductionBilan.objects.filter(bilan__in=bilans, etat__in=ProductionBilan.OUVERTS)
    if lot is not None:
        ouvertes.update(lot=lot)
    par_bilan = {production.bilan_id: production for production in ouvertes}
    # One that ended between the two statements has just been made: nothing is left to do for its bilan.
    return [par_bilan[bilan.pk] for bilan in bilans if bilan.pk in par_bilan]


def _appeler(productions: Collection[int]) -> None:
    """Send one task per row, after commit; a broker that is down is no error, `reprendre` sends them again."""
    from bilans.tasks import produire_bilan

    for pk in productions:
        transaction.on_commit(lambda pk=pk: produire_bilan.delay(pk), robust=True)


def _libelle(departements: Collection[str], bailleur: Organisation | None) -> str:
    noms = list(
        Departement.objects.filter(pk__in=departements).order_by("nom_tri").values_list("nom", flat=True)
    )
    lieux = ", ".join(noms) if len(noms) <= 3 else f"{len(noms)} départements"
    return " – ".join(filter(None, [bailleur.nom if bailleur else "", lieux]))


def reprendre(avant) -> int:
    """Send again the tasks of the rows that wait since before `avant` (a moment): their message was lost."""
    perdues = list(
        ProductionBilan.objects.filter(
            Q(commence_le=None, demande_le__lt=avant) | Q(commence_le__lt=avant),
            etat__in=ProductionBilan.OUVERTS,
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    _appeler(perdues)
    return len(perdues)


# --- Doing --------------------------------------------------------------------------------------------------


def executer(production_id: int) -> ProductionBilan | None:
    """Make the document that a row asks for, and say in the row what became of it; None when it is done already.

    The queue of the flux is emptied first. Raises `CalculPerime` when somebody else is computing: try again.
    """
    production = (
        ProductionBilan.objects.select_related("bilan__bailleur", "bilan__departement")
        .filter(pk=production_id, etat__in=ProductionBilan.OUVERTS)
        .first()
    )
    if production is None:
        return None
    ProductionBilan.objects.filter(pk=production.pk, etat__in=ProductionBilan.OUVERTS).update(
        etat=Etat.EN_COURS, commence_le=timezone.now()
    )
    bilan = production.bilan
    if lire_cycle(bilan).document_soumis is not None:
        return _terminer(
            production,
            Etat.ECHEC,
            "Le bilan a été soumis entre-temps : son document est figé, il ne s’en fait pas d’autre.",
        )
    file_de_calcul.traiter(bilan.departement_id, bilan.annee)
    # The right was checked when the row was made; the work is done in the name of the application.
    acteur = Acteur.du_systeme("production d’un bilan demandé")
    try:
        produit = produire_document(acteur, bilan)
    except CalculPerime:
        raise
    except CalculAbsent as erreur:
        return _terminer(production, Etat.ECHEC, str(erreur))
    except ChiffresIncoherents as erreur:
        journal.error("Bilan %s : chiffres incohérents : %s", bilan.pk, erreur)
        return _terminer(production, Etat.ECHEC, f"Des totaux ne concordent pas. {erreur}")
    except Exception as erreur:
        journal.exception("Bilan %s", bilan.pk)
        return _terminer(production, Etat.ECHEC, f"Erreur du programme ({type(erreur).__name__}).")
    etat = Etat.PRODUITE if produit.nouveau else Etat.INCHANGEE
    return _terminer(production, etat, "", produit.document)


def abandonner(production_id: int, message: str) -> None:
    """Give up a production that could not be made after several tries."""
    production = ProductionBilan.objects.filter(pk=production_id, etat__in=ProductionBilan.OUVERTS).first()
    if production is not None:
        _terminer(production, Etat.ECHEC, message)


def _terminer(production: ProductionBilan, etat: Etat, message: str, document=None) -> ProductionBilan:
    production.etat = etat
    production.message = typographier(message)
    production.document = document
    production.termine_le = timezone.now()
    ProductionBilan.objects.filter(pk=production.pk, etat__in=ProductionBilan.OUVERTS).update(
        etat=etat, message=production.message, document=document, termine_le=production.termine_le
    )
    return production


# --- Progress -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Avancement:
    """How far a lot is: bilans asked, done (of which unchanged), failed."""

    total: int
    faits: int
    inchanges: int
    echecs: int

    @property
    def fini(self) -> bool:
        return self.faits == self.total

    @property
    def texte(self) -> str:
        details = [accorder(self.inchanges, "inchangé"), accorder(self.echecs, "échec")]
        return typographier(f"{self.faits} sur {self.total}, dont {', '.join(details)}")


def avancement(lot: LotBilans) -> Avancement:
    """Counted from the rows each time, never added up."""
    return Avancement(
        **lot.productions.aggregate(
            total=Count("pk"),
            faits=Count("pk", filter=~Q(etat__in=ProductionBilan.OUVERTS)),
            inchanges=Count("pk", filter=Q(etat=Etat.INCHANGEE)),
            echecs=Count("pk", filter=Q(etat=Etat.ECHEC)),
        )
    )
