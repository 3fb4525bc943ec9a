"""What every study of a deposit does: read the cells, say what is wrong with the address of the cell, conclude."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flux.imports.colonnes import COLONNES, TABLEAUX, lettre
from flux.imports.valeurs import LONGUEUR_NUMERO, Lu
from reservation.models import Organisation
from reservation.regles.typographie import typographier

from .plans import LigneEtudiee, Verdict


class Socle:
    """Studies lines of one bailleur, under one mapping of columns. `verrouiller`: inside the transaction that writes."""

    def __init__(
        self,
        bailleur: Organisation,
        sujet: str,
        correspondance: dict[str, int],
        aujourd_hui: date,
        suivre: Callable[[str, int], None] = lambda etape, avancement: None,
        verrouiller: bool = False,
    ) -> None:
        self.bailleur = bailleur
        self.sujet = sujet
        self.tableau = TABLEAUX[sujet]
        self.correspondance = correspondance
        self.aujourd_hui = aujourd_hui
        self.suivre = suivre
        self.verrouiller = verrouiller

    # --- Reading --------------------------------------------------------------------------------------------

    def _lire(self, lignes: Sequence[LigneEtudiee]) -> None:
        lus: dict[tuple[str, str], Lu] = {}
        for ligne in lignes:
            for champ, texte in ligne.cellules.items():
                if not texte or champ not in self.tableau.champs:
                    continue
                if champ == "numero_unique":
                    self._lire_numero(ligne)
                    continue
                lu = lus.get((champ, texte))
                if lu is None:
                    lu = lus[champ, texte] = COLONNES[champ].lire(texte)
                if lu.code:
                    self._dire(ligne, lu.code, champ, lu.texte)
                elif lu.valeur != "":
                    ligne.valeurs[champ] = lu.valeur
            self._exiger_les_cellules(ligne)
            ligne.designation = ligne.cellules.get("reference", "")[:120]

    def _lire_numero(self, ligne: LigneEtudiee) -> None:
        if formes := ligne.numero.get("formes"):
            ligne.valeurs["numero_unique"] = next(iter(formes))
        else:
            longueur = ligne.numero.get("longueur", 0)
            self._dire(
                ligne,
                "NUMERO_UNIQUE",
                "numero_unique",
                f"Un numéro unique a {LONGUEUR_NUMERO} lettres ou chiffres ; celui-ci en a {longueur}.",
            )

    def _exiger_les_cellules(self, ligne: LigneEtudiee) -> None:
        for champ in self._exigees(ligne):
            if not ligne.cellules.get(champ):
                self._dire(ligne, "VIDE", champ, f"« {COLONNES[champ].titre} » est vide.")

    def _exigees(self, ligne: LigneEtudiee) -> Sequence[str]:
        """Columns that this line must fill in."""
        return self.tableau.obligatoires

    # --- Words ----------------------------------------------------------------------------------------------

    def _cellule(self, ligne: LigneEtudiee, champ: str) -> str:
        rang = self.correspondance.get(champ)
        return "" if rang is None else f"{lettre(rang)}{ligne.ligne}"

    def _dire(self, ligne: LigneEtudiee, code: str, champ: str, phrase: str, **plus: Any) -> None:
        """An error: nothing of the line is written while it stays. `choix`: what may be put instead."""
        ligne.messages.append(self._message(ligne, code, champ, phrase, True) | plus)

    def _demander(self, ligne: LigneEtudiee, code: str, champ: str, phrase: str) -> None:
        """A doubt: asked once, and who confirmed is kept."""
        ligne.messages.append(self._message(ligne, code, champ, phrase, False))

    def _message(self, ligne: LigneEtudiee, code: str, champ: str, phrase: str, bloquant: bool) -> dict:
        return {
            "code": code,
            "champ": champ,
            "cellule": self._cellule(ligne, champ),
            "texte": typographier(phrase),
            "bloquant": bloquant,
        }

    def _changer(
        self, ligne: LigneEtudiee, changements: dict, avant: dict, nom: str, champ: str, valeur: object
    ) -> None:
        if avant[nom] != valeur:
            changements[nom] = valeur
            choix = COLONNES[champ].choix
            self._differer(ligne, champ, choix.get(avant[nom], avant[nom]), choix.get(valeur, valeur))

    def _differer(self, ligne: LigneEtudiee, champ: str, avant: object, apres: object) -> None:
        ligne.differences.append(
            {
                "champ": champ,
                "cellule": self._cellule(ligne, champ),
                "avant": _en_mots(avant),
                "apres": _en_mots(apres),
            }
        )

    def _conclure(self, ligne: LigneEtudiee) -> None:
        if ligne.en_erreur:
            ligne.verdict = Verdict.EN_ERREUR.value
        elif ligne.a_confirmer:
            ligne.verdict = Verdict.A_CONFIRMER.value
        elif ligne.creation:
            ligne.verdict = Verdict.A_CREER.value
        elif self._change(ligne):
            ligne.verdict = Verdict.A_METTRE_A_JOUR.value
        else:
            ligne.verdict = Verdict.IDENTIQUE.value

    @staticmethod
    def _change(ligne: LigneEtudiee) -> bool:
        relie = ligne.attribution is not None and "passage_id" in ligne.attribution.changements
        return bool(ligne.differences) or relie


def _en_mots(valeur: object) -> str:
    match valeur:
        case None | "":
            return ""
        case bool():
            return "oui" if valeur else "non"
        case date():
            return f"{valeur:%d/%m/%Y}"
        case _:
            return str(valeur)
