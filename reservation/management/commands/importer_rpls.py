"""`manage.py importer_rpls FICHIER --millesime AAAA`: the same import as the page, in one go."""

import json
from pathlib import Path
from time import monotonic

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from reservation.acteur import Acteur
from reservation.commandes import CommandeTracee
from reservation.models import ImportRpls, Organisation, StatutLogement
from reservation.regles.typographie import accorder, entier_fr, typographier
from reservation.services import parc
from reservation.services.parc.imports import Options

CODE_REFUSE = 3
CODE_ECHEC = 4
EXEMPLES = 3


class Command(CommandeTracee):
    help = (
        "Importe un fichier RPLS : fichier ouvert « détail logement », fichier « version loi » ou fichier de dépôt du "
        "bailleur, en .csv, .zip ou .gz. Code de retour : 0 si le parc est enregistré ou inchangé (les lignes "
        "rejetées sont dans le rapport), 2 si la demande est mal formée, 3 si le fichier est refusé, 4 si "
        "l’import n’a pas pu se terminer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("fichier", type=Path, help="chemin du fichier")
        parser.add_argument("--millesime", type=int, required=True, help="année du parc (au 1er janvier)")
        cible = parser.add_mutually_exclusive_group()
        cible.add_argument("--bailleur", metavar="SIREN", help="bailleur de tous les logements du fichier")
        cible.add_argument(
            "--repartir",
            type=int,
            metavar="N",
            help="répartit un fichier ouvert sur N bailleurs fictifs de démonstration",
        )
        parser.add_argument(
            "--creer-bailleurs",
            action="store_true",
            help="crée les bailleurs que le fichier nomme et que l’application ne connaît pas",
        )
        parser.add_argument(
            "--seuil-erreurs",
            type=int,
            default=Options().seuil_erreurs,
            metavar="POURCENT",
            help="refuse le fichier au-delà de cette part de lignes rejetées (%(default)s %% par défaut)",
        )
        parser.add_argument("--essai", action="store_true", help="lit et compare, n’écrit rien")
        parser.add_argument(
            "--json", action="store_true", help="écrit le rapport en JSON sur la sortie standard"
        )

    def handle(
        self, *, fichier: Path, millesime: int, bailleur: str | None, repartir: int | None, **options
    ) -> None:
        if not fichier.is_file():
            raise CommandError(typographier(f"Le fichier « {fichier} » n’existe pas."), returncode=2)
        choix = Options(creer_bailleurs=options["creer_bailleurs"], seuil_erreurs=options["seuil_erreurs"])
        organisation = self._bailleur(bailleur)
        debut = monotonic()
        try:
            if options["essai"]:
                import_rpls = parc.essayer(
                    fichier, millesime=millesime, bailleur=organisation, repartir=repartir, options=choix
                )
            else:
                import_rpls = parc.importer(
                    Acteur.du_systeme("commande importer_rpls"),
                    fichier,
                    millesime=millesime,
                    bailleur=organisation,
                    repartir=repartir,
                    options=choix,
                )
        except ValidationError as erreur:
            raise CommandError(" ".join(erreur.messages), returncode=2) from erreur
        rapport = rapport_json(import_rpls, essai=options["essai"], secondes=round(monotonic() - debut, 2))
        if options["json"]:
            self.stdout.write(json.dumps(rapport, ensure_ascii=False, indent=2))
        else:
            self._raconter(import_rpls, rapport)
        if import_rpls.etat == ImportRpls.Etat.REFUSE:
            raise SystemExit(CODE_REFUSE)
        jamais_accorde = import_rpls.etat == ImportRpls.Etat.A_CONFIRMER and not options["essai"]
        if import_rpls.etat == ImportRpls.Etat.ECHEC or jamais_accorde:
            raise SystemExit(CODE_ECHEC)

    def _bailleur(self, siren: str | None) -> Organisation | None:
        if siren is None:
            return None
        organisation = Organisation.objects.bailleurs().filter(siren=siren.replace(" ", "")).first()
        if organisation is None:
            raise CommandError(typographier(f"Aucun bailleur n’a le SIREN « {siren} »."), returncode=2)
        return organisation

    def _raconter(self, import_rpls: ImportRpls, rapport: dict) -> None:
        ecrire = self.stdout.write
        ecrire(f"{import_rpls.nom_fichier}, {import_rpls.get_famille_display() or 'famille inconnue'}")
        if rapport["lignes_lues"]:
            ecrire(
                typographier(
                    f"{accorder(rapport['lignes_lues'], 'ligne lue', 'lignes lues')} = "
                    f"{entier_fr(rapport['acceptees'])} acceptées + {entier_fr(rapport['rejetees'])} rejetées + "
                    f"{entier_fr(rapport['ignorees'])} ignorées"
                )
            )
        for titre, cle in (
            ("Erreurs", "erreurs"),
            ("Avertissements", "avertissements"),
            ("Corrections", "corrections"),
            ("Lignes ignorées", "lignes_ignorees"),
        ):
            if rapport[cle]:
                ecrire("")
                ecrire(typographier(f"{titre} :"))
            for constat in rapport[cle]:
                colonne = f" [{constat['colonne']}]" if constat["colonne"] else ""
                ecrire(f"  {entier_fr(constat['nombre']):>10}  {constat['cause']}{colonne}")
                for exemple in constat["exemples"][:EXEMPLES]:
                    attendu = f" ; attendu : {exemple['attendu']}" if exemple["attendu"] else ""
                    lu = f" « {exemple['valeur']} »" if exemple["valeur"] else ""
                    ecrire(typographier(f"              ligne {exemple['ligne']}{lu}{attendu}"))
        for phrase in (*rapport["hypotheses"], *rapport["alertes"]):
            ecrire("")
            ecrire(phrase)
        if rapport["statuts"]:
            ecrire("")
            ecrire(typographier("Statuts des logements du fichier :"))
            for statut, nombre in sorted(rapport["statuts"].items(), key=lambda s: -s[1]):
                ecrire(f"  {entier_fr(nombre):>10}  {StatutLogement(statut).label}")
        ecrire("")
        ecrire(rapport["message"] or typographier(f"Essai : {self._changements(rapport)}. Rien n’est écrit."))

    def _changements(self, rapport: dict) -> str:
        return ", ".join(f"{entier_fr(n)} {nom}" for nom, n in rapport["changements"].items())


def rapport_json(import_rpls: ImportRpls, *, essai: bool, secondes: float) -> dict:
    """The report of the command; the first keys are a contract."""
    rapport = import_rpls.rapport
    changements = rapport.get("changements", {})
    return {
        "fichier": import_rpls.nom_fichier,
        "millesime": import_rpls.millesime,
        "famille": import_rpls.famille,
        "etat": import_rpls.etat,
        "essai": essai,
        "message": import_rpls.message,
        "lignes_lues": import_rpls.lignes_lues,
        "acceptees": import_rpls.lignes_acceptees,
        "rejetees": import_rpls.lignes_rejetees,
        "ignorees": import_rpls.lignes_ignorees,
        "erreurs": rapport.get("erreurs", []),
        "avertissements": rapport.get("avertissements", []),
        "corrections": rapport.get("corrections", []),
        "lignes_ignorees": rapport.get("ignorees", []),
        "hypotheses": rapport.get("hypotheses", []),
        "alertes": rapport.get("alertes", []),
        "changements": {n: changements.get(n, 0) for n in ("nouveaux", "modifies", "identiques", "disparus")},
        "precedent": rapport.get("precedent"),
        "bailleurs": rapport.get("bailleurs", []),
        "statuts": rapport.get("statuts", {}),
        "secondes": secondes,
    }
