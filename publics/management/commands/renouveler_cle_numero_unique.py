"""`manage.py renouveler_cle_numero_unique`: every household under the current key, without any numéro unique."""

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandParser

from publics.services.menages import EtatCles, lire_etat_des_cles, renouveler_les_empreintes
from reservation.acteur import Acteur
from reservation.regles.typographie import accorder, entier_fr, enumerer, typographier


class Command(BaseCommand):
    help = (
        "Met les empreintes des numéros uniques sous la clé CLE_NUMERO_UNIQUE, les clés précédentes étant dans "
        "CLES_NUMERO_UNIQUE_ANCIENNES. L’empreinte connue est hachée de nouveau : aucun numéro n’est nécessaire. "
        "Sans --appliquer, compte et n’écrit rien."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--appliquer", action="store_true", help="renouvelle les empreintes")
        parser.add_argument("--json", action="store_true", help="écrit l’état des clés en JSON")

    def handle(self, *, appliquer: bool, **options) -> None:
        renouveles = None
        if appliquer:
            renouveles = renouveler_les_empreintes(Acteur.du_systeme("commande renouveler_cle_numero_unique"))
        etat = lire_etat_des_cles()
        if options["json"]:
            rapport = asdict(etat) | {"total": etat.total, "renouveles": renouveles}
            self.stdout.write(json.dumps(rapport, ensure_ascii=False, indent=2))
        else:
            for phrase in raconter(etat, renouveles):
                self.stdout.write(typographier(phrase))


def raconter(etat: EtatCles, renouveles: int | None) -> list[str]:
    """What the command says. `renouveles`: None when nothing was asked to be written."""
    phrases = [f"Clé en vigueur : {etat.actuelle}. {accorder(etat.total, 'ménage')} :"]
    phrases += [
        f"  {entier_fr(nombre):>9}  {libelle}"
        for nombre, libelle in (
            (etat.a_jour, "sous la clé en vigueur, seule"),
            (etat.proteges, "protégés par la clé en vigueur, reconnus avec l’aide d’une clé précédente"),
            (etat.a_renouveler, "encore sous une clé précédente : renouvelables sans le numéro"),
            (etat.inconnus, "sans clé connue : ils ne seront renouvelés qu’en revoyant leur numéro"),
            (etat.pleins, "sous cinq clés déjà : ils ne seront renouvelés qu’en revoyant leur numéro"),
            (etat.effaces, "effacés par la purge : plus aucun identifiant"),
        )
        if nombre or libelle.startswith("sous la clé")
    ]
    if etat.illisibles:
        phrases.append(
            f"{accorder(etat.illisibles, 'ménage dépend', 'ménages dépendent')} d’une clé absente de la configuration : "
            "leur numéro ne les retrouvera pas tant qu’elle n’est pas remise dans CLES_NUMERO_UNIQUE_ANCIENNES."
        )
    if etat.retirables:
        rangs = enumerer(f"n° {rang}" for rang in etat.retirables)
        phrases.append(f"Clés précédentes devenues inutiles, à retirer de la configuration : {rangs}.")
    if renouveles is not None:
        phrases.append(f"{accorder(renouveles, 'empreinte renouvelée', 'empreintes renouvelées')}.")
    elif etat.a_renouveler:
        phrases.append("Rien n’est écrit : ajoutez --appliquer.")
    return phrases
