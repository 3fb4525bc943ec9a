"""`manage.py produire_bilans`: makes the bilans of a year, here or through the worker, and writes them in a folder."""

import json
import time
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from bilans.models import LotBilans, ProductionBilan
from bilans.services import exportations, productions
from bilans.services.donnees_bilan import CalculPerime
from reservation.acteur import Acteur
from reservation.commandes import CommandeTracee
from reservation.exports import nom_de_fichier
from reservation.models import Departement, Organisation
from reservation.regles.typographie import accorder, entier_fr, typographier

PAUSE = 0.5
SILENCE_MAXIMAL = 180
ESSAIS = 5


class Command(CommandeTracee):
    help = (
        "Produit le bilan annuel de chaque bailleur × département, en PDF et en classeur XLSX, et les écrit dans un "
        "dossier. Un bilan dont les chiffres n’ont pas changé garde sa version et ses octets."
    )

    def add_arguments(self, parser):
        parser.add_argument("--annee", type=int, required=True, help="année du bilan")
        parser.add_argument(
            "--departement", action="append", default=[], help="code du département (répétable)"
        )
        parser.add_argument("--bailleur", help="SIREN du bailleur")
        parser.add_argument("--sortie", type=Path, required=True, help="dossier où écrire les fichiers")
        parser.add_argument("--json", action="store_true", help="écrit le compte rendu en JSON")
        parser.add_argument(
            "--par-la-file",
            action="store_true",
            help="confie le travail au travailleur et attend la fin (il doit être démarré) : tous les cœurs servent",
        )

    def handle(self, *, annee, departement, bailleur, sortie, par_la_file, **options):
        self._verifier_departements(departement)
        organisation = self._bailleur(bailleur)
        try:
            sortie.mkdir(parents=True, exist_ok=True)
        except OSError as erreur:
            raise CommandError(f"Impossible d’écrire dans {sortie} ({erreur.strerror}).") from erreur
        acteur = Acteur.du_systeme("commande produire_bilans")
        productions.ouvrir_bilans(acteur, annee)
        depart = time.monotonic()
        try:
            lot = productions.demander_lot(
                acteur, annee, departements=departement, bailleur=organisation, appeler=par_la_file
            )
        except ValidationError as erreur:
            raise CommandError(
                f"{erreur.messages[0]} Calculez d’abord le flux : manage.py calculer_flux --annee {annee}."
            ) from erreur
        if par_la_file:
            self._attendre(lot)
        else:
            self._faire(lot)
        faites = list(
            lot.productions.select_related("bilan", "bailleur", "departement", "document").order_by(
                "departement", "bailleur__nom_tri", "pk"
            )
        )
        compte_rendu = [self._ecrire(production, sortie) for production in faites]
        if options["json"]:
            json.dump(
                {"annee": annee, "bilans": compte_rendu},
                self.stdout,
                ensure_ascii=False,
                indent=1,
                default=str,
            )
            self.stdout.write("")
        else:
            self._tableau(compte_rendu)
        self._conclure(compte_rendu, sortie, time.monotonic() - depart)

    # --- Perimeter ----------------------------------------------------------------------------------------

    def _verifier_departements(self, codes: list[str]) -> None:
        inconnus = set(codes) - set(Departement.objects.filter(pk__in=codes).values_list("pk", flat=True))
        if inconnus:
            raise CommandError(
                typographier(f"Département inconnu : {', '.join(sorted(inconnus))}. Attendu : 06, 2A, 974…")
            )

    def _bailleur(self, siren: str | None) -> Organisation | None:
        if siren is None:
            return None
        try:
            return Organisation.objects.bailleurs().get(siren=siren)
        except Organisation.DoesNotExist:
            raise CommandError(typographier(f"Aucun bailleur ne porte le SIREN {siren}.")) from None

    # --- Making -------------------------------------------------------------------------------------------

    def _faire(self, lot: LotBilans) -> None:
        """One after the other, in this process."""
        ouvertes = list(
            lot.productions.select_related("bailleur")
            .order_by("departement", "bailleur__nom_tri", "pk")
            .values_list("pk", "departement_id", "bailleur__nom")
        )
        for rang, (pk, departement, nom) in enumerate(ouvertes, 1):
            self.stderr.write(f"[{rang}/{len(ouvertes)}] {departement} {nom}")
            for essai in range(ESSAIS):
                try:
                    productions.executer(pk)
                    break
                except CalculPerime as erreur:
                    if essai == ESSAIS - 1:
                        productions.abandonner(pk, str(erreur))
                    else:
                        time.sleep(PAUSE)

    def _attendre(self, lot: LotBilans) -> None:
        """Show the progress of the rows that the workers bring up to date; give up when nothing moves any more."""
        avant, depuis = None, time.monotonic()
        while not (ou := productions.avancement(lot)).fini:
            if ou.faits != avant:
                self.stderr.write(ou.texte)
                avant, depuis = ou.faits, time.monotonic()
            elif time.monotonic() - depuis > SILENCE_MAXIMAL:
                raise CommandError(
                    "Aucun travailleur ne répond. Les demandes restent dans la file : démarrez-en un "
                    "(celery -A config worker), ou relancez la commande sans --par-la-file."
                )
            time.sleep(PAUSE)
        self.stderr.write(ou.texte)

    # --- Writing and saying -------------------------------------------------------------------------------

    def _ecrire(self, production: ProductionBilan, sortie: Path) -> dict:
        ligne = {
            "siren": production.bailleur.siren,
            "bailleur": production.bailleur.nom,
            "departement": production.departement_id,
            "etat": production.etat,
            "message": production.message,
        }
        document = production.document
        if document is None:
            return ligne
        nom = nom_de_fichier(
            "bilan",
            production.bilan.annee,
            production.departement_id,
            production.bailleur.nom,
            f"v{document.version}",
        )
        (sortie / f"{nom}.pdf").write_bytes(exportations.lire_pdf(document))
        (sortie / f"{nom}.xlsx").write_bytes(exportations.lire_classeur(document))
        return ligne | {
            "numero": document.numero,
            "version": document.version,
            "pages": document.pages,
            "donnees_au": document.donnees_au.isoformat(),
            "empreinte_donnees": document.empreinte_donnees,
            "empreinte_pdf": document.empreinte_pdf,
            "pdf": f"{nom}.pdf",
            "xlsx": f"{nom}.xlsx",
        }

    def _tableau(self, lignes: list[dict]) -> None:
        etats = dict(ProductionBilan.Etat.choices)
        largeur = max(len(ligne["bailleur"]) for ligne in lignes)
        self.stdout.write(f"{'Dép.':<5}{'Bailleur':<{largeur + 2}}{'Pages':>6}  {'Résultat':<20}Fichier")
        for ligne in lignes:
            pages = entier_fr(ligne["pages"]) if "pages" in ligne else "–"
            suite = ligne.get("pdf") or ligne["message"]
            self.stdout.write(
                f"{ligne['departement']:<5}{ligne['bailleur']:<{largeur + 2}}{pages:>6}  "
                f"{etats[ligne['etat']]:<20}{suite}"
            )

    def _conclure(self, lignes: list[dict], sortie: Path, secondes: float) -> None:
        echecs = sum(ligne["etat"] == ProductionBilan.Etat.ECHEC for ligne in lignes)
        ecrits = len(lignes) - echecs
        self.stderr.write(
            typographier(
                f"{accorder(ecrits, 'bilan écrit', 'bilans écrits')} dans {sortie}, "
                f"{accorder(echecs, 'échec')} ; {secondes:.0f} s."
            )
        )
        if echecs:
            raise CommandError(
                f"{accorder(echecs, 'bilan n’a pas pu', 'bilans n’ont pas pu')} être produits."
            )
