"""What looks odd beside last year: not an error, a question that the bailleur answers before it signs."""

from collections.abc import Mapping
from typing import NamedTuple

from reservation.regles.typographie import entier_fr, typographier

from .donnees import BAILLEUR, DonneesBilan

# A move is said when it is both of more than a quarter and of more dwellings than chance moves in a small bailleur.
PART, NOMBRE = 4, 5


class Ecart(NamedTuple):
    """`avant`, `apres`: the figure last year and this year, in dwellings."""

    objet: str
    avant: int
    apres: int

    @property
    def phrase(self) -> str:
        sens = "hausse" if self.apres > self.avant else "baisse"
        return typographier(
            f"{self.objet} : {entier_fr(self.apres)}, contre {entier_fr(self.avant)} l’année précédente "
            f"({sens} de {entier_fr(abs(self.apres - self.avant))})."
        )


def est_notable(avant: int, apres: int) -> bool:
    """More than five dwellings, and more than a quarter of the greater of the two."""
    ecart = abs(apres - avant)
    return ecart > NOMBRE and ecart * PART > max(avant, apres)


def ecarts_notables(avant: Mapping[str, int], apres: Mapping[str, int]) -> tuple[Ecart, ...]:
    """The notable moves between two years, in the order of `apres`; what one year lacks is 0 in it."""
    objets = [*apres, *(objet for objet in avant if objet not in apres)]
    return tuple(
        Ecart(objet, avant.get(objet, 0), apres.get(objet, 0))
        for objet in objets
        if est_notable(avant.get(objet, 0), apres.get(objet, 0))
    )


def chiffres_compares(donnees: DonneesBilan) -> dict[str, int]:
    """What is compared from one year to the next: label → dwellings."""
    chiffres = {
        "Assiette": donnees.parc.soumis,
        "Libérations": donnees.flux.liberations,
        "Flux annuel": donnees.flux.flux,
    }
    for ligne in donnees.flux.soustractions:
        chiffres[f"Soustractions, {ligne.libelle[:1].lower()}{ligne.libelle[1:]}"] = ligne.realise
    for part in donnees.parts:
        nom = "non réservés" if part.code == BAILLEUR else donnees.reservataire(part.code).nom
        chiffres[f"Attributions, {nom}"] = part.attributions
    chiffres["Refus des ménages"] = donnees.caleol.total_refus
    return chiffres
