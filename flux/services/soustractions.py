"""What the bailleur foresees to take out of the flux, per category, before 31 December (R. 441-5, I)."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from flux.models import CalculFlux, Nature, SoustractionPrevisionnelle
from reservation.acteur import Acteur
from reservation.models import NatureSoustraction, Organisation, Presence
from reservation.regles.typographie import entier_fr, enumerer, typographier

from .cadres import charger_cadres
from .file_de_calcul import marquer_a_calculer


def peut_declarer(acteur: Acteur, bailleur_id: int) -> bool:
    """Whether `acteur` may declare the soustractions that this bailleur foresees."""
    return acteur.systeme or (
        acteur.est_bailleur and acteur.peut_gerer and acteur.organisation_id == bailleur_id
    )


def categories_deduites(bailleur_id: int, departement: str, annee: int) -> list[NatureSoustraction]:
    """The categories that the acts of the year take out of the flux, in the order of the law."""
    paire = (bailleur_id, departement)
    listees = charger_cadres([paire], annee)[paire].regime.soustractions
    return [categorie for categorie in NatureSoustraction if categorie.value in listees]


@transaction.atomic
def declarer_soustractions(
    acteur: Acteur, bailleur: Organisation, departement: str, annee: int, nombres: Mapping[str, int]
) -> bool:
    """Set the projected soustractions of a year (dwellings, by category; 0 takes one off). Says if anything changed.

    More soustractions than projected libérations are refused: the flux cannot be negative.
    """
    if not peut_declarer(acteur, bailleur.pk):
        raise PermissionDenied("Seul le bailleur déclare ses soustractions prévisionnelles.")
    # The presence is the lock: two people declaring at once are put in order.
    if not Presence.objects.select_for_update().filter(bailleur=bailleur, departement=departement).exists():
        raise ValidationError("Ce bailleur n’est pas présent dans ce département.")
    admises = {c.value: c for c in categories_deduites(bailleur.pk, departement, annee)}
    etrangeres = sorted(set(nombres) - admises.keys())
    if etrangeres:
        raise ValidationError(
            typographier(f"La convention ne soustrait pas : {enumerer(etrangeres)}. Ne les déclarez pas ici.")
        )
    lignes = SoustractionPrevisionnelle.objects.filter(
        bailleur=bailleur, departement=departement, annee=annee
    )
    avant = dict(lignes.values_list("categorie", "nombre"))
    changees = [code for code, nombre in nombres.items() if nombre != avant.get(code, 0)]
    if not changees:
        return False
    _verifier_total(bailleur, departement, annee, avant | dict(nombres), admises)
    SoustractionPrevisionnelle.objects.bulk_create(
        [
            SoustractionPrevisionnelle(
                bailleur=bailleur,
                departement_id=departement,
                annee=annee,
                categorie=code,
                nombre=nombres[code],
                saisi_par_id=acteur.utilisateur_id,
                saisi_le=timezone.now(),
            )
            for code in changees
        ],
        update_conflicts=True,
        unique_fields=["bailleur", "departement", "annee", "categorie"],
        update_fields=["nombre", "saisi_par", "saisi_le"],
    )
    details = enumerer(
        f"{admises[code].label[0].lower()}{admises[code].label[1:]}, {entier_fr(avant[code])} puis "
        f"{entier_fr(nombres[code])}"
        if code in avant
        else f"{admises[code].label[0].lower()}{admises[code].label[1:]}, {entier_fr(nombres[code])}"
        for code in changees
    )
    marquer_a_calculer({(bailleur.pk, departement)}, [annee], f"Soustractions prévisionnelles : {details}")
    return True


def _verifier_total(
    bailleur: Organisation,
    departement: str,
    annee: int,
    nombres: Mapping[str, int],
    admises: Mapping[str, NatureSoustraction],
) -> None:
    """Against the projected libérations, when they are known."""
    calcul = (
        CalculFlux.objects.en_vigueur()
        .filter(bailleur=bailleur, departement=departement, annee=annee, nature=Nature.PREVISIONNEL)
        .only("liberations")
        .first()
    )
    total = sum(nombre for code, nombre in nombres.items() if code in admises)
    if calcul is not None and total > calcul.liberations:
        raise ValidationError(
            typographier(
                f"Vous prévoyez {entier_fr(total)} soustractions pour {entier_fr(calcul.liberations)} libérations "
                "prévues : le flux ne peut pas être négatif."
            )
        )
