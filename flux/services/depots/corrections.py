"""Mending lines in the page: a cell, the same cell of many lines, a doubt that somebody confirms. Then they are read again."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from flux.imports.colonnes import TABLEAUX
from flux.imports.valeurs import nettoyer
from flux.models import Depot, LigneDepot
from reservation.acteur import Acteur
from reservation.copie import corriger_objets

from .cycle import LIGNES_DANS_LA_PAGE, _differer, _passer, relire, verrouiller
from .lignes import masquer_numero

LONGUEUR_CELLULE = 500


def corriger(
    acteur: Acteur, depot: Depot, ligne: int, cellules: dict[str, str], *, differer: bool = True
) -> Depot:
    """Put these texts in the cells of one line (champ → text; an empty one empties the cell)."""
    with transaction.atomic():
        depot = verrouiller(acteur, depot, Depot.Etat.A_CONFIRMER)
        trouvee = _en_attente(depot).filter(ligne=ligne).select_for_update().first()
        if trouvee is None:
            raise ValidationError("Cette ligne n’attend plus de correction.")
        _remplir(depot, trouvee, cellules)
        trouvee.save(update_fields=["cellules", "numero", "confirmations", "corrigee"])
        _relire(depot, differer)
    return depot


def remplacer(
    acteur: Acteur, depot: Depot, *, champ: str, ancien: str, nouveau: str, differer: bool = True
) -> int:
    """The same text instead of another, in one column of all the lines in error; return how many lines changed."""
    if champ == "numero_unique":
        raise ValidationError("Deux ménages n’ont pas le même numéro : corrigez ligne par ligne.")
    with transaction.atomic():
        depot = verrouiller(acteur, depot, Depot.Etat.A_CONFIRMER)
        lignes = _en_attente(depot).filter(verdict=LigneDepot.Verdict.EN_ERREUR)
        if ancien:
            lignes = lignes.filter(**{f"cellules__{champ}": ancien})
        else:
            lignes = lignes.exclude(cellules__has_key=champ)
        fautives = [
            ligne
            for ligne in lignes.order_by("ligne").select_for_update()
            if any(m["bloquant"] and m["champ"] == champ for m in ligne.messages)
        ]
        if not fautives:
            raise ValidationError("Plus aucune ligne n’a cette erreur.")
        for ligne in fautives:
            _remplir(depot, ligne, {champ: nouveau})
        corriger_objets(
            LigneDepot,
            ("cellules", "confirmations", "corrigee"),
            ((ligne.pk, ligne.cellules, ligne.confirmations, True) for ligne in fautives),
        )
        _relire(depot, differer)
    return len(fautives)


def confirmer_doutes(
    acteur: Acteur, depot: Depot, code: str, ligne: int | None = None, *, differer: bool = True
) -> int:
    """Somebody has looked: this doubt is so, on one line or on all. Who and when are kept; return how many lines."""
    with transaction.atomic():
        depot = verrouiller(acteur, depot, Depot.Etat.A_CONFIRMER)
        lignes = _en_attente(depot).filter(messages__contains=[{"code": code, "bloquant": False}])
        if ligne is not None:
            lignes = lignes.filter(ligne=ligne)
        concernees = [x for x in lignes.order_by("ligne").select_for_update() if code not in x.confirmations]
        if not concernees:
            raise ValidationError("Ce doute n’attend plus de confirmation.")
        accord = {"par": acteur.utilisateur_id, "le": timezone.now().isoformat()}
        corriger_objets(
            LigneDepot,
            ("confirmations",),
            ((x.pk, x.confirmations | {code: accord}) for x in concernees),
        )
        _relire(depot, differer)
    return len(concernees)


def _en_attente(depot: Depot):
    return LigneDepot.objects.filter(depot=depot, appliquee_le=None)


def _remplir(depot: Depot, ligne: LigneDepot, cellules: dict[str, str]) -> None:
    """A doubt was confirmed about other words: it is asked again."""
    permis = TABLEAUX[depot.sujet].champs
    for champ, texte in cellules.items():
        if champ not in permis:
            continue
        texte = nettoyer(texte.replace("\0", ""))[:LONGUEUR_CELLULE]
        if champ == "numero_unique":
            if texte == ligne.cellules.get(champ, ""):
                continue  # the masked number, untouched
            texte, ligne.numero = masquer_numero(texte)
        if texte:
            ligne.cellules[champ] = texte
        else:
            ligne.cellules.pop(champ, None)
    ligne.confirmations = {}
    ligne.corrigee = True


def _relire(depot: Depot, differer: bool) -> None:
    """At once when there are few lines; else by a worker, and the page shows how far it is."""
    if _en_attente(depot).count() <= LIGNES_DANS_LA_PAGE or not differer:
        depot.message = ""
        relire(depot)
        return
    _passer(depot, Depot.Etat.EN_ANALYSE, etape="En attente d’un travailleur", avancement=0, message="")
    _differer("analyser_depot", depot.pk)
