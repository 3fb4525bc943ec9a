"""Reference data of this room, loaded after each `migrate` and left alone once an administrator edited it."""

import json
from pathlib import Path

from publics.models import CategorieLabel, MotifLabel, NaturePreuve
from reservation.models import Referentiel
from reservation.services.references import charger_si_nouveau, inserer_absents, tables_pretes

DOSSIER = Path(__file__).resolve().parent.parent / "donnees"
# Referentiel → (file, table)
LIVRES = {
    ("CATEGORIES", "Catégories de publics prioritaires"): (DOSSIER / "categories.json", CategorieLabel),
    ("MOTIFS_LABELS", "Motifs des décisions sur les labels"): (DOSSIER / "motifs_labels.json", MotifLabel),
    ("NATURES_PREUVE", "Natures de preuve"): (DOSSIER / "natures_preuve.json", NaturePreuve),
}


def charger_categories(using: str = "default") -> None:
    """Add the shipped rows that are missing."""
    for (code, libelle), (fichier, modele) in LIVRES.items():

        def charger(using: str, fichier=fichier, modele=modele) -> None:
            lignes = json.loads(fichier.read_text(encoding="utf-8"))
            inserer_absents([modele(**ligne) for ligne in lignes], using)

        referentiel = Referentiel(code=code, libelle=libelle, version="2026")
        charger_si_nouveau(referentiel, [fichier], charger, using)


def apres_migration(sender, using: str, **kwargs) -> None:
    """Receiver of `post_migrate`."""
    if tables_pretes(using, Referentiel, CategorieLabel, MotifLabel, NaturePreuve):
        charger_categories(using)
