"""Conventions of the tests, made by the services as people would make them."""

from datetime import date
from decimal import Decimal

from reservation.acteur import Acteur
from reservation.models import Convention, Departement
from reservation.services.conventions import creer_convention, modifier_version, signer_convention
from tests.personnages import Distribution

SYSTEME = Acteur.du_systeme("essai")
ALPES_MARITIMES, COTES_D_ARMOR = "06", "22"


def brouillon(
    cast: Distribution,
    reservataire,
    taux: str | None = None,
    *,
    bailleur=None,
    departement: str = ALPES_MARITIMES,
    debut: date = date(2025, 1, 1),
    fin: date = date(2027, 12, 31),
    modele: str = Convention.Modele.PACA,
    numero: str = "",
    **champs,
) -> Convention:
    """A draft with the values of its model, except those given."""
    convention = creer_convention(
        SYSTEME,
        bailleur=bailleur or cast.bailleur_a,
        reservataire=reservataire,
        departement=Departement.objects.get(pk=departement),
        numero=numero or f"{departement}-{reservataire.code_reservataire}-{debut.year}",
        debut=debut,
        fin=fin,
        modele=modele,
    )
    if taux is not None:
        champs["taux"] = Decimal(taux)
    if champs:
        modifier_version(SYSTEME, convention.versions.get(), **champs)
    return convention


def signee(cast: Distribution, reservataire, taux: str | None = None, **options) -> Convention:
    """A signed act."""
    convention = brouillon(cast, reservataire, taux, **options)
    return signer_convention(
        SYSTEME,
        convention,
        signee_le=date(2025, 4, 11),
        signataires="Le préfet\nLe directeur général du bailleur",
        confirmer=True,
    )
