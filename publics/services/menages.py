"""Households are known by their numéro unique, which is never kept: a keyed hash, and the last four characters.

Keys change. A hash cannot be made again without the number, so a rotation hashes the hash: HMAC(new, HMAC(old, number)).
Each row names the keys of its hash, first to last; a number that is met again is hashed anew under the current
key alone. Until then the older keys are still needed to recognise the household, not to protect it.
"""

import hmac
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count

from publics.models import Menage
from publics.signaux import empreintes_renouvelees
from reservation.acteur import Acteur
from reservation.perimetre import agir

LOT = 2_000  # households a transaction
LIEN = "."
LONGUEUR_EMPREINTE_CLE = 8
# Every key doubles the number of hashes under which a household is looked for.
CLES_MAX = 5


def cles_du_site() -> tuple[str, ...]:
    """Keys that the settings name, from the oldest to the current one."""
    return (*reversed(settings.CLES_NUMERO_UNIQUE_ANCIENNES), settings.CLE_NUMERO_UNIQUE)


def empreinte_cle(cle: str) -> str:
    """Short name of a key (8 hexadecimal digits) which may stand beside the hashes: the key does not follow from it."""
    return hmac.digest(cle.encode(), b"cle-numero-unique", sha256).hex()[:LONGUEUR_EMPREINTE_CLE]


def empreinte_numero(numero: str, cle: str | None = None) -> str:
    """Keyed hash (64 hexadecimal digits) of a numéro unique, upper case, without spaces.

    Without the key, which lives in the environment, the eighteen characters cannot be found again by trying
    them all. `cle`: another key than the site's (rotation).
    """
    return surhacher("".join(numero.split()).upper(), cle or settings.CLE_NUMERO_UNIQUE)


def surhacher(empreinte: str, cle: str) -> str:
    """The hash of a hash under another key: what a rotation can do without the number."""
    return hmac.digest(cle.encode(), empreinte.encode(), sha256).hex()


def formes_du_numero(numero: str, cles: Sequence[str]) -> dict[str, str]:
    """Hash → keys (as `Menage.cle_numero`) under which a household may be recorded; the current key alone comes first.

    `cles`: oldest first. A rotation adds the key of its day to whatever keys were there: any of them, in that order.
    """
    noms = [empreinte_cle(cle) for cle in cles]
    rangs = range(len(cles))
    formes = {empreinte_numero(numero, cles[-1]): noms[-1]}
    for chaine in (c for longueur in range(1, len(cles) + 1) for c in combinations(rangs, longueur)):
        premiere, *suite = chaine
        empreinte = empreinte_numero(numero, cles[premiere])
        for rang in suite:
            empreinte = surhacher(empreinte, cles[rang])
        formes[empreinte] = LIEN.join(noms[rang] for rang in chaine)
    return formes


@agir(Acteur.du_systeme("rapprochement d’un ménage"))
def retrouver_menage(numero: str, departement: str) -> Menage:
    """The household of this numéro unique, recorded in `departement` (code) if it was never met.

    A bailleur does not see the household that another one met: the number is typed, nothing is shown of it.
    One that is met under an older key is hashed again, under the current key alone.
    """
    formes = formes_du_numero(numero, cles_du_site())
    actuelle, cle = next(iter(formes.items()))
    connus = {menage.numero_hache: menage for menage in Menage.objects.filter(numero_hache__in=formes)}
    for forme in formes:
        if forme not in connus:
            continue
        menage = connus[forme]
        if forme != actuelle:
            # Somebody else may have met it in between, or the rotation: then it is left as they made it.
            Menage.objects.filter(pk=menage.pk, numero_hache=forme).update(
                numero_hache=actuelle, cle_numero=cle
            )
            menage.numero_hache, menage.cle_numero = actuelle, cle
        return menage
    fin = "".join(numero.split()).upper()[-4:]
    menage, _ = Menage.objects.get_or_create(
        numero_hache=actuelle,
        defaults={"numero_fin": fin, "cle_numero": cle, "departement_id": departement},
    )
    return menage


class Empreintes(NamedTuple):
    """A numéro unique once hashed: its hashes (`formes_du_numero`, the current key alone first) and its last four."""

    formes: dict[str, str]
    fin: str


def hacher_numero(numero: str) -> Empreintes:
    """What may be kept of a number that a file holds: nobody makes the number again from it."""
    return Empreintes(formes_du_numero(numero, cles_du_site()), "".join(numero.split()).upper()[-4:])


@agir(Acteur.du_systeme("rapprochement de ménages"))
def connaitre_menages(formes: Iterable[str]) -> dict[str, int]:
    """Hash → primary key, for the households that are recorded under one of these hashes."""
    return dict(
        Menage.objects.filter(numero_hache__in=set(formes)).values_list("numero_hache", "pk").order_by()
    )


@agir(Acteur.du_systeme("rapprochement de ménages"))
def retrouver_menages(numeros: Iterable[tuple[Empreintes, str]]) -> dict[str, int]:
    """`retrouver_menage` for many, in three queries: (hashes, département) → by their first hash, the primary key.

    A household met under an older key is found, and keeps that hash until the rotation renews it.
    """
    par_forme = {next(iter(e.formes)): (e, departement) for e, departement in numeros}
    connus = connaitre_menages(forme for e, _ in par_forme.values() for forme in e.formes)
    trouves = {
        premiere: next((connus[forme] for forme in e.formes if forme in connus), None)
        for premiere, (e, _) in par_forme.items()
    }
    nouveaux = [
        Menage(
            numero_hache=premiere,
            numero_fin=e.fin,
            cle_numero=e.formes[premiere],
            departement_id=departement,
        )
        for premiere, (e, departement) in par_forme.items()
        if trouves[premiere] is None
    ]
    # Somebody else may have met one of them in between: then it is theirs.
    Menage.objects.bulk_create(nouveaux, ignore_conflicts=True, batch_size=LOT)
    crees = connaitre_menages(menage.numero_hache for menage in nouveaux)
    return {premiere: pk or crees[premiere] for premiere, pk in trouves.items()}


# --- Rotation ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EtatCles:
    """Where the households stand. `par_cles`: keys of the hash → households.

    `a_jour`: under the current key alone. `proteges`: the current key is the last of several. `a_renouveler`: under
    older keys only. `inconnus`: nothing says under which key. `pleins`: too many keys already for one more.
    `illisibles`: among all of them, those that need a key which the settings do not name: protected, never recognised.
    `retirables`: ranks (from 1, the most recent) of the older keys that no household needs any more.
    """

    actuelle: str
    par_cles: dict[str, int]
    a_jour: int
    proteges: int
    a_renouveler: int
    inconnus: int
    pleins: int
    illisibles: int
    effaces: int
    retirables: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.a_jour + self.proteges + self.a_renouveler + self.inconnus + self.pleins + self.effaces


def lire_etat_des_cles() -> EtatCles:
    """Count the households by the keys of their hash."""
    actuelle, *anciennes = (empreinte_cle(cle) for cle in reversed(cles_du_site()))
    par_cles = dict(
        Menage.objects.filter(efface_le=None)
        .order_by("cle_numero")
        .values_list("cle_numero")
        .annotate(nombre=Count("pk"))
    )
    comptes: Counter[str] = Counter()
    for cles, nombre in par_cles.items():
        comptes[_situation(cles, actuelle)] += nombre
        comptes["illisibles"] += nombre * bool(cles and not set(cles.split(LIEN)) <= {actuelle, *anciennes})
    utiles = {nom for cles in par_cles for nom in cles.split(LIEN)}
    return EtatCles(
        actuelle,
        par_cles,
        *(comptes[nom] for nom in ("a_jour", "proteges", "a_renouveler", "inconnus", "pleins", "illisibles")),
        effaces=Menage.objects.exclude(efface_le=None).count(),
        retirables=tuple(rang for rang, nom in enumerate(anciennes, 1) if nom not in utiles),
    )


def _situation(cles: str, actuelle: str) -> str:
    if not cles:
        return "inconnus"
    if cles == actuelle:
        return "a_jour"
    if cles.split(LIEN)[-1] == actuelle:
        return "proteges"
    return "pleins" if cles.count(LIEN) >= CLES_MAX - 1 else "a_renouveler"


def renouveler_les_empreintes(acteur: Acteur, taille_lot: int = LOT) -> int:
    """Put every household under the current key, without any number; return how many were.

    A transaction for each batch: interrupted, it goes on from where it was. What was renewed is not renewed again.
    """
    if not acteur.systeme:
        raise PermissionDenied("La clé des numéros uniques se renouvelle en ligne de commande.")
    actuelle = empreinte_cle(settings.CLE_NUMERO_UNIQUE)
    renouveles, dernier = 0, 0
    while True:
        with transaction.atomic():
            lot = list(
                Menage.objects.select_for_update()
                .filter(pk__gt=dernier, efface_le=None)
                .exclude(cle_numero="")
                .exclude(cle_numero__endswith=actuelle)
                .order_by("pk")[:taille_lot]
            )
            if not lot:
                break
            dernier = lot[-1].pk
            a_ecrire = [m for m in lot if _situation(m.cle_numero, actuelle) == "a_renouveler"]
            for menage in a_ecrire:
                menage.numero_hache = surhacher(menage.numero_hache, settings.CLE_NUMERO_UNIQUE)
                menage.cle_numero = f"{menage.cle_numero}{LIEN}{actuelle}"
            Menage.objects.bulk_update(a_ecrire, ["numero_hache", "cle_numero"])
            renouveles += len(a_ecrire)
    empreintes_renouvelees.send(sender=Menage, taille_lot=taille_lot)
    return renouveles


def renouveler_empreinte(empreinte: str, cles: str) -> tuple[str, str] | None:
    """A hash kept elsewhere than in `Menage` (with its keys), put under the current key as a household's is; None:
    it is already, or nothing can be done."""
    if _situation(cles, empreinte_cle(settings.CLE_NUMERO_UNIQUE)) != "a_renouveler":
        return None
    return (
        surhacher(empreinte, settings.CLE_NUMERO_UNIQUE),
        f"{cles}{LIEN}{empreinte_cle(settings.CLE_NUMERO_UNIQUE)}",
    )
