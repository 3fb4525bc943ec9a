"""A letter of each kind, fictitious, with the table that it rests on."""

from datetime import date

from bilans.documents.lettre import Courrier, Tableau
from bilans.regles.courriers import MODELES, VARIABLES, composer
from bilans.regles.procedures import Lettre

EXEMPLES = {nom: variable.exemple for nom, variable in VARIABLES.items()}
OBJECTIFS_MANQUES = {
    "manque": "15 attributions",
    "justifies": "9 attributions",
    "injustifies": "6 attributions",
    "contingents": "le contingent de l’État",
}
QUART_MANQUE = {
    "manque": "3 attributions",
    "nombre": "3 logements",
    "delai": "quinze jours",
    "contingents": "le contingent d’Action Logement Services",
}
MANQUEMENTS = Tableau(
    "Obligations de l’année 2025 non remplies au 7 avril 2026",
    ("Élément attendu", "Convention", "Échéance", "Retard"),
    (
        ("Bilan annuel 2025 (R. 441-5-1)", "article 7.1", "27/02/2026", "39 jours"),
        ("Soustractions de 2025 et leur affectation", "article 7.1", "27/02/2026", "39 jours"),
    ),
    chiffres=False,
)
OBJECTIFS = Tableau(
    "Objectifs de 2025, données au 7 avril 2026",
    ("Réservataire", "Objectif", "Réalisé", "Manque"),
    (("État", "233", "224", "9"), ("Action Logement Services", "232", "226", "6")),
    note="Objectif : part entière du flux définitif, report compris. Source : bilan 2025, version 1.",
)
QUART = Tableau(
    "Quart de 2025, données au 7 avril 2026",
    ("Contingent", "Prioritaires", "Attributions", "Seuil", "Manque"),
    (("Action Logement Services", "52", "217", "55", "3"),),
)
PARTS = Tableau(
    "Part de l’État, points du flux",
    ("Part", "Points"),
    (("État", "30,00"), ("dont agents, au plus", "5,00"), ("rétrocession à Action Logement", "1,37")),
)
CONSTATS = {
    Lettre.MISE_EN_DEMEURE: MANQUEMENTS,
    Lettre.RESILIATION: MANQUEMENTS,
    Lettre.ARRETE: PARTS,
    Lettre.NOTIFICATION_QUART: QUART,
    Lettre.ATTRIBUTION_QUART: QUART,
}


def courrier(lettre: Lettre, *, projet: bool = False, **valeurs: str) -> Courrier:
    """The letter of the house, with the examples of its variables."""
    arrete = lettre == Lettre.ARRETE
    siennes = QUART_MANQUE if CONSTATS.get(lettre) is QUART else OBJECTIFS_MANQUES
    return Courrier(
        autorite="Préfet des Côtes-d’Armor",
        service=(
            "Direction départementale de l’emploi, du travail et des solidarités",
            "Service hébergement et logement",
        ),
        suivi=("Dossier suivi par : pôle « gestion en flux »", "02 00 00 00 00 · ddets-flux@exemple.fr"),
        destinataire=(
            "Armor Exemple Habitat (organisme fictif)",
            "À l’attention de la direction générale",
            "1, rue de l’Exemple",
            "22000 Saint-Brieuc",
        ),
        envoi=("Lettre recommandée avec avis de réception", "n° 0A 000 000 0000 0"),
        lieu="Saint-Brieuc",
        jour=date(2026, 4, 8),
        references=(
            ("Convention", "Convention de réservation n° 22-2024-03 du 22 mai 2024, 2024 à 2026"),
            ("Nos références", "MED-22-2026-004 (à rappeler dans toute correspondance)"),
        ),
        formule="" if arrete else "Madame la Directrice générale, Monsieur le Directeur général,",
        salutation=""
        if arrete
        else "Je vous prie d’agréer, Madame la Directrice générale, Monsieur le Directeur général, l’expression de ma "
        "considération distinguée.",
        signataire=(
            "Pour le préfet et par délégation",
            "(arrêté n° 22-2026-000 du 5 janvier 2026),",
            "le directeur départemental de l’emploi, du travail et des solidarités",
        ),
        lettre=composer(MODELES[lettre], EXEMPLES | siennes | valeurs),
        constat=CONSTATS.get(lettre, OBJECTIFS),
        numero="MED-22-2026-004",
        version_modele="modèle de la maison, version 0",
        projet=projet,
    )
