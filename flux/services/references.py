"""Reference data of this room, loaded after each `migrate` and left alone once an administrator edited it."""

import json
from pathlib import Path

from flux.models import CodeMotif, MotifRefus
from reservation.models import Referentiel
from reservation.services.references import charger_si_nouveau, inserer_absents, tables_pretes

DOSSIER = Path(__file__).resolve().parent.parent / "donnees"
# Referentiel → (file, table)
LIVRES = {
    ("MOTIFS_REFUS", "Motifs de refus et de non-attribution"): (DOSSIER / "motifs_refus.json", MotifRefus),
    ("MOTIFS_ACTES", "Motifs des actes et pièces attendues"): (DOSSIER / "motifs_actes.json", CodeMotif),
}


def charger_motifs(using: str = "default") -> None:
    """Add the shipped rows that are missing."""
    for (code, libelle), (fichier, modele) in LIVRES.items():

        def charger(using: str, fichier=fichier, modele=modele) -> None:
            lignes = json.loads(fichier.read_text(encoding="utf-8"))
            inserer_absents([modele(**ligne) for ligne in lignes], using)

        referentiel = Referentiel(code=code, libelle=libelle, version="2026")
        charger_si_nouveau(referentiel, [fichier], charger, using)


def apres_migration(sender, using: str, **kwargs) -> None:
    """Receiver of `post_migrate`."""
    if tables_pretes(using, Referentiel, MotifRefus, CodeMotif):
        charger_motifs(using)
