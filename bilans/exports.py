"""The workbook of a bilan: the tables of the document with their values, and the whole tableau d'attributions.

Another rendering of the same frozen figures: same numbers, same order, same words. Cells are typed; a text is always
written as a text, so that nothing in it runs. Same figures, same bytes: the only date inside is the document's.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from bilans.documents.chapitres.annexe import COLONNES_ANNEXE, cellules_annexe
from bilans.documents.modele import Cellule, Document, Format, Ligne, Tableau, texte
from bilans.regles.donnees import DonneesBilan

TYPE_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGUEUR_FEUILLE = 31
_INTERDITS = str.maketrans(dict.fromkeys("[]:*?/\\", " "))

NOMBRES = {
    Format.ENTIER: "#,##0",
    Format.ECART: "+#,##0;-#,##0;0",
    Format.EXACT: "#,##0.0000",
    Format.POINTS: "0.00##",
    Format.POURCENT: "0.0%",
    Format.JOUR: "dd/mm/yyyy",
}


def classeur(document: Document, donnees: DonneesBilan) -> bytes:
    """The workbook as bytes: identity and verdict, one sheet per section, then every attribution of the year."""
    sortie = io.BytesIO()
    ecriture = _Classeur(sortie, document)
    ecriture.identite()
    premiers = [bloc for bloc in document.une.blocs if isinstance(bloc, Tableau)]
    ecriture.feuille("Objectifs et tests", premiers)
    for section in document.sections:
        tableaux = [tableau for tableau in section.tableaux if tableau.numero]
        if tableaux:
            ecriture.feuille(section.titre, tableaux)
    ecriture.attributions(donnees)
    ecriture.fermer()
    return sortie.getvalue()


class _Classeur:
    """A workbook being written."""

    def __init__(self, sortie: io.BytesIO, document: Document) -> None:
        self.document = document
        self.livre = xlsxwriter.Workbook(
            sortie, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        self.livre.set_properties(
            {
                "title": document.titre,
                "author": document.auteur,
                "subject": document.sujet,
                "created": datetime.fromisoformat(document.cree_le).replace(tzinfo=None),
            }
        )
        self.titre = self.livre.add_format({"bold": True, "font_size": 12})
        self.entete = self.livre.add_format(
            {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1, "bg_color": "#EEF2F7"}
        )
        self.note = self.livre.add_format({"font_color": "#55606E", "text_wrap": True, "valign": "top"})
        self.corps = self.livre.add_format({"text_wrap": True, "valign": "top"})
        self.gras = self.livre.add_format({"bold": True})
        self.formats = {
            (format_, gras): self.livre.add_format({"num_format": motif, "bold": gras})
            for format_, motif in NOMBRES.items()
            for gras in (False, True)
        }

    def fermer(self) -> None:
        self.livre.close()

    def identite(self) -> None:
        """What the document is, its verdict in words, its key figures."""
        page = self._page("Bilan", (24, 110))
        page.write_string(0, 0, self.document.titre, self.titre)
        rang = 2
        for fiche in self.document.une.fiches:
            for nom, valeur in fiche:
                page.write_string(rang, 0, nom, self.gras)
                page.write_string(rang, 1, valeur, self.corps)
                rang += 1
        page.write_string(rang + 1, 0, self.document.une.verdict.titre, self.titre)
        rang += 2
        for paragraphe in self.document.une.verdict.paragraphes:
            page.write_string(rang, 1, " ".join(phrase for phrase, _ in paragraphe), self.corps)
            rang += 1
        for chiffre in self.document.une.chiffres:
            page.write_string(rang + 1, 0, f"{chiffre.nombre} {chiffre.unite}".strip(), self.gras)
            page.write_string(rang + 1, 1, chiffre.libelle, self.corps)
            rang += 1

    def feuille(self, nom: str, tableaux: Sequence[Tableau]) -> None:
        """Tables one under the other, each with its title, its header and its note."""
        page = self._page(nom, (44, *(15,) * 20))
        rang = 0
        for tableau in tableaux:
            titre = f"{tableau.etiquette} ({tableau.precision})" if tableau.precision else tableau.etiquette
            page.write_string(rang, 0, titre, self.titre)
            rang = self._tableau(page, rang + 1, tableau)
            if tableau.note:
                page.write_string(rang, 0, tableau.note, self.note)
            rang += 2

    def attributions(self, donnees: DonneesBilan) -> None:
        """Every attribution of the year, all contingents and out of the flux: a list to filter."""
        page = self._page("Attributions", (6, 20, 11, 11, 22, 26, 8, 12, 18, 16, 34, 13, 8, 11, 11, 46))
        rangs = {fiche.code: fiche.nom for fiche in donnees.reservataires}
        titres = [COLONNES_ANNEXE[0].titre, "Contingent", *(colonne.titre for colonne in COLONNES_ANNEXE[1:])]
        titres.insert(-4, "Prioritaire")
        for colonne, titre in enumerate(titres):
            page.write_string(0, colonne, titre, self.entete)
        for rang, ligne in enumerate(donnees.attributions, 1):
            cellules = list(cellules_annexe(ligne))
            cellules.insert(-4, texte("oui" if ligne.prioritaire else "non"))
            page.write_number(rang, 0, rang)
            page.write_string(rang, 1, rangs.get(ligne.contingent, "Hors flux"))
            for colonne, cellule in enumerate(cellules, 2):
                self._cellule(page, rang, colonne, cellule)
        page.freeze_panes(1, 2)
        page.autofilter(0, 0, max(1, len(donnees.attributions)), len(titres) - 1)
        page.repeat_rows(0)
        page.set_landscape()
        page.fit_to_pages(1, 0)

    def _page(self, nom: str, largeurs: Sequence[int]) -> Worksheet:
        page = self.livre.add_worksheet(
            " ".join(nom.translate(_INTERDITS).split())[:LONGUEUR_FEUILLE].strip()
        )
        for colonne, largeur in enumerate(largeurs):
            page.set_column(colonne, colonne, largeur)
        page.set_footer(f"&L{self.document.reference.replace('&', '&&')}&R&P / &N")
        return page

    def _tableau(self, page: Worksheet, rang: int, tableau: Tableau) -> int:
        """Header and rows, drawings left out; returns the row after the last."""
        if not tableau.lignes:
            page.write_string(rang, 0, tableau.vide, self.note)
            return rang + 1
        gardees = [
            i
            for i in range(len(tableau.colonnes) - 1)
            if all(ligne.cellules[i].format != Format.DESSIN for ligne in tableau.lignes)
        ]
        page.write_string(rang, 0, _sans_cesure(tableau.colonnes[0].titre), self.entete)
        groupes = [groupe.titre for groupe in tableau.groupes for _ in range(groupe.etendue)]
        for colonne, i in enumerate(gardees, 1):
            titre = _sans_cesure(tableau.colonnes[i + 1].titre)
            if groupes and groupes[i]:
                titre = f"{groupes[i]}, {titre}"
            page.write_string(rang, colonne, titre, self.entete)
        for ligne in tableau.lignes:
            rang += 1
            self._ligne(page, rang, ligne, gardees)
        return rang + 1

    def _ligne(self, page: Worksheet, rang: int, ligne: Ligne, gardees: Sequence[int]) -> None:
        gras = bool(ligne.genre)
        page.write_string(rang, 0, ligne.titre, self.gras if gras else None)
        for colonne, i in enumerate(gardees, 1):
            self._cellule(page, rang, colonne, ligne.cellules[i], gras)

    def _cellule(
        self, page: Worksheet, rang: int, colonne: int, cellule: Cellule, gras: bool = False
    ) -> None:
        if cellule.valeur is None or cellule.valeur == "":
            return
        style = self.formats.get((cellule.format, gras))
        match cellule.format:
            case Format.JOUR:
                page.write_datetime(rang, colonne, cellule.valeur, style)
            case Format.TEXTE | Format.CODE | Format.VERDICT:
                page.write_string(rang, colonne, cellule.texte, self.gras if gras else None)
            case _:
                page.write_number(rang, colonne, _nombre(cellule.valeur), style)


def _nombre(valeur: Any) -> int | float:
    """A spreadsheet only knows floats: exact values become one here, at the very edge, and nowhere else."""
    return valeur if isinstance(valeur, int) else float(Fraction(valeur))


def _sans_cesure(titre: str) -> str:
    return titre.replace("\u00ad", "")
