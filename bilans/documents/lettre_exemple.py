"""A fictitious letter, for the preview of a template: the examples of the variables, nothing of anybody's."""

from datetime import date

from bilans.regles.courriers import VARIABLES, Modele, composer
from bilans.regles.procedures import Lettre

from .lettre import Courrier, Tableau

_CONSTAT = Tableau(
    "Exemple : les chiffres connus le jour de la lettre",
    ("Réservataire", "Objectif", "Réalisé", "Manque"),
    (("État", "233", "224", "9"),),
)


def courrier_d_exemple(modele: Modele, departement: str) -> Courrier:
    """The template with its examples. Raises `ModeleInvalide` for one that has a fault."""
    exemples = {nom: variable.exemple for nom, variable in VARIABLES.items()} | {"departement": departement}
    appel = "" if modele.lettre == Lettre.ARRETE else "Madame la Directrice générale,"
    return Courrier(
        autorite="Préfet (exemple)",
        service=("Direction départementale", "Service hébergement et logement"),
        suivi=(f"Dossier suivi par : {exemples['service']}", exemples["contact"]),
        destinataire=(exemples["destinataire"], "1, rue de l’Exemple"),
        envoi=("Lettre recommandée avec avis de réception",),
        lieu="Chef-lieu",
        jour=date(2026, 4, 8),
        references=(("Nos références", exemples["reference"]),),
        formule=appel,
        salutation="Je vous prie d’agréer, Madame la Directrice générale, l’expression de ma considération distinguée."
        if appel
        else "",
        signataire=(
            "Pour le préfet et par délégation",
            f"({exemples['delegation']}),",
            "la directrice départementale",
        ),
        lettre=composer(modele, exemples),
        constat=_CONSTAT,
        numero=exemples["reference"],
    )
