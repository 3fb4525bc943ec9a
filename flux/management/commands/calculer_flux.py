"""`manage.py calculer_flux`: computes the annual flux of a perimeter, here or through the worker."""

import json
import sys
import time

from django.core.management.base import CommandError

from flux.models import CalculAFaire, CalculFlux, Recalcul
from flux.services import file_de_calcul
from reservation.acteur import Acteur
from reservation.commandes import CommandeTracee
from reservation.models import Departement, Organisation, Region
from reservation.regles.typographie import accorder, entier_fr, typographier

PAUSE = 0.25
SILENCE_MAXIMAL = 60


class Command(CommandeTracee):
    help = (
        "Calcule le flux annuel, prévisionnel et constaté, d’un bailleur, de départements, d’une région ou de tous. "
        "Un calcul dont les entrées n’ont pas changé ne fait pas de nouvelle version."
    )

    def add_arguments(self, parser):
        parser.add_argument("--annee", type=int, required=True, help="année civile du flux")
        parser.add_argument(
            "--departement", action="append", default=[], help="code du département (répétable)"
        )
        parser.add_argument("--region", help="code INSEE de la région")
        parser.add_argument("--bailleur", help="SIREN du bailleur")
        parser.add_argument("--json", action="store_true", help="écrit les résultats en JSON")
        parser.add_argument(
            "--par-la-file",
            action="store_true",
            help="confie le travail au travailleur et attend la fin (il doit être démarré)",
        )

    def handle(self, *, annee, departement, region, bailleur, par_la_file, **options):
        departements = self._departements(departement, region)
        organisation = self._bailleur(bailleur)
        recalcul = file_de_calcul.lancer_recalcul(
            Acteur.du_systeme("commande calculer_flux"),
            annee,
            "Commande calculer_flux",
            departements=departements,
            bailleur=organisation,
            appeler=par_la_file,
        )
        if not recalcul.etapes.exists():
            raise CommandError("Aucun bailleur n’a de parc ni de convention dans ce périmètre.")
        if par_la_file:
            self._attendre(recalcul)
        else:
            for code in recalcul.departements:
                file_de_calcul.traiter(code, annee)
                self._dire_etape(recalcul, code)
        recalcul.refresh_from_db()
        if options["json"]:
            self.stdout.write(json.dumps(self._resultats(recalcul), ensure_ascii=False, indent=1))
            self.stdout.write("")
        erreurs = self._erreurs(recalcul)
        for erreur in erreurs:
            self.stderr.write(f"{erreur['bailleur']} ({erreur['departement']}) : {erreur['erreur']}")
        self._dire_bilan(recalcul)
        if erreurs:
            sys.exit(1)

    # --- Perimeter ----------------------------------------------------------------------------------------

    def _departements(self, codes: list[str], region: str | None) -> list[str]:
        inconnus = set(codes) - set(Departement.objects.filter(pk__in=codes).values_list("pk", flat=True))
        if inconnus:
            raise CommandError(
                typographier(f"Département inconnu : {', '.join(sorted(inconnus))}. Attendu : 06, 2A, 974…")
            )
        if region is None:
            return codes
        try:
            return sorted({*codes, *file_de_calcul.departements_de_la_region(region)})
        except Region.DoesNotExist:
            raise CommandError(
                typographier(
                    f"Région inconnue : {region}. Attendu : un code INSEE, 93 pour Provence-Alpes-Côte d’Azur."
                )
            ) from None

    def _bailleur(self, siren: str | None) -> Organisation | None:
        if siren is None:
            return None
        try:
            return Organisation.objects.bailleurs().get(siren=siren)
        except Organisation.DoesNotExist:
            raise CommandError(typographier(f"Aucun bailleur ne porte le SIREN {siren}.")) from None

    # --- Waiting for the worker ---------------------------------------------------------------------------

    def _attendre(self, recalcul: Recalcul) -> None:
        """Show the progress of the row that the worker brings up to date; give up when nothing moves any more."""
        dites: set[str] = set()
        avant, depuis = None, time.monotonic()
        while recalcul.etat in (Recalcul.Etat.EN_ATTENTE, Recalcul.Etat.EN_COURS):
            time.sleep(PAUSE)
            recalcul.refresh_from_db()
            etapes = list(recalcul.etapes.all())
            for etape in etapes:
                if etape.termine_le and etape.departement_id not in dites:
                    dites.add(etape.departement_id)
                    self._dire_etape(recalcul, etape.departement_id)
            maintenant = (recalcul.etat, sum(etape.faits for etape in etapes))
            if maintenant != avant:
                avant, depuis = maintenant, time.monotonic()
            elif time.monotonic() - depuis > SILENCE_MAXIMAL:
                raise CommandError(
                    "Aucun travailleur ne répond. La demande reste dans la file : démarrez-en un "
                    "(celery -A config worker), ou relancez la commande sans --par-la-file."
                )

    # --- Saying -------------------------------------------------------------------------------------------

    def _dire_etape(self, recalcul: Recalcul, code: str) -> None:
        etape = recalcul.etapes.select_related("departement").get(departement=code)
        details = [f"{entier_fr(etape.inchanges)} sans changement"]
        if etape.erreurs:
            details.append(f"{entier_fr(etape.erreurs)} en erreur")
        self.stderr.write(
            f"{etape.departement} ({code}) : {accorder(etape.faits, 'bailleur')} sur {etape.total}, "
            f"{', '.join(details)}"
        )

    def _dire_bilan(self, recalcul: Recalcul) -> None:
        secondes = (recalcul.termine_le - recalcul.demande_le).total_seconds()
        total = sum(etape.total for etape in recalcul.etapes.all())
        self.stderr.write(
            typographier(
                f"Flux {recalcul.annee} : {recalcul.get_etat_display()}, "
                f"{accorder(total, 'bailleur × département', 'bailleurs × départements')}, "
                f"{secondes:.1f} s.".replace(".", ",", 1)
            )
        )

    def _calculs(self, recalcul: Recalcul):
        calculs = CalculFlux.objects.en_vigueur().filter(
            annee=recalcul.annee, departement__in=recalcul.departements
        )
        if recalcul.bailleur_id:
            calculs = calculs.filter(bailleur=recalcul.bailleur_id)
        return calculs.select_related("bailleur").order_by("departement", "bailleur__siren", "nature")

    def _erreurs(self, recalcul: Recalcul) -> list[dict]:
        lignes = CalculAFaire.objects.filter(
            annee=recalcul.annee, departement__in=recalcul.departements
        ).exclude(erreur="")
        if recalcul.bailleur_id:
            lignes = lignes.filter(bailleur=recalcul.bailleur_id)
        return [
            {
                "siren": ligne.bailleur.siren,
                "bailleur": ligne.bailleur.nom,
                "departement": ligne.departement_id,
                "erreur": ligne.erreur,
            }
            for ligne in lignes.select_related("bailleur").order_by("departement", "bailleur__siren")
        ]

    def _resultats(self, recalcul: Recalcul) -> dict:
        etapes = list(recalcul.etapes.all())
        return {
            "annee": recalcul.annee,
            "etat": recalcul.etat,
            "paires": sum(etape.total for etape in etapes),
            "inchanges": sum(etape.inchanges for etape in etapes),
            "erreurs": self._erreurs(recalcul),
            "calculs": [
                {
                    "siren": calcul.bailleur.siren,
                    "bailleur": calcul.bailleur.nom,
                    "departement": calcul.departement_id,
                    "annee": calcul.annee,
                    "nature": calcul.nature,
                    "version": calcul.version,
                    "millesime": calcul.millesime,
                    "calcule_le": calcul.calcule_le.isoformat(),
                    "avertissements": calcul.avertissements,
                    **calcul.resultat,
                }
                for calcul in self._calculs(recalcul).iterator(chunk_size=200)
            ],
        }
