"""The title of an imputation with the names that people know, instead of the codes of the rules."""

from flux.regles.imputation import Imputation, decrire_imputation
from reservation.models import Organisation


def nommer_titre(titre: Imputation | None, reservataire: Organisation | None) -> str:
    """ "Ville de Cannes, prioritaire"; empty without a title."""
    if titre is None:
        return ""
    noms = {"ETAT": "État", "ALS": "Action Logement Services", "BAILLEUR": "Bailleur (non réservé)"}
    if reservataire is not None:
        noms.setdefault(reservataire.code_reservataire, reservataire.nom)
    code, virgule, suite = decrire_imputation(titre).partition(",")
    return f"{noms.get(code, code)}{virgule}{suite}"
