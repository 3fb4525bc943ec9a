"""manage.py banc_essai FICHIER.json…: what the application's rules say of bailleur-years written in JSON.

stdout: a JSON list, one result per valid file, in order. stderr: differences and faults, in French.
Exit 0: every `attendu` holds; 1: some differ; 2: at least one file is not a valid scenario. No database.
"""

import json
import sys
from pathlib import Path

from django.core.management.base import BaseCommand

from flux.banc_essai import Erreur, Examen, examiner
from reservation.regles.typographie import typographier

CONFORME, DIFFERENT, INVALIDE = 0, 1, 2


class Command(BaseCommand):
    help = "Calcule des scénarios du banc d’essai (un fichier JSON par scénario) et compare à ce qu’ils attendent."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser) -> None:
        parser.add_argument("fichiers", nargs="*", metavar="FICHIER.json", help="scénario à calculer")

    def handle(self, *args, fichiers: list[str], **options) -> None:
        if not fichiers:
            self.stderr.write(typographier("banc_essai : aucun fichier ; attendu : au moins un FICHIER.json"))
            sys.exit(INVALIDE)
        examens = [self._examiner(fichier) for fichier in fichiers]
        self._ecrire_resultats([examen.resultat for examen in examens if examen.valide])
        for examen in examens:
            for ligne in (*examen.erreurs, *examen.differences):
                self.stderr.write(typographier(f"{examen.nom} : {ligne}"))
        if any(not examen.valide for examen in examens):
            sys.exit(INVALIDE)
        if any(examen.differences for examen in examens):
            sys.exit(DIFFERENT)

    def _examiner(self, fichier: str) -> Examen:
        try:
            contenu = Path(fichier).read_bytes()
        except (OSError, ValueError) as erreur:
            return Examen(fichier, (Erreur("", _decrire_lecture(erreur), "un fichier JSON lisible"),))
        return examiner(contenu, fichier, expliquer=False)

    def _ecrire_resultats(self, resultats: list) -> None:
        """UTF-8 as it is; escaped where the terminal could not show it, so that stdout is always JSON."""
        encodage = getattr(self.stdout, "encoding", None) or "utf-8"
        echapper = encodage.lower().replace("-", "") != "utf8"
        self.stdout.write(json.dumps(resultats, ensure_ascii=echapper, indent=1))


def _decrire_lecture(erreur: OSError | ValueError) -> str:
    """Why a file could not be read, in French."""
    match erreur:
        case FileNotFoundError():
            return "ce fichier n’existe pas"
        case IsADirectoryError():
            return "c’est un dossier"
        case PermissionError():
            return "lecture interdite"
    return "ce fichier ne peut pas être lu"
