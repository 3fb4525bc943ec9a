"""Between the rows of `LigneDepot` and the lines under study; what the deposit counts of them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from flux.imports.colonnes import NIR, TABLEAUX
from flux.imports.lecture import Tableau, non_remplie
from flux.imports.valeurs import lire_numero_unique
from flux.models import SUJETS_EXTERNES, Depot, LigneDepot
from publics.services.menages import hacher_numero
from reservation.copie import copier_objets, corriger_objets

from .etude import Etude
from .extraits import NIR_MASQUE, EtudeExterne
from .plans import LigneEtudiee

LONGUEUR_CODE = 121  # one more than a code may have: the study says that it is too long
_ETUDIES = (
    "verdict", "creation", "designation", "cle", "messages", "differences", "cellules", "numero", "confirmations",
    "corrigee",
)  # fmt: skip


def masquer_numero(texte: str) -> tuple[str, dict]:
    """What is kept of a cell that holds a numéro unique: what to show, and its hashes (or its wrong length)."""
    if not texte:
        return "", {}
    lu = lire_numero_unique(texte)
    if lu.code:
        longueur = len("".join(c for c in texte if c.isalnum()))
        return f"({longueur} caractères)", {"longueur": longueur}
    empreintes = hacher_numero(lu.valeur)
    return f"…{empreintes.fin}", {"formes": empreintes.formes, "fin": empreintes.fin}


def lignes_du_tableau(depot: Depot, tableau: Tableau) -> tuple[list[LigneEtudiee], int]:
    """The lines of the file reduced to the recognised columns, and how many of the template were left as they came."""
    champs = TABLEAUX[depot.sujet].champs
    rangs = [(champ, rang) for champ, rang in depot.correspondance.items() if champ in champs]
    extrait = depot.sujet in SUJETS_EXTERNES
    masquer = lru_cache(maxsize=None)(masquer_numero)
    lignes, non_remplies = [], 0
    for numero, textes in tableau.lignes:
        cellules = {champ: textes[rang] for champ, rang in rangs if textes[rang]}
        if extrait:
            # The cell of the number is never kept as it is, whatever it holds: its own sentence says what is wrong with it.
            cellules = {
                champ: texte if champ == "numero_unique" else _sans_personne(texte)
                for champ, texte in cellules.items()
            }
        if non_remplie(cellules):
            non_remplies += 1
            continue
        empreintes: dict = {}
        if "numero_unique" in cellules:
            cellules["numero_unique"], empreintes = masquer(cellules["numero_unique"])
        lignes.append(LigneEtudiee(numero, cellules, empreintes))
    return lignes, non_remplies


def _sans_personne(texte: str) -> str:
    """A code of an extract: what is longer is no code, what is shaped like a NIR is not kept."""
    return NIR_MASQUE if NIR.fullmatch(texte.replace(" ", "")) else texte[:LONGUEUR_CODE]


def lignes_en_attente(depot: Depot) -> list[LigneEtudiee]:
    """The lines that are not settled yet, as they were kept."""
    return [
        LigneEtudiee(ligne, cellules, numero, confirmations, pk)
        for pk, ligne, cellules, numero, confirmations in LigneDepot.objects.filter(
            depot=depot, appliquee_le=None
        )
        .order_by("ligne")
        .values_list("pk", "ligne", "cellules", "numero", "confirmations")
    ]


def etude_de(depot: Depot, **options) -> Etude | EtudeExterne:
    """The study that reads the lines of this deposit."""
    if depot.sujet in SUJETS_EXTERNES:
        return EtudeExterne(depot, **options)
    return Etude(
        depot.bailleur, depot.sujet, depot.correspondance, timezone.localdate(depot.cree_le), **options
    )


def garder_nouvelles(depot: Depot, lignes: Iterable[LigneEtudiee]) -> None:
    """Replace the lines of the deposit with these."""
    with transaction.atomic():
        LigneDepot.objects.filter(depot=depot).delete()
        copier_objets(
            [
                LigneDepot(
                    depot=depot,
                    organisation_id=depot.organisation_id,
                    ligne=ligne.ligne,
                    liberation_id=ligne.liberation and ligne.liberation.pk,
                    **{nom: getattr(ligne, nom, False) for nom in _ETUDIES},
                )
                for ligne in lignes
            ]
        )


def garder_etudiees(lignes: Sequence[LigneEtudiee]) -> None:
    """Write what a new study says of lines that are kept already."""
    noms = [nom for nom in _ETUDIES if nom != "corrigee"]
    corriger_objets(
        LigneDepot,
        noms,
        ((ligne.pk, *(getattr(ligne, nom) for nom in noms)) for ligne in lignes),
    )


def recompter(depot: Depot) -> None:
    """The deposit's own counts: verdict → lines that wait, and ENREGISTREES; the row is not saved."""
    lignes = LigneDepot.objects.filter(depot=depot).order_by()
    comptes = dict(lignes.filter(appliquee_le=None).values_list("verdict").annotate(nombre=Count("pk")))
    enregistrees = lignes.exclude(appliquee_le=None).count()
    depot.comptes = comptes | ({"ENREGISTREES": enregistrees} if enregistrees else {})
