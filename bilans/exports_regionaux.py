"""The consolidation as files: CSV, Parquet, a workbook; and the pack, all of them in one ZIP with their hashes.

Same figures, same bytes: nothing here reads a clock or a base.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING

import xlsxwriter

from bilans.regles.consolidation import Consolidation
from bilans.regles.tables_publiees import TABLES, Champ, Table, Valeur
from reservation.exports import sans_formule

if TYPE_CHECKING:
    import polars  # in the functions below otherwise: see `reservation.imports.rpls`

_TYPES = {"string": "String", "integer": "Int64", "boolean": "Boolean"}
NON_COMMUNIQUE = "n.c."
# Columns where an empty cell of a secret row says that it is one.
_TUES = {"prioritaires", "menages", "refus", "attributions", "baux"}


def tableau(table: Table, consolidations: Iterable[Consolidation]) -> "polars.DataFrame":
    """Every row of one table, typed."""
    import polars

    lignes = [ligne for lue in consolidations for ligne in table.lignes(lue)]
    schema = {c.nom: getattr(polars, _TYPES[c.type]) for c in table.champs}
    return polars.DataFrame(lignes, schema=schema, orient="row")


def csv(table: Table, consolidations: Iterable[Consolidation]) -> bytes:
    """UTF-8, commas, an empty cell where there is nothing or nothing to say. Texts that a spreadsheet would run are quoted."""
    import polars

    lu = tableau(table, consolidations)
    textes = [c.nom for c in table.champs if c.type == "string"]
    inerte = [polars.col(nom).map_elements(sans_formule, return_dtype=polars.String) for nom in textes]
    return lu.with_columns(inerte).write_csv().encode()


def parquet(table: Table, consolidations: Iterable[Consolidation]) -> bytes:
    sortie = io.BytesIO()
    tableau(table, consolidations).write_parquet(sortie, compression="zstd", statistics=False)
    return sortie.getvalue()


def classeur(consolidations: Sequence[Consolidation], titre: str) -> bytes:
    """A sheet per table, frozen headers, typed cells, filters; then the definitions of every column."""
    sortie = io.BytesIO()
    livre = xlsxwriter.Workbook(
        sortie, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    arrete = max((c.arrete_le for c in consolidations if c.arrete_le), default=None)
    livre.set_properties(
        {"title": titre, "created": datetime.combine(arrete or datetime(2025, 1, 1), time())}
    )
    gras = livre.add_format({"bold": True, "font_size": 12})
    entete = livre.add_format(
        {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#EEF2F7"}
    )
    formats = {
        "entier": livre.add_format({"num_format": "#,##0"}),
        "annee": livre.add_format({"num_format": "0"}),
        "secret": livre.add_format({"italic": True, "align": "right", "font_color": "#55606E"}),
        "texte": livre.add_format({"text_wrap": True, "valign": "top"}),
    }
    page = livre.add_worksheet("Lire ce classeur")
    page.set_column(0, 0, 110)
    page.write_string(0, 0, titre, gras)
    for rang, phrase in enumerate(_notice(consolidations), 2):
        page.write_string(rang, 0, phrase, formats["texte"])
    for table in TABLES:
        _feuille(livre, table, consolidations, entete, formats)
    page = livre.add_worksheet("Définitions")
    page.set_column(0, 1, 26)
    page.set_column(2, 2, 12)
    page.set_column(3, 3, 100)
    for colonne, mot in enumerate(("Feuille", "Colonne", "Type", "Définition")):
        page.write_string(0, colonne, mot, entete)
    rang = 0
    for table in TABLES:
        for champ in table.champs:
            rang += 1
            page.write_string(rang, 0, table.titre[:31])
            page.write_string(rang, 1, champ.titre)
            page.write_string(rang, 2, {"string": "texte", "integer": "entier"}.get(champ.type, "oui/non"))
            page.write_string(rang, 3, champ.definition, formats["texte"])
    page.freeze_panes(1, 0)
    livre.close()
    return sortie.getvalue()


def _notice(consolidations: Sequence[Consolidation]) -> Iterable[str]:
    bilans = sum(c.racine.bilans for c in consolidations)
    attendus = sum(c.racine.attendus for c in consolidations)
    yield f"Bilans validés par les DDETS : {bilans} sur {attendus}. Un bilan qui n’est pas validé ne compte dans aucun total."
    if any(c.masque for c in consolidations):
        yield (
            f"« {NON_COMMUNIQUE} » : nombre de ménages inférieur à onze, ou qui permettrait d’en retrouver un. "
            "Les mêmes cellules sont masquées dans le PDF, dans ce classeur, dans les CSV et dans les données ouvertes."
        )
    yield "Chaque feuille est une table, une ligne d’en-tête ; la dernière feuille définit chaque colonne."
    if any(c.fictif for c in consolidations):
        yield "Données de démonstration : bailleurs fictifs."


def _feuille(livre, table: Table, consolidations: Sequence[Consolidation], entete, formats) -> None:
    page = livre.add_worksheet(table.titre[:31])
    for colonne, champ in enumerate(table.champs):
        page.set_column(colonne, colonne, _largeur(champ))
        page.write_string(0, colonne, champ.titre, entete)
    rang = 0
    for lue in consolidations:
        for ligne in table.lignes(lue):
            rang += 1
            secret = any(c.nom == "secret" and v for c, v in zip(table.champs, ligne, strict=True))
            for colonne, (champ, valeur) in enumerate(zip(table.champs, ligne, strict=True)):
                _cellule(page, rang, colonne, champ, valeur, secret, formats)
    page.freeze_panes(
        1, [c.nom for c in table.champs].index("nom") + 1 if table.champs[1].nom == "niveau" else 5
    )
    page.autofilter(0, 0, max(rang, 1), len(table.champs) - 1)
    page.repeat_rows(0)
    page.set_landscape()
    page.fit_to_pages(1, 0)


def _largeur(champ: Champ) -> int:
    if champ.type != "string":
        return 13
    return {"nom": 34, "bilan": 30, "categorie_nom": 40, "contingent_nom": 26, "commune_nom": 28}.get(
        champ.nom, 15
    )


def _cellule(page, rang: int, colonne: int, champ: Champ, valeur: Valeur, secret: bool, formats) -> None:
    if valeur is None:
        if secret and champ.nom in _TUES:
            page.write_string(rang, colonne, NON_COMMUNIQUE, formats["secret"])
        return
    if isinstance(valeur, bool):
        page.write_boolean(rang, colonne, valeur)
    elif isinstance(valeur, int):
        page.write_number(rang, colonne, valeur, formats["annee" if champ.nom == "annee" else "entier"])
    else:
        page.write_string(rang, colonne, valeur)
