"""What an agent types in a letter, what the figures give, and how its number is made."""

from collections.abc import Mapping
from typing import NamedTuple

from .courriers import OBLIGATOIRES, VARIABLES, Modele, variables_utilisees
from .procedures import Lettre

PREFIXES: Mapping[Lettre, str] = {
    Lettre.MISE_EN_DEMEURE: "MED",
    Lettre.RESILIATION: "RES",
    Lettre.ARRETE: "ARR",
    Lettre.INVITATION: "INV",
    Lettre.COMPTE_RENDU: "CR",
    Lettre.REPORT: "REP",
    Lettre.ATTRIBUTION_DIRECTE: "ATD",
    Lettre.NOTIFICATION_QUART: "NQ",
    Lettre.ATTRIBUTION_QUART: "ATQ",
}
# Variables that an agent types; the others come from the figures, the convention and the procedure, and nobody types them.
SAISIES = (
    *("presents", "motif"),
    *("service", "contact", "delegation", "tribunal"),
)
# A text of several lines, laid out in one paragraph.
LONGUES = frozenset({"motif", "presents"})


class Entete(NamedTuple):
    """What surrounds the text, typed once and proposed again in the next letter of the département."""

    champ: str
    libelle: str
    aide: str
    longue: bool = False
    obligatoire: bool = True


ENTETES = (
    Entete("autorite", "Autorité", "En haut de la lettre : « Préfet des Côtes-d’Armor »."),
    Entete("direction", "Direction et service", "Une ligne chacun.", longue=True),
    Entete("lieu", "Lieu de signature", "« Saint-Brieuc »."),
    Entete("adresse", "Adresse du destinataire", "Sous son nom, quatre lignes au plus.", longue=True),
    Entete(
        "appel",
        "Formule d’appel",
        "« Madame la Directrice générale, » ; un arrêté n’en a pas.",
        obligatoire=False,
    ),
    Entete(
        "fonction",
        "Fonction du signataire",
        "« la directrice départementale ». Son nom s’ajoute à la signature.",
    ),
)
LIGNES_ADRESSE = 4
LIGNES_DIRECTION = 3


def saisies_de(modele: Modele) -> tuple[str, ...]:
    """Variables that this template asks an agent for, in the order of the form; `delegation` always, for the signature."""
    utilisees = variables_utilisees(modele) | {"delegation", "service", "contact"}
    return tuple(nom for nom in SAISIES if nom in utilisees)


def numero(lettre: Lettre, departement: str, annee: int, rang: int) -> str:
    """ "MED-22-2026-004": kind, département, year in which it is written, rank."""
    return f"{PREFIXES[lettre]}-{departement}-{annee}-{rang:03d}"


def libelle_de(nom: str) -> str:
    """Name of a variable, as a label."""
    libelle = VARIABLES[nom].libelle
    return libelle[:1].upper() + libelle[1:]


def est_obligatoire(lettre: Lettre, nom: str) -> bool:
    """Whether the letter must say it, whatever its template."""
    return nom in OBLIGATOIRES[lettre]
